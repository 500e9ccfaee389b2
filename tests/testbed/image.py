# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images: the node (pulled where a registry answers, else assembled), the toolbox and the balancer."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import gobuild, node, places, rootfs
from .archive import Entry, Image, write_images, write_layer
from .engine import Engine
from .errors import SetupError
from .shell import Progress, run, say
from .tables import (
    BALANCER_IMAGE,
    BUSYBOX_IMAGE,
    KIND,
    KIND_BALANCER_IMAGE,
    KIND_TOOL,
    PROGRAMS_TOOL,
    TOOLBOX_IMAGE,
    Kubernetes,
    fast_api_server,
    kubernetes_tool,
)

PULL_SECONDS = 600
WORK_PREFIX = "work-"
# Found again by its name: a label would go into the image, and so onto every node made from it.
BUILD_CONTAINER = "hardening-testbed-build"
UNFINISHED_IMAGES = "hardening.local/*:building"
UNKNOWN_IMAGE = ("not found", "manifest unknown")
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


def built_node(row: Kubernetes) -> str:
    """The name of the assembled node image; its tag changes with anything that goes into it."""
    own = [Path(__file__).with_name(name).read_bytes() for name in ("node.py", "rootfs.py", "archive.py")]
    tools = [item for tool in node.node_tools(row) for item in gobuild.inputs(tool)]
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
    if not gobuild.is_built(kubernetes_tool(row)):
        say(f"Looking whether kindest/node can be pulled for Kubernetes {row.minor} ...")
        try:
            return pull_first(engine, published_nodes(row))
        except SetupError as error:
            reason = str(error).splitlines()[-1]
            say(f"It cannot, so the node image is built here, once: 15 minutes on two cores, resumable. ({reason})")
    assemble(engine, row)
    return built_node(row)


def pull_first(engine: Engine, names: list[str]) -> str:
    """Pull the first of these images that can be had, in ten minutes. SetupError tells why none.

    Whatever the failure, the next name is asked for: where a mirror lacks one image, Docker tells of the registry
    behind it, which may be out of reach.
    """
    limit = time.monotonic() + PULL_SECONDS
    reasons = []
    for name in names:
        try:
            engine.docker("pull", name, timeout=max(limit - time.monotonic(), 1))
        except SetupError as error:
            reasons.append(error)
        else:
            return name
        if time.monotonic() >= limit:
            break
    telling = [error for error in reasons if not any(word in str(error) for word in UNKNOWN_IMAGE)]
    raise telling[-1] if telling else SetupError(f"The registry knows none of {', '.join(names)}.")


def steps(engine: Engine, row: Kubernetes) -> list[Step]:
    """The work from nothing to the node image, each step with the test whether it is needed."""
    builds = [
        Step(
            f"building {tool.name} (about {tool.seconds} s)",
            partial(gobuild.is_built, tool),
            partial(gobuild.build, tool),
        )
        for tool in node.node_tools(row)
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


def make_node(engine: Engine, row: Kubernetes) -> None:
    """Assemble the node image: the base, and the components' images in containerd's store within it."""
    root = rootfs.build()
    clear_unfinished(engine)
    with tempfile.TemporaryDirectory(dir=places.cache(), prefix=WORK_PREFIX) as name:
        work = Path(name)
        base = node.base_image(work, root, row)
        engine.docker("load", "--input", write_images(work / "base.tar", [base]))
        components = write_images(work / "components.tar", node.component_images(work, root, row))
        engine.docker(
            *("run", "--detach", "--name", BUILD_CONTAINER, "--network", "none"),
            *("--security-opt", "seccomp=unconfined", "--entrypoint", "sleep", base.name, "infinity"),
        )
        try:
            with components.open("rb") as data:
                run(
                    ["docker", "exec", "--interactive", BUILD_CONTAINER, "bash", "-c", node.IMPORT],
                    env=engine.env,
                    stdin=data,
                )
            change = f"ENTRYPOINT {json.dumps(node.ENTRYPOINT)}"
            engine.docker("commit", "--change", change, BUILD_CONTAINER, built_node(row))
        finally:
            clear_unfinished(engine)
    forget_older(engine, row)


def clear_unfinished(engine: Engine) -> None:
    """Remove what is needed only while images are made; after a kill in the middle, it is still there."""
    if engine.docker("ps", "--all", "--quiet", "--filter", f"name=^{BUILD_CONTAINER}$"):
        engine.docker("rm", "--force", "--volumes", BUILD_CONTAINER)
    # By their names: an image that others were made from loses its name alone, and by its id it would be refused.
    named = "{{.Repository}}:{{.Tag}}"
    images = engine.docker("images", "--format", named, "--filter", f"reference={UNFINISHED_IMAGES}").split()
    if images:
        engine.docker("rmi", *images)
    take_name_back(engine)


def clear_folders() -> None:
    """Remove the folders in which a command that was killed made images; no other is at work meanwhile."""
    for parent in (places.cache(), images_folder()):
        for folder in parent.glob(f"{WORK_PREFIX}*"):
            shutil.rmtree(folder)


def images_folder() -> Path:
    """Where the archives of small images are."""
    return places.cache() / "images"


def forget_older(engine: Engine, row: Kubernetes) -> None:
    """Remove the images of earlier inputs, but for one that a cluster still uses: the engine refuses that."""
    repository, _colon, tag = built_node(row).rpartition(":")
    listed = engine.docker("images", "--format", "{{.Tag}}", "--filter", f"reference={repository}:{row.version}-*")
    for older in set(listed.split()) - {tag}:
        engine.does("rmi", f"{repository}:{older}")


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
    path = images_folder() / "busybox"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_unfinished(engine)
        partial = path.with_name("busybox.partial")
        engine.docker("create", "--name", BUILD_CONTAINER, BUSYBOX_IMAGE, timeout=PULL_SECONDS)
        try:
            engine.docker("cp", f"{BUILD_CONTAINER}:/bin/busybox", partial)
        finally:
            clear_unfinished(engine)
        partial.rename(path)
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


def ensure_api_server(row: Kubernetes, name: str) -> tuple[Path, Path]:
    """The program of the fast API server, and the archive with its image under the name of the stock one."""
    program = gobuild.build(fast_api_server(row)) / "kube-apiserver"
    path = "usr/local/bin/kube-apiserver"
    entries = [*(Entry(str(parent)) for parent in reversed(Path(path).parents[:-1])), Entry(path, source=program)]
    return program, write_single(name, "api-server", entries, {"Entrypoint": [f"/{path}"]})


def may_lend_name(engine: Engine) -> bool:
    """Whether our balancer may have the name of kind's for a while: not where somebody has the real one."""
    return image_id(engine, KIND_BALANCER_IMAGE) in (None, image_id(engine, BALANCER_IMAGE))


def take_name_back(engine: Engine) -> None:
    """Take from our balancer the name of kind's: it is not ours, so it stays no longer than kind looks for it."""
    lent = image_id(engine, KIND_BALANCER_IMAGE)
    if lent and lent == image_id(engine, BALANCER_IMAGE):
        engine.docker("rmi", KIND_BALANCER_IMAGE)


def image_id(engine: Engine, name: str) -> str | None:
    """The id of an image in the engine's store."""
    try:
        return engine.docker("image", "inspect", "--format", "{{.Id}}", name).strip()
    except SetupError:
        return None


def write_single(name: str, stem: str, entries: list[Entry], config: dict[str, object]) -> Path:
    """An archive with one image of one layer, which appears whole or not at all. Its name tells what is in it."""
    key = gobuild.digest([repr((name, entries, config))])
    path = images_folder() / f"{stem}-{key}.tar"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=WORK_PREFIX) as folder:
        layer = write_layer(Path(folder) / "layer.tar", entries)
        write_images(Path(folder) / "image.tar", [Image(name, [layer], {"Env": [node.PATH_ENV], **config})]).rename(
            path
        )
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
