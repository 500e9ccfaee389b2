# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy would say of live quotas and limits."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._discover import of_namespace
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import objects


def quota(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"kind": "ResourceQuota", "metadata": {"name": name, "labels": labels or {}}, "spec": spec}


def limits(name: str, *items: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"kind": "LimitRange", "metadata": {"name": name, **metadata}, "spec": {"limits": list(items)}}


def test_what_is_said_makes_the_very_objects_that_there_are() -> None:
    by_class = [{"scopeName": "PriorityClass", "operator": "In", "values": ["high", "low"]}]
    live = [
        quota("hardening-quota", hard={"pods": "20"}),
        quota(
            "team", hard={"requests.cpu": "500m", "count/jobs.batch": "3"}, scopes=["NotTerminating", "NotBestEffort"]
        ),
        quota("urgent", hard={"pods": "5"}, scopeSelector={"matchExpressions": by_class}),
    ]
    ranges = [
        limits("hardening-limits", {"type": "Pod", "max": {"cpu": "4"}}),
        limits(
            "small",
            {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}},
            {"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}},
        ),
    ]
    found = of_namespace("shop", live, ranges, "policy")
    assert found.settings == {
        "quota": {"pods": "20"},
        "quotas": {
            "team": {
                "hard": {"requests.cpu": "500m", "count/jobs.batch": "3"},
                "scopes": ["NotTerminating", "NotBestEffort"],
            },
            "urgent": {
                "hard": {"pods": "5"},
                "scope_selector": [{"scope_name": "PriorityClass", "operator": "In", "values": ["high", "low"]}],
            },
        },
        "limits": {"pod": {"max": {"cpu": "4"}}},
        "limit_ranges": {
            "small": {
                "persistent_volume_claim": {"min": {"storage": "1Gi"}},
                "container": {"max": {"cpu": "1"}, "default": {"cpu": "1"}, "default_request": {"cpu": "1"}},
            }
        },
    }
    assert not found.comments
    made = {(each["kind"], each["metadata"]["name"]): each["spec"] for each in objects("shop", found.settings)}
    assert made == {(each["kind"], each["metadata"]["name"]): each["spec"] for each in [*live, *ranges]}


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (quota("empty"), "a policy cannot say it"),
        (quota("hardening-quota", hard={"pods": "1"}, scopes=["Terminating"]), "this is what quota says"),
        (quota("new", hard={"pods": "1"}, scopes=["OfTomorrow"]), "'OfTomorrow' is not one of"),
        (quota("theirs", {"hardening.kubernetes/set": "b"}, hard={"pods": "1"}), "it belongs to the set b"),
        (limits("images", {"type": "openshift.io/Image", "max": {"storage": "1Gi"}}), "limits of openshift.io/Image"),
        (limits("nothing", {"type": "Pod"}), "a policy cannot say all of it"),
        (limits("odd", {"type": "Pod", "max": {"cpu": "1"}, "min": {"cpu": "2"}}), "1 is less than min 2"),
    ],
)
def test_what_a_policy_cannot_say_is_left_out_with_the_reason(live: dict[str, Any], why: str) -> None:
    kinds = {"ResourceQuota": [], "LimitRange": [], live["kind"]: [live]}
    found = of_namespace("shop", kinds["ResourceQuota"], kinds["LimitRange"], "policy")
    assert found.settings == {}
    assert [
        f"{live['kind']} {live['metadata']['name']} is left out" in found.comments[0],
        why in found.comments[0],
    ] == [
        True,
        True,
    ], found.comments


def test_who_else_keeps_a_quota_is_told_and_what_is_going_is_not() -> None:
    owned = quota("owned", hard={"pods": "1"})
    owned["metadata"]["ownerReferences"] = [{"kind": "Tenant", "name": "a"}]
    going = limits("going", {"type": "Pod", "max": {"cpu": "1"}}, deletionTimestamp="2026-01-01T00:00:00Z")
    found = of_namespace("shop", [owned], [going], "policy")
    assert found.settings == {"quotas": {"owned": {"hard": {"pods": "1"}}}}
    assert "ResourceQuota owned (Tenant a)" in found.comments[0]
