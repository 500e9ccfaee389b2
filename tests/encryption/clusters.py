# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters whose encryption tests change: made once, entered by docker exec, put back to plain text for every test.

From a shell, for work by hand: ``python -m tests.encryption.clusters 3`` makes the one with three control planes or
puts it back, and prints where its inventory and its kubeconfig are.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.encryption import etcd
from tests.testbed import cli
from tests.testbed.engine import Engine
from tests.testbed.errors import SetupError

CHECKOUT = Path(__file__).resolve().parents[2]
TESTBED = [sys.executable, "-m", "tests.testbed"]
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
STATE = "/etc/kubernetes/hardening"
"""Where the collection keeps its journal, its keys and its lock on a node."""
SAVED = "/kind/before-encryption"
FLAG = "--encryption-provider-config="
LEASE = "hardening-encryption"
READY_SECONDS = 240

SAVE = f"mkdir -p {SAVED} && {{ test -e {SAVED}/kube-apiserver.yaml || cp {MANIFEST} {SAVED}/kube-apiserver.yaml; }}"
PUT_BACK = f"""
for folder in $(sed -n 's/^.*{FLAG}//p' {MANIFEST} | xargs -r -n1 dirname); do
  case $folder in /etc/kubernetes|/etc/kubernetes/pki) ;; *) rm -rf "$folder" ;; esac
done
rm -rf {STATE}
cmp -s {MANIFEST} {SAVED}/kube-apiserver.yaml && exit
cp {SAVED}/kube-apiserver.yaml /etc/kubernetes/.kube-apiserver.yaml
mv /etc/kubernetes/.kube-apiserver.yaml {MANIFEST}
"""
RUNS_AS_SAVED = f"""
grep -q -e {FLAG} {MANIFEST} && exit 1
processes=$(pidof kube-apiserver) || exit 1
for process in $processes; do
  tr '\\0' ' ' </proc/$process/cmdline | grep -q -e {FLAG} && exit 1
done
exit 0
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of the test bed, its nodes and where each node's API server answers."""

    name: str
    engine: Engine
    addresses: dict[str, str]
    kubeconfig: Path
    folder: Path
    authority: str = field(repr=False)
    certificate: str = field(repr=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes' containers, which are their host names too."""
        return tuple(self.addresses)

    @property
    def inventory(self) -> Path:
        """An inventory with the nodes as ``control_plane``."""
        return self.folder / "inventory.json"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which ansible-playbook reaches the cluster and its nodes."""
        return {**self.engine.env, "K8S_AUTH_KUBECONFIG": str(self.kubeconfig)}

    def on(self, node: str, *command: str, text: str | None = None, timeout: float = 120) -> str:
        """What a command prints on a node; SetupError where it fails."""
        interactive = ["--interactive"] if text is not None else []
        return self.engine.docker("exec", *interactive, node, *command, text=text, timeout=timeout)

    def holds(self, node: str, script: str) -> bool:
        """Whether a shell script ends well on a node."""
        return self.engine.does("exec", node, "sh", "-c", script, timeout=30)

    def each(self, work: Callable[[str], Any], nodes: Iterable[str] | None = None) -> list[Any]:
        """The same on every node at once."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(work, self.nodes if nodes is None else nodes))

    def kubectl(self, *arguments: str, text: str | None = None, node: str = "") -> str:
        """What kubectl prints on a node, by way of that node's own API server."""
        own = f"https://{self.addresses[node or self.nodes[0]]}:6443"
        config = "/etc/kubernetes/admin.conf"
        words = ["kubectl", "--kubeconfig", config, "--server", own, *arguments]
        return self.on(node or self.nodes[0], *words, text=text)

    def context(self) -> ssl.SSLContext:
        """How a client of our own reaches an API server as one whom no access rules can lock out."""
        return _context(self.authority, self.folder / "client.pem")

    def write(self, node: str, path: str, content: str, mode: str = "0600") -> None:
        """A file on a node, which appears whole."""
        hidden = f"{Path(path).parent.parent}/.{Path(path).name}.new"
        script = (
            f"mkdir -p -m 0700 {Path(path).parent} && cat > {hidden} && chmod {mode} {hidden} && mv {hidden} {path}"
        )
        self.on(node, "sh", "-c", script, text=content)

    def is_ready(self, node: str) -> bool:
        """Whether the node's API server says that it is."""
        address = f"https://{self.addresses[node]}:6443/readyz"
        return self.holds(node, f"curl --silent --fail --max-time 5 --cacert /etc/kubernetes/pki/ca.crt {address}")

    def await_ready(self, nodes: Iterable[str] | None = None, seconds: float = READY_SECONDS) -> None:
        """Wait until the API servers of these nodes are ready, of all unless told."""
        left = [*(self.nodes if nodes is None else nodes)]
        deadline = time.monotonic() + seconds
        while left := [node for node in left if not self.is_ready(node)]:
            assert time.monotonic() < deadline, f"the API servers of {left} were not ready within {seconds:g} s"
            time.sleep(0.5)

    def is_running(self, node: str) -> bool:
        """Whether the node's container runs."""
        return self.engine.docker("inspect", "--format", "{{.State.Running}}", node).strip() == "true"

    def start(self) -> None:
        """Start what does not run, and wait until all API servers are ready and etcd is whole."""
        self.each(lambda node: None if self.is_running(node) else self.engine.docker("start", node))
        self.await_ready()
        deadline = time.monotonic() + READY_SECONDS
        while not etcd.is_whole(self):
            assert time.monotonic() < deadline, "etcd did not become whole again"
            time.sleep(0.5)

    def save(self) -> None:
        """Keep on each node what the tests will put back."""
        self.each(lambda node: self.on(node, "sh", "-c", SAVE))
        known = self.folder / "kubeadm-config.json"
        if not known.exists():
            told = json.loads(self.kubectl("get", "configmap", "kubeadm-config", "-n", "kube-system", "-o", "json"))
            known.write_text(json.dumps({**told, "metadata": {"name": "kubeadm-config", "namespace": "kube-system"}}))

    def reset(self) -> None:
        """No encryption, no secrets and no trace of a run, as if the cluster were new."""
        self.each(lambda node: None if self.is_running(node) else self.engine.docker("start", node))
        etcd.await_answers(self)
        self.each(lambda node: self.on(node, "sh", "-c", PUT_BACK))
        etcd.delete(self, "/registry/secrets/")
        deadline = time.monotonic() + READY_SECONDS
        waits = [*self.nodes]
        while waits := [node for node in waits if not self.holds(node, RUNS_AS_SAVED)]:
            assert time.monotonic() < deadline, f"the API servers of {waits} did not restart without encryption"
            time.sleep(0.5)
        etcd.delete(self, "/registry/secrets/")
        self.start()
        strange = [key for key, prefix in etcd.prefixes(self, "/registry/").items() if prefix]
        assert not strange, f"{self.name} holds encrypted values that no test removes, make it anew: {strange[:3]}"
        self.kubectl("replace", "--filename", "-", text=(self.folder / "kubeadm-config.json").read_text())
        self.kubectl("delete", "lease", LEASE, "--namespace", "kube-system", "--ignore-not-found")

    def configuration(self, node: str) -> dict[str, Any] | None:
        """The encryption configuration that the node's manifest names, as JSON or YAML has it; none where none is."""
        path = self.configuration_path(node)
        return dict(yaml.safe_load(self.on(node, "cat", path))) if path else None

    def configuration_path(self, node: str) -> str:
        """Where the encryption configuration lies that the node's manifest names; empty where none is."""
        flags = [line for line in self.on(node, "cat", MANIFEST).splitlines() if FLAG in line]
        return flags[0].partition("=")[2].strip().strip("\"'") if flags else ""

    def keys(self) -> dict[str, set[str]]:
        """By node, the key material in base64 that lies on it, in whatever file of the control plane."""
        return {node: _keys(self.configuration(node)) for node in self.nodes}


def get(nodes: int, api_server: str = "fast", name: str = "") -> Cluster:
    """The cluster of this kind, made where it is not there."""
    name = name or f"encryption-{nodes}" + ("" if api_server == "fast" else f"-{api_server}")
    command = [*TESTBED, "up", "--nodes", str(nodes), "--api-server", api_server, "--name", name]
    made = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    assert made.returncode == 0, f"the cluster {name} could not be made"
    kubeconfig = Path(made.stdout.splitlines()[-1])
    engine = cli.holder(name)
    assert engine
    containers = [f"{name}-control-plane{number if number > 1 else ''}" for number in range(1, nodes + 1)]
    inspect = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    addresses = {each: engine.docker("inspect", "--format", inspect, each).strip() for each in containers}
    authority, certificate = _credentials(engine, containers[0])
    cluster = Cluster(name, engine, addresses, kubeconfig, kubeconfig.parent, authority, certificate)
    _write_private(cluster.folder / "client.pem", certificate)
    cluster.inventory.write_text(json.dumps(inventory(containers, engine.host or ""), indent=2))
    cluster.save()
    return cluster


def inventory(hosts: Sequence[str], docker: str = "") -> dict[str, Any]:
    """Docker containers as hosts of Ansible, of the engine at a socket where it is not the client's own."""
    connection = {
        "ansible_connection": "community.docker.docker",
        "ansible_python_interpreter": "/usr/bin/python3",
        **({"ansible_docker_extra_args": f"--host={docker}"} if docker else {}),
    }
    return {"control_plane": {"hosts": {host: {} for host in hosts}, "vars": connection}}


def remove(name: str) -> None:
    """Remove a cluster."""
    subprocess.run([*TESTBED, "down", "--name", name], cwd=CHECKOUT, check=True)


def _credentials(engine: Engine, node: str) -> tuple[str, str]:
    """The certificate authority, and certificate and key of the user whom no access rules can lock out."""
    config = yaml.safe_load(engine.docker("exec", node, "cat", "/etc/kubernetes/super-admin.conf"))
    user = config["users"][0]["user"]
    parts = (user["client-certificate-data"], user["client-key-data"])
    authority = config["clusters"][0]["cluster"]["certificate-authority-data"]
    return base64.b64decode(authority).decode(), "".join(base64.b64decode(part).decode() for part in parts)


def _context(authority: str, certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority)
    context.load_cert_chain(certificate)
    return context


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


def _keys(configuration: dict[str, Any] | None) -> set[str]:
    entries = [provider for each in (configuration or {}).get("resources", ()) for provider in each["providers"]]
    return {key["secret"] for entry in entries for said in entry.values() for key in (said or {}).get("keys", ())}


def main(words: Sequence[str]) -> int:
    """Make a cluster or put it back."""
    try:
        cluster = get(int(words[0]) if words else 1, name=words[1] if len(words) > 1 else "")
        cluster.reset()
    except (SetupError, AssertionError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"export DOCKER_HOST={cluster.engine.host or ''} K8S_AUTH_KUBECONFIG={cluster.kubeconfig}")
    print(cluster.inventory)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
