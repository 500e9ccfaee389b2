# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: asks API servers what quotas and LimitRanges do. Nothing here writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits import _judgement as judgement
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._fit import (
    Quota,
    claim_misfits,
    misfits,
    overdrawn,
    quotas_of,
    templates,
    uncounted,
    used_by,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._outcomes import end
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._quota_probes import plan
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import QUOTA_NAME
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._api_servers import Servers, api_servers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import Running, running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._trials import ask_until_settled
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import Place
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._trials import (
    LimitsTrial,
    QuotaTrial,
    TemplateTrial,
    by_server,
)

Object = dict[str, Any]
Progress = Callable[[int, int], None]

_NUMBER = re.compile(r"[0-9]+m?")


@dataclass(frozen=True, slots=True)
class Misfit:
    """What would not fit in one namespace once the settings are in force.

    ``refused`` are the reasons why the next pods of a subject would be refused, ``overdrawn`` what is used above a
    quota, by its subject. ``unknown`` says what of a quota cannot be counted beforehand, ``runs`` how much runs.
    """

    refused: Mapping[str, Sequence[str]]
    overdrawn: Mapping[str, Sequence[str]]
    unknown: Sequence[str]
    runs: int
    not_seen: str

    def beyond(self, before: Misfit) -> Misfit:
        """Only what fitted before; how much a quota allows makes no difference to what did not fit anyway."""
        known = {
            (who, _without_numbers(text))
            for said in (before.refused, before.overdrawn)
            for who in said
            for text in said[who]
        }

        def new(said: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
            found = {who: [text for text in said[who] if (who, _without_numbers(text)) not in known] for who in said}
            return {who: texts for who, texts in found.items() if texts}

        return replace(self, refused=new(self.refused), overdrawn=new(self.overdrawn))

    def findings(self, namespace: str) -> list[Finding]:
        """What it says of ``resources.running_fit``."""
        return judgement.preview_findings(namespace, self.refused, self.overdrawn, self.runs, self.not_seen)


def _without_numbers(text: str) -> str:
    return _NUMBER.sub("#", text)


def misfit(place: Place, running: Running, kept: bool = False) -> Misfit:
    """What would not fit once the settings are in force; with ``kept`` what does not fit as it is."""
    limits, quotas = place.limits(kept), quotas_of(place.objects("ResourceQuota", kept))
    starting = templates(*running.all)
    refused = {each.subject: found for each in starting if (found := misfits(each, limits, quotas))}
    counted = used_by(*running.all)
    above = {f"ResourceQuota/{place.name}/{each.name}": found for each in quotas if (found := overdrawn(each, counted))}
    unknown = [name for each in quotas if each.name == QUOTA_NAME for name in uncounted(each, counted)]
    return Misfit(refused, above, unknown, len(starting), running.not_seen)


def look(client: Client, places: Mapping[str, Place], timeout: float, progress: Progress) -> dict[str, list[Finding]]:
    """What can be seen of all controls in each namespace that gets settings, by dry runs alone.

    ``timeout`` is for how many seconds an effect that is not seen, or an answer by somebody else, is asked about again,
    for all namespaces together.
    """
    findings: dict[str, list[Finding]] = {name: [] for name in places}
    seen: list[Place] = []
    for place in places.values():
        if place.creating:
            findings[place.name] = judgement.not_there_yet_findings(place.name, place.controls)
        elif place.why_unreadable:
            findings[place.name] = judgement.unreadable_findings(place.name, place.controls, place.why_unreadable)
        else:
            seen.append(place)
    servers = api_servers(client)
    quota_trials = _trials(QuotaTrial, "ResourceQuota", seen, servers)
    limit_trials = _trials(LimitsTrial, "LimitRange", seen, servers)
    running = running_in(client, [place.name for place in seen])
    starting = {
        place.name: [TemplateTrial(each, client) for each in templates(*running[place.name].all)]
        for place in seen
        if place.is_all_in_force
    }
    everything = chain(*quota_trials.values(), *limit_trials.values(), *starting.values())
    ask_until_settled(client, list(everything), timeout, progress)
    for place in seen:
        found = findings[place.name]
        if "LimitRange" in place.wanted:
            found.append(_of_limits(place, limit_trials.get(place.name, []), servers))
        if "ResourceQuota" in place.wanted:
            found += _of_quota(place, quota_trials.get(place.name, []), servers)
        found += _of_what_runs(place, running[place.name], starting.get(place.name), quota_trials.get(place.name, []))
    return findings


def _trials(kind_of_trial: Any, kind: str, places: Iterable[Place], servers: Servers) -> dict[str, list[Any]]:
    return {
        place.name: [kind_of_trial(place, *server) for server in servers.reached]
        for place in places
        if kind in place.wanted and place.is_in_force(kind)
    }


def _of_limits(place: Place, trials: Sequence[LimitsTrial], servers: Servers) -> Finding:
    others = [f"LimitRange {each['metadata']['name']}" for each in place.others("LimitRange")]
    if not trials:
        there = place.own("LimitRange") is not None
        return judgement.absent_finding(judgement.LIMITS, place.name, "LimitRange", there, others)
    notes = [f"besides ours in force: {', '.join(others)}"] if others else []
    return judgement.effect_finding(
        judgement.LIMITS, place.name, end(by_server(trials)), [*notes, *filter(None, [servers.note])], servers.missed
    )


def _of_quota(place: Place, trials: Sequence[QuotaTrial], servers: Servers) -> list[Finding]:
    others = [f"ResourceQuota {each['metadata']['name']}" for each in place.others("ResourceQuota")]
    if not trials:
        there = place.own("ResourceQuota") is not None
        hard = amounts(place.wanted["ResourceQuota"]["spec"]["hard"])
        planned = plan(hard, {}, place.limits())
        controls = [
            *([judgement.QUOTA] if planned.exceeding or planned.untried else []),
            *([judgement.COUNTED] if planned.counted else []),
        ]
        return [judgement.absent_finding(control, place.name, "ResourceQuota", there, others) for control in controls]
    planned = trials[0].plan
    proven = sorted({name for probe in planned.exceeding for name in probe.exceeds})
    notes = [f"besides ours in force: {', '.join(others)}"] if others else []
    by_effect = (
        judgement.effect_finding(
            judgement.QUOTA, place.name, end(by_server(trials)), [*notes, *filter(None, [servers.note])], servers.missed
        )
        if planned.exceeding or planned.untried
        else judgement.nothing_to_exceed_finding(place.name, planned.counted)
    )
    unequal = [name for name in trials[0].unequal if name in planned.counted]
    return [by_effect, judgement.counted_finding(place.name, planned.counted, unequal, proven)]


def _of_what_runs(
    place: Place, running: Running, trials: Sequence[TemplateTrial] | None, quotas: Sequence[QuotaTrial]
) -> list[Finding]:
    if trials is None:
        return misfit(place, running).findings(place.name)
    limits = place.limits()
    fresh = {each.quota["metadata"]["name"]: each.quota for each in quotas[:1]}
    counted: list[Quota] = quotas_of(fresh.get(each["metadata"]["name"], each) for each in place.live["ResourceQuota"])
    above = {f"ResourceQuota/{place.name}/{each.name}": overdrawn(each, {}) for each in counted}
    claims = {each.template.subject: found for each in trials if (found := claim_misfits(each.template, limits))}
    answers = [(each.template, each.answer) for each in trials]
    return judgement.fit_findings(place.name, answers, claims, above, running.not_seen, len(counted))
