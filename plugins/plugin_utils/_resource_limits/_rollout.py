# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: sets and removes quotas and limits, in an order that refuses nobody.

A quota refuses pods that do not say what they ask for, and a LimitRange says it for them. So a LimitRange is there
before a quota is, and goes only after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._judgement import (
    LIMITS,
    QUOTA,
    held_back_finding,
    not_set_finding,
    subject_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._look import counted_in, misfit
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import Place, Wanted

Object = dict[str, Any]
_CONTROL_OF = {"LimitRange": LIMITS, "ResourceQuota": QUOTA}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What speaks against the settings of one namespace; ``unknown`` says what cannot be counted beforehand."""

    against: list[Finding]
    unknown: Sequence[str]


def weigh(client: Client, places: Mapping[str, Place]) -> dict[str, Weighed]:
    """The namespaces in which something would not fit that fits now, or that nobody could look at."""
    changing = [
        each for each in places.values() if not each.creating and not (each.is_all_in_force and not each.leaving)
    ]
    running = running_in(client, [place.name for place in changing])
    counted = counted_in(client, changing)
    weighed = {}
    for place in changing:
        here = running[place.name]
        besides = counted.get(place.name, {})
        told = misfit(place, here, besides).beyond(misfit(place, here, besides, kept=True))
        found = told.findings(place.name)
        against = [each for each in found if each.status == "fail" or (told.not_seen and each.status == "unknown")]
        if against or told.unknown:
            weighed[place.name] = Weighed(against, told.unknown)
    return weighed


def carry_out(
    client: Client, wanted: Sequence[Object], left: Sequence[Object], options: ApplyOptions, progress: Progress
) -> list[ObjectResult]:
    """One result an object, by namespace: quotas that go, LimitRanges, quotas, and at last LimitRanges that go."""
    done = _removed(client, left, "ResourceQuota", options, frozenset(), progress, ())
    done += _applied(client, _of_kind(wanted, "LimitRange"), options, progress, done)
    without = {each.namespace for each in done if each.error and each.kind == "LimitRange"}
    quotas = _of_kind(wanted, "ResourceQuota")
    done += _applied(client, [each for each in quotas if _namespace(each) not in without], options, progress, done)
    done += [
        _failed(each, "It was not set, because the LimitRange that goes before it could not be set.")
        for each in quotas
        if _namespace(each) in without
    ]
    stuck = {each.namespace for each in done if each.error and each.kind == "ResourceQuota"}
    done += _removed(client, left, "LimitRange", options, stuck, progress, done)
    return sorted(done, key=lambda each: each.namespace)


def held_back(place: Place, weighed: Weighed, *, dry_run: bool) -> tuple[list[ObjectResult], list[Finding]]:
    """What becomes of objects that are not written: failures, and in check mode nothing; and the reasons."""
    kinds = dict.fromkeys(kind for kind, _name in place.wanted)
    reasons = [held_back_finding(_CONTROL_OF[kind], place.name, weighed.against) for kind in kinds]
    error = f"{reasons[0].evidence} ({reasons[0].remedy})" if reasons and not dry_run else ""
    done = [replace(_failed(each, error), action="failed" if error else "unchanged") for each in place.wanted.values()]
    return done, reasons


def not_set(done: list[ObjectResult], held: set[str]) -> list[Finding]:
    return [
        not_set_finding(_CONTROL_OF[each.kind], subject_of(each.namespace, each.kind, each.name), each.error)
        for each in done
        if each.error and each.kind in _CONTROL_OF and each.namespace not in held
    ]


def warnings_about(wanted: Wanted, weighed: Mapping[str, Weighed], on_violation: str) -> list[str]:
    told = [
        f"Namespace/{name}: how much there is of {', '.join(each.unknown)} is counted only once the quota is set."
        for name, each in weighed.items()
        if each.unknown
    ]
    if on_violation == "warn":
        told += [f"{each.subject}: {each.evidence}" for found in weighed.values() for each in found.against]
    if wanted.unseen:
        told.append(
            f"Nothing is pruned in namespaces without settings, since they cannot be looked at: {wanted.unseen}"
        )
    return told


def _applied(
    client: Client, objects: Sequence[Object], options: ApplyOptions, progress: Progress, before: Sequence[ObjectResult]
) -> list[ObjectResult]:
    """The results, also where the server has gone since something was written, which must not be lost with it."""
    try:
        return apply_objects(client, objects, options, progress)
    except KubeError as error:
        if not any(each.changed for each in before):
            raise
        return [_failed(each, str(error)) for each in objects]


def _removed(
    client: Client,
    left: Sequence[Object],
    kind: str,
    options: ApplyOptions,
    stuck: Collection[str],
    progress: Progress,
    before: Sequence[ObjectResult],
) -> list[ObjectResult]:
    going = _of_kind(left, kind)
    absent = replace(options, state="absent", force=False)
    done = _applied(client, [each for each in going if _namespace(each) not in stuck], absent, progress, before)
    why = "It was left, because the quota that it says requests and limits for could not be set or removed."
    return [*done, *(_failed(each, why) for each in going if _namespace(each) in stuck)]


def _failed(obj: Object, error: str) -> ObjectResult:
    metadata = obj["metadata"]
    return ObjectResult(
        obj["apiVersion"], obj["kind"], metadata["namespace"], metadata["name"], "failed", {}, (), error
    )


def _of_kind(objects: Sequence[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def _namespace(obj: Object) -> str:
    return str(obj["metadata"]["namespace"])
