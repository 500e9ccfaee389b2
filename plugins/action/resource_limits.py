# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets LimitRanges and ResourceQuotas in namespaces, after it was seen what of all that runs they would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._judgement import (
    LIMITS,
    QUOTA,
    held_back_finding,
    not_set_finding,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult, diff_of, result
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import (
    SETTINGS_SPEC,
    Place,
    Wanted,
    read,
    read_arguments,
    to_clear,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._rollout import (
    Weighed,
    carry_out,
    create,
    weigh,
)

_CONTROL_OF = {"LimitRange": LIMITS, "ResourceQuota": QUOTA}


class ActionModule(HardeningAction):
    """Server-side apply as a field manager of its own: first what says requests and limits, then what demands them."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **SETTINGS_SPEC,
        "force_conflicts": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Set what the settings say, or remove all that this set has."""
        said = read_arguments(arguments)
        client = connect(said)
        if said["state"] == "absent":
            left, unseen = to_clear(client, said)
            return self._told(self._carry_out(client, [], left, said), [], [unseen] if unseen else [])
        wanted = read(client, said)
        wrong = next((place.why_unreadable for place in wanted.places.values() if place.why_unreadable), "")
        if wrong:
            raise HardeningError(f"Nothing was written, since the quotas and limits in force cannot be read. {wrong}")
        return self._present(client, wanted, said)

    def _present(self, client: Client, wanted: Wanted, said: Mapping[str, Any]) -> dict[str, Any]:
        weighed = weigh(client, wanted.places)
        held = {name for name, each in weighed.items() if each.against and said["on_violation"] == "fail"}
        created = create(
            client, sorted(wanted.resolution.creating & wanted.places.keys()), said["set"], self.check_mode
        )
        without = held | {each.name for each in created if each.error}
        objects = [
            each for place in wanted.places.values() if place.name not in without for each in place.wanted.values()
        ]
        left = [each for each in wanted.left if each["metadata"]["namespace"] not in held]
        done = [*created, *self._carry_out(client, objects, left, said)]
        reasons = {name: self._reasons(wanted.places[name], weighed[name]) for name in sorted(held)}
        done += [each for name in reasons for each in self._held(wanted.places[name], reasons[name])]
        findings = [
            *resolution_findings(wanted.resolution, "resources"),
            *(each for name in weighed for each in weighed[name].against),
            *(each for found in reasons.values() for each in found),
            *_not_set(done, held),
        ]
        return self._told(done, findings, _warnings(wanted, weighed, said["on_violation"]), wanted)

    def _carry_out(
        self, client: Client, objects: list[dict[str, Any]], left: list[dict[str, Any]], said: Mapping[str, Any]
    ) -> list[ObjectResult]:
        options = ApplyOptions(MANAGER, self.check_mode, said["force_conflicts"], set_name=said["set"])
        return carry_out(client, objects, left, options, Progress("Quotas and limits"))

    def _reasons(self, place: Place, weighed: Weighed) -> list[Finding]:
        return [held_back_finding(_CONTROL_OF[kind], place.name, weighed.against) for kind in place.wanted]

    def _held(self, place: Place, reasons: list[Finding]) -> list[ObjectResult]:
        """What becomes of objects that are not written: failures, and in check mode nothing."""
        error = f"{reasons[0].evidence} ({reasons[0].remedy})" if reasons and not self.check_mode else ""
        return [
            ObjectResult(
                each["apiVersion"],
                each["kind"],
                place.name,
                each["metadata"]["name"],
                "failed" if error else "unchanged",
                {},
                (),
                error,
            )
            for each in place.wanted.values()
        ]

    def _told(
        self, done: list[ObjectResult], findings: list[Finding], warnings: list[str], wanted: Wanted | None = None
    ) -> dict[str, Any]:
        if self.check_mode:
            findings = [replace(finding, would=finding.status) for finding in findings]
        told = result(done, findings)
        missing = resolution_findings(wanted.resolution, "resources") if wanted else []
        wrong = [f"{finding.evidence} ({finding.remedy})" for finding in missing]
        warnings = [*told.get("warnings", ()), *warnings, *(wrong if self.check_mode else ())]
        if warnings:
            told["warnings"] = warnings
        if wrong and not self.check_mode:
            told |= {"failed": True, "msg": "\n".join([*filter(None, [told.get("msg", "")]), *wrong])}
        return {**told, "diff": diff_of(done)} if self.diff_mode else told


def _not_set(done: list[ObjectResult], held: set[str]) -> list[Finding]:
    return [
        not_set_finding(_CONTROL_OF[each.kind], each.namespace, each.error)
        for each in done
        if each.error and each.kind in _CONTROL_OF and each.namespace not in held
    ]


def _warnings(wanted: Wanted, weighed: Mapping[str, Weighed], on_violation: str) -> list[str]:
    told = [
        f"Namespace/{name}: how much there is of {', '.join(each.unknown)} is counted only once the quota is set."
        for name, each in weighed.items()
        if each.unknown
    ]
    if on_violation == "warn":
        told += [f"{each.subject}: {each.evidence}" for found in weighed.values() for each in found.against]
    if wanted.unseen:
        told.append(
            f"Nothing is pruned in namespaces without settings, since they cannot be looked at: {wanted.unseen}"
        )
    return told
