# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import (
    CONTROLS,
    PROOFS_STRONGEST_FIRST,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import (
    Finding,
    finding_from_dict,
    judged,
)

SUBJECT = "Namespace/shop"


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("proof", PROOFS_STRONGEST_FIRST)
def test_a_pass_stands_only_on_proof_that_the_control_accepts(control: str, proof: str) -> None:
    strong_enough = PROOFS_STRONGEST_FIRST.index(proof) <= PROOFS_STRONGEST_FIRST.index(CONTROLS[control].weakest_pass)
    found = judged(control, SUBJECT, "pass", "seen", proof)
    assert found.status == ("pass" if strong_enough else "unknown")


def test_a_pass_on_weak_proof_says_which_proof_was_missing() -> None:
    found = judged("pod_security.enforced", SUBJECT, "pass", "the labels say so", "config")
    assert found.status == "unknown"
    assert "needs proof by effect" in found.evidence
    assert found.remedy


@pytest.mark.parametrize("status", ["fail", "waived", "not_applicable", "unknown"])
def test_other_statuses_stand_on_any_proof(status: str) -> None:
    assert judged("pod_security.enforced", SUBJECT, status, "seen", "none", "do this").status == status


def test_a_control_that_is_not_declared_is_an_error() -> None:
    with pytest.raises(KeyError):
        judged("no.such", SUBJECT, "pass", "seen", "effect")


def test_the_dictionary_goes_both_ways() -> None:
    found = Finding("network.default_deny", SUBJECT, "fail", "open", "effect", "deny it", would="pass")
    assert finding_from_dict(found.to_dict()) == found


def test_would_is_told_only_in_check_mode() -> None:
    assert "would" not in Finding("network.default_deny", SUBJECT, "pass", "closed", "effect").to_dict()
