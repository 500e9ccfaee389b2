# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the verdict of a run."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import (
    CONTROLS,
    PROOFS_STRONGEST_FIRST,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import (
    STATUSES,
    Finding,
    Status,
    finding_from_dict,
    judged,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import (
    Waiver,
    judge_accepted,
    judge_waivers,
    names,
    waive,
)

_EVALUATED: frozenset[Status] = frozenset({"pass", "fail", "waived"})
_ABOUT_THE_POLICY = "policy."
NOTHING_EVALUATED = "no control was evaluated"
_NEEDED = tuple(field.name for field in fields(Finding) if field.default is MISSING)

CONTROLS_OF: Mapping[str, str] = {
    "pod_security": "pod_security.",
    "resource_limits": "resources.",
    "network_policies": "network.",
    "rbac": "access.",
    "encryption_at_rest": "encryption.",
}
"""How the controls of each part of a run begin."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run comes to.

    ``findings`` are all, waived where a waiver holds, each once, with those about the waivers. ``accepted`` are the
    places in ``findings`` of unknown ones that the policy accepts by name. ``errors`` say which parts of the run
    failed. ``reasons`` is empty for a success. ``would`` are the reasons expected after a run that is being previewed,
    ``None`` outside check mode.
    """

    findings: tuple[Finding, ...]
    accepted: frozenset[int]
    errors: tuple[str, ...]
    reasons: tuple[str, ...]
    would: tuple[str, ...] | None = None

    @property
    def success(self) -> bool:
        """Whether nothing speaks against the cluster as it is."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """The shape of results and reports: ``success``, ``reasons``, ``counts``, in check mode ``would``."""
        told: dict[str, Any] = {
            "success": self.success,
            "reasons": list(self.reasons),
            "counts": _counts(self.findings),
        }
        if self.would is not None:
            told["would"] = {"success": not self.would, "reasons": list(self.would)}
        return told

    def findings_told(self) -> list[dict[str, Any]]:
        """The findings as plain data, an unknown one that is accepted with ``accepted: true``."""
        return [
            {**finding.to_dict(), "accepted": True} if at in self.accepted else finding.to_dict()
            for at, finding in enumerate(self.findings)
        ]


def findings_told_by(told: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Findings from plain data, as roles and modules return them.

    A ``pass`` on weaker proof than its control asks for becomes unknown here as well, whoever said it. Raises
    :class:`HardeningError` on anything that is no finding.
    """
    return [_finding(each) for each in told]


def _finding(told: Mapping[str, Any]) -> Finding:
    missing = [key for key in _NEEDED if key not in told]
    if missing:
        raise HardeningError(f"This is not a finding: {dict(told)} lacks {', '.join(missing)}.")
    try:
        finding = finding_from_dict(dict(told))
    except TypeError as error:
        raise HardeningError(f"This is not a finding: {error}.") from error
    for what, value, allowed in (
        ("control", finding.control, tuple(CONTROLS)),
        ("status", finding.status, STATUSES),
        ("proof", finding.proof, PROOFS_STRONGEST_FIRST),
        ("expected status", finding.would or "pass", STATUSES),
    ):
        if value not in allowed:
            raise HardeningError(f"A finding has the {what} {value!r}; allowed: {', '.join(allowed)}.")
    return judged(**{field.name: getattr(finding, field.name) for field in fields(finding)})


def judge(
    findings: Sequence[Finding],
    waivers: Sequence[Waiver] = (),
    accept_unknown: Sequence[str] = (),
    errors: Sequence[str] = (),
    *,
    today: datetime.date,
    parts: Sequence[str] = (),
    check_mode: bool = False,
    limited: bool = False,
) -> Verdict:
    """Success only if a control was evaluated and every finding is pass, not_applicable or validly waived.

    An unknown one fails too, unless ``accept_unknown`` names its control, or its control and subject. So does an
    error: a part of the run that failed, and one of ``parts`` (keys of :data:`CONTROLS_OF`) that found nothing. The
    findings about the policy itself are not what is evaluated.

    ``limited``: whether the run was about some namespaces alone, so that a waiver, or an entry of ``accept_unknown``,
    that matches nothing may be about the others and is not judged.
    """
    seen = list(dict.fromkeys(findings))
    errors = (*errors, *_silent(parts, seen, errors))
    if limited:
        waivers = [waiver for waiver in waivers if any(map(waiver.matches, seen))]
        accept_unknown = [entry for entry in accept_unknown if any(entry in names(finding) for finding in seen)]
    told = (
        *waive(seen, waivers, today),
        *judge_waivers(waivers, seen, today, complete=not errors),
        *judge_accepted(accept_unknown, seen, complete=not errors),
    )
    accepted = frozenset(at for at, each in enumerate(told) if _is_accepted(each, accept_unknown))
    now = [(each, each.status) for at, each in enumerate(told) if at not in accepted]
    after = [(each, each.would or each.status) for each in told if not _would_be_accepted(each, accept_unknown)]
    return Verdict(
        findings=told,
        accepted=accepted,
        errors=errors,
        reasons=tuple(_reasons(now, errors)),
        would=tuple(_reasons(after, errors)) if check_mode else None,
    )


def _silent(parts: Sequence[str], findings: Sequence[Finding], errors: Sequence[str]) -> list[str]:
    """An error for each part that neither found nor told anything: what was asked for was not looked at."""
    return [
        f"{part}: no control was evaluated: what the policy says of it reaches no namespace."
        for part in parts
        if not any(finding.control.startswith(CONTROLS_OF[part]) for finding in findings)
        and not any(error.startswith(f"{part}: ") for error in errors)
    ]


def _is_accepted(finding: Finding, accept_unknown: Sequence[str]) -> bool:
    return finding.status == "unknown" and _is_named(finding, accept_unknown)


def _would_be_accepted(finding: Finding, accept_unknown: Sequence[str]) -> bool:
    return (finding.would or finding.status) == "unknown" and _is_named(finding, accept_unknown)


def _is_named(finding: Finding, accept_unknown: Sequence[str]) -> bool:
    return not names(finding).isdisjoint(accept_unknown)


def _reasons(told: Sequence[tuple[Finding, Status]], errors: Sequence[str]) -> list[str]:
    statuses = Counter(status for _finding, status in told)
    reasons = []
    if errors:
        reasons.append(_many(len(errors), "part of the run failed", "parts of the run failed"))
    if statuses["fail"]:
        reasons.append(_many(statuses["fail"], "finding fails", "findings fail"))
    if statuses["unknown"]:
        reasons.append(_many(statuses["unknown"], "finding is unknown", "findings are unknown"))
    if not any(status in _EVALUATED for finding, status in told if not finding.control.startswith(_ABOUT_THE_POLICY)):
        reasons.append(NOTHING_EVALUATED)
    return reasons


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _counts(findings: Sequence[Finding]) -> Mapping[str, int]:
    counts = Counter(finding.status for finding in findings)
    return {status: counts[status] for status in STATUSES}
