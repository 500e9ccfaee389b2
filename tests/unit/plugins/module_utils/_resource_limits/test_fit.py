# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import limits_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._fit import (
    misfits,
    overdrawn,
    quotas_of,
    templates,
    uncounted,
    used_by,
)

LIMITS = limits_of(
    {
        "metadata": {"name": "any"},
        "spec": {
            "limits": [
                {"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "100m"}},
                {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}},
            ]
        },
    }
)


def workload(kind: str, name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    version = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
    template = {"metadata": {"labels": {"app": name}}, "spec": spec or containers({})}
    body = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}", **metadata}
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": body}


def pod(name: str, spec: dict[str, Any] | None = None, phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "shop", **metadata}
    return {"kind": "Pod", "metadata": meta, "spec": spec or containers({}), "status": {"phase": phase}}


def containers(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"containers": [{"name": f"c{at}", "resources": each} for at, each in enumerate(resources)]}


def owned(kind: str, name: str) -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]}


def quota(name: str, hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    status = {} if used is None else {"status": {"hard": hard, "used": used}}
    return {"kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": hard, **spec}, **status}


def test_what_starts_next_is_asked_of_who_starts_it() -> None:
    made = [
        workload("Deployment", "web"),
        workload("ReplicaSet", "web-1", **owned("Deployment", "web")),
        workload("CronJob", "night"),
        {**workload("Job", "done"), "status": {"conditions": [{"type": "Complete", "status": "True"}]}},
    ]
    pods = [
        pod("web-1-a", **owned("ReplicaSet", "web-1")),
        pod("alone"),
        pod("finished", phase="Succeeded"),
        pod("db-0", **owned("Postgres", "db")),
        pod("db-1", **owned("Postgres", "db")),
        pod("static", annotations={"kubernetes.io/config.mirror": "x"}),
    ]
    subjects = [each.subject for each in templates(pods, made)]
    assert subjects == ["Deployment/shop/web", "CronJob/shop/night", "Pod/shop/alone", "Postgres/shop/db"]


def test_a_template_is_submitted_as_a_pod_that_asks_for_the_same() -> None:
    spec = {
        **containers({"requests": {"cpu": "1"}}),
        "initContainers": [
            {"name": "s", "restartPolicy": "Always", "image": "x", "securityContext": {"privileged": True}}
        ],
        "hostPID": True,
        "priorityClassName": "high",
        "runtimeClassName": "kata",
    }
    (template,) = templates([], [workload("Deployment", "web", spec)])
    sent = template.pod()
    assert sent["metadata"]["labels"] == {"app": "web"}
    assert sent["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "1"}}
    assert sent["spec"]["initContainers"][0]["restartPolicy"] == "Always"
    assert not sent["spec"]["initContainers"][0]["securityContext"].get("privileged")
    assert (sent["spec"]["priorityClassName"], sent["spec"]["runtimeClassName"]) == ("high", "kata")
    assert "hostPID" not in sent["spec"]


@pytest.mark.parametrize(
    ("resources", "hard", "told"),
    [
        ({}, {"requests.cpu": "4"}, []),
        ({}, {"requests.memory": "4Gi"}, ["failed quota: q: must specify requests.memory for: c0"]),
        (
            {"requests": {"cpu": "500m"}},
            {"requests.cpu": "400m"},
            ["one pod alone asks for 500m of requests.cpu, and the quota q allows 400m"],
        ),
        ({"limits": {"cpu": "2"}}, {}, ["maximum cpu usage per Container is 1, but limit is 2"]),
        ({}, {"pods": "0"}, []),
    ],
)
def test_what_would_be_refused(resources: dict[str, Any], hard: dict[str, str], told: list[str]) -> None:
    (template,) = templates([], [workload("Deployment", "web", containers(resources))])
    assert misfits(template, LIMITS, quotas_of([quota("q", hard)])) == told


def test_claims_that_come_with_a_workload_are_judged_too() -> None:
    made = workload("StatefulSet", "db")
    claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    made["spec"]["volumeClaimTemplates"] = [claim]
    (template,) = templates([], [made])
    assert misfits(template, LIMITS, []) == ["its claim data asks for 2Gi of storage, and the maximum is 1Gi"]


def test_what_is_used_is_what_runs() -> None:
    asking = containers({"requests": {"cpu": "1500m"}})
    used = used_by([pod("a", asking), pod("b", asking), pod("c", asking, "Failed")], [workload("Deployment", "web")])
    assert (used["requests.cpu"], used["pods"], used["count/pods"], used["count/deployments.apps"]) == (3, 2, 3, 1)


def test_above_a_quota_the_servers_count_goes_first() -> None:
    counted = used_by([pod("a"), pod("b")], [])
    found = quotas_of([quota("new", {"pods": "1"}), quota("old", {"pods": "1"}, {"pods": "1"})])
    assert [overdrawn(each, counted) for each in found] == [["2 of pods is used, and the quota new allows 1"], []]


def test_a_quota_with_scopes_is_left_to_the_server() -> None:
    assert quotas_of([quota("scoped", {"pods": "0"}, scopes=["BestEffort"])]) == []


def test_what_nobody_has_counted_is_named() -> None:
    hard = {
        "pods": "1",
        "requests.cpu": "1",
        "count/deployments.apps": "1",
        "secrets": "1",
        "count/widgets.example": "1",
    }
    (found,) = quotas_of([quota("q", hard)])
    assert uncounted(found, {}) == ["count/widgets.example", "secrets"]
    (found,) = quotas_of([quota("q", hard, hard)])
    assert uncounted(found, {}) == []
