# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the roles and bindings that a policy declares, and takes away what it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._judge import failed_writes
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult, diff_of, result
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    NAMESPACE_MANAGER,
    marked_namespace,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import (
    SETTINGS_SPEC,
    Left,
    Wanted,
    left_behind,
    read,
    read_arguments,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._rollout import carry_out


class ActionModule(HardeningAction):
    """Who may do what."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **SETTINGS_SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force_conflicts": {"type": "bool", "default": False},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write what the settings say, or remove all that this set wrote."""
        client = connect(arguments)
        wanted = read(client, read_arguments(arguments))
        options = ApplyOptions(
            MANAGER, dry_run=self.check_mode, force=arguments["force_conflicts"], set_name=wanted.set_name
        )
        if arguments["state"] == "absent":
            left = left_behind(client, wanted, [])
            gone = apply_objects(client, left.objects, replace(options, state="absent"), Progress("rbac"))
            return self._told(gone, [], left.unseen)
        says_anything = wanted.places or wanted.reached
        left = left_behind(client, wanted, wanted.objects) if says_anything else Left(())
        created = self._create(client, wanted)
        done = carry_out(client, wanted, left.objects, options, Progress("rbac"))
        return self._told([*created, *done], resolution_findings(wanted.resolution, "access"), left.unseen)

    def _create(self, client: Client, wanted: Wanted) -> list[ObjectResult]:
        """The namespaces that say ``create: true`` and are not there yet."""
        missing = [marked_namespace(name, wanted.set_name) for name in sorted(wanted.resolution.creating)]
        options = ApplyOptions(NAMESPACE_MANAGER, dry_run=self.check_mode)
        return apply_objects(client, missing, options) if missing else []

    def _told(self, objects: list[ObjectResult], stopped: list[Finding], unseen: str) -> dict[str, Any]:
        """The result; failed by what was refused, except in check mode, where findings inform."""
        if self.check_mode:
            stopped = [replace(finding, would=finding.status) for finding in stopped]
        told = result(objects, [*stopped, *failed_writes(objects)])
        sentences = [f"{finding.subject}: {finding.evidence}. {finding.remedy}" for finding in stopped]
        unpruned = [f"What the set left in other namespaces is not removed: {unseen}"] if unseen else []
        warnings = [*told.get("warnings", ()), *unpruned, *(sentences if self.check_mode else ())]
        if warnings:
            told["warnings"] = warnings
        if sentences and not self.check_mode:
            told |= {"failed": True, "msg": "\n".join([*filter(None, [told.get("msg", "")]), *sentences])}
        return {**told, "diff": diff_of(objects)} if self.diff_mode else told
