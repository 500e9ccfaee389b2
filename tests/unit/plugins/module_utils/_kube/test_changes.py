# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._changes import (
    diff,
    difference,
    without_secrets,
)

DIFFERENCES: dict[str, tuple[Any, Any, Any]] = {
    "equal": ({"a": {"b": 1}}, {"a": {"b": 1}}, None),
    "one value": ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ({"b": 2}, {"b": 3})),
    "deep": (
        {"a": {"b": {"c": 1}, "d": 1}},
        {"a": {"b": {"c": 2}, "d": 1}},
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}),
    ),
    "added": ({"a": 1}, {"a": 1, "b": 2}, ({}, {"b": 2})),
    "taken out": ({"a": 1, "b": 2}, {"a": 1}, ({"b": 2}, {})),
    "a list is whole": ({"a": [1, 2]}, {"a": [1, 3]}, ({"a": [1, 2]}, {"a": [1, 3]})),
    "named items": (
        [{"name": "a", "v": 1, "w": 1}, {"name": "b", "v": 1}],
        [{"name": "a", "v": 2, "w": 1}, {"name": "b", "v": 1}],
        ([{"name": "a", "v": 1}], [{"name": "a", "v": 2}]),
    ),
    "named items in another order": (
        [{"name": "a"}, {"name": "b"}],
        [{"name": "b"}, {"name": "a"}],
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}]),
    ),
    "a name twice": (
        [{"name": "a"}, {"name": "a"}],
        [{"name": "a"}],
        ([{"name": "a"}, {"name": "a"}], [{"name": "a"}]),
    ),
}


@pytest.mark.parametrize(("before", "after", "told"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_a_difference_is_only_what_differs(before: Any, after: Any, told: Any) -> None:
    assert difference(before, after) == told


def test_a_diff_leaves_out_what_only_servers_care_for() -> None:
    noise = {"uid": "u", "generation": 1, "managedFields": [{}], "creationTimestamp": "now"}
    note = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    before = {
        "kind": "A",
        "metadata": {"name": "a", "resourceVersion": "1", "annotations": note, **noise},
        "status": {"a": 1},
    }
    after = {"kind": "A", "metadata": {"name": "a", "resourceVersion": "2", "labels": {"x": "y"}}, "status": {"a": 2}}
    assert diff(before, after) == {"before": {"metadata": {}}, "after": {"metadata": {"labels": {"x": "y"}}}}


def test_a_diff_of_what_is_equal_is_empty() -> None:
    assert diff({"metadata": {"name": "a", "uid": "1"}}, {"metadata": {"name": "a", "uid": "2"}}) == {}


def test_creation_and_deletion_show_the_whole_object() -> None:
    obj = {"kind": "A", "metadata": {"name": "a"}}
    assert diff(None, obj) == {"before": {}, "after": obj}
    assert diff(obj, None) == {"before": obj, "after": {}}


def secret(**values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    applied = json.dumps({"data": data})
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "annotations": annotations}, "data": data}


def test_values_of_a_secret_show_that_they_changed_and_never_what_they_are() -> None:
    told = diff(secret(kept="correct horse", changed="battery"), secret(kept="correct horse", changed="staple"))
    assert list(told["before"]["data"]) == list(told["after"]["data"]) == ["changed"]
    assert told["before"]["data"]["changed"] != told["after"]["data"]["changed"]
    everything = json.dumps([told, diff(None, secret(a="correct horse")), diff(secret(a="battery"), None)])
    for word in ("correct horse", "battery", "staple"):
        assert word not in everything and base64.b64encode(word.encode()).decode() not in everything


def test_messages_about_a_secret_lose_its_values() -> None:
    encoded = base64.b64encode(b"correct horse").decode()
    text = f"invalid: 'correct horse' and {encoded} and battery"
    obj = {**secret(a="correct horse"), "stringData": {"b": "battery"}}
    assert without_secrets(text, obj) == "invalid: '…redacted…' and …redacted… and …redacted…"
    assert without_secrets(text, {"kind": "ConfigMap", "data": {"a": "battery"}}) == text


@pytest.mark.parametrize("data", [{"p": {"inner": ["correct horse"]}}, ["correct horse"], "correct horse"], ids=str)
def test_values_of_any_shape_are_secrets(data: Any) -> None:
    obj = {**secret(), "data": data, "stringData": data}
    assert without_secrets("no correct horse here", obj) == "no …redacted… here"
    assert without_secrets("expected map, got &{[correct horse]}", obj) == "expected map, got something else"
    assert "correct horse" not in str(diff(None, obj))
    assert diff(obj, {**obj, "data": ["battery"]})["after"] != diff(obj, {**obj, "data": ["staple"]})["after"]
    text = "expected map, got &{[correct horse]}"
    assert without_secrets(text, {**obj, "kind": "ConfigMap"}) == text
