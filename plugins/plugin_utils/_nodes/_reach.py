# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one action plugin on the controller reaches other hosts of the inventory.

A program is sent with what it is to do through the standard input of the host's Python and nothing else: neither
arguments of processes nor files, and no log of Ansible's, hold what is sent or what comes back.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from ansible import constants
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes import _program
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._connect import Hosts, execute
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._errors import NodeError, NodeRefused
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._program import Call

__all__ = ["Call", "NodeError", "NodeRefused", "Nodes"]

_KILLED_BY_ALARM = (142, -14)
_NOT_FOUND = (126, 127)
_SECONDS_TO_CONNECT = 30.0
_SECONDS_TO_RESET = 5.0
_TRY = "(see its ansible_host, ansible_user and key, or try `ansible {} -m ansible.builtin.ping`)"


class _Dropped(Exception):
    """The connection was lost before an answer came: it is worth another try."""


class Nodes:
    """The hosts of the inventory that a walk changes, asked from any thread."""

    def __init__(self, action: ActionBase, names: Sequence[str], task_vars: Mapping[str, Any]) -> None:
        """See that all are in the inventory and can be spoken to without files. Nothing is sent yet."""
        _refuse_debugging()
        self.names = tuple(names)
        hosts = Hosts(action, task_vars)
        self._nodes = {name: _Node(name, hosts) for name in self.names}

    def ask(self, name: str, program: str, calls: Sequence[Call], timeout: float = 60) -> list[Any]:
        """The results of the calls, in their order. ``program`` is a module of ``module_utils/_node``.

        ``timeout`` are the seconds that the program may take at the node. Raises NodeError and NodeRefused.
        """
        return self._nodes[name].ask(_program.source(program), calls, timeout)

    def ask_each(
        self, calls: Mapping[str, Sequence[Call]], program: str, timeout: float = 60
    ) -> dict[str, list[Any] | NodeError]:
        """Several nodes at once: the results by node, or why there are none."""
        source = _program.source(program)
        answers: dict[str, list[Any] | NodeError] = {}
        threads = [
            threading.Thread(target=self._put, args=(answers, name, source, wanted, timeout), daemon=True)
            for name, wanted in calls.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {name: answers[name] for name in calls}

    def _put(
        self, answers: dict[str, list[Any] | NodeError], name: str, source: str, calls: Sequence[Call], timeout: float
    ) -> None:
        try:
            answers[name] = self._nodes[name].ask(source, calls, timeout)
        except NodeError as error:
            answers[name] = error
        except Exception as error:
            # Its text may hold what was sent.
            answers[name] = NodeError(name, f"it could not be asked ({type(error).__name__}).")

    def close(self) -> None:
        """End the connections; a later question makes new ones."""
        for node in self._nodes.values():
            node.close()


def _refuse_debugging() -> None:
    if constants.DEFAULT_DEBUG:
        raise HardeningError(
            "ANSIBLE_DEBUG writes what nodes send, and that are keys, to the terminal and the log: run without it."
        )


class _Node:
    """One host, with as many connections as there are threads that ask it at once."""

    def __init__(self, name: str, hosts: Hosts) -> None:
        self._name = name
        self._hosts = hosts
        self._idle: SimpleQueue[tuple[ConnectionBase, str]] = SimpleQueue()
        # Nothing is opened by this, but what is wrong with the host's variables shows now.
        connection, python = hosts.connect(name)
        self._unheard = connection.become is None
        self._idle.put((connection, python))

    def ask(self, source: str, calls: Sequence[Call], timeout: float) -> list[Any]:
        self._see_that_nobody_listens()
        return self._ask(source, calls, timeout)

    def _see_that_nobody_listens(self) -> None:
        """Refuse a sudo that keeps what it hands through: it must show before a key is sent."""
        if self._unheard:
            return
        [settings] = self._ask(_program.source("_files"), [("sudo_logs", {})], _SECONDS_TO_CONNECT)
        if settings:
            raise NodeError(
                self._name,
                f"sudo logs there what goes through it ({', '.join(settings)}), and keys must not be in a log: "
                "exempt Ansible's user in sudoers by `Defaults:USER !log_input, !log_output, !log_stdin, !log_stdout`, "
                "or log in as root.",
            )
        self._unheard = True

    def _ask(self, source: str, calls: Sequence[Call], timeout: float) -> list[Any]:
        sent = _program.sent(source, calls, timeout)
        try:
            answers = self._answers(sent, timeout)
        except _Dropped:
            try:
                answers = self._answers(sent, timeout)
            except _Dropped as dropped:
                raise NodeError(self._name, str(dropped)) from None
        for answer in answers:
            if refused := answer.get("refused"):
                raise NodeRefused(self._name, refused["kind"], refused["told"])
        if len(answers) != len(calls):
            raise NodeError(self._name, "its answer was cut off: run it again.")
        return [answer["result"] for answer in answers]

    def _answers(self, sent: bytes, timeout: float) -> list[dict[str, Any]]:
        try:
            connection, python = self._idle.get_nowait()
        except Empty:
            connection, python = self._hosts.connect(self._name)
        try:
            status, out, err = self._run(connection, python, sent, timeout)
            answers = self._read(out, python, status, err, timeout)
        except BaseException:
            _reset(connection)
            raise
        self._idle.put((connection, python))
        return answers

    def _run(self, connection: ConnectionBase, python: str, sent: bytes, timeout: float) -> tuple[int, bytes, bytes]:
        """Run the program in a thread of its own, since a connection may hang for ever."""
        told: SimpleQueue[tuple[int, bytes, bytes] | Exception] = SimpleQueue()

        def run() -> None:
            try:
                told.put(execute(connection, python, sent))
            except Exception as error:
                told.put(error)

        threading.Thread(target=run, daemon=True).start()
        waits = timeout + _SECONDS_TO_CONNECT
        try:
            outcome = told.get(timeout=waits)
        except Empty:
            raise NodeError(self._name, f"it did not answer within {waits:.0f} seconds: see that it is well.") from None
        if isinstance(outcome, Exception):
            raise self._failed(outcome)
        return outcome

    def _failed(self, error: Exception) -> Exception:
        said = _short(str(error))
        # A wrong password is not tried again: accounts are locked for that.
        if isinstance(error, AnsibleAuthenticationFailure) or "Permission denied" in said:
            return NodeError(self._name, f"it cannot be logged in to: {said} {_TRY.format(self._name)}")
        if isinstance(error, AnsibleConnectionFailure):
            return _Dropped(f"it cannot be reached: {said} {_TRY.format(self._name)}")
        if isinstance(error, AnsibleError):
            return NodeError(self._name, f"it cannot be asked: {said}")
        # Its text may hold what was sent.
        return NodeError(self._name, f"it cannot be asked ({type(error).__name__}).")

    def _read(self, out: bytes, python: str, status: int, err: bytes, timeout: float) -> list[dict[str, Any]]:
        try:
            found = _program.answers(out)
        except ValueError:
            raise _Dropped("its answer was cut off twice: see that the connection to it is good.") from None
        if found is None:
            raise self._unanswered(python, status, err, timeout)
        return found

    def _unanswered(self, python: str, status: int, err: bytes, timeout: float) -> Exception:
        said = _short(err.decode("utf-8", "replace"))
        if status in _KILLED_BY_ALARM:
            return NodeError(self._name, f"its program did not end within {timeout:.0f} seconds: see that it is well.")
        # Of a container that is just dying this is said as well, without a word.
        if said and status in _NOT_FOUND:
            return NodeError(
                self._name,
                f"a program could not be run there ({said}): it needs `{shlex.split(python)[0]}`, "
                "or ansible_python_interpreter set to a Python 3.8 or newer.",
            )
        return _Dropped(
            f"it gave no answer ({said or f'status {status}'}): see that it can be reached, and that "
            f"`{shlex.split(python)[0]}` is Python 3.8 or newer there."
        )

    def close(self) -> None:
        while True:
            try:
                connection, _python = self._idle.get_nowait()
            except Empty:
                return
            connection.close()


def _reset(connection: ConnectionBase) -> None:
    """Leave nothing of a broken connection that a new one would share, as ssh's ControlMaster. It may hang as well."""
    if type(connection).reset is not ConnectionBase.reset:
        thread = threading.Thread(target=_silently, args=(connection.reset,), daemon=True)
        thread.start()
        thread.join(_SECONDS_TO_RESET)


def _silently(do: Callable[[], None]) -> None:
    with suppress(Exception):
        do()


def _short(said: str) -> str:
    """The last thing said, as one short line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
