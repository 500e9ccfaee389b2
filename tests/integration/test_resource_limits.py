# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotas and limits on a real cluster: modules, role and playbooks as a user runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    AUDIT,
    ENFORCE,
    cluster_role_rules,
)

from tests.integration.conftest import CHECKOUT, object_of
from tests.integration.plays import (
    SAFE_SPEC,
    Finding,
    Result,
    run_role,
    run_task,
    wait_until,
    wait_until_known,
    write_kubeconfig,
)

NAMESPACE = KNOWN["v1", "Namespace"]
QUOTA, LIMIT_RANGE = KNOWN["v1", "ResourceQuota"], KNOWN["v1", "LimitRange"]
RBAC = "rbac.authorization.k8s.io/v1"
LIMITS: dict[str, Any] = {
    "container": {
        "max": {"cpu": "2", "memory": "2Gi"},
        "min": {"cpu": "5m"},
        "default": {"cpu": "500m", "memory": "256Mi"},
        "default_request": {"cpu": "100m", "memory": "128Mi"},
        "max_limit_request_ratio": {"cpu": "10"},
    },
    "persistent_volume_claim": {"max": {"storage": "1Gi"}},
}
SETTINGS: dict[str, Any] = {
    "quota": {"requests.cpu": "4", "requests.memory": "8Gi", "pods": 20, "count/deployments.apps": 10},
    "limits": LIMITS,
}


@pytest.fixture
def namespace(client: Client) -> Iterator[Callable[..., str]]:
    """Make namespaces, and delete them afterwards."""
    made: list[str] = []

    def make(name: str, **labels: str) -> str:
        full = unique(f"limits-{name}")
        assert client.create(object_of("Namespace", full, metadata={"labels": labels})).ok
        made.append(full)
        wait_until(lambda: client.get(KNOWN["v1", "ServiceAccount"], "default", full))
        return full

    yield make
    for name in made:
        client.delete(NAMESPACE, name)


def unique(name: str) -> str:
    """A name that no other run uses: a namespace may take minutes to go."""
    return f"{name}-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def run(kubeconfig: Path) -> Callable[..., Result]:
    """Run one task, and return its result."""
    return lambda action, check=False, **arguments: run_task(kubeconfig, action, check, arguments)


@pytest.fixture
def role(kubeconfig: Path, tmp_path: Path) -> Callable[..., tuple[int, str, list[Finding]]]:
    """Run the role, and return exit status, output and findings."""
    return lambda check=False, **variables: run_role(kubeconfig, tmp_path, "resource_limits", check, variables)


def with_resources(**resources: Any) -> dict[str, Any]:
    (container,) = SAFE_SPEC["containers"]
    return {**SAFE_SPEC, "containers": [{**container, "resources": resources}]}


def deployment(name: str, namespace: str, spec: dict[str, Any], replicas: int = 0) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return object_of("Deployment", name, namespace, "apps/v1", spec=body)


def make(client: Client, *objects: dict[str, Any]) -> None:
    for each in objects:
        answer = client.create(each)
        assert answer.ok, answer.message


def foreign_quota(client: Client, namespace: str, hard: dict[str, str]) -> None:
    make(client, object_of("ResourceQuota", "foreign", namespace, spec={"hard": hard}))
    wait_until(lambda: (client.get(QUOTA, "foreign", namespace) or {}).get("status", {}).get("used"))


def of(told: Result | list[Finding], control: str) -> list[Finding]:
    findings = told["findings"] if isinstance(told, dict) else told
    return [finding for finding in findings if finding["control"] == f"resources.{control}"]


def only(told: Result | list[Finding], control: str) -> Finding:
    (finding,) = of(told, control)
    return finding


def statuses(told: Result) -> dict[str, str]:
    return {each["control"].removeprefix("resources."): each["status"] for each in told["findings"]}


def actions(told: Result) -> list[tuple[str, str]]:
    return [(each["kind"], each["action"]) for each in told["objects"]]


def test_from_an_empty_cluster_to_quotas_and_back(client: Client, run: Callable[..., Result]) -> None:
    place = unique("limits-new")
    options = {"namespaces": {place: {**SETTINGS, "create": True}}, "set": place}
    try:
        preview = run("resource_limits", check=True, **options)
        assert actions(preview) == [
            ("Namespace", "created"),
            ("LimitRange", "created"),
            ("ResourceQuota", "created"),
        ]
        seen = run("resource_limits_info", check=True, **options)
        assert {each["would"] for each in seen["findings"]} == {"pass", "not_applicable"}
        assert client.get(NAMESPACE, place) is None
        told = run("resource_limits", **options)
        assert (told["failed"], actions(told)) == (False, actions(preview))
        made = client.get(QUOTA, "hardening-quota", place)
        limits = client.get(LIMIT_RANGE, "hardening-limits", place)
        assert made and limits
        assert made["metadata"]["labels"] == {"hardening.kubernetes/set": place}
        assert int(limits["metadata"]["resourceVersion"]) < int(made["metadata"]["resourceVersion"])
        seen = run("resource_limits_info", **options)
        assert statuses(seen) == {
            "limits": "pass",
            "quota": "pass",
            "quota_counted": "pass",
            "running_fit": "not_applicable",
            "policy.leftovers": "pass",
        }
        quota = only(seen, "quota")
        assert quota["proof"] == "effect"
        assert (
            "asks for more of requests.cpu, requests.memory is refused with: exceeded quota: hardening-quota"
            in (quota["evidence"])
        )
        assert "one that fits is let in, 3 times in a row" in quota["evidence"]
        counted = only(seen, "quota_counted")
        assert counted["proof"] == "server"
        assert "count/deployments.apps (it is no resource of containers)" in counted["evidence"]
        assert "pods (a pod is only one of them)" in counted["evidence"]
        limits_seen = only(seen, "limits")
        assert limits_seen["proof"] == "effect"
        assert "maximum storage per PersistentVolumeClaim 1Gi" in limits_seen["evidence"]
        assert "a pod that says nothing gets the defaults" in limits_seen["evidence"]
        for check in (True, False):
            again = run("resource_limits", check=check, **options)
            assert (again["changed"], again["summary"]["unchanged"]) == (False, 2)
        gone = run("resource_limits", state="absent", set=place)
        assert actions(gone) == [("ResourceQuota", "deleted"), ("LimitRange", "deleted")]
        assert not run("resource_limits", state="absent", set=place)["changed"]
        assert client.get(NAMESPACE, place)
    finally:
        client.delete(NAMESPACE, place)


def test_probes_keep_to_limits_and_to_pod_security_and_split_over_containers(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("narrow", **{"pod-security.kubernetes.io/enforce": "restricted"})
    limits = {
        "container": {"max": {"cpu": "300m", "memory": "64Mi"}, "min": {"cpu": "50m", "memory": "16Mi"}},
        "pod": {"min": {"cpu": "200m"}, "max_limit_request_ratio": {"memory": "2"}},
    }
    settings = {"quota": {"requests.cpu": "2", "limits.cpu": "3", "limits.memory": "4Gi"}, "limits": limits}
    assert not run("resource_limits", namespaces={place: settings})["failed"]
    seen = run("resource_limits_info", namespaces={place: settings})
    quota = only(seen, "quota")
    assert (quota["status"], quota["proof"]) == ("pass", "effect"), quota
    assert "limits.cpu, limits.memory, requests.cpu" in quota["evidence"]
    assert only(seen, "limits")["status"] == "pass", only(seen, "limits")
    assert only(seen, "quota_counted")["status"] == "not_applicable"


def test_what_no_single_pod_can_exceed_is_not_proved_by_effect(
    namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("small-pods")
    settings = {
        "quota": {"requests.cpu": "4", "services": "0", "requests.storage": "1Gi"},
        "limits": {"pod": {"max": {"cpu": "1"}}},
    }
    assert not run("resource_limits", namespaces={place: settings}, on_violation="proceed")["failed"]
    seen = run("resource_limits_info", namespaces={place: settings})
    assert only(seen, "quota")["status"] == "not_applicable"
    counted = only(seen, "quota_counted")
    assert (counted["status"], counted["proof"]) == ("pass", "server")
    assert "requests.cpu (a LimitRange lets no pod ask for more than 1)" in counted["evidence"]
    assert "requests.storage, services (it is no resource of containers)" in counted["evidence"]


@pytest.mark.parametrize("on_violation", ["fail", "warn", "proceed"])
def test_what_would_not_fit_is_told_before_a_quota_is_set(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result], on_violation: str
) -> None:
    bad, good = namespace(f"misfit-{on_violation}"), namespace(f"fit-{on_violation}")
    make(
        client,
        deployment("silent", bad, SAFE_SPEC),
        deployment("greedy", bad, with_resources(requests={"cpu": "3", "memory": "1Mi"})),
        deployment("modest", bad, with_resources(requests={"cpu": "10m", "memory": "1Mi"})),
        object_of("Pod", "first", bad, spec=with_resources(requests={"cpu": "1m", "memory": "1Mi"})),
        object_of("Pod", "second", bad, spec=with_resources(requests={"cpu": "1m", "memory": "1Mi"})),
    )
    settings = {"quota": {"requests.cpu": "2", "requests.memory": "1Gi", "pods": "1"}}
    options: dict[str, Any] = {"namespaces": {bad: settings, good: settings}, "on_violation": on_violation}
    preview = run("resource_limits", check=True, **options)
    assert not preview["failed"]
    told = run("resource_limits", **options)
    misfits = {each["subject"]: each["evidence"] for each in of(told, "running_fit")}
    assert misfits == {
        f"Deployment/{bad}/silent": (
            "failed quota: hardening-quota: must specify requests.cpu for: main; requests.memory for: main"
        ),
        f"Deployment/{bad}/greedy": (
            "one pod alone asks for 3 of requests.cpu, and the quota hardening-quota allows 2"
        ),
        f"ResourceQuota/{bad}/hardening-quota": "2 of pods is used, and the quota hardening-quota allows 1",
    }
    assert {each["subject"]: each["evidence"] for each in of(preview, "running_fit")} == misfits
    set_there = client.get(QUOTA, "hardening-quota", bad) is not None
    assert client.get(QUOTA, "hardening-quota", good)
    warned = any(f"Deployment/{bad}/silent" in text for text in told.get("warnings", ()))
    assert (told["failed"], set_there, warned) == {
        "fail": (True, False, False),
        "warn": (False, True, True),
        "proceed": (False, True, False),
    }[on_violation]
    if on_violation == "fail":
        assert "the namespace was left as it is" in only(told, "quota")["evidence"]
        assert only(told, "quota")["subject"] == f"Namespace/{bad}"
        return
    assert not run("resource_limits", **{**options, "on_violation": "fail"})["changed"]
    wait_until(lambda: (client.get(QUOTA, "hardening-quota", bad) or {}).get("status", {}).get("used"))
    seen = [each for each in of(run("resource_limits_info", **options), "running_fit") if bad in each["subject"]]
    assert {each["subject"] for each in seen} == misfits.keys()
    assert {(each["status"], each["proof"]) for each in seen} == {("fail", "server")}
    by_subject = {each["subject"]: each["evidence"] for each in seen}
    assert "must specify requests.cpu for: main" in by_subject[f"Deployment/{bad}/silent"]
    assert "one alone asks for more requests.cpu" in by_subject[f"Deployment/{bad}/greedy"]


def test_objects_that_are_above_a_quota_are_told_before_it_is_set(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("objects")
    claims = [
        object_of(
            "PersistentVolumeClaim",
            name,
            place,
            spec={
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "nobody-has-it",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        )
        for name in ("one", "two")
    ]
    make(client, *claims, object_of("ConfigMap", "one", place), object_of("ServiceAccount", "one", place))
    hard = {"requests.storage": "1Gi", "persistentvolumeclaims": "2", "configmaps": "1", "count/serviceaccounts": "9"}
    told = run("resource_limits", namespaces={place: {"quota": hard}})
    assert told["failed"]
    assert only(told, "running_fit")["evidence"] == (
        "2Gi of requests.storage is used, and the quota hardening-quota allows 1Gi; "
        # Every namespace has a ConfigMap of the cluster's own certificates besides.
        "2 of configmaps is used, and the quota hardening-quota allows 1"
    )
    assert client.get(QUOTA, "hardening-quota", place) is None
    assert not told.get("warnings")


def test_defaults_let_a_quota_be_set_over_workloads_that_say_nothing(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("defaults")
    make(client, deployment("silent", place, SAFE_SPEC))
    assert not run("resource_limits", namespaces={place: SETTINGS})["failed"]
    seen = run("resource_limits_info", namespaces={place: SETTINGS})
    fit = only(seen, "running_fit")
    assert (fit["status"], fit["proof"]) == ("pass", "server")
    without = {place: {"quota": SETTINGS["quota"]}}
    told = run("resource_limits", namespaces=without)
    assert told["failed"]
    assert "must specify requests.cpu for: main" in told["msg"]
    assert client.get(LIMIT_RANGE, "hardening-limits", place)
    told = run("resource_limits", namespaces={place: {"limits": LIMITS}})
    assert actions(told) == [("ResourceQuota", "deleted"), ("LimitRange", "unchanged")]


def test_a_limit_range_that_refuses_a_template_is_held_back(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("templates")
    make(client, deployment("big", place, with_resources(limits={"cpu": "3"})))
    told = run("resource_limits", namespaces={place: {"limits": LIMITS}})
    assert only(told, "running_fit")["subject"] == f"Deployment/{place}/big"
    assert "maximum cpu usage per Container is 2, but limit is 3" in only(told, "running_fit")["evidence"]
    assert client.get(LIMIT_RANGE, "hardening-limits", place) is None


def test_a_quota_that_nobody_has_counted_for_is_no_proof(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("uncounted")
    settings = {place: {"quota": {"requests.cpu": "1", "configmaps": "5"}}}
    assert not run("resource_limits", namespaces=settings)["failed"]
    wait_until(lambda: (client.get(QUOTA, "hardening-quota", place) or {}).get("status", {}).get("used"))
    # The quota controller looks at the specification alone, so that this stays until it next counts everything.
    path = QUOTA.path(place, "hardening-quota", "status")
    patch = {"status": {"used": None}}
    assert client.request("PATCH", path, body=patch, content_type="application/merge-patch+json").ok
    seen = run("resource_limits_info", namespaces=settings, timeout=1)
    assert only(seen, "quota")["status"] == "unknown"
    assert "nobody has counted for the quota yet" in only(seen, "quota")["evidence"]
    assert "asked" in only(seen, "quota")["evidence"]
    assert only(seen, "quota_counted")["status"] == "unknown"
    assert "configmaps" in only(seen, "quota_counted")["evidence"]


def test_a_full_quota_is_proved_by_its_refusal_alone(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("full")
    settings = {place: {"quota": {"pods": "1", "requests.cpu": "1"}}}
    make(client, object_of("Pod", "only", place, spec=with_resources(requests={"cpu": "1m"})))
    assert not run("resource_limits", namespaces=settings)["failed"]
    quota = only(run("resource_limits_info", namespaces=settings), "quota")
    assert quota["status"] == "pass"
    assert "asks for more of requests.cpu, pods" in quota["evidence"]
    assert "no pod is left that would fit: 0 left of pods" in quota["evidence"]


def test_foreign_quotas_and_limits_are_named(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("foreign")
    settings = {place: SETTINGS}
    assert not run("resource_limits", namespaces=settings)["failed"]
    foreign_quota(client, place, {"pods": "0"})
    seen = run("resource_limits_info", namespaces=settings, timeout=3)
    assert "besides ours in force: ResourceQuota foreign" in only(seen, "quota")["evidence"]
    assert only(seen, "quota")["status"] == "pass"
    assert "one that fits is refused by the ResourceQuota foreign alone" in only(seen, "quota")["evidence"]
    assert only(seen, "limits")["status"] == "unknown"
    assert "the ResourceQuota foreign answered in place of the LimitRange" in only(seen, "limits")["evidence"]
    client.delete(QUOTA, "foreign", place)
    other = {"limits": [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}}]}
    make(client, object_of("LimitRange", "other", place, spec=other))
    found = only(run("resource_limits_info", namespaces=settings), "limits")
    assert found["status"] == "fail"
    assert "the default of cpu is 500m here and 1 in the LimitRange other" in found["evidence"]
    assert not run("resource_limits", namespaces=settings)["changed"]


def test_what_is_not_as_the_settings_say_fails_with_what_is(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("other")
    seen = run("resource_limits_info", namespaces={place: SETTINGS})
    assert statuses(seen) == {
        "limits": "fail",
        "quota": "fail",
        "quota_counted": "fail",
        "running_fit": "not_applicable",
    }
    assert "there is no ResourceQuota hardening-quota" in only(seen, "quota")["evidence"]
    loose = {**SETTINGS, "quota": {**SETTINGS["quota"], "requests.cpu": "400"}}
    assert not run("resource_limits", namespaces={place: loose})["failed"]
    seen = run("resource_limits_info", namespaces={place: SETTINGS})
    assert "says something else than the settings" in only(seen, "quota")["evidence"]
    assert only(seen, "limits")["status"] == "pass"
    same = {**SETTINGS, "quota": {**SETTINGS["quota"], "requests.cpu": "4000m"}}
    assert run("resource_limits", namespaces={place: SETTINGS})["summary"]["updated"] == 1
    assert only(run("resource_limits_info", namespaces={place: same}), "quota")["status"] == "pass"


def test_a_webhook_that_answers_is_named(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    name = unique("limits-test")
    place = namespace("webhook", **{"limits-webhook": name})
    settings = {place: {"quota": {"requests.cpu": "1"}}}
    assert not run("resource_limits", namespaces=settings)["failed"]
    group = "admissionregistration.k8s.io/v1"
    webhook = {
        "name": "refuses.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": 1,
        "clientConfig": {"url": "https://127.0.0.1:1/refuse"},
        "namespaceSelector": {"matchLabels": {"limits-webhook": name}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
    }
    kind = KNOWN[group, "ValidatingWebhookConfiguration"]
    make(client, object_of("ValidatingWebhookConfiguration", name, "", group, webhooks=[webhook]))
    try:
        told: dict[str, Any] = {}

        def answered() -> bool:
            told.update(only(run("resource_limits_info", namespaces=settings, timeout=0), "quota"))
            return told["status"] == "unknown" and "refuses.example.com" in told["evidence"]

        wait_until(answered)
        assert "the admission webhook refuses.example.com answered in place of the quota" in told["evidence"]
    finally:
        client.delete(kind, name)


def test_what_the_server_counts_above_a_quota_is_told_after_it_is_set(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("counted")
    settings = {place: {"quota": {"configmaps": "0", "count/widgets.example.com": "0"}}}
    told = run("resource_limits", namespaces=settings, on_violation="proceed")
    assert not told["failed"]
    assert any("count/widgets.example.com is counted only once the quota" in text for text in told["warnings"])
    wait_until(lambda: (client.get(QUOTA, "hardening-quota", place) or {}).get("status", {}).get("used"))
    fit = only(run("resource_limits_info", namespaces=settings), "running_fit")
    assert (fit["status"], fit["subject"]) == ("fail", f"ResourceQuota/{place}/hardening-quota")
    assert "1 of configmaps is used, and the quota hardening-quota allows 0" in fit["evidence"]


def test_sets_leave_each_other_alone_and_lose_what_they_no_longer_name(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    mine, other = namespace("set-mine"), namespace("set-other")
    options: dict[str, Any] = {"set": unique("limits-sets")}
    assert not run("resource_limits", namespaces={mine: SETTINGS, other: SETTINGS}, **options)["failed"]
    told = run("resource_limits", namespaces={mine: SETTINGS}, set="limits-another")
    assert told["failed"]
    assert f"It belongs to the set {options['set']}, and this is the set limits-another" in told["msg"]
    seen = run("resource_limits_info", namespaces={mine: SETTINGS}, **options)
    (left,) = [each for each in seen["findings"] if each["control"] == "policy.leftovers"]
    assert (left["status"], left["subject"]) == ("fail", f"Namespace/{other}")
    assert actions(run("resource_limits", namespaces={mine: SETTINGS}, only=[mine], **options)) == [
        ("LimitRange", "unchanged"),
        ("ResourceQuota", "unchanged"),
    ]
    told = run("resource_limits", namespaces={mine: SETTINGS}, **options)
    assert actions(told)[2:] == [("ResourceQuota", "deleted"), ("LimitRange", "deleted")]
    assert client.get(QUOTA, "hardening-quota", other) is None
    assert client.get(QUOTA, "hardening-quota", mine)


def test_mistakes_are_told_all_at_once(run: Callable[..., Result]) -> None:
    told = run(
        "resource_limits",
        namespaces={
            "limits-a": {"quota": {"request.cpu": "1", "pods": "many"}, "limit": {}},
            "limits-b": {"limits": {"container": {"max": {"cpu": 1}, "min": {"cpu": 2}}}},
        },
    )
    assert told["failed"]
    assert "namespaces.limits-a.quota: 'request.cpu'; allowed: requests.cpu" in told["msg"]
    assert "did you mean limits?" in told["msg"]
    assert "namespaces.limits-a.quota.pods: 'many'; allowed: a quantity" in told["msg"]
    assert "namespaces.limits-b.limits.container.max.cpu: 1 is less than min 2" in told["msg"]


def test_an_unreachable_server_is_one_clear_sentence(run: Callable[..., Result]) -> None:
    for action in ("resource_limits", "resource_limits_info"):
        told = run(action, kubeconfig="", host="https://127.0.0.1:1", namespaces={"limits-a": SETTINGS})
        assert told["failed"]
        assert "127.0.0.1:1" in told["msg"]
        assert "mistake of hardening.kubernetes" not in told["msg"]


@pytest.fixture
def user(
    client: Client, server: dict[str, str], tmp_path: Path, namespace: Callable[..., str]
) -> Iterator[Callable[..., Path]]:
    """Makes a user of whom these are the rules in the whole cluster, and returns its kubeconfig."""
    made: list[tuple[str, str]] = []

    def make_user(name: str, rules: list[dict[str, Any]]) -> Path:
        full, home = unique(f"limits-test-{name}"), namespace(f"user-{name}")
        subject = {"kind": "ServiceAccount", "name": full, "namespace": home}
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": full}
        made.extend((kind, full) for kind in ("ClusterRole", "ClusterRoleBinding"))
        make(
            client,
            object_of("ServiceAccount", full, home),
            object_of("ClusterRole", full, "", RBAC, rules=rules),
            object_of("ClusterRoleBinding", full, "", RBAC, roleRef=ref, subjects=[subject]),
        )
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = KNOWN["v1", "ServiceAccount"].path(home, full, "token")
        token = client.checked(client.request("POST", path, body=request)).object["status"]["token"]
        file = write_kubeconfig(tmp_path / f"{full}.kubeconfig", server, {"token": token})
        wait_until_known(file, [Question("get", "", "namespaces")])
        return file

    yield make_user
    for kind, name in made:
        client.delete(KNOWN[RBAC, kind], name)


def test_with_exactly_the_shipped_roles_and_with_less(
    client: Client, namespace: Callable[..., str], user: Callable[..., Path]
) -> None:
    place = namespace("roles")
    make(client, deployment("silent", place, SAFE_SPEC))
    options = {"namespaces": {place: SETTINGS}, "set": place}
    enforcing = user("enforce", cluster_role_rules(ENFORCE))
    told = run_task(enforcing, "resource_limits", False, options)
    assert not told["failed"], told["msg"]
    seen = run_task(enforcing, "resource_limits_info", False, options)
    assert set(statuses(seen).values()) == {"pass"}, seen["findings"]
    auditing = user("audit", cluster_role_rules(AUDIT))
    seen = run_task(auditing, "resource_limits_info", False, options)
    assert statuses(seen) == {
        "limits": "unknown",
        "quota": "unknown",
        "quota_counted": "pass",
        "running_fit": "unknown",
        "policy.leftovers": "pass",
    }
    assert 'cannot create resource "pods"' in only(seen, "quota")["evidence"]
    assert "Let this user create pods" in only(seen, "limits")["remedy"]
    less = user("less", [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list"]}])
    seen = run_task(less, "resource_limits_info", False, options)
    assert set(statuses(seen).values()) == {"unknown"}
    assert "list" in only(seen, "quota")["evidence"] and "resourcequotas" in only(seen, "quota")["evidence"]
    told = run_task(less, "resource_limits", False, options)
    assert told["failed"]
    assert told["msg"].startswith("Nothing was written, since the quotas and limits in force cannot be read.")


def test_the_role_in_either_order_with_pod_security(
    client: Client,
    namespace: Callable[..., str],
    kubeconfig: Path,
    tmp_path: Path,
    role: Callable[..., tuple[int, str, list[Finding]]],
) -> None:
    pod_security = {"namespaces": {}, "timeout": 3}
    for name, limits_first in (("limits-first", True), ("limits-last", False)):
        place = namespace(name)
        make(client, deployment("silent", place, SAFE_SPEC))
        levels = {**pod_security, "namespaces": {place: {"enforce": "restricted"}}}
        for is_ours in (limits_first, not limits_first):
            if is_ours:
                status, output, findings = role(namespaces={place: SETTINGS})
                assert {each["status"] for each in findings} == {"pass"}, findings
            else:
                status, output, findings = run_role(kubeconfig, tmp_path, "pod_security", False, levels)
                assert {each["status"] for each in findings} == {"pass"}, findings
            assert status == 0, output
        status, output, findings = role(mode="audit", namespaces={place: SETTINGS})
        assert (status, {each["status"] for each in findings}) == (0, {"pass"}), output


def test_the_role_previews_holds_back_and_judges(
    client: Client, namespace: Callable[..., str], role: Callable[..., tuple[int, str, list[Finding]]]
) -> None:
    place = namespace("role")
    make(client, deployment("silent", place, SAFE_SPEC))
    settings = {"namespaces": {place: {"quota": {"limits.cpu": "1"}}}}
    status, _output, findings = role(check=True, **settings)
    assert status == 0
    assert only(findings, "quota")["would"] == "fail"
    status, output, findings = role(**settings)
    assert status == 2
    assert f"Deployment/{place}/silent" in only(findings, "quota")["evidence"]
    assert "the namespace was left as it is" in output
    status, _output, findings = role(on_violation="warn", **settings)
    assert status == 2
    assert [each["status"] for each in (only(findings, "quota"), only(findings, "running_fit"))] == ["pass", "fail"]
    status, _output, findings = role(state="absent", **settings)
    assert (status, findings) == (0, [])
    status, output, _findings = role(namespaces={})
    assert status == 2
    assert "No control was evaluated" in output


def test_the_example_of_the_readme_runs(
    client: Client, kubeconfig: Path, tmp_path: Path, role: Callable[..., tuple[int, str, list[Finding]]]
) -> None:
    text = (CHECKOUT / "roles/resource_limits/README.md").read_text(encoding="utf-8")
    (play,) = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    variables = play["tasks"][0]["vars"]
    settings = variables.pop("resource_limits_namespaces").pop("production")
    assert not variables
    place = unique("limits-readme")
    try:
        status, output, findings = role(namespaces={place: settings})
        assert status == 0, output
        assert {each["status"] for each in findings} == {"pass", "not_applicable"}
    finally:
        client.delete(NAMESPACE, place)


POLICY = """\
policy_version: 1
name: {place}
namespaces:
  {place}:
    create: true
    pod_security: {{enforce: restricted}}
    resources:
      quota: {{requests.cpu: 2, limits.memory: 2Gi, pods: 9}}
      limits: {{container: {{default: {{memory: 64Mi}}, default_request: {{cpu: 50m, memory: 32Mi}}}}}}
"""


def test_a_policy_is_hardened_audited_and_removed(client: Client, kubeconfig: Path, tmp_path: Path) -> None:
    place = unique("limits-policy")
    (tmp_path / "cluster-policy.yml").write_text(POLICY.format(place=place), encoding="utf-8")

    def play(name: str, *options: str) -> tuple[int, str, dict[str, Any]]:
        report = tmp_path / "report.json"
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), f"hardening.kubernetes.{name}", *options]
            + (["-e", f"report={report}"] if name != "remove_hardening" else []),
            cwd=tmp_path,
            env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )
        told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return done.returncode, done.stdout + done.stderr, told

    try:
        status, output, told = play("harden_cluster")
        assert status == 0, output
        found = {each["control"]: each["status"] for each in told["findings"]}
        assert {found[f"resources.{name}"] for name in ("quota", "quota_counted", "limits")} == {"pass"}
        status, output, _told = play("audit_cluster")
        assert (status, "changed=0" in output) == (0, True), output
        status, output, _told = play("remove_hardening")
        assert status == 0, output
        assert client.get(QUOTA, "hardening-quota", place) is None
        assert client.get(LIMIT_RANGE, "hardening-limits", place) is None
        assert client.get(NAMESPACE, place)
    finally:
        client.delete(NAMESPACE, place)
