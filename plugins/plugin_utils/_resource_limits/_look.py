# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: asks API servers what quotas and LimitRanges do. Nothing here writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, NotFound
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits import _judgement as judgement
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import Amounts
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._counts import (
    counted_by,
    names_to_count,
    used,
)
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
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import is_scoped
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._outcomes import end
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._quota_probes import (
    plan,
    plan_of_scoped,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._api_servers import Servers, api_servers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import Running, running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._trials import ask_until_settled
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import Key, Place
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


def counted_in(client: Client, places: Iterable[Place]) -> dict[str, Amounts]:
    """By namespace, how much there is of what the wanted quotas count beside pods; what may not be listed is left out.

    A quota that is there has the server's own count.
    """
    asked = [
        (place.name, name)
        for place in places
        for name in names_to_count([each for key, each in place.wanted.items() if key[0] == "ResourceQuota"])
    ]
    listed = dict(zip(asked, client.parallel(lambda each: _used(client, *each), asked), strict=True))
    found: dict[str, Amounts] = {}
    for (namespace, name), amount in listed.items():
        if amount is not None:
            found.setdefault(namespace, {})[name] = amount
    return found


def _used(client: Client, namespace: str, name: str) -> Decimal | None:
    counted = counted_by(name)
    resource = client.resource_by_plural(counted.group, counted.plural) if counted else None
    if counted is None or resource is None:
        return None
    try:
        return used(counted, client.list(resource, namespace, metadata_only=not counted.whole))
    except (Forbidden, NotFound):
        return None


def misfit(place: Place, running: Running, besides: Amounts, kept: bool = False) -> Misfit:
    """What would not fit once the settings are in force; with ``kept`` what does not fit as it is.

    ``besides`` is how much there is of what is no pod and no workload.
    """
    limits, quotas = place.limits(kept), quotas_of(place.objects("ResourceQuota", kept))
    starting = templates(*running.all)
    refused = {each.subject: found for each in starting if (found := misfits(each, limits, quotas))}
    counted = {**used_by(*running.all), **besides}
    above = {f"ResourceQuota/{place.name}/{each.name}": found for each in quotas if (found := overdrawn(each, counted))}
    wanted = place.names("ResourceQuota")
    unknown = [name for each in quotas if each.name in wanted for name in uncounted(each, counted)]
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
    counted = counted_in(client, [place for place in seen if place.name not in starting])
    everything = chain(*quota_trials.values(), *limit_trials.values(), *starting.values())
    ask_until_settled(client, list(everything), timeout, progress)
    for place in seen:
        found = findings[place.name]
        for key in place.wanted:
            at = (place.name, *key)
            if key[0] == "LimitRange":
                found.append(_of_limits(place, key, limit_trials.get(at, []), servers))
            else:
                found += _of_quota(place, key, quota_trials.get(at, []), servers)
        tried = [each for at, trials in quota_trials.items() if at[0] == place.name for each in trials[:1]]
        besides = counted.get(place.name, {})
        found += _of_what_runs(place, running[place.name], besides, starting.get(place.name), tried)
    return findings


def _trials(
    kind_of_trial: Any, kind: str, places: Iterable[Place], servers: Servers
) -> dict[tuple[str, str, str], list[Any]]:
    """By namespace, kind and name, one trial for each API server."""
    return {
        (place.name, *key): [kind_of_trial(place, key, *server) for server in servers.reached]
        for place in places
        for key in place.wanted
        if key[0] == kind and place.is_in_force(key)
    }


def _beside(place: Place, key: Key) -> list[str]:
    return [f"{key[0]} {each['metadata']['name']}" for each in place.others(key)]


def _notes(others: Sequence[str], servers: Servers) -> list[str]:
    beside = [f"besides ours in force: {', '.join(others)}"] if others else []
    return [*beside, *filter(None, [servers.note])]


def _of_limits(place: Place, key: Key, trials: Sequence[LimitsTrial], servers: Servers) -> Finding:
    others, subject = _beside(place, key), judgement.subject_of(place.name, *key)
    if not trials:
        there = place.own(key) is not None
        return judgement.absent_finding(judgement.LIMITS, subject, " ".join(key), there, others)
    outcome = end(by_server(trials))
    return judgement.effect_finding(judgement.LIMITS, subject, outcome, _notes(others, servers), servers.missed)


def _of_quota(place: Place, key: Key, trials: Sequence[QuotaTrial], servers: Servers) -> list[Finding]:
    others, subject = _beside(place, key), judgement.subject_of(place.name, *key)
    scoped = is_scoped(place.wanted[key])
    if not trials:
        there = place.own(key) is not None
        hard = amounts(place.wanted[key]["spec"]["hard"])
        planned = plan_of_scoped(hard) if scoped else plan(hard, {}, place.limits())
        controls = [
            *([judgement.QUOTA] if planned.exceeding or planned.untried else []),
            *([judgement.COUNTED] if planned.counted else []),
        ]
        return [judgement.absent_finding(control, subject, " ".join(key), there, others) for control in controls]
    planned = trials[0].plan
    proven = sorted({name for probe in planned.exceeding for name in probe.exceeds})
    unequal = [name for name in trials[0].unequal if name in planned.counted]
    counted = judgement.counted_finding(subject, planned.counted, unequal, proven)
    if scoped:
        return [counted]
    if planned.exceeding or planned.untried:
        outcome, notes = end(by_server(trials)), _notes(others, servers)
        return [judgement.effect_finding(judgement.QUOTA, subject, outcome, notes, servers.missed), counted]
    return [judgement.nothing_to_exceed_finding(subject, planned.counted), counted]


def _of_what_runs(
    place: Place,
    running: Running,
    besides: Amounts,
    trials: Sequence[TemplateTrial] | None,
    quotas: Sequence[QuotaTrial],
) -> list[Finding]:
    if trials is None:
        return misfit(place, running, besides).findings(place.name)
    limits = place.limits()
    fresh = {each.quota["metadata"]["name"]: each.quota for each in quotas}
    counted: list[Quota] = quotas_of(fresh.get(each["metadata"]["name"], each) for each in place.live["ResourceQuota"])
    above = {f"ResourceQuota/{place.name}/{each.name}": overdrawn(each, {}) for each in counted}
    claims = {each.template.subject: found for each in trials if (found := claim_misfits(each.template, limits))}
    answers = [(each.template, each.answer) for each in trials]
    return judgement.fit_findings(place.name, answers, claims, above, running.not_seen, len(counted))
