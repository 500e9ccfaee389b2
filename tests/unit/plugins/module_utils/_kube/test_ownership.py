# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._definitions import read_definitions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import already_right, owned_fields
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._rewrites import as_kept

from tests.unit.plugins.module_utils._kube.fake_api import fields

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
NAMED = {"f:spec": {"f:env": {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}} for name in "ab"}}}
SET = {"f:metadata": {"f:finalizers": {".": {}, 'v:"a"': {}}}}
TWO_IN_A_SET = {"f:metadata": {"f:finalizers": {".": {}, 'v:"a"': {}, 'v:"b"': {}}}}
ONE_PORT_TWICE = {
    "f:spec": {
        "f:ports": {f'k:{{"port":53,"protocol":"{protocol}"}}': {".": {}, "f:port": {}} for protocol in ("UDP", "TCP")}
    }
}
ONE_PORT_TWICE["f:spec"]["f:ports"]['k:{"port":53,"protocol":"UDP"}']["f:protocol"] = {}


def named(names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


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
    "items in our order, others' between them": (
        desired(spec={"env": named("ab")}),
        live(NAMED, spec={"env": named("xayb")}),
    ),
    "an item that leaves out a key, before one that says it": (
        desired(spec={"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}]}),
        live(ONE_PORT_TWICE, spec={"ports": [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}),
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
    "items in another order": (desired(spec={"env": named("ba")}), live(NAMED, spec={"env": named("axb")})),
    "members of a set in another order": (
        desired(metadata={"finalizers": ["b", "a"]}),
        live(TWO_IN_A_SET, metadata={"finalizers": ["a", "b"]}),
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


KNOWN_KINDS = Path(__file__).parents[4] / "integration" / "objects" / "known_kinds.yml"
NEVER_COMPARED = {"apiVersion", "kind", "metadata.name", "metadata.namespace"}
NEVER_CHANGED = "CertificateSigningRequest"
"""Nobody owns its spec, nor can change it."""
QUANTITIES = {
    "HorizontalPodAutoscaler spec.metrics.pods.target.averageValue",
    "LimitRange spec.limits.default.memory",
    "LimitRange spec.limits.defaultRequest.memory",
    "LimitRange spec.limits.max.memory",
    "LimitRange spec.limits.max.storage",
    "PersistentVolume spec.capacity.storage",
    "PersistentVolumeClaim spec.resources.requests.storage",
    "Pod spec.containers.resources.limits.cpu",
    "Pod spec.containers.resources.limits.ephemeral-storage",
    "Pod spec.containers.resources.limits.memory",
    "Pod spec.containers.resources.requests.memory",
    "Pod spec.volumes.emptyDir.sizeLimit",
    "ResourceQuota spec.hard.count/secrets",
    "ResourceQuota spec.hard.limits.memory",
    "ResourceQuota spec.hard.requests.cpu",
    "RuntimeClass overhead.podFixed.memory",
    "StatefulSet spec.volumeClaimTemplates.spec.resources.requests.storage",
}
BYTES = {"ConfigMap binaryData.bytes", "Secret data.password", "Secret data.token", "Secret data.user"}
REWRITTEN: dict[tuple[str, str], set[str]] = {
    ("1.10", "1.1"): QUANTITIES,
    ("YQ\n==", "YQ=="): BYTES,
    ("Y Q==", "YQ=="): set(),
    ("ab cd", "abcd"): set(),
    ("101.1.11.11", "10.11.11.11"): set(),
    ("allow: root!!", "allow: !root"): set(),
    ("a", "A"): set(),
    ("value", "values"): set(),
}
"""By what a user writes and what is there, where in any known kind the two mean the same."""


def texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any, str]]:
    """Every text in a value: what holds it, under which key, and the fields that lead there."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in entries:
        below = (*path, key) if isinstance(value, dict) else path
        if isinstance(each, str):
            yield value, key, ".".join(below)
        elif isinstance(each, (dict, list)):
            yield from texts(each, below)


def objects_of_every_kind() -> list[dict[str, Any]]:
    read = [as_kept(obj) for obj in read_definitions(KNOWN_KINDS.read_text(), [])]
    return [obj for obj in read if (obj["apiVersion"], obj["kind"]) in KNOWN and obj["kind"] != NEVER_CHANGED]


def as_live(obj: dict[str, Any]) -> dict[str, Any]:
    """The object as a server has it whose lists are all atomic, once it was applied."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ("name", "namespace")}
    content = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}
    owned = fields({**content, **({"metadata": metadata} if metadata else {})})
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": obj["apiVersion"], "fieldsV1": owned}
    return {**obj, "metadata": {**obj["metadata"], "managedFields": [entry]}}


@pytest.mark.parametrize(("written", "there"), REWRITTEN, ids=map(repr, REWRITTEN))
def test_no_changed_text_is_ever_taken_for_right(written: str, there: str) -> None:
    taken_for_right, seen = set(), 0
    for obj in objects_of_every_kind():
        assert already_right(obj, as_live(obj), MANAGER)
        for holder, key, path in texts(obj):
            where = f"{obj['kind']} {path}"
            if path in NEVER_COMPARED:
                continue
            before, holder[key] = holder[key], there
            found = deepcopy(as_live(obj))
            holder[key] = written
            if already_right(obj, found, MANAGER):
                taken_for_right.add(where)
            holder[key] = before
            seen += 1
    assert taken_for_right == REWRITTEN[written, there]
    assert seen > 250
