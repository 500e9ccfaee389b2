# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import (
    Limit,
    asked,
    limits_of,
    refusals,
    unsaid,
    usage,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._quota_probes import (
    MOST_CONTAINERS,
    Plan,
    plan,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts

QUOTA = {"requests.cpu": "4", "limits.memory": "8Gi", "pods": "20", "count/deployments.apps": "3"}


def limits(*items: dict[str, Any]) -> list[Limit]:
    return limits_of({"metadata": {"name": "any"}, "spec": {"limits": list(items)}})


def planned(hard: dict[str, str], used: dict[str, str] | None = None, *items: dict[str, Any]) -> Plan:
    return plan(amounts(hard), amounts(used), limits(*items))


def check(found: Plan, hard: dict[str, str], used: dict[str, str] | None, in_force: list[Limit]) -> None:
    """What is promised of every plan, by the rules that the server follows."""
    for probe in found.exceeding:
        pod = asked(probe.pod("any")["spec"])
        assert refusals(pod, in_force) == []
        assert unsaid(pod, hard) == {}
        for name in probe.exceeds:
            assert usage(pod)[name] + amounts(used).get(name, 0) > amounts(hard)[name]
    if found.fitting:
        pod = asked(found.fitting.pod("any")["spec"])
        assert refusals(pod, in_force) == []
        for name, amount in usage(pod).items():
            if name in hard:
                assert amount + amounts(used).get(name, 0) <= amounts(hard)[name]
    told = {name for probe in found.exceeding for name in probe.exceeds}
    assert told | found.counted.keys() | found.untried.keys() == hard.keys()
    assert not told & (found.counted.keys() | found.untried.keys())


def test_one_pod_exceeds_all_that_a_pod_can_exceed() -> None:
    found = planned(QUOTA)
    (probe,) = found.exceeding
    assert probe.exceeds == ("limits.memory", "requests.cpu")
    assert found.counted == {
        "pods": "a pod is only one of them",
        "count/deployments.apps": "it is no resource of containers",
    }
    assert found.fitting
    check(found, QUOTA, None, [])


def test_where_a_container_may_not_ask_for_enough_there_are_several() -> None:
    item = {"type": "Container", "max": {"cpu": "300m"}, "min": {"memory": "16Mi"}}
    found = planned({"requests.cpu": "4"}, None, item)
    (probe,) = found.exceeding
    assert len(probe.containers) == 14
    check(found, {"requests.cpu": "4"}, None, limits(item))


def test_what_a_pod_may_not_exceed_at_once_it_exceeds_one_by_one() -> None:
    item = {"type": "Pod", "max": {"cpu": "2"}}
    quota, used = {"requests.cpu": "4", "requests.memory": "2Gi"}, {"requests.cpu": "3"}
    found = planned(quota, used, item)
    assert [probe.exceeds for probe in found.exceeding] == [("requests.cpu",), ("requests.memory",)]
    check(found, quota, used, limits(item))


def test_a_bound_of_pods_leaves_it_to_what_is_left() -> None:
    item = {"type": "Pod", "max": {"cpu": "2"}}
    found = planned({"requests.cpu": "4"}, {"requests.cpu": "3"}, item)
    assert [probe.exceeds for probe in found.exceeding] == [("requests.cpu",)]
    check(found, {"requests.cpu": "4"}, {"requests.cpu": "3"}, limits(item))


def test_what_no_pod_can_exceed_is_counted() -> None:
    found = planned({"requests.cpu": "4"}, {"requests.cpu": "1"}, {"type": "Pod", "max": {"cpu": "2"}})
    assert not found.exceeding
    assert found.counted == {"requests.cpu": "a LimitRange lets no pod ask for more than 2"}
    assert planned({"requests.memory": "9223372036854775807"}).counted == {"requests.memory": "no pod can ask for more"}


def test_what_only_too_large_a_pod_could_exceed_is_not_called_counted() -> None:
    found = planned({"requests.cpu": "4"}, None, {"type": "Container", "max": {"cpu": "1m"}})
    assert found.untried == {"requests.cpu": f"it would take a pod of more than {MOST_CONTAINERS} containers"}
    assert not found.counted


def test_a_request_may_be_exceeded_where_a_limit_is_not() -> None:
    item = {"type": "Pod", "max": {"cpu": "8"}}
    quota = {"requests.cpu": "4", "limits.cpu": "100"}
    found = planned(quota, None, item)
    assert [probe.exceeds for probe in found.exceeding] == [("requests.cpu",)]
    assert found.counted == {"limits.cpu": "a LimitRange lets no pod ask for more than 8"}
    check(found, quota, None, limits(item))


def test_where_pods_are_full_every_pod_exceeds_them() -> None:
    found = planned({"pods": "2"}, {"pods": "2"})
    assert [probe.exceeds for probe in found.exceeding] == [("pods",)]
    assert found.fitting is None
    assert found.full == "no pod is left that would fit: 0 left of pods"


def test_where_a_quota_is_full_a_pod_that_asks_for_nothing_fits() -> None:
    quota = {"requests.cpu": "2"}
    found = planned(quota, quota)
    assert found.fitting
    check(found, quota, quota, [])
    ratio = {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}
    assert planned(quota, quota, ratio).fitting is None


@pytest.mark.parametrize("seed", range(300))
def test_probes_keep_to_the_rules_whatever_is_in_force(seed: int) -> None:
    chance = random.Random(seed)
    cpu, memory = (["1m", "50m", "250m", "1", "2500m", "7"], ["1", "1Ki", "16Mi", "1Gi", "5G"])
    items: list[dict[str, Any]] = []
    for kind in ("Container", "Pod"):
        item: dict[str, Any] = {"type": kind}
        for field in ("max", "min", "maxLimitRequestRatio"):
            if chance.random() < 0.5:
                values = {"cpu": chance.choice(cpu), "memory": chance.choice(memory)}
                if field == "maxLimitRequestRatio":
                    values = {"cpu": "2", "memory": "1.5"}
                item[field] = {name: value for name, value in values.items() if chance.random() < 0.7}
        items.append(item)
    names = ["cpu", "requests.cpu", "limits.cpu", "requests.memory", "limits.memory", "pods", "services"]
    hard = {
        name: chance.choice(memory if "memory" in name else cpu if "cpu" in name else ["0", "1", "9"])
        for name in chance.sample(names, chance.randint(1, 6))
    }
    used = {name: chance.choice(["0", value]) for name, value in hard.items()}
    check(planned(hard, used, *items), hard, used, limits(*items))
