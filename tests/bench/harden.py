# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole harden-cluster.yml over many namespaces, all four roles with all their proofs, with nothing to change."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.bench.runner import CHECKOUT, BenchError, Measure, Runner, show
from tests.bench.tables import INHABITED_EVERY, NAMESPACES

NAMESPACE, DEPLOYMENT = KNOWN["v1", "Namespace"], KNOWN["apps/v1", "Deployment"]
PLAYBOOK = CHECKOUT / "harden-cluster.yml"
IMAGE = "hardening.local/toolbox:1"
CREATED = r"(?s)verdict: FAILURE, \d+ findings are unknown\n.*changed=[1-9]"
UNCHANGED = r"(?s)verdict: SUCCESS.*changed=0 .*failed=0"
PATIENCE_SECONDS = 180


class Harden:
    """One policy of many namespaces in a cluster whose network enforces."""

    def __init__(self, runner: Runner, prefix: str) -> None:
        self._runner = runner
        self._client = connect({"kubeconfig": str(runner.kubeconfig)})
        self._names = [f"{prefix}-{number:02}" for number in range(NAMESPACES)]
        self._policy = runner.folder / "cluster-policy.yml"
        self._policy.write_text(policy(prefix, self._names))

    def measures(self, rounds: int) -> list[Measure]:
        """Each round's second run, after one that created everything; the cluster is as before afterwards."""
        try:
            # Flows of namespaces in which nobody lives yet are unknown, so that this run ends without success.
            show("harden create", self._run(CREATED, status=2))
            self._inhabit()
            measures = []
            for _round in range(rounds):
                measures.append(self._run(UNCHANGED))
                show("harden unchanged", measures[-1])
            return measures
        finally:
            self._client.parallel(lambda name: self._client.delete(NAMESPACE, name), self._names)

    def _run(self, expected: str, status: int = 0) -> Measure:
        program = Path(sys.executable).with_name("ansible-playbook")
        arguments = ["-e", f"policy={self._policy}", "-e", f"report={self._runner.folder / 'report.json'}"]
        return self._runner.command([str(program), str(PLAYBOOK), *arguments], expected, status)

    def _inhabit(self) -> None:
        """Give each namespace a workload that it takes, which runs in some of them."""
        running = self._names[::INHABITED_EVERY]
        objects = [workload(name, replicas=int(name in running)) for name in self._names]
        for answer in self._client.parallel(self._client.create, objects):
            if not answer.ok:
                raise BenchError(answer.message)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(self._client.parallel(lambda name: runs(self._client, name), running)):
            if time.monotonic() > deadline:
                raise BenchError("The workloads of the benchmark do not run: look at the pods in its namespaces.")
            time.sleep(1)


def runs(client: Client, namespace: str) -> bool:
    """Whether the workload of a namespace is up."""
    live = client.get(DEPLOYMENT, "web", namespace) or {}
    return bool((live.get("status") or {}).get("readyReplicas"))


def policy(name: str, namespaces: list[str]) -> str:
    """A policy file as somebody would write it for a cluster of many teams."""
    return HEAD.format(name=name, image=IMAGE) + "".join(TEAM.format(namespace=namespace) for namespace in namespaces)


HEAD = """\
policy_version: 1
name: {name}
cluster:
  access: {{keep: [{{cluster_role_binding: "*"}}]}}
  network: {{probe: {{image: "{image}", namespaces: 3}}}}
namespaces:
"""

TEAM = """\
  {namespace}:
    create: true
    pod_security: {{enforce: restricted, warn: restricted}}
    network:
      default_deny: [ingress, egress]
      dns: true
      allow:
        - {{from: {{app: web}}, to: {{cidr: 10.20.0.0/16}}, ports: [5432/TCP]}}
    access:
      grant:
        - role: pod-reader
          rules: [{{resources: [pods, pods/log], verbs: [get, list, watch]}}]
          to: [{{user: jane, groups: [developers]}}]
      must_not:
        - {{who: {{group: developers}}, verbs: [get], resources: [secrets]}}
    resources:
      quota: {{requests.cpu: 4, requests.memory: 8Gi, limits.memory: 16Gi, pods: 40, count/deployments.apps: 20}}
      limits:
        container:
          default_request: {{cpu: 50m, memory: 32Mi}}
          default: {{cpu: 500m, memory: 128Mi}}
          max: {{cpu: 2, memory: 2Gi}}
"""


def workload(namespace: str, replicas: int) -> dict[str, Any]:
    """A Deployment whose pods the policy's own level, quota and limits take."""
    labels = {"app": "web"}
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "web",
                "image": IMAGE,
                "command": ["sleep", "86400"],
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
