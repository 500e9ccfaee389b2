# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the server warns of when a namespace is to enforce more.

``EvaluatePodsInNamespace`` of pod-security-admission looks at no more than 3,000 pods and for no longer than a second,
groups them by reason and names one pod a group; the server cuts all warnings of an answer down to 4,096 characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HEADLINE = re.compile(
    r'existing pods in namespace "(?P<namespace>[^"]+)" violate the new PodSecurity enforce level "[^"]+"'
)
_GROUP = re.compile(
    r"(?P<pod>[a-z0-9][a-z0-9.-]*)(?: \(and (?P<others>[0-9]+) other pods?\))?: (?P<reasons>.+)", re.DOTALL
)
_UNCHECKED = re.compile(
    r"new PodSecurity enforce level only checked against the first [0-9]+ of [0-9]+ existing pods"
    r"|failed to list pods while checking new PodSecurity enforce level"
)
_CUT_AT = 256
_CUT_ALL_AT = 4096


@dataclass(frozen=True, slots=True)
class PodGroup:
    """Running pods that break a level for the same reasons: the name of the first, and how many more there are."""

    pod: str
    others: int
    reasons: str


@dataclass(frozen=True, slots=True)
class ExistingPods:
    """Which running pods would be refused under a new level, as far as the server told.

    ``incomplete`` says why there may be more, empty if there are none. ``other`` are warnings about something else.
    """

    violate: bool
    groups: tuple[PodGroup, ...]
    incomplete: str
    other: tuple[str, ...]

    @property
    def told(self) -> str:
        """One line with every group."""
        return (
            "; ".join(f"{group.pod}{_and(group.others)} ({group.reasons})" for group in self.groups)
            or "pods that the server does not name"
        )


def existing_pods(warnings: Iterable[str]) -> ExistingPods:
    """Read the warnings that came with the answer to a change of one namespace's labels."""
    texts = tuple(warnings)
    violate = any(_HEADLINE.fullmatch(text) for text in texts)
    groups: list[PodGroup] = []
    incomplete = [text for text in texts if _UNCHECKED.fullmatch(text)]
    other: list[str] = []
    for text in texts:
        if _HEADLINE.fullmatch(text) or text in incomplete:
            continue
        if violate and (found := _GROUP.fullmatch(text)):
            groups.append(PodGroup(found["pod"], int(found["others"] or 0), found["reasons"]))
        else:
            other.append(text)
    if sum(map(len, texts)) >= _CUT_ALL_AT - _CUT_AT:
        incomplete.append("the server cut its warnings short")
    return ExistingPods(violate, tuple(groups), "; ".join(incomplete), tuple(other))


def _and(others: int) -> str:
    return f" and {others} more" if others else ""
