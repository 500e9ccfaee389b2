# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what runs, and whether it fits into quotas and limits.

A quota stops nothing that runs, and a LimitRange neither: both act when a pod is made. So what counts is the pod that
a workload would make next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import (
    Amounts,
    Limit,
    asked,
    refusals,
    unsaid,
    usage,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._probe_pod import PROBE_POD, PROBE_PREFIX
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts, written
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import TEMPLATE_PATHS

Object = Mapping[str, Any]

_MAKERS = frozenset(kind for _version, kind in TEMPLATE_PATHS if kind != "Pod")
_FINISHED_PHASES = frozenset({"Succeeded", "Failed"})
_MIRROR = "kubernetes.io/config.mirror"
_JUDGED_OF_POD = ("resources", "priorityClassName", "activeDeadlineSeconds", "runtimeClassName")


@dataclass(frozen=True, slots=True)
class Template:
    """The pod that ``subject`` (``Kind/namespace/name``) would start next, and the claims that come with it."""

    subject: str
    namespace: str
    metadata: Object
    spec: Object
    claims: tuple[Object, ...] = ()

    def pod(self) -> dict[str, Any]:
        """A pod that asks for the same, and is otherwise one that nothing has anything against."""
        (template,) = PROBE_POD["containers"]
        kinds = {
            kind: [
                {
                    **template,
                    "name": each["name"],
                    **{key: each[key] for key in ("resources", "restartPolicy") if key in each},
                }
                for each in self.spec.get(kind) or ()
            ]
            for kind in ("initContainers", "containers")
        }
        said = {key: self.spec[key] for key in _JUDGED_OF_POD if key in self.spec}
        metadata = {key: self.metadata[key] for key in ("labels", "annotations") if self.metadata.get(key)}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": PROBE_PREFIX, "namespace": self.namespace, **metadata},
            "spec": {**PROBE_POD, **kinds, **said},
        }


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota that every pod falls under: what it allows, and what of it is used as far as anybody counted."""

    name: str
    hard: Amounts
    used: Amounts | None = None


def templates(pods: Sequence[Object], workloads: Sequence[Object]) -> list[Template]:
    """What would be started next: by each workload that no other one makes, and by each pod that none of them made."""
    known = {each["metadata"].get("uid") for each in workloads}
    found = [_of_workload(each) for each in workloads if _makes_pods_itself(each)]
    by_owner: dict[str, Template] = {}
    for pod in pods:
        owner = _controller(pod)
        metadata = pod["metadata"]
        if not is_running(pod) or owner.get("uid") in known or _MIRROR in (metadata.get("annotations") or {}):
            continue
        kind, name = owner.get("kind", "Pod"), owner.get("name", metadata["name"])
        subject = f"{kind}/{metadata['namespace']}/{name}"
        by_owner.setdefault(subject, Template(subject, metadata["namespace"], metadata, pod["spec"]))
    return [*found, *by_owner.values()]


def is_running(pod: Object) -> bool:
    """Whether a pod has not finished."""
    return (pod.get("status") or {}).get("phase") not in _FINISHED_PHASES


def quotas_of(objects: Iterable[Object]) -> list[Quota]:
    """The quotas without scopes: what a scope holds, and what it does not, is left to the server."""
    return [
        Quota(str(each["metadata"]["name"]), amounts(spec.get("hard")), _used(each))
        for each in objects
        if not (spec := each.get("spec") or {}).get("scopes") and not spec.get("scopeSelector")
    ]


def _used(quota: Object) -> Amounts | None:
    status = quota.get("status") or {}
    return amounts(status.get("used")) if "used" in status else None


def misfits(template: Template, limits: Sequence[Limit], quotas: Iterable[Quota]) -> list[str]:
    """Why the pods of a template would be refused, whatever else runs; empty where they would not."""
    pod = asked(template.spec, limits)
    found = refusals(pod, limits)
    for quota in quotas:
        missing = unsaid(pod, quota.hard)
        if missing:
            said = "; ".join(f"{name} for: {','.join(names)}" for name, names in missing.items())
            found.append(f"failed quota: {quota.name}: must specify {said}")
        found += [
            f"one pod alone asks for {written(amount)} of {name}, and the quota {quota.name} allows "
            f"{written(quota.hard[name])}"
            for name, amount in usage(pod).items()
            if amount > quota.hard.get(name, amount) and name not in ("pods", "count/pods")
        ]
    return [*found, *claim_misfits(template, limits)]


def claim_misfits(template: Template, limits: Sequence[Limit]) -> list[str]:
    """Why the claims that come with a template would be refused; empty where they would not."""
    return [said for claim in template.claims for said in _claim_refusals(claim, limits)]


def _claim_refusals(claim: Object, limits: Iterable[Limit]) -> list[str]:
    said = (claim.get("spec") or {}).get("resources") or {}
    wanted = amounts(said.get("requests")).get("storage", Decimal(0))
    name = claim["metadata"]["name"]
    of_claims = [limit for limit in limits if limit.kind == "PersistentVolumeClaim"]
    return [
        f"its claim {name} asks for {written(wanted)} of storage, and the {what} is {written(bounds['storage'])}"
        for limit in of_claims
        for what, bounds, broken in (
            ("maximum", limit.max, wanted > limit.max.get("storage", wanted)),
            ("minimum", limit.min, wanted < limit.min.get("storage", wanted)),
        )
        if broken
    ]


def used_by(pods: Iterable[Object], workloads: Iterable[Object]) -> Amounts:
    """What runs uses of a quota, by the names that can be known from pods and workloads alone."""
    total: Amounts = {}
    for pod in pods:
        said = usage(asked(pod["spec"])) if is_running(pod) else {"count/pods": Decimal(1)}
        for name, amount in said.items():
            total[name] = total.get(name, Decimal(0)) + amount
    for each in workloads:
        name = _COUNTED_AS.get(each["kind"], "")
        if name:
            total[name] = total.get(name, Decimal(0)) + 1
    return total


_COUNTED_AS: Mapping[str, str] = {
    "Deployment": "count/deployments.apps",
    "ReplicaSet": "count/replicasets.apps",
    "StatefulSet": "count/statefulsets.apps",
    "DaemonSet": "count/daemonsets.apps",
    "Job": "count/jobs.batch",
    "CronJob": "count/cronjobs.batch",
    "ReplicationController": "replicationcontrollers",
}


def overdrawn(quota: Quota, counted: Amounts) -> list[str]:
    """Of what more is used than a quota allows: by the server's count, else by ``counted``."""
    used = counted if quota.used is None else quota.used
    return [
        f"{written(used[name])} of {name} is used, and the quota {quota.name} allows {written(amount)}"
        for name, amount in quota.hard.items()
        if used.get(name, amount) > amount
    ]


def uncounted(quota: Quota, counted: Amounts) -> list[str]:
    """The names of a quota of which nobody knows yet how much is used."""
    used = counted if quota.used is None else quota.used
    nothing_runs = {
        name
        for name in quota.hard
        if name in _FROM_PODS or (name.partition(".")[0] in ("requests", "limits") and name != "requests.storage")
    }
    return sorted(quota.hard.keys() - used.keys() - nothing_runs - set(_COUNTED_AS.values()))


_FROM_PODS = frozenset({"cpu", "memory", "ephemeral-storage", "pods", "count/pods"})


def _makes_pods_itself(workload: Object) -> bool:
    conditions = (workload.get("status") or {}).get("conditions") or ()
    finished = workload["kind"] == "Job" and any(
        each.get("type") in ("Complete", "Failed") and each.get("status") == "True" for each in conditions
    )
    return not finished and _controller(workload).get("kind") not in _MAKERS


def _of_workload(workload: Object) -> Template:
    template: Object = workload
    for key in TEMPLATE_PATHS[workload["apiVersion"], workload["kind"]]:
        template = template.get(key) or {}
    metadata = workload["metadata"]
    return Template(
        f"{workload['kind']}/{metadata['namespace']}/{metadata['name']}",
        metadata["namespace"],
        template.get("metadata") or {},
        template.get("spec") or {},
        tuple((workload.get("spec") or {}).get("volumeClaimTemplates") or ()),
    )


def _controller(made: Object) -> Object:
    references = made["metadata"].get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), {})
