# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the NetworkPolicies of namespaces, in an order that breaks nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
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
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    resolution_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult, diff_of, result
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    NAMESPACE_MANAGER,
    marked_namespace,
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._read import (
    SETTINGS_SPEC,
    has_settings,
    read,
    read_arguments,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._removal import policies_of, to_clear
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._rollout import carry_out


class ActionModule(HardeningAction):
    """Default deny and the flows through it."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **SETTINGS_SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force_conflicts": {"type": "bool", "default": False},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write what the settings say, or remove all that this set wrote."""
        client = connect(arguments)
        said = read_arguments(arguments)
        if arguments["state"] == "absent":
            return self._told(*self._remove(client, said))
        wanted = read(client, said)
        why = wanted.facts.unreadable.get("NetworkPolicy")
        if why:
            raise HardeningError(f"Nothing was written, since the NetworkPolicies in force cannot be read. {why}")
        prunes = wanted.prune and has_settings(said)
        decided = limited(plan(wanted.settings, wanted.facts, wanted.set_name, prunes), wanted.only)
        new = [name for name in decided.steps if name in wanted.resolution.creating]
        created = self._create(client, new, wanted.set_name)
        sound = {name: step for name, step in decided.steps.items() if name not in _failed(created)}
        objects = [*created, *self._carry_out(client, sound, wanted.set_name, arguments["force_conflicts"])]
        stopped = [*resolution_findings(wanted.resolution, "network"), *refusals(decided, self.check_mode)]
        wrong = [
            f"Namespace/{name}: {mistake}"
            for name in sorted(decided.steps.keys() & wanted.settings.keys())
            for mistake in mistakes(name, wanted.settings, wanted.facts)
        ]
        unseen = wanted.facts.unreadable.get(LEFT_OVER)
        if unseen and reaches_everywhere(wanted.set_name, prunes):
            wrong.append(f"Nothing is pruned in namespaces without settings, since they cannot be looked at: {unseen}")
        return self._told(objects, stopped, wrong)

    def _remove(self, client: Client, said: dict[str, Any]) -> tuple[list[ObjectResult], list[Finding], list[str]]:
        reached, unseen = to_clear(client, said)
        steps = plan_removal(reached, policies_of(client, reached), said["set"])
        return self._carry_out(client, steps, said["set"], False), [], [unseen] if unseen else []

    def _create(self, client: Client, names: list[str], set_name: str) -> list[ObjectResult]:
        """The namespaces that say ``create: true`` and are not there yet."""
        objects = [marked_namespace(name, set_name) for name in names]
        return apply_objects(client, objects, ApplyOptions(NAMESPACE_MANAGER, dry_run=self.check_mode))

    def _carry_out(self, client: Client, steps: dict[str, Step], set_name: str, force: bool) -> list[ObjectResult]:
        options = ApplyOptions(MANAGER, dry_run=self.check_mode, force=force, set_name=set_name)
        return carry_out(client, steps, options, Progress("network_policies"))

    def _told(self, objects: list[ObjectResult], stopped: list[Finding], wrong: list[str]) -> dict[str, Any]:
        """The result; failed by what was refused, except in check mode, where findings inform."""
        if self.check_mode:
            stopped = [replace(finding, would=finding.status) for finding in stopped]
        told = result(objects, [*stopped, *failed_writes(objects)])
        sentences = [f"{finding.subject}: {finding.evidence}. {finding.remedy}" for finding in stopped]
        warnings = [*told.get("warnings", ()), *wrong, *(sentences if self.check_mode else ())]
        if warnings:
            told["warnings"] = warnings
        if sentences and not self.check_mode:
            told |= {"failed": True, "msg": "\n".join([*filter(None, [told.get("msg", "")]), *sentences])}
        return {**told, "diff": diff_of(objects)} if self.diff_mode else told


def _failed(results: list[ObjectResult]) -> set[str]:
    return {each.name for each in results if each.action == "failed"}
