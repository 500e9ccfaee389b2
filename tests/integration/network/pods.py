# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that serve ports and ask one another, and what network policies are told and tell."""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Callable
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.integration.plays import Finding, Result

IMAGE = "hardening.local/toolbox:1"
NAMESPACE, POD, SERVICE = KNOWN["v1", "Namespace"], KNOWN["v1", "Pod"], KNOWN["v1", "Service"]
POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
SLICE = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
BOTH = ("ingress", "egress")
DENY = {"default_deny": [*BOTH], "dns": True}
SETTLED_SECONDS = 90
SHARED_SET = f"network-{secrets.token_hex(4)}"

# Serves every port of $PORTS, and asks every target of $TARGETS, again and again: one line a round.
SCRIPT = """
for port in $PORTS; do toolbox serve --port $port & done
i=0
while :; do
  i=$((i+1)); line=$i
  for target in $TARGETS; do
    address=${target#*=}
    line="$line ${target%%=*}=$(toolbox connect -t 1 ${address%,*} ${address#*,})"
  done
  echo "$line"
  sleep 0.3
done
"""


def digest(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


class Cluster:
    """Makes what a test needs, and takes it away."""

    def __init__(self, client: Client, prefix: str) -> None:
        self.client, self._prefix = client, prefix
        self._made: list[dict[str, Any]] = []

    def create(self, *objects: dict[str, Any]) -> None:
        for each in objects:
            answer = self.client.create(each)
            assert answer.ok, answer.message
            if "namespace" not in each["metadata"]:
                self._made.append(each)

    def namespace(self, name: str, **labels: str) -> str:
        full = self.free_name(name)
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": full, "labels": labels}})
        self.until(lambda: self.client.get(KNOWN["v1", "ServiceAccount"], "default", full))
        return full

    def free_name(self, name: str) -> str:
        """A name of a namespace that no earlier run used, since namespaces take their time to go."""
        return f"network-{self._prefix}-{name}-{secrets.token_hex(3)}"

    def pod(self, namespace: str, name: str, ports: tuple[int, ...] = (), names: Any = None, **targets: str) -> None:
        """A pod with the label ``app`` of its name that serves the ports and asks the targets, ``HOST,PORT`` each."""
        environment = {
            "PORTS": " ".join(map(str, ports)),
            "TARGETS": " ".join(f"{target}={address}" for target, address in targets.items()),
        }
        declared = [{"containerPort": port, "name": text} for text, port in (names or {}).items()]
        self.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {
                            "name": "main",
                            "image": IMAGE,
                            "command": ["sh", "-c", SCRIPT],
                            "env": [{"name": key, "value": value} for key, value in environment.items()],
                            "ports": declared,
                        }
                    ],
                },
            }
        )

    def service(self, namespace: str, name: str, *ports: int, **spec: Any) -> None:
        self.create(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "selector": {"app": name},
                    "ports": [{"name": f"p{port}", "port": port} for port in ports],
                    **spec,
                },
            }
        )

    def rounds(self, namespace: str, name: str) -> list[dict[str, str]]:
        """The answers of every round so far, by target."""
        lines = self.client.log(namespace, name).split("\n")[:-1]
        return [dict(word.split("=") for word in line.split()[1:]) for line in lines if line and line[0].isdecimal()]

    def sees(self, namespace: str, name: str, **wanted: str) -> None:
        """Wait until three rounds in a row see the targets as wanted: ``open``, or anything else for ``closed``."""
        begun = len(self.rounds(namespace, name))

        def settled() -> bool:
            last = self.rounds(namespace, name)[begun + 1 :][-3:]
            return len(last) == 3 and all(
                (each.get(target) == "open") == (state == "open") for each in last for target, state in wanted.items()
            )

        self.until(settled, lambda: f"{name} saw {self.rounds(namespace, name)[-3:]}, not {wanted}")

    @staticmethod
    def until(holds: Callable[[], Any], else_: Callable[[], str] = lambda: "it did not come about") -> None:
        deadline = time.monotonic() + SETTLED_SECONDS
        while not holds():
            assert time.monotonic() < deadline, else_()
            time.sleep(0.2)

    def running(self, *pods: tuple[str, str]) -> None:
        for namespace, name in pods:
            self.until(
                lambda namespace=namespace, name=name: (
                    (self.client.get(POD, name, namespace) or {})["status"].get("phase") == "Running"
                )
            )

    def policies(self, namespace: str) -> dict[str, Any]:
        return {each["metadata"]["name"]: each["spec"] for each in self.client.list(POLICY, namespace)}

    def close(self) -> None:
        for each in reversed(self._made):
            resource = self.client.resource(each["apiVersion"], each["kind"])
            assert resource
            self.client.delete(resource, each["metadata"]["name"])


def probe_pods(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    return cluster.client.list(POD, namespace, label_selector="hardening.kubernetes/probe")


def finding(result: Result, control: str = "network.default_deny", subject: str = "") -> Finding:
    (found,) = (each for each in result["findings"] if each["control"] == control and subject in ("", each["subject"]))
    return found


def actions(result: Result) -> dict[str, str]:
    return {each["name"]: each["action"] for each in result["objects"]}


def flow(source: Any, target: Any, *ports: Any) -> dict[str, Any]:
    return {"from": source, "to": target, "ports": list(ports)}


def app(name: str) -> dict[str, str]:
    return {"app": name}


def theirs(cluster: Cluster, namespace: str, spec: dict[str, Any], name: str = "theirs") -> None:
    cluster.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        }
    )


def probed(run: Callable[..., Result], namespace: str, **more: Any) -> Finding:
    return finding(run("network_policies_info", namespaces={namespace: DENY}, probe=True, **more))


class Writes:
    """Notes every write to a NetworkPolicy that any client sends meanwhile; after some, the server is away."""

    def __init__(self, cut_after: int = 10**6) -> None:
        self._noted: list[tuple[str, str]] = []
        self._request, self._cut_after = Client.request, cut_after

    def __enter__(self) -> list[tuple[str, str]]:
        noted, request = self._noted, self._request

        def spy(client: Client, method: str, path: str, **more: Any) -> Any:
            if method in ("PATCH", "DELETE", "POST") and "/networkpolicies" in path:
                if len(noted) >= self._cut_after:
                    raise Unreachable("The server went away.")
                noted.append((method, path.rsplit("/", 1)[-1]))
            return request(client, method, path, **more)

        Client.request = spy  # type: ignore[method-assign]
        return noted

    def __exit__(self, *_error: object) -> None:
        Client.request = self._request  # type: ignore[method-assign]
