# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured against whom, and what is to be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACES = 100
POLICIES = 2_000
LOOPED = 100
MANY = 10_000
QUESTIONS = 1_000
ONE_BY_ONE = 100
"""Questions that the peer is measured on; its time for ``QUESTIONS`` is that many times longer."""
INHABITED_EVERY = 10
"""In one of so many namespaces that are hardened, something runs."""
MEMORY_LIMIT = 300
"""MiB, of the largest process at ``MANY`` objects."""


@dataclass(frozen=True, slots=True)
class Row:
    """A claim: our measure ``ours`` beats the peer's measure ``peer`` by the factor ``goal``."""

    name: str
    ours: str
    peer: str
    peer_name: str
    goal: float


MODULE = "kubernetes.core.k8s, one task with the list"
LOOP = "kubernetes.core.k8s in a loop"
CAN_I = f"kubectl auth can-i, {ONE_BY_ONE} questions one by one, times {QUESTIONS // ONE_BY_ONE}"

ROWS: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row("apply_create", "ours create", "module create", MODULE, 5),
        Row("apply_create_kubectl", "ours create", "kubectl create", "kubectl apply", 4),
        Row("apply_unchanged", "ours unchanged", "module unchanged", MODULE, 14),
        Row("apply_unchanged_kubectl", "ours unchanged", "kubectl unchanged", "kubectl apply", 40),
        Row("apply_loop", "ours looped", "module looped", LOOP, 40),
        Row("access_1000", "access ours", "access kubectl", CAN_I, 15),
    )
}
SECRETS = 10_000
MANY_SECRETS = 100_000
BY_KUBECTL = 2_000
"""Secrets that the peer is measured on; its time for ``SECRETS`` is that many times longer."""
DOCUMENTED = f"kubectl get | kubectl replace, {BY_KUBECTL} secrets, times {SECRETS // BY_KUBECTL}"
BARE = "a bare asynchronous loop, the patches alone"

ROWS_OF_ENCRYPTION: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row("reencrypt", "rewrite ours", "rewrite kubectl", DOCUMENTED, 4),
        Row("reencrypt_limit", "rewrite rate", "rewrite loop", BARE, 0.9),
    )
}
PROOF_ROW = "etcd_proof"
PROOF_LIMIT = 3
"""Seconds, of a whole run that reads the beginning of ``SECRETS`` values in etcd and counts them."""
REENCRYPT_MEMORY_ROW = "reencrypt_memory"
REENCRYPT_MEMORY_LIMIT = 200
"""MiB, of the process that rewrites ``MANY_SECRETS``."""
ROTATE_ROW = "rotate_ha"
ROTATED_SECRETS = 1_000
ROTATE_LIMIT = 90
"""Seconds, of a rotation of ``ROTATED_SECRETS`` on three servers, less what it waits for their own intervals."""
MEMORY_ROW = "apply_memory"
HARDEN_ROW = "harden_unchanged_100"
HARDEN_LIMIT = 30
"""Seconds, of a run over ``NAMESPACES`` namespaces that changes nothing and proves everything."""


def result(name: str, ours: float, peer: float, peer_name: str, unit: str, goal: float) -> dict[str, Any]:
    """A row as it is printed and written: its goal is reached where we are that many times better than the other."""
    ratio = peer / ours
    return {
        "name": name,
        "ours": round(ours, 2),
        "peer": round(peer, 2),
        "peer_name": peer_name,
        "ratio": round(ratio, 2),
        "unit": unit,
        "goal": goal,
        "reached": ratio >= goal,
    }
