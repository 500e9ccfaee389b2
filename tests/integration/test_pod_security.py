# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pod Security on a real cluster: modules and role as a user runs them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import moment
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard, labels
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolve
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._look import look

from tests.integration.plays import SAFE_SPEC, Finding, Result, remove_namespaces, run_role, run_task, wait_until

NAMESPACE = KNOWN["v1", "Namespace"]
ROOT_SPEC: dict[str, Any] = {**SAFE_SPEC, "securityContext": {}}
HOST_SPEC: dict[str, Any] = {**SAFE_SPEC, "hostPID": True}


@pytest.fixture
def namespace(client: Client) -> Iterator[Callable[..., str]]:
    """Make namespaces, and delete them afterwards."""
    made: list[str] = []

    def make(name: str, settled: bool = True, **extra_labels: str) -> str:
        full = f"pod-security-{name}"
        metadata = {"name": full, "labels": {"pod-security-test": "true", **extra_labels}}
        remove_namespaces(client, [full])  # one that an earlier run left behind
        assert client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).ok
        made.append(full)
        while settled and not client.get(KNOWN["v1", "ServiceAccount"], "default", full):
            time.sleep(0.05)
        return full

    yield make
    for name in made:
        client.delete(NAMESPACE, name)


@pytest.fixture
def run(kubeconfig: Path) -> Callable[..., Result]:
    """Run one task, and return its result."""
    return lambda action, check=False, **arguments: run_task(kubeconfig, action, check, arguments)


@pytest.fixture
def role(kubeconfig: Path, tmp_path: Path) -> Callable[..., tuple[int, str, list[Finding]]]:
    """Run the role, and return exit status, output and findings."""
    return lambda check=False, **variables: run_role(kubeconfig, tmp_path, "pod_security", check, variables)


def label(client: Client, name: str, settings: dict[str, str], manager: str = "kubectl-label") -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels(settings)}}
    assert client.apply(body, manager=manager, force=True).ok


def live_labels(client: Client, name: str) -> dict[str, str]:
    found = client.get(NAMESPACE, name)
    assert found
    marked = found["metadata"]["labels"].items()
    return {key.rpartition("/")[2]: value for key, value in marked if key.startswith("pod-security.kubernetes.io/")}


def start(client: Client, namespace: str, name: str, spec: dict[str, Any]) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": name}, "spec": spec}
    answer = client.create(pod)
    assert answer.ok, answer.message


def make_workload(
    client: Client, name: str, kind: str, spec: dict[str, Any], of: str = "web", replicas: int = 0
) -> None:
    template = {"metadata": {"labels": {"app": of}}, "spec": spec}
    job = {"metadata": {"labels": {"app": of}}, "spec": {**spec, "restartPolicy": "Never"}}
    version, body = {
        "Deployment": (
            "apps/v1",
            {"replicas": replicas, "selector": {"matchLabels": {"app": of}}, "template": template},
        ),
        "StatefulSet": (
            "apps/v1",
            {
                "replicas": replicas,
                "serviceName": of,
                "selector": {"matchLabels": {"app": of}},
                "template": template,
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "data"},
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
                    }
                ],
            },
        ),
        "CronJob": ("batch/v1", {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": job}}}),
    }[kind]
    answer = client.create(
        {"apiVersion": version, "kind": kind, "metadata": {"namespace": name, "name": of}, "spec": body}
    )
    assert answer.ok, answer.message


def of_control(told: Result | list[Finding], control: str) -> list[Finding]:
    findings = told["findings"] if isinstance(told, dict) else told
    return [finding for finding in findings if finding["control"] == f"pod_security.{control}"]


def only(told: Result | list[Finding], control: str) -> Finding:
    (finding,) = of_control(told, control)
    return finding


def test_every_level_at_every_version_is_proved_by_effect(client: Client, namespace: Callable[..., str]) -> None:
    versions = ["latest", *(f"v1.{minor}" for minor in range(client.version()[1] + 1))]
    for level in ("baseline", "restricted"):
        place = namespace(f"all-{level}")
        for version in versions:
            settings = {"enforce": level, "version": version}
            label(client, place, settings)
            live = {place: client.get(NAMESPACE, place) or {}}
            resolution = resolve(list(live.values()), {place: settings}, [], {}, [])
            enforced, comply = look(client, live, resolution, 5, lambda _done, _total: None)[place]
            assert (enforced.status, enforced.proof) == ("pass", "effect"), enforced
            assert f'"{level}:{version}"' in enforced.evidence
            assert comply.status == "not_applicable"


def test_a_probe_of_one_level_is_no_proof_of_another(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("other-level")
    label(client, place, {"enforce": "baseline"})
    finding = only(run("pod_security_info", namespaces={place: {"enforce": "restricted"}}), "enforced")
    assert finding["status"] == "fail"
    assert "is let in; the namespace is labelled baseline:latest" in finding["evidence"]
    label(client, place, {"enforce": "restricted", "version": "v1.30"})
    for wanted in ({"enforce": "restricted"}, {"enforce": "baseline", "version": "v1.30"}):
        finding = only(run("pod_security_info", namespaces={place: wanted}), "enforced")
        assert finding["status"] == "fail"
        assert "the server enforces restricted:v1.30 here" in finding["evidence"]


def test_privileged_is_not_applicable(namespace: Callable[..., str], run: Callable[..., Result]) -> None:
    place = namespace("privileged")
    told = run("pod_security", namespaces={place: {"enforce": "privileged"}})
    assert told["summary"]["updated"] == 1
    told = run("pod_security_info", namespaces={place: {"enforce": "privileged"}})
    assert {finding["status"] for finding in told["findings"]} == {"not_applicable"}


def test_a_quota_that_answers_first_makes_it_unknown_by_name(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("quota")
    settings = {"enforce": "restricted"}
    label(client, place, settings)
    make_workload(client, place, "Deployment", SAFE_SPEC)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"namespace": place, "name": "no-pods"},
        "spec": {"hard": {"pods": "0"}},
    }
    assert client.create(quota).ok
    wait_until(lambda: (client.get(KNOWN["v1", "ResourceQuota"], "no-pods", place) or {}).get("status", {}).get("hard"))
    told = run("pod_security_info", namespaces={place: settings}, timeout=1)
    enforced, comply = only(told, "enforced"), only(told, "running_comply")
    assert (enforced["status"], comply["status"]) == ("unknown", "unknown")
    assert "the ResourceQuota no-pods answered in place of Pod Security" in enforced["evidence"]
    assert "asked" in enforced["evidence"]
    assert comply["subject"] == f"Deployment/{place}/web"
    assert "the ResourceQuota no-pods" in comply["evidence"]


def test_a_quota_that_wants_resources_does_not_stand_in_the_way(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("resources")
    label(client, place, {"enforce": "restricted"})
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"namespace": place, "name": "cpu"},
        "spec": {"hard": {"limits.cpu": "1", "requests.memory": "1Gi"}},
    }
    assert client.create(quota).ok
    wait_until(lambda: (client.get(KNOWN["v1", "ResourceQuota"], "cpu", place) or {}).get("status", {}).get("hard"))
    assert only(run("pod_security_info", namespaces={place: {"enforce": "restricted"}}), "enforced")["status"] == "pass"


def test_a_namespace_just_made_waits_for_its_service_account(client: Client, namespace: Callable[..., str]) -> None:
    settings = {"enforce": "restricted"}
    place = namespace("just-made", settled=False)
    label(client, place, settings)
    live = {place: client.get(NAMESPACE, place) or {}}
    resolution = resolve(list(live.values()), {place: settings}, [], {}, [])
    enforced, _comply = look(client, live, resolution, 20, lambda _done, _total: None)[place]
    assert enforced.status == "pass", enforced


def test_a_workloads_own_service_account_may_be_missing(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("no-account")
    settings = {"enforce": "restricted"}
    label(client, place, settings)
    make_workload(client, place, "Deployment", {**SAFE_SPEC, "serviceAccountName": "missing"})
    told = run("pod_security_info", namespaces={place: settings})
    # Pod Security does not judge the account, so that the template can be asked about without.
    assert (only(told, "enforced")["status"], only(told, "running_comply")["status"]) == ("pass", "pass")


def test_a_webhook_that_cannot_be_called_is_named(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("webhook", **{"pod-security-webhook": "true"})
    settings = {"enforce": "baseline"}
    label(client, place, settings)
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "pod-security-test"},
        "webhooks": [
            {
                "name": "refuses.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "NoneOnDryRun",
                "timeoutSeconds": 1,
                "clientConfig": {"url": "https://127.0.0.1:1/refuse"},
                "namespaceSelector": {"matchLabels": {"pod-security-webhook": "true"}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            }
        ],
    }
    kind = KNOWN["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"]
    client.delete(kind, "pod-security-test")
    assert client.create(webhook).ok
    try:
        told = {}

        def answered_by_webhook() -> bool:
            told.update(run("pod_security_info", namespaces={place: settings}, timeout=0))
            return only(told, "enforced")["status"] == "unknown"

        wait_until(answered_by_webhook)
        assert "the admission webhook refuses.example.com answered" in only(told, "enforced")["evidence"]
    finally:
        client.delete(kind, "pod-security-test")


def test_templates_are_asked_about_where_no_pod_runs(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("templates")
    settings = {"enforce": "restricted"}
    label(client, place, settings)
    for kind in ("Deployment", "StatefulSet", "CronJob"):
        make_workload(client, place, kind, SAFE_SPEC, of="good")
        make_workload(client, place, kind, ROOT_SPEC, of="bad")
    told = run("pod_security_info", namespaces={place: settings})
    failed = {finding["subject"]: finding for finding in of_control(told, "running_comply")}
    assert set(failed) == {f"{kind}/{place}/bad" for kind in ("Deployment", "StatefulSet", "CronJob")}
    for finding in failed.values():
        assert (finding["status"], finding["proof"]) == ("fail", "server")
        assert "the pod template would be refused: " in finding["evidence"]
        assert "runAsNonRoot != true" in finding["evidence"]


def test_what_runs_and_complies_passes(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("complies")
    settings = {"enforce": "restricted"}
    label(client, place, settings)
    make_workload(client, place, "Deployment", SAFE_SPEC, replicas=2)
    make_workload(client, place, "CronJob", SAFE_SPEC, of="report")
    wait_until(lambda: len(client.list(KNOWN["v1", "Pod"], place)) == 2)
    comply = only(run("pod_security_info", namespaces={place: settings}), "running_comply")
    assert comply["status"] == "pass", comply
    assert "2 running pods and 2 pod templates" in comply["evidence"]


def test_running_pods_that_break_the_level_are_named_before_and_after_it_is_set(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("violators")
    settings = {"enforce": "baseline"}
    make_workload(client, place, "Deployment", HOST_SPEC, replicas=1)
    wait_until(lambda: client.list(KNOWN["v1", "Pod"], place))
    start(client, place, "fine", SAFE_SPEC)
    before = only(run("pod_security_info", namespaces={place: settings}), "running_comply")
    assert (before["subject"], before["status"]) == (f"Deployment/{place}/web", "fail")
    assert "host namespaces" in before["evidence"]
    label(client, place, settings)
    after = only(run("pod_security_info", namespaces={place: settings}), "running_comply")
    assert (after["subject"], after["status"]) == (f"Deployment/{place}/web", "fail")
    assert "hostPID=true" in after["evidence"]
    assert "the pod template would be refused" in after["evidence"]


def test_a_webhook_that_mends_what_is_submitted_again_hides_no_running_pod(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    if client.version() < (1, 36):
        pytest.skip("MutatingAdmissionPolicy is v1 since Kubernetes 1.36")
    place = namespace("mended")
    start(client, place, "root", ROOT_SPEC)
    start(client, place, "fine", SAFE_SPEC)
    policy = mend_pods_of(place)
    try:
        assert all(client.create(each).ok for each in policy)
        wait_until(lambda: submitted(client, place)["securityContext"].get("runAsNonRoot"))
        for version, status, words in (
            ("latest", "fail", "running pod root would be refused"),
            ("v1.36", "fail", "running pod root would be refused"),
            ("v1.30", "unknown", "running pod root is changed by a mutating webhook or policy"),
        ):
            settings = {"enforce": "restricted", "version": version}
            label(client, place, settings)
            told = run("pod_security_info", namespaces={place: settings}, timeout=1)
            comply = only(told, "running_comply")
            assert (comply["subject"], comply["status"]) == (f"Pod/{place}/root", status), comply
            assert words in comply["evidence"]
    finally:
        for each in policy:
            client.delete(client.resource(each["apiVersion"], each["kind"]), each["metadata"]["name"])


def submitted(client: Client, place: str) -> dict[str, Any]:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": place, "name": "trial"}, "spec": ROOT_SPEC}
    answer = client.create(pod, dry_run=True)
    assert answer.ok, answer.message
    return answer.object["spec"]


def mend_pods_of(place: str) -> list[dict[str, Any]]:
    """Has pods say that they do not run as root, the probes of this collection excepted."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    mend = "Object{spec: Object.spec{securityContext: Object.spec.securityContext{runAsNonRoot: true, "
    mend += 'seccompProfile: Object.spec.securityContext.seccompProfile{type: "RuntimeDefault"}}}}'
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": place},
            "spec": {
                "matchConstraints": {
                    "resourceRules": [rule],
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place}},
                },
                "matchConditions": [{"name": "no-probe", "expression": "object.spec.containers[0].name != 'probe'"}],
                "reinvocationPolicy": "Never",
                "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": mend}}],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": place},
            "spec": {"policyName": place},
        },
    ]


def test_finished_pods_keep_nothing_from_being_enforced(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("finished")
    once = {**HOST_SPEC["containers"][0], "command": ["true"]}
    start(client, place, "done", {**HOST_SPEC, "restartPolicy": "Never", "containers": [once]})
    start(client, place, "fine", SAFE_SPEC)
    pods = KNOWN["v1", "Pod"]
    wait_until(lambda: (client.get(pods, "done", place) or {}).get("status", {}).get("phase") == "Succeeded")
    settings = {"enforce": "baseline"}
    assert only(run("pod_security_info", namespaces={place: settings}), "running_comply")["status"] == "pass"
    told = run("pod_security", namespaces={place: settings})
    assert (told["failed"], live_labels(client, place)["enforce"]) == (False, "baseline"), told


def test_templates_that_would_be_refused_hold_the_level_back(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    bad, good, foreign = namespace("templates-bad"), namespace("templates-good"), namespace("templates-foreign")
    make_workload(client, bad, "CronJob", HOST_SPEC)
    make_workload(client, good, "CronJob", SAFE_SPEC)
    make_workload(client, good, "Deployment", SAFE_SPEC)
    make_workload(client, foreign, "CronJob", SAFE_SPEC)
    label(client, foreign, {"warn": "privileged"})
    wanted = {place: {"enforce": "baseline"} for place in (bad, good, foreign)}
    told = run("pod_security", namespaces=wanted)
    assert {each["name"]: each["action"] for each in told["objects"]} == {
        bad: "failed",
        good: "updated",
        foreign: "failed",
    }
    assert f"CronJob/{bad}/web: baseline:latest: the pod template would be refused: " in told["msg"]
    assert "hostPID=true" in told["msg"]
    assert "the label warn belongs to kubectl-label" in told["msg"]
    assert live_labels(client, bad) == {}
    assert live_labels(client, good) == {"enforce": "baseline", "enforce-version": "latest"}
    assert live_labels(client, foreign) == {"warn": "privileged", "warn-version": "latest"}
    told = run("pod_security", namespaces=wanted, on_violation="warn")
    assert (told["failed"], live_labels(client, bad)["enforce"]) == (False, "baseline")


def test_our_own_warn_keeps_no_template_from_being_judged(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    good, bad = namespace("own-warn-good"), namespace("own-warn-bad")
    make_workload(client, good, "CronJob", SAFE_SPEC)
    before = {key: {"enforce": "baseline", "warn": "baseline"} for key in (good, bad)}
    assert not run("pod_security", namespaces=before)["failed"]
    make_workload(client, bad, "CronJob", ROOT_SPEC)
    labels_before = live_labels(client, bad)
    wanted = {key: {"enforce": "restricted", "version": "v1.36", "warn": "restricted"} for key in (good, bad)}
    told = run("pod_security", namespaces=wanted)
    assert {each["name"]: each["action"] for each in told["objects"]} == {good: "updated", bad: "failed"}, told
    assert f"CronJob/{bad}/web: restricted:v1.36: the pod template would be refused: " in told["msg"]
    assert live_labels(client, good) == dict.fromkeys(("enforce", "warn"), "restricted") | dict.fromkeys(
        ("enforce-version", "warn-version"), "v1.36"
    )
    assert live_labels(client, bad) == labels_before
    for place in (good, bad):
        assert not annotations_of_ours(client, place)
    # What is restored is ours as before: nothing has to be written, and a removal takes all of it.
    assert not run("pod_security", namespaces={bad: before[bad]})["changed"]
    run("pod_security", namespaces={bad: {}}, state="absent")
    assert live_labels(client, bad) == {}


@pytest.mark.parametrize("own_warn", [{}, {"warn": "privileged"}], ids=["no warn", "a warn of ours"])
def test_a_killed_run_leaves_no_label_of_the_moment_for_good(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result], own_warn: dict[str, str]
) -> None:
    place = namespace(f"killed-{len(own_warn)}")
    make_workload(client, place, "CronJob", ROOT_SPEC)
    settings = {"enforce": "baseline", **own_warn}
    assert not run("pod_security", namespaces={place: settings})["failed"]
    before = live_labels(client, place)
    live = client.get(NAMESPACE, place) or {}
    cut_off = moment(live, Standard("restricted"))
    assert client.apply(cut_off.during, manager=cut_off.manager).ok
    assert live_labels(client, place) == {**before, "warn": "restricted", "warn-version": "latest"}
    # The run after it finds the same template, and has it judged under a label of its own.
    told = run("pod_security", namespaces={place: {**settings, "enforce": "restricted"}})
    assert (told["failed"], told["changed"], live_labels(client, place)) == (True, True, before), told
    assert not annotations_of_ours(client, place)
    assert client.apply(cut_off.during, manager=cut_off.manager).ok
    assert run("pod_security", check=True, namespaces={place: settings})["changed"]
    assert live_labels(client, place)["warn"] == "restricted"
    assert run("pod_security", namespaces={place: {}}, state="absent")["changed"]
    assert (live_labels(client, place), annotations_of_ours(client, place)) == ({}, [])


def annotations_of_ours(client: Client, name: str) -> list[str]:
    found = client.get(NAMESPACE, name) or {}
    return [key for key in found["metadata"].get("annotations", {}) if key.startswith("hardening.kubernetes/")]


def test_check_mode_promises_of_templates_what_the_server_says_of_them(
    client: Client, namespace: Callable[..., str], role: Callable[..., tuple[int, str, list[Finding]]]
) -> None:
    unsure, bad, good = namespace("promise"), namespace("promise-bad"), namespace("promise-good")
    for place, spec in ((unsure, SAFE_SPEC), (bad, ROOT_SPEC), (good, SAFE_SPEC)):
        make_workload(client, place, "CronJob", spec)
    for place in (bad, good):
        label(client, place, {"warn": "restricted"})
    versions = {place: (client.get(NAMESPACE, place) or {})["metadata"]["resourceVersion"] for place in (unsure, bad)}
    wanted = {"namespaces": {key: {"enforce": "restricted"} for key in (unsure, bad, good)}}
    status, output, findings = role(check=True, **wanted)
    assert status == 0, output
    would = {finding["subject"].partition("/")[2]: finding["would"] for finding in of_control(findings, "enforced")}
    assert would == {unsure: "unknown", bad: "fail", good: "pass"}
    assert "the real run alone" in output
    for place, version in versions.items():
        assert (client.get(NAMESPACE, place) or {})["metadata"]["resourceVersion"] == version
    _status, output, findings = role(**wanted)
    found = {finding["subject"].partition("/")[2]: finding["status"] for finding in of_control(findings, "enforced")}
    assert found == {unsure: "pass", bad: "fail", good: "pass"}, output


def test_warn_lets_templates_be_judged_before_anything_is_enforced(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("soak")
    make_workload(client, place, "CronJob", ROOT_SPEC)
    settings = {"enforce": "restricted"}
    unasked = only(run("pod_security_info", namespaces={place: settings}), "running_comply")
    assert (unasked["status"], f"CronJob/{place}/web" in unasked["evidence"]) == ("unknown", True)
    label(client, place, {"warn": "restricted"})
    told = run("pod_security_info", namespaces={place: settings})
    asked = only(told, "running_comply")
    assert (asked["subject"], asked["status"]) == (f"CronJob/{place}/web", "fail")
    assert "runAsNonRoot != true" in asked["evidence"]
    assert only(told, "enforced")["status"] == "fail"


def test_labels_are_set_once_changed_and_taken_back(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("labels")
    wanted = {place: {"enforce": "baseline", "version": "v1.36", "warn": "restricted", "audit": "restricted"}}
    told = run("pod_security", check=True, namespaces=wanted)
    assert (told["changed"], live_labels(client, place)) == (True, {})
    told = run("pod_security", namespaces=wanted)
    assert told["changed"]
    assert told["objects"][0]["diff"]["after"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    assert live_labels(client, place) == {
        "enforce": "baseline",
        "enforce-version": "v1.36",
        "audit": "restricted",
        "audit-version": "v1.36",
        "warn": "restricted",
        "warn-version": "v1.36",
    }
    assert not run("pod_security", namespaces=wanted)["changed"]
    less = {place: {"enforce": "baseline", "version": "v1.36"}}
    assert run("pod_security", namespaces=less)["summary"]["updated"] == 1
    assert live_labels(client, place) == {"enforce": "baseline", "enforce-version": "v1.36"}
    told = run("pod_security", check=True, namespaces=less, state="absent")
    assert (told["changed"], live_labels(client, place)) == (True, live_labels(client, place))
    assert run("pod_security", namespaces=less, state="absent")["summary"]["updated"] == 1
    assert live_labels(client, place) == {}
    found = client.get(NAMESPACE, place)
    assert found and found["metadata"]["labels"]["pod-security-test"] == "true"
    again = run("pod_security", namespaces=less, state="absent")
    assert (again["changed"], again["summary"]["unchanged"]) == (False, 1)


def test_absent_leaves_the_labels_of_others_alone(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("foreign-absent")
    label(client, place, {"enforce": "baseline"})
    told = run("pod_security", namespaces={place: {}}, state="absent")
    assert (told["changed"], live_labels(client, place)) == (
        False,
        {"enforce": "baseline", "enforce-version": "latest"},
    )


@pytest.mark.parametrize("on_violation", ["fail", "warn", "proceed"])
def test_what_becomes_of_a_namespace_with_violators(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result], on_violation: str
) -> None:
    bad, good = namespace(f"bad-{on_violation}"), namespace(f"good-{on_violation}")
    start(client, bad, "host-1", HOST_SPEC)
    start(client, bad, "host-2", HOST_SPEC)
    wanted = {bad: {"enforce": "baseline"}, good: {"enforce": "baseline"}}
    preview = run("pod_security", check=True, namespaces=wanted, on_violation=on_violation)
    assert not preview["failed"]
    told = run("pod_security", namespaces=wanted, on_violation=on_violation)
    actions = {each["name"]: each["action"] for each in told["objects"]}
    warned = "host-1 (and 1 other pod): host namespaces"
    assert any(warned in each["warnings"] for each in told["objects"])
    assert any(finding["subject"] == f"Pod/{bad}/host-1" for finding in of_control(told, "running_comply"))
    if on_violation == "fail":
        assert actions == {bad: "failed", good: "updated"}
        assert {each["name"]: each["action"] for each in preview["objects"]} == {bad: "unchanged", good: "updated"}
        assert "host-1 and 1 more" in told["msg"]
        assert live_labels(client, bad) == {}
    else:
        assert actions == {bad: "updated", good: "updated"}
        assert not told["failed"]
        assert live_labels(client, bad)["enforce"] == "baseline"
    said = any(warned in warning for warning in told.get("warnings", ()))
    assert said is (on_violation != "proceed")
    assert live_labels(client, good)["enforce"] == "baseline"


def test_a_foreign_field_manager_is_named_and_can_be_overruled(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place, other = namespace("foreign"), namespace("foreign-other")
    label(client, place, {"enforce": "privileged"}, manager="kubectl-label")
    wanted = {place: {"enforce": "baseline"}, other: {"enforce": "baseline"}}
    told = run("pod_security", namespaces=wanted)
    assert {each["name"]: each["action"] for each in told["objects"]} == {place: "failed", other: "updated"}
    assert "kubectl-label" in told["msg"]
    finding = only(told, "enforced")
    assert (finding["subject"], "force_conflicts" in finding["remedy"]) == (f"Namespace/{place}", True)
    told = run("pod_security", namespaces=wanted, force_conflicts=True)
    assert (told["failed"], told["summary"]["updated"], live_labels(client, place)["enforce"]) == (False, 1, "baseline")


def test_names_and_selectors_that_are_wrong_are_told_at_the_end(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place = namespace("typing", team="typists")
    options: dict[str, Any] = {
        "namespaces": {"pod-security-typng": {"enforce": "baseline"}},
        "selected": [
            {"selector": "team=typists", "enforce": "restricted"},
            {"selector": "team=nobody", "enforce": "restricted"},
        ],
    }
    preview = run("pod_security", check=True, **options)
    assert (preview["failed"], preview["changed"]) == (False, True)
    told = run("pod_security", **options)
    assert told["failed"]
    assert f"did you mean {place}?" in told["msg"]
    assert "team=nobody" in told["msg"]
    assert live_labels(client, place)["enforce"] == "restricted"
    told = run("pod_security_info", **options)
    wrong = [finding["subject"] for finding in told["findings"] if finding["control"] == "policy.namespaces"]
    assert wrong == ["Namespace/pod-security-typng", "Selector/team=nobody"]


def test_the_default_reaches_what_nothing_else_does(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    everybody, exempt = namespace("default-a"), namespace("default-b")
    others = [each["metadata"]["name"] for each in client.list(NAMESPACE)]
    options = {
        "default": {"warn": "baseline"},
        "exempt": [name for name in others if name != everybody],
    }
    told = run("pod_security", **options)
    assert [each["name"] for each in told["objects"]] == [everybody]
    assert live_labels(client, exempt) == {}
    assert run("pod_security", state="absent", **options)["summary"]["updated"] == 1


def test_mistakes_in_settings_are_told_all_at_once(run: Callable[..., Result]) -> None:
    told = run(
        "pod_security", namespaces={"a": {"enforce": "strict"}, "b": {"version": 1.36}, "c": {"enforced": "baseline"}}
    )
    assert told["failed"]
    for said in ("namespaces.a.enforce: 'strict'", "did you mean v1.36?", "there is no setting 'enforced'"):
        assert said in told["msg"]


def test_an_unreachable_server_is_one_clear_sentence(run: Callable[..., Result]) -> None:
    told = run("pod_security_info", host="https://127.0.0.1:1", namespaces={"a": {"enforce": "baseline"}})
    assert told["failed"]
    assert "https://127.0.0.1:1 cannot be reached" in told["msg"]


def test_with_read_permissions_alone_nothing_passes_and_the_missing_one_is_named(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result]
) -> None:
    place, unlabelled = namespace("reader"), namespace("reader-unlabelled")
    settings = {"enforce": "restricted"}
    label(client, place, settings)
    for each in (place, unlabelled):
        make_workload(client, each, "CronJob", SAFE_SPEC)
        start(client, each, "fine", SAFE_SPEC)
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "pod-security-test-reader"},
        "rules": [
            {"apiGroups": ["", "apps", "batch"], "resources": ["*"], "verbs": ["get", "list"]},
        ],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "pod-security-test-reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "pod-security-test-reader"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "pod-security-test-reader"}],
    }
    kinds = [KNOWN["rbac.authorization.k8s.io/v1", each["kind"]] for each in (reader, binding)]
    try:
        for each in (reader, binding):
            assert client.apply(each, manager="test", force=True).ok
        options = {"impersonate_user": "pod-security-test-reader"}
        wait_until(lambda: not run("pod_security_info", namespaces={place: {"warn": "baseline"}}, **options)["failed"])
        told = run("pod_security_info", namespaces={place: settings, unlabelled: settings}, **options)
        seen = {(finding["control"].partition(".")[2], finding["subject"]): finding for finding in told["findings"]}
        enforced = seen["enforced", f"Namespace/{place}"]
        assert (enforced["status"], enforced["proof"]) == ("unknown", "config")
        assert 'cannot create resource "pods"' in enforced["evidence"]
        assert "create pods" in enforced["remedy"]
        assert seen["enforced", f"Namespace/{unlabelled}"]["status"] == "fail"
        assert seen["running_comply", f"Namespace/{place}"]["status"] == "unknown"
        assert "create pods" in seen["running_comply", f"Namespace/{place}"]["remedy"]
        assert seen["running_comply", f"Namespace/{unlabelled}"]["status"] == "unknown"
        assert "patch namespaces" in seen["running_comply", f"Namespace/{unlabelled}"]["remedy"]
        told = run("pod_security", namespaces={unlabelled: settings}, **options)
        assert told["failed"] and 'cannot patch resource "namespaces"' in told["msg"]
    finally:
        for each, kind in zip((reader, binding), kinds, strict=True):
            client.delete(kind, each["metadata"]["name"])


def test_the_role_previews_enforces_audits_and_goes(
    client: Client, namespace: Callable[..., str], role: Callable[..., tuple[int, str, list[Finding]]]
) -> None:
    place = namespace("role")
    new = "pod-security-role-new"
    start(client, place, "fine", SAFE_SPEC)
    wanted = {"namespaces": {place: {"enforce": "restricted"}, new: {"enforce": "baseline", "create": True}}}
    try:
        status, output, findings = role(check=True, **wanted)
        assert status == 0, output
        assert live_labels(client, place) == {}
        would = {finding["subject"]: finding["would"] for finding in of_control(findings, "enforced")}
        assert would == {f"Namespace/{place}": "pass", f"Namespace/{new}": "pass"}
        assert {finding["status"] for finding in of_control(findings, "enforced")} == {"fail"}

        status, output, _findings = role(mode="audit", **wanted)
        assert status != 0
        assert "is let in; the namespace is not labelled" in output
        assert live_labels(client, place) == {}

        status, output, findings = role(**wanted)
        assert status == 0, output
        assert {finding["status"] for finding in of_control(findings, "enforced")} == {"pass"}
        status, output, findings = role(**wanted)
        assert status == 0 and "changed=0" in output, output
        status, output, findings = role(mode="audit", **wanted)
        assert status == 0 and "changed=0" in output, output
        complying = {each["subject"]: each["status"] for each in of_control(findings, "running_comply")}
        assert complying == {f"Namespace/{place}": "pass", f"Namespace/{new}": "not_applicable"}

        status, output, findings = role(state="absent", **wanted)
        assert (status, findings) == (0, [])
        assert live_labels(client, place) == {}
        assert client.get(NAMESPACE, new)
        status, output, findings = role(state="absent", **wanted)
        assert status == 0 and "changed=0" in output, output
    finally:
        remove_namespaces(client, [new])


def test_the_role_judges_all_at_the_end_or_leaves_it_to_others(
    client: Client, namespace: Callable[..., str], role: Callable[..., tuple[int, str, list[Finding]]]
) -> None:
    place, held = namespace("judge"), namespace("judge-held")
    start(client, held, "host", HOST_SPEC)
    wanted = {
        "namespaces": {place: {"enforce": "restricted"}, held: {"enforce": "baseline"}, "nowhere": {"warn": "baseline"}}
    }
    status, output, findings = role(**wanted)
    assert status != 0
    assert "there is no namespace nowhere" in output
    assert "running pods would be refused under baseline:latest: host (host namespaces)" in output
    statuses = {finding["subject"]: finding["status"] for finding in of_control(findings, "enforced")}
    assert statuses == {f"Namespace/{place}": "pass", f"Namespace/{held}": "fail"}
    status, output, unjudged = role(judge=False, **wanted)
    assert (status, unjudged) == (0, findings), output
    status, output, findings = role(check=True, **wanted)
    assert status == 0
    assert {finding["would"] for finding in findings if finding["subject"] == f"Namespace/{held}"} == {"fail"}


def test_the_role_is_not_green_where_nothing_was_evaluated(
    role: Callable[..., tuple[int, str, list[Finding]]],
) -> None:
    status, output, _findings = role(namespace={"misspelt": {"enforce": "baseline"}})
    assert status != 0
    assert "No control was evaluated" in output


def test_the_role_is_not_green_where_labels_could_not_be_taken_back(
    client: Client, namespace: Callable[..., str], role: Callable[..., tuple[int, str, list[Finding]]]
) -> None:
    place = namespace("stays")
    label(client, place, {"enforce": "baseline"}, manager="hardening.kubernetes/pod_security")
    policy = refuse_updates_of(place)
    kinds = [KNOWN["admissionregistration.k8s.io/v1", each["kind"]] for each in policy]
    try:
        assert all(client.apply(each, manager="test", force=True).ok for each in policy)
        wait_until(lambda: not client.apply(policy_trial(place), manager="test", dry_run=True).ok)
        status, output, _findings = role(state="absent", namespaces={place: {}})
    finally:
        for each, kind in zip(policy, kinds, strict=True):
            client.delete(kind, each["metadata"]["name"])
    assert status != 0
    assert "the labels of this namespace stay" in output
    assert live_labels(client, place)["enforce"] == "baseline"


def refuse_updates_of(place: str) -> list[dict[str, Any]]:
    name = f"{place}-test"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["namespaces"]}
    said = {"expression": "false", "message": "the labels of this namespace stay"}
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [{**rule, "resourceNames": [place]}]},
                "validations": [said],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    ]


def policy_trial(place: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place, "labels": {"trial": "true"}}}


def test_an_audit_in_check_mode_judges_what_is(
    client: Client, namespace: Callable[..., str], role: Callable[..., tuple[int, str, list[Finding]]]
) -> None:
    place = namespace("audit-check")
    status, _output, findings = role(check=True, mode="audit", namespaces={place: {"enforce": "baseline"}})
    assert status != 0
    assert findings and not any("would" in finding for finding in findings)
    assert live_labels(client, place) == {}


@pytest.mark.parametrize("order", [("pod_security", "network_policies"), ("network_policies", "pod_security")])
def test_both_roles_on_one_namespace_leave_each_others_work_alone(
    client: Client, namespace: Callable[..., str], run: Callable[..., Result], order: tuple[str, str]
) -> None:
    place = namespace(f"both-{order[0].partition('_')[0]}")
    wanted: dict[str, Any] = {
        "pod_security": {"namespaces": {place: {"enforce": "restricted"}}},
        "network_policies": {"namespaces": {place: {"default_deny": ["ingress"]}}},
    }
    both = {"enforce": "restricted", "enforce-version": "latest"}
    policies = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]

    def there() -> tuple[dict[str, str], bool]:
        return live_labels(client, place), bool(client.list(policies, place))

    for module in order:
        assert run(module, **wanted[module])["changed"]
    assert there() == (both, True)
    for module in order:
        assert not run(module, **wanted[module])["changed"]
    first, second = order
    assert run(first, state="absent", **wanted[first])["changed"]
    assert there() == (({}, True) if first == "pod_security" else (both, False))
    assert not run(second, **wanted[second])["changed"]
    assert run(second, state="absent", **wanted[second])["changed"]
    assert there() == ({}, False)


@pytest.fixture
def many_namespaces(client: Client) -> Iterator[list[str]]:
    run = uuid.uuid4().hex[:8]
    names = [f"pod-security-{run}-{number:04}" for number in range(1000)]
    made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    assert {answer.status for answer in client.parallel(client.create, made)} == {201}
    yield names
    client.parallel(lambda name: client.delete(NAMESPACE, name), names)


@pytest.mark.alone
def test_a_thousand_namespaces_in_one_task(
    client: Client, run: Callable[..., Result], many_namespaces: list[str]
) -> None:
    wanted = {name: {"enforce": "baseline", "warn": "restricted"} for name in many_namespaces}
    for name in many_namespaces[::100]:
        wait_until(partial(client.get, KNOWN["v1", "ServiceAccount"], "default", name), seconds=120)
        make_workload(client, name, "CronJob", SAFE_SPEC)
    began = time.monotonic()
    told = run("pod_security", namespaces=wanted)
    # A dry run and a write of each: well under a minute even where the machine is busy.
    assert time.monotonic() - began < 120
    assert (told["failed"], told["summary"]["updated"]) == (False, 1000), told.get("msg")
    enforced = client.list(NAMESPACE, label_selector="pod-security.kubernetes.io/enforce=baseline", metadata_only=True)
    assert {each["metadata"]["name"] for each in enforced} >= set(many_namespaces)
    told = run("pod_security", namespaces=wanted)
    assert (told["changed"], told["summary"]["unchanged"]) == (False, 1000)
    told = run("pod_security", namespaces=wanted, state="absent")
    assert told["summary"]["updated"] == 1000
