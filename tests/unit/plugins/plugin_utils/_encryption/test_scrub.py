# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import Etcd, Etcds
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scrub import scrubbed
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import Nodes

ENDPOINT = "https://192.0.2.1:2379"


@dataclass(slots=True)
class Node:
    """By which etcd's only member is asked, which is elsewhere; ``asked`` are the operations in their order."""

    asked: list[str] = field(default_factory=list)

    def ask_each(
        self, calls: dict[str, list[tuple[str, dict[str, Any]]]], _program: str, **_waiting: float
    ) -> dict[str, list[Any]]:
        return {name: [self._answer(each) for each, _arguments in asked] for name, asked in calls.items()}

    def ask(
        self, _name: str, _program: str, calls: Sequence[tuple[str, dict[str, Any]]], **_waiting: float
    ) -> list[Any]:
        return [self._answer(each) for each, _arguments in calls]

    def _answer(self, operation: str) -> Any:
        self.asked.append(operation)
        return {"status": STATUS, "compact": 5525, "defragment": {"before": 1_900_000, "after": 1_000_000}}[operation]


STATUS = {
    "cluster": "c",
    "member": "1",
    "members": [{"id": "1", "name": "cp1", "endpoints": [ENDPOINT]}],
    "leader": "1",
    "learner": False,
    "alarms": [],
    "db_size": 1_900_000,
    "db_in_use": 900_000,
    "quota": 0,
    "raft_index": 9,
    "raft_applied": 9,
}


def test_a_member_is_told_to_be_compacted_before_it_is_defragmented() -> None:
    """Whoever watches sees what is done already, should the rest take long or never come."""
    node = Node()
    lines = scrubbed(Etcds(cast(Nodes, node), {"cp1": Etcd((ENDPOINT,))}), lambda: None)
    assert next(lines) == "the etcd member cp1 is compacted to revision 5525"
    assert node.asked == ["status", "compact"]
    assert next(lines).startswith("the etcd member cp1 is defragmented in 0.0 s: 1.9 MB before, 1.0 MB after")
    assert node.asked == ["status", "compact", "defragment"]
    assert "remains in its write-ahead log" in next(lines)
