# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to nodes: what becomes of connections that drop, hang, say nonsense or cannot be made."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes import _program, _reach
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._connect import Hosts
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused

PYTHON = " ".join([sys.executable, *_program.ARGUMENTS])

Outcome = Callable[[bytes], tuple[int, bytes, bytes]]


class Connection:
    """Runs what it is sent in a process of this machine, or does what a test makes of it."""

    become = None
    allow_executable = False
    _shell = None

    def __init__(self, outcome: Outcome | None) -> None:
        self._outcome = outcome
        self.closed = self.was_reset = False

    def exec_command(self, command: str, in_data: bytes, **_options: Any) -> tuple[int, bytes, bytes]:
        if self._outcome:
            return self._outcome(in_data)
        # Tests may run as any user.
        asked = in_data.replace(b"os.geteuid() not in [0]", b"False")
        done = subprocess.run(command.split(), input=asked, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def close(self) -> None:
        self.closed = True

    def reset(self) -> None:
        self.was_reset = True


class Fakes:
    """Stands for the inventory: makes these connections in their order, and then ones that work."""

    def __init__(self, *outcomes: Outcome | None) -> None:
        self._outcomes = list(outcomes)
        self.made: list[Connection] = []

    def connect(self, _name: str) -> tuple[Connection, str]:
        self.made.append(Connection(self._outcomes.pop(0) if self._outcomes else None))
        return self.made[-1], PYTHON


def _node(fakes: Fakes) -> _reach._Node:
    return _reach._Node("cp1", cast(Hosts, fakes))


def _ask(fakes: Fakes, *calls: _program.Call, program: str = "_files", timeout: float = 60) -> list[Any]:
    return _node(fakes).ask(_program.source(program), calls or [("about", {})], timeout)


def _raises(error: Exception) -> Outcome:
    def outcome(_sent: bytes) -> tuple[int, bytes, bytes]:
        raise error

    return outcome


def _says(status: int, out: bytes = b"", err: bytes = b"") -> Outcome:
    return lambda _sent: (status, out, err)


def test_the_results_come_in_the_order_of_the_calls() -> None:
    names, about = _ask(Fakes(), ("names", {"directory": "/no/such/folder"}), ("about", {}))
    assert names is None and about["python"]


def test_a_refusal_names_the_node_its_kind_and_its_sentence() -> None:
    with pytest.raises(NodeRefused) as caught:
        _ask(Fakes(), ("names", {"directory": "/etc/passwd"}))
    assert (caught.value.node, caught.value.kind) == ("cp1", "not_a_directory")
    assert str(caught.value) == f"cp1: {caught.value.told}"


def test_a_connection_is_used_again_and_threads_have_one_each() -> None:
    fakes = Fakes()
    node = _node(fakes)
    source = _program.source("_files")
    for _time in range(3):
        node.ask(source, [("about", {})], 60)
    assert len(fakes.made) == 1
    threads = [threading.Thread(target=node.ask, args=(source, [("about", {})], 60)) for _time in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 <= len(fakes.made) <= 3
    node.close()
    assert all(connection.closed for connection in fakes.made)


@pytest.mark.parametrize(
    "dropped",
    [
        _raises(AnsibleConnectionFailure("Data could not be sent to remote host")),
        _says(255),
        _says(137, b"", b"Killed\n"),
        _says(126),
        _says(0, b'hardening.kubernetes:[{"result"'),
        _says(0, b""),
    ],
)
def test_a_dropped_connection_is_made_anew_once(dropped: Outcome) -> None:
    fakes = Fakes(dropped)
    assert _ask(fakes)[0]["python"]
    assert len(fakes.made) == 2 and fakes.made[0].was_reset
    twice = Fakes(dropped, dropped)
    with pytest.raises(NodeError, match="^cp1: it"):
        _ask(twice)
    assert len(twice.made) == 2


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (_raises(AnsibleAuthenticationFailure("Invalid/incorrect password")), "cannot be logged in to: .*Invalid"),
        (_raises(AnsibleConnectionFailure("x\nroot@cp1: Permission denied (publickey).")), "cannot be logged in to"),
        (_raises(AnsibleError("Missing sudo password")), "cannot be asked: Missing sudo password"),
        (_says(127, b"", b"/bin/sh: 1: python3: not found"), "python3: not found.*ansible_python_interpreter"),
        (_says(142), "did not end within 60 seconds"),
    ],
)
def test_what_a_second_try_would_not_mend_is_not_tried_again(outcome: Outcome, told: str) -> None:
    fakes = Fakes(outcome)
    with pytest.raises(NodeError, match=told):
        _ask(fakes)
    assert len(fakes.made) == 1


def test_a_word_of_the_program_is_not_taken_for_one_of_the_connection() -> None:
    said = b'Permission denied\nhardening.kubernetes:[{"result": "Permission denied"}]\n'
    assert _ask(Fakes(_says(0, said, b"Permission denied"))) == ["Permission denied"]


def test_an_unforeseen_error_does_not_show_what_was_sent() -> None:
    with pytest.raises(NodeError) as caught:
        _ask(Fakes(_raises(ValueError("the-key-itself"))))
    assert "the-key-itself" not in str(caught.value) and "ValueError" in str(caught.value)


def test_a_connection_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reach, "_SECONDS_TO_CONNECT", 0.2)
    ends = threading.Event()

    def hangs(_sent: bytes) -> tuple[int, bytes, bytes]:
        ends.wait(20)
        return 0, b"", b""

    fakes = Fakes(hangs)
    node = _node(fakes)
    before = time.monotonic()
    with pytest.raises(NodeError, match="did not answer within"):
        node.ask(_program.source("_files"), [("about", {})], 0.2)
    assert time.monotonic() - before < 10
    assert fakes.made[0].was_reset
    # The next question does not wait for it.
    assert node.ask(_program.source("_files"), [("about", {})], 60)[0]["python"]
    ends.set()


def test_a_reset_that_hangs_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reach, "_SECONDS_TO_RESET", 0.1)
    ends = threading.Event()
    monkeypatch.setattr(Connection, "reset", lambda _self: ends.wait(20))
    assert _ask(Fakes(_says(255)))[0]["python"]
    ends.set()


def test_fewer_answers_than_calls_are_not_taken_for_all() -> None:
    with pytest.raises(NodeError, match="cut off"):
        _ask(Fakes(_says(0, b'hardening.kubernetes:[{"result": 1}]')), ("about", {}), ("about", {}))


def test_debugging_output_of_ansible_would_show_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reach.constants, "DEFAULT_DEBUG", True)
    with pytest.raises(HardeningError, match="ANSIBLE_DEBUG"):
        _reach.Nodes(cast(Any, None), [], {})
