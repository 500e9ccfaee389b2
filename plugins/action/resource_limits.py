# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets LimitRanges and ResourceQuotas in namespaces, after it was seen what of all that runs they would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    RECORD_SPEC,
    connect_recorded,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import (
    SETTINGS_SPEC,
    Wanted,
    read,
    read_arguments,
    to_clear,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._rollout import (
    carry_out,
    held_back,
    not_set,
    warnings_about,
    weigh,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import create_namespaces


class ActionModule(HardeningAction):
    """Server-side apply as a field manager of its own: first what says requests and limits, then what demands them."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **RECORD_SPEC,
        **SETTINGS_SPEC,
        "force_conflicts": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Set what the settings say, or remove all that this set has."""
        said = read_arguments(arguments)
        client = connect_recorded(said)
        if said["state"] == "absent":
            left, unseen = to_clear(client, said)
            return self.told(self._carry_out(client, [], left, said), warnings=[unseen] if unseen else [])
        wanted = read(client, said)
        wrong = next((place.why_unreadable for place in wanted.places.values() if place.why_unreadable), "")
        if wrong:
            raise HardeningError(f"Nothing was written, since the quotas and limits in force cannot be read. {wrong}")
        return self._present(client, wanted, said)

    def _present(self, client: Client, wanted: Wanted, said: Mapping[str, Any]) -> dict[str, Any]:
        weighed = weigh(client, wanted.places)
        held = {name for name, each in weighed.items() if each.against and said["on_violation"] == "fail"}
        missing = sorted(wanted.resolution.creating & wanted.places.keys())
        created = create_namespaces(client, missing, said["set"], dry_run=self.check_mode)
        without = held | {each.name for each in created if each.error}
        objects = [
            each for place in wanted.places.values() if place.name not in without for each in place.wanted.values()
        ]
        left = [each for each in wanted.left if each["metadata"]["namespace"] not in held]
        done = [*created, *self._carry_out(client, objects, left, said)]
        findings = [each for name in weighed for each in weighed[name].against]
        for name in sorted(held):
            results, reasons = held_back(wanted.places[name], weighed[name], dry_run=self.check_mode)
            done += results
            findings += reasons
        findings += not_set(done, held)
        wrong = resolution_findings(wanted.resolution, "resources")
        return self.told(done, findings, wrong, warnings_about(wanted, weighed, said["on_violation"]))

    def _carry_out(
        self, client: Client, objects: list[dict[str, Any]], left: list[dict[str, Any]], said: Mapping[str, Any]
    ) -> list[ObjectResult]:
        options = ApplyOptions(MANAGER, self.check_mode, said["force_conflicts"], set_name=said["set"])
        return carry_out(client, objects, left, options, Progress("Quotas and limits"))
