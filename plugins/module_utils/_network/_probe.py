# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the probe pair, two pods that try whether a default deny holds.

One pod serves two ports, the other asks both again and again and writes down what came back. Policies of the pair's own
open both its ends, one for each port. Taken away in one direction, they leave the namespace's policies alone in force:
both ports must close. Then the control port is opened again, and must answer in the very rounds in which the other
stays closed: so neither an outage, nor a dead server, nor a slow network passes for a deny. At last both must be open
again. It does not matter whether a network drops or rejects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    End,
    InForce,
    covers_port,
    opening,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction

IN_A_ROW = 3

_PORTS = range(20011, 60000, 997)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe found: ``pass``, ``fail`` or ``unknown``, and what was seen."""

    status: Literal["pass", "fail", "unknown"]
    evidence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Does any policy let the subject connect, or be connected to, from or to the other end?"""

    direction: Direction
    subject: End
    other: End


def openers(policies: Sequence[InForce], question: Question, port: int) -> list[InForce]:
    """The policies that let the pair connect on a port."""
    return opening(policies, question.direction, question.subject, question.other, port, "TCP")


def closed_ports(policies: Sequence[InForce], questions: Sequence[Question]) -> tuple[int, int] | None:
    """Two ports on which no policy lets the pair connect, whichever question is asked; ``None`` where there are none.

    Those that no address range opens are preferred, since nobody knows the addresses of pods before they run.
    """
    closed = [port for port in _PORTS if not any(openers(policies, question, port) for question in questions)]
    directions = {question.direction for question in questions}
    by_quiet = sorted(
        closed, key=lambda port: any(_opened_to_addresses(policies, direction, port) for direction in directions)
    )
    return (by_quiet[0], by_quiet[1]) if len(by_quiet) > 1 else None


def _opened_to_addresses(policies: Iterable[InForce], direction: Direction, port: int) -> bool:
    return any(
        covers_port(rule, port, "TCP", End()) and any("ipBlock" in peer for peer in rule.peers)
        for policy in policies
        for rule in policy.rules.get(direction) or ()
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One round of the client: its number, and for each of the server's addresses whether its ports answered."""

    number: int
    tried: tuple[bool, ...]
    control: tuple[bool, ...]

    def __str__(self) -> str:
        """Like ``open, control port closed``, for each address."""
        word = {True: "open", False: "closed"}
        return ", ".join(
            f"{word[tried]}, control port {word[control]}"
            for tried, control in zip(self.tried, self.control, strict=True)
        )


@dataclass(frozen=True, slots=True)
class State:
    """What a round has to say of the port that is tried, and of the control port."""

    tried: bool
    control: bool


OPEN = State(tried=True, control=True)
CLOSED = State(tried=False, control=False)
TOLD_APART = State(tried=False, control=True)


def attempts(log: str) -> list[Attempt]:
    """The rounds that a client wrote down; a last line that has no end yet is left out."""
    found = []
    for line in log.split("\n")[:-1]:
        number, *words = line.split() or [""]
        if number.isdecimal() and words and not len(words) % 2 and all(word in ("open", "closed") for word in words):
            answers = tuple(word == "open" for word in words)
            found.append(Attempt(int(number), answers[::2], answers[1::2]))
    return found


def holds(seen: Sequence[Attempt], after: int, wanted: State) -> bool:
    """Whether the last rounds, all begun after a round, say this of every address."""
    last = _last(seen, after)
    return len(last) == IN_A_ROW and all(
        set(attempt.tried) == {wanted.tried} and set(attempt.control) == {wanted.control} for attempt in last
    )


def stayed_open(seen: Sequence[Attempt], after: int, wanted: State) -> bool:
    """Whether in each of the last rounds something got through that should be closed: no outage looks like that."""
    last = _last(seen, after)
    return len(last) == IN_A_ROW and all(
        (any(attempt.tried) and not wanted.tried) or (any(attempt.control) and not wanted.control) for attempt in last
    )


def _last(seen: Sequence[Attempt], after: int) -> list[Attempt]:
    # The round after that may have begun before what is waited for.
    return [attempt for attempt in seen if attempt.number > after + 1][-IN_A_ROW:]


def sample(namespaces: Sequence[str], wanted: str | int | Sequence[str]) -> list[str]:
    """Which namespaces to probe: ``all``, a number of them spread over their order, or those named."""
    ordered = sorted(namespaces)
    if isinstance(wanted, str | int):
        count = len(ordered) if wanted == "all" else min(int(wanted), len(ordered))
        return [ordered[index * len(ordered) // count] for index in range(count)]
    return [name for name in ordered if name in wanted]


def speak_for_others(verdicts: Mapping[str, Verdict], denying: Sequence[str]) -> dict[str, Verdict]:
    """The verdicts on all namespaces whose policies deny, from those on the sample that the user set.

    Whether policies act at all is a matter of the pod network, which all namespaces share. So where every namespace
    of the sample has passed, that is the effect behind the policies of the others too, and their evidence says so.
    """
    others = [name for name in denying if name not in verdicts]
    bad = [f"{name}: {each.evidence}" for name, each in sorted(verdicts.items()) if each.status != "pass"]
    if not others or not verdicts:
        return dict(verdicts)
    names = ", ".join(sorted(verdicts))
    shared = (
        Verdict("unknown", f"not probed itself, and the sample did not pass ({bad[0]})", "See the namespace named.")
        if bad
        else Verdict("pass", f"not probed itself; that the pod network enforces policies was tried in {names}")
    )
    return {**dict.fromkeys(others, shared), **verdicts}
