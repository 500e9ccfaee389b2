# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import (
    is_running,
    subject_of_pod,
    submissions,
    templates_without_pods,
)

SPEC: dict[str, Any] = {"containers": [{"name": "web", "image": "web:1"}]}
API = {"CronJob": "batch/v1", "Job": "batch/v1", "Pod": "v1", "ReplicationController": "v1", "PodTemplate": "v1"}


def thing(kind: str, name: str, owner: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "uid": f"uid-{kind}-{name}"}
    if owner:
        metadata["ownerReferences"] = [
            {
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
    return {"apiVersion": API.get(kind, "apps/v1"), "kind": kind, "metadata": metadata, **fields}


def workload(kind: str, name: str, owner: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}, "annotations": {"note": "kept"}}, "spec": SPEC}
    spec = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    shape = {"template": template} if kind == "PodTemplate" else {"spec": spec}
    return thing(kind, name, owner, **shape, **fields)


def pod(name: str, owner: dict[str, Any] | None = None, phase: str = "Running", **spec: Any) -> dict[str, Any]:
    return thing("Pod", name, owner, spec={**SPEC, **spec}, status={"phase": phase})


@pytest.mark.parametrize(
    "kind",
    ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "PodTemplate"],
)
def test_every_kind_is_asked_about_by_its_template(kind: str) -> None:
    (submission,) = submissions([], [workload(kind, "web")])
    assert submission.subject == f"{kind}/shop/web"
    assert submission.what == "the pod template"
    assert submission.pod() == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "hardening-probe-",
            "namespace": "shop",
            "labels": {"app": "web"},
            "annotations": {"note": "kept"},
        },
        "spec": SPEC,
    }


def test_pods_and_what_makes_them_are_told_under_the_workload_at_the_top() -> None:
    deployment = workload("Deployment", "web")
    replicas = workload("ReplicaSet", "web-5d", deployment)
    pods = [pod(f"web-5d-{i}", replicas, nodeName=f"node-{i}") for i in range(3)]
    of_pods, of_template = submissions(pods, [deployment, replicas])
    assert (of_pods.subject, of_pods.what) == ("Deployment/shop/web", "running pod web-5d-0 and 2 more")
    assert (of_template.subject, of_template.what) == ("Deployment/shop/web", "the pod template")
    assert subject_of_pod("web-5d-1", "shop", pods, [deployment, replicas]) == "Deployment/shop/web"
    assert subject_of_pod("unknown", "shop", pods, [deployment, replicas]) == "Pod/shop/unknown"


def test_pods_of_one_workload_that_pod_security_may_judge_differently_are_each_asked_about() -> None:
    deployment = workload("Deployment", "web")
    pods = [pod("a", deployment), pod("b", deployment, hostPID=True)]
    assert len(submissions(pods, [deployment])) == 3
    noted = pod("c", deployment)
    noted["metadata"]["annotations"] = {"container.apparmor.security.beta.kubernetes.io/web": "unconfined"}
    assert len(submissions([*pods, noted], [deployment])) == 4


def test_what_differs_from_pod_to_pod_by_itself_does_not_count() -> None:
    owner = workload("StatefulSet", "db")

    def member(i: int) -> dict[str, Any]:
        made = pod(
            f"db-{i}",
            owner,
            hostname=f"db-{i}",
            affinity={"nodeAffinity": i},
            volumes=[
                {"name": "data", "persistentVolumeClaim": {"claimName": f"data-db-{i}"}},
                {"name": f"kube-api-access-abcd{i}", "projected": {}},
            ],
        )
        made["metadata"]["annotations"] = {"cni.example.com/ip": f"10.0.0.{i}"}
        return made

    of_pods, _of_template = submissions([member(1), member(2)], [owner])
    assert of_pods.pods == 2


def test_what_has_finished_is_not_asked_about() -> None:
    finished = workload("Job", "done", status={"conditions": [{"type": "Complete", "status": "True"}]})
    failed = workload("Job", "failed", status={"conditions": [{"type": "Failed", "status": "True"}]})
    running = workload("Job", "busy", status={"conditions": [{"type": "Suspended", "status": "False"}]})
    pods = [pod("a", phase="Succeeded"), pod("b", phase="Failed"), pod("c", phase="Pending")]
    assert [is_running(each) for each in pods] == [False, False, True]
    assert [each.subject for each in submissions(pods, [finished, failed, running])] == ["Pod/shop/c", "Job/shop/busy"]


def test_a_workload_of_an_unknown_controller_has_a_template_of_its_own() -> None:
    rollout = thing("Rollout", "web")
    replicas = workload("ReplicaSet", "web-5d", rollout)
    assert [each.subject for each in submissions([], [replicas])] == ["ReplicaSet/shop/web-5d"]


def test_a_live_pod_is_sent_without_what_the_server_filled_in() -> None:
    live = pod(
        "web",
        nodeName="node-1",
        serviceAccount="default",
        serviceAccountName="default",
        priority=0,
        preemptionPolicy="PreemptLowerPriority",
        overhead={"cpu": "1m"},
        ephemeralContainers=[
            {"name": "debug", "image": "busybox", "targetContainerName": "web", "securityContext": {"privileged": True}}
        ],
        volumes=[{"name": "kube-api-access-x7k2p", "projected": {}}, {"name": "cache", "emptyDir": {}}],
        containers=[
            {
                "name": "web",
                "image": "web:1",
                "volumeMounts": [
                    {"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets"},
                    {"name": "cache", "mountPath": "/cache"},
                ],
            }
        ],
    )
    live["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x", "note": "kept"}
    (submission,) = submissions([live], [])
    sent = submission.pod()
    assert sent["spec"] == {
        "serviceAccountName": "default",
        "volumes": [{"name": "cache", "emptyDir": {}}],
        "containers": [
            {"name": "web", "image": "web:1", "volumeMounts": [{"name": "cache", "mountPath": "/cache"}]},
            {"name": "debug", "image": "busybox", "securityContext": {"privileged": True}, "volumeMounts": []},
        ],
    }
    assert sent["metadata"]["annotations"] == {"note": "kept"}
    assert "name" not in sent["metadata"]
    assert "status" not in sent


def test_a_second_attempt_leaves_out_what_only_other_plugins_judge() -> None:
    live = pod("web", serviceAccountName="gone", priorityClassName="gone", runtimeClassName="kept", hostPID=True)
    (submission,) = submissions([live], [])
    assert submission.pod(0)["spec"]["serviceAccountName"] == "gone"
    second = submission.pod(1)["spec"]
    assert "serviceAccountName" not in second
    assert "priorityClassName" not in second
    assert (second["runtimeClassName"], second["hostPID"]) == ("kept", True)
    assert set(second["containers"][0]["resources"]) == {"requests", "limits"}


def test_a_stateful_set_brings_the_volumes_that_its_claims_make() -> None:
    db = workload("StatefulSet", "db")
    db["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {}}]
    (submission,) = submissions([], [db])
    assert submission.spec["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]


@pytest.mark.parametrize(
    ("kind", "status", "without"),
    [
        ("Deployment", {"updatedReplicas": 1, "observedGeneration": 3}, False),
        ("Deployment", {"updatedReplicas": 1, "observedGeneration": 2}, True),
        ("Deployment", {"observedGeneration": 3}, True),
        ("StatefulSet", {"updatedReplicas": 2, "observedGeneration": 3}, False),
        ("DaemonSet", {"updatedNumberScheduled": 0, "observedGeneration": 3}, True),
        ("DaemonSet", {"updatedNumberScheduled": 4, "observedGeneration": 3}, False),
        ("Job", {"active": 1}, False),
        ("Job", {}, True),
        ("CronJob", {"active": [{"name": "x"}]}, True),
    ],
)
def test_templates_of_which_no_pod_runs(kind: str, status: dict[str, Any], without: bool) -> None:
    one = workload(kind, "web", status=status)
    one["metadata"]["generation"] = 3
    assert templates_without_pods([one]) == ([f"{kind}/shop/web"] if without else [])
