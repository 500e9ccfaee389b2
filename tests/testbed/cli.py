# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands: up, down, image, load, env, status."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import cluster, engine, gobuild, image, making, places, rootfs
from .errors import SetupError
from .shell import say
from .tables import DEFAULT_KUBERNETES, KIND_TOOL, KUBERNETES, Spec, default_name, kubernetes, kubernetes_tool

NODES = ("1", "3")
CNIS = ("enforcing", "plain")
API_SERVERS = ("stock", "fast")
# kind appends the longest of its own words, and no host name has more than 63 characters.
NAME_LENGTH = 63 - len("-external-load-balancer")
NAME = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{NAME_LENGTH - 2}}}[a-z0-9])?")
NO_KUBECONFIG = (
    "CLUSTER=existing uses the cluster of your kubeconfig, and {path} does not exist; set KUBECONFIG to yours."
)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser(prog="python3 -m tests.testbed", description="A real Kubernetes cluster for tests.")
    commands = out.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    up = command("up", "make a cluster, or find the one that is there; the last line printed is its kubeconfig's path")
    built = command("image", "only make what is slow to make, for later")
    for target in (up, built):
        target.add_argument("--k8s-version", default=DEFAULT_KUBERNETES, metavar="VERSION")
    up.add_argument("--nodes", default="1", metavar="1|3", help="3: three control planes behind a balancer")
    up.add_argument("--cni", default="enforcing", metavar="enforcing|plain", help="plain ignores NetworkPolicy")
    up.add_argument(
        "--api-server",
        default="stock",
        metavar="stock|fast",
        help="fast looks for a new encryption configuration every two seconds, and comes back at once when killed",
    )
    up.add_argument("--name", help="the cluster's name; made from the other settings unless given")
    up.add_argument("--existing", action="store_true", help="use the cluster of your kubeconfig, and make nothing")
    down = command("down", "remove clusters, networks and the own daemon; what was built stays for the next time")
    which = down.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="everything that runs (the default)")
    which.add_argument("--name", help="this cluster alone")
    which.add_argument("--cache", action="store_true", help="everything that runs, and all that was built")
    load = command("load", "bring an image of the Docker engine, or an archive file, into a running cluster")
    load.add_argument("image")
    environment = command("env", "print shell exports: DOCKER_HOST, KUBECONFIG, PATH with kind and kubectl")
    for target in (load, environment):
        target.add_argument("--name", default=default_name(1, "enforcing", kubernetes(DEFAULT_KUBERNETES)))
    command("status", "say which engine and which clusters there are")
    return out


def spec_of(arguments: argparse.Namespace) -> Spec:
    """The cluster that the arguments ask for."""
    if arguments.nodes not in NODES:
        raise SetupError(f"A cluster has 1 node or 3 control planes; NODES={arguments.nodes} is not offered.")
    if arguments.cni not in CNIS:
        raise SetupError(f"The pod network is one of {', '.join(CNIS)}; CNI={arguments.cni} is not offered.")
    if arguments.api_server not in API_SERVERS:
        raise SetupError(f"The API server is one of {', '.join(API_SERVERS)}; {arguments.api_server} is not offered.")
    nodes = int(arguments.nodes)
    row = kubernetes(arguments.k8s_version)
    name = arguments.name or default_name(nodes, arguments.cni, row, arguments.api_server)
    if not NAME.fullmatch(name):
        raise SetupError(
            f"A cluster's name has up to {NAME_LENGTH} lower-case letters, digits and hyphens, and begins and ends "
            f"without a hyphen; NAME={name} is not such a name."
        )
    return Spec(name, nodes, arguments.cni, row, arguments.api_server)


@contextmanager
def locked() -> Iterator[None]:
    """One test bed command at a time, among all checkouts that share the cache.

    The commands that it runs hold the lock too, so that none that outlives it is worked against.
    """
    folder = places.cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command of the test bed is at work; waiting for it to end.")
            fcntl.flock(file, fcntl.LOCK_EX)
        os.set_inheritable(file.fileno(), True)
        image.clear_folders()
        yield


def existing() -> str:
    """The user's own kubeconfig."""
    chosen = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if not any(Path(path).is_file() for path in chosen.split(os.pathsep)):
        raise SetupError(NO_KUBECONFIG.format(path=chosen))
    return chosen


def up(arguments: argparse.Namespace) -> None:
    """Make or find a cluster."""
    if arguments.existing:
        print(existing())
        return
    spec = spec_of(arguments)
    found = holder(spec.name)
    if found and making.is_well(found, spec):
        # Somebody else may be building for many minutes.
        print(cluster.write_kubeconfig(found, spec.name))
        return
    with locked():
        print(making.up(holder(spec.name) or engine.ensure(), spec))


def build(arguments: argparse.Namespace) -> None:
    """Make the images alone."""
    row = kubernetes(arguments.k8s_version)
    with locked():
        found = engine.ensure()
        name = image.ensure_node(found, row)
        image.ensure_kind()
        image.ensure_toolbox(image.ensure_shell(found, name))
        print(name)


def holder(name: str) -> engine.Engine | None:
    """The engine that runs and has this cluster."""
    return next((found for found in engine.running() if name in cluster.made(found)), None)


def engines_to_clear() -> list[engine.Engine]:
    """The engines in which clusters may be: a daemon of ours that died is started again if it had any."""
    found = engine.running()
    left = places.cache() / "docker" / "containers"
    if not any(each.own for each in found) and left.is_dir() and any(left.iterdir()):
        return [*found, engine.start()]
    return found


def down(arguments: argparse.Namespace) -> None:
    """Remove one cluster, or everything."""
    with locked():
        found = engines_to_clear()
        if arguments.name:
            remove(found, arguments.name)
            return
        for each in found:
            for name in cluster.made(each):
                say(f"Removing the cluster {name!r}.")
                cluster.remove(each, name)
            image.clear_unfinished(each)
        if engine.daemon_process():
            say("Stopping the Docker daemon of the test bed.")
            engine.stop()
        if arguments.cache:
            rootfs.discard(places.cache())


def remove(engines: list[engine.Engine], name: str) -> None:
    """Remove this cluster, in whichever engine it is. One that is not there is as it should be, unless mistyped."""
    made = {known: each for each in engines for known in cluster.made(each)}
    if name in made:
        cluster.remove(made[name], name)
    else:
        say(f"There is no cluster {name!r} to remove; there are: {', '.join(made) or 'none'}.")


def load(arguments: argparse.Namespace) -> None:
    """Bring an image into a cluster."""
    cluster.load(needed_engine(arguments.name), arguments.name, arguments.image)


def needed_engine(name: str) -> engine.Engine:
    """The engine with this cluster, or else the one that is used; commands that only look never start one."""
    found = holder(name) or engine.find()
    if not found:
        raise SetupError("No Docker engine is running; `make cluster` starts what is needed.")
    return found


def environment(arguments: argparse.Namespace) -> None:
    """Print shell exports for other tools."""
    found = needed_engine(arguments.name)
    tools = [kubernetes_tool(row) for row in reversed(KUBERNETES)]
    folders = [str(gobuild.folder(tool)) for tool in [KIND_TOOL, *tools] if gobuild.is_built(tool)]
    values = {
        **({"DOCKER_HOST": found.host} if found.host else {}),
        "KUBECONFIG": str(places.kubeconfig(arguments.name)),
        "PATH": os.pathsep.join([*folders, os.environ["PATH"]]),
    }
    for key, value in values.items():
        print(f"export {key}={shlex.quote(value)}")


def status(_arguments: argparse.Namespace) -> None:
    """Say what there is."""
    found = engine.running()
    kind = "none" if not found else "own" if found[0].own else "existing"
    clusters = [item for each in found for item in listed(each)]
    print(json.dumps({"engine": kind, "cache": str(places.cache()), "clusters": clusters}, indent=2))


def listed(found: engine.Engine) -> list[dict[str, object]]:
    """The clusters of the test bed in one engine, each with its facts, running containers and kubeconfig."""
    return [
        {
            "name": name,
            **facts,
            "running": [container.name for container in cluster.containers(found, name) if container.running],
            "kubeconfig": str(places.kubeconfig(name)),
        }
        for name, facts in cluster.made(found).items()
    ]


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "up": up,
    "image": build,
    "down": down,
    "load": load,
    "env": environment,
    "status": status,
}


def main(words: Sequence[str]) -> int:
    """Run one command; an error is one sentence on standard error and status 1."""
    arguments = parser().parse_args(words)
    try:
        COMMANDS[arguments.command](arguments)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on where this one was.", file=sys.stderr)
        return 130
    return 0
