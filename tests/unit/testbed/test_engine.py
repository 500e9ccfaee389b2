# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.testbed import engine, places, rootfs


def test_pid_file_counts_only_for_the_program_that_wrote_it(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text(str(os.getpid()))
    running = Path(f"/proc/{os.getpid()}/cmdline").read_bytes().split(b"\0")[0].decode()
    assert engine.process_of(file, Path(running).name) == os.getpid()
    assert engine.process_of(file, "dockerd") is None


@pytest.mark.parametrize("content", ["", "no number", "999999999"])
def test_unusable_pid_file_names_nobody(tmp_path: Path, content: str) -> None:
    file = tmp_path / "pid"
    file.write_text(content)
    assert engine.process_of(file, "dockerd") is None
    assert engine.process_of(tmp_path / "none", "dockerd") is None


def test_process_that_ended_and_was_not_waited_for_does_not_run() -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert not engine.is_running(ended.pid)
    assert engine.is_running(os.getpid())


def test_pid_files_of_the_dead_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "DAEMON_RUN", tmp_path)
    monkeypatch.setattr(places, "DAEMON_PID", tmp_path / "docker.pid")
    child = tmp_path / "exec" / "containerd" / "containerd.pid"
    child.parent.mkdir(parents=True)
    for file in (places.DAEMON_PID, child):
        file.write_text(str(os.getpid()))
    engine.forget_dead()
    assert not places.DAEMON_PID.exists()
    assert not child.exists()


def test_mount_points_with_spaces_are_read() -> None:
    line = "30 25 8:1 / /tmp/a\\040b/docker rw shared:1 - ext4 /dev/vda rw"
    assert rootfs.mount_points(f"{line}\n") == ["/tmp/a b/docker"]


def test_folder_without_mounts_is_discarded(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    rootfs.discard(folder)
    rootfs.discard(folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("host", "answering", "expected"),
    [
        (None, {None, "own"}, [False, True]),
        (None, {None}, [False]),
        (None, {"own"}, [True]),
        ("own", {None, "own"}, [True]),
        (None, set(), []),
    ],
)
def test_the_users_engine_is_used_before_ours_and_both_are_known(
    host: str | None, answering: set[str | None], expected: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch()
    own = f"unix://{socket}"
    monkeypatch.setattr(places, "DAEMON_SOCKET", socket)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if host:
        monkeypatch.setenv("DOCKER_HOST", own)
    monkeypatch.setattr(engine, "answers", lambda asked: ("own" if asked == own else asked) in answering)
    found = engine.running()
    assert [each.own for each in found] == expected
    assert engine.find() == (found[0] if found else None)
