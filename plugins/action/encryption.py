# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encrypts what etcd holds, changes its keys, or ends it again: step by step, each proved before the next."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._foresee import foresee
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._platforms import refuse_foreign
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import refuse_unserved
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._begin import begin, run_name, tidy
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import QUICK_SECONDS, Gatherer
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._guard import Guard
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._options import (
    OPTIONS_SPEC,
    read_options,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._platform import platform
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import served
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._telling import (
    Account,
    Waiting,
    foreseen_result,
    line_of,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._walk import walk
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import Nodes


class ActionModule(HardeningAction):
    """The walk: in the controller's process from its beginning to its end, so that keys are in no task and no file."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {**AUTH_SPEC, **OPTIONS_SPEC}

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Walk to what is asked for; in check mode tell the way."""
        self._refuse_several(task_vars)
        options = read_options(arguments)
        client, quick = connect(arguments), connect(arguments, outage_seconds=QUICK_SECONDS)
        refuse_foreign(platform(client))
        refuse_unserved(options.resources, served(client))
        nodes = Nodes(self, options.nodes, task_vars)
        run, waiting = run_name(), Waiting(Display().display)
        context = Context(
            client,
            nodes,
            Gatherer(quick, nodes, options.manifest),
            Guard(client, nodes, run, waiting),
            Memory(),
            options,
            run,
            tell=Display().display,
            waiting=waiting,
        )
        try:
            return self._foreseen(context) if self.check_mode else self._walked(context)
        finally:
            nodes.close()

    def _refuse_several(self, task_vars: dict[str, Any]) -> None:
        hosts = task_vars.get("ansible_play_hosts") or ()
        if len(hosts) > 1 and not self._task.run_once:
            raise HardeningError(
                f"This play has {len(hosts)} hosts, and each would begin a walk of its own: give it `hosts: localhost` "
                "and the control plane nodes by the option nodes."
            )

    @staticmethod
    def _foreseen(context: Context) -> dict[str, Any]:
        begun, seen = begin(context)
        way = foresee(seen.facts, begun.goal)
        for step in way.steps:
            context.tell(line_of(step))
        return foreseen_result(way, seen.facts)

    @staticmethod
    def _walked(context: Context) -> dict[str, Any]:
        account = Account(context.memory)
        with context.guard:
            try:
                tidy(context)
                begun, _seen = begin(context)
                for step, seen in walk(begun):
                    account.add(step, seen)
                    begun.tell(line_of(step))
            except HardeningError as error:
                return account.failed(error)
        return account.result()
