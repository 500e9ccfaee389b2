# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipe of the assembled node image: what is in its layers, and in the images that it carries."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

from . import gobuild, places, rootfs
from .archive import Entry, Image, write_layer
from .shell import run
from .tables import (
    COREDNS,
    ETCD,
    KIND_TOOL,
    KUBE_ROUTER_IMAGE,
    NODE_TOOLS,
    PROGRAMS_TOOL,
    GoTool,
    Kubernetes,
    kubernetes_tool,
)

REGISTRY = "registry.k8s.io"
ENTRYPOINT = ["/usr/local/bin/entrypoint", "/sbin/init"]
UNITS = ("kubelet.service", "containerd.service", "undo-mount-hacks.service")
CRICTL = b"#!/bin/sh\necho 'this node has no crictl: use ctr --namespace k8s.io' >&2\nexit 1\n"
PATH_ENV = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# A pinned image is never collected as garbage by the kubelet, which could not get it again.
IMPORT = """set -e
containerd </dev/null >/tmp/containerd.log 2>&1 &
for i in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep 0.1; done
ctr --namespace k8s.io images import --no-unpack --label io.cri-containerd.pinned=pinned -
kill %1
wait
rm -rf /run/containerd /tmp/containerd.log
"""


def node_tools(row: Kubernetes) -> list[GoTool]:
    """All that is built for the node image of one version."""
    return [kubernetes_tool(row), *NODE_TOOLS, PROGRAMS_TOOL]


def binaries(row: Kubernetes) -> dict[str, Path]:
    """Every program by name."""
    return {program: gobuild.folder(tool) / program for tool in node_tools(row) for program in tool.programs}


def kind_files() -> Path:
    """What kind puts into its own base image, in the folder of its Go module."""
    listed = run(["go", "list", "-m", "-f", "{{.Dir}}", KIND_TOOL.base], cwd=gobuild.source(KIND_TOOL))
    if not listed.strip():
        run(["go", "mod", "download", KIND_TOOL.base], cwd=gobuild.source(KIND_TOOL))
        listed = run(["go", "list", "-m", "-f", "{{.Dir}}", KIND_TOOL.base], cwd=gobuild.source(KIND_TOOL))
    return Path(listed.strip()) / "images" / "base" / "files"


def container_spec(ctr: Path) -> bytes:
    """What every container of a node starts from: containerd's default, less the limits, plus kind's hook."""
    spec = json.loads(run([ctr, "oci", "spec"]))
    spec["process"].pop("rlimits", None)
    spec.setdefault("hooks", {}).setdefault("createContainer", []).append({"path": "/kind/bin/mount-product-files.sh"})
    return json.dumps(spec).encode()


def kind_entries(files: Path, row: Kubernetes) -> Iterator[Entry]:
    """The files of kind's base image, with the pause image of this Kubernetes version."""
    for path in sorted(files.rglob("*")):
        name = str(path.relative_to(files))
        if name.startswith("LICENSES") or path.name == "clean-install":
            continue
        if path.is_dir():
            yield Entry(name)
            continue
        content = path.read_bytes()
        if name == "etc/containerd/config.toml":
            content = re.sub(rb'(sandbox_image = ".*/pause:)[^"]*', rb"\g<1>" + row.pause.encode(), content)
        runs = name.startswith(("usr/local/bin/", "kind/bin/"))
        yield Entry(name, content=content, mode=0o755 if runs else 0o644)


def node_entries(row: Kubernetes) -> Iterator[Entry]:
    """What makes a node of the Debian root file system."""
    programs = binaries(row)
    wants = "etc/systemd/system/multi-user.target.wants"
    yield from kind_entries(kind_files(), row)
    for path in (wants, "etc/systemd/journald.conf.d", "etc/kubernetes", "etc/kubernetes/manifests"):
        yield Entry(path)
    for path in ("kind/manifests", "opt/cni", "opt/cni/bin", "etc/cni", "etc/cni/net.d"):
        yield Entry(path)
    for unit in UNITS:
        yield Entry(f"{wants}/{unit}", link=f"/etc/systemd/system/{unit}")
    # It would register its formats with the one kernel that all nodes share.
    yield Entry("etc/systemd/system/systemd-binfmt.service", link="/dev/null")
    yield Entry("etc/systemd/journald.conf.d/kind.conf", content=b"[Journal]\nReadKMsg=no\n", mode=0o644)
    yield Entry("etc/containerd/cri-base.json", content=container_spec(programs["ctr"]), mode=0o644)
    yield Entry("kind/version", content=row.version.encode(), mode=0o644)
    yield Entry("kind/product_name", content=b"kind\n", mode=0o644)
    yield Entry("kind/manifests/default-cni.yaml", content=b"# applied from outside, as the test asks\n", mode=0o644)
    yield Entry("kind/manifests/default-storage.yaml", source=places.MANIFESTS / "storage.yaml", mode=0o644)
    yield Entry("usr/local/bin/crictl", content=CRICTL)
    for name in ("kubelet", "kubeadm", "kubectl"):
        yield Entry(f"usr/bin/{name}", source=programs[name])
    for name in ("containerd", "ctr", "containerd-shim-runc-v2"):
        yield Entry(f"usr/local/bin/{name}", source=programs[name])
    for name in ("host-local", "loopback", "ptp", "bridge", "portmap"):
        yield Entry(f"opt/cni/bin/{name}", source=programs[name])


def base_image(work: Path, root: Path, row: Kubernetes) -> Image:
    """The node without the images of the Kubernetes components."""
    debian = work / "debian.tar"
    with tarfile.open(debian, "w", format=tarfile.GNU_FORMAT) as tar:
        rootfs.copy(tar, root)
    node = write_layer(work / "node.tar", node_entries(row))
    config = {"Env": ["container=docker", PATH_ENV], "StopSignal": "SIGRTMIN+3", "Entrypoint": ENTRYPOINT}
    return Image("hardening.local/node-base:building", [debian, node], config)


def component_images(work: Path, root: Path, row: Kubernetes) -> list[Image]:
    """The images that kubeadm and the pod network ask for, under the names by which they ask."""
    programs = binaries(row)
    network = write_layer(work / "network.tar", rootfs.network_entries(root))

    def single(name: str, paths: dict[str, str], entrypoint: list[str]) -> Image:
        folders = sorted({str(parent) for path in paths for parent in Path(path).parents} - {"."})
        entries = [*(Entry(path) for path in folders), *(Entry(path, source=programs[p]) for path, p in paths.items())]
        layer = write_layer(work / f"{next(iter(paths.values()))}.layer.tar", entries)
        return Image(name, [layer], {"Entrypoint": entrypoint, "Env": [PATH_ENV]})

    def networked(name: str, program: str) -> Image:
        layer = write_layer(work / f"{program}.layer.tar", rootfs.wrapped(program, programs[program]))
        return Image(name, [network, layer], {"Entrypoint": [f"/usr/local/bin/{program}"], "Env": [PATH_ENV]})

    servers = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    etcd = {"usr/local/bin/etcd": "etcd", "usr/local/bin/etcdctl": "etcdctl"}
    return [
        *(single(f"{REGISTRY}/{s}:{row.version}", {f"usr/local/bin/{s}": s}, [f"/usr/local/bin/{s}"]) for s in servers),
        single(f"{REGISTRY}/etcd:{etcd_tag()}", etcd, ["/usr/local/bin/etcd"]),
        single(f"{REGISTRY}/coredns/coredns:{COREDNS}", {"coredns": "coredns"}, ["/coredns"]),
        single(f"{REGISTRY}/pause:{row.pause}", {"pause": "pause"}, ["/pause"]),
        networked(f"{REGISTRY}/kube-proxy:{row.version}", "kube-proxy"),
        networked(KUBE_ROUTER_IMAGE, "kube-router"),
    ]


def etcd_tag() -> str:
    """etcd's version as image tags have it."""
    return f"{ETCD.removeprefix('v')}-0"
