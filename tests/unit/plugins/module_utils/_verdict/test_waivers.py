# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waivers excuse exactly what they name, to the end of their day, and say when they excuse nothing."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import (
    Waiver,
    judge_accepted,
    judge_waivers,
    waive,
    waiver_from_dict,
)

DAY = datetime.date(2027, 3, 1)
CONTROL = "pod_security.running_comply"


def finding(subject: str = "Pod/shop/a", status: Status = "fail", would: Status | None = None) -> Finding:
    return Finding(CONTROL, subject, status, "hostPath", "server", "take it out", would)


def waiver(**more: Any) -> Waiver:
    said = {"control": CONTROL, "subject": "Pod/shop/a", "reason": "by design", "owner": "ops", "expires": "2027-03-01"}
    return waiver_from_dict({key: value for key, value in {**said, **more}.items() if value is not None})


def glob(pattern: str) -> Waiver:
    return waiver(subject=None, subject_glob=pattern)


@pytest.mark.parametrize(
    ("one", "matches"),
    [
        (waiver(), True),
        (waiver(subject="Pod/shop/*"), False),
        (waiver(subject="pod/shop/a"), False),
        (waiver(control="network.default_deny"), False),
        (glob("Pod/shop/*"), True),
        (glob("*/shop/?"), True),
        (glob("Pod/*/*"), True),
        (glob("Pod/*"), False),
        (glob("*"), False),
        (glob("Pod/sh*a"), False),
        (glob("Pod/shop/[ab]"), True),
        (glob("Pod/web/*"), False),
        (glob("pod/shop/*"), False),
    ],
)
def test_a_waiver_matches_exactly_or_by_a_declared_glob(one: Waiver, matches: bool) -> None:
    assert one.matches(finding()) is matches


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (DAY - datetime.timedelta(days=1), "waived"),
        (DAY, "waived"),
        (DAY + datetime.timedelta(days=1), "fail"),
    ],
)
def test_a_waiver_holds_to_the_end_of_its_day(today: datetime.date, status: str) -> None:
    (judged,) = waive([finding()], [waiver()], today)
    assert judged.status == status
    assert ("expired on 2027-03-01" in judged.evidence) is (status == "fail")


def test_a_waived_finding_says_who_answers_for_it() -> None:
    (judged,) = waive([finding()], [waiver()], DAY)
    assert judged.evidence == "hostPath; waived until 2027-03-01 by ops: by design"


@pytest.mark.parametrize("status", ["fail", "unknown"])
def test_what_counts_against_a_run_is_waived(status: Status) -> None:
    assert waive([finding(status=status)], [waiver()], DAY)[0].status == "waived"


@pytest.mark.parametrize("status", ["pass", "not_applicable"])
def test_what_does_not_count_is_left_alone(status: Status) -> None:
    assert waive([finding(status=status)], [waiver()], DAY) == [finding(status=status)]


def test_what_check_mode_expects_is_waived_too() -> None:
    (judged,) = waive([finding(status="pass", would="fail")], [waiver()], DAY)
    assert (judged.status, judged.would) == ("pass", "waived")


def test_a_waiver_in_date_goes_before_an_expired_one() -> None:
    assert waive([finding()], [waiver(expires="2020-01-01"), waiver()], DAY)[0].status == "waived"


@pytest.mark.parametrize(
    ("one", "findings", "complete", "status", "evidence"),
    [
        (waiver(), [finding()], True, "pass", "in date until 2027-03-01, waives 1"),
        (glob("Pod/*/a"), [finding(), finding("Pod/b/a")], True, "pass", "in date until 2027-03-01, waives 2"),
        (waiver(), [finding(status="pass")], True, "pass", "no longer needed, nothing fails: take it out"),
        (waiver(expires="2027-02-28"), [finding()], True, "fail", "expired on 2027-02-28 (owner ops)"),
        (waiver(expires="2027-02-28"), [], True, "fail", "expired on 2027-02-28 (owner ops)"),
        (waiver(), [], True, "fail", "matches no finding"),
        (waiver(), [finding("Pod/shop/aa")], True, "fail", "matches no finding; did you mean Pod/shop/aa?"),
        (waiver(), [], False, "unknown", "matches no finding, and a part of the run failed"),
    ],
)
def test_each_waiver_is_judged(
    one: Waiver, findings: list[Finding], complete: bool, status: str, evidence: str
) -> None:
    (judged,) = judge_waivers([one], findings, DAY, complete)
    assert (judged.control, judged.status, judged.evidence) == ("policy.waivers", status, evidence)
    assert judged.subject == f"Waiver/{one.control}/{one.subject}"


@pytest.mark.parametrize(
    ("entry", "findings", "complete", "status", "evidence"),
    [
        (CONTROL, [finding(status="unknown")], True, "pass", "accepts 1 unknown"),
        (f"{CONTROL} Pod/shop/a", [finding(status="unknown")], True, "pass", "accepts 1 unknown"),
        (CONTROL, [finding()], True, "pass", "no longer needed, nothing is unknown: take it out"),
        (f"{CONTROL} Pod/shop/b", [finding()], True, "fail", f"matches no finding; did you mean {CONTROL} Pod/shop/a?"),
        ("network.flows", [], True, "fail", "matches no finding"),
        ("network.flows", [finding()], False, "unknown", "matches no finding, and a part of the run failed"),
    ],
)
def test_each_unknown_that_is_accepted_is_judged(
    entry: str, findings: list[Finding], complete: bool, status: str, evidence: str
) -> None:
    (judged,) = judge_accepted([entry], findings, complete)
    assert (judged.control, judged.status, judged.evidence) == ("policy.waivers", status, evidence)
    assert judged.subject == f"Accepted/{entry}"


@pytest.mark.parametrize("key", ["control", "subject", "reason", "owner", "expires"])
def test_a_waiver_that_lacks_something_is_refused(key: str) -> None:
    with pytest.raises(HardeningError, match=rf"A waiver lacks {key}"):
        waiver(**{key: None})


def test_a_waiver_without_a_real_day_is_refused() -> None:
    with pytest.raises(HardeningError, match="which is no day"):
        waiver(expires="2027-02-30")
