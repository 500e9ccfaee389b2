# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out, by dry runs, whether quotas and limits act, and what of all that runs they would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._judgement import (
    RUNNING_FIT,
    expected,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    leftover_findings,
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._look import look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import (
    SETTINGS_SPEC,
    Wanted,
    all_of_set,
    read,
    read_arguments,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import has_settings


class ActionModule(HardeningAction):
    """Looks and writes nothing; in check mode it also tells which status to expect after quotas and limits are set."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **SETTINGS_SPEC,
        "timeout": {"type": "float", "default": 10.0},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """The findings of all namespaces that get settings."""
        said = read_arguments(arguments)
        client = connect(said)
        wanted = read(client, said)
        seen = look(client, wanted.places, said["timeout"], Progress("Quota and limit probes"))
        missing = resolution_findings(wanted.resolution, "resources")
        if self.check_mode:
            missing = [replace(finding, would=finding.status) for finding in missing]
            for name, findings in seen.items():
                held = said["on_violation"] == "fail" and any(map(_is_misfit, findings))
                seen[name] = [expected(finding, held) for finding in findings]
        found = [*missing, *(finding for findings in seen.values() for finding in findings)]
        if not has_settings(said) and reaches_everywhere(said["set"], said["prune"]):
            wanted.left, wanted.unseen = all_of_set(client, said)
        found += _left(wanted, said, self.check_mode)
        return self.judged(found)


def _is_misfit(finding: Finding) -> bool:
    return finding.control == RUNNING_FIT and finding.status == "fail" and finding.proof == "config"


def _left(wanted: Wanted, said: Mapping[str, Any], preview: bool) -> list[Finding]:
    """What the set has and nothing names any more."""
    set_name, only = said["set"], said["only"]
    everywhere = reaches_everywhere(set_name, said["prune"])
    if not everywhere and not wanted.left:
        return []
    left: dict[str, list[str]] = {}
    for each in wanted.left:
        metadata = each["metadata"]
        told = f"{each['kind']}/{metadata['namespace']}/{metadata['name']}"
        left.setdefault(f"Namespace/{metadata['namespace']}", []).append(told)
    unseen = wanted.unseen if everywhere else ""
    return leftover_findings(set_name, left, unseen, "quotas and limits", preview=preview, only=only)
