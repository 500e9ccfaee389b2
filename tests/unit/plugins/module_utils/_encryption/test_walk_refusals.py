# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Action,
    Facts,
    Goal,
    Histogram,
    Key,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._walk import next_step

from tests.unit.plugins.module_utils._encryption.cluster import (
    KEYS,
    RESOURCE,
    Cluster,
    Node,
    configurations,
    facts_of,
    providers_of,
    subsets,
)

TO_B = Goal({RESOURCE: KEYS["B"]}, "rotate")


def facts(*nodes: Node, stored: str = "A", **changed: Any) -> Facts:
    return replace(facts_of(Cluster(nodes, frozenset(stored), scan=frozenset(stored)), TO_B, "AB"), **changed)


def refusal(known: Facts, goal: Goal = TO_B) -> str:
    step = next_step(known, goal)
    assert step.action is Action.REFUSE
    return step.why


def server(**changed: Any) -> Server:
    return replace(Server("node-1", providers_of("A"), providers_of("A")), **changed)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (server(state="unanswered", trouble="timed out"), "API server node-1 could not be asked (timed out)"),
        (server(loaded=None, trouble="sha256:12"), "has loaded a configuration that is on no node (sha256:12)"),
        (server(file=None, trouble="two keys k1"), "on the node of node-1 cannot be used (two keys k1)"),
        (
            server(loaded={}, file={}, version="v1.33.9"),
            "node-1 is of version v1.33.9, and API servers say from 1.34 on",
        ),
        (server(file={"configmaps": (KEYS["A"],)}), "names the resource configmaps"),
        (server(kept=frozenset({Key("secretbox", "A", "another")})), "two different keys with the name of the"),
    ],
)
def test_a_server_of_which_not_all_is_known_stops_everything(found: Server, words: str) -> None:
    known = facts(Node("A", "A"), Node("A", "A"))
    assert words in refusal(replace(known, servers=(known.servers[0], found)))


def test_a_file_that_cannot_be_used_is_told_once() -> None:
    known = facts(Node("A", "A"))
    told = refusal(replace(known, servers=(server(loaded=None, file=None, trouble="/etc/file is no map."),)))
    assert told.startswith("The encryption configuration on the node of node-1 cannot be used (/etc/file is no map). ")
    assert "\n" not in told


def test_a_server_that_is_too_old_to_say_what_it_has_loaded_is_told_once() -> None:
    known = facts(Node("A", "A"))
    told = refusal(replace(known, servers=(server(loaded=None, version="v1.9.11-eks-1", trouble="it says nothing"),)))
    assert told.endswith("Upgrade the control plane first.")
    assert "\n" not in told and "on no node" not in told


@pytest.mark.parametrize("version", ["v1.34.0", "v1.34.0-rc.1", "v1.40.1+k3s1", "v2.0.0", ""])
def test_a_server_that_is_new_enough_or_of_no_known_version_is_not_refused_for_that(version: str) -> None:
    known = facts(Node("A", "A"))
    assert next_step(replace(known, servers=(server(version=version),)), TO_B).action is not Action.REFUSE


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"servers": ()}, "No kube-apiserver was found"),
        ({"unscannable": "etcd's gateway is off"}, "cannot be seen: etcd's gateway is off"),
        ({"obstacles": ("etcd is full.",)}, "etcd is full."),
        (
            {"sources": {"the inventory": frozenset("0"), "the EndpointSlice": frozenset("01")}},
            "the inventory does not know the API server 1",
        ),
    ],
)
def test_what_the_preflight_finds_stops_everything(changed: dict[str, Any], words: str) -> None:
    assert words in refusal(facts(Node("A", "A"), **changed))


def test_values_that_nobody_can_read_are_counted_by_their_prefix() -> None:
    strange = Histogram({RESOURCE: {"k8s:enc:aescbc:v1:2024-01-01T00:00:00Z:": 7}}, {})
    assert "7 values of secrets in etcd start with «k8s:enc:aescbc:v1:2024-01-01T00:00:00Z:»" in refusal(
        facts(Node("A", "A"), histogram=strange)
    )


def test_every_reason_is_told_at_once() -> None:
    known = facts(Node("A", "A"), obstacles=("etcd is full.",), unscannable="its gateway is off")
    assert len(refusal(known).splitlines()) == 2


def test_a_server_that_is_off_is_repaired_first_and_then_waited_for() -> None:
    before = next_step(facts(Node("BA", "BA"), Node("A", None), stored="AB"), TO_B)
    assert (before.action, before.files) == (Action.CONFIGURE, {"1": providers_of("AB")})
    assert "The API server 1 is not running" in refusal(facts(Node("BA", "BA"), Node("AB", None), stored="AB"))


def test_a_key_that_is_needed_and_on_no_node_is_asked_for() -> None:
    """From every pair of servers and every content of etcd, with no key from anywhere but the nodes' files."""
    every = [Node(file, loaded) for file in configurations("AB") for loaded in configurations("AB")]
    asked_for = 0
    for one in every:
        for other in every:
            for stored in subsets("AB"):
                known = facts(one, other, stored="".join(stored), available=frozenset())
                used = {"B", one.file[0], other.file[0], str(one.loaded)[0], str(other.loaded)[0], *stored}
                lost = used - set(one.file) - set(other.file)
                step = next_step(known, TO_B)
                assert (step.action is Action.REFUSE) == bool(lost)
                assert all(f"secretbox key {letter} " in step.why or KEYS[letter].prefix in step.why for letter in lost)
                asked_for += bool(lost)
    assert asked_for


def test_what_hinders_a_change_of_keys_is_told_before_anything_is_touched() -> None:
    known = replace(facts(Node("A", "A")), hindrances=("There is no room.",), intent=None)
    assert next_step(known, TO_B).action is Action.REFUSE
    assert "There is no room." in refusal(known)


def test_a_server_that_cannot_read_what_is_used_gets_the_key_whatever_hinders_the_rest() -> None:
    known = replace(facts(Node("A", "A"), Node("B", "B"), stored="AB"), hindrances=("There is no room.",))
    step = next_step(replace(known, available=frozenset(KEYS[letter] for letter in "AB")), TO_B)
    assert step.action is Action.CONFIGURE


def test_what_would_hinder_a_change_is_no_failure_where_there_is_nothing_to_change() -> None:
    known = replace(facts(Node("B", "B", settled=True), stored="B"), hindrances=("There is no room.",), intent=None)
    assert next_step(known, TO_B).action is not Action.REFUSE
