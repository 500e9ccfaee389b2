# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: has the server judge pod templates before a level is enforced.

It judges by a level only where a namespace enforces it or warns of it. A warning harms nobody, so the label is set for
as long as it takes, as a field manager of its own: whatever happens, no label of anybody else changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security import _judgement as judgement
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import labels
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import (
    submissions,
    templates_without_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_preview import namespace_object
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_running import Running
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_trials import (
    Place,
    Progress,
    RunningTrial,
    WarnedTrial,
    ask_until_settled,
)

_OPTIONS = ApplyOptions(manager=f"{MANAGER}-preview", existing_only=True)
_SECONDS = 10.0


def template_findings(
    client: Client, places: Sequence[Place], running: Mapping[str, Running], progress: Progress
) -> dict[str, list[Finding]]:
    """What stands against enforcing what is wanted in each namespace, of templates of which no pod runs."""
    findings = {place.name: _not_seen(place, running[place.name]) for place in places}
    asked = [place for place in places if templates_without_pods(running[place.name].workloads)]
    to_label = [place for place in asked if not place.is_judged_by_wanted]
    labelled = to_label
    try:
        errors = _set(client, {place.name: _warning(place) for place in to_label})
        labelled = [place for place in to_label if not errors[place.name]]
        for name in filter(errors.get, errors):
            why = f"the label warn could not be set for a moment: {errors[name]}"
            findings[name].append(judgement.not_judged_finding(name, why))
        for name, found in _judge(client, [place for place in asked if not errors.get(place.name)], running, progress):
            findings[name] += found
    finally:
        stuck = _set(client, {place.name: {} for place in labelled})
    for name in filter(stuck.get, stuck):
        why = f"the label warn, set for a moment, could not be taken back: {stuck[name]}"
        findings[name].append(judgement.not_judged_finding(name, why))
    return findings


def _judge(
    client: Client, places: Sequence[Place], running: Mapping[str, Running], progress: Progress
) -> list[tuple[str, list[Finding]]]:
    warned = {place.name: WarnedTrial(place, client) for place in places}
    ask_until_settled(client, list(warned.values()), _SECONDS, progress)
    trials = {
        place.name: [RunningTrial(each, client) for each in submissions((), running[place.name].workloads)]
        for place in places
    }
    ask_until_settled(client, list(chain(*trials.values())), _SECONDS, progress)
    told = [
        (
            place.name,
            judgement.running_findings(
                place.name,
                place.wanted,
                [(trial.submission, trial.answer) for trial in trials[place.name]],
                warned[place.name].settled,
                "",
            ),
        )
        for place in places
    ]
    return [(name, [finding for finding in found if finding.status != "pass"]) for name, found in told]


def _not_seen(place: Place, running: Running) -> list[Finding]:
    return [judgement.not_judged_finding(place.name, running.not_seen)] if running.not_seen else []


def _warning(place: Place) -> dict[str, str]:
    return labels({"warn": place.wanted.level, "version": place.wanted.version})


def _set(client: Client, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Why it failed, by namespace; empty where it did not."""
    objects = [namespace_object(name, said) for name, said in wanted.items()]
    return {each.name: each.error for each in apply_objects(client, objects, _OPTIONS)}
