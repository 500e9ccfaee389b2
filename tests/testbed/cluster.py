# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making, finding, filling and removing clusters."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import config, image, places, runtime
from .engine import Engine
from .errors import SetupError
from .shell import Progress, run, say
from .tables import BALANCER_IMAGE, KIND_BALANCER_IMAGE, LABEL, SUBNETS, Spec, addresses

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"
BALANCER_ROLE = "external-load-balancer"
KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
READY_SECONDS = 300
REVIVE_SECONDS = 120
FIND_PYTHON = (
    "command -v python3 >/dev/null || { apt-get update && apt-get install -y --no-install-recommends python3; }"
)
# CoreDNS is ready a second after its first probe, and would be asked again after ten.
PROBE = '[{"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe/periodSeconds", "value": 1}]'
SYSTEM_PODS = ("coredns-", "kube-")
MIRROR = "kubernetes.io/config.mirror"
READYZ = ("curl", "--silent", "--fail", "--cacert", "/etc/kubernetes/pki/ca.crt", "https://localhost:6443/readyz")
COMPLETE = "/kind/testbed-complete"
PLAIN_FILE = "/etc/cni/net.d/10-plain.conflist"


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a cluster."""

    name: str
    running: bool
    balancer: bool


def containers(engine: Engine, name: str) -> list[Container]:
    """All containers of a cluster, running or not, by name."""
    listed = engine.docker(
        *("ps", "--all", "--filter", f"label={CLUSTER_LABEL}={name}"),
        *("--format", f'{{{{.Names}}}}\t{{{{.State}}}}\t{{{{.Label "{ROLE_LABEL}"}}}}'),
    )
    rows = [line.split("\t") for line in listed.splitlines()]
    return sorted(
        (Container(n, state == "running", role == BALANCER_ROLE) for n, state, role in rows), key=lambda c: c.name
    )


def nodes(engine: Engine, name: str) -> list[str]:
    """The running nodes of a cluster, by name; SetupError when there are none."""
    found = [c.name for c in containers(engine, name) if c.running and not c.balancer]
    if not found:
        raise SetupError(f"There is no running cluster {name!r}; `make cluster` makes one.")
    return found


def made(engine: Engine) -> dict[str, dict[str, object]]:
    """The clusters that the test bed has made, by name, each with its facts; their networks carry the labels."""
    listed = engine.docker("network", "ls", "--filter", f"label={LABEL}", "--format", f'{{{{.Label "{LABEL}"}}}}')
    facts = [json.loads(line) for line in listed.splitlines()]
    return {str(fact.pop("name")): fact for fact in facts}


def kubectl(engine: Engine, node: str, *arguments: str, text: str | None = None, timeout: float = READY_SECONDS) -> str:
    """Run kubectl on a node, as the administrator."""
    interactive = ["--interactive"] if text is not None else []
    return engine.docker("exec", *interactive, node, *KUBECTL, *arguments, text=text, timeout=timeout)


def is_ready(item: dict[str, Any]) -> bool:
    """Whether a node or pod of the API reports itself ready."""
    conditions = item["status"].get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def is_healthy(engine: Engine, spec: Spec) -> bool:
    """Whether the API server of each node says that it is ready, and so do all nodes and the system's own pods."""
    try:
        each_node(spec.containers, lambda node: engine.docker("exec", node, *READYZ, timeout=10))
        question = ("get", "nodes,pods", "--namespace", "kube-system", "--output", "json")
        listed = kubectl(engine, spec.containers[0], *question, timeout=10)
    except SetupError:
        return False
    return health(json.loads(listed)["items"], spec.nodes)


def health(items: list[dict[str, Any]], count: int) -> bool:
    """Whether all nodes and the system's own pods are ready.

    Pods on their way out do not count. Nor do static ones: their state is told up to twenty seconds late, by a startup
    probe; the servers are asked themselves, and pods that run show that scheduler and controllers work.
    """
    found = [item for item in items if item["kind"] == "Node"]
    system = [item for item in items if item["kind"] == "Pod" and counts(item["metadata"])]
    return len(found) == count and bool(system) and all(is_ready(item) for item in [*found, *system])


def counts(metadata: dict[str, Any]) -> bool:
    """Whether a pod is one of the system's own that the API has placed."""
    static = MIRROR in metadata.get("annotations", {})
    return metadata["name"].startswith(SYSTEM_PODS) and not static and "deletionTimestamp" not in metadata


def wait(question: Callable[[], bool], seconds: float) -> bool:
    """Ask until the answer is yes or the time is up."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if question():
            return True
        time.sleep(0.3)
    return False


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


def was_completed(engine: Engine, spec: Spec) -> bool:
    """Whether the cluster was ready once, after starting what has stopped; an interrupted `up` leaves another kind."""
    stopped = [container.name for container in containers(engine, spec.name) if not container.running]
    if stopped:
        say(f"Starting the stopped containers of {spec.name!r}.")
        engine.does("start", *stopped, timeout=60)
    return engine.does("exec", spec.containers[0], "test", "-e", COMPLETE)


def describe(facts: dict[str, object] | dict[str, str | int]) -> str:
    """The facts of a cluster in words."""
    return ", ".join(f"{key} {value}" for key, value in sorted(facts.items()))


def up(engine: Engine, spec: Spec) -> Path:
    """A cluster as asked for: the one that is there, or a new one. Returns its kubeconfig's path."""
    if not reuse(engine, spec):
        create(engine, spec)
    return write_kubeconfig(engine, spec.name)


def create(engine: Engine, spec: Spec) -> None:
    """Make a cluster: nodes with pinned addresses, the pod network, the toolbox image."""
    progress = Progress(4)
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
        with progress.step("waiting until nodes and system pods are ready"):
            await_health(engine, spec)
            engine.docker("exec", spec.containers[0], "touch", COMPLETE)
    except SetupError:
        if not containers(engine, spec.name):
            remove(engine, spec.name)
        raise


def create_network(engine: Engine, spec: Spec) -> str:
    """The cluster's own Docker network, in the first subnet that is free. Returns the subnet."""
    label = json.dumps({"name": spec.name, **spec.facts})
    for subnet in SUBNETS:
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


def create_nodes(engine: Engine, spec: Spec, kind: Path, node_image: str, table: dict[str, str]) -> None:
    """Let kind make the nodes, through a `docker` that pins their addresses."""
    wanted = config.kind_config(
        spec,
        published=image.is_published(node_image),
        cgroup_v1=engine.docker("info", "--format", "{{.CgroupVersion}}").strip() == "1",
        lacks_capability=runtime.lacks_capability(Path("/proc/self/status").read_text()),
    )
    own_balancer = bool(spec.balancer) and not image.is_published(node_image)
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
            *("--config", document, "--kubeconfig", folder / "kubeconfig", "--quiet"),
        ]
        if own_balancer:
            engine.docker("tag", BALANCER_IMAGE, KIND_BALANCER_IMAGE)
        try:
            run(command, env=env)
        finally:
            if own_balancer:
                # The name is not ours, so it stays no longer than kind looks for it.
                engine.does("rmi", KIND_BALANCER_IMAGE)


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


def each_node(names: Iterable[str], work: Callable[[str], object]) -> None:
    """Do the same on all nodes at once."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(work, names))


def import_archive(engine: Engine, node: str, archive: Path) -> None:
    """Bring the images of an archive into a node's container store."""
    command = [
        "docker",
        "exec",
        "--interactive",
        node,
        "ctr",
        "--namespace",
        "k8s.io",
        "images",
        "import",
        "--all-platforms",
        "-",
    ]
    with archive.open("rb") as data:
        run(command, env=engine.env, stdin=data)


def load(engine: Engine, name: str, wanted: str) -> None:
    """Bring an image of the engine, or an archive file, into all nodes of a running cluster."""
    targets = nodes(engine, name)
    if Path(wanted).is_file():
        each_node(targets, lambda node: import_archive(engine, node, Path(wanted)))
        return
    if not engine.has_image(wanted):
        raise SetupError(f"There is no image {wanted!r} in the Docker engine, and no archive file of that name.")
    with tempfile.TemporaryDirectory(prefix="testbed-") as folder:
        archive = Path(folder) / "image.tar"
        engine.docker("save", "--output", archive, wanted)
        each_node(targets, lambda node: import_archive(engine, node, archive))


def write_kubeconfig(engine: Engine, name: str) -> Path:
    """Write the kubeconfig of a running cluster into this checkout."""
    text = run([image.ensure_kind(), "get", "kubeconfig", "--name", name], env=engine.env)
    path = places.kubeconfig(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    return path


def remove(engine: Engine, name: str) -> None:
    """Remove a cluster of the test bed: containers with their volumes, network, kubeconfig."""
    if name not in made(engine):
        raise SetupError(
            f"There is no cluster {name!r} of the test bed; there are: {', '.join(made(engine)) or 'none'}."
        )
    present = [container.name for container in containers(engine, name)]
    if present:
        engine.docker("rm", "--force", "--volumes", *present)
    engine.docker("network", "rm", f"testbed-{name}")
    shutil.rmtree(places.kubeconfig(name).parent, ignore_errors=True)
