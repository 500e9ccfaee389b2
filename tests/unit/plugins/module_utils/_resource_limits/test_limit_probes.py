# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import (
    Limit,
    asked,
    limits_of,
    refusals,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._limit_probes import (
    breaking,
    rivals,
    saying_nothing,
)

CONTAINER = {
    "type": "Container",
    "max": {"cpu": "2", "memory": "1Gi"},
    "min": {"cpu": "10m"},
    "default": {"cpu": "500m", "memory": "1Gi"},
    "defaultRequest": {"cpu": "100m", "memory": "1Gi"},
    "maxLimitRequestRatio": {"cpu": "5"},
}
POD = {"type": "Pod", "max": {"cpu": "4"}, "min": {"memory": "2Gi"}, "maxLimitRequestRatio": {"memory": "1500m"}}
CLAIM = {"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}, "min": {"storage": "1Gi"}}


def limits(*items: dict[str, Any]) -> list[Limit]:
    return limits_of({"metadata": {"name": "any"}, "spec": {"limits": list(items)}})


def bounds_of(items: list[dict[str, Any]]) -> set[str]:
    words = {"max": "maximum", "min": "minimum", "maxLimitRequestRatio": "ratio"}
    return {
        f"{item['type']} {word} {name}"
        for item in items
        for field, word in words.items()
        for name in item.get(field, {})
    }


def test_every_bound_is_broken_by_some_probe() -> None:
    items = [CONTAINER, POD, CLAIM]
    found = breaking("any", limits(*items))
    broken = {f"{each.kind} {each.what} {each.resource}" for probe in found for each in probe.breaks}
    assert broken == bounds_of(items)
    for probe in found:
        if probe.obj["kind"] == "Pod":
            told = refusals(asked(probe.obj["spec"], limits(*items)), limits(*items))
            for each in probe.breaks:
                word = "ratio per" if each.what == "ratio" else f"{each.what} {each.resource} usage per"
                assert any(f"{word} {each.kind}" in text for text in told), (each, told)


def test_what_may_not_be_overcommitted_has_its_request_for_its_limit() -> None:
    (probe,) = breaking("any", limits({"type": "Container", "min": {"nvidia.com/gpu": "2", "cpu": "1"}}))
    (container,) = probe.obj["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"nvidia.com/gpu": "1", "cpu": "999m"},
        "limits": {"nvidia.com/gpu": "1"},
    }


def test_other_defaults_are_rivals_where_they_differ() -> None:
    item = {**CONTAINER, "default": {"cpu": "1", "memory": "1Gi"}}
    other = limits_of({"metadata": {"name": "other"}, "spec": {"limits": [item]}})
    assert rivals(limits(CONTAINER), other) == ["the default of cpu is 500m here and 1 in the LimitRange other"]
    assert rivals(limits(CONTAINER), limits(CONTAINER)) == []


def test_claims_are_above_and_below() -> None:
    sizes = [probe.obj["spec"]["resources"]["requests"]["storage"] for probe in breaking("any", limits(CLAIM))]
    assert sizes == [str(2 * 2**30 + 1), str(2**30 - 1)]


def test_a_minimum_of_nothing_cannot_be_broken() -> None:
    assert breaking("any", limits({"type": "Container", "min": {"cpu": "0"}})) == []


def test_a_pod_that_says_nothing_must_get_the_defaults() -> None:
    probe = saying_nothing("any", limits(CONTAINER), (), ["requests.cpu"])
    assert probe
    assert probe.obj["spec"]["containers"][0]["resources"] == {"requests": {}, "limits": {}}
    got = {"requests": {"cpu": "0.1", "memory": "1024Mi"}, "limits": {"cpu": "500m", "memory": "1Gi"}}
    assert probe.missing_in({"spec": {"containers": [{"resources": got}]}}) == ""
    less = {"requests": {"cpu": "50m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    told = probe.missing_in({"spec": {"containers": [{"resources": less}]}})
    assert told == "its request of cpu is 50m, not 100m; its limit of cpu is missing, not 500m"


def test_it_says_what_others_want_said() -> None:
    other = limits_of(
        {
            "metadata": {"name": "other"},
            "spec": {"limits": [{"type": "Container", "min": {"ephemeral-storage": "1Ki"}}]},
        }
    )
    own = limits({"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}})
    probe = saying_nothing("any", own, other, ["limits.memory"])
    assert probe
    said = probe.obj["spec"]["containers"][0]["resources"]["requests"]
    assert said == {"memory": "1", "ephemeral-storage": "1024"}


def test_it_has_as_many_containers_as_a_pod_must_have() -> None:
    probe = saying_nothing("any", limits(CONTAINER, POD), (), [])
    assert probe
    assert len(probe.obj["spec"]["containers"]) == 2


def test_without_defaults_there_is_nothing_to_say_nothing_of() -> None:
    assert saying_nothing("any", limits({"type": "Container", "min": {"cpu": "1m"}}), (), []) is None
    assert saying_nothing("any", limits(POD), (), []) is None
