# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding, filling and removing clusters."""

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

from . import image, places
from .engine import Engine
from .errors import SetupError
from .shell import run
from .tables import LABEL, Spec

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"
BALANCER_ROLE = "external-load-balancer"
KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
READY_SECONDS = 300
SYSTEM_PODS = ("coredns-", "kube-")
MIRROR = "kubernetes.io/config.mirror"
READYZ = ("curl", "--silent", "--fail", "--cacert", "/etc/kubernetes/pki/ca.crt", "https://localhost:6443/readyz")


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
    present = [container.name for container in containers(engine, name)]
    if present:
        engine.docker("rm", "--force", "--volumes", *present)
    engine.docker("network", "rm", f"testbed-{name}")
    shutil.rmtree(places.kubeconfig(name).parent, ignore_errors=True)
