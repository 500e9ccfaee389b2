# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from tests.testbed import limits
from tests.testbed.engine import Engine
from tests.testbed.errors import SetupError

OWN, OTHER = Engine("unix:///own", own=True), Engine(None, own=False)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that allows 128 instances, with 100 in use."""
    monkeypatch.setattr(limits, "INSTANCES", tmp_path / "limit")
    monkeypatch.setattr(limits, "PROCESSES", tmp_path / "proc")
    limits.INSTANCES.write_text("128\n")
    for process, count in (("1", 60), ("20", 40)):
        folder = tmp_path / "proc" / process / "fd"
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / str(number)).symlink_to(limits.INOTIFY)
        (folder / "log").symlink_to("/dev/null")
    (tmp_path / "proc" / "30").mkdir()


def test_instances_in_use_are_counted_over_all_processes() -> None:
    assert limits.instances_in_use(limits.PROCESSES) == 100


def test_too_few_for_a_node_in_somebody_elses_engine_are_told_with_the_remedy() -> None:
    with pytest.raises(SetupError, match=r"allows 128 .* 100 are in use.*sysctl -w fs\.inotify"):
        limits.ensure_instances(OTHER, 1)
    assert limits.INSTANCES.read_text() == "128\n"


def test_enough_for_these_nodes_are_left_as_they_are() -> None:
    limits.INSTANCES.write_text("160")
    limits.ensure_instances(OTHER, 2)
    with pytest.raises(SetupError):
        limits.ensure_instances(OTHER, 3)
    assert limits.INSTANCES.read_text() == "160"


def test_the_limit_is_raised_where_the_engine_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    limits.ensure_instances(OWN, 3)
    assert limits.INSTANCES.read_text() == str(limits.ENOUGH)
    assert "from 128 to 1024" in capsys.readouterr().err
    limits.ensure_instances(OWN, 3)
    assert capsys.readouterr().err == ""


def test_a_machine_without_the_limit_is_asked_nothing() -> None:
    limits.INSTANCES.unlink()
    limits.ensure_instances(OTHER, 3)
    assert not limits.INSTANCES.exists()
