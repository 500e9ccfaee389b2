# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._content import (
    NOTHING,
    content,
    differences,
    merge_patch,
    set_back,
)


def test_what_servers_keep_for_themselves_is_no_content() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "a", "namespace": "b", "uid": "u", "resourceVersion": "1", "managedFields": []},
        "spec": {"hard": {}},
        "status": {"hard": {}},
    }
    assert content(obj) == {"spec": {"hard": {}}, "metadata": {}}
    assert content(None) == {}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {}, {}),
        ({"spec": {"a": 1, "b": [1]}}, {"spec": {"a": 1, "b": [2]}}, {("spec", "b"): ([1], [2])}),
        ({}, {"spec": {"a": {"b": 1}}}, {("spec", "a", "b"): (NOTHING, 1)}),
        ({"spec": {"a": {}}}, {"spec": {"a": {"b": 1}}}, {("spec", "a", "b"): (NOTHING, 1)}),
        ({"spec": {"a": {"b": 1}}}, {"spec": {"a": {}}}, {("spec", "a", "b"): (1, NOTHING)}),
        ({"spec": {}}, {"spec": {"a": {}}}, {("spec", "a"): (NOTHING, {})}),
        ({"spec": {"a": 1}}, {"spec": {"a": {"b": 1}}}, {("spec", "a"): (1, {"b": 1})}),
        ({"spec": {"a": False}}, {"spec": {"a": None}}, {("spec", "a"): (False, None)}),
    ],
)
def test_differences_enter_maps_and_take_lists_as_one(before: Any, after: Any, found: Any) -> None:
    assert differences(before, after) == found


@pytest.mark.parametrize(
    ("state", "before", "after", "wanted"),
    [
        # What others added stays, also in a map that the change made.
        ({"spec": {"a": {"b": 1, "c": 2}}}, {}, {"spec": {"a": {"b": 1}}}, {"spec": {"a": {"c": 2}}}),
        # A map that is empty by it goes where there was none, and stays where there was.
        ({"spec": {"a": {"b": 1}, "z": 0}}, {"spec": {"z": 0}}, {"spec": {"a": {"b": 1}, "z": 0}}, {"spec": {"z": 0}}),
        ({"spec": {"a": {"b": 1}}}, {"spec": {"a": {}}}, {"spec": {"a": {"b": 1}}}, {"spec": {"a": {}}}),
        ({"spec": {}}, {"spec": {"a": {"b": [1]}}}, {"spec": {}}, {"spec": {"a": {"b": [1]}}}),
    ],
)
def test_a_change_is_set_back_where_it_was_made(state: Any, before: Any, after: Any, wanted: Any) -> None:
    assert set_back(state, before, differences(before, after)) == wanted


def test_a_patch_takes_the_last_label() -> None:
    live, wanted = {"metadata": {"labels": {"a": "b"}}}, {"metadata": {"name": "x"}}
    assert merge_patch(content(live), content(wanted)) == {"metadata": {"labels": None}}


def test_the_metadata_itself_never_goes() -> None:
    state = {"metadata": {"labels": {"a": "b"}}}
    assert set_back(state, {}, [("metadata", "labels", "a")]) == {"metadata": {}}


def _patched(target: Any, patch: Any) -> Any:
    """RFC 7386, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _patched(result.get(key), value)
    return result


def _any_map(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    def value() -> Any:
        if depth < 3 and chance.random() < 0.5:
            return _any_map(chance, depth + 1)
        return chance.choice([0, 1, "a", "b", [], [1], ["a", {"b": 1}], True])

    return {key: value() for key in "abcd" if chance.random() < 0.6}


@pytest.mark.parametrize("seed", range(25))
def test_a_merge_patch_makes_of_anything_anything(seed: int) -> None:
    chance = random.Random(seed)
    live, wanted = ({"spec": _any_map(chance)} for _each in "ab")
    assert _patched(live, merge_patch(live, wanted)) == wanted, seed
    assert merge_patch(live, live) == {}


@pytest.mark.parametrize("seed", range(25))
def test_what_is_changed_and_set_back_is_as_before(seed: int) -> None:
    chance = random.Random(seed)
    before, after = ({"spec": _any_map(chance)} for _each in "ab")
    assert set_back(after, before, differences(before, after)) == before, seed
