# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: has the server judge pod templates before a level is enforced.

It judges by a level only where a namespace enforces it or warns of it. A warning harms nobody, so the label is set for
as long as it takes; what others have it say stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import Moment, moment
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._running import (
    foreign_warn_finding,
    not_judged_finding,
    running_findings,
    unasked_finding,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import (
    submissions,
    templates_without_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import Running
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._trials import (
    Place,
    Progress,
    RunningTrial,
    WarnedTrial,
    ask_until_settled,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._writing import applied

Object = dict[str, Any]
Findings = dict[str, list[Finding]]

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Templates:
    """What stands against enforcing what is wanted, by namespace, of templates of which no pod runs.

    ``unasked`` are the findings about templates that only a label of the moment could have the server judge.
    """

    against: Findings
    unasked: Findings


def judge_templates(
    client: Client,
    places: Sequence[Place],
    live: Mapping[str, Object],
    running: Mapping[str, Running],
    may_write: bool,
    progress: Progress,
) -> Templates:
    """Have the server judge the templates; unless ``may_write``, only where no label of the moment is needed."""
    against = {place.name: _not_seen(place, running[place.name]) for place in places}
    asked = [place for place in places if templates_without_pods(running[place.name].workloads)]
    ready = [place for place in asked if place.is_judged_by_wanted]
    closed = [place for place in asked if not place.is_judged_by_wanted]
    moments = {place.name: moment(live[place.name], place.wanted) for place in closed}
    for place in closed:
        if others := moments[place.name].others:
            against[place.name].append(foreign_warn_finding(place.name, place.wanted, others))
    to_label = [place for place in closed if not moments[place.name].others]
    if may_write:
        found = _judged_for_a_moment(client, ready, to_label, moments, running, progress)
        return Templates(_joined(against, found), {})
    unasked = {
        place.name: [unasked_finding(place.name, place.wanted, templates_without_pods(running[place.name].workloads))]
        for place in to_label
    }
    return Templates(_joined(against, _judged(client, ready, running, progress)), unasked)


def _judged_for_a_moment(
    client: Client,
    ready: Sequence[Place],
    to_label: Sequence[Place],
    moments: Mapping[str, Moment],
    running: Mapping[str, Running],
    progress: Progress,
) -> Findings:
    labelled = [moments[place.name] for place in to_label]
    errors: dict[str, str] = {}
    try:
        errors = _apply(client, labelled, lambda each: each.during)
        found = {name: [_not_judged(name, "could not be set", why)] for name, why in errors.items()}
        to_judge = [*ready, *(place for place in to_label if place.name not in errors)]
        found |= _judged(client, to_judge, running, progress)
    finally:
        written = [each for each in labelled if each.during["metadata"]["name"] not in errors]
        stuck = _apply(client, written, lambda each: each.after)
    left = {name: [_not_judged(name, "could not be taken back", why)] for name, why in stuck.items()}
    return _joined(found, left)


def _judged(client: Client, places: Sequence[Place], running: Mapping[str, Running], progress: Progress) -> Findings:
    """What is not in order; where the server leaves in between, that nothing is known."""
    try:
        return _answers(client, places, running, progress)
    except KubeError as error:
        return {place.name: [not_judged_finding(place.name, str(error))] for place in places}


def _answers(client: Client, places: Sequence[Place], running: Mapping[str, Running], progress: Progress) -> Findings:
    warned = {place.name: WarnedTrial(place, client) for place in places}
    ask_until_settled(client, list(warned.values()), _SECONDS, progress)
    trials = {
        place.name: [RunningTrial(each, client) for each in submissions((), running[place.name].workloads)]
        for place in places
    }
    ask_until_settled(client, list(chain(*trials.values())), _SECONDS, progress)
    told = {
        place.name: running_findings(
            place.name,
            place.wanted,
            [(trial.submission, trial.answer) for trial in trials[place.name]],
            warned[place.name].settled,
            "",
        )
        for place in places
    }
    return {name: [finding for finding in found if finding.status != "pass"] for name, found in told.items()}


def _apply(client: Client, moments: Sequence[Moment], which: Callable[[Moment], Object]) -> dict[str, str]:
    """Why it failed, by namespace, for those where it did."""
    errors: dict[str, str] = {}
    for manager in sorted({each.manager for each in moments}):
        objects = [which(each) for each in moments if each.manager == manager]
        done = applied(client, objects, ApplyOptions(manager=manager, existing_only=True))
        errors |= {each.name: each.error for each in done if each.error}
    return errors


def _not_judged(name: str, what: str, why: str) -> Finding:
    return not_judged_finding(name, f"the label warn, set for a moment, {what}: {why}")


def _not_seen(place: Place, running: Running) -> list[Finding]:
    return [not_judged_finding(place.name, running.not_seen)] if running.not_seen else []


def _joined(first: Findings, second: Findings) -> Findings:
    return {name: [*first.get(name, ()), *second.get(name, ())] for name in {**first, **second}}
