# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels namespaces with Pod Security levels, after the server told which running pods they would refuse."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._look import (
    SETTINGS_SPEC,
    read_arguments,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._rollout import (
    Rollout,
    about_violations,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    RECORD_SPEC,
    connect_recorded,
)


class ActionModule(HardeningAction):
    """Server-side apply of the labels as a field manager of their own, so that taking them back takes only them."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **RECORD_SPEC,
        **SETTINGS_SPEC,
        "force_conflicts": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Set the labels, or take back those that this module set."""
        said = read_arguments(arguments)
        rollout = Rollout(connect_recorded(said), said, dry_run=self.check_mode)
        outcome = rollout.absent() if said["state"] == "absent" else rollout.present()
        told = self.told(outcome.done, outcome.findings, outcome.wrong, outcome.warnings)
        if outcome.quiet and "warnings" in told:
            hushed = about_violations(outcome.done)
            told["warnings"] = [each for each in told["warnings"] if each not in hushed]
        return told
