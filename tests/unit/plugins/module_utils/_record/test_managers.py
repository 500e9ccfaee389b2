# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._managers import (
    REVERT_MANAGER,
    fields_of,
    managed,
    owned_by,
    owners,
    restored,
    same_owners,
    tree_of,
)

OURS, THEIRS = "hardening.kubernetes/pod_security", "gitops"


def entry(manager: str, *keys: str, time: str = "2027-01-01T00:00:00Z", **more: str) -> dict[str, Any]:
    """Who owns which labels."""
    fields = {"f:metadata": {"f:labels": {f"f:{key}": {} for key in keys}}}
    base = {"manager": manager, "operation": "Apply", "apiVersion": "v1", "time": time, "fieldsType": "FieldsV1"}
    return {**base, **more, "fieldsV1": fields}


def obj(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(entries)}}


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"f:spec": {}},
        {"f:metadata": {"f:labels": {".": {}, "f:a": {}}, "f:annotations": {"f:b": {}}}},
        {"f:spec": {"f:ports": {'k:{"port":1}': {".": {}, "f:port": {}}, 'v:"x"': {}}}},
    ],
)
def test_fields_are_a_set_and_come_back(tree: dict[str, Any]) -> None:
    assert tree_of(fields_of({"fieldsV1": tree})) == tree


def test_what_was_taken_is_given_back_and_what_was_got_is_given_up() -> None:
    before = obj(entry(THEIRS, "enforce", "team"))
    after = obj(entry(THEIRS, "team"), entry(OURS, "enforce", "mark"))
    assert restored(before, after, after) == [entry(THEIRS, "enforce", "team")]


def test_what_others_own_since_or_gave_up_since_stays_so() -> None:
    before = obj(entry(THEIRS, "enforce", "team"))
    after = obj(entry(THEIRS, "team"), entry(OURS, "enforce"))
    live = obj(entry(OURS, "enforce"), entry("later", "owner"))
    assert restored(before, after, live) == [entry(THEIRS, "enforce"), entry("later", "owner")]


def test_an_entry_that_is_as_before_has_its_time_of_before() -> None:
    before = obj(entry(THEIRS, "a", time="2026-01-01T00:00:00Z"))
    after = obj(entry(THEIRS, "b", time="2027-01-01T00:00:00Z"))
    assert restored(before, after, after) == [entry(THEIRS, "a", time="2026-01-01T00:00:00Z")]


def test_a_manager_that_applies_and_updates_is_two() -> None:
    before = obj(entry(THEIRS, "a"), entry(THEIRS, "b", operation="Update"))
    after = obj(entry(THEIRS, "b", operation="Update"), entry(OURS, "a"))
    assert restored(before, after, after) == [entry(THEIRS, "a"), entry(THEIRS, "b", operation="Update")]


def test_what_later_runs_of_ours_own_is_theirs() -> None:
    first, second = obj(), obj(entry(OURS, "a"))
    live = obj(entry(OURS, "a", "b"))
    assert restored(first, second, live) == [entry(OURS, "b")]


def test_the_revert_owns_nothing_and_subresources_are_left_alone() -> None:
    status = entry("kube-controller-manager", "used", subresource="status")
    live = obj(entry(OURS, "a"), entry(REVERT_MANAGER, "b"), status)
    assert restored(obj(), obj(entry(OURS, "a")), live) == [status]
    assert managed(live) == [entry(OURS, "a"), entry(REVERT_MANAGER, "b")]


@pytest.mark.parametrize(
    ("fields", "path", "owned"),
    [
        ({"f:spec": {"f:podSelector": {}}}, ("spec", "podSelector", "matchLabels", "app"), True),
        ({"f:spec": {"f:podSelector": {}}}, ("spec", "policyTypes"), False),
        ({"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}, ("metadata", "labels", "b"), False),
        ({"f:metadata": {"f:labels": {}}}, ("metadata", "labels", "b"), False),
        ({"f:metadata": {"f:labels": {"f:a": {}}}}, ("metadata", "labels", "a"), True),
        ({"f:spec": {"f:ports": {'k:{"port":1}': {"f:port": {}}}}}, ("spec", "ports"), True),
    ],
)
def test_who_owns_a_path(fields: dict[str, Any], path: tuple[str, ...], owned: bool) -> None:
    live = obj({"manager": THEIRS, "operation": "Apply", "fieldsV1": fields})
    assert bool(owners(live, path)) is owned
    assert bool(owned_by(live, THEIRS)) is True and not owned_by(live, OURS)


def test_owners_come_latest_first() -> None:
    live = obj(entry("a", "x", time="2026-01-01T00:00:00Z"), entry("b", "x", time="2027-01-01T00:00:00Z"))
    assert [each["manager"] for each in owners(live, ("metadata", "labels", "x"))] == ["b", "a"]


def test_the_same_owners_at_another_time_are_the_same() -> None:
    assert same_owners(obj(entry("a", "x", time="1")), obj(entry("a", "x", time="2")))
    assert not same_owners(obj(entry("a", "x")), obj(entry("a", "x", "y")))
    assert same_owners(None, obj())


@pytest.mark.parametrize("seed", range(25))
def test_undone_at_once_everybody_has_what_they_had(seed: int) -> None:
    chance = random.Random(seed)

    def some(manager: str) -> dict[str, Any]:
        return entry(manager, *(key for key in "abcdef" if chance.random() < 0.5))

    before, after = (obj(*(each for each in map(some, "xyz") if fields_of(each))) for _each in "ab")
    before, after = (
        obj(*(each for each in one["metadata"]["managedFields"] if each["fieldsV1"]["f:metadata"]["f:labels"]))
        for one in (before, after)
    )
    assert same_owners(obj(*restored(before, after, after)), before), seed
