# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a cluster, or finding the one that is there and well."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from . import config, image, limits, places, runtime
from .archive import file_digest
from .cluster import (
    READY_SECONDS,
    containers,
    each_node,
    import_archive,
    is_healthy,
    kubectl,
    made,
    nodes,
    remove,
    wait,
    write_kubeconfig,
)
from .engine import Engine
from .errors import SetupError
from .shell import Progress, run, say
from .tables import BALANCER_IMAGE, KIND_BALANCER_IMAGE, LABEL, SUBNETS, Spec, addresses

REVIVE_SECONDS = 120
FIND_PYTHON = (
    "command -v python3 >/dev/null || { apt-get update && apt-get install -y --no-install-recommends python3; }"
)
# CoreDNS is ready a second after its first probe, and would be asked again after ten.
PROBE = '[{"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe/periodSeconds", "value": 1}]'
CAPABILITY_REFUSED = "unable to apply caps"
NO_CAPABILITY = (
    "The Docker engine that answers cannot start a node, for this machine lacks CAP_SYS_RESOURCE: stop that engine, "
    "and the test bed starts one of its own that does without, or give it tests/testbed/runtime.py as its runtime."
)
ROUTES = Path("/proc/net/route")
COMPLETE = "/kind/testbed-complete"
FIND_IMAGE = "sed -n 's/^ *image: //p' /etc/kubernetes/manifests/kube-apiserver.yaml"
SHORTEN_REQUESTS = (
    "cd /etc/kubernetes && "
    "sed 's/^    - kube-apiserver$/&\\n    - --request-timeout=10s/' manifests/kube-apiserver.yaml > .fast && "
    "mv .fast manifests/kube-apiserver.yaml"
)
DIGEST = 'sha256sum "/proc/$(pidof kube-apiserver)/exe"'
PLAIN_FILE = "/etc/cni/net.d/10-plain.conflist"


def up(engine: Engine, spec: Spec) -> Path:
    """A cluster as asked for: the one that is there, or a new one. Returns its kubeconfig's path."""
    if not reuse(engine, spec):
        create(engine, spec)
    return write_kubeconfig(engine, spec.name)


def reuse(engine: Engine, spec: Spec) -> bool:
    """Whether the cluster is there and well, after starting what had stopped. What cannot be revived is removed."""
    present = containers(engine, spec.name)
    known = made(engine)
    if present and spec.name not in known:
        raise SetupError(f"A kind cluster {spec.name!r} that the test bed did not make is there; choose another NAME.")
    if not present:
        if spec.name in known:
            remove(engine, spec.name)
        return False
    if known[spec.name] != spec.facts:
        raise SetupError(
            f"The cluster {spec.name!r} is there with other settings ({describe(known[spec.name])}, not "
            f"{describe(spec.facts)}); choose another name, or `make cluster-down` first."
        )
    expected = {*spec.containers, *([spec.balancer] if spec.balancer else [])}
    if {container.name for container in present} == expected and was_completed(engine, spec):
        if is_healthy(engine, spec):
            return True
        if wait(lambda: answers(engine, spec), REVIVE_SECONDS):
            await_health(engine, spec)
            return True
    say(f"The cluster {spec.name!r} is there but does not answer, so it is made anew.")
    remove(engine, spec.name)
    return False


def is_well(engine: Engine, spec: Spec) -> bool:
    """Whether the cluster is there as asked for, runs and was completed, so that there is nothing to do."""
    expected = {*spec.containers, *([spec.balancer] if spec.balancer else [])}
    running = {container.name for container in containers(engine, spec.name) if container.running}
    return (
        made(engine).get(spec.name) == spec.facts
        and running == expected
        and engine.does("exec", spec.containers[0], "test", "-e", COMPLETE)
        and is_healthy(engine, spec)
    )


def was_completed(engine: Engine, spec: Spec) -> bool:
    """Whether the cluster was ready once, after starting what has stopped; an interrupted `up` leaves another kind."""
    stopped = [container.name for container in containers(engine, spec.name) if not container.running]
    if stopped:
        say(f"Starting the stopped containers of {spec.name!r}.")
        engine.does("start", *stopped, timeout=60)
    return engine.does("exec", spec.containers[0], "test", "-e", COMPLETE)


def answers(engine: Engine, spec: Spec) -> bool:
    """Whether the API server says that it is ready."""
    try:
        return kubectl(engine, nodes(engine, spec.name)[0], "get", "--raw", "/readyz", timeout=10) == "ok"
    except SetupError:
        return False


def await_health(engine: Engine, spec: Spec) -> None:
    """Wait until the cluster is well; SetupError when it takes too long."""
    if not wait(lambda: is_healthy(engine, spec), READY_SECONDS):
        raise SetupError(
            f"The cluster {spec.name!r} was not ready within {READY_SECONDS} s; it is left for you to look at "
            f"(`docker exec {spec.containers[0]} kubectl get nodes,pods -A`), and `make cluster-down` removes it."
        )


def describe(facts: dict[str, object] | dict[str, str | int]) -> str:
    """The facts of a cluster in words."""
    return ", ".join(f"{key} {value}" for key, value in sorted(facts.items()))


def create(engine: Engine, spec: Spec) -> None:
    """Make a cluster: nodes with pinned addresses, the pod network, the toolbox image."""
    limits.ensure_instances(engine, spec.nodes)
    progress = Progress(4 if spec.api_server == "stock" else 5)
    with progress.step("images"):
        node_image = image.ensure_node(engine, spec.kubernetes)
        kind = image.ensure_kind()
        shell = image.ensure_shell(engine, node_image)
        toolbox = image.ensure_toolbox(shell)
        if spec.balancer and not image.is_published(node_image):
            engine.docker("load", "--input", image.ensure_balancer(shell))
    subnet = create_network(engine, spec)
    try:
        with progress.step(f"{spec.nodes} node{'s' if spec.nodes > 1 else ''} of Kubernetes {spec.kubernetes.minor}"):
            create_nodes(engine, spec, kind, node_image, addresses(spec, subnet))
        with progress.step(f"pod network ({spec.cni}), toolbox image, Python"):
            start_network(engine, spec, published=image.is_published(node_image))
            each_node(spec.containers, lambda node: import_archive(engine, node, toolbox))
            each_node(spec.containers, lambda node: engine.docker("exec", node, "sh", "-c", FIND_PYTHON))
        if spec.api_server == "fast":
            with progress.step("API servers that look for a new encryption configuration every two seconds"):
                replace_api_servers(engine, spec)
        with progress.step("waiting until nodes and system pods are ready"):
            await_health(engine, spec)
            engine.docker("exec", spec.containers[0], "touch", COMPLETE)
    except SetupError:
        if not containers(engine, spec.name):
            remove(engine, spec.name)
        raise


def replace_api_servers(engine: Engine, spec: Spec) -> None:
    """Have the kubelets run the fast API server under the name of the stock one, also after their node's restart.

    No request may last longer than ten seconds: whoever waits for the last one, as rotations do, is sooner done.
    """
    name = engine.docker("exec", spec.containers[0], "sh", "-c", FIND_IMAGE).strip()
    program, archive = image.ensure_api_server(spec.kubernetes, name)
    digest = file_digest(program)
    each_node(spec.containers, lambda node: import_archive(engine, node, archive))
    each_node(spec.containers, lambda node: engine.docker("exec", node, "sh", "-c", SHORTEN_REQUESTS))

    def replaced(node: str) -> bool:
        try:
            return digest in engine.docker("exec", node, "sh", "-c", DIGEST)
        except SetupError:
            return False

    if not wait(lambda: all(replaced(node) for node in spec.containers), READY_SECONDS):
        raise SetupError(f"The API servers of {spec.name!r} were not replaced within {READY_SECONDS} s.")


def create_network(engine: Engine, spec: Spec) -> str:
    """The cluster's own Docker network, in the first subnet that is free. Returns the subnet."""
    label = json.dumps({"name": spec.name, **spec.facts})
    # Docker tells of the networks of this engine alone; those of another one on this host are seen by their routes.
    table = ROUTES.read_text() if ROUTES.exists() else ""
    for subnet in free_subnets(table):
        try:
            engine.docker("network", "create", "--label", f"{LABEL}={label}", "--subnet", subnet, spec.network)
        except SetupError as error:
            if "overlap" not in str(error):
                raise
        else:
            return subnet
    raise SetupError(
        f"No subnet of {SUBNETS[0]} to {SUBNETS[-1]} is free; `docker network ls` shows the networks that have them."
    )


def free_subnets(table: str) -> list[str]:
    """The subnets that hold no route of this host, by the text of /proc/net/route."""
    routes = [line.split() for line in table.splitlines()[1:]]
    taken = [IPv4Network((address_of(fields[1]), address_of(fields[7]))) for fields in routes]
    return [subnet for subnet in SUBNETS if not any(route.subnet_of(IPv4Network(subnet)) for route in taken)]


def address_of(number: str) -> str:
    """An address as people write it, from the kernel's hexadecimal one with its lowest byte first."""
    return str(IPv4Address(int.from_bytes(bytes.fromhex(number), sys.byteorder)))


def create_nodes(engine: Engine, spec: Spec, kind: Path, node_image: str, table: dict[str, str]) -> None:
    """Let kind make the nodes, through a `docker` that pins their addresses."""
    wanted = config.kind_config(
        spec,
        published=image.is_published(node_image),
        cgroup_v1=engine.docker("info", "--format", "{{.CgroupVersion}}").strip() == "1",
        lacks_capability=runtime.lacks_capability(Path("/proc/self/status").read_text()),
    )
    lends_name = bool(spec.balancer) and not image.is_published(node_image) and image.may_lend_name(engine)
    with tempfile.TemporaryDirectory(prefix="testbed-") as name:
        folder = Path(name)
        front = folder / "docker"
        front.write_text(config.docker_front(shutil.which("docker") or "docker", table))
        front.chmod(0o755)
        document = folder / "kind.json"
        document.write_text(wanted)
        env = {**engine.env, "PATH": f"{folder}:{engine.env['PATH']}", "KIND_EXPERIMENTAL_DOCKER_NETWORK": spec.network}
        command: list[str | Path] = [
            *(kind, "create", "cluster", "--name", spec.name, "--image", node_image),
            *("--config", document, "--kubeconfig", folder / "kubeconfig"),
        ]
        if lends_name:
            engine.docker("tag", BALANCER_IMAGE, KIND_BALANCER_IMAGE)
        try:
            log = places.cache() / "log" / f"kind-{spec.name}.log"
            log.unlink(missing_ok=True)
            run(command, env=env, log=log)
        except SetupError as error:
            if CAPABILITY_REFUSED in str(error):
                raise SetupError(NO_CAPABILITY) from None
            raise
        finally:
            if lends_name:
                image.take_name_back(engine)


def start_network(engine: Engine, spec: Spec, *, published: bool) -> None:
    """Start the pod network, and let pods run on every node."""
    first = spec.containers[0]
    kubectl(
        engine, first, "--namespace", "kube-system", "patch", "deployment", "coredns", "--type=json", "--patch", PROBE
    )
    if spec.nodes > 1:
        kubectl(engine, first, "taint", "nodes", "--all", "node-role.kubernetes.io/control-plane-")
    if spec.cni == "plain":
        start_plain(engine, spec)
    elif not published:
        kubectl(engine, first, "apply", "--server-side", "--filename", "-", text=config.enforcing_network())


def start_plain(engine: Engine, spec: Spec) -> None:
    """Give each node its CNI configuration, and the routes to the pods of the others."""
    first = spec.containers[0]

    def listed() -> dict[str, tuple[str, str]]:
        items = json.loads(kubectl(engine, first, "get", "nodes", "--output", "json"))["items"]
        return {
            item["metadata"]["name"]: (
                item["spec"].get("podCIDR", ""),
                next(a["address"] for a in item["status"]["addresses"] if a["type"] == "InternalIP"),
            )
            for item in items
        }

    if not wait(lambda: all(given[0] for given in listed().values()), READY_SECONDS):
        raise SetupError(f"The nodes of {spec.name!r} were not given pod addresses within {READY_SECONDS} s.")
    table = listed()
    for node, (own, _address) in table.items():
        engine.docker("exec", "--interactive", node, "cp", "/dev/stdin", PLAIN_FILE, text=config.plain_network(own))
        for cidr, address in table.values():
            if cidr != own:
                engine.docker("exec", node, "ip", "route", "replace", cidr, "via", address)
