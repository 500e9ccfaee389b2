# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one pair of pods, and what it finds of a namespace's default deny."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import API_VERSION, KIND
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import End, InForce
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe import (
    CLOSED,
    OPEN,
    TOLD_APART,
    Attempt,
    Question,
    State,
    Verdict,
    attempts,
    holds,
    openers,
    stayed_open,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe_pods import (
    SUBJECT,
    Role,
    Trial,
    allow,
    expiry,
    labels_of,
    pod,
    why_not_running,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction

POD = KNOWN["v1", "Pod"]
POLICY = KNOWN[API_VERSION, KIND]
OTHER: Mapping[Role, Role] = {"server": "client", "client": "server"}

POLL_SECONDS = 0.25
_PHASES = 9
_SPARE_SECONDS = 30
_EXCEEDED = "exceeded quota"
_NO_ACCOUNT_YET = "error looking up service account"


@dataclass(frozen=True, slots=True)
class Probe:
    """What to try in one namespace: the directions that are denied, under the policies in force there."""

    namespace: str
    labels: Mapping[str, str]
    directions: tuple[Direction, ...]
    policies: tuple[InForce, ...]


class Inconclusive(Exception):
    """The probe could not find out; the message says why."""


class NoRoom(Inconclusive):
    """A quota let no pod of the probe in, which may be otherwise when fewer run."""


def pods_stand(client: Client, trial: Trial) -> bool:
    """Whether a pod of a trial is there, if only on its way out."""
    return any(client.get(POD, trial.pod_name(role), trial.namespace(role), metadata_only=True) for role in OTHER)


class Pair:
    """One server and one client."""

    def __init__(self, client: Client, trial: Trial, probe: Probe, image: str, timeout: float) -> None:
        self._client, self._trial, self._probe = client, trial, probe
        self._image, self._timeout = image, timeout
        self._lifetime = int(timeout * _PHASES + _SPARE_SECONDS)
        self._expires = expiry(time.time(), self._lifetime)
        self._both = (trial.port, trial.control)

    def verdict(self) -> Verdict:
        """Open, closed without the policies that open a direction, told apart, and open again after that."""
        try:
            return self._verdict()
        finally:
            self._clear()

    def _clear(self) -> None:
        """Nothing stays; where deleting fails, the pods end by themselves and the policies select nobody else."""
        for role in OTHER:
            with contextlib.suppress(KubeError):
                self._client.delete(POD, self._trial.pod_name(role), self._trial.namespace(role))
        for direction, port in product(SUBJECT, self._both):
            metadata = allow(self._trial, direction, port)["metadata"]
            with contextlib.suppress(KubeError):
                self._client.delete(POLICY, metadata["name"], metadata["namespace"])

    def _verdict(self) -> Verdict:
        trial = self._trial
        served = self._start("server")
        for direction, port in product(SUBJECT, self._both):
            self._open(direction, port)
        asking = self._start("client", served)
        self._refuse_open_addresses(served, asking)
        if not self._settles(OPEN):
            raise Inconclusive(f"the probe pair could not connect, though both ends were opened for it{self._seen()}")
        for direction in trial.directions:
            for port in self._both:
                self._close(direction, port)
            if not self._settles(CLOSED):
                return self._ignored(direction)
            self._open(direction, trial.control)
            if not self._settles(TOLD_APART):
                return self._ignored(direction)
            self._open(direction, trial.port)
            if not self._settles(OPEN):
                raise Inconclusive(f"the probe's server did not answer again once {direction} was opened{self._seen()}")
        where = (
            "from a pod of the same namespace"
            if trial.server_namespace == trial.client_namespace
            else f"with the pair in the namespaces {trial.client_namespace} and {trial.server_namespace}"
        )
        without = " and without that for ".join(trial.directions)
        return Verdict(
            "pass",
            f"tried {where} on {trial.port}/TCP: open while the probe's own policies allowed it, "
            f"closed without that for {without} while the control port {trial.control}/TCP answered, then open again",
        )

    def _ignored(self, direction: Direction) -> Verdict:
        denying = [each.told for each in self._probe.policies if each.selects_all and direction in each.rules]
        return Verdict(
            "fail",
            f"a connection on {self._trial.port}/TCP stayed open for {self._timeout:g} s although {denying[0]} denies "
            f"{direction}: the pod network ignores NetworkPolicy{self._seen()}",
            "Use a pod network that enforces NetworkPolicy, or repair it; until then the policies protect nothing.",
        )

    def _start(self, role: Role, addresses: Sequence[str] = ()) -> tuple[str, ...]:
        """Run a pod; its addresses. Raises :class:`Inconclusive` with the reason why it does not run."""
        wanted = pod(self._trial, role, self._image, self._lifetime, addresses, self._expires)
        deadline = time.monotonic() + self._timeout
        answer = self._client.create(wanted)
        while _NO_ACCOUNT_YET in answer.message and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            answer = self._client.create(wanted)
        if not answer.ok:
            refused = NoRoom if _EXCEEDED in answer.message else Inconclusive
            raise refused(f"the server refused the probe's {role} pod: {answer.message}")
        while True:
            there = self._client.get(POD, self._trial.pod_name(role), self._trial.namespace(role))
            why, hopeless = why_not_running(there) if there else ("somebody deleted it", True)
            if there and not why:
                return tuple(each["ip"] for each in there["status"]["podIPs"])
            if hopeless or time.monotonic() >= deadline:
                raise Inconclusive(f"the probe's {role} pod did not start: {why}")
            time.sleep(POLL_SECONDS)

    def _refuse_open_addresses(self, served: Sequence[str], asking: Sequence[str]) -> None:
        """Now that the addresses are known: an address range that holds them may open what is to be found closed."""
        ends = {
            "server": End(self._trial.server_namespace, self._probe.labels, addresses=tuple(served)),
            "client": End(self._trial.client_namespace, self._probe.labels, addresses=tuple(asking)),
        }
        for direction in self._trial.directions:
            role = SUBJECT[direction]
            labels = labels_of(self._trial.token, role)
            subject = End(self._probe.namespace, self._probe.labels, labels)
            elsewhere = End(addresses=ends[OTHER[role]].addresses)
            question = Question(direction, subject, elsewhere)
            for found in (each for port in self._both for each in openers(self._probe.policies, question, port)):
                raise Inconclusive(f"{found.told} opens {direction} for the addresses of all pods")

    def _open(self, direction: Direction, port: int) -> None:
        answer = self._client.create(allow(self._trial, direction, port, self._expires))
        if not answer.ok:
            raise Inconclusive(f"the server refused the probe's NetworkPolicy: {answer.message}")

    def _close(self, direction: Direction, port: int) -> None:
        metadata = allow(self._trial, direction, port)["metadata"]
        answer = self._client.delete(POLICY, metadata["name"], metadata["namespace"])
        if not answer.ok:
            raise Inconclusive(f"the server refused to delete the probe's NetworkPolicy: {answer.message}")

    def _settles(self, wanted: State) -> bool:
        """Whether from now on the ports are as wanted several times in a row; ``False`` where one stays open instead.

        Raises :class:`Inconclusive` where something that should answer does not: that is an outage and no deny.
        """
        seen = self._rounds()
        begun = seen[-1].number if seen else 0
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            seen = self._rounds()
            if holds(seen, begun, wanted):
                return True
        if not seen or seen[-1].number <= begun:
            raise Inconclusive("the probe's client stopped asking")
        if wanted != OPEN and not stayed_open(seen, begun, wanted):
            raise Inconclusive(f"the network between the probe pair did not settle{self._seen()}")
        return False

    def _rounds(self) -> list[Attempt]:
        return attempts(self._client.log(self._trial.client_namespace, self._trial.pod_name("client")))

    def _seen(self) -> str:
        rounds = self._rounds()
        return f" (the last answers: {rounds[-1]})" if rounds else " (nothing was tried)"
