# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict as a task: shown, written, and failed by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"report": "/nowhere/report.json"}, "The report cannot be written to /nowhere/report.json: No such file"),
        ({"report": "/proc"}, "The report cannot be written to /proc"),
        ({"findings": [{"control": "x"}]}, "This is not a finding"),
        ({"waivers": [{"control": "network.flows"}]}, "A waiver lacks reason, owner, expires, subject or subject_glob"),
    ],
)
def test_bad_input_is_one_sentence(perform: Perform, more: dict[str, Any], told: str) -> None:
    result = perform(summary, **{"findings": [GOOD], **more})
    assert result["failed"] is True
    assert result["msg"].startswith(told)
