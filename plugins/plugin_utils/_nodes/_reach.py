# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one action plugin on the controller reaches other hosts of the inventory.

It uses the connections that tasks on those hosts would have: their variables, their connection and become plugins.
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
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.playbook.play_context import PlayContext
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import become_loader, connection_loader
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes import _program
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._program import Call

_KILLED_BY_ALARM = 142
_NOT_FOUND = (126, 127)
_SECONDS_TO_CONNECT = 30.0
_SECONDS_TO_RESET = 5.0


class NodeError(HardeningError):
    """A node could not be asked. The message names it and says what to do."""

    def __init__(self, node: str, told: str) -> None:
        super().__init__(f"{node}: {told}")
        self.node = node


class NodeRefused(NodeError):
    """A node was asked and refused; ``kind`` is its word for why, and ``told`` its sentence."""

    def __init__(self, node: str, kind: str, told: str) -> None:
        super().__init__(node, told)
        self.kind = kind
        self.told = told


class _Dropped(Exception):
    """The connection was lost before an answer came: it is worth another try."""


class Nodes:
    """The hosts of the inventory that a walk changes, asked from any thread."""

    def __init__(self, action: ActionBase, names: Sequence[str], task_vars: Mapping[str, Any]) -> None:
        """See that all are in the inventory and can be spoken to without files. Nothing is sent yet."""
        _refuse_debugging()
        self.names = tuple(names)
        # Plugins are loaded and variables templated by one thread at a time: neither is made for more.
        making = threading.Lock()
        hosts = _Hosts(action, task_vars, making)
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


class _Hosts:
    """Makes connections as ansible-core's task executor makes them for a task that is delegated to a host."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any], making: threading.Lock) -> None:
        self._action = action
        self._task = action._task
        self._hostvars = task_vars.get("hostvars") or {}
        self._making = making

    def connect(self, name: str) -> tuple[ConnectionBase, str]:
        """A connection that has not been opened yet, and the host's command for Python."""
        with self._making:
            variables = self._variables(name)
            template = self._action._templar.copy_with_new_env(available_variables=variables).template
            context = self._context(name, variables, template)
            connection = connection_loader.get(
                context.connection, context, new_stdin=None, task_uuid=self._task._uuid, ansible_playbook_pid=""
            )
            if connection is None:
                raise NodeError(name, f"there is no connection plugin “{context.connection}”: see ansible_connection.")
            self._become(name, connection, variables, template, context)
            self._set_options(connection, variables, template, context)
            _check(name, connection)
            return connection, _python(variables, template)

    def _variables(self, name: str) -> dict[str, Any]:
        if name not in self._hostvars:
            meant = did_you_mean(name, list(self._hostvars))
            raise NodeError(
                name,
                f"the inventory has no such host{f': did you mean {meant}?' if meant else '.'} See the option nodes.",
            )
        manager = self._task.get_variable_manager()
        host = manager._inventory.get_host(name)
        return dict(manager.get_vars(play=self._task.get_play(), host=host, task=self._task))

    def _context(self, name: str, variables: Mapping[str, Any], template: Callable[[Any], Any]) -> PlayContext:
        context = self._action._play_context.copy()
        magic = {
            attribute: template(variables[variable])
            for attribute, variable_names in reversed(constants.MAGIC_VARIABLE_MAPPING.items())
            for variable in reversed(variable_names)
            if variable in variables and not attribute.startswith("become")
        }
        context.remote_addr = name
        context.port = constants.DEFAULT_REMOTE_PORT
        context.connection = self._usual_connection(name)
        for attribute, value in magic.items():
            setattr(context, attribute, value)
        # Otherwise the ssh connection writes all that comes back to the terminal from -vvv on.
        context.no_log = True
        return context

    def _usual_connection(self, name: str) -> str:
        """What a host without ansible_connection has. `connection: local` is meant for the play's own host."""
        usual = self._task.connection
        if usual in ("local", "ansible.builtin.local", None) and name not in constants.LOCALHOST:
            return str(constants.DEFAULT_TRANSPORT)
        return str(usual)

    def _become(
        self,
        name: str,
        connection: ConnectionBase,
        variables: Mapping[str, Any],
        template: Callable[[Any], Any],
        context: PlayContext,
    ) -> None:
        wanted = variables.get("ansible_become")
        if not (self._task.become if wanted is None else boolean(template(wanted))):
            connection.set_become_plugin(None)
            return
        method = template(variables.get("ansible_become_method") or self._task.become_method)
        become = become_loader.get(method)
        if become is None:
            raise NodeError(name, f"there is no become plugin “{method}”: see ansible_become_method.")
        connection.set_become_plugin(become)
        context.set_become_plugin(become.name)

    def _set_options(
        self,
        connection: ConnectionBase,
        variables: Mapping[str, Any],
        template: Callable[[Any], Any],
        context: PlayContext,
    ) -> None:
        keys = self._task.dump_attrs()
        keys["timeout"] = context.timeout
        keys.pop("retries", None)
        if context.password:
            keys["password"] = context.password
        templar = self._action._templar.copy_with_new_env(available_variables=variables)
        connection.set_options(task_keys=keys, var_options=connection._resolve_option_variables(variables, templar))
        parts = [("shell", connection._shell)]
        if connection.become is not None:
            if context.become_pass:
                keys["become_pass"] = context.become_pass
            parts.append(("become", connection.become))
        for kind, plugin in parts:
            known = constants.config.get_plugin_vars(kind, plugin._load_name)
            options = {variable: template(variables[variable]) for variable in known if variable in variables}
            plugin.set_options(task_keys=keys, var_options=options)
        if connection.become is not None:
            for option in ("become_user", "become_flags", "become_exe", "become_pass"):
                if option in connection.become.get_options():
                    setattr(context, option, connection.become.get_option(option))
            context.prompt = connection.become.prompt
        # A local connection gives a program a terminal and nothing to read otherwise.
        if "pipelining" in connection.get_options():
            connection.set_option("pipelining", True)


def _check(name: str, connection: ConnectionBase) -> None:
    if not connection.has_pipelining:
        raise NodeError(
            name,
            f"the connection {connection.transport} sends programs by files, and keys must not be in files: use ssh, "
            "or another that has pipelining.",
        )
    become = connection.become
    if become is not None and not become.pipelining:
        raise NodeError(
            name,
            f"the become method {become.name} sends programs by files, and keys must not be in files: use sudo.",
        )
    if getattr(connection, "_is_tty_requested", bool)():
        raise NodeError(
            name, "its ssh arguments ask for a terminal, through which no program can be sent: drop -tt there."
        )


def _python(variables: Mapping[str, Any], template: Callable[[Any], Any]) -> str:
    wanted = str(
        template(variables.get("ansible_python_interpreter") or constants.config.get_config_value("INTERPRETER_PYTHON"))
    )
    if wanted.startswith("auto"):
        facts = variables.get("ansible_facts") or {}
        wanted = str(template(facts.get("discovered_interpreter_python") or "python3"))
    return shlex.join([*shlex.split(wanted), *_program.ARGUMENTS])


class _Node:
    """One host, with as many connections as there are threads that ask it at once."""

    def __init__(self, name: str, hosts: _Hosts) -> None:
        self._name = name
        self._hosts = hosts
        self._idle: SimpleQueue[tuple[ConnectionBase, str]] = SimpleQueue()
        # Nothing is opened by this, but what is wrong with the host's variables shows now.
        self._idle.put(hosts.connect(name))

    def ask(self, source: str, calls: Sequence[Call], timeout: float) -> list[Any]:
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
                told.put(_execute(connection, python, sent))
            except Exception as error:
                told.put(error)

        threading.Thread(target=run, daemon=True).start()
        waits = timeout + _SECONDS_TO_CONNECT
        try:
            outcome = told.get(timeout=waits)
        except Empty:
            raise NodeError(self._name, f"it did not answer within {waits:.0f} seconds: see that it is well.") from None
        if isinstance(outcome, AnsibleAuthenticationFailure):
            raise NodeError(self._name, f"it cannot be logged in to: {_short(str(outcome))}")
        if isinstance(outcome, AnsibleConnectionFailure):
            raise _Dropped(f"it cannot be reached: {_short(str(outcome))}")
        if isinstance(outcome, AnsibleError):
            raise NodeError(self._name, f"it cannot be asked: {_short(str(outcome))}")
        if isinstance(outcome, Exception):
            raise NodeError(self._name, f"it cannot be asked ({type(outcome).__name__}).")
        return outcome

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
        if status == _KILLED_BY_ALARM:
            return NodeError(self._name, f"its program did not end within {timeout:.0f} seconds: see that it is well.")
        if status in _NOT_FOUND:
            return NodeError(
                self._name,
                f"a program could not be run there ({said or status}): it needs `{shlex.split(python)[0]}`, "
                "or ansible_python_interpreter set to a Python 3.8 or newer.",
            )
        return _Dropped(
            f"it gave no answer (status {status}{f': {said}' if said else ''}): see that it can be reached."
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


def _execute(connection: ConnectionBase, python: str, sent: bytes) -> tuple[int, bytes, bytes]:
    """As an action's ``_low_level_execute_command`` runs a pipelined module."""
    command, shell, become = python, connection._shell, connection.become
    if become is not None and _is_another(connection):
        command = become.build_become_command(command, shell)
    if connection.allow_executable and connection._play_context.executable:
        command = f"{connection._play_context.executable} -c {shlex.quote(shell.append_command(command, 'sleep 0'))}"
    status, out, err = connection.exec_command(command, in_data=sent, sudoable=True)
    return status or 0, _bytes(out), _bytes(err)


def _is_another(connection: ConnectionBase) -> bool:
    """Whether the user to become is another than the one who logs in."""
    user = connection.become.get_option("become_user")
    present = connection._play_context.remote_user or connection.default_user
    if "remote_user" in connection.get_options():
        present = connection.get_option("remote_user")
    return bool(constants.BECOME_ALLOW_SAME_USER or user != present or not user)


def _bytes(said: Any) -> bytes:
    if isinstance(said, bytes):
        return said
    return said.encode() if isinstance(said, str) else b"".join(said.readlines())
