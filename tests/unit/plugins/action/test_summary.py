# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict as a task: shown, written, and failed by."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import summary

from .conftest import Perform

GOOD = {
    "control": "network.default_deny",
    "subject": "Namespace/shop",
    "status": "pass",
    "evidence": "closed",
    "proof": "effect",
    "remedy": "",
}
BAD = {**GOOD, "subject": "Namespace/web", "status": "fail", "evidence": "open", "would": "pass"}


def test_success(perform: Perform, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    told = perform(summary, findings=[GOOD], report=str(report), about={"policy": "shop"})
    assert told.get("failed", False) is False
    assert (told["changed"], told["verdict"]["success"]) == (False, True)
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["about"] == {"policy": "shop"}
    assert written["findings"] == [GOOD]
    assert written["verdict"] == told["verdict"]
    assert report.stat().st_mode & 0o077 == 0
    assert "verdict: SUCCESS" in capsys.readouterr().out


def test_failure_fails_the_task_after_the_report_is_written(perform: Perform, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    told = perform(summary, findings=[GOOD, BAD], report=str(report))
    assert (told["failed"], told["msg"]) == (True, "The verdict is failure: 1 finding fails.")
    assert json.loads(report.read_text(encoding="utf-8"))["verdict"]["success"] is False


def test_check_mode_tells_and_does_not_fail(perform: Perform, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    told = perform(summary, check_mode=True, findings=[BAD], report=str(report))
    assert told.get("failed", False) is False
    assert (told["verdict"]["success"], told["verdict"]["would"]["success"]) == (False, True)
    assert json.loads(report.read_text(encoding="utf-8"))["check_mode"] is True


def test_nothing_seen_is_a_failure(perform: Perform) -> None:
    assert perform(summary, findings=[])["msg"] == "The verdict is failure: no control was evaluated."


def test_a_report_replaces_the_one_before_and_leaves_nothing_else(perform: Perform, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old", encoding="utf-8")
    perform(summary, findings=[GOOD], report=str(report))
    assert list(tmp_path.iterdir()) == [report]
    assert json.loads(report.read_text(encoding="utf-8"))["report_version"] == 1


def test_a_part_of_the_run_that_failed_fails_in_check_mode_too(perform: Perform) -> None:
    told = perform(summary, check_mode=True, findings=[GOOD], errors=["pod_security: refused"])
    assert (told["failed"], told["msg"]) == (True, "The verdict is failure: 1 part of the run failed.")


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_part_that_nothing_was_seen_of_fails(perform: Perform, check_mode: bool) -> None:
    told = perform(summary, check_mode=check_mode, findings=[GOOD], parts=["pod_security", "network_policies"])
    assert (told["failed"], told["verdict"]["reasons"]) == (True, ["1 part of the run failed"])


@pytest.mark.parametrize(
    ("finding", "begins"), [(GOOD, "The report"), (BAD, "The verdict is failure: 1 finding fails. The")]
)
def test_a_report_that_cannot_be_written_hides_no_verdict(
    perform: Perform, capsys: pytest.CaptureFixture[str], finding: dict[str, Any], begins: str
) -> None:
    told = perform(summary, findings=[finding], report="/nowhere/report.json")
    assert told["failed"] is True
    assert told["msg"].startswith(begins)
    assert "cannot be written to /nowhere/report.json: No such file" in told["msg"]
    assert told["verdict"]["success"] is (finding is GOOD)
    assert "network.default_deny" in capsys.readouterr().out


def test_a_report_holds_what_json_has_no_word_for(perform: Perform, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    perform(summary, findings=[GOOD], report=str(report), about={"day": datetime.date(2027, 3, 1), "odd": "\udc80"})
    about = json.loads(report.read_text(encoding="utf-8"))["about"]
    assert about["day"] == "2027-03-01"
    assert list(tmp_path.iterdir()) == [report]


@pytest.mark.parametrize("before", [None, "", "report"])
def test_a_run_begins_without_an_earlier_report(perform: Perform, tmp_path: Path, before: str | None) -> None:
    report = tmp_path / "report.json"
    if before == "report":
        perform(summary, findings=[GOOD], report=str(report))
    elif before is not None:
        report.write_text(before, encoding="utf-8")
    assert perform(summary, state="begun", report=str(report)) == {"changed": False}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("policy.yml", "policy.yml is there and is no report: name another file"),
        ("folder", "folder is there and is no report: name another file"),
        ("absent/report.json", "The report cannot be written to {here}/absent/report.json: No such file"),
        ("policy.yml/report.json", "The report cannot be written to {here}/policy.yml/report.json: Not a directory"),
    ],
)
def test_a_run_that_could_write_no_report_does_not_begin(
    perform: Perform, tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "policy.yml").write_text("name: shop\n", encoding="utf-8")
    result = perform(summary, state="begun", report=str(tmp_path / name))
    assert result["failed"] is True
    assert told.format(here=tmp_path) in result["msg"]
    assert (tmp_path / "policy.yml").read_text(encoding="utf-8") == "name: shop\n"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"report": "/proc"}, "The report cannot be written to /proc"),
        ({"findings": [{"control": "x"}]}, "This is not a finding"),
        ({"waivers": [{"control": "network.flows"}]}, "A waiver lacks reason, owner, expires, subject or subject_glob"),
    ],
)
def test_bad_input_is_one_sentence(perform: Perform, more: dict[str, Any], told: str) -> None:
    result = perform(summary, **{"findings": [GOOD], **more})
    assert result["failed"] is True
    assert result["msg"].startswith(told)


def test_both_reports_are_written_whole(perform: Perform, tmp_path: Path) -> None:
    report, junit = tmp_path / "report.json", tmp_path / "report.xml"
    files = {"report": str(report), "junit": str(junit)}
    perform(summary, findings=[GOOD, {**BAD, "evidence": "\x1b[2J\x00open"}], about={"policy": "shop"}, **files)
    assert sorted(tmp_path.iterdir()) == [report, junit]
    assert junit.stat().st_mode & 0o077 == 0
    root = ElementTree.parse(junit).getroot()
    assert (root.get("name"), root.get("tests"), root.get("failures")) == ("hardening.kubernetes: shop", "2", "1")
    assert perform(summary, state="begun", **files) == {"changed": False}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("state", ["begun", "judged"])
def test_one_file_cannot_be_both_reports(perform: Perform, tmp_path: Path, state: str) -> None:
    file = str(tmp_path / "report")
    told = perform(summary, state=state, findings=[GOOD], report=file, junit=f"{tmp_path}/./report")
    assert told["msg"] == f"report and junit both name {file}: give each a file of its own."
    assert list(tmp_path.iterdir()) == []


def test_a_junit_report_that_cannot_be_written_hides_no_other(perform: Perform, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    told = perform(summary, findings=[GOOD], report=str(report), junit="/nowhere/report.xml")
    assert told["failed"] is True
    assert told["msg"] == (
        "The JUnit report cannot be written to /nowhere/report.xml: No such file or directory. "
        "Name another file with `-e junit=FILE`."
    )
    assert report.exists()


def test_a_file_that_is_no_junit_report_is_left_alone(perform: Perform, tmp_path: Path) -> None:
    file = tmp_path / "pom.xml"
    file.write_text("<project/>", encoding="utf-8")
    told = perform(summary, state="begun", junit=str(file))
    assert told["msg"] == f"{file} is there and is no JUnit report: name another file with `-e junit=FILE`."
    assert file.read_text(encoding="utf-8") == "<project/>"


def test_a_limited_run_says_so(perform: Perform, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    perform(summary, findings=[GOOD], report=str(report), only=["shop", "team-*"])
    told = "limited to shop, team-*: nothing else was touched or judged"
    assert told in capsys.readouterr().out
    scope = json.loads(report.read_text(encoding="utf-8"))["scope"]
    assert scope == {"only": ["shop", "team-*"], "canary": [], "stopped_at_canary": False}


def test_a_canary_in_order_is_one_line_and_no_report(
    perform: Perform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = perform(summary, findings=[GOOD], report=str(tmp_path / "report.json"), canary=["shop"], stage="canary")
    assert told.get("failed", False) is False
    assert list(tmp_path.iterdir()) == []
    out = capsys.readouterr().out
    assert "canary shop: 1 findings pass, nothing speaks against going on with the rest" in out
    assert "verdict" not in out


@pytest.mark.parametrize("bad", [BAD, {**GOOD, "status": "unknown", "proof": "none"}])
def test_a_canary_that_is_not_in_order_stops_the_run(perform: Perform, tmp_path: Path, bad: dict[str, Any]) -> None:
    report = tmp_path / "report.json"
    told = perform(summary, findings=[GOOD, bad], report=str(report), canary=["shop"], stage="canary")
    assert told["failed"] is True
    assert "It is that of the canary shop: the run stopped there, and no other namespace was touched." in told["msg"]
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["scope"]["stopped_at_canary"] is True
    assert len(written["findings"]) == 2
