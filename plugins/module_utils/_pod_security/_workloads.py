# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the pods that run in a namespace, and those that its workloads would start.

Pod Security enforces on Pods alone: a workload whose template breaks the level is let in and starts nothing. So a
template is asked about as the pod that it makes, also where no pod of it runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import TEMPLATE_PATHS

Object = Mapping[str, Any]

WORKLOAD_KINDS: tuple[tuple[str, str], ...] = tuple(key for key in TEMPLATE_PATHS if key[1] != "Pod")
"""API version and kind of what makes pods; the kinds that others are made by are among them."""

_MAKERS = frozenset(kind for _version, kind in WORKLOAD_KINDS)
_FINISHED_PHASES = frozenset({"Succeeded", "Failed"})
_FINISHED_JOB = frozenset({"Complete", "Failed"})

# Filled in by the server when the pod was made, and refused or contradicted when sent again.
_SERVER_SET = frozenset(
    {"nodeName", "serviceAccount", "priority", "preemptionPolicy", "overhead", "ephemeralContainers", "schedulingGates"}
)
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_STATIC_POD = "kubernetes.io/config."
_DEBUG_CONTAINER_ONLY = frozenset({"targetContainerName"})

# What no check of the Pod Security Standards reads, but what the pods of one workload differ in.
_OF_ONE_POD = frozenset({"affinity", "hostname", "subdomain", "nodeSelector", "tolerations"})
_JUDGED = re.compile("seccomp|apparmor")
# What other admission plugins judge and Pod Security does not.
_OF_OTHER_PLUGINS = frozenset(
    {"serviceAccountName", "serviceAccount", "imagePullSecrets", "priorityClassName", "nodeSelector", "resources"}
)
_SMALL = {"cpu": "10m", "memory": "16Mi"}

_PODS_OF_TEMPLATE: Mapping[str, str] = {
    "Deployment": "updatedReplicas",
    "StatefulSet": "updatedReplicas",
    "DaemonSet": "updatedNumberScheduled",
    "ReplicaSet": "fullyLabeledReplicas",
    "ReplicationController": "fullyLabeledReplicas",
    "Job": "active",
}
"""The field of a workload's status that counts pods made from its present template."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A pod to submit by dry run, for the workload or pod ``subject`` (``Kind/namespace/name``).

    It stands for ``pods`` running pods that are alike, the first of which is ``first``, or with none for the template.
    """

    subject: str
    namespace: str
    metadata: Object
    spec: Object
    pods: int = 0
    first: str = ""

    @property
    def is_template(self) -> bool:
        """Whether it stands for a workload's template."""
        return not self.pods

    @property
    def what(self) -> str:
        """What it stands for, in words."""
        if self.is_template:
            return "the pod template"
        return f"running pod {self.first}" + (f" and {self.pods - 1} more" if self.pods > 1 else "")

    def pod(self, attempt: int = 0) -> dict[str, Any]:
        """The pod. Every second attempt leaves out what other admission plugins judge, and so answer instead."""
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": "hardening-probe-", "namespace": self.namespace, **self.metadata},
            "spec": _for_pod_security_alone(self.spec) if attempt % 2 else dict(self.spec),
        }


def submissions(pods: Sequence[Object], workloads: Sequence[Object]) -> list[Submission]:
    """Every pod that runs and every template, each once: running pods of one workload that are alike count as one.

    A workload that another one makes (a Deployment's ReplicaSet) has no template of its own, and finished pods and
    Jobs run no more.
    """
    owners = {_uid(each): each for each in workloads}
    alike: dict[tuple[str, str], list[Object]] = {}
    for pod in pods:
        if is_running(pod):
            alike.setdefault((_label(root_of(pod, owners)), _fingerprint(pod)), []).append(pod)
    return [
        *(_of_pods(subject, group) for (subject, _likeness), group in alike.items()),
        *(_of_template(each) for each in workloads if _makes_pods_itself(each)),
    ]


def is_running(pod: Object) -> bool:
    """Whether a pod has not finished."""
    return (pod.get("status") or {}).get("phase") not in _FINISHED_PHASES


def templates_without_pods(workloads: Iterable[Object]) -> list[str]:
    """Subjects of the workloads of whose present template no pod runs, so that running pods say nothing of it."""
    return [_label(each) for each in workloads if _makes_pods_itself(each) and not _has_pods_of_its_template(each)]


def subject_of_pod(name: str, namespace: str, pods: Iterable[Object], workloads: Iterable[Object]) -> str:
    """The workload behind a running pod that is known by name, or the pod itself."""
    owners = {_uid(each): each for each in workloads}
    found = next((pod for pod in pods if _name(pod) == name and _namespace(pod) == namespace), None)
    return _label(root_of(found, owners)) if found else f"Pod/{namespace}/{name}"


def root_of(made: Object, owners: Mapping[str, Object]) -> Object:
    """The object at the top of the line of controllers, as far as ``owners`` (by uid) knows it."""
    maker = owners.get(_controller(made).get("uid", ""))
    return made if maker is None else root_of(maker, owners)


def _makes_pods_itself(workload: Object) -> bool:
    return _controller(workload).get("kind") not in _MAKERS and not _is_finished(workload)


def _is_finished(workload: Object) -> bool:
    conditions = (workload.get("status") or {}).get("conditions") or ()
    return workload["kind"] == "Job" and any(
        each.get("type") in _FINISHED_JOB and each.get("status") == "True" for each in conditions
    )


def _has_pods_of_its_template(workload: Object) -> bool:
    status = workload.get("status") or {}
    generation = workload["metadata"].get("generation")
    seen = status.get("observedGeneration", generation) == generation
    return seen and bool(status.get(_PODS_OF_TEMPLATE.get(workload["kind"], ""), 0))


def _of_pods(subject: str, pods: list[Object]) -> Submission:
    first = pods[0]
    metadata = first["metadata"]
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if not key.startswith(_STATIC_POD)
    }
    return Submission(
        subject,
        _namespace(first),
        {"labels": metadata.get("labels") or {}, "annotations": annotations},
        _sendable(first["spec"]),
        pods=len(pods),
        first=_name(first),
    )


def _of_template(workload: Object) -> Submission:
    template: Object = workload
    for key in TEMPLATE_PATHS[workload["apiVersion"], workload["kind"]]:
        template = template.get(key) or {}
    metadata = template.get("metadata") or {}
    spec = dict(template.get("spec") or {})
    claims = [
        {"name": _name(claim), "persistentVolumeClaim": {"claimName": _name(claim)}}
        for claim in (workload.get("spec") or {}).get("volumeClaimTemplates") or ()
    ]
    if claims:
        spec["volumes"] = [*(spec.get("volumes") or ()), *claims]
    return Submission(
        _label(workload),
        _namespace(workload),
        {"labels": metadata.get("labels") or {}, "annotations": metadata.get("annotations") or {}},
        spec,
    )


def _sendable(spec: Object) -> dict[str, Any]:
    """The PodSpec of a live pod as one that can be created.

    Debug containers cannot be, so they are sent as containers: Pod Security judges both alike.
    """
    sent = {key: value for key, value in spec.items() if key not in _SERVER_SET}
    debug = [
        {key: value for key, value in each.items() if key not in _DEBUG_CONTAINER_ONLY}
        for each in spec.get("ephemeralContainers") or ()
    ]
    for kind in ("containers", "initContainers"):
        if kind in sent:
            sent[kind] = [_without_token(each) for each in sent[kind]]
    if debug:
        sent["containers"] = [*sent["containers"], *(_without_token(each) for each in debug)]
    if "volumes" in sent:
        sent["volumes"] = [each for each in sent["volumes"] if not _TOKEN_VOLUME.fullmatch(each["name"])]
    return sent


def _without_token(container: Object) -> Object:
    mounts = container.get("volumeMounts") or ()
    kept = [each for each in mounts if not _TOKEN_VOLUME.fullmatch(each["name"])]
    return {**container, "volumeMounts": kept}


def _for_pod_security_alone(spec: Object) -> dict[str, Any]:
    small = {"requests": _SMALL, "limits": _SMALL}
    sent = {key: value for key, value in spec.items() if key not in _OF_OTHER_PLUGINS}
    for kind in ("containers", "initContainers"):
        if kind in sent:
            sent[kind] = [{**_without_references(each), "resources": small} for each in sent[kind]]
    return sent


def _without_references(container: Object) -> Object:
    return {key: value for key, value in container.items() if key not in {"env", "envFrom"}}


def _fingerprint(pod: Object) -> str:
    """Equal for pods that Pod Security cannot judge differently."""
    spec = {key: value for key, value in _sendable(pod["spec"]).items() if key not in _OF_ONE_POD}
    spec["volumes"] = [
        {key: (value if key == "hostPath" else "") for key, value in volume.items() if key != "name"}
        for volume in spec.get("volumes") or ()
    ]
    for kind in ("containers", "initContainers"):
        if kind in spec:
            spec[kind] = [{**_without_references(each), "volumeMounts": []} for each in spec[kind]]
    annotations = pod["metadata"].get("annotations") or {}
    return json.dumps([spec, {key: annotations[key] for key in annotations if _JUDGED.search(key)}], sort_keys=True)


def _controller(made: Object) -> Object:
    references: Iterator[Object] = iter((made["metadata"].get("ownerReferences")) or ())
    return next((each for each in references if each.get("controller")), {})


def _label(of: Object) -> str:
    return f"{of['kind']}/{_namespace(of)}/{_name(of)}"


def _uid(of: Object) -> str:
    return str(of["metadata"].get("uid", ""))


def _name(of: Object) -> str:
    return str(of["metadata"]["name"])


def _namespace(of: Object) -> str:
    return str(of["metadata"].get("namespace", ""))
