# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Success needs something evaluated and nothing left over."""

from __future__ import annotations

import datetime
from itertools import product
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import STATUSES, Finding, Status
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import (
    Verdict,
    findings_told_by,
    judge,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import Waiver, waiver_from_dict

TODAY = datetime.date(2026, 11, 22)
DENY = "network.default_deny"
PASS = Finding(DENY, "Namespace/a", "pass", "closed", "effect")
FAIL = Finding(DENY, "Namespace/b", "fail", "open", "effect")


def finding(status: Status, subject: str = "Namespace/a", control: str = DENY, would: Status | None = None) -> Finding:
    return Finding(control, subject, status, "seen", "effect", "", would)


def verdict(*findings: Finding, **more: Any) -> Verdict:
    return judge(findings, today=TODAY, **more)


@pytest.mark.parametrize("statuses", [pair for length in (1, 2, 3) for pair in product(STATUSES, repeat=length)])
def test_every_combination_of_statuses(statuses: tuple[Status, ...]) -> None:
    judged = verdict(*(finding(status, f"Namespace/{at}") for at, status in enumerate(statuses)))
    evaluated = bool({"pass", "fail", "waived"} & set(statuses))
    assert judged.success is (evaluated and not {"fail", "unknown"} & set(statuses))
    assert judged.would is None


@pytest.mark.parametrize(
    ("findings", "reasons"),
    [
        ([], ["no control was evaluated"]),
        ([finding("not_applicable")], ["no control was evaluated"]),
        ([finding("pass", control="policy.namespaces")], ["no control was evaluated"]),
        ([finding("fail")], ["1 finding fails"]),
        ([finding("fail"), finding("fail", "Namespace/b")], ["2 findings fail"]),
        ([finding("fail"), finding("fail")], ["1 finding fails"]),
        ([finding("unknown"), finding("pass", "b")], ["1 finding is unknown"]),
        ([finding("fail"), finding("unknown", "b")], ["1 finding fails", "1 finding is unknown"]),
    ],
)
def test_the_reasons_say_what_speaks_against_success(findings: list[Finding], reasons: list[str]) -> None:
    assert verdict(*findings).to_dict()["reasons"] == reasons


@pytest.mark.parametrize(
    ("accepted", "success"),
    [(DENY, True), (f"{DENY} Namespace/b", True), (f"{DENY} Namespace/c", False), ("network.flows", False)],
)
def test_unknown_is_accepted_only_by_name(accepted: str, success: bool) -> None:
    judged = verdict(finding("pass"), finding("unknown", "Namespace/b"), accept_unknown=[accepted])
    assert judged.success is success
    assert [each.get("accepted", False) for each in judged.findings_told()] == [False, success, False]


def test_accepting_what_nobody_found_fails() -> None:
    judged = verdict(finding("pass"), accept_unknown=[f"{DENY} Namespace/b"])
    assert (judged.reasons, judged.findings[-1].subject) == (("1 finding fails",), f"Accepted/{DENY} Namespace/b")


def test_accepting_unknown_never_accepts_a_failure() -> None:
    assert not verdict(finding("pass"), finding("fail", "Namespace/b"), accept_unknown=[DENY]).success


def test_accepting_everything_that_is_unknown_evaluates_nothing() -> None:
    assert verdict(finding("unknown"), accept_unknown=[DENY]).reasons == ("no control was evaluated",)


def test_a_part_of_the_run_that_failed_is_a_failure() -> None:
    judged = verdict(finding("pass"), errors=["pod_security: no"])
    assert judged.reasons == ("1 part of the run failed",)


@pytest.mark.parametrize(
    ("parts", "findings", "errors", "silent"),
    [
        (["network_policies"], [finding("pass")], [], []),
        (["network_policies"], [finding("unknown")], [], []),
        (["network_policies", "pod_security"], [finding("pass")], [], ["pod_security"]),
        (["pod_security"], [finding("fail", control="policy.namespaces")], [], ["pod_security"]),
        (["pod_security"], [finding("pass")], ["pod_security: refused"], []),
        (["pod_security"], [finding("pass")], ["network_policies: refused"], ["pod_security"]),
    ],
)
def test_a_part_of_the_policy_that_reached_nothing_is_a_failure(
    parts: list[str], findings: list[Finding], errors: list[str], silent: list[str]
) -> None:
    judged = verdict(*findings, parts=parts, errors=errors)
    assert [error.partition(":")[0] for error in judged.errors[len(errors) :]] == silent
    assert not (silent and judged.success)


def test_waivers_are_findings_themselves() -> None:
    said = {"control": DENY, "subject": "Namespace/a", "reason": "r", "owner": "o", "expires": "2026-11-22"}
    good = verdict(finding("fail"), waivers=[waiver_from_dict(said)])
    stale = verdict(finding("pass", "Namespace/b"), waivers=[waiver_from_dict(said)])
    assert (good.success, [each.status for each in good.findings]) == (True, ["waived", "pass"])
    assert (stale.success, [each.status for each in stale.findings]) == (False, ["pass", "fail"])


@pytest.mark.parametrize(
    ("now", "after", "success", "would"),
    [
        ("fail", "pass", False, True),
        ("pass", None, True, True),
        ("fail", None, False, False),
        ("pass", "fail", True, False),
        ("unknown", "pass", False, True),
        ("pass", "unknown", True, False),
    ],
)
def test_check_mode_tells_the_verdict_expected_after(
    now: Status, after: Status | None, success: bool, would: bool
) -> None:
    judged = verdict(finding(now, would=after), check_mode=True)
    assert (judged.success, not judged.would) == (success, would)
    assert judged.to_dict()["would"]["success"] is would


def test_check_mode_accepts_an_expected_unknown_by_name() -> None:
    judged = verdict(finding("pass"), finding("pass", "b", would="unknown"), check_mode=True, accept_unknown=[DENY])
    assert judged.would == ()


def told(**more: Any) -> dict[str, Any]:
    return {**finding("pass").to_dict(), **more}


def test_findings_come_back_from_plain_data() -> None:
    assert findings_told_by([told(), told(would="fail")]) == [finding("pass"), finding("pass", would="fail")]


def test_a_pass_on_weak_proof_is_unknown_whoever_says_it() -> None:
    (judged,) = findings_told_by([told(proof="config")])
    assert judged.status == "unknown"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"status": "ok"}, "the status 'ok'; allowed: pass, fail, waived"),
        ({"control": "magic"}, "the control 'magic'"),
        ({"proof": "faith"}, "the proof 'faith'"),
        ({"would": "maybe"}, "the expected status 'maybe'"),
        ({"colour": "red"}, "This is not a finding"),
    ],
)
def test_what_is_no_finding_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(HardeningError, match=message):
        findings_told_by([told(**wrong)])


def test_what_a_finding_lacks_is_named() -> None:
    with pytest.raises(
        HardeningError, match=r"^This is not a finding: \{'status': 'pass'\} lacks control, subject, ev"
    ):
        findings_told_by([{"status": "pass"}])


def test_a_limited_run_judges_no_waiver_that_may_be_about_others() -> None:
    elsewhere = Waiver("network.flows", "Namespace/elsewhere", False, "r", "ops", TODAY - datetime.timedelta(days=1))
    here = Waiver(FAIL.control, FAIL.subject, False, "r", "ops", TODAY)
    whole = judge([PASS, FAIL], [elsewhere, here], ["network.flows"], today=TODAY)
    assert [each.status for each in whole.findings if each.control == "policy.waivers"] == ["fail", "pass", "fail"]
    part = judge([PASS, FAIL], [elsewhere, here], ["network.flows"], today=TODAY, limited=True)
    assert part.success
    assert [each.subject for each in part.findings if each.control == "policy.waivers"] == [str(here)]


def test_a_limited_run_judges_a_waiver_of_its_own_that_has_expired() -> None:
    late = Waiver(FAIL.control, FAIL.subject, False, "r", "ops", TODAY - datetime.timedelta(days=1))
    assert judge([PASS, FAIL], [late], today=TODAY, limited=True).reasons == ("2 findings fail",)
