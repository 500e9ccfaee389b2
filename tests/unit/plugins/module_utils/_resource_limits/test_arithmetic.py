# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import (
    Limit,
    asked,
    limits_of,
    refusals,
    resource_behind,
    unsaid,
    usage,
)

CPU = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}


def limits(**item: Any) -> list[Limit]:
    item.setdefault("type", "Container")
    return limits_of({"metadata": {"name": "any"}, "spec": {"limits": [item]}})


def spec(*resources: dict[str, Any], init: list[dict[str, Any]] | None = None, **pod: Any) -> dict[str, Any]:
    return {
        "containers": [{"name": f"c{at}", "resources": each} for at, each in enumerate(resources)],
        "initContainers": init or [],
        **pod,
    }


def test_a_container_gets_the_defaults_that_it_does_not_say() -> None:
    in_force = limits(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "10m"})
    (container,) = asked(spec({"requests": {"cpu": "20m"}}), in_force).containers
    assert container.requests == {"cpu": Decimal("0.02")}
    assert container.limits == {"cpu": Decimal(1), "memory": Decimal(2**30)}


def test_a_limit_alone_is_taken_for_the_request_before_any_default() -> None:
    in_force = limits(defaultRequest={"cpu": "10m"})
    (container,) = asked(spec({"limits": {"cpu": "300m"}}), in_force).containers
    assert container.requests["cpu"] == Decimal("0.3")


@pytest.mark.parametrize(
    ("init", "cpu"),
    [
        ([], "0.2"),
        ([{"name": "i", "resources": {"requests": {"cpu": "1"}}}], "1"),
        ([{"name": "i", "resources": CPU}, {"name": "j", "resources": CPU}], "0.2"),
        ([{"name": "s", "restartPolicy": "Always", "resources": CPU}], "0.3"),
        (
            [
                {"name": "s", "restartPolicy": "Always", "resources": CPU},
                {"name": "i", "resources": {"requests": {"cpu": "1"}}},
            ],
            "1.1",
        ),
    ],
)
def test_init_containers_run_before_the_others_and_sidecars_beside_them(init: list[dict[str, Any]], cpu: str) -> None:
    assert asked(spec(CPU, CPU, init=init)).total("requests")["cpu"] == Decimal(cpu)


def test_what_a_pod_says_for_itself_counts_for_the_whole() -> None:
    pod = asked(spec(CPU, {}, resources={"requests": {"cpu": "2"}}))
    assert usage(pod)["requests.cpu"] == Decimal(2)
    assert unsaid(pod, ["requests.cpu"]) == {}


@pytest.mark.parametrize(
    ("item", "resources", "told"),
    [
        ({"max": {"cpu": "1"}}, {}, ["maximum cpu usage per Container is 1.  No limit is specified"]),
        (
            {"max": {"cpu": "1"}},
            {"limits": {"cpu": "1500m"}},
            ["maximum cpu usage per Container is 1, but limit is 1500m"],
        ),
        ({"min": {"cpu": "10m"}}, {}, ["minimum cpu usage per Container is 10m.  No request is specified"]),
        (
            {"min": {"cpu": "10m"}},
            {"requests": {"cpu": "9m"}},
            ["minimum cpu usage per Container is 10m, but request is 9m"],
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "300m"}},
            ["cpu max limit to request ratio per Container is 2, but provided ratio is 3"],
        ),
        ({"type": "Pod", "max": {"cpu": "150m"}}, CPU, ["maximum cpu usage per Pod is 150m, but limit is 200m"]),
        ({"max": {"cpu": "1"}, "min": {"cpu": "10m"}, "maxLimitRequestRatio": {"cpu": "2"}}, CPU, []),
    ],
)
def test_what_a_limit_range_refuses(item: dict[str, Any], resources: dict[str, Any], told: list[str]) -> None:
    assert refusals(asked(spec(resources)), limits(**item)) == told


def test_a_quota_wants_cpu_and_memory_said_by_every_container() -> None:
    pod = asked(spec(CPU, {}, init=[{"name": "i", "resources": {}}]))
    missing = unsaid(pod, ["requests.cpu", "limits.memory", "requests.storage", "pods"])
    assert missing == {"requests.cpu": ["i", "c1"], "limits.memory": ["i", "c0", "c1"]}


def test_what_a_pod_uses_has_the_names_of_quotas() -> None:
    resources = {"requests": {"cpu": "1", "nvidia.com/gpu": "2"}, "limits": {"cpu": "2", "nvidia.com/gpu": "2"}}
    assert usage(asked(spec(resources))) == {
        "pods": 1,
        "count/pods": 1,
        "cpu": 1,
        "requests.cpu": 1,
        "limits.cpu": 2,
        "requests.nvidia.com/gpu": 2,
    }


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("cpu", "cpu"),
        ("requests.memory", "memory"),
        ("limits.ephemeral-storage", "ephemeral-storage"),
        ("requests.nvidia.com/gpu", "nvidia.com/gpu"),
        ("hugepages-2Mi", "hugepages-2Mi"),
        ("requests.hugepages-2Mi", "hugepages-2Mi"),
        ("requests.storage", ""),
        ("gold.storageclass.storage.k8s.io/requests.storage", ""),
        ("pods", ""),
        ("count/deployments.apps", ""),
        ("services.loadbalancers", ""),
    ],
)
def test_which_resource_of_containers_a_quota_is_about(name: str, resource: str) -> None:
    assert resource_behind(name) == resource


def test_what_a_runtime_class_adds_counts_for_a_quota_and_for_no_limit_range() -> None:
    pod = asked(spec(CPU, overhead={"cpu": "50m", "memory": "64Mi"}))
    used = usage(pod)
    assert (used["requests.cpu"], used["limits.cpu"]) == (Decimal("0.15"), Decimal("0.25"))
    assert used["requests.memory"] == 64 * 2**20
    assert "limits.memory" not in used
    assert refusals(pod, limits(type="Pod", max={"cpu": "200m"})) == []
