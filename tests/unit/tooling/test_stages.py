# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tooling import stages
from tests.tooling.collection import CHECKOUT
from tests.tooling.stages import Stage, Tally, by_junit, by_status

REPORT = """\
<testsuites><testsuite>
  <testcase name="a"/>
  <testcase name="b"><system-out>much</system-out></testcase>
  <testcase name="c"><failure message="no"/></testcase>
  <testcase name="d"><error message="no"/></testcase>
  <testcase name="e"><skipped/></testcase>
</testsuite></testsuites>
"""


def test_a_command_counts_as_one_test(tmp_path: Path) -> None:
    assert by_status(0, tmp_path) == Tally(passed=1)
    assert by_status(2, tmp_path) == Tally(failed=1)


def test_the_cases_of_all_reports_are_counted(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text(REPORT)
    (tmp_path / "two.xml").write_text("<testsuite><testcase name='f'/></testsuite>")
    assert by_junit(1, tmp_path) == Tally(passed=3, failed=2, skipped=1)


@pytest.mark.parametrize("status", [0, 1])
def test_a_stage_in_which_nothing_ran_has_failed(status: int, tmp_path: Path) -> None:
    assert by_junit(status, tmp_path) == Tally(failed=1)


def test_a_failure_outside_of_all_cases_is_counted(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text("<testsuite><testcase name='f'/></testsuite>")
    assert by_junit(3, tmp_path) == Tally(passed=1, failed=1)


def test_every_stage_runs_and_the_last_line_counts_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stages, "RESULTS", tmp_path)
    monkeypatch.setattr(stages, "GROUPS", {"some": (Stage("no", ["false"]), Stage("yes", ["true"]))})
    assert stages.main(["some"]) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"


def test_joined_groups_run_at_once_and_each_is_told_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def waits_for(other: str, name: str) -> list[str]:
        """Ends badly unless the other has begun meanwhile."""
        script = (
            f"touch {tmp_path}/{name}; for i in $(seq 300); do test -e {tmp_path}/{other} && break; sleep 0.1; done"
        )
        return ["sh", "-c", f"echo {name}; {script}; test -e {tmp_path}/{other} || exit 1; echo end of {name} >&2"]

    monkeypatch.setattr(stages, "RESULTS", tmp_path / "results")
    groups = {
        "one": (Stage("a", waits_for("d", "b")),),
        "two": (Stage("c", waits_for("b", "d")), Stage("e", ["false"])),
    }
    monkeypatch.setattr(stages, "GROUPS", groups)
    assert stages.main(["one+two"]) == 1
    told = capfd.readouterr()
    lines = [each for each in told.out.splitlines() if each]
    assert lines[:6] == ["── a", "b", "── c", "d", "end of d", "── e"]
    assert told.err == "end of b\n" and lines[-1] == "2 passed, 1 failed"


def test_the_makefile_names_every_group() -> None:
    (line,) = re.findall(r"^test: .*\n\t@\$\(STAGES\) (.*)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(re.split(r"[ +]", line)) == sorted(stages.GROUPS)
