# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a node: one run at a time, also when two take it at the same moment, and a dead one's expires."""

from __future__ import annotations

import fcntl
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.module_utils._node.node import SOURCE, Node, file, told, until


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def _lock(node: Node) -> dict[str, Any]:
    lock: dict[str, Any] = json.loads((node.state / "lock").read_text(encoding="utf-8"))
    return lock


def test_the_lock_names_run_holder_and_expiry_and_nobody_else_can_read_it(node: Node) -> None:
    before = time.time()
    took = node.call("take", run="one", holder="ci@host", seconds=60)
    assert took["before"] is None
    assert _lock(node) == {key: took[key] for key in ("run", "holder", "since", "expires")}
    assert before <= took["since"] <= time.time()
    assert took["expires"] == pytest.approx(took["since"] + 60)
    assert [oct(path.stat().st_mode & 0o777) for path in (node.state, node.state / "lock")] == ["0o700", "0o600"]


def test_a_second_run_is_told_who_is_at_work_since_when_and_until_when(node: Node) -> None:
    node.call("take", run="one", holder="ci@host", seconds=60)
    refused = node.refused("take", run="two", holder="me", seconds=60)
    assert refused["kind"] == "locked"
    assert "ci@host (run one)" in refused["told"]
    assert refused["told"].count(" UTC") == 2
    assert _lock(node)["run"] == "one"


def test_the_same_run_may_take_it_again(node: Node) -> None:
    first = node.call("take", run="one", holder="me", seconds=60)
    second = node.call("take", run="one", holder="me", seconds=600)
    assert second["since"] == first["since"]
    assert second["expires"] > first["expires"]
    assert second["before"] is None


def test_an_expired_lock_goes_to_whoever_takes_it_and_is_named(node: Node) -> None:
    node.call("take", run="one", holder="ci@host", seconds=0)
    took = node.call("take", run="two", holder="me", seconds=60)
    assert took["before"]["run"] == "one" and took["before"]["holder"] == "ci@host"
    assert node.refused("keep", run="one", seconds=60)["kind"] == "not_ours"
    assert node.refused("write", run="one", files=[])["kind"] == "not_ours"


def test_the_lock_of_a_run_that_is_known_to_be_dead_is_taken_and_no_other(node: Node) -> None:
    node.call("take", run="one", holder="ci@host", seconds=60)
    assert node.refused("take", run="two", holder="me", seconds=60, instead_of="another")["kind"] == "locked"
    assert node.call("take", run="two", holder="me", seconds=60, instead_of="one")["before"]["run"] == "one"


def test_keep_prolongs_also_an_expired_lock_that_nobody_took(node: Node) -> None:
    node.call("take", run="one", holder="me", seconds=0)
    assert node.refused("write", run="one", files=[])["kind"] == "not_ours"
    kept = node.call("keep", run="one", seconds=60)
    assert kept["expires"] > time.time() + 50
    assert node.call("write", run="one", files=[]) == []


def test_a_run_that_slept_while_another_came_and_went_writes_nothing(node: Node) -> None:
    """As after SIGSTOP: its lock is not even another's any more, it is gone."""
    node.call("take", run="one", holder="me", seconds=0)
    node.call("take", run="two", holder="you", seconds=60)
    assert node.call("release", run="two") is True
    target = node.folder / "kubernetes" / "file"
    for operation, arguments in (
        ("keep", {"seconds": 60}),
        ("write", {"files": [file(target, b"late")]}),
        ("sweep", {}),
    ):
        assert node.refused(operation, run="one", **arguments)["kind"] == "not_ours"
    assert not target.exists()


def test_release_frees_only_its_own(node: Node) -> None:
    assert node.call("release", run="one") is False
    node.call("take", run="one", holder="me", seconds=60)
    assert node.call("release", run="two") is False
    assert node.call("release", run="one") is True
    assert sorted(path.name for path in node.state.iterdir()) == ["lock.flock"]


def test_a_lock_that_cannot_be_read_counts_as_taken(node: Node) -> None:
    node.call("take", run="one", holder="me", seconds=60)
    (node.state / "lock").write_bytes(b"{")
    refused = node.refused("take", run="two", holder="me", seconds=60)
    assert refused["kind"] == "locked" and str(node.state / "lock") in refused["told"]


def test_of_many_that_take_it_at_the_same_moment_one_gets_it(node: Node) -> None:
    state = str(node.state)
    processes = [
        node.start(("take", {"run": f"run-{number}", "holder": "me", "seconds": 60, "state": state}))
        for number in range(8)
    ]
    answers = [told(process)[0] for process in processes]
    [winner] = [answer["result"] for answer in answers if "result" in answer]
    assert {answer["refused"]["kind"] for answer in answers if "refused" in answer} == {"locked"}
    assert _lock(node)["run"] == winner["run"]


def test_one_who_removes_the_flock_file_lets_nobody_in_beside_another(node: Node) -> None:
    node.call("take", run="one", holder="me", seconds=60)
    flock = node.state / "lock.flock"
    with flock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = node.start(("keep", {"run": "one", "seconds": 60, "state": str(node.state)}))
        time.sleep(0.7)
        assert waiting.poll() is None
        # Who waits now waits for a file that is no longer there.
        flock.unlink()
        flock.touch()
        with flock.open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            fcntl.flock(held, fcntl.LOCK_UN)
            time.sleep(0.7)
            assert waiting.poll() is None
    assert "result" in told(waiting)[0]


def test_who_waits_too_long_for_a_hung_program_is_told_so(node: Node) -> None:
    node.call("take", run="one", holder="me", seconds=60)
    impatient = SOURCE.replace("_SECONDS_FOR_THE_FLOCK = 20.0", "_SECONDS_FOR_THE_FLOCK = 0.3")
    with (node.state / "lock.flock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        [answer] = node.answers(("keep", {"run": "one", "seconds": 60, "state": str(node.state)}), source=impatient)
    assert answer["refused"]["kind"] == "busy"


def test_a_killed_program_leaves_nobody_waiting(node: Node) -> None:
    node.call("take", run="one", holder="me", seconds=60)
    has_it = node.folder / "has-it"
    hang = f"\ndef hang(state):\n    with _alone(state):\n        open({str(has_it)!r}, 'w').close()\n"
    hang += "        time.sleep(60)\nOPERATIONS['hang'] = hang\n"
    hanging = node.start(("hang", {"state": str(node.state)}), source=SOURCE + hang)
    until(has_it.exists)
    waiting = node.start(("keep", {"run": "one", "seconds": 60, "state": str(node.state)}))
    time.sleep(0.5)
    assert waiting.poll() is None
    hanging.send_signal(signal.SIGKILL)
    assert "result" in told(waiting)[0]
    hanging.communicate()
