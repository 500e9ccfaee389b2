# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: when an object has become what it should be: a function a kind, one for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Readiness:
    """``waits_for`` is empty when ready; ``hopeless`` when waiting longer cannot help."""

    waits_for: str = ""
    hopeless: bool = False

    @property
    def ready(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self.waits_for


READY = Readiness()


def readiness(obj: Object) -> Readiness:
    """How far the object has come, by what its controllers have written into its status."""
    if (obj.get("metadata") or {}).get("deletionTimestamp"):
        return Readiness("it is being deleted")
    if _status(obj).get("observedGeneration", _generation(obj)) < _generation(obj):
        return Readiness("its controller has not seen the change yet")
    built_in = (obj.get("apiVersion", ""), obj.get("kind", "")) in KNOWN
    return (_BY_KIND.get(obj["kind"], _any_kind) if built_in else _any_kind)(obj)


def condition(obj: Object, name: str) -> Object:
    """The status condition of that type; empty where there is none."""
    return next((each for each in _status(obj).get("conditions") or () if each.get("type") == name), {})


def _status(obj: Object) -> Object:
    return obj.get("status") or {}


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _generation(obj: Object) -> int:
    return int((obj.get("metadata") or {}).get("generation", 0))


def _is_true(obj: Object, name: str) -> bool:
    return condition(obj, name).get("status") == "True"


def _needs(name: str) -> Callable[[Object], Readiness]:
    """Ready when this condition is true."""

    def judge(obj: Object) -> Readiness:
        found = condition(obj, name)
        if found.get("status") == "True":
            return READY
        why = found.get("message") or found.get("reason")
        return Readiness(f"{name} is not true" + (f": {why}" if why else ""))

    return judge


def _any_kind(obj: Object) -> Readiness:
    """The conventions that kstatus reads: Stalled, Reconciling and Ready; an object without conditions is ready."""
    if _is_true(obj, "Stalled"):
        return Readiness(f"it is stalled: {condition(obj, 'Stalled').get('message', '')}", hopeless=True)
    if _is_true(obj, "Reconciling"):
        return Readiness(f"it is being reconciled: {condition(obj, 'Reconciling').get('message', '')}")
    return _needs("Ready")(obj) if condition(obj, "Ready") else READY


def _deployment(obj: Object) -> Readiness:
    if condition(obj, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return Readiness("its progress deadline has passed", hopeless=True)
    wanted, status = _spec(obj).get("replicas", 1), _status(obj)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    old = status.get("replicas", 0) - updated
    if updated < wanted or available < wanted:
        return Readiness(f"{min(updated, available)} of {wanted} replicas are updated and available")
    return Readiness(f"{old} old replicas are to end") if old > 0 else READY


def _replica_set(obj: Object) -> Readiness:
    wanted, available = _spec(obj).get("replicas", 1), _status(obj).get("availableReplicas", 0)
    return READY if available >= wanted else Readiness(f"{available} of {wanted} replicas are available")


def _stateful_set(obj: Object) -> Readiness:
    status, strategy = _status(obj), _spec(obj).get("updateStrategy") or {}
    wanted = _spec(obj).get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return Readiness(f"{ready} of {wanted} replicas are ready")
    kept = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    updated = status.get("updatedReplicas", 0)
    if strategy.get("type") != "OnDelete" and updated < wanted - kept:
        return Readiness(f"{updated} of {wanted - kept} replicas are updated")
    return READY


def _daemon_set(obj: Object) -> Readiness:
    status = _status(obj)
    if "desiredNumberScheduled" not in status:
        return Readiness("its controller has not seen it yet")
    wanted = status["desiredNumberScheduled"]
    updated = status.get("updatedNumberScheduled", 0)
    if (_spec(obj).get("updateStrategy") or {}).get("type") == "OnDelete":
        updated = wanted
    done = min(updated, status.get("numberAvailable", 0))
    return READY if done >= wanted else Readiness(f"{done} of {wanted} pods are updated and available")


def _job(obj: Object) -> Readiness:
    if _is_true(obj, "Failed"):
        failed = condition(obj, "Failed")
        return Readiness(
            f"it failed: {failed.get('message') or failed.get('reason') or 'no reason given'}", hopeless=True
        )
    if _is_true(obj, "Complete") or _spec(obj).get("suspend"):
        return READY
    status, wanted = _status(obj), _spec(obj).get("completions", 1)
    return Readiness(f"{status.get('succeeded', 0)} of {wanted} pods have succeeded")


def _pod(obj: Object) -> Readiness:
    phase = _status(obj).get("phase", "Pending")
    if phase == "Succeeded":
        return READY
    if phase == "Failed":
        return Readiness(f"it failed: {_status(obj).get('message') or _status(obj).get('reason') or ''}", hopeless=True)
    for container in _status(obj).get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return Readiness(f"container {container.get('name')}: {waiting['reason']}")
    return _needs("Ready")(obj)


def _namespace(obj: Object) -> Readiness:
    phase = _status(obj).get("phase")
    return READY if phase == "Active" else Readiness(f"its phase is {phase}")


def _volume_claim(obj: Object) -> Readiness:
    phase = _status(obj).get("phase", "Pending")
    if phase == "Lost":
        return Readiness("its volume is lost", hopeless=True)
    return READY if phase == "Bound" else Readiness(f"its phase is {phase}")


def _service(obj: Object) -> Readiness:
    if _spec(obj).get("type") != "LoadBalancer" or (_status(obj).get("loadBalancer") or {}).get("ingress"):
        return READY
    return Readiness("no load balancer has given it an address")


def _disruption_budget(obj: Object) -> Readiness:
    return READY if "observedGeneration" in _status(obj) else Readiness("its controller has not seen it yet")


def _crd(obj: Object) -> Readiness:
    names = condition(obj, "NamesAccepted")
    if names.get("status") == "False":
        return Readiness(f"its names are not accepted: {names.get('message', '')}", hopeless=True)
    return _needs("Established")(obj)


_BY_KIND: Mapping[str, Callable[[Object], Readiness]] = {
    "APIService": _needs("Available"),
    "CustomResourceDefinition": _crd,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _volume_claim,
    "Pod": _pod,
    "PodDisruptionBudget": _disruption_budget,
    "ReplicaSet": _replica_set,
    "ReplicationController": _replica_set,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
