# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test bed is made of: every version, module, package and address in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .errors import SetupError

Cni = Literal["enforcing", "plain"]
ApiServer = Literal["stock", "fast"]


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """One row per minor version; `pause` is the tag that this version's kubeadm and kubelet expect."""

    minor: str
    patch: int
    pause: str

    @property
    def version(self) -> str:
        """As kubeadm writes it: v1.36.3."""
        return f"v{self.minor}.{self.patch}"

    @property
    def staging(self) -> str:
        """The version of the k8s.io libraries of the same release: v0.36.3."""
        return f"v0.{self.minor.removeprefix('1.')}.{self.patch}"


# The newest releases of k8s.io/kubernetes that are to be had as Go modules; 1.37 is not yet among them.
KUBERNETES = (
    Kubernetes("1.34", 4, pause="3.10.1"),
    Kubernetes("1.35", 4, pause="3.10.1"),
    Kubernetes("1.36", 3, pause="3.10.2"),
)
DEFAULT_KUBERNETES = "1.36"

ETCD = "v3.6.8"
COREDNS = "v1.14.2"
KIND = "v0.33.0"
KUBE_ROUTER = "v2.1.0"


def kubernetes(wanted: str) -> Kubernetes:
    """Find a row by `1.36`, `1.36.3` or `v1.36.3`; SetupError lists what there is."""
    plain = wanted.removeprefix("v")
    for row in KUBERNETES:
        if plain in (row.minor, row.version.removeprefix("v")):
            return row
    offered = ", ".join(row.version.removeprefix("v") for row in KUBERNETES)
    raise SetupError(f"Kubernetes {wanted!r} cannot be had here; K8S_VERSION is one of {offered} (or the minor alone).")


@dataclass(frozen=True, slots=True)
class GoTool:
    """One set of programs that is built from one go.mod.

    `programs` maps the name of a binary to the package it is built from, relative to `base`. `sources` is a folder of
    our own programs, which are built from another tool's go.mod: that of `module`.
    """

    name: str
    base: str
    programs: dict[str, str]
    seconds: int
    tags: str = ""
    ldflags: str = "-s -w"
    module: str = field(default="", repr=False)
    sources: str = field(default="", repr=False)


def kubernetes_tool(row: Kubernetes) -> GoTool:
    """The Kubernetes programs of one version. kubeadm refuses a build that does not know its version."""
    major, minor = row.minor.split(".")
    facts = {
        "gitVersion": row.version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "unknown",
    }
    names = (
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "kubelet",
        "kubeadm",
        "kubectl",
    )
    return GoTool(
        name=f"kubernetes-{row.minor}",
        base="k8s.io/kubernetes",
        programs={name: f"cmd/{name}" for name in names},
        seconds=375,
        ldflags="-s -w " + " ".join(f"-X k8s.io/component-base/version.{key}={value}" for key, value in facts.items()),
    )


def fast_api_server(row: Kubernetes) -> GoTool:
    """An API server that looks for a new encryption configuration every two seconds."""
    stock = kubernetes_tool(row)
    folder = "fast-api-server"
    return GoTool(
        name=f"{folder}-{row.minor}",
        base="..",
        programs={"kube-apiserver": f"{folder}/main.go"},
        seconds=60,
        ldflags=stock.ldflags,
        module=stock.name,
        sources=folder,
    )


KIND_TOOL = GoTool("kind", "sigs.k8s.io/kind", {"kind": ""}, seconds=47)
PROGRAMS_TOOL = GoTool(
    "programs",
    "hardening.local/testbed/programs",
    {"pause": "pause", "balancer": "balancer", "toolbox": "toolbox"},
    seconds=15,
)
NODE_TOOLS = (
    GoTool("etcd", "go.etcd.io/etcd", {"etcd": "server/v3", "etcdctl": "etcdctl/v3"}, seconds=36),
    GoTool(
        "containerd",
        "github.com/containerd/containerd/v2",
        {name: f"cmd/{name}" for name in ("containerd", "ctr", "containerd-shim-runc-v2")},
        seconds=69,
        tags="no_btrfs,no_devmapper,no_zfs,no_aufs",
    ),
    GoTool(
        "cni",
        "github.com/containernetworking/plugins/plugins",
        {
            "host-local": "ipam/host-local",
            "loopback": "main/loopback",
            "ptp": "main/ptp",
            "bridge": "main/bridge",
            "portmap": "meta/portmap",
        },
        seconds=10,
    ),
    GoTool("coredns", "github.com/coredns/coredns", {"coredns": ""}, seconds=151),
    GoTool("kube-router", "github.com/cloudnativelabs/kube-router/v2", {"kube-router": "cmd/kube-router"}, seconds=97),
)

# Debian 12 is the last whose systemd also starts on cgroup v1 hosts.
DEBIAN_SUITE = "bookworm"
DEBIAN_MIRROR = "http://deb.debian.org/debian"
NODE_PACKAGES = (
    *("systemd", "systemd-sysv", "conntrack", "iptables", "nftables", "ipset", "iproute2", "ethtool", "util-linux"),
    *("mount", "kmod", "libseccomp2", "bash", "ca-certificates", "curl", "jq", "procps", "runc", "python3"),
    *("bash-static", "busybox-static"),
)
ENGINE_PACKAGES = ("docker.io", "containerd", "runc", "iptables", "python3")
BUILD_PACKAGES = ("debootstrap", "debian-archive-keyring")

# The image that this version of kind puts in front of several control planes.
KIND_BALANCER_IMAGE = "envoyproxy/envoy:v1.36.2"
BALANCER_IMAGE = "hardening.local/balancer:1"
BUSYBOX_IMAGE = "busybox:1.37-musl"
TOOLBOX_IMAGE = "hardening.local/toolbox:1"
KUBE_ROUTER_IMAGE = f"hardening.local/kube-router:{KUBE_ROUTER}"
LABEL = "hardening.testbed"

SUBNETS = tuple(f"10.213.{third}.0/24" for third in range(256))
FIRST_NODE = 11
BALANCER = 10


@dataclass(frozen=True, slots=True)
class Spec:
    """What a cluster is asked to be."""

    name: str
    nodes: int
    cni: Cni
    kubernetes: Kubernetes
    api_server: ApiServer = "stock"

    @property
    def containers(self) -> tuple[str, ...]:
        """The node containers, as kind names them."""
        return tuple(f"{self.name}-control-plane{n if n > 1 else ''}" for n in range(1, self.nodes + 1))

    @property
    def balancer(self) -> str | None:
        """The container in front of several control planes, as kind names it."""
        return f"{self.name}-external-load-balancer" if self.nodes > 1 else None

    @property
    def facts(self) -> dict[str, str | int]:
        """What must be alike for an existing cluster to be used again."""
        other = {} if self.api_server == "stock" else {"api_server": self.api_server}
        return {"nodes": self.nodes, "cni": self.cni, "kubernetes": self.kubernetes.minor, **other}

    @property
    def network(self) -> str:
        """The Docker network of this cluster alone."""
        return f"testbed-{self.name}"


def default_name(nodes: int, cni: Cni, row: Kubernetes, api_server: ApiServer = "stock") -> str:
    """`hardening` for the default cluster, with what differs appended for others: hardening-3-plain-1-35."""
    parts = ["hardening"]
    if nodes != 1:
        parts.append(str(nodes))
    if cni != "enforcing":
        parts.append(cni)
    if row.minor != DEFAULT_KUBERNETES:
        parts.append(row.minor.replace(".", "-"))
    if api_server != "stock":
        parts.append(api_server)
    return "-".join(parts)


def addresses(spec: Spec, subnet: str) -> dict[str, str]:
    """The pinned address of each container: etcd's certificates name them, so a restart must not change them."""
    prefix = subnet.rsplit(".", 1)[0]
    table = {name: f"{prefix}.{FIRST_NODE + index}" for index, name in enumerate(spec.containers)}
    if spec.balancer:
        table[spec.balancer] = f"{prefix}.{BALANCER}"
    return table
