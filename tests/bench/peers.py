# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that compare us with kubernetes.core and kubectl, and the memory of thousands of objects."""

from __future__ import annotations

import statistics
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.bench.runner import BenchError, Measure, Runner, show
from tests.bench.tables import (
    LOOPED,
    MANY,
    MEMORY_LIMIT,
    MEMORY_ROW,
    NAMESPACES,
    ONE_BY_ONE,
    POLICIES,
    QUESTIONS,
    ROWS,
    result,
)

CHANGED, UNCHANGED = r"changed=1 .*failed=0", r"changed=0 .*failed=0"
NAMESPACE = KNOWN["v1", "Namespace"]
POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
SECONDS_TO_SETTLE = 5


class Peers:
    """All measures of all rounds, by what was measured."""

    def __init__(self, runner: Runner, runs: int) -> None:
        self._runner = runner
        self._runs = runs
        self._client = connect({"kubeconfig": str(runner.kubeconfig)})
        self._prefix = f"bench-{uuid.uuid4().hex[:6]}"
        self._measures: dict[str, list[Measure]] = defaultdict(list)

    def results(self, rows: Collection[str]) -> list[dict[str, Any]]:
        needed = {measure for row in rows if row in ROWS for measure in (ROWS[row].ours, ROWS[row].peer)}
        writes = MEMORY_ROW in rows or any(not measure.startswith("access") for measure in needed)
        namespaces = [f"{self._prefix}-{number}" for number in range(NAMESPACES if writes else 0)]
        self._client.parallel(lambda name: create_namespace(self._client, name), namespaces)
        try:
            for run in range(self._runs if needed else 0):
                for who, rounds in ROUNDS.items():
                    if any(measure.startswith(who) for measure in needed):
                        print(f"run {run + 1} of {self._runs}: {who}", flush=True)
                        self._clean(namespaces)
                        rounds(self, needed)
            memory = [self._memory(namespaces)] if MEMORY_ROW in rows else []
        finally:
            self._client.parallel(lambda name: self._client.delete(NAMESPACE, name), namespaces)
        return [*(self._row(name) for name in rows if name in ROWS), *memory]

    def _clean(self, namespaces: Iterable[str]) -> None:
        """Remove what the one before made, and leave the cluster the time to digest it: that is not the next one's."""
        self._client.parallel(lambda name: self._client.request("DELETE", POLICY.path(name)), namespaces)
        time.sleep(SECONDS_TO_SETTLE)

    def ours(self, needed: Collection[str]) -> None:
        task = {"hardening.kubernetes.apply": {"src": [str(self._input("policies", POLICIES))]}}
        self._note("ours create", self._runner.playbook(task, CHANGED))
        if "ours unchanged" in needed:
            self._note("ours unchanged", self._runner.playbook(task, UNCHANGED))
        if "ours looped" in needed:
            few = {"hardening.kubernetes.apply": {"src": [str(self._input("few", LOOPED))]}}
            self._note("ours looped", self._runner.playbook(few, UNCHANGED))

    def module(self, needed: Collection[str]) -> None:
        source = str(self._input("policies", POLICIES))
        task = {"kubernetes.core.k8s": {"src": source}}
        if {"module create", "module unchanged"} & set(needed):
            self._note("module create", self._runner.playbook(task, CHANGED))
        if "module unchanged" in needed:
            self._note("module unchanged", self._runner.playbook(task, UNCHANGED))
        if "module looped" in needed:
            few = str(self._input("few", LOOPED))
            self._runner.playbook({"kubernetes.core.k8s": {"src": few}}, r"failed=0")
            objects = f"{{{{ lookup('ansible.builtin.file', '{few}') | from_yaml_all | list }}}}"
            loop = {"kubernetes.core.k8s": {"definition": "{{ item }}"}, "loop": objects}
            self._note("module looped", self._runner.playbook(loop, UNCHANGED))

    def kubectl(self, needed: Collection[str]) -> None:
        source = self._input("policies", POLICIES)
        self._note("kubectl create", self._runner.kubectl(source, rf"(created\n.*){{{NAMESPACES}}}"))
        if "kubectl unchanged" in needed:
            self._note("kubectl unchanged", self._runner.kubectl(source, rf"(unchanged\n.*){{{NAMESPACES}}}"))

    def access(self, _needed: Collection[str]) -> None:
        """The same questions, all of which are allowed; the peer asks as many as make its time tellable."""
        questions = [
            {
                "who": {"user": f"nobody-{number}", "groups": ["system:masters"]},
                "verb": "get",
                "resource": "pods",
                "namespace": "default",
            }
            for number in range(QUESTIONS)
        ]
        task = {"hardening.kubernetes.access_info": {"questions": questions}}
        self._note("access ours", self._runner.playbook(task, r"failed=0"))
        script = (
            f"set -e; for number in $(seq {ONE_BY_ONE}); do "
            "kubectl auth can-i get pods --as=nobody-$number --as-group=system:masters -n default; done"
        )
        few = self._runner.command(["sh", "-c", script], rf"(yes\n){{{ONE_BY_ONE}}}")
        self._note("access kubectl", Measure(few.seconds * QUESTIONS / ONE_BY_ONE, few.mebibytes))

    def _memory(self, namespaces: Iterable[str]) -> dict[str, Any]:
        print(f"memory at {MANY} objects", flush=True)
        self._clean(namespaces)
        task = {"hardening.kubernetes.apply": {"src": [str(self._input("many", MANY))]}}
        most = max(self._runner.playbook(task, expected).mebibytes for expected in (CHANGED, UNCHANGED))
        self._clean(namespaces)
        return result(MEMORY_ROW, most, MEMORY_LIMIT, f"limit at {MANY} objects", "MiB", 1)

    def _note(self, what: str, measure: Measure) -> None:
        show(what, measure)
        self._measures[what].append(measure)

    def _row(self, name: str) -> dict[str, Any]:
        claim = ROWS[name]
        ours, peer = (
            statistics.median(each.seconds for each in self._measures[what]) for what in (claim.ours, claim.peer)
        )
        return result(name, ours, peer, claim.peer_name, "s", claim.goal)

    def _input(self, name: str, count: int) -> Path:
        path = self._runner.folder / f"{name}.yml"
        if not path.exists():
            path.write_text("".join(policy(number, self._prefix) for number in range(count)))
        return path


ROUNDS: dict[str, Callable[[Peers, Collection[str]], None]] = {
    "ours": Peers.ours,
    "module": Peers.module,
    "kubectl": Peers.kubectl,
    "access": Peers.access,
}


def create_namespace(client: Client, name: str) -> None:
    answer = client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    if not answer.ok and answer.reason != "AlreadyExists":
        raise BenchError(answer.message)


def policy(number: int, prefix: str) -> str:
    return f"""---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-{number // NAMESPACES}
  namespace: {prefix}-{number % NAMESPACES}
  labels:
    app.kubernetes.io/part-of: shop
spec:
  podSelector:
    matchLabels:
      app: backend-{number}
  policyTypes:
    - Ingress
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: frontend
      ports:
        - port: 8080
          protocol: TCP
"""
