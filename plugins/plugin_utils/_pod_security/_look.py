# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: asks API servers what ``_pod_security`` wants to know. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._controls import (
    ENFORCED,
    RUNNING_COMPLY,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._enforced import (
    enforced_finding,
    ignored_finding,
    not_enforcing_finding,
    not_there_yet_findings,
    reported_findings,
    version_note,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._running import (
    no_preview_finding,
    preview_findings,
    running_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import labels_told, left_over
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    check_settings,
    check_timeout,
    standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import ExistingPods
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import (
    is_running,
    subject_of_pod,
    submissions,
    templates_without_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    leftover_findings,
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._api_servers import api_servers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._preview import Preview, previewed
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import Running, running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._trials import (
    Place,
    ProbeTrial,
    RunningTrial,
    ask_until_settled,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import (
    NAMESPACES_SPEC,
    live_namespaces,
    read_settings,
    resolved,
)

Object = dict[str, Any]
Progress = Callable[[int, int], None]

SETTINGS_SPEC: dict[str, Any] = {
    **NAMESPACES_SPEC,
    "on_violation": {"type": "str", "choices": ["fail", "warn", "proceed"], "default": "fail"},
}
"""The options that both modules take, as the doc fragment ``pod_security`` tells them."""


def read_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain data; raises HardeningError that names every mistake in the settings."""
    read = read_settings(arguments)
    if "timeout" in read:
        check_timeout(read["timeout"])
    check_settings(read["namespaces"], read["selected"], read["default"])
    return read


@dataclass(frozen=True, slots=True)
class Seen:
    """The live namespaces by name, and who gets which settings by a task's options about them.

    ``unseen`` says why there may be others, empty where all are known.
    """

    live: Mapping[str, Object]
    resolution: Resolution
    unseen: str = ""


def see(client: Client, said: Mapping[str, Any]) -> Seen:
    """Look at the namespaces; only their metadata matters to Pod Security."""
    found, unseen = live_namespaces(client, said)
    return Seen({each["metadata"]["name"]: each for each in found}, resolved(found, said), unseen)


def leftovers(seen: Seen, arguments: Mapping[str, Any], preview: bool) -> list[Finding]:
    """The findings about what the set, where it has a name, left on namespaces that get no settings any more."""
    if not reaches_everywhere(arguments["set"], arguments["prune"]):
        return []
    names = left_over(seen.live, seen.resolution.settings, arguments["set"], arguments["only"])
    told = {f"Namespace/{name}": labels_told(seen.live[name]) for name in names}
    only = arguments["only"]
    return leftover_findings(arguments["set"], told, seen.unseen, "Pod Security labels", preview=preview, only=only)


def look(
    client: Client, live: Mapping[str, Object], resolution: Resolution, timeout: float, progress: Progress
) -> dict[str, list[Finding]]:
    """What can be seen of both controls in each namespace that gets settings, by dry runs alone.

    ``timeout`` is for how many seconds an effect that is not seen, or an answer by something else than Pod Security,
    is asked about again, for all namespaces together.
    """
    findings: dict[str, list[Finding]] = {}
    places: list[Place] = []
    for name, settings in resolution.settings.items():
        wanted = standard(settings)
        if wanted is None or wanted.admits_everything:
            controls = (ENFORCED, RUNNING_COMPLY)
            findings[name] = [not_enforcing_finding(control, name, wanted) for control in controls]
        elif name in resolution.creating:
            findings[name] = not_there_yet_findings(name)
        else:
            places.append(Place(name, wanted, settings, live[name]["metadata"].get("labels") or {}))

    servers = api_servers(client)
    trials = {place.name: [ProbeTrial(place, *server) for server in servers.reached] for place in places}
    ask_until_settled(client, list(chain(*trials.values())), timeout, progress)
    running = running_in(client, [place.name for place in places])
    for place in places:
        outcomes = {trial.server: trial.outcomes for trial in trials[place.name]}
        notes = "; ".join(filter(None, [servers.note, version_note(place.wanted, client.version())]))
        findings[place.name] = [enforced_finding(place.name, outcomes, notes, servers.missed)]
        place.learn(trials[place.name])

    judged_here = [place for place in places if place.is_judged_by_wanted]
    submitted = {
        place.name: [RunningTrial(each, client) for each in submissions(*running[place.name].all)]
        for place in judged_here
    }
    ask_until_settled(client, list(chain(*submitted.values())), timeout, progress)
    not_judged = [place for place in places if place not in judged_here or _mended(submitted[place.name])]
    previews = previewed(client, not_judged, running, progress)
    for place in places:
        here, preview = running[place.name], previews.get(place.name)
        if preview and preview.ignored:
            findings[place.name] = [ignored_finding(place.name, preview.ignored)]
        if place in judged_here:
            findings[place.name] += _judged_findings(place, here, submitted[place.name], preview)
        elif preview:
            findings[place.name] += _previewed_findings(place, here, preview)
    for name, settings in resolution.settings.items():
        if name in live:
            findings[name] += reported_findings(name, settings, live[name]["metadata"].get("labels") or {})
    return {name: findings[name] for name in resolution.settings}


def _mended(trials: Iterable[RunningTrial]) -> bool:
    return any(trial.mended for trial in trials)


def _judged_findings(
    place: Place, running: Running, trials: Iterable[RunningTrial], preview: Preview | None
) -> list[Finding]:
    """From what was submitted; where a pod was changed on its way in, the server's own look at it counts instead."""
    looked = preview.existing if preview else None
    why = preview.why if preview else ""
    changed = Reply("mended", by="a mutating webhook or policy", reason=why)
    answers = [(trial.submission, changed if trial.mended and looked is None else trial.answer) for trial in trials]
    besides = (
        preview_findings(place.name, place.wanted, looked, _subjects(looked, place, running), (), 1)
        if looked and (looked.violate or looked.incomplete)
        else []
    )
    return running_findings(place.name, place.wanted, answers, place.proven, running.not_seen, besides)


def _previewed_findings(place: Place, running: Running, preview: Preview) -> list[Finding]:
    if preview.existing is None:
        return [no_preview_finding(place.name, preview.why, preview.remedy)]
    subjects = _subjects(preview.existing, place, running)
    unasked = templates_without_pods(running.workloads)
    count = sum(map(is_running, running.pods))
    return preview_findings(place.name, place.wanted, preview.existing, subjects, unasked, count, running.not_seen)


def _subjects(existing: ExistingPods, place: Place, running: Running) -> dict[str, str]:
    return {group.pod: subject_of_pod(group.pod, place.name, *running.all) for group in existing.groups}
