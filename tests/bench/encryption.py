# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of secrets rewritten with another key and proved in etcd, beside kubectl and a bare asynchronous loop."""

from __future__ import annotations

import base64
import statistics
import sys
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import rewrite

from tests.bench.runner import BenchError, Measure, Runner, show
from tests.bench.tables import (
    BY_KUBECTL,
    MANY_SECRETS,
    PROOF_LIMIT,
    PROOF_ROW,
    REENCRYPT_MEMORY_LIMIT,
    REENCRYPT_MEMORY_ROW,
    ROWS_OF_ENCRYPTION,
    SECRETS,
    result,
)
from tests.encryption import clusters
from tests.encryption.by_hand import ByHand

PYTHON = sys.executable
NAMESPACES = 10
REWRITTEN = r"(?P<done>\d+) of (?P=done) rewritten in (?P<seconds>[\d.]+) s"
SECRET_BYTES = 900
PROVED = [
    f"seen.histogram.secrets.values() | sum >= {SECRETS}",
    "seen.findings | selectattr('control', 'eq', 'encryption.at_rest') | map(attribute='status') | list == ['pass']",
]
"""That the task has looked at every value, and found none in plain text."""
MANY_SCRIPT = "tests/bench/many_secrets.py"


class Encryption:
    """A cluster of its own, whose API server is given one key after the other."""

    def __init__(self, runner: Runner, runs: int, name: str) -> None:
        self._runner = runner
        self._runs = runs
        self._cluster = clusters.get(1, name=name)
        (self._node,) = self._cluster.nodes
        self._keys = ByHand(self._cluster)
        self._client = connect({"kubeconfig": str(runner.kubeconfig)})
        self._first, self._second = "a", "b"
        self._measures: dict[str, list[Measure]] = defaultdict(list)

    def results(self, rows: Collection[str]) -> list[dict[str, Any]]:
        self._cluster.reset()
        self._keys.write([self._first, self._second, "-"])
        self._keys.enable(self._node)
        fill(self._client)
        needed = {measure for row in rows if row in ROWS_OF_ENCRYPTION for measure in measures_of(row)}
        for run in range(self._runs):
            print(f"run {run + 1} of {self._runs}: encryption", flush=True)
            self._round(needed, PROOF_ROW in rows)
        results = [self._row(name) for name in rows if name in ROWS_OF_ENCRYPTION]
        if PROOF_ROW in rows:
            results.append(result(PROOF_ROW, self._median("proof"), PROOF_LIMIT, f"limit at {SECRETS}", "s", 1))
        if REENCRYPT_MEMORY_ROW in rows:
            results.append(self._memory())
        return results

    def _round(self, needed: Collection[str], proof: bool) -> None:
        if {"rewrite ours", "rewrite rate"} & set(needed):
            whole, seconds = self._rewritten("tests.bench.rewriting")
            self._note("rewrite ours", whole)
            self._note("rewrite rate", Measure(seconds, whole.mebibytes))
        if proof:
            self._note("proof", self._proof())
        if "rewrite loop" in needed:
            whole, seconds = self._rewritten("tests.bench.loop")
            self._note("rewrite loop", Measure(seconds, whole.mebibytes))
        if "rewrite kubectl" in needed:
            self._note("rewrite kubectl", self._by_kubectl())

    def _turn(self) -> None:
        """Have the other key write, so that every value is stale."""
        self._first, self._second = self._second, self._first
        self._keys.load([self._first, self._second, "-"])

    def _rewritten(self, module: str, least: int = SECRETS) -> tuple[Measure, float]:
        """A whole process that rewrites all secrets, and the seconds that it says it took for that."""
        self._turn()
        command = [PYTHON, "-m", module, str(self._runner.kubeconfig)]
        measure, told = self._runner.told(command, REWRITTEN, in_checkout=True)
        if int(told["done"]) < least:
            raise BenchError(f"{module} rewrote {told['done']} of {least} secrets")
        return measure, float(told["seconds"])

    def _by_kubectl(self) -> Measure:
        """What the Kubernetes documentation says to do, for a part of the secrets."""
        self._turn()
        part = SECRETS // NAMESPACES
        seconds = mebibytes = 0.0
        for number in range(BY_KUBECTL // part):
            script = f"kubectl get secrets -n {namespace(number)} -o json | kubectl replace -f -"
            measure = self._runner.command(["sh", "-c", script], rf"(replaced\n.*){{{part}}}")
            seconds += measure.seconds
            mebibytes = max(mebibytes, measure.mebibytes)
        # The rest too, so that every value is stale after the next turn.
        rewrite([self._client], "secrets")
        return Measure(seconds * SECRETS / BY_KUBECTL, mebibytes)

    def _proof(self) -> Measure:
        """The whole task that looks at nodes, server and etcd, and counts every value."""
        look = {"hardening.kubernetes.encryption_info": {"nodes": [self._node]}, "register": "seen"}
        # Findings fail no task, and one that saw little would be quick.
        judge = {"ansible.builtin.assert": {"that": PROVED, "quiet": True}}
        return self._runner.playbook(look, r"ok=2 .*failed=0", self._cluster.inventory, [judge])

    def _memory(self) -> dict[str, Any]:
        print(f"memory at {MANY_SECRETS} secrets", flush=True)
        script = (clusters.CHECKOUT / MANY_SCRIPT).read_text()
        self._cluster.on(self._node, "python3", "-", str(MANY_SECRETS - SECRETS), text=script, timeout=600)
        most, _seconds = self._rewritten("tests.bench.rewriting", MANY_SECRETS)
        limit = f"limit at {MANY_SECRETS} secrets"
        return result(REENCRYPT_MEMORY_ROW, most.mebibytes, REENCRYPT_MEMORY_LIMIT, limit, "MiB", 1)

    def _note(self, what: str, measure: Measure) -> None:
        show(what, measure)
        self._measures[what].append(measure)

    def _median(self, what: str) -> float:
        return statistics.median(each.seconds for each in self._measures[what])

    def _row(self, name: str) -> dict[str, Any]:
        claim = ROWS_OF_ENCRYPTION[name]
        return result(name, self._median(claim.ours), self._median(claim.peer), claim.peer_name, "s", claim.goal)


def measures_of(row: str) -> tuple[str, str]:
    return ROWS_OF_ENCRYPTION[row].ours, ROWS_OF_ENCRYPTION[row].peer


def namespace(number: int) -> str:
    return f"bench-{number}"


def fill(client: Client, count: int = SECRETS) -> None:
    """Make the namespaces and so many secrets in them."""
    for number in range(NAMESPACES):
        metadata = {"name": namespace(number)}
        client.checked(client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
    for answer in client.parallel(lambda number: client.create(secret(number)), range(count)):
        if not answer.ok:
            raise BenchError(answer.message)


def secret(number: int) -> dict[str, Any]:
    data = {"value": base64.b64encode(f"{number:08}".encode() * (SECRET_BYTES // 8)).decode()}
    metadata = {"name": f"secret-{number:06}", "namespace": namespace(number % NAMESPACES)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
