# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images: the node (pulled where a registry answers, else assembled), the toolbox and the balancer."""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import gobuild, places, rootfs
from .archive import Entry, Image, write_images, write_layer
from .engine import Engine
from .errors import SetupError
from .shell import Progress, run, say
from .tables import (
    BALANCER_IMAGE,
    BUSYBOX_IMAGE,
    COREDNS,
    ETCD,
    KIND,
    KIND_TOOL,
    KUBE_ROUTER_IMAGE,
    NODE_TOOLS,
    PROGRAMS_TOOL,
    TOOLBOX_IMAGE,
    GoTool,
    Kubernetes,
    kubernetes_tool,
)

REGISTRY = "registry.k8s.io"
PULL_SECONDS = 600
UNKNOWN_IMAGE = ("not found", "manifest unknown")
ENTRYPOINT = ["/usr/local/bin/entrypoint", "/sbin/init"]
UNITS = ("kubelet.service", "containerd.service", "undo-mount-hacks.service")
CRICTL = b"#!/bin/sh\necho 'this node has no crictl: use ctr --namespace k8s.io' >&2\nexit 1\n"
PATH_ENV = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOLBOX_LINKS = ("nc", "wget", "timeout")
PASSWD = b"root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of work that can be skipped when its result is there."""

    title: str
    done: Callable[[], bool]
    work: Callable[[], object]


def published_nodes(row: Kubernetes) -> list[str]:
    """The names under which the kind project may publish this minor version; it does not publish every patch."""
    return [f"kindest/node:v{row.minor}.{patch}" for patch in range(row.patch, -1, -1)]


def node_tools(row: Kubernetes) -> list[GoTool]:
    """All that is built for the node image of one version."""
    return [kubernetes_tool(row), *NODE_TOOLS, PROGRAMS_TOOL]


def built_node(row: Kubernetes) -> str:
    """The name of the assembled node image; its tag changes with anything that goes into it."""
    own = [Path(__file__).with_name(name).read_bytes() for name in ("image.py", "rootfs.py", "archive.py")]
    tools = [item for tool in node_tools(row) for item in gobuild.inputs(tool)]
    key = gobuild.digest([KIND, row.pause, rootfs.folder().name, *own, *tools])
    return f"hardening.local/node:{row.version}-{key}"


def present_node(engine: Engine, row: Kubernetes) -> str | None:
    """A node image that is in the engine's store already."""
    return next((name for name in (built_node(row), *published_nodes(row)) if engine.has_image(name)), None)


def is_published(image: str) -> bool:
    """Whether the image is one of the kind project's own, which bring a pod network and no Python."""
    return image.startswith("kindest/node:")


def ensure_node(engine: Engine, row: Kubernetes) -> str:
    """The node image: the one that is there, the published one, or one assembled here. Returns its name."""
    present = present_node(engine, row)
    if present:
        return present
    if not any(step.done() for step in steps(engine, row)):
        say(f"Looking whether kindest/node can be pulled for Kubernetes {row.minor} ...")
        pulled = pull_first(engine, published_nodes(row))
        if pulled:
            return pulled
        say("It cannot, so the node image is built here, once: 15 minutes on two cores, resumable.")
    assemble(engine, row)
    return built_node(row)


def pull_first(engine: Engine, names: list[str]) -> str | None:
    """Pull the first of these images that the registry knows; an unreachable registry is asked once only."""
    for name in names:
        try:
            engine.docker("pull", name, timeout=PULL_SECONDS)
        except SetupError as error:
            if not any(word in str(error) for word in UNKNOWN_IMAGE):
                return None
        else:
            return name
    return None


def steps(engine: Engine, row: Kubernetes) -> list[Step]:
    """The work from nothing to the node image, each step with the test whether it is needed."""
    builds = [
        Step(
            f"building {tool.name} (about {tool.seconds} s)",
            partial(gobuild.is_built, tool),
            partial(gobuild.build, tool),
        )
        for tool in node_tools(row)
    ]
    return [
        *builds,
        Step("the Debian root file system (about 75 s)", rootfs.is_built, rootfs.build),
        Step("the node image (about 60 s)", lambda: engine.has_image(built_node(row)), lambda: make_node(engine, row)),
    ]


def assemble(engine: Engine, row: Kubernetes) -> None:
    """Do what is left to do for the node image."""
    left = [step for step in steps(engine, row) if not step.done()]
    progress = Progress(len(left))
    for step in left:
        with progress.step(step.title):
            step.work()


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


def make_node(engine: Engine, row: Kubernetes) -> None:
    """Assemble the node image: the base, and the components' images in containerd's store within it."""
    root = rootfs.build()
    with tempfile.TemporaryDirectory(dir=places.cache(), prefix="node-") as name:
        work = Path(name)
        base = base_image(work, root, row)
        engine.docker("load", "--input", write_images(work / "base.tar", [base]))
        components = write_images(work / "components.tar", component_images(work, root, row))
        build = [
            *("run", "--detach", "--network", "none", "--security-opt", "seccomp=unconfined"),
            *("--entrypoint", "sleep", "--volume", f"{components}:/components.tar:ro", base.name, "infinity"),
        ]
        container = engine.docker(*build).strip()
        try:
            engine.docker("exec", container, "bash", "-c", IMPORT)
            change = f"ENTRYPOINT {json.dumps(ENTRYPOINT)}"
            engine.docker("commit", "--change", change, container, built_node(row))
        finally:
            engine.does("rm", "--force", "--volumes", container)
            engine.does("rmi", base.name)
    forget_older(engine, row)


def forget_older(engine: Engine, row: Kubernetes) -> None:
    """Remove the images of earlier inputs, but for one that a cluster still uses: the engine refuses that."""
    repository, _, tag = built_node(row).rpartition(":")
    listed = engine.docker("images", "--format", "{{.Tag}}", "--filter", f"reference={repository}:{row.version}-*")
    for older in set(listed.split()) - {tag}:
        engine.does("rmi", f"{repository}:{older}")


# A pinned image is never collected as garbage by the kubelet, which could not get it again.
IMPORT = """set -e
containerd >/tmp/containerd.log 2>&1 &
for i in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep 0.1; done
ctr --namespace k8s.io images import --no-unpack --label io.cri-containerd.pinned=pinned /components.tar
kill %1
wait
rm -rf /run/containerd /tmp/containerd.log
"""


@dataclass(frozen=True, slots=True)
class Shell:
    """A static busybox and a static shell that looks on the PATH before it takes a command of its own."""

    busybox: Path
    shell: Path


def ensure_shell(engine: Engine, node_image: str) -> Shell:
    """Where the registry answers, busybox is pulled like the node image; elsewhere Debian's packages serve.

    Debian's busybox shell never looks for a program that it has built in, so that a better `nc` on the PATH would not
    be found by it; bash looks, and so does the shell of the published busybox image.
    """
    if not is_published(node_image):
        root = rootfs.build()
        return Shell(root / "usr/bin/busybox", root / "usr/bin/bash-static")
    path = places.cache() / "images" / "busybox"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        container = engine.docker("create", BUSYBOX_IMAGE, timeout=PULL_SECONDS).strip()
        engine.docker("cp", f"{container}:/bin/busybox", path)
        engine.does("rm", container)
    return Shell(path, path)


def ensure_toolbox(shell: Shell) -> Path:
    """The archive with the toolbox image: busybox, a shell, and programs for the network; made where it is not."""
    program = gobuild.build(PROGRAMS_TOOL) / "toolbox"
    links = [Entry(f"bin/{name}", link="toolbox") for name in TOOLBOX_LINKS]
    entries = [*shell_entries(shell), Entry("bin/toolbox", source=program), *links]
    return write_single(TOOLBOX_IMAGE, "toolbox", entries, {"Cmd": ["sh"]})


def ensure_balancer(shell: Shell) -> Path:
    """The archive with the stand-in for the balancer image that kind wants for several control planes.

    kind starts `envoy` from a shell in it, and writes its files with cp and mv.
    """
    program = gobuild.build(PROGRAMS_TOOL) / "balancer"
    return write_single(BALANCER_IMAGE, "balancer", [*shell_entries(shell), Entry("bin/envoy", source=program)], {})


def write_single(name: str, stem: str, entries: list[Entry], config: dict[str, object]) -> Path:
    """An archive with one image of one layer, which appears whole or not at all. Its name tells what is in it."""
    key = gobuild.digest([repr((name, entries, config))])
    path = places.cache() / "images" / f"{stem}-{key}.tar"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        layer = write_layer(Path(folder) / "layer.tar", entries)
        write_images(Path(folder) / "image.tar", [Image(name, [layer], {"Env": [PATH_ENV], **config})]).rename(path)
    return path


def shell_entries(shell: Shell) -> list[Entry]:
    """A small root file system with a shell and the usual commands."""
    names = [
        name for name in run([shell.busybox, "--list"]).split() if name not in {"sh", "bash", "busybox", *TOOLBOX_LINKS}
    ]
    folders = ("bin", "usr", "etc", "tmp", "proc", "dev", "sys", "var", "run", "home")
    return [
        *(Entry(path, mode=0o1777 if path == "tmp" else 0o755) for path in folders),
        Entry("usr/bin", link="../bin"),
        Entry("bin/busybox", source=shell.busybox),
        Entry("bin/sh", source=shell.shell),
        Entry("bin/bash", link="sh"),
        Entry("etc/passwd", content=PASSWD, mode=0o644),
        *(Entry(f"bin/{name}", link="busybox") for name in names),
    ]


def ensure_kind() -> Path:
    """The kind program, built from its module where it is not yet."""
    return gobuild.build(KIND_TOOL) / "kind"
