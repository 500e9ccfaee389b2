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
    held_back_finding,
    not_labelled_finding,
    preview_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._preview import without_finished
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import labels
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    existing_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
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
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_running import running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_templates import template_findings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_trials import Place

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
            reached = (set(resolution.settings) | set(read["namespaces"])) & set(live)
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
        warned = {name: existing_pods(preview.warnings) for name, preview in done.items()}
        places = {name: Place.of(live[name], resolution.settings[name]) for name in done if name in live}
        tightened = {
            name: place
            for name, place in places.items()
            if place and ((done[name].changed and place.tightens) or warned[name].violate or warned[name].incomplete)
        }
        asks = on_violation == "fail" and not self.check_mode
        running = running_in(client, [name for name in tightened if asks or warned[name].violate])
        against: dict[str, list[Finding]] = {}
        if asks:
            progress = Progress("Pod templates")
            against = template_findings(client, list(tightened.values()), running, progress)

        held: set[str] = set()
        for name, place in tightened.items():
            existing = without_finished(warned[name], running[name].pods)
            templates = against.get(name, [])
            if existing.violate or existing.incomplete:
                findings += preview_findings(name, place.wanted, existing, {}, (), 1)
            findings += templates
            if on_violation == "fail" and (existing.violate or existing.incomplete or templates):
                held.add(name)
                findings.append(held_back_finding(name, place.wanted, existing, templates))
                done[name] = self._held(done[name], findings[-1])
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
