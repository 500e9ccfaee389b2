# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the roles and bindings that a policy declares, and takes away what it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._judge import failed_writes
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import (
    SETTINGS_SPEC,
    Left,
    left_behind,
    read,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._rollout import carry_out
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    RECORD_SPEC,
    connect_recorded,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import create_namespaces, read_settings


class ActionModule(HardeningAction):
    """Who may do what."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **RECORD_SPEC,
        **SETTINGS_SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force_conflicts": {"type": "bool", "default": False},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write what the settings say, or remove all that this set wrote."""
        client = connect_recorded(arguments)
        wanted = read(client, read_settings(arguments))
        options = ApplyOptions(
            MANAGER, dry_run=self.check_mode, force=arguments["force_conflicts"], set_name=wanted.set_name
        )
        if arguments["state"] == "absent":
            left = left_behind(client, wanted, [])
            gone = apply_objects(client, left.objects, replace(options, state="absent"), Progress("rbac"))
            return self.told(gone, failed_writes(gone), warnings=_unpruned(left))
        says_anything = wanted.places or wanted.reached
        left = left_behind(client, wanted, wanted.objects) if says_anything else Left(())
        created = create_namespaces(
            client, sorted(wanted.resolution.creating), wanted.set_name, dry_run=self.check_mode
        )
        done = [*created, *carry_out(client, wanted, left.objects, options, Progress("rbac"))]
        return self.told(done, failed_writes(done), resolution_findings(wanted.resolution, "access"), _unpruned(left))


def _unpruned(left: Left) -> list[str]:
    return [f"What the set left in other namespaces is not removed: {left.unseen}"] if left.unseen else []
