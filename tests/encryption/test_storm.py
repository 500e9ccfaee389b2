# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test of the tests: a rotation by hand in the right order is faultless, and every wrong one is found."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.encryption import etcd
from tests.encryption.by_hand import ByHand
from tests.encryption.clusters import Cluster
from tests.encryption.door import Door
from tests.encryption.invariants import is_encrypted, nothing_is_lost
from tests.encryption.storm import Storm, planned, rough

BASE = 60
A_WHILE = 4

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def by_hand(_three: Cluster) -> ByHand:
    """Three servers that read a file which no program of ours has written."""
    _three.reset()
    hand = ByHand(_three)
    hand.write(["-", "one"])
    _three.each(hand.enable)
    return hand


@pytest.fixture
def storm(by_hand: ByHand) -> Iterator[Storm]:
    """All is written with one key, and others are read; what a test leaves, the servers can read in the end."""
    by_hand.load(["one", "two", "three", "-"])
    storm = Storm(by_hand.cluster, base=BASE)
    by_hand.rewrite()
    yield storm
    by_hand.load(["one", "two", "three", "-"])
    storm.clear()


def test_the_right_order_is_faultless(by_hand: ByHand, storm: Storm) -> None:
    with planned(storm):
        by_hand.load(["one", "two"])
        by_hand.load(["two", "one"])
        by_hand.rewrite()
        by_hand.load(["two"])
        time.sleep(A_WHILE)
    assert is_encrypted(by_hand.cluster, storm, "secretbox") == "two"


def test_a_server_that_writes_what_others_cannot_read_is_found(by_hand: ByHand, storm: Storm) -> None:
    cluster = by_hand.cluster
    by_hand.load(["one"])
    with storm:
        by_hand.load(["two", "one"], cluster.nodes[:1])
        time.sleep(A_WHILE)
    assert any("500" in fault for fault in storm.judge_planned()), storm.told()
    assert storm.judge_killed(), "this may not be where servers are killed, either"
    with pytest.raises(AssertionError):
        nothing_is_lost(cluster, storm)
    by_hand.load(["two", "one"])
    nothing_is_lost(cluster, storm)


def test_a_key_that_is_dropped_too_early_is_found(by_hand: ByHand, storm: Storm) -> None:
    with storm:
        by_hand.load(["two"])
        time.sleep(A_WHILE)
    assert any("500" in fault for fault in storm.judge_killed()), storm.told()


def test_a_lost_secret_a_wrong_content_and_another_key_are_found(by_hand: ByHand, storm: Storm) -> None:
    cluster = by_hand.cluster
    with storm:
        etcd.delete(cluster, f"/registry/secrets/{storm.namespace}/base-00001")
        door = Door(cluster.addresses[cluster.nodes[0]], cluster.context())
        path = f"/api/v1/namespaces/{storm.namespace}/secrets/base-00002"
        answer = door.ask("PATCH", path, {"data": {"value": "dGhyZWU="}}, "application/merge-patch+json")
        assert answer.status == 200, answer.told
        by_hand.load(["three", "one"])
        time.sleep(A_WHILE)
        by_hand.load(["one"])
    found = "\n".join(storm.judge_killed() + storm.all_is_there())
    assert "base-00001 holds nothing" in found and "base-00002 holds 'three'" in found, found
    with pytest.raises(AssertionError):
        is_encrypted(cluster, storm, "secretbox")


def test_killed_servers_cause_errors_and_no_faults(by_hand: ByHand, storm: Storm) -> None:
    cluster = by_hand.cluster
    with rough(storm):
        cluster.engine.docker("kill", cluster.nodes[1])
        cluster.on(etcd.leader(cluster), "pkill", "-KILL", "-x", "etcd")
        time.sleep(A_WHILE)
        cluster.start()
        time.sleep(A_WHILE)
    assert {each.address for each in storm.seen.outages} >= {cluster.addresses[cluster.nodes[1]]}
    assert storm.restarts.count(cluster.addresses[cluster.nodes[1]]) == 1
