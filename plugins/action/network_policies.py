# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the NetworkPolicies of namespaces, in an order that breaks nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import LEFT_OVER
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._flows import mistakes
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._judge import failed_writes, refusals
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import (
    Step,
    limited,
    plan,
    plan_removal,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    resolution_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._read import (
    read,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._removal import policies_of, to_clear
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._rollout import carry_out
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    RECORD_SPEC,
    connect_recorded,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import (
    NAMESPACES_SPEC,
    create_namespaces,
    has_settings,
    read_settings,
)


class ActionModule(HardeningAction):
    """Default deny and the flows through it."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **RECORD_SPEC,
        **NAMESPACES_SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force_conflicts": {"type": "bool", "default": False},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write what the settings say, or remove all that this set wrote."""
        client = connect_recorded(arguments)
        said = read_settings(arguments)
        if arguments["state"] == "absent":
            return self._absent(client, said)
        wanted = read(client, said)
        why = wanted.facts.unreadable.get("NetworkPolicy")
        if why:
            raise HardeningError(f"Nothing was written, since the NetworkPolicies in force cannot be read. {why}")
        prunes = wanted.prune and has_settings(said)
        decided = limited(plan(wanted.settings, wanted.facts, wanted.set_name, prunes), wanted.only)
        new = [name for name in decided.steps if name in wanted.resolution.creating]
        created = create_namespaces(client, new, wanted.set_name, dry_run=self.check_mode)
        sound = {name: step for name, step in decided.steps.items() if name not in _failed(created)}
        objects = [*created, *self._carry_out(client, sound, wanted.set_name, arguments["force_conflicts"])]
        stopped = [*resolution_findings(wanted.resolution, "network"), *refusals(decided, self.check_mode)]
        warnings = [
            f"Namespace/{name}: {mistake}"
            for name in sorted(decided.steps.keys() & wanted.settings.keys())
            for mistake in mistakes(name, wanted.settings, wanted.facts)
        ]
        unseen = wanted.facts.unreadable.get(LEFT_OVER)
        if unseen and reaches_everywhere(wanted.set_name, prunes):
            warnings.append(f"Nothing is pruned in namespaces without settings, which cannot be looked at: {unseen}")
        return self.told(objects, failed_writes(objects), stopped, warnings)

    def _absent(self, client: Client, said: dict[str, Any]) -> dict[str, Any]:
        reached, unseen = to_clear(client, said)
        steps = plan_removal(reached, policies_of(client, reached), said["set"])
        gone = self._carry_out(client, steps, said["set"], False)
        return self.told(gone, failed_writes(gone), warnings=[unseen] if unseen else [])

    def _carry_out(self, client: Client, steps: dict[str, Step], set_name: str, force: bool) -> list[ObjectResult]:
        options = ApplyOptions(MANAGER, dry_run=self.check_mode, force=force, set_name=set_name)
        return carry_out(client, steps, options, Progress("network_policies"))


def _failed(results: list[ObjectResult]) -> set[str]:
    return {each.name for each in results if each.action == "failed"}
