# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A verdict as JUnit XML, read back by a parser that knows nothing of how it was written."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._junit import JUNIT_BEGINNING, junit
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import Verdict, judge
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import Waiver

TODAY = datetime.date(2026, 11, 22)
PASS = Finding("network.default_deny", "Namespace/shop", "pass", "closed", "effect")
FAIL = Finding("network.default_deny", "Namespace/web", "fail", "open", "effect", "Close it.")
UNKNOWN = Finding("pod_security.enforced", "Namespace/web", "unknown", "403", "none", "Give the permission.")
NOTHING = Finding("pod_security.enforced", "Namespace/lab", "not_applicable", "privileged admits all", "config")


def told(verdict: Verdict) -> ElementTree.Element:
    text = junit(verdict, "shop", "2026-11-22T10:00:00+00:00")
    assert text.startswith(JUNIT_BEGINNING)
    return ElementTree.fromstring(text.encode())


def verdict_of(*findings: Finding, waivers: Sequence[Waiver] = (), accept: Sequence[str] = ()) -> Verdict:
    return judge(findings, waivers, accept, today=TODAY)


def case(root: ElementTree.Element, control: str, subject: str) -> ElementTree.Element:
    (found,) = [
        each for each in root.iter("testcase") if (each.get("classname"), each.get("name")) == (control, subject)
    ]
    return found


def test_a_testsuite_for_each_control_and_a_testcase_for_each_finding() -> None:
    root = told(verdict_of(PASS, FAIL, UNKNOWN, NOTHING))
    assert [suite.get("name") for suite in root] == ["pod_security.enforced", "network.default_deny"]
    assert root.attrib == {
        "name": "hardening.kubernetes: shop",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    network = root[1]
    assert [network.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["2", "1", "0", "0"]
    assert network.get("timestamp") == "2026-11-22T10:00:00+00:00"


@pytest.mark.parametrize(
    ("finding", "outcome", "message"),
    [(FAIL, "failure", "open"), (UNKNOWN, "error", "403"), (NOTHING, "skipped", "privileged admits all")],
)
def test_what_did_not_pass_says_why_and_what_to_do(finding: Finding, outcome: str, message: str) -> None:
    (element,) = case(told(verdict_of(PASS, finding)), finding.control, finding.subject)
    assert (element.tag, element.get("message")) == (outcome, message)
    assert f"seen: {finding.evidence}\nproof: {finding.proof}" in (element.text or "")
    assert (f"remedy: {finding.remedy}" in (element.text or "")) is bool(finding.remedy)


def test_what_passed_says_how_it_is_known() -> None:
    (element,) = case(told(verdict_of(PASS)), PASS.control, PASS.subject)
    assert (element.tag, element.text) == ("system-out", "seen: closed\nproof: effect")


def test_what_is_waived_or_accepted_is_skipped_with_the_reason() -> None:
    waiver = Waiver(FAIL.control, FAIL.subject, False, "moves next month", "ops", TODAY)
    root = told(verdict_of(PASS, FAIL, UNKNOWN, waivers=[waiver], accept=["pod_security.enforced Namespace/web"]))
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "0", "2")
    (waived,) = case(root, FAIL.control, FAIL.subject)
    assert waived.get("message") == "open; waived until 2026-11-22 by ops: moves next month"
    (accepted,) = case(root, UNKNOWN.control, UNKNOWN.subject)
    assert (accepted.tag, accepted.get("message")) == ("skipped", "accepted as unknown by the policy: 403")


def test_a_part_that_failed_is_an_error_of_the_run() -> None:
    root = told(judge([PASS], errors=["network_policies: the server left: at once"], today=TODAY))
    (element,) = case(root, "run", "network_policies")
    assert (element.tag, element.get("message")) == ("error", "the server left: at once")


def test_two_findings_of_one_name_stay_two() -> None:
    other = Finding(FAIL.control, FAIL.subject, "fail", "also open", "effect")
    root = told(verdict_of(FAIL, other))
    assert [each.get("name") for each in root.iter("testcase")] == ["Namespace/web", "Namespace/web (2)"]


@pytest.mark.parametrize(
    "verdict",
    [
        verdict_of(),
        verdict_of(PASS),
        verdict_of(NOTHING),
        verdict_of(PASS, FAIL),
        verdict_of(PASS, UNKNOWN),
        verdict_of(PASS, UNKNOWN, accept=[UNKNOWN.control]),
        verdict_of(PASS, accept=[UNKNOWN.control]),
        judge([PASS], errors=["failed"], today=TODAY),
        judge([PASS], today=TODAY, parts=["pod_security"]),
    ],
    ids=lambda verdict: ", ".join(verdict.reasons) or "success",
)
def test_a_ci_server_comes_to_the_same_verdict(verdict: Verdict) -> None:
    root = told(verdict)
    wrong = int(root.get("failures", "")) + int(root.get("errors", ""))
    assert (wrong == 0) is verdict.success


def test_any_text_makes_a_file_that_a_parser_reads() -> None:
    odd = "".join(
        map(chr, [*range(0x250), 0x2028, 0xD7FF, *range(0xD800, 0xE000, 64), 0xE000, *range(0xFFF0, 0x10002)])
    )
    finding = Finding(FAIL.control, f"Pod/{odd}", "fail", f"]]> <b>&amp; {odd}", "effect", f'"{odd}')
    root = ElementTree.fromstring(junit(verdict_of(finding), odd).encode())
    (element,) = root.iter("failure")
    assert "\\u0000\\u0001" in (element.get("message") or "")
    assert "\\u001b" in (element.text or "") and "\\ud800" in (element.text or "") and "\\ufffe" in (element.text or "")
    assert "]]> <b>&amp; " in (element.text or "")
    assert "\U00010001" in (element.text or "")


def test_what_the_run_is_limited_to_stands_in_every_testsuite() -> None:
    root = ElementTree.fromstring(junit(verdict_of(PASS, UNKNOWN), properties={"only": "shop, team-*"}).encode())
    told_of = [{each.get("name"): each.get("value") for each in suite.iter("property")} for suite in root]
    assert [each["only"] for each in told_of] == ["shop, team-*"] * 2
    assert all(each["promise"] for each in told_of)
