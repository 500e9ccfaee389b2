# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives nodes that are about to join a control plane the encryption configuration of those that are there."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._platforms import refuse_foreign
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _prepare
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._begin import run_name
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import QUICK_SECONDS, Gatherer
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._guard import Guard
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._options import NODES_SPEC
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._platform import platform
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._telling import Waiting
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import Nodes


class ActionModule(HardeningAction):
    """Guarded like a change of keys, so that none begins meanwhile."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **NODES_SPEC,
        "joining": {"type": "list", "elements": "str", "required": True},
    }

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Look at those that are there, then bring what they have."""
        there, joining = (list(dict.fromkeys(arguments[option])) for option in ("nodes", "joining"))
        if not there or not joining:
            raise HardeningError("Name the control plane nodes that are there as nodes, and what joins as joining.")
        both = ", ".join(sorted(set(there) & set(joining)))
        if both:
            raise HardeningError(f"{both}: a node either is there or joins; take it out of nodes while it joins again.")
        client = connect(arguments)
        refuse_foreign(platform(client))
        quick = connect(arguments, outage_seconds=QUICK_SECONDS)
        old, new = Nodes(self, there, task_vars), Nodes(self, joining, task_vars)
        every = Nodes(self, [*there, *joining], task_vars)
        try:
            gatherer = Gatherer(quick, old, arguments["manifest"])
            if self.check_mode:
                return _told(*_due(client, gatherer, new))
            run = run_name()
            with Guard(client, every, run, Waiting(Display().display)) as guard:
                brought, files = _due(client, gatherer, new)
                guard.check()
                _prepare.write(new, run, files)
            return _told(brought, files)
        finally:
            for nodes in (old, new, every):
                nodes.close()


def _due(client: Any, gatherer: Gatherer, new: Nodes) -> tuple[_prepare.Brought, dict[str, list[dict[str, Any]]]]:
    seen = gatherer.seen(Memory())
    brought = _prepare.brought_by(seen)
    if brought.hash:
        _prepare.refuse_without_flag(client, next(iter(seen.on_node.values())))
    return brought, _prepare.due(new, new.names, brought)


def _told(brought: _prepare.Brought, files: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    warnings = [
        f"The KMS plugin {each.name} has to answer at {each.endpoint} on each of them before it joins."
        for each in brought.plugins
    ]
    return {
        "changed": any(files.values()),
        "prepared": {name: [file["path"] for file in each] for name, each in files.items()},
        "configuration": brought.hash,
        **({"warnings": warnings} if warnings else {}),
    }
