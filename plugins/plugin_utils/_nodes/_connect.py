# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: connections to hosts of the inventory, made for an action plugin that runs elsewhere.

They are those that tasks on those hosts would have: of their variables, their connection and become plugins.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.playbook.play_context import PlayContext
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import become_loader, connection_loader
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes import _program
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._errors import NodeError

# A play on localhost often sets them for itself: of another host, only the inventory (and -e) knows them.
_FOR_THE_PLAY_ITSELF = ("ansible_connection", "ansible_python_interpreter")


class Hosts:
    """Makes connections as ansible-core's task executor makes them for a task that is delegated to a host."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any]) -> None:
        self._action = action
        self._task = action._task
        self._hostvars = task_vars.get("hostvars") or {}
        # Plugins are loaded and variables templated by one thread at a time: neither is made for more.
        self._making = threading.Lock()

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
                raise NodeError(name, f"there is no connection plugin «{context.connection}»: see ansible_connection.")
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
        variables = dict(manager.get_vars(play=self._task.get_play(), host=host, task=self._task))
        own = manager.get_vars(host=host)
        for variable in _FOR_THE_PLAY_ITSELF:
            variables.pop(variable, None)
            if variable in own:
                variables[variable] = own[variable]
        return variables

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
            raise NodeError(name, f"there is no become plugin «{method}»: see ansible_become_method.")
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
    usual = constants.config.get_config_value("INTERPRETER_PYTHON")
    wanted = str(template(variables.get("ansible_python_interpreter") or usual))
    if wanted.startswith("auto"):
        facts = variables.get("ansible_facts") or {}
        wanted = str(template(facts.get("discovered_interpreter_python") or "python3"))
    return shlex.join([*shlex.split(wanted), *_program.ARGUMENTS])


def execute(connection: ConnectionBase, python: str, sent: bytes) -> tuple[int, bytes, bytes]:
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
