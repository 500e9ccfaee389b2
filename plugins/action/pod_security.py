# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels namespaces with Pod Security levels, after the server told which running pods they would refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import owned_fields
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._judgement import (
    not_labelled_finding,
    unsure_warning,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import namespace_object
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import (
    MANAGER,
    left_over,
    marked_labels,
    refused,
    to_clear,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    existing_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    is_meant,
    resolution_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult, diff_of, result
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    NAMESPACE_MANAGER,
    marked_namespace,
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._look import (
    SETTINGS_SPEC,
    Seen,
    has_settings,
    read_arguments,
    see,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._weighing import weigh
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._writing import (
    applied,
    release,
    with_written,
)

Results = dict[str, ObjectResult]
Labels = Mapping[str, Mapping[str, str]]


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
        seen = see(client, read)
        return (self._absent if read["state"] == "absent" else self._present)(client, seen, read)

    def _absent(self, client: Client, seen: Seen, read: Mapping[str, Any]) -> dict[str, Any]:
        everywhere = reaches_everywhere(read["set"], read["prune"])
        unseen = f"Labels of the set {read['set']} on namespaces that are not named stay: {seen.unseen}"
        if everywhere and seen.unseen and not has_settings(read):
            raise HardeningError(f"Nothing was taken back, since no namespace is named. {unseen}")
        named = [name for name in read["namespaces"] if is_meant(name, read["only"])]
        reached = {*seen.resolution.settings, *named} & set(seen.live)
        meant = {name for name in seen.live if everywhere and is_meant(name, read["only"])}
        seen, released = self._released(client, seen, reached | meant, read)
        ours = to_clear(seen.live, reached, read["set"], read["only"], everywhere=everywhere)
        done = with_written(self._taken_back(client, seen, ours), released)
        told = self._told([done.get(name) or _unchanged(name) for name in sorted({*reached, *done})], [])
        return _warned(told, [unseen] if everywhere and seen.unseen else [])

    def _taken_back(self, client: Client, seen: Seen, names: Iterable[str]) -> Results:
        """Apply nothing at all where something was applied: the server takes away what no other manager owns."""
        ours = [name for name in names if owned_fields(seen.live[name], MANAGER)]
        return self._applied(client, {name: {} for name in ours}, False)

    def _present(self, client: Client, seen: Seen, read: Mapping[str, Any]) -> dict[str, Any]:
        seen, released = self._released(client, seen, {*seen.resolution.settings, *self._left_over(seen, read)}, read)
        resolution, on_violation = seen.resolution, read["on_violation"]
        others = refused(seen.live, resolution.settings, read["set"])
        settings = {name: said for name, said in resolution.settings.items() if name not in others}
        wanted = {name: marked_labels(said, read["set"]) for name, said in settings.items()}
        done = self._applied(client, wanted, read["force_conflicts"], resolution.creating, dry_run=True)
        findings = resolution_findings(resolution, "pod_security")
        strict = on_violation == "fail"
        weighed = weigh(client, seen.live, settings, done, strict, not self.check_mode, Progress("Pod templates"))
        findings += [finding for each in weighed.values() for finding in each.against]
        unsure = {name: each.reason for name, each in weighed.items() if not each.sure}
        findings += unsure.values()
        done |= {name: replace(done[name], verified=False) for name in unsure}
        held = {name: each.reason for name, each in weighed.items() if strict and each.sure}
        held |= {name: not_labelled_finding(name, sentence) for name, sentence in others.items()}
        findings += held.values()
        done |= {name: self._held(done.get(name) or _unchanged(name), reason) for name, reason in held.items()}
        if not self.check_mode:
            todo = {name: wanted[name] for name, each in done.items() if each.changed and name not in held}
            done |= self._really_applied(client, todo, done, resolution.creating, read)
        done = with_written(done | self._taken_back(client, seen, self._left_over(seen, read)), released)
        findings += [
            not_labelled_finding(name, each.error) for name, each in done.items() if each.error and name not in held
        ]
        told = self._told([done[name] for name in sorted(done)], findings)
        if on_violation == "proceed":
            told["warnings"] = _without_violations(done.values())
        if unsure:
            told = _warned(told, [unsure_warning(unsure)])
        if seen.unseen and reaches_everywhere(read["set"], read["prune"]):
            told = _warned(told, [f"Nothing is taken back from namespaces that cannot be seen: {seen.unseen}"])
        return self._failed_by(told, resolution)

    def _released(self, client: Client, seen: Seen, names: set[str], read: Mapping[str, Any]) -> tuple[Seen, Results]:
        """What is seen once the labels are gone that a killed run left, and what that did; other sets' stay."""
        done = release(client, seen.live, names - refused(seen.live, names, read["set"]).keys(), self.check_mode)
        if not done or self.check_mode:
            return seen, done
        try:
            return see(client, read), done
        except KubeError:
            # What comes next fails as well, and is told together with what was done.
            return seen, done

    @staticmethod
    def _left_over(seen: Seen, read: Mapping[str, Any]) -> list[str]:
        if not has_settings(read) or not reaches_everywhere(read["set"], read["prune"]):
            return []
        return left_over(seen.live, seen.resolution.settings, read["set"], read["only"])

    def _really_applied(
        self, client: Client, wanted: Labels, previews: Results, creating: frozenset[str], read: Mapping[str, Any]
    ) -> Results:
        """The previews come true. A new namespace is made first, by a manager that does not take its mark back."""
        new = [marked_namespace(name, read["set"]) for name in wanted if name in creating]
        made = {each.name: each for each in applied(client, new, ApplyOptions(NAMESPACE_MANAGER))}
        failed = {name: each for name, each in made.items() if each.error}
        todo = {name: labels for name, labels in wanted.items() if name not in failed}
        done = self._applied(client, todo, read["force_conflicts"])
        for name in creating & done.keys():
            if why := done[name].error:
                error = f"The namespace was created, but not labelled: {why}"
                done[name] = replace(done[name], diff=made[name].diff, error=error)
            else:
                done[name] = replace(done[name], action="created", diff=previews[name].diff)
        return {**done, **failed}

    def _applied(
        self,
        client: Client,
        wanted: Labels,
        force: bool,
        creating: frozenset[str] = frozenset(),
        dry_run: bool = False,
    ) -> Results:
        """One result a namespace, in the order of the labels; only those in ``creating`` may come into being."""
        options = ApplyOptions(manager=MANAGER, dry_run=dry_run or self.check_mode, force=force)
        done: Results = {}
        for may_create in (False, True):
            names = [name for name in wanted if (name in creating) is may_create]
            objects = [namespace_object(name, wanted[name]) for name in names]
            results = applied(
                client, objects, replace(options, existing_only=not may_create), Progress("Pod Security labels")
            )
            done |= dict(zip(names, results, strict=True))
        return {name: done[name] for name in wanted}

    def _held(self, preview: ObjectResult, finding: Finding) -> ObjectResult:
        """What becomes of a namespace that is not written: a failure, and in check mode nothing."""
        if self.check_mode:
            return replace(preview, action="unchanged", diff={})
        return replace(preview, action="failed", diff={}, error=f"{finding.evidence} ({finding.remedy})")

    def _told(self, results: Iterable[ObjectResult], findings: list[Finding]) -> dict[str, Any]:
        done = list(results)
        if self.check_mode:
            findings = [replace(finding, would=finding.would or finding.status) for finding in findings]
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


def _unchanged(name: str) -> ObjectResult:
    return ObjectResult("v1", "Namespace", "", name, "unchanged", {})


def _warned(told: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    return {**told, "warnings": [*told.get("warnings", ()), *warnings]} if warnings else told


def _without_violations(results: Iterable[ObjectResult]) -> list[str]:
    other: dict[str, ExistingPods] = {each.label: existing_pods(each.warnings) for each in results}
    return [f"{label}: {text}" for label, existing in other.items() for text in existing.other]
