# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: submits pods by dry run, until the answers tell what they are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply, reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._enforced import (
    IN_A_ROW,
    Outcome,
    is_settled,
    outcome,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._judged import still_as_sent
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._preview import Before
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._probes import probe_for, probe_pod
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    UNLABELLED,
    Standard,
    is_explicit,
    labelled,
    server_checks_pods,
    standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import Submission
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import Settings

Object = dict[str, Any]
Progress = Callable[[int, int], None]

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


@dataclass(slots=True)
class Place:
    """A namespace, what it is to enforce, and what its labels say now.

    ``proven``: every API server was seen to judge pods here by what is wanted, refusing or warning. ``refused_for`` is
    what a probe was refused for, ``lets_in`` whether one that breaks what is wanted was let in everywhere as it was.
    """

    name: str
    wanted: Standard
    settings: Settings
    live_labels: Mapping[str, str]
    proven: bool = False
    refused_for: Standard | None = None
    lets_in: bool = False

    @classmethod
    def of(cls, namespace: Object, settings: Settings) -> Place | None:
        """The place that a live namespace is, if its settings have something refused there."""
        wanted = standard(settings)
        if wanted is None or wanted.admits_everything:
            return None
        metadata = namespace["metadata"]
        return cls(metadata["name"], wanted, settings, metadata.get("labels") or {})

    @property
    def tightens(self) -> bool:
        """Whether, by the labels, more is to be refused than now, or by other rules."""
        return server_checks_pods(self.enforced or UNLABELLED, self.wanted)

    @property
    def enforced(self) -> Standard | None:
        """What the labels say is enforced."""
        return labelled(self.live_labels)

    @property
    def is_judged_by_wanted(self) -> bool:
        """Whether pods submitted here are judged by what is wanted, be it that they are only warned of."""
        return self.proven or self.wanted in (self.enforced, labelled(self.live_labels, "warn"))

    @property
    def before(self) -> Before:
        """What is known of what is enforced here now."""
        said = self.enforced if is_explicit(self.live_labels) else None
        return Before(self.refused_for, self.lets_in, said)

    def learn(self, trials: Sequence[ProbeTrial]) -> None:
        """Keep what the probes at all API servers showed."""
        self.proven = all(trial.seen_to_judge for trial in trials)
        self.lets_in = all(trial.lets_in for trial in trials)
        self.refused_for = next((trial.refused_for for trial in trials if trial.refused_for), None)


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
        self.outcomes: list[Outcome] = []
        self.seen_to_judge = False
        self.lets_in = False
        self.refused_for: Standard | None = None
        self._place, self._client = place, client
        self._allowed: Reply | None = None

    @property
    def settled(self) -> bool:
        """Whether it was seen often enough."""
        return is_settled(self.outcomes)

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
        self.lets_in = breaks.kind in {"admitted", "warned"} and not mended
        self.refused_for = breaks.standard if breaks.kind == "violates" else None
        right = place.enforced == place.wanted
        self.outcomes.append(outcome(place.wanted, place.enforced, right, breaks, mended, self._allowed))


class WarnedTrial:
    """Whether the server is seen to warn of what breaks the level, or to refuse it: it learns of labels a bit late."""

    def __init__(self, place: Place, client: Client) -> None:
        """Take where to ask."""
        self._place, self._client = place, client
        self._in_a_row = self._attempt = 0

    @property
    def settled(self) -> bool:
        """Whether it was seen often enough."""
        return self._in_a_row >= IN_A_ROW

    @property
    def promising(self) -> bool:
        """Whether it was seen the last time."""
        return self._in_a_row > 0

    def ask(self) -> None:
        """Submit a pod that breaks the level."""
        place = self._place
        answer, _pod = _submit(self._client, probe_pod(probe_for(place.wanted).breaks, place.name, self._attempt))
        seen = answer.kind in {"violates", "warned"} and answer.standard == place.wanted
        self._in_a_row = self._in_a_row + 1 if seen else 0
        self._attempt += 1


class RunningTrial:
    """A pod that runs, or that a workload would start."""

    def __init__(self, submission: Submission, client: Client) -> None:
        """Take what to submit."""
        self.submission = submission
        self.answer = Reply("other", by="nobody")
        self.mended = False
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
        sent = self.submission.pod(self._attempt)
        self.answer, kept = _submit(self._client, sent)
        # A template's pods will be changed alike, the one that runs already is as it is.
        let_in = self.answer.kind in {"admitted", "warned"}
        self.mended = let_in and not self.submission.is_template and not still_as_sent(sent, kept)
        self._attempt += 1


def _let_in(answer: Reply | None) -> bool:
    return answer is not None and answer.kind in {"admitted", "warned"}


def _submit(client: Client, pod: Object) -> tuple[Reply, Object]:
    answer = client.create(pod, dry_run=True)
    return reply(answer.status, answer.message, answer.warnings), answer.object


def ask_until_settled(client: Client, trials: Sequence[Trial], timeout: float, progress: Progress) -> None:
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
