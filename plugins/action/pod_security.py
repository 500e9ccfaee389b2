# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels namespaces with Pod Security levels, after the server told which running pods they would refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import owned_fields
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._judgement import (
    not_labelled_finding,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import labels
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    existing_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    is_meant,
    resolution_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult, diff_of, result
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security import (
    SETTINGS_SPEC,
    read_arguments,
    resolved,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_preview import (
    MANAGER,
    namespace_object,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_weighing import weigh

Results = dict[str, ObjectResult]


class ActionModule(HardeningAction):
    """Server-side apply of the labels as a field manager of their own, so that taking them back takes only them."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **SETTINGS_SPEC,
        "force_conflicts": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Set the labels, or take back those that this module set."""
        read = read_arguments(arguments)
        client = connect(read)
        live, resolution = resolved(client, read)
        if read["state"] == "absent":
            reached = {
                name for name in {*resolution.settings, *read["namespaces"]} & set(live) if is_meant(name, read["only"])
            }
            return self._absent(client, {name: live[name] for name in sorted(reached)})
        return self._present(client, live, resolution, read["on_violation"], read["force_conflicts"])

    def _absent(self, client: Client, reached: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Apply nothing at all where something was applied: the server takes away what no other manager owns."""
        ours: dict[str, dict[str, Any]] = {
            name: {} for name, namespace in reached.items() if owned_fields(namespace, MANAGER)
        }
        done = self._applied(client, ours, frozenset(), False)
        unchanged = ObjectResult("v1", "Namespace", "", "", "unchanged", {})
        return self._told([done.get(name) or replace(unchanged, name=name) for name in reached], [])

    def _present(
        self, client: Client, live: Mapping[str, dict[str, Any]], resolution: Resolution, on_violation: str, force: bool
    ) -> dict[str, Any]:
        done = self._applied(client, resolution.settings, resolution.creating, force, dry_run=True)
        findings = resolution_findings(resolution, "pod_security")
        judges_templates = on_violation == "fail" and not self.check_mode
        progress = Progress("Pod templates")
        weighed = weigh(client, live, resolution.settings, done, judges_templates, progress)
        findings += [finding for each in weighed.values() for finding in each.against]
        held = {name: each.reason for name, each in weighed.items() if on_violation == "fail"}
        findings += held.values()
        done |= {name: self._held(done[name], reason) for name, reason in held.items()}
        if not self.check_mode:
            todo = {name: resolution.settings[name] for name, each in done.items() if each.changed and name not in held}
            done |= self._applied(client, todo, resolution.creating, force)
        findings += [
            not_labelled_finding(name, each.error) for name, each in done.items() if each.error and name not in held
        ]
        told = self._told(done.values(), findings)
        if on_violation == "proceed":
            told["warnings"] = _without_violations(done.values())
        return self._failed_by(told, resolution)

    def _applied(
        self,
        client: Client,
        settings: Mapping[str, Mapping[str, Any]],
        creating: frozenset[str],
        force: bool,
        dry_run: bool = False,
    ) -> Results:
        """One result a namespace, in the order of the settings; only those in ``creating`` may come into being."""
        options = ApplyOptions(manager=MANAGER, dry_run=dry_run or self.check_mode, force=force)
        done: Results = {}
        for may_create in (False, True):
            names = [name for name in settings if (name in creating) is may_create]
            objects = [namespace_object(name, labels(settings[name])) for name in names]
            results = apply_objects(
                client, objects, replace(options, existing_only=not may_create), Progress("Pod Security labels")
            )
            done |= dict(zip(names, results, strict=True))
        return {name: done[name] for name in settings}

    def _held(self, preview: ObjectResult, finding: Finding) -> ObjectResult:
        """What becomes of a namespace that is not written: a failure, and in check mode nothing."""
        if self.check_mode:
            return replace(preview, action="unchanged", diff={})
        return replace(preview, action="failed", diff={}, error=f"{finding.evidence} ({finding.remedy})")

    def _told(self, results: Iterable[ObjectResult], findings: list[Finding]) -> dict[str, Any]:
        done = list(results)
        if self.check_mode:
            findings = [replace(finding, would=finding.status) for finding in findings]
        told = result(done, findings)
        return {**told, "diff": diff_of(done)} if self.diff_mode else told

    def _failed_by(self, told: dict[str, Any], resolution: Resolution) -> dict[str, Any]:
        """Fail for names and selectors that cannot be right, at the end, when all others are done."""
        wrong = [
            f"{finding.evidence} ({finding.remedy})" for finding in resolution_findings(resolution, "pod_security")
        ]
        if not wrong:
            return told
        if self.check_mode:
            return {**told, "warnings": [*told.get("warnings", ()), *wrong]}
        return {**told, "failed": True, "msg": "\n".join([*filter(None, [told.get("msg", "")]), *wrong])}


def _without_violations(results: Iterable[ObjectResult]) -> list[str]:
    other: dict[str, ExistingPods] = {each.label: existing_pods(each.warnings) for each in results}
    return [f"{label}: {text}" for label, existing in other.items() for text in existing.other]
