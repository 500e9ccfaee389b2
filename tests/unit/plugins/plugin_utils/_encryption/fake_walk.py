# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step of a walk has at hand, as far as the tests of single steps need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import (
    Manifest,
    Place,
    Settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Facts,
    Goal,
    Histogram,
    Key,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import File, OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._options import Options

NEW, OLD = Key("secretbox", "new", "2222"), Key("secretbox", "old", "1111")
OPTIONS = Options(("cp1",), "/manifest", "rotate", "", None, (), False, True, None, "", 180, 30, 4, 0)
CORE = {
    "metadata": {},
    "versions": [
        {
            "version": "v1",
            "resources": [
                {
                    "resource": "secrets",
                    "responseKind": {"kind": "Secret"},
                    "scope": "Namespaced",
                    "verbs": ["get", "list", "watch"],
                }
            ],
        }
    ],
}
"""What a server with nothing but Secrets says of itself."""


class FakeNodes:
    """Nodes that note what they are asked, and answer by operation."""

    def __init__(self, **answers: Callable[[dict[str, Any]], Any]) -> None:
        self.names = ("cp1",)
        self.asked: list[str] = []
        self._answers = answers

    def ask(self, _name: str, _program: str, calls: Sequence[Any], **_options: Any) -> list[Any]:
        return [self._answer(*call) for call in calls]

    def ask_each(self, calls: Mapping[str, Sequence[Any]], _program: str, **_options: Any) -> dict[str, Any]:
        return {name: [self._answer(*call) for call in wanted] for name, wanted in calls.items()}

    def _answer(self, operation: str, arguments: dict[str, Any]) -> Any:
        self.asked.append(operation)
        return self._answers.get(operation, lambda _arguments: None)(arguments)


class FakeGuard:
    """Of a run that nobody disturbs."""

    def check(self) -> None:
        pass


def on_node(name: str, **changes: Any) -> OnNode:
    """A node that nothing is known of but its name."""
    settings = Settings()
    made = OnNode(
        name,
        hostname=name,
        addresses=frozenset({"10.0.0.1"}),
        skew=0,
        manifest=File("/manifest"),
        said=Manifest((), settings.path, True, Place()),
        settings=settings,
        configuration=File(settings.path),
        configured=None,
        trouble="",
        beside_manifest=(),
        processes=(),
        strangers=(),
    )
    return replace(made, **changes)


def seen(clients: Mapping[str, Client], told: Mapping[str, Evidence] | None = None) -> Seen:
    """Servers that write with the new key and read the old one, and values under the new one alone."""
    providers = {"secrets": (NEW, OLD)}
    servers = tuple(Server(name, providers, providers) for name in clients)
    facts = Facts(servers, Histogram({"secrets": {NEW.prefix: 1}}, {"secrets": 1}))
    loaded = {name: Evidence("sha256:1", started_at=1_000) for name in clients}
    return Seen(facts, {name: on_node(name) for name in clients}, clients, told or loaded)


def context(client: Client, nodes: FakeNodes | None = None, **options: Any) -> Context:
    """Of a rotation of Secrets."""
    made: Any = (client, nodes or FakeNodes(), None, FakeGuard(), Memory(), replace(OPTIONS, **options))
    return Context(*made, run="run", tell=print, waiting=lambda _told: None, goal=Goal({"secrets": NEW}))
