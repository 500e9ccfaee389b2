# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._node import _files
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._guard import (
    NAME,
    NAMESPACE,
    Guard,
    _here,
    _is_dead,
    _is_free,
    _start_of,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi

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


def holder(api: FakeApi) -> str:
    lease = api.objects[f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"]
    return str(lease["spec"]["holderIdentity"])


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
