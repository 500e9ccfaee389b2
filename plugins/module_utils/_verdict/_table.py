# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a verdict as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import (
    CONTROLS,
    PROOFS_STRONGEST_FIRST,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import Verdict

Tone = Literal["plain", "good", "bad", "doubt"]

WIDTH = 100
_MOST_GROUPS = 40
_MOST_SUBJECTS = 5
_MOST_LINES = 8

_COLUMNS: tuple[tuple[str, Status], ...] = (
    ("pass", "pass"),
    ("fail", "fail"),
    ("waived", "waived"),
    ("unknown", "unknown"),
    ("n/a", "not_applicable"),
)
_TONES: dict[Status, Tone] = {"fail": "bad", "unknown": "doubt", "waived": "doubt"}
_LISTED: tuple[Status, ...] = ("fail", "unknown", "waived")
_HEADINGS: dict[Status, str] = {"fail": "FAIL", "unknown": "UNKNOWN", "waived": "WAIVED"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a terminal, at most :data:`WIDTH` columns wide unless a single word is wider."""

    text: str
    tone: Tone = "plain"


def table(verdict: Verdict, report: str = "", notes: Sequence[str] = ()) -> list[Line]:
    """The verdict for people: a row for each control, each failure with its evidence and remedy, the verdict last.

    Passes are counted and not listed. What fails for the same reason is told once with its first subjects, so that a
    thousand findings stay readable. ``report`` is the file that has everything, ``notes`` are told before the verdict.
    """
    return [
        *_rows(verdict.findings),
        *_errors(verdict.errors),
        *_listing(verdict),
        *_preview(verdict),
        *_conclusion(verdict, report, notes),
    ]


def _rows(findings: Sequence[Finding]) -> Iterator[Line]:
    present = {finding.control for finding in findings}
    controls = [control for control in CONTROLS if control in present]
    if not controls:
        return
    width = max(len(control) for control in controls)
    yield Line("")
    yield Line(f"{'control':<{width}}" + "".join(f"{heading:>9}" for heading, _status in _COLUMNS) + "  proof")
    for control in controls:
        its = [finding for finding in findings if finding.control == control]
        counts = Counter(finding.status for finding in its)
        numbers = "".join(f"{counts[status] or '-':>9}" for _heading, status in _COLUMNS)
        yield Line(f"{control:<{width}}{numbers}  {_proofs(its)}", _worst(counts))


def _proofs(findings: Iterable[Finding]) -> str:
    """How the control is known: each kind of proof that its findings have, strongest first."""
    counts = Counter(finding.proof for finding in findings if finding.status != "not_applicable")
    used = [proof for proof in PROOFS_STRONGEST_FIRST if counts[proof]]
    if len(used) == 1:
        return used[0]
    return ", ".join(f"{proof} {counts[proof]}" for proof in used) or "-"


def _worst(counts: Counter[Status]) -> Tone:
    return next((_TONES[status] for status in _LISTED if counts[status]), "good" if counts["pass"] else "plain")


def _errors(errors: Sequence[str]) -> Iterator[Line]:
    for error in errors:
        yield Line("")
        yield from _wrapped("FAILED  ", error, "bad")


def _listing(verdict: Verdict) -> Iterator[Line]:
    groups = [group for status in _LISTED for group in _groups(verdict, status)]
    for heading, tone, evidence, remedy, subjects in groups[:_MOST_GROUPS]:
        yield Line("")
        yield from _wrapped(heading, _subjects_said(subjects), tone)
        yield from _wrapped("  seen    ", evidence)
        if remedy:
            yield from _wrapped("  remedy  ", remedy)
    left = groups[_MOST_GROUPS:]
    if left:
        yield Line("")
        findings = sum(len(group[-1]) for group in left)
        yield Line(f"and {len(left)} more, {findings} findings: the report has them all", "doubt")


def _groups(verdict: Verdict, status: Status) -> list[tuple[str, Tone, str, str, list[str]]]:
    subjects: dict[tuple[str, str, str, bool], list[str]] = {}
    for at, finding in enumerate(verdict.findings):
        if finding.status == status:
            remedy = "" if status == "waived" else finding.remedy
            key = (finding.control, finding.evidence, remedy, at in verdict.accepted)
            subjects.setdefault(key, []).append(finding.subject)
    return [
        (f"{'ACCEPTED' if accepted else _HEADINGS[status]}  {control}  ", _TONES[status], evidence, remedy, those)
        for (control, evidence, remedy, accepted), those in subjects.items()
    ]


def _subjects_said(subjects: Sequence[str]) -> str:
    more = len(subjects) - _MOST_SUBJECTS
    return ", ".join(subjects[:_MOST_SUBJECTS]) + (f" and {more} more" if more > 0 else "")


def _preview(verdict: Verdict) -> Iterator[Line]:
    if verdict.would is None:
        return
    changes = Counter(
        (finding.control, finding.status, finding.would)
        for finding in verdict.findings
        if finding.would is not None and finding.would != finding.status
    )
    if changes:
        yield Line("")
    for (control, status, would), count in changes.items():
        yield Line(f"would turn {control} from {status} to {would} for {count}", "good" if would == "pass" else "doubt")


def _conclusion(verdict: Verdict, report: str, notes: Sequence[str]) -> Iterator[Line]:
    yield Line("")
    for note in notes:
        yield from _wrapped("", note)
    if report:
        yield Line(f"report: {report}")
    yield from _told("verdict", verdict.reasons)
    if verdict.would is not None:
        yield from _told("check mode changed nothing; the verdict after a run would be", verdict.would)


def _told(what: str, reasons: Sequence[str]) -> Iterator[Line]:
    if reasons:
        yield from _wrapped(f"{what}: FAILURE, ", ", ".join(reasons), "bad")
    else:
        yield Line(f"{what}: SUCCESS", "good")


def _wrapped(heading: str, text: str, tone: Tone = "plain") -> Iterator[Line]:
    """Text behind a heading, the lines after the first one indented; nothing in it can move the cursor."""
    indent = " " * min(len(heading), 10)
    lines = textwrap.wrap(
        heading + _printable(text),
        WIDTH,
        subsequent_indent=indent,
        max_lines=_MOST_LINES,
        placeholder=" ... (the report has all of it)",
        break_on_hyphens=False,
        break_long_words=False,
        drop_whitespace=True,
        replace_whitespace=True,
    )
    for line in lines:
        yield Line(line, tone)


def _printable(text: str) -> str:
    """Evidence may hold words of the cluster's users, which must not reach a terminal as commands."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
