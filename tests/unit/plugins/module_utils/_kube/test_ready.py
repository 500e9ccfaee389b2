# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ready import readiness
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._wait import is_gone, is_ready


def condition(name: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": name, "status": status, **more}]}


def obj(
    api_version: str,
    kind: str,
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec or {}, "status": status or {}}


ROLLED_OUT = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
READY = {
    "deployment": obj("apps/v1", "Deployment", {"replicas": 2}, {**ROLLED_OUT, "observedGeneration": 3}, generation=3),
    "deployment of none": obj("apps/v1", "Deployment", {"replicas": 0}),
    "daemon set": obj(
        "apps/v1", "DaemonSet", {}, {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}
    ),
    "daemon set updated by hand": obj(
        "apps/v1",
        "DaemonSet",
        {"updateStrategy": {"type": "OnDelete"}},
        {"desiredNumberScheduled": 3, "numberAvailable": 3},
    ),
    "daemon set for no node": obj("apps/v1", "DaemonSet", {}, {"desiredNumberScheduled": 0}),
    "stateful set": obj("apps/v1", "StatefulSet", {"replicas": 2}, ROLLED_OUT),
    "stateful set with a partition": obj(
        "apps/v1",
        "StatefulSet",
        {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
        {**ROLLED_OUT, "updatedReplicas": 1},
    ),
    "replica set": obj("apps/v1", "ReplicaSet", {"replicas": 2}, ROLLED_OUT),
    "job": obj("batch/v1", "Job", {}, condition("Complete")),
    "job that is suspended": obj("batch/v1", "Job", {"suspend": True}),
    "pod": obj("v1", "Pod", {}, {"phase": "Running", **condition("Ready")}),
    "pod that is done": obj("v1", "Pod", {}, {"phase": "Succeeded"}),
    "crd": obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, condition("Established")),
    "api service": obj("apiregistration.k8s.io/v1", "APIService", {}, condition("Available")),
    "namespace": obj("v1", "Namespace", {}, {"phase": "Active"}),
    "volume claim": obj("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}),
    "service": obj("v1", "Service", {"type": "ClusterIP"}),
    "load balancer": obj(
        "v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    ),
    "config map": obj("v1", "ConfigMap"),
    "custom resource without conditions": obj("example.com/v1", "Gadget"),
    "custom resource": obj("example.com/v1", "Gadget", {}, condition("Ready")),
    "custom resource of a familiar name": obj("serving.knative.dev/v1", "Service", {"type": "LoadBalancer"}),
    "budget": obj("policy/v1", "PodDisruptionBudget", {}, {"observedGeneration": 1}, generation=1),
}
WAITING = {
    "deployment": (
        obj("apps/v1", "Deployment", {"replicas": 3}, {"updatedReplicas": 3, "availableReplicas": 1}),
        "1 of 3 replicas",
    ),
    "deployment of unsaid size": (obj("apps/v1", "Deployment"), "0 of 1 replicas"),
    "deployment with old pods": (
        obj("apps/v1", "Deployment", {"replicas": 2}, {**ROLLED_OUT, "replicas": 3}),
        "1 old replicas",
    ),
    "change not seen": (
        obj("apps/v1", "Deployment", {"replicas": 2}, {**ROLLED_OUT, "observedGeneration": 2}, generation=3),
        "has not seen the change",
    ),
    "daemon set not seen": (obj("apps/v1", "DaemonSet"), "has not seen it"),
    "daemon set": (
        obj("apps/v1", "DaemonSet", {}, {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3}),
        "0 of 3 pods",
    ),
    "stateful set": (obj("apps/v1", "StatefulSet", {"replicas": 2}, {"readyReplicas": 1}), "1 of 2 replicas are ready"),
    "stateful set not updated": (
        obj("apps/v1", "StatefulSet", {"replicas": 2}, {"readyReplicas": 2}),
        "0 of 2 replicas are updated",
    ),
    "replica set": (obj("apps/v1", "ReplicaSet"), "0 of 1 replicas"),
    "job": (obj("batch/v1", "Job", {"completions": 3}, {"succeeded": 1}), "1 of 3 pods have succeeded"),
    "pod": (obj("v1", "Pod"), "Ready is not true"),
    "pod with a reason": (
        obj("v1", "Pod", {}, condition("Ready", "False", message="containers with unready status")),
        "unready status",
    ),
    "pod without its image": (
        obj(
            "v1",
            "Pod",
            {},
            {"containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
        ),
        "container main: ImagePullBackOff",
    ),
    "crd": (obj("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "Established"),
    "namespace": (obj("v1", "Namespace", {}, {"phase": "Terminating"}), "Terminating"),
    "volume claim": (obj("v1", "PersistentVolumeClaim"), "Pending"),
    "load balancer": (obj("v1", "Service", {"type": "LoadBalancer"}), "load balancer"),
    "custom resource": (obj("example.com/v1", "Gadget", {}, condition("Ready", "False", reason="Cold")), "Cold"),
    "reconciling": (obj("example.com/v1", "Gadget", {}, condition("Reconciling", message="warming up")), "warming up"),
    "being deleted": (obj("v1", "ConfigMap", deletionTimestamp="now"), "being deleted"),
    "budget": (obj("policy/v1", "PodDisruptionBudget"), "has not seen it"),
}
HOPELESS = {
    "job": (obj("batch/v1", "Job", {}, condition("Failed", message="backoff limit")), "backoff limit"),
    "pod": (obj("v1", "Pod", {}, {"phase": "Failed", "reason": "Evicted"}), "Evicted"),
    "deployment": (
        obj("apps/v1", "Deployment", {}, condition("Progressing", "False", reason="ProgressDeadlineExceeded")),
        "deadline",
    ),
    "crd": (
        obj(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            {},
            condition("NamesAccepted", "False", message="taken"),
        ),
        "taken",
    ),
    "stalled": (obj("example.com/v1", "Gadget", {}, condition("Stalled", message="no fuel")), "no fuel"),
    "volume claim": (obj("v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}), "lost"),
}


@pytest.mark.parametrize("found", READY.values(), ids=READY)
def test_ready(found: dict[str, Any]) -> None:
    assert readiness(found).ready and is_ready(found).ready


@pytest.mark.parametrize(("found", "words"), WAITING.values(), ids=WAITING)
def test_not_ready_yet_and_for_what_it_waits(found: dict[str, Any], words: str) -> None:
    judged = readiness(found)
    assert words in judged.waits_for and not judged.hopeless


@pytest.mark.parametrize(("found", "words"), HOPELESS.values(), ids=HOPELESS)
def test_waiting_longer_cannot_help(found: dict[str, Any], words: str) -> None:
    judged = readiness(found)
    assert words in judged.waits_for and judged.hopeless


def test_what_is_not_there_is_not_ready_but_gone() -> None:
    assert is_ready(None).waits_for == "it is not there"
    assert is_gone(None).ready


def test_what_should_be_gone_tells_what_holds_it() -> None:
    assert "example.com/guard" in is_gone({"metadata": {"finalizers": ["example.com/guard"]}}).waits_for
    assert is_gone({"metadata": {}}).waits_for == "it is still there"
