# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._labelling import (
    expected,
    held_back_finding,
    not_labelled_finding,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    PodGroup,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status

WANTED = Standard("restricted")


def test_a_namespace_that_was_held_back_says_why() -> None:
    existing = ExistingPods(True, (PodGroup("web-1", 2, "privileged"),), "only checked against the first 3", ())
    finding = held_back_finding("shop", WANTED, existing)
    assert (finding.control, finding.status) == ("pod_security.enforced", "fail")
    assert "web-1 and 2 more (privileged); only checked against the first 3; the namespace was left" in finding.evidence
    only_unchecked = held_back_finding("shop", WANTED, ExistingPods(False, (), "only checked", ()))
    assert only_unchecked.evidence == "only checked; the namespace was left as it is"


def test_a_namespace_that_could_not_be_labelled_says_why() -> None:
    finding = not_labelled_finding("shop", "conflict with kubectl-label")
    assert (finding.status, "conflict with kubectl-label" in finding.evidence) == ("fail", True)
    assert "force_conflicts" in finding.remedy


@pytest.mark.parametrize(
    ("control", "status", "labels_set", "enforce_right", "would"),
    [
        ("pod_security.enforced", "fail", True, False, "pass"),
        ("pod_security.enforced", "fail", False, False, "fail"),
        ("pod_security.enforced", "fail", True, True, "fail"),
        ("pod_security.enforced", "unknown", True, False, "unknown"),
        ("pod_security.enforced", "pass", False, True, "pass"),
        ("pod_security.reported", "fail", True, True, "pass"),
        ("pod_security.reported", "fail", False, False, "fail"),
        ("pod_security.running_comply", "fail", True, False, "fail"),
    ],
)
def test_what_to_expect_after_the_run(
    control: str, status: Status, labels_set: bool, enforce_right: bool, would: str
) -> None:
    finding = Finding(control, "Namespace/shop", status, "x", "effect")
    assert expected(finding, labels_set, enforce_right).would == would
