# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._enforced import (
    IN_A_ROW,
    Outcome,
    enforced_finding,
    is_settled,
    not_enforcing_finding,
    not_there_yet_findings,
    outcome,
    reported_findings,
    version_note,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._labelling import (
    expected,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard, labels

WANTED = Standard("restricted")
OTHER = Standard("baseline")
ADMITTED = Reply("admitted")
REFUSED = Reply("violates", WANTED, "Pod Security", "runAsNonRoot != true")
QUOTA = Reply("other", by="the ResourceQuota small", reason="exceeded quota: small")
BARRED = Reply("not_permitted", by="RBAC", reason='pods is forbidden: User "jane" cannot create resource "pods"')


PASS = Outcome("pass", "refuses it")
FAIL = Outcome("fail", "lets it in", remedy="Mend it.")
UNKNOWN = Outcome("unknown", "the quota answered", "none", "Raise it.")


@pytest.mark.parametrize(
    ("found", "breaks", "mended", "allowed", "status", "words", "lasting"),
    [
        (WANTED, REFUSED, False, ADMITTED, "pass", 'violates PodSecurity "restricted:latest"', False),
        (WANTED, REFUSED, False, Reply("warned", WANTED), "pass", "one that it allows is let in", False),
        (None, REFUSED, False, ADMITTED, "pass", "is refused with", False),
        (WANTED, REFUSED, False, QUOTA, "unknown", "the ResourceQuota small answered in place of Pod Security", False),
        (WANTED, REFUSED, False, REFUSED, "fail", "allows is refused too", False),
        (WANTED, REFUSED, False, BARRED, "unknown", "RBAC answered", False),
        (WANTED, ADMITTED, False, None, "fail", "AdmissionConfiguration most likely exempts this namespace", False),
        (WANTED, Reply("warned", WANTED), False, None, "fail", "most likely exempts", False),
        (None, ADMITTED, False, None, "fail", "is let in; the namespace is not labelled", True),
        (OTHER, ADMITTED, False, None, "fail", "is let in; the namespace is labelled baseline:latest", True),
        (WANTED, ADMITTED, True, None, "unknown", "a webhook changed the pod", False),
        (WANTED, Reply("violates", OTHER), False, None, "fail", "enforces baseline:latest here, not restricted", False),
        (OTHER, Reply("violates", OTHER), False, None, "fail", "enforces baseline:latest here, not restricted", True),
        (
            Standard("restricted", "v1.30"),
            Reply("violates", Standard("restricted", "v1.30")),
            False,
            None,
            "fail",
            "enforces restricted:v1.30 here, not restricted:latest",
            True,
        ),
        (WANTED, QUOTA, False, None, "unknown", "the ResourceQuota small answered", False),
        (WANTED, BARRED, False, None, "unknown", 'cannot create resource "pods"', True),
        (None, BARRED, False, None, "fail", "wanted is restricted:latest", True),
    ],
)
def test_what_one_round_of_probes_shows(
    found: Standard | None, breaks: Reply, mended: bool, allowed: Reply | None, status: str, words: str, lasting: bool
) -> None:
    told = outcome(WANTED, found, found == WANTED, breaks, mended, allowed)
    assert told.status == status
    assert words in told.evidence
    assert told.lasting is lasting
    assert bool(told.remedy) is (status != "pass")


@pytest.mark.parametrize(
    ("outcomes", "settled"),
    [
        ([], False),
        ([PASS], False),
        ([PASS] * (IN_A_ROW - 1), False),
        ([PASS] * IN_A_ROW, True),
        ([FAIL, UNKNOWN] + [PASS] * IN_A_ROW, True),
        ([PASS, PASS, FAIL, PASS, PASS], False),
        ([FAIL] * 9, False),
        ([Outcome("fail", "no label", lasting=True)], True),
    ],
)
def test_an_effect_has_to_be_seen_several_times_in_a_row(outcomes: list[Outcome], settled: bool) -> None:
    assert is_settled(outcomes) is settled


def test_enforced_passes_by_effect_alone() -> None:
    finding = enforced_finding("shop", {"https://a:6443": [FAIL, *[PASS] * IN_A_ROW]})
    assert (finding.control, finding.subject, finding.status, finding.proof) == (
        "pod_security.enforced",
        "Namespace/shop",
        "pass",
        "effect",
    )
    assert finding.evidence == "refuses it, 3 times in a row"


def test_the_worst_api_server_decides() -> None:
    both = enforced_finding("shop", {"https://a:6443": [PASS] * 3, "https://b:6443": [FAIL] * 4})
    assert (both.status, both.evidence) == ("fail", "lets it in at https://b:6443 (asked 4 times)")
    unknown = enforced_finding("shop", {"https://a:6443": [PASS] * 3, "https://b:6443": [UNKNOWN]})
    assert (unknown.status, unknown.evidence) == ("unknown", "the quota answered at https://b:6443")
    three = enforced_finding("shop", {f"https://{name}:6443": [PASS] * 3 for name in "abc"})
    assert three.evidence == "refuses it, 3 times in a row at each of 3 API servers"


def test_api_servers_that_could_not_be_asked_one_by_one_are_told() -> None:
    finding = enforced_finding("shop", {"https://a:6443": [PASS] * 3}, "not reachable from here: https://b:6443")
    assert finding.evidence.endswith("; not reachable from here: https://b:6443")


def test_answers_that_change_to_the_end_are_no_proof() -> None:
    finding = enforced_finding("shop", {"https://a:6443": [PASS, FAIL, PASS, PASS]})
    assert finding.status == "unknown"
    assert "changed while being asked" in finding.evidence


def test_labels_alone_prove_nothing() -> None:
    told = outcome(WANTED, WANTED, True, BARRED, False, None)
    finding = enforced_finding("shop", {"https://a:6443": [told]})
    assert (finding.status, finding.proof) == ("unknown", "config")
    assert "create pods" in finding.remedy


@pytest.mark.parametrize("wanted", [None, Standard("privileged")])
def test_where_nothing_is_to_be_refused_the_controls_do_not_apply(wanted: Standard | None) -> None:
    finding = not_enforcing_finding("pod_security.enforced", "shop", wanted)
    assert finding.status == "not_applicable"


def test_a_namespace_that_is_yet_to_be_created() -> None:
    enforced, comply = not_there_yet_findings("shop")
    assert (enforced.status, comply.status) == ("fail", "not_applicable")
    assert expected(enforced, True).would == "pass"


def test_audit_and_warn_are_judged_by_their_labels() -> None:
    settings = {"enforce": "baseline", "warn": "restricted", "audit": "restricted", "version": "v1.36"}
    assert reported_findings("shop", {"enforce": "baseline"}, {}) == []
    (right,) = reported_findings("shop", settings, labels(settings))
    assert (right.status, right.evidence) == ("pass", "audit is restricted:v1.36; warn is restricted:v1.36")
    (wrong,) = reported_findings("shop", settings, labels({**settings, "audit": "baseline"}))
    assert (wrong.status, wrong.evidence) == ("fail", "audit is baseline:v1.36, wanted is restricted:v1.36")
    (missing,) = reported_findings("shop", {"warn": "restricted"}, {})
    assert (missing.status, missing.evidence) == ("fail", "warn is missing, wanted is restricted:latest")
    assert expected(missing, True).would == "pass"


@pytest.mark.parametrize(
    ("version", "noted"), [("latest", False), ("v1.0", False), ("v1.36", False), ("v1.37", True), ("v1.99", True)]
)
def test_a_version_that_the_server_does_not_know_is_told(version: str, noted: bool) -> None:
    note = version_note(Standard("restricted", version), (1, 36))
    assert bool(note) is noted
    assert not noted or f"the server is 1.36 and judges by its own newest rules, those of {version}" in note
