# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: asks API servers what ``_pod_security`` wants to know. Nothing here writes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security import _judgement as judgement
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply, reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._probes import probe_for, probe_pod
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    UNLABELLED,
    Standard,
    check_settings,
    check_timeout,
    labelled,
    labels,
    server_checks_pods,
    standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import existing_pods
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import (
    WORKLOAD_KINDS,
    Submission,
    is_running,
    subject_of_pod,
    submissions,
    templates_without_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    Settings,
    resolve,
)

MANAGER = "hardening.kubernetes/pod_security"

Object = dict[str, Any]
Progress = Callable[[int, int], None]

_NAMESPACE = KNOWN["v1", "Namespace"]
_POD = ("v1", "Pod")
_ENDPOINT_SLICE = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
_FEW_NAMESPACES = 8
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


SETTINGS_SPEC: dict[str, Any] = {
    "namespaces": {"type": "dict", "default": {}},
    "selected": {"type": "list", "elements": "dict", "default": []},
    "default": {"type": "dict", "default": {}},
    "exempt": {"type": "list", "elements": "str", "default": []},
    "on_violation": {"type": "str", "choices": ["fail", "warn", "proceed"], "default": "fail"},
}
"""The options that both modules take, as the doc fragment ``pod_security`` tells them."""


def read_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain data; raises HardeningError that names every mistake in the settings."""
    read = {key: plain(value) for key, value in arguments.items()}
    if "timeout" in read:
        check_timeout(read["timeout"])
    read["namespaces"] = {name: said or {} for name, said in read["namespaces"].items()}
    check_settings(read["namespaces"], read["selected"], read["default"])
    return read


def resolved(client: Client, arguments: Mapping[str, Any]) -> tuple[dict[str, Object], Resolution]:
    """The live namespaces by name, and who gets which settings by a task's four options.

    Without the permission to list namespaces, those that are named are asked for one by one.
    """
    live = {each["metadata"]["name"]: each for each in _live_namespaces(client, arguments)}
    options = (arguments["namespaces"], arguments["selected"], arguments["default"], arguments["exempt"])
    return live, resolve(list(live.values()), *options)


def _live_namespaces(client: Client, arguments: Mapping[str, Any]) -> list[Object]:
    try:
        return client.list(_NAMESPACE)
    except Forbidden:
        if arguments["selected"] or arguments["default"]:
            raise
        found = client.parallel(lambda name: client.get(_NAMESPACE, name), arguments["namespaces"])
        return [each for each in found if each]


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
            controls = (judgement.ENFORCED, judgement.RUNNING_COMPLY)
            findings[name] = [judgement.not_enforcing_finding(control, name, wanted) for control in controls]
        elif name in resolution.creating:
            findings[name] = judgement.not_there_yet_findings(name)
        else:
            places.append(Place(name, wanted, settings, live[name]["metadata"].get("labels") or {}))

    servers, note = _servers(client)
    trials = {place.name: [ProbeTrial(place, *server) for server in servers] for place in places}
    _ask_until_settled(client, list(chain(*trials.values())), timeout, progress)
    running = _running(client, [place.name for place in places])
    for place in places:
        outcomes = {trial.server: trial.outcomes for trial in trials[place.name]}
        notes = "; ".join(filter(None, [note, judgement.version_note(place.wanted, client.version())]))
        findings[place.name] = [judgement.enforced_finding(place.name, outcomes, notes)]
        place.proven = all(trial.seen_to_judge for trial in trials[place.name])

    judged_here = [place for place in places if place.is_judged_by_wanted]
    submitted = {
        place.name: [RunningTrial(each, client) for each in submissions(*running[place.name].all)]
        for place in judged_here
    }
    _ask_until_settled(client, list(chain(*submitted.values())), timeout, progress)
    for place in judged_here:
        answers = [(trial.submission, trial.answer) for trial in submitted[place.name]]
        not_seen = running[place.name].not_seen
        findings[place.name] += judgement.running_findings(place.name, place.wanted, answers, place.proven, not_seen)

    previewed = [place for place in places if not place.is_judged_by_wanted]
    previews = client.parallel(lambda place: _preview(client, place, running[place.name]), previewed, progress)
    for place, preview in zip(previewed, previews, strict=True):
        findings[place.name] += preview
    for name, settings in resolution.settings.items():
        if name in live:
            findings[name] += judgement.reported_findings(name, settings, live[name]["metadata"].get("labels") or {})
    return {name: findings[name] for name in resolution.settings}


@dataclass(slots=True)
class Place:
    """A namespace, what it is to enforce, and what its labels say now.

    ``proven``: every API server was seen to judge pods here by what is wanted, refusing or warning.
    """

    name: str
    wanted: Standard
    settings: Settings
    live_labels: Mapping[str, str]
    proven: bool = False

    @property
    def enforced(self) -> Standard | None:
        """What the labels say is enforced."""
        return labelled(self.live_labels)

    @property
    def is_judged_by_wanted(self) -> bool:
        """Whether pods submitted here are judged by what is wanted, be it that they are only warned of."""
        return self.proven or self.wanted in (self.enforced, labelled(self.live_labels, "warn"))


@dataclass(slots=True)
class Running:
    """What runs in one namespace; ``not_seen`` says what could not be listed."""

    pods: list[Object] = field(default_factory=list)
    workloads: list[Object] = field(default_factory=list)
    not_seen: str = ""

    @property
    def all(self) -> tuple[list[Object], list[Object]]:
        """Pods and workloads."""
        return self.pods, self.workloads


class Trial(Protocol):
    """Something that is asked until it is settled."""

    @property
    def settled(self) -> bool:
        """Whether there is nothing more to ask."""

    @property
    def promising(self) -> bool:
        """Whether the next answer may well settle it."""

    def ask(self) -> None:
        """Ask once more."""


class ProbeTrial:
    """Probes in one namespace at one API server."""

    def __init__(self, place: Place, server: str, client: Client) -> None:
        """Take where to ask."""
        self.server = server
        self.outcomes: list[judgement.Outcome] = []
        self.seen_to_judge = False
        self._place, self._client = place, client
        self._allowed: Reply | None = None

    @property
    def settled(self) -> bool:
        """Whether it was seen often enough."""
        return judgement.is_settled(self.outcomes)

    @property
    def promising(self) -> bool:
        """Whether it was seen the last time."""
        return self.outcomes[-1].status == "pass"

    def ask(self) -> None:
        """Submit the pod that breaks the level and, until it was let in once, the one that the level allows."""
        place, probe, attempt = self._place, probe_for(self._place.wanted), len(self.outcomes)
        breaks, pod = _submit(self._client, probe_pod(probe.breaks, place.name, attempt))
        mended = breaks.kind == "admitted" and not probe.still_breaks(pod.get("spec") or {})
        if breaks.kind == "violates" and breaks.standard == place.wanted and not _let_in(self._allowed):
            self._allowed, _pod = _submit(self._client, probe_pod(probe.allowed, place.name, attempt))
        self.seen_to_judge = breaks.kind in {"violates", "warned"} and breaks.standard == place.wanted
        right = place.enforced == place.wanted
        self.outcomes.append(judgement.outcome(place.wanted, place.enforced, right, breaks, mended, self._allowed))


class RunningTrial:
    """A pod that runs, or that a workload would start."""

    def __init__(self, submission: Submission, client: Client) -> None:
        """Take what to submit."""
        self.submission = submission
        self.answer = Reply("other", by="nobody")
        self._client, self._attempt = client, 0

    @property
    def settled(self) -> bool:
        """Whether Pod Security had its say."""
        return self.answer.kind != "other"

    @property
    def promising(self) -> bool:
        """It needs no more than one good answer."""
        return False

    def ask(self) -> None:
        """Submit it."""
        self.answer, _pod = _submit(self._client, self.submission.pod(self._attempt))
        self._attempt += 1


def _let_in(answer: Reply | None) -> bool:
    return answer is not None and answer.kind in {"admitted", "warned"}


def _submit(client: Client, pod: Object) -> tuple[Reply, Object]:
    answer = client.create(pod, dry_run=True)
    return reply(answer.status, answer.message, answer.warnings), answer.object


def _ask_until_settled(client: Client, trials: Sequence[Trial], timeout: float, progress: Progress) -> None:
    """Ask all, then those that are not settled again, with growing pauses, until the time is up."""
    pending, pause, deadline = list(trials), _SHORTEST_PAUSE, 0.0
    while pending:
        client.parallel(lambda trial: trial.ask(), pending, progress)
        now = time.monotonic()
        deadline = deadline or now + timeout
        pending = [trial for trial in pending if not trial.settled]
        promising = [trial for trial in pending if trial.promising]
        if now >= deadline:
            pending = promising
        elif pending and not promising:
            time.sleep(min(pause, deadline - now))
            pause = min(pause * 2, _LONGEST_PAUSE)


def _servers(client: Client) -> tuple[list[tuple[str, Client]], str]:
    """Each API server at its own address, and a note where they cannot all be had; a lone one as it is configured."""
    configured = [(client.server, client)]
    try:
        slices = client.list(_ENDPOINT_SLICE, "default", label_selector="kubernetes.io/service-name=kubernetes")
    except Forbidden:
        return configured, "the API servers' own addresses may not be read (list endpointslices in default)"
    addresses = sorted(set(_addresses(slices)))
    if len(addresses) < 2:
        return configured, ""
    each = client.parallel(lambda address: _at(client, address), addresses)
    reached = [(address, at) for address, at in zip(addresses, each, strict=True) if at]
    if len(reached) == len(addresses):
        return reached, ""
    missed = ", ".join(address for address, at in zip(addresses, each, strict=True) if not at)
    return [*configured, *reached], f"not reachable from here at their own address: {missed}"


def _addresses(slices: Iterable[Object]) -> Iterable[str]:
    for each in slices:
        port = next((port["port"] for port in each.get("ports") or () if port.get("name") in ("https", None, "")), 443)
        for endpoint in each.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                for address in endpoint["addresses"]:
                    yield f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"


def _at(client: Client, address: str) -> Client | None:
    at = client.at(address)
    try:
        at.version()
    except KubeError:
        return None
    return at


def _running(client: Client, names: Collection[str]) -> dict[str, Running]:
    """What runs in these namespaces: one list a kind where that may be had and they are many, else one a namespace."""
    found: dict[str, Running] = defaultdict(Running)
    wanted = set(names)
    kinds = [_POD, *WORKLOAD_KINDS]
    if len(wanted) > _FEW_NAMESPACES:
        everywhere = client.parallel(lambda kind: _listed(client, kind, ""), kinds)
        barred = [kind for kind, objects in zip(kinds, everywhere, strict=True) if objects is None]
    else:
        everywhere, barred = [], kinds
    asked = [(kind, name) for kind in barred for name in sorted(wanted)]
    one_by_one = client.parallel(lambda each: _listed(client, *each), asked)
    for (kind, name), objects in zip(asked, one_by_one, strict=True):
        if objects is None:
            here = found[name]
            here.not_seen = ", ".join(filter(None, (here.not_seen, f"may not list {KNOWN[kind].plural}")))
    for objects in (*everywhere, *one_by_one):
        for each in objects or ():
            here = found[each["metadata"]["namespace"]]
            (here.pods if each["kind"] == "Pod" else here.workloads).append(each)
    return found


def _listed(client: Client, kind: tuple[str, str], namespace: str) -> list[Object] | None:
    try:
        return client.list(KNOWN[kind], namespace)
    except Forbidden:
        return None


def _preview(client: Client, place: Place, running: Running) -> list[Finding]:
    """What the server would say of the running pods if the namespace were labelled, by a dry run of the labels."""
    before = place.enforced or UNLABELLED
    if not server_checks_pods(before, place.wanted):
        why = f"the namespace enforces {before}: the server judges running pods by {place.wanted} only once that is set"
        remedy = "Run the role pod_security in enforce mode, which sets the labels."
        return [judgement.no_preview_finding(place.name, why, remedy)]
    answer = client.apply(namespace_object(place.name, place.settings), manager=MANAGER, dry_run=True, force=True)
    if not answer.ok:
        why = f"the server would not say what becomes of the running pods: {answer.message}"
        remedy = "Let this user patch namespaces: the patch of this check is a dry run."
        return [judgement.no_preview_finding(place.name, why, remedy)]
    existing = existing_pods(answer.warnings)
    subjects = {group.pod: subject_of_pod(group.pod, place.name, *running.all) for group in existing.groups}
    unasked = templates_without_pods(running.workloads)
    count = sum(map(is_running, running.pods))
    return judgement.preview_findings(place.name, place.wanted, existing, subjects, unasked, count, running.not_seen)


def namespace_object(name: str, settings: Mapping[str, Any]) -> Object:
    """The Namespace with nothing but the labels that the settings ask for; without settings, with none at all."""
    wanted = labels(settings)
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, **({"labels": wanted} if wanted else {})},
    }
