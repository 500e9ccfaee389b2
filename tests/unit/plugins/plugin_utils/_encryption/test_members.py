# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of etcd and their disks, of nodes that say what a test wants; with a real etcd: tests/integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import Etcd, Etcds
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._members import health
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scrub import scrubbed
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

MIB = 1 << 20
OFF = NodeError("cp1", "it is off.")
FLAGS = ("--name=m1", "--data-dir=/var/lib/etcd")


def etcds(
    arguments: Sequence[str] | NodeError | None = FLAGS,
    free: int | NodeError = 1 << 40,
    endpoint: str = "https://127.0.0.1:2379",
    **said: Any,
) -> Etcds:
    """One member on one node: the arguments of its process there, ``None`` without one, and what its disk has free."""
    status = {
        "member": "1",
        "members": [{"id": "1", "name": "m1", "endpoints": [endpoint]}],
        "cluster": "c",
        "leader": "1",
        "learner": False,
        "alarms": [],
        "db_size": 10 * MIB,
        "db_in_use": 10 * MIB,
        "quota": 0,
        "raft_index": 10000,
        "raft_applied": 10000,
    } | said
    processes: Any = arguments
    if not isinstance(arguments, NodeError):
        processes = [{"pid": 7, "arguments": ["etcd", *each]} for each in [arguments] if each is not None]
    answers: dict[str, Any] = {
        "status": status,
        "processes": processes,
        "free": free,
        "names": ["1.wal"],
        "compact": 5,
        "defragment": {"before": 1, "after": 1},
    }

    def ask(_name: str, _program: str, calls: Sequence[tuple[str, Any]], timeout: float = 60) -> list[Any]:
        for operation, _arguments in calls:
            if isinstance(answers[operation], NodeError):
                raise answers[operation]
        return [answers[operation] for operation, _arguments in calls]

    def ask_each(calls: Mapping[str, Any], program: str, timeout: float = 60) -> dict[str, Any]:
        answered: dict[str, Any] = {}
        for name, wanted in calls.items():
            try:
                answered[name] = ask(name, program, wanted)
            except NodeError as error:
                answered[name] = error
        return answered

    return Etcds(cast(Nodes, SimpleNamespace(ask=ask, ask_each=ask_each)), {"cp1": Etcd((endpoint,))})


def looked(etcd: Etcds, size: int = MIB) -> tuple[list[str], list[str]]:
    """What speaks against it, and what is told."""
    told: list[str] = []
    return list(health(etcd, size, told.append)), told


def test_a_disk_with_room_is_looked_at_and_not_spoken_of() -> None:
    assert looked(etcds()) == ([], [])


def test_a_disk_without_room_speaks_against_it() -> None:
    (against,), told = looked(etcds(free=14 * MIB))
    assert against.startswith("The disk of the etcd member m1 has 14 MiB free") and "up to 15 MiB: make room" in against
    assert not told


@pytest.mark.parametrize("broken", [etcds(arguments=OFF), etcds(free=OFF)], ids=["processes", "free"])
def test_a_node_that_does_not_show_a_disk_speaks_against_it(broken: Etcds) -> None:
    (against,), told = looked(broken)
    assert against == (
        "The disk of the etcd member m1 could not be looked at (cp1: it is off): see that its node is well, and run "
        "again."
    )
    assert not told


@pytest.mark.parametrize(
    "unknown",
    [
        etcds(arguments=("--config-file=/etc/etcd.yaml",)),
        etcds(arguments=("--name=m1", "--data-dir=data")),
        etcds(arguments=None),
        etcds(endpoint="https://10.0.0.9:2379"),
    ],
    ids=["configuration file", "relative", "no process", "another machine"],
)
def test_a_disk_that_nobody_can_look_at_is_told_and_refuses_nothing(unknown: Etcds) -> None:
    against, (told,) = looked(unknown)
    assert against == []
    assert told == (
        "where the etcd member m1 has its data is not in the flags of an etcd on a control plane node, so its disk is "
        "not looked at: see that it has 15 MiB free"
    )


def test_the_flags_of_the_process_say_which_quota_a_member_has() -> None:
    (against,), _told = looked(etcds((*FLAGS, "--quota-backend-bytes", str(11 * MIB))))
    assert "has 10 MiB of the 11 MiB that it may have, and needs 2 MiB more" in against


@pytest.mark.parametrize(
    ("said", "against"),
    [
        ({"learner": True}, "The etcd member m1 is a learner still: promote it"),
        ({"raft_applied": 4000}, "The etcd member m1 is 6000 entries behind: let it catch up"),
        ({"leader": ""}, "The etcd member m1 knows of no leader"),
    ],
)
def test_a_member_that_is_not_whole_speaks_against_it(said: dict[str, Any], against: str) -> None:
    (found,), _told = looked(etcds(**said))
    assert found.startswith(against)


def test_what_remains_is_told_without_the_files_of_a_disk_that_is_not_seen() -> None:
    *_lines, remains = scrubbed(etcds(), lambda: None)
    assert "m1 has 1 files of its log" in remains
    *_lines, remains = scrubbed(etcds(free=OFF), lambda: None)
    assert "files of its log" not in remains and "in its write-ahead log" in remains
