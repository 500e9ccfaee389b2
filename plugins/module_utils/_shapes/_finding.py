# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a finding, what a check saw of one control on one subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import (
    CONTROLS,
    PROOFS_STRONGEST_FIRST,
    Proof,
)

Status = Literal["pass", "fail", "waived", "not_applicable", "unknown"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict on one subject.

    ``subject`` is written ``Kind/name`` or ``Kind/namespace/name``. ``evidence`` is what was seen, in one line.
    ``proof`` says how it is known. ``remedy`` is what to do about a failure, empty where nothing is to be done.
    ``would`` is set in check mode alone: the status expected after the run that is being previewed.
    """

    control: str
    subject: str
    status: Status
    evidence: str
    proof: Proof
    remedy: str = ""
    would: Status | None = None

    def to_dict(self) -> dict[str, Any]:
        """The shape that results and reports carry; ``would`` only where it says something."""
        told = {
            "control": self.control,
            "subject": self.subject,
            "status": self.status,
            "evidence": self.evidence,
            "proof": self.proof,
            "remedy": self.remedy,
        }
        return told if self.would is None else {**told, "would": self.would}


def finding_from_dict(told: dict[str, Any]) -> Finding:
    """The way back from :meth:`Finding.to_dict`; raises ``TypeError`` on a key that a finding does not have."""
    return Finding(**{key: str(value) for key, value in told.items()})  # type: ignore[arg-type]


def judged(
    control: str,
    subject: str,
    status: Status,
    evidence: str,
    proof: Proof,
    remedy: str = "",
    would: Status | None = None,
) -> Finding:
    """A finding whose ``pass`` is kept only if its proof is strong enough for the control.

    A ``pass`` on weaker proof than the control declares becomes ``unknown``, and says which proof was missing, so
    that no check can pass without having looked closely enough.
    """
    weakest = CONTROLS[control].weakest_pass
    if status == "pass" and _weaker(proof, weakest):
        return Finding(
            control,
            subject,
            "unknown",
            f"{evidence} (known by {proof} only, {control} needs proof by {weakest})",
            proof,
            remedy or f"Let the check get proof by {weakest}: see what it reports as missing.",
            would,
        )
    return Finding(control, subject, status, evidence, proof, remedy, would)


def _weaker(proof: Proof, than: Proof) -> bool:
    return PROOFS_STRONGEST_FIRST.index(proof) > PROOFS_STRONGEST_FIRST.index(than)
