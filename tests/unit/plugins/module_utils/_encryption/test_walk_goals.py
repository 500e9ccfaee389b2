# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._foresee import foresee
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._goals import (
    UnclearGoal,
    Wanted,
    goal_of,
    intent_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Asked,
    Facts,
    Goal,
    Histogram,
    Intent,
    Key,
    Server,
    State,
)

from tests.unit.plugins.module_utils._encryption.cluster import (
    KEYS,
    RESOURCE,
    Cluster,
    Node,
    facts_of,
    letters_of,
)

NEW = Key("secretbox", "new", "fingerprint of new")
AESCBC = Key("aescbc", "new", "fingerprint of new")
NO_GOAL = Goal({})
ROTATING = Intent("rotate", {RESOURCE: KEYS["B"]}, {RESOURCE: KEYS["A"]})
ENABLING = Intent("enable", {RESOURCE: KEYS["A"]}, {RESOURCE: IDENTITY})
ROLLING_BACK = Intent("roll_back", {RESOURCE: KEYS["A"]}, {RESOURCE: KEYS["B"]})


def facts(*loaded: str, stored: str = "A", intent: Intent | None = None, **changed: Any) -> Facts:
    nodes = tuple(Node(each, each) for each in loaded)
    made = facts_of(Cluster(nodes, frozenset(stored), scan=frozenset(stored)), NO_GOAL)
    return replace(made, intent=intent, scrubbed=False, **changed)


@pytest.mark.parametrize(
    ("asked", "new", "loaded", "intent", "expected"),
    [
        ("enable", NEW, ["", ""], None, NEW),
        ("enable", NEW, ["AI", "AI"], None, KEYS["A"]),
        ("enable", NEW, ["AI", ""], None, KEYS["A"]),
        ("enable", NEW, ["A", "B"], None, NEW),
        ("enable", AESCBC, ["A", "A"], None, AESCBC),
        ("enable", Key("kms_v2", "one"), ["A"], None, Key("kms_v2", "one")),
        ("enable", NEW, ["IA", ""], ENABLING, KEYS["A"]),
        ("enable", AESCBC, ["IA", ""], ENABLING, AESCBC),
        ("rotate", NEW, ["A", "A"], None, NEW),
        ("rotate", NEW, ["AB", "A"], ROTATING, KEYS["B"]),
        ("rotate", NEW, ["A", "A"], ROTATING, NEW),
        ("rotate", NEW, ["AB", "BA"], ROLLING_BACK, NEW),
        ("disable", NEW, ["A", "A"], None, IDENTITY),
        ("disable", NEW, ["AB", "A"], ROTATING, IDENTITY),
        ("roll_back", NEW, ["AB", "BA"], ROTATING, KEYS["A"]),
        ("roll_back", NEW, ["AI", "AI"], ENABLING, IDENTITY),
        ("roll_back", NEW, ["AB", "BA"], ROLLING_BACK, KEYS["A"]),
    ],
)
def test_which_key_shall_write(asked: Asked, new: Key, loaded: list[str], intent: Intent | None, expected: Key) -> None:
    goal = goal_of(Wanted(asked, [RESOURCE], new), facts(*loaded, intent=intent))
    assert (goal.write, goal.asked) == ({RESOURCE: expected}, asked)


def test_a_new_key_that_something_uses_is_never_replaced_by_another_one() -> None:
    gone = facts("A", "A", stored="AB", intent=ROTATING)
    assert goal_of(Wanted("rotate", [RESOURCE], NEW), gone).write == {RESOURCE: KEYS["B"]}


def test_there_has_to_be_something_to_roll_back() -> None:
    with pytest.raises(UnclearGoal, match="no unfinished change of keys"):
        goal_of(Wanted("roll_back", [RESOURCE], NEW), facts("A"))


def test_what_is_not_asked_for_stays_as_it_is() -> None:
    assert goal_of(Wanted("rotate", ["configmaps"], NEW), facts("AI", "AI")).write == {
        RESOURCE: KEYS["A"],
        "configmaps": NEW,
    }
    with pytest.raises(UnclearGoal, match="write secrets with different keys"):
        goal_of(Wanted("enable", ["configmaps"], NEW), facts("AB", "BA"))


def test_a_resource_that_is_asked_for_anew_gets_the_key_that_others_have() -> None:
    assert goal_of(Wanted("enable", ["configmaps", RESOURCE], NEW), facts("AI", "AI")).write == {
        RESOURCE: KEYS["A"],
        "configmaps": KEYS["A"],
    }


def test_what_a_wider_name_covers_is_asked_for_too() -> None:
    assert goal_of(Wanted("rotate", ["*.*"], NEW), facts("AI", "AI")).write == {RESOURCE: NEW, "*.*": NEW}


def test_disabling_reaches_every_resource_that_is_encrypted() -> None:
    assert goal_of(Wanted("disable", [], NEW), facts("AB", "BA")).write == {RESOURCE: IDENTITY}


def test_the_journal_keeps_the_way_back_of_a_walk_that_goes_on() -> None:
    goal = Goal({RESOURCE: KEYS["B"]}, "rotate")
    assert intent_of(facts("AB", "BA"), goal) == ROTATING
    assert intent_of(facts("B", "B", intent=ROTATING), goal) == ROTATING
    assert intent_of(facts("AB", "BA", intent=ROTATING), Goal({RESOURCE: KEYS["A"]}, "roll_back")) == ROLLING_BACK


def test_check_mode_tells_the_states_and_the_number_of_objects() -> None:
    scan = Histogram({RESOURCE: {KEYS["A"].prefix: 9_000, KEYS["B"].prefix: 1_000}}, {RESOURCE: 10_000})
    known = facts("A", "A", "A", histogram=scan, available=frozenset({KEYS["B"]}))
    foreseen = foresee(known, Goal({RESOURCE: KEYS["B"]}, "rotate"))
    assert foreseen.states == tuple(State)[1:]
    assert (foreseen.objects, foreseen.refused) == (9_000, "")
    assert [letters_of(each) for each in foreseen.configurations] == ["AB", "BA", "B"]


@pytest.mark.parametrize(
    ("loaded", "stored", "goal", "expected"),
    [
        ("", "I", "A", ["IA", "AI", "A"]),
        ("A", "A", "I", ["AI", "IA", ""]),
        ("BA", "AB", "A", ["AB", "A"]),
        ("A", "A", "A", []),
    ],
)
def test_the_configurations_on_the_way(loaded: str, stored: str, goal: str, expected: list[str]) -> None:
    known = facts(loaded, loaded, stored=stored, available=frozenset({KEYS["A"]}))
    foreseen = foresee(known, Goal({RESOURCE: KEYS[goal]}))
    assert [letters_of(each) for each in foreseen.configurations] == expected
    assert foreseen.refused == ""
    assert foreseen.states[-1] is State.DONE


def test_check_mode_tells_where_a_walk_would_be_refused() -> None:
    foreseen = foresee(facts("BA", "BA", stored="AB", stuck=("default/one",)), Goal({RESOURCE: KEYS["B"]}))
    assert foreseen.refused.startswith("1 of the objects could not be rewritten: default/one.")
    assert State.DROP_OLD not in foreseen.states


def test_what_is_half_encrypted_and_not_asked_for_is_not_decrypted() -> None:
    present = {"secrets": (KEYS["A"],), "configmaps": (IDENTITY, KEYS["A"])}
    known = Facts((Server("0", present, present),))
    with pytest.raises(UnclearGoal, match="write configmaps in plain text and read the secretbox key A too"):
        goal_of(Wanted("enable", ("secrets",), KEYS["B"]), known)
    assert goal_of(Wanted("enable", ("secrets", "configmaps"), KEYS["B"]), known).write.keys() == present.keys()
