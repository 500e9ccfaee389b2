# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: failures that somebody answers for until a day."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

CONTROL = "policy.waivers"
WAIVABLE: frozenset[Status] = frozenset({"fail", "unknown"})


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver: ``subject`` is exact, or a glob where ``is_glob``; it holds to the end of ``expires``, in UTC."""

    control: str
    subject: str
    is_glob: bool
    reason: str
    owner: str
    expires: datetime.date

    def matches(self, finding: Finding) -> bool:
        """Whether it speaks of the finding, whatever the finding's status."""
        if self.control != finding.control:
            return False
        return _fits(finding.subject, self.subject) if self.is_glob else finding.subject == self.subject

    def holds(self, today: datetime.date) -> bool:
        """Whether it is in date."""
        return today <= self.expires

    def __str__(self) -> str:
        """As a finding names it: ``Waiver/<control>/<subject>``."""
        return f"Waiver/{self.control}/{self.subject}"


def _fits(subject: str, glob: str) -> bool:
    """Whether a glob fits part by part, so that ``Pod/*`` is not every pod of every namespace."""
    parts, globs = subject.split("/"), glob.split("/")
    return len(parts) == len(globs) and all(map(fnmatchcase, parts, globs))


def waiver_from_dict(told: Mapping[str, Any]) -> Waiver:
    """A waiver as the policy says it; raises :class:`HardeningError` where it lacks something or has no such day."""
    missing = [key for key in ("control", "reason", "owner", "expires") if not told.get(key)]
    subject = told.get("subject") or told.get("subject_glob")
    if missing or not subject:
        absent = [*missing, *([] if subject else ["subject or subject_glob"])]
        raise HardeningError(f"A waiver lacks {', '.join(absent)}: without it nobody answers for the failure.")
    try:
        expires = datetime.date.fromisoformat(str(told["expires"]))
    except ValueError:
        raise HardeningError(
            f"The waiver of {told['control']} for {subject} expires on {told['expires']!r}, which is no day: "
            "write one like 2027-03-01."
        ) from None
    return Waiver(
        control=str(told["control"]),
        subject=str(subject),
        is_glob="subject" not in told,
        reason=str(told["reason"]),
        owner=str(told["owner"]),
        expires=expires,
    )


def waive(findings: Iterable[Finding], waivers: Sequence[Waiver], today: datetime.date) -> list[Finding]:
    """The findings, each failure and unknown that a waiver in date speaks of with the status ``waived``.

    One whose waiver has expired stays what it is and says so. What check mode expects is waived alike.
    """
    return [_waived(finding, [each for each in waivers if each.matches(finding)], today) for finding in findings]


def _waived(finding: Finding, waivers: Sequence[Waiver], today: datetime.date) -> Finding:
    if finding.status not in WAIVABLE and finding.would not in WAIVABLE:
        return finding
    valid = next((each for each in waivers if each.holds(today)), None)
    if valid is None:
        said = "".join(f"; the waiver of {each.owner} expired on {each.expires}" for each in waivers[:1])
        return replace(finding, evidence=finding.evidence + said)
    return replace(
        finding,
        status="waived" if finding.status in WAIVABLE else finding.status,
        would="waived" if finding.would in WAIVABLE else finding.would,
        evidence=f"{finding.evidence}; waived until {valid.expires} by {valid.owner}: {valid.reason}",
    )


def judge_waivers(
    waivers: Sequence[Waiver], findings: Sequence[Finding], today: datetime.date, complete: bool
) -> list[Finding]:
    """One finding of ``policy.waivers`` for each waiver: is it in date, and is there anything that it speaks of?

    ``findings`` are those before waiving. ``complete``: whether the run saw everything that it was to see; where it
    did not, a waiver that matches nothing is unknown.
    """
    return [_judged(waiver, findings, today, complete) for waiver in waivers]


def _judged(waiver: Waiver, findings: Sequence[Finding], today: datetime.date, complete: bool) -> Finding:
    matched = [finding for finding in findings if waiver.matches(finding)]
    if not waiver.holds(today):
        return judged(
            CONTROL,
            str(waiver),
            "fail",
            f"expired on {waiver.expires} (owner {waiver.owner})",
            "config",
            "Correct what it excused and take it out, or have its owner decide on a new day.",
        )
    if not matched:
        close = did_you_mean(waiver.subject, {each.subject for each in findings if each.control == waiver.control})
        return _stale(str(waiver), close, complete, "Take the waiver out, or correct its control or subject.")
    needed = sum(finding.status in WAIVABLE for finding in matched)
    said = f"in date until {waiver.expires}, waives {needed}"
    evidence = said if needed else "no longer needed, nothing fails: take it out"
    return judged(CONTROL, str(waiver), "pass", evidence, "config")


def judge_accepted(accept_unknown: Sequence[str], findings: Sequence[Finding], complete: bool) -> list[Finding]:
    """One finding of ``policy.waivers`` for each entry of ``accept_unknown``: is there anything that it speaks of?

    ``complete`` as for :func:`judge_waivers`.
    """
    matched: dict[str, list[Finding]] = {entry: [] for entry in accept_unknown}
    for finding in findings:
        for name in names(finding) & matched.keys():
            matched[name].append(finding)
    candidates = {name for finding in findings for name in names(finding)}
    return [_accepted(entry, those, candidates, complete) for entry, those in matched.items()]


def names(finding: Finding) -> frozenset[str]:
    """What ``accept_unknown`` may call a finding: its control, or its control and subject."""
    return frozenset({finding.control, f"{finding.control} {finding.subject}"})


def _accepted(entry: str, matched: Sequence[Finding], candidates: Iterable[str], complete: bool) -> Finding:
    subject = f"Accepted/{entry}"
    if not matched:
        remedy = "Take it out of accept_unknown, or correct its control or subject."
        return _stale(subject, did_you_mean(entry, candidates), complete, remedy)
    needed = sum(finding.status == "unknown" for finding in matched)
    evidence = f"accepts {needed} unknown" if needed else "no longer needed, nothing is unknown: take it out"
    return judged(CONTROL, subject, "pass", evidence, "config")


def _stale(subject: str, close: str, complete: bool, remedy: str) -> Finding:
    if not complete:
        evidence = "matches no finding, and a part of the run failed"
        return judged(CONTROL, subject, "unknown", evidence, "none", remedy)
    hint = f"; did you mean {close}?" if close else ""
    return judged(CONTROL, subject, "fail", f"matches no finding{hint}", "config", remedy)
