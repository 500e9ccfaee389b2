# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import already_right, owned_fields

MANAGER = "tests"


def live(fields: dict[str, Any], **content: Any) -> dict[str, Any]:
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields}
    metadata = {
        "name": "a",
        "managedFields": [{"manager": "other", "operation": "Update"}, entry],
        **content.pop("metadata", {}),
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, **content}


def desired(**content: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", **content.pop("metadata", {})},
        **content,
    }


SPEC = {"f:spec": {"f:replicas": {}}}
KEYED = {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}}}}}
SET = {"f:metadata": {"f:finalizers": {".": {}, 'v:"a"': {}}}}

RIGHT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a value that we own": (desired(spec={"replicas": 2}), live(SPEC, spec={"replicas": 2, "paused": True})),
    "labels beside others": (
        desired(metadata={"labels": {"a": "1"}}),
        live({"f:metadata": {"f:labels": {"f:a": {}}}}, metadata={"labels": {"a": "1", "b": "2"}}),
    ),
    "nothing desired, nothing owned": (desired(), live({})),
    "an item found by keys with a default": (
        desired(spec={"ports": [{"port": 80, "name": "web"}]}),
        live(KEYED, spec={"ports": [{"port": 53, "protocol": "UDP"}, {"port": 80, "protocol": "TCP", "name": "web"}]}),
    ),
    "a member of a set": (desired(metadata={"finalizers": ["a"]}), live(SET, metadata={"finalizers": ["b", "a"]})),
    "an atomic list": (desired(spec={"args": ["a", "b"]}), live({"f:spec": {"f:args": {}}}, spec={"args": ["a", "b"]})),
    "a zero value that the server keeps nowhere": (
        desired(spec={"hostNetwork": False}),
        live({"f:spec": {"f:hostNetwork": {}}}, spec={}),
    ),
    "an empty list that vanished": (desired(spec={"replicas": 2, "ingress": []}), live(SPEC, spec={"replicas": 2})),
}
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another value": (desired(spec={"replicas": 2}), live(SPEC, spec={"replicas": 3})),
    "the right value, owned by somebody else": (desired(spec={"replicas": 2}), live({}, spec={"replicas": 2})),
    "a field that we own and no longer want": (
        desired(spec={"replicas": 2}),
        live({"f:spec": {"f:replicas": {}, "f:paused": {}}}, spec={"replicas": 2, "paused": True}),
    ),
    "a label that we own and no longer want": (
        desired(),
        live({"f:metadata": {"f:labels": {"f:a": {}}}}, metadata={"labels": {"a": "1"}}),
    ),
    "a value that somebody took out": (desired(spec={"replicas": 2}), live(SPEC, spec={})),
    "an item too few": (
        desired(spec={"ports": [{"port": 80, "name": "web"}, {"port": 81}]}),
        live(KEYED, spec={"ports": [{"port": 80, "protocol": "TCP", "name": "web"}]}),
    ),
    "another item": (
        desired(spec={"ports": [{"port": 81, "name": "web"}]}),
        live(KEYED, spec={"ports": [{"port": 80, "protocol": "TCP", "name": "web"}]}),
    ),
    "an item with another value": (
        desired(spec={"ports": [{"port": 80, "name": "web"}]}),
        live(KEYED, spec={"ports": [{"port": 80, "protocol": "TCP", "name": "other"}]}),
    ),
    "another member of a set": (
        desired(metadata={"finalizers": ["b"]}),
        live(SET, metadata={"finalizers": ["a", "b"]}),
    ),
    "another order of an atomic list": (
        desired(spec={"args": ["b", "a"]}),
        live({"f:spec": {"f:args": {}}}, spec={"args": ["a", "b"]}),
    ),
    "a zero value that we do not own": (desired(spec={"hostNetwork": False}), live({"f:spec": {}}, spec={})),
    "an empty map in place of a full one": (
        desired(spec={"emptyDir": {}}),
        live({"f:spec": {"f:emptyDir": {}}}, spec={"emptyDir": {"sizeLimit": "1Gi"}}),
    ),
    "a map where a value was": (desired(spec={"a": {"b": 1}}), live({"f:spec": {"f:a": {"f:b": {}}}}, spec={"a": 1})),
}


@pytest.mark.parametrize(("wanted", "found"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_needs_no_write(wanted: dict[str, Any], found: dict[str, Any]) -> None:
    assert already_right(wanted, found, MANAGER)


@pytest.mark.parametrize(("wanted", "found"), WRONG.values(), ids=WRONG)
def test_what_is_not_right_needs_one(wanted: dict[str, Any], found: dict[str, Any]) -> None:
    assert not already_right(wanted, found, MANAGER)


def test_only_what_was_applied_to_the_object_itself_in_this_version_counts() -> None:
    entries = [
        {"manager": MANAGER, "operation": "Update", "fieldsV1": {"f:a": {}}},
        {"manager": MANAGER, "operation": "Apply", "subresource": "status", "fieldsV1": {"f:b": {}}},
        {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:c": {}}},
    ]
    obj = {"metadata": {"managedFields": entries}}
    assert owned_fields(obj, MANAGER) == owned_fields(obj, MANAGER, "v1") == {"f:c": {}}
    assert owned_fields(obj, MANAGER, "v2") is None
    assert owned_fields(obj, "other") is None
    assert owned_fields({}, MANAGER) is None
