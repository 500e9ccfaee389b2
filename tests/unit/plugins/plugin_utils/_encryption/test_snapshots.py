# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot of etcd is noted, told and given out with the keys without which it cannot be read."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Manifest, Settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._mounts import Place
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    Snapshot,
    parse_snapshots,
    snapshots_bytes,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Action,
    Facts,
    Key,
    Providers,
    Server,
    State,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _carry_out
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import SNAPSHOTS, File, OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._snapshots import take_snapshot

OLD, NEW = Key("secretbox", "k0", "0000"), Key("secretbox", "k1", "1111")
KMS = Key("kms_v2", "vault")
BEFORE = Snapshot("cp1", "/var/backups/etcd-before.db", 7, "sha256:7", "2026-11-22T12:00:00+00:00", ())
SCRUB = Step(Action.SCRUB, State.SCRUB, "")


class Nodes:
    """Nodes that take snapshots at rising revisions, and keep what is written."""

    def __init__(self) -> None:
        self.names = ("cp1", "cp2")
        self.asked: list[tuple[str, str, str]] = []
        self.written: list[tuple[str, dict[str, Any]]] = []

    def ask(self, name: str, _program: str, calls: Sequence[tuple[str, Any]], **_more: Any) -> list[Any]:
        ((operation, arguments),) = calls
        self.asked.append((name, operation, arguments["path"]))
        return [{"revision": 4710 + len(self.asked), "bytes": 1, "hash": "sha256:1"}]

    def ask_each(self, calls: Mapping[str, Sequence[tuple[str, Any]]], _program: str) -> dict[str, list[Any]]:
        for name, ((_keep, _seconds), (operation, arguments)) in calls.items():
            assert operation == "write"
            self.written += [(name, file) for file in arguments["files"]]
        return {name: [None, None] for name in calls}


def node(name: str, *snapshots: Snapshot) -> OnNode:
    content = snapshots_bytes(snapshots)
    return OnNode(
        name,
        hostname=name,
        addresses=frozenset({"10.0.0.1"}),
        skew=0,
        manifest=File("/m"),
        said=Manifest((("etcd-servers", "https://127.0.0.1:2379"),), "", False, Place()),
        settings=Settings(),
        configuration=File("/c"),
        configured=None,
        trouble="",
        beside_manifest=(),
        processes=(),
        strangers=(),
        snapshots=snapshots,
        files={SNAPSHOTS: File(SNAPSHOTS, content, "sha256:there")},
    )


def seen(*loaded: Providers | None) -> Seen:
    servers = tuple(Server(f"cp{at}", each, {}) for at, each in enumerate(loaded, 1))
    return Seen(Facts(servers), {"cp1": node("cp1", BEFORE), "cp2": node("cp2")}, {}, {})


@pytest.fixture
def nodes() -> Nodes:
    return Nodes()


@pytest.fixture
def context(nodes: Nodes) -> Context:
    guard = SimpleNamespace(check=lambda: None)
    options = SimpleNamespace(snapshot="/var/backups/etcd/")
    told: list[str] = []
    made = [None, nodes, None, guard, Memory(), options, "run", told.append, print]
    return Context(*cast(Any, made))


def told(context: Context) -> list[str]:
    return list(cast(Any, context.tell).__self__)


def test_it_is_taken_on_the_first_node_and_noted_there_beside_the_earlier_ones(nodes: Nodes, context: Context) -> None:
    take_snapshot(context, seen({"secrets": (NEW, OLD, IDENTITY)}, {"secrets": (OLD, IDENTITY)}))
    assert nodes.asked == [("cp1", "snapshot", "/var/backups/etcd/etcd-run.db")]
    ((name, file),) = nodes.written
    assert (name, file["path"], file["replaces"], file["mode"]) == ("cp1", SNAPSHOTS, "sha256:there", "0600")
    earlier, taken = parse_snapshots(base64.b64decode(file["content"]), "the file")
    assert earlier == BEFORE
    assert (taken.node, taken.path, taken.revision, taken.keys) == (
        "cp1",
        "/var/backups/etcd/etcd-run.db",
        4711,
        (OLD, NEW),
    )
    assert context.memory.snapshots == [taken]


@pytest.mark.parametrize(
    ("loaded", "words"),
    [
        (({"secrets": (NEW, IDENTITY)}, {"configmaps": (OLD,)}), "secretbox key k0 (0000), secretbox key k1 (1111)"),
        (({}, None), "no key"),
        (({"secrets": (IDENTITY, KMS)},), "kms_v2 vault"),
    ],
)
def test_what_any_server_reads_with_is_what_it_needs(
    context: Context, loaded: tuple[Providers | None, ...], words: str
) -> None:
    take_snapshot(context, seen(*loaded))
    (line,) = told(context)
    assert line.endswith(f"on cp1, revision 4711; it needs {words}")


@pytest.fixture
def scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_carry_out, "scrub", lambda *_: iter(["etcd is compacted"]))


@pytest.mark.usefixtures("scrubbed")
def test_another_one_is_taken_after_the_scrubbing(nodes: Nodes, context: Context) -> None:
    _carry_out.carry_out(context, seen({"secrets": (NEW,)}), SCRUB)
    assert nodes.asked == [("cp1", "snapshot", "/var/backups/etcd/etcd-run-scrubbed.db")]
    assert [each.keys for each in context.memory.snapshots] == [(NEW,)]
    assert told(context)[0] == "etcd is compacted" and len(told(context)) == 2
    assert context.memory.scrubbed


@pytest.mark.usefixtures("scrubbed")
def test_none_is_taken_where_none_is_asked_for(nodes: Nodes, context: Context) -> None:
    cast(Any, context.options).snapshot = ""
    _carry_out.carry_out(context, seen({"secrets": (NEW,)}), SCRUB)
    assert not nodes.asked and context.memory.scrubbed
