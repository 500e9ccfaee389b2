# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._node import _files
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _guard
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._guard import (
    LEASE_SECONDS,
    NAME,
    NAMESPACE,
    Guard,
    OtherRun,
    _here,
    _is_dead,
    _is_free,
    _start_of,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api

HOST = socket.gethostname()


class Nodes:
    """Folders with the locks of nodes, of which some may be away."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.names = names
        self.away: set[str] = set()
        self._folder = folder

    def ask_each(self, calls: Mapping[str, Sequence[tuple[str, dict[str, Any]]]], _program: str) -> dict[str, Any]:
        return {name: self._answer(name, *wanted[0]) for name, wanted in calls.items()}

    def _answer(self, name: str, operation: str, arguments: dict[str, Any]) -> Any:
        if name in self.away:
            return NodeError(name, "it cannot be reached")
        try:
            return [getattr(_files, operation)(**arguments, state=str(self._folder / name))]
        except _files.Refused as refused:
            return NodeRefused(name, refused.kind, refused.told)


@pytest.fixture
def nodes(tmp_path: Path) -> Nodes:
    for name in ("cp1", "cp2"):
        (tmp_path / name).mkdir(mode=0o700)
    return Nodes(tmp_path, "cp1", "cp2")


@pytest.fixture(autouse=True)
def lease(api: FakeApi) -> None:
    """As an earlier run has left it."""
    api.store("namespaces", "", NAMESPACE)
    kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    api.store("leases", NAMESPACE, NAME, "apis/coordination.k8s.io/v1", **kind, spec={"holderIdentity": ""})


def guard(client: Client, nodes: Nodes, run: str) -> Guard:
    """Of a run whose process is no more once it has ended."""
    made = Guard(client, nodes, run, print)  # type: ignore[arg-type]
    made._holder = f"{run} root@{HOST} {ended_process()} {_here()}/1"
    return made


LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"


def holder(api: FakeApi) -> str:
    return str(api.objects[LEASE]["spec"]["holderIdentity"])


def write(api: FakeApi, **spec: str) -> None:
    """As somebody else writes the Lease."""
    metadata = api.objects[LEASE]["metadata"]
    later = {**metadata, "resourceVersion": f"{metadata['resourceVersion']}0"}
    api.objects[LEASE] = {**api.objects[LEASE], "metadata": later, "spec": {**api.objects[LEASE]["spec"], **spec}}


class Clock:
    """What a guard takes for the time; it goes on by itself only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.at_each_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.at_each_sleep()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(_guard, "_now", lambda: made.now)
    monkeypatch.setattr(_guard, "time", SimpleNamespace(sleep=made.sleep))
    return made


def test_a_lock_on_a_node_that_was_away_at_the_end_is_taken_over(api: FakeApi, client: Client, nodes: Nodes) -> None:
    with guard(client, nodes, "one"):
        nodes.away = {"cp2"}
    assert holder(api).startswith("one ")
    nodes.away = set()
    with guard(client, nodes, "two"):
        assert holder(api).startswith("two ")
    assert holder(api) == ""


def test_it_is_taken_over_also_by_the_second_run_that_finds_the_node(
    api: FakeApi, client: Client, nodes: Nodes
) -> None:
    with guard(client, nodes, "one"):
        nodes.away = {"cp2"}
    with pytest.raises(NodeError, match="cannot be reached"), guard(client, nodes, "two"):
        pass
    assert holder(api).startswith("one ")
    nodes.away = set()
    with guard(client, nodes, "three"):
        assert holder(api).startswith("three ")


def test_a_lock_of_a_run_that_no_lease_names_is_not_taken(api: FakeApi, client: Client, nodes: Nodes) -> None:
    nodes.ask_each({"cp2": [("take", {"run": "other", "holder": "other", "seconds": 60})]}, "_files")
    with pytest.raises(NodeRefused, match="Another run is at work"), guard(client, nodes, "one"):
        pass
    assert holder(api) == ""


def test_a_lease_that_another_run_has_taken_ends_this_one(
    api: FakeApi, client: Client, nodes: Nodes, clock: Clock
) -> None:
    with guard(client, nodes, "one") as held:
        held.check()
        write(api, holderIdentity="two root@elsewhere 1 there")
        # Between two renewals nothing is asked; the locks on the nodes refuse what is written then.
        held.check()
        clock.now += LEASE_SECONDS
        for _again in range(2):
            with pytest.raises(OtherRun, match="^two root@elsewhere 1 there holds the Lease"):
                held.check()
    assert holder(api) == "two root@elsewhere 1 there"


def test_a_lease_that_somebody_has_deleted_ends_the_run(
    api: FakeApi, client: Client, nodes: Nodes, clock: Clock
) -> None:
    with guard(client, nodes, "one") as held:
        del api.objects[LEASE]
        clock.now += LEASE_SECONDS
        with pytest.raises(OtherRun, match="^Nobody holds the Lease"):
            held.check()


def test_a_lease_that_somebody_else_has_only_touched_goes_on(
    api: FakeApi, client: Client, nodes: Nodes, clock: Clock
) -> None:
    with guard(client, nodes, "one") as held:
        write(api, leaseTransitions="1")
        for _round in range(3):
            clock.now += LEASE_SECONDS - 1
            held.check()
        assert holder(api).startswith("one ")


def test_a_run_whose_renewals_do_not_come_through_ends_before_another_may_begin(
    api: FakeApi, client: Client, nodes: Nodes, clock: Clock
) -> None:
    with guard(client, nodes, "one") as held:
        api.forbidden = lambda method, at: method == "PATCH" and at.plural == "leases"
        clock.now += LEASE_SECONDS
        held.check()
        clock.now += 0.1
        with pytest.raises(OtherRun, match=f"could not be renewed for {LEASE_SECONDS} s"):
            held.check()
        api.forbidden = lambda _method, _at: False
        held.check()


def test_the_lease_is_renewed_through_any_server(api: FakeApi, client: Client, nodes: Nodes, clock: Clock) -> None:
    with fake_api() as away, guard(client, nodes, "one") as held:
        away.forbidden = lambda _method, _at: True
        held.ask_these([connect({"host": away.url, "api_key": "anything"}), client])
        before = api.objects[LEASE]["spec"]["renewTime"]
        clock.now += LEASE_SECONDS
        held.check()
        assert api.objects[LEASE]["spec"]["renewTime"] > before


def test_a_run_whose_playbook_was_killed_does_no_more(
    client: Client, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guard(client, nodes, "one") as held:
        held.check_playbook()
        # Whoever loses its parent gets another one.
        monkeypatch.setattr(os, "getppid", lambda: 1)
        with pytest.raises(OtherRun, match="playbook of this run has ended"):
            held.check_playbook()
        with pytest.raises(OtherRun, match="playbook of this run has ended"):
            held.check()


def test_a_run_that_renews_its_lease_is_not_disturbed(api: FakeApi, client: Client, nodes: Nodes, clock: Clock) -> None:
    write(api, holderIdentity="one root@elsewhere 1 there", renewTime="16:00:00")
    sleeps: list[float] = []

    def renew() -> None:
        sleeps.append(clock.now)
        if len(sleeps) == 7:
            write(api, renewTime="16:00:15")

    clock.at_each_sleep = renew
    refused = pytest.raises(
        OtherRun, match="Another run changes .*: one root@elsewhere 1 there, which renewed .*16:00:15"
    )
    with refused, guard(client, nodes, "two"):
        pass
    assert len(sleeps) == 7
    assert holder(api) == "one root@elsewhere 1 there"
    nodes.ask_each({"cp1": [("take", {"run": "other", "holder": "other", "seconds": 60})]}, "_files")


def test_a_lease_that_nobody_renews_is_taken_over_once_it_has_ended(
    api: FakeApi, client: Client, nodes: Nodes, clock: Clock
) -> None:
    write(api, holderIdentity="one root@elsewhere 1 there", renewTime="16:00:00")
    began = clock.now
    with guard(client, nodes, "two"):
        assert holder(api).startswith("two ")
        assert clock.now - began >= LEASE_SECONDS


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_lease_of_nobody_is_free() -> None:
    assert _is_free("")


def test_this_process_lives() -> None:
    assert not _is_dead(f"run root@{HOST} {os.getpid()} {_start_of(os.getpid())}")


def test_a_process_of_this_machine_that_has_ended_is_dead() -> None:
    assert _is_dead(f"run root@{HOST} {ended_process()} {_here()}/12345")


def test_a_process_whose_number_came_again_is_dead() -> None:
    assert _is_dead(f"run root@{HOST} {os.getpid()} {_here()}/1")


def test_a_process_of_another_machine_or_container_is_nothing_that_can_be_seen_here() -> None:
    process = ended_process()
    assert not _is_dead(f"run root@another {process} {_here()}/1")
    assert not _is_dead(f"run root@{HOST} {process} another-boot/pid:[4026531836]/1")
    assert not _is_dead(f"run root@{HOST} {process} {_here()}0/1")
    assert not _is_dead("somebody else's words")
