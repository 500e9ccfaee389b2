# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what every step of a walk has at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import lookup_order
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Goal
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Gatherer, Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._guard import LOCK_SECONDS, Guard
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._options import Options
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import served
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes


@dataclass(frozen=True, slots=True)
class Context:
    """The cluster and its nodes, what is wanted, what this run remembers, and how it tells the user of it."""

    client: Client
    nodes: Nodes
    gatherer: Gatherer
    guard: Guard
    memory: Memory
    options: Options
    run: str
    tell: Callable[[str], None]
    waiting: Callable[[str], None]
    goal: Goal = field(default_factory=lambda: Goal({}))

    def look_at_resources(self, seen: Seen) -> None:
        """Which resources there are now: any that came meanwhile has been written with a former key, too."""
        clients = [self.client, *seen.clients.values()]
        for client in clients:
            client.forget_kinds()
        self.memory.served = frozenset().union(*map(served, clients[1:] or clients))

    def meant_by(self, resource: str) -> list[str]:
        """The resources that a name of the goal, which may have wildcards, is the narrowest for."""
        return [
            each
            for each in sorted(self.memory.served)
            if next((name for name in lookup_order(each) if name in self.goal.write), "") == resource
        ]

    def on_nodes(self, operation: str, arguments: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """An operation that changes nodes, by node its arguments; raises the first error when all have answered."""
        self.guard.check()
        keep = ("keep", {"run": self.run, "seconds": LOCK_SECONDS})
        calls = {name: [keep, (operation, {"run": self.run, **each})] for name, each in arguments.items()}
        answers = self.nodes.ask_each(calls, "_files")
        for answer in answers.values():
            if isinstance(answer, NodeError):
                raise answer
        return {name: answer[1] for name, answer in answers.items() if not isinstance(answer, NodeError)}

    def fence(self) -> None:
        """Raise the first error unless every node still has this run's lock: for what no node would refuse."""
        self.on_nodes("keep", {name: {"seconds": LOCK_SECONDS} for name in self.nodes.names})

    def write(self, files: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Write files on nodes, by node in their order."""
        self.on_nodes("write", {name: {"files": each} for name, each in files.items() if each})
