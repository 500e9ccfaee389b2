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
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import DIRECTIONS, Direction

IN_A_ROW = 3

Denying = Mapping[str, Sequence[Direction]]
"""The namespaces whose policies deny, each with the directions that it denies."""

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


def sample(denying: Denying, wanted: str | int | Sequence[str]) -> list[str]:
    """Which namespaces to probe: ``all``, a number of them spread over their order, or those named.

    Of a number, those that deny both directions go first, and each direction that is denied anywhere is in it: a sample
    speaks for no direction that it has not tried.
    """
    ordered = sorted(denying)
    if not isinstance(wanted, str | int):
        return [name for name in ordered if name in wanted]
    if wanted == "all":
        return ordered
    whole = [name for name in ordered if len(denying[name]) == len(DIRECTIONS)]
    half = [name for name in ordered if name not in whole]
    chosen = _spread(whole, int(wanted))
    chosen += _spread(half, int(wanted) - len(chosen))
    for direction in DIRECTIONS:
        able = [name for name in ordered if direction in denying[name]]
        if able and not set(able) & set(chosen):
            chosen.append(able[0])
    return sorted(chosen)


def _spread(ordered: Sequence[str], count: int) -> list[str]:
    count = min(count, len(ordered))
    return [ordered[index * len(ordered) // count] for index in range(count)]


def speak_for_others(verdicts: Mapping[str, Verdict], denying: Denying) -> dict[str, Verdict]:
    """The verdicts on all namespaces whose policies deny, from those on a sample of them.

    Whether policies act at all is a matter of the pod network, which all namespaces share. So where every namespace
    of the sample has passed, that is the effect behind the policies of the others too, and their evidence says so. It
    is so for each direction by itself: there are networks that enforce one and not the other.
    """
    others = [name for name in denying if name not in verdicts]
    if not others or not verdicts:
        return dict(verdicts)
    bad = [f"{name}: {each.evidence}" for name, each in sorted(verdicts.items()) if each.status != "pass"]
    if bad:
        told = f"not probed itself, and the sample did not pass ({bad[0]})"
        shared = Verdict("unknown", told, "See the namespace named.")
        return {**dict.fromkeys(others, shared), **verdicts}
    tried = {direction for name in verdicts for direction in denying[name]}
    names = f"{', '.join(sorted(verdicts))} ({len(verdicts)} of {len(denying)} namespaces)"
    passed = Verdict("pass", f"not probed itself; that the pod network enforces policies was tried in {names}")
    untried = {name: [each for each in denying[name] if each not in tried] for name in others}
    return {**{name: _untried(untried[name]) if untried[name] else passed for name in others}, **verdicts}


def _untried(directions: Sequence[Direction]) -> Verdict:
    return Verdict(
        "unknown",
        f"not probed itself, and no namespace of the sample denies {' or '.join(directions)}",
        "Have the probe try this namespace too (probe_namespaces).",
    )
