# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: tries with pairs of pods whether the default deny of namespaces holds."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    PROBE_LABEL,
    End,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe import (
    Question,
    Verdict,
    closed_ports,
    openers,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe_pods import (
    SUBJECT,
    Trial,
    is_left_over,
    labels_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._pair import (
    OTHER,
    POD,
    POLICY,
    POLL_SECONDS,
    Inconclusive,
    NoRoom,
    Pair,
    Probe,
    pods_stand,
)

_ANY_PORT = 65535
_ALWAYS_THERE = "default"
_TRIED_APART = 8
"""Up to so many namespaces each direction has a pair of its own, so that both are tried at once. With more, one pair
tries one after the other: a node takes about a hundred pods."""


def probe_all(
    client: Client,
    probes: Sequence[Probe],
    *,
    image: str,
    timeout: float,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Verdict]:
    """A verdict per namespace. ``timeout`` (seconds) is the longest to wait for each thing that has to happen.

    As many namespaces at once as the client sends requests at once. Whatever it creates is gone afterwards.
    """
    elsewhere = {probe.namespace: probe.labels for probe in probes} | {_ALWAYS_THERE: {NAME_LABEL: _ALWAYS_THERE}}
    client.parallel(lambda name: _sweep(client, name), elsewhere if probes else ())
    apart = len(probes) <= _TRIED_APART
    runs = [_Run(client, probe, image, timeout, elsewhere, apart=apart) for probe in probes]
    verdicts = client.parallel(lambda run: run.verdict(), runs, progress)
    return {probe.namespace: verdict for probe, verdict in zip(probes, verdicts, strict=True)}


def _sweep(client: Client, namespace: str) -> None:
    """Remove what a run that crashed left, and nothing of one that is under way.

    Where that may not be done, its pods end by themselves.
    """
    for resource in (POD, POLICY):
        with contextlib.suppress(KubeError):
            for each in client.list(resource, namespace, label_selector=PROBE_LABEL, metadata_only=True):
                metadata = each["metadata"]
                if is_left_over(metadata, time.time()):
                    client.delete(resource, metadata["name"], namespace, uid=metadata["uid"])


class _Run:
    """The probe of one namespace."""

    def __init__(
        self,
        client: Client,
        probe: Probe,
        image: str,
        timeout: float,
        elsewhere: Mapping[str, Mapping[str, str]],
        *,
        apart: bool,
    ) -> None:
        self._client, self._probe, self._apart = client, probe, apart
        self._image, self._timeout = image, timeout
        self._elsewhere = {name: labels for name, labels in elsewhere.items() if name != probe.namespace}

    def verdict(self) -> Verdict:
        """What its pairs found; what stops one of them is ``unknown``, unless another has seen a failure."""
        trials: list[Trial] = []
        stopped: list[str] = []
        try:
            trials.extend(self._trials())
        except Inconclusive as error:
            stopped.append(str(error))
        found = self._tried(trials)
        failed = next((each for each in found if isinstance(each, Verdict) and each.status == "fail"), None)
        if failed:
            return failed
        stopped += [str(each) for each in found if not isinstance(each, Verdict)]
        if stopped:
            told = f"the probe could not find out: {stopped[0]}"
            return Verdict("unknown", told, "Do away with that, and check again.")
        return Verdict("pass", "; ".join(each.evidence for each in found if isinstance(each, Verdict)))

    def _tried(self, trials: Sequence[Trial]) -> list[Verdict | Exception]:
        """What came of each trial: all at once, then one by one those whose pods did not fit beside the others'."""
        found = self._client.parallel(self._outcome, trials)
        if len(trials) < 2:
            return found
        return [
            self._alone(trial, trials, each) if isinstance(each, NoRoom) else each
            for trial, each in zip(trials, found, strict=True)
        ]

    def _alone(self, trial: Trial, trials: Sequence[Trial], refused: NoRoom) -> Verdict | Exception:
        """What comes of a trial when the pods of all have gone, which count in a quota until then."""
        deadline = time.monotonic() + self._timeout
        try:
            while time.monotonic() < deadline and any(pods_stand(self._client, each) for each in trials):
                time.sleep(POLL_SECONDS)
        except KubeError:
            return refused
        return self._outcome(trial)

    def _outcome(self, trial: Trial) -> Verdict | Exception:
        try:
            return Pair(self._client, trial, self._probe, self._image, self._timeout).verdict()
        except (Inconclusive, KubeError) as error:
            return error

    def _trials(self) -> Iterator[Trial]:
        """Pairs inside the namespace; for a direction that is open inside, one with its other end elsewhere."""
        here, asked = self._probe.namespace, self._probe.directions
        inside = [direction for direction in asked if self._ports([direction], here)]
        one_pair = not self._apart and inside and self._ports(inside, here)
        together = [inside] if one_pair else [[direction] for direction in inside]
        for directions in together:
            yield self._trial(directions, here, here)
        for direction in (each for each in asked if each not in inside):
            there = next((name for name in self._elsewhere if self._ports([direction], name)), "")
            if not there:
                opener = openers(self._probe.policies, self._question(direction, here), _ANY_PORT)
                who = f"{opener[0].told} and others leave" if opener else "the policies in force leave"
                raise Inconclusive(f"{who} no port closed for {direction} of any pod")
            yield self._trial([direction], *((here, there) if direction == "ingress" else (there, here)))

    def _trial(self, directions: Sequence[Direction], server: str, client: str) -> Trial:
        ports = self._ports(directions, client if server == self._probe.namespace else server)
        if ports is None:
            raise Inconclusive("no two ports are closed")
        return Trial(secrets.token_hex(4), tuple(directions), server, client, *ports)

    def _ports(self, directions: Sequence[Direction], other: str) -> tuple[int, int] | None:
        return closed_ports(self._probe.policies, [self._question(direction, other) for direction in directions])

    def _question(self, direction: Direction, other: str) -> Question:
        role = SUBJECT[direction]
        labels = self._elsewhere.get(other, self._probe.labels)
        subject = End(self._probe.namespace, self._probe.labels, labels_of("any", role))
        return Question(direction, subject, End(other, labels, labels_of("any", OTHER[role])))
