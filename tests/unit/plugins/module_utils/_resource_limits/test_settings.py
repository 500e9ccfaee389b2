# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import (
    objects,
    says_the_same,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._settings import (
    as_written,
    check_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

SETTINGS = {
    "quota": {"requests.cpu": 4, "pods": 20},
    "limits": {"container": {"default_request": {"cpu": 0.5}, "max_limit_request_ratio": {"cpu": 4}}, "pod": {}},
}


def test_settings_become_objects() -> None:
    said = as_written(SETTINGS)
    limits, quota = objects("shop", said)
    assert quota["metadata"] == {"name": "hardening-quota", "namespace": "shop"}
    assert quota["spec"] == {"hard": {"requests.cpu": "4", "pods": "20"}}
    assert limits["spec"]["limits"] == [
        {"type": "Container", "defaultRequest": {"cpu": "0.5"}, "maxLimitRequestRatio": {"cpu": "4"}}
    ]
    assert objects("shop", {"limits": {}, "quota": {}}) == []


def test_objects_are_held_against_each_other_by_amount() -> None:
    quota, same, more = (
        objects("shop", {"quota": hard})[0]
        for hard in ({"requests.cpu": "4"}, {"requests.cpu": "4000m"}, {"requests.cpu": "4", "pods": "1"})
    )
    assert says_the_same(quota, same)
    assert not says_the_same(quota, {**same, "spec": {**same["spec"], "scopes": ["BestEffort"]}})
    assert not says_the_same(quota, more)
    one, other = (objects("a", {"limits": {"pod": {"max": {"cpu": each}}}})[0] for each in ("1", "1000m"))
    assert says_the_same(one, other)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("4", "namespaces.shop: settings are a mapping"),
        ({"qouta": {}}, "there is no 'qouta', only quota, limits, quotas, limit_ranges, create; did you mean quota?"),
        ({"create": "yes"}, "namespaces.shop.create: 'yes' is neither true nor false"),
        ({"quota": ["pods"]}, "namespaces.shop.quota: ['pods'] is not a mapping"),
        ({"quota": {"cpus": 1}}, "namespaces.shop.quota: 'cpus'; allowed: requests.cpu"),
        ({"quota": {"pods": "x"}}, "namespaces.shop.quota.pods: 'x'; allowed: a quantity"),
        ({"quotas": {"hardening-quota": {"hard": {"pods": 1}}}}, "this is what quota says: say it there"),
        ({"quotas": {"a": {"hard": {"cpus": 1}}}}, "namespaces.shop.quotas.a.hard: 'cpus'; allowed"),
        ({"quotas": {"a": {"hard": {"pods": 1}, "scopes": ["Terminatin"]}}}, "did you mean Terminating?"),
        (
            {"quotas": {"a": {"hard": {"pods": 1}, "scope_selector": [{"scope_name": "PriorityClass"}]}}},
            "quotas.a.scope_selector[0].operator: None is not one of In",
        ),
        ({"limit_ranges": {"a": {"pods": {}}}}, "namespaces.shop.limit_ranges.a: there is no 'pods'"),
        ({"limits": 3}, "namespaces.shop.limits: 3 is not a mapping"),
        ({"limits": {"pods": {}}}, "namespaces.shop.limits: there is no 'pods'"),
        ({"limits": {"pod": 3}}, "namespaces.shop.limits.pod: 3 is not a mapping"),
        ({"limits": {"pod": {"default": {}}}}, "namespaces.shop.limits.pod: there is no 'default'"),
        ({"limits": {"persistent_volume_claim": {"max": {"cpu": 1}}}}, "'cpu'; allowed: storage"),
        ({"limits": {"pod": {"max": {"cpu": 1}, "min": {"cpu": 2}}}}, "limits.pod.max.cpu: 1 is less than min 2"),
    ],
)
def test_every_mistake_is_told_with_its_place(settings: Any, told: str) -> None:
    with pytest.raises(HardeningError) as caught:
        check_settings({"shop": settings, "Shop": {}}, [{"quota": {"pods": 1}}], {"quota": {"pods": -1}})
    assert told in str(caught.value)
    assert "'Shop' cannot be the name of a namespace" in str(caught.value)
    assert "selected[0]: selector is missing" in str(caught.value)
    assert "default.quota.pods: -1; allowed: a quantity that is not below 0" in str(caught.value)


def test_right_settings_are_not_refused() -> None:
    check_settings({"shop": {**SETTINGS, "create": True}}, [{"selector": "a=b", **SETTINGS}], SETTINGS)
