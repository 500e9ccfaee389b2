# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A verdict that people can read, however many findings there are."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._table import WIDTH, Line, table
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import judge
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import waiver_from_dict


def finding(control: str, subject: str, status: Status, **more: Any) -> Finding:
    said: dict[str, Any] = {"evidence": "seen", "proof": "effect", "remedy": "", **more}
    return Finding(control, subject, status, **said)


def lines(*findings: Finding, report: str = "", **more: Any) -> list[Line]:
    return table(judge(findings, today=datetime.date(2026, 11, 22), **more), report)


def text(told: list[Line]) -> str:
    return "\n".join(line.text for line in told)


def test_a_small_verdict_line_by_line() -> None:
    told = lines(
        finding("pod_security.enforced", "Namespace/shop", "pass"),
        finding(
            "pod_security.running_comply",
            "Pod/legacy/agent",
            "fail",
            evidence="would be refused at baseline: hostPath volumes",
            proof="server",
            remedy="Delete the pod.",
        ),
        finding("network.default_deny", "Namespace/shop", "unknown", evidence="no probe", proof="config"),
        report="hardening-report.json",
    )
    assert text(told) == (
        "\n"
        "control                         pass     fail   waived  unknown      n/a  proof\n"
        "pod_security.enforced              1        -        -        -        -  effect\n"
        "pod_security.running_comply        -        1        -        -        -  server\n"
        "network.default_deny               -        -        -        1        -  config\n"
        "\n"
        "FAIL  pod_security.running_comply  Pod/legacy/agent\n"
        "  seen    would be refused at baseline: hostPath volumes\n"
        "  remedy  Delete the pod.\n"
        "\n"
        "UNKNOWN  network.default_deny  Namespace/shop\n"
        "  seen    no probe\n"
        "\n"
        "report: hardening-report.json\n"
        "verdict: FAILURE, 1 finding fails, 1 finding is unknown"
    )
    assert [line.tone for line in told if line.tone != "plain"] == ["good", "bad", "doubt", "bad", "doubt", "bad"]


def test_success_ends_in_one_line() -> None:
    told = lines(finding("pod_security.enforced", "Namespace/shop", "pass"))
    assert told[-1] == Line("verdict: SUCCESS", "good")
    assert len(told) == 5


def test_a_thousand_findings_stay_readable() -> None:
    passes = [finding("pod_security.enforced", f"Namespace/n{at}", "pass") for at in range(1000)]
    fails = [finding("pod_security.running_comply", f"Pod/n{at}/{'p' * 60}", "fail", remedy="x") for at in range(1000)]
    told = lines(*passes, *fails)
    assert len(told) < 20
    assert "and 995 more" in text(told)


def test_a_thousand_different_failures_are_cut_with_a_count() -> None:
    told = lines(*(finding("network.default_deny", f"Pod/{at}", "fail", evidence=f"e{at}") for at in range(1000)))
    assert len(told) < 140
    assert "and 960 more, 960 findings: the report has them all" in text(told)


def test_nothing_is_wider_than_a_terminal() -> None:
    long = "words and words " * 40
    told = lines(
        *(finding("network.default_deny", f"Pod/{at}", "fail", evidence=long, remedy=long) for at in range(9)),
        errors=[long],
        check_mode=True,
    )
    assert max(len(line.text) for line in told) <= WIDTH


def test_long_evidence_is_cut_and_says_where_the_rest_is() -> None:
    told = lines(finding("network.default_deny", "Pod/a", "fail", evidence="words and words " * 200))
    assert len(told) < 16
    assert any(line.text.endswith("... (the report has all of it)") for line in told)


def test_evidence_cannot_move_the_cursor() -> None:
    told = lines(finding("network.default_deny", "Pod/a\x1b[2J", "fail", evidence="a\r\nb\x07", remedy="\x9b1m"))
    assert all(line.text.isprintable() for line in told)


def test_proofs_are_counted_strongest_first() -> None:
    told = lines(
        finding("network.default_deny", "a", "unknown", proof="config"),
        finding("network.default_deny", "b", "pass"),
        finding("network.default_deny", "c", "not_applicable", proof="server"),
    )
    assert told[2].text.endswith("effect 1, config 1")


def test_what_is_accepted_and_what_is_waived_is_shown_as_such() -> None:
    said = {"control": "network.flows", "subject": "Pod/a", "reason": "r", "owner": "o", "expires": "2027-01-01"}
    told = text(
        lines(
            finding("network.default_deny", "Namespace/a", "unknown"),
            finding("network.flows", "Pod/a", "fail", remedy="do this"),
            waivers=[waiver_from_dict(said)],
            accept_unknown=["network.default_deny"],
        )
    )
    assert "ACCEPTED  network.default_deny  Namespace/a" in told
    assert "WAIVED  network.flows  Pod/a\n  seen    seen; waived until 2027-01-01 by o: r" in told
    assert "do this" not in told


def test_parts_that_failed_are_shown() -> None:
    told = lines(finding("network.default_deny", "Namespace/a", "pass"), errors=["pod_security: the server is gone"])
    assert Line("FAILED  pod_security: the server is gone", "bad") in told


def test_check_mode_shows_what_would_turn_and_both_verdicts() -> None:
    told = [
        line.text
        for line in lines(
            finding("network.default_deny", "Namespace/a", "fail", would="pass"),
            finding("network.default_deny", "Namespace/b", "fail", would="pass"),
            check_mode=True,
        )
    ]
    assert "would turn network.default_deny from fail to pass for 2" in told
    assert told[-2:] == [
        "verdict: FAILURE, 2 findings fail",
        "check mode changed nothing; the verdict after a run would be: SUCCESS",
    ]
