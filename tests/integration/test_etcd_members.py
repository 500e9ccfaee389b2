# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How etcd's members are, and how they are scrubbed one after the other, with a real etcd whose nodes are all here."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._node import _etcd
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _members, _scrub
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import Etcd, Etcds
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._members import (
    Disk,
    disks_of,
    health,
    members_of,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scrub import scrubbed
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused, Nodes

from tests.integration.own_etcd import OwnEtcd, own_etcd

PROGRAMS = Path(_etcd.__file__).parent
NEW = Key("secretbox", "k2").prefix


class Here:
    """Nodes that are all this machine; ``asked`` are the operations in their order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def ask(self, name: str, program: str, calls: Sequence[tuple[str, Mapping[str, Any]]], timeout: float = 60) -> Any:
        self.asked += [(name, operation) for operation, _arguments in calls]
        source = f"{(PROGRAMS / f'{program}.py').read_text()}\nanswer({json.dumps(calls)!r})\n"
        ran = subprocess.run(
            [sys.executable, "-I", "-"], input=source, capture_output=True, text=True, timeout=timeout, check=False
        )
        line = next(line for line in ran.stdout.splitlines() if line.startswith(_etcd.MARKER))
        results = []
        for answer in json.loads(line.removeprefix(_etcd.MARKER)):
            if "refused" in answer:
                raise NodeRefused(name, **answer["refused"])
            results.append(answer["result"])
        return results

    def ask_each(
        self, calls: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]], program: str, timeout: float = 60
    ) -> dict[str, list[Any] | NodeError]:
        def ask(name: str) -> list[Any] | NodeError:
            try:
                return cast(list[Any], self.ask(name, program, calls[name], timeout))
            except NodeError as error:
                return error

        with ThreadPoolExecutor(len(calls) or 1) as threads:
            return dict(zip(calls, threads.map(ask, calls), strict=True))


def etcds_of(etcd: OwnEtcd, here: Here, *, external: bool = False) -> Etcds:
    """A node for each member that reaches it by loopback; ``external``: each names all of them."""
    reach = {name: value for name, value in etcd.reach.items() if name != "endpoints"}
    by_node = {
        member.name: Etcd(tuple(etcd.endpoints) if external else (member.client,), **reach) for member in etcd.members
    }
    return Etcds(cast(Nodes, here), by_node)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[OwnEtcd]:
    with own_etcd(tmp_path, members=3) as etcd:
        etcd.put({f"/registry/secrets/default/{at}": NEW.encode() + b"x" * 1000 for at in range(2000)})
        yield etcd


@pytest.fixture
def writers(three: OwnEtcd) -> Iterator[None]:
    """As of API servers, which write their Leases every few seconds."""
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.5):
            three.put({"/registry/leases/kube-system/a": b"k8s\x00"})

    thread = threading.Thread(target=write)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("writers")
def test_members_are_scrubbed_one_after_the_other_and_the_leader_last(three: OwnEtcd) -> None:
    here = Here()
    etcds = etcds_of(three, here)
    marked = {f"/registry/secrets/default/{at}": b"k8s\x00the-former-value" * 40 for at in range(2000)}
    three.put(marked)
    three.put(dict.fromkeys(marked, NEW.encode() + b"y" * 1000))
    before = members_of(etcds)
    leader = next(member for member in before.answering.values() if member.is_leader)
    assert len(before.answering) == 3 and not before.silent and {*health(etcds, 2_000_000)} == set()
    disks = disks_of(etcds, before.answering.values())
    assert disks.keys() == before.answering.keys() and all(isinstance(each, Disk) for each in disks.values())
    *lines, remains = scrubbed(etcds, lambda: None)
    assert [node for node, operation in here.asked if operation == "defragment"][-1] == leader.node
    assert [line.split()[5] for line in lines] == ["compacted", "defragmented"] * 3
    assert lines[-1].split()[3] == leader.name
    assert "m0 has 1 files of its log" in remains and "every backup that was made before" in remains
    for member in three.members:
        assert b"the-former-value" not in (member.folder / "member/snap/db").read_bytes(), member.name
    after = members_of(etcds)
    assert all(after.answering[key].db_size < before.answering[key].db_size for key in before.answering)


def test_members_of_an_external_etcd_are_each_asked_once(three: OwnEtcd) -> None:
    here = Here()
    etcds = etcds_of(three, here, external=True)
    assert len(members_of(etcds).answering) == 3
    only = Etcds(etcds.nodes, {"m0": Etcd((three.endpoints[0],), *etcds_reach(three))})
    assert len(members_of(only).answering) == 3, "the others say themselves where they are"


def etcds_reach(etcd: OwnEtcd) -> tuple[str, str, str]:
    return etcd.reach["ca"], etcd.reach["certificate"], etcd.reach["key"]


def test_a_member_that_is_down_is_an_obstacle(three: OwnEtcd, monkeypatch: pytest.MonkeyPatch) -> None:
    etcds = etcds_of(three, Here())
    three.members[1].stop()
    (told,) = health(etcds, 2_000_000)
    assert told.startswith("The etcd member m1 does not answer") and "etcdctl member remove" in told
    monkeypatch.setattr(_scrub, "_HEALTHY_SECONDS", 0.5)
    with pytest.raises(HardeningError, match="m1 does not answer.*run the same command again"):
        list(scrubbed(etcds, lambda: None))
    three.start(three.members[1])
    three.wait(three.members[1])
    assert list(health(etcds, 2_000_000)) == []


def test_without_a_majority_there_is_no_leader(three: OwnEtcd) -> None:
    etcds = etcds_of(three, Here())
    for member in three.members[:2]:
        member.stop()
    time.sleep(3)
    told = "\n".join(health(etcds, 2_000_000))
    assert "m0 does not answer" in told and "m2 knows of no leader" in told
    three.members[2].stop()
    (told,) = health(etcds, 2_000_000)
    assert told.startswith("No member of etcd answers")


def test_somebody_else_takes_over(three: OwnEtcd) -> None:
    here, allowed = Here(), iter([True, False])

    def still_allowed() -> None:
        if not next(allowed):
            raise HardeningError("another run")

    with pytest.raises(HardeningError, match="another run"):
        list(scrubbed(etcds_of(three, here), still_allowed))
    assert [operation for _node, operation in here.asked].count("defragment") == 1


def test_a_database_without_room_is_an_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_etcd(tmp_path, flags=["--quota-backend-bytes=3000000"]) as etcd:
        etcds = etcds_of(etcd, Here())
        assert list(health(etcds, 500_000)) == []
        (told,) = health(etcds, 1_500_000)
        assert "of the 3 MiB that it may have, and needs 3 MiB more" in told and "--quota-backend-bytes" in told
        assert any(told.endswith("make room.") for told in health(etcds, 1 << 60))
        for at in range(40):
            if etcd.etcdctl("put", f"/registry/secrets/{at}", "x" * 100_000, check=False).returncode:
                break
        told = "\n".join(health(etcds, 0))
        assert "has raised the alarm NOSPACE" in told and "etcdctl alarm disarm" in told
        monkeypatch.setattr(_scrub, "_HEALTHY_SECONDS", 0.5)
        with pytest.raises(HardeningError, match="alarm NOSPACE"):
            list(scrubbed(etcds, lambda: None))


def test_a_member_that_was_added_and_never_started_is_an_obstacle(tmp_path: Path) -> None:
    with own_etcd(tmp_path) as etcd:
        etcd.etcdctl("member", "add", "late", "--learner", "--peer-urls=http://127.0.0.1:1")
        (told,) = health(etcds_of(etcd, Here()), 0)
        assert "does not answer (it has not said where clients reach it, so it has never been started)" in told


def test_nodes_of_two_clusters_are_an_obstacle(tmp_path: Path) -> None:
    with own_etcd(tmp_path) as etcd, own_etcd(tmp_path / "other") as other:
        here = Here()
        both = {"a": etcds_of(etcd, here).by_node["m0"], "b": etcds_of(other, here).by_node["m0"]}
        (told,) = health(Etcds(cast(Nodes, here), both), 0)
        assert "use different etcd clusters" in told


def test_a_gateway_that_is_off_is_told_of_the_scan_alone(tmp_path: Path) -> None:
    with own_etcd(tmp_path, flags=["--enable-grpc-gateway=false"]) as etcd:
        etcds = etcds_of(etcd, Here())
        assert list(health(etcds, 0)) == []
        assert [error.kind for error in _members.members_of(etcds).troubles if isinstance(error, NodeRefused)] == [
            "gateway_off"
        ]
