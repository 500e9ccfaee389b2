# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: sets the labels that settings ask for, and takes back those of a set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import owned_fields
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._labelling import (
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
    existing_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    is_meant,
    resolution_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    NAMESPACE_MANAGER,
    marked_namespace,
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._look import (
    Seen,
    see,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._weighing import weigh
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._writing import (
    applied,
    release,
    with_written,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import has_settings

Results = dict[str, ObjectResult]
Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rollout did, one result a namespace, and what is to be said of it.

    ``wrong`` are findings about names and selectors that cannot be right, ``quiet`` whether what running pods break is
    to go without a warning.
    """

    done: list[ObjectResult]
    findings: list[Finding]
    wrong: list[Finding]
    warnings: list[str]
    quiet: bool = False


class Rollout:
    """One task's way over the namespaces; with ``dry_run`` the server only tells what it would do."""

    def __init__(self, client: Client, said: Mapping[str, Any], *, dry_run: bool) -> None:
        """Take the options as ``read_arguments`` gives them."""
        self._client = client
        self._said = said
        self._dry_run = dry_run
        self._everywhere = reaches_everywhere(said["set"], said["prune"])

    def absent(self) -> Outcome:
        """Take back what the set labelled."""
        said, seen = self._said, see(self._client, self._said)
        unseen = f"Labels of the set {said['set']} on namespaces that are not named stay: {seen.unseen}"
        if self._everywhere and seen.unseen and not has_settings(said):
            raise HardeningError(f"Nothing was taken back, since no namespace is named. {unseen}")
        named = [name for name in said["namespaces"] if is_meant(name, said["only"])]
        reached = {*seen.resolution.settings, *named} & set(seen.live)
        meant = {name for name in seen.live if self._everywhere and is_meant(name, said["only"])}
        seen, released = self._released(seen, reached | meant)
        ours = to_clear(seen.live, reached, said["set"], said["only"], everywhere=self._everywhere)
        done = with_written(self._taken_back(seen, ours), released)
        results = [done.get(name) or _unchanged(name) for name in sorted({*reached, *done})]
        return Outcome(results, [], [], [unseen] if self._everywhere and seen.unseen else [])

    def present(self) -> Outcome:
        """Set the labels where the server, and what runs, allow it."""
        said, seen = self._said, see(self._client, self._said)
        seen, released = self._released(seen, {*seen.resolution.settings, *self._left_over(seen)})
        resolution, strict = seen.resolution, said["on_violation"] == "fail"
        others = refused(seen.live, resolution.settings, said["set"])
        settings = {name: each for name, each in resolution.settings.items() if name not in others}
        wanted = {name: marked_labels(each, said["set"]) for name, each in settings.items()}
        done = self._applied(wanted, said["force_conflicts"], resolution.creating, dry_run=True)
        weighed = weigh(self._client, seen.live, settings, done, strict, not self._dry_run, Progress("Pod templates"))
        unsure = {name: each.reason for name, each in weighed.items() if not each.sure}
        done |= {name: replace(done[name], verified=False) for name in unsure}
        held = {name: each.reason for name, each in weighed.items() if strict and each.sure}
        held |= {name: not_labelled_finding(name, sentence) for name, sentence in others.items()}
        done |= {name: self._held(done.get(name) or _unchanged(name), reason) for name, reason in held.items()}
        if not self._dry_run:
            todo = {name: wanted[name] for name, each in done.items() if each.changed and name not in held}
            done |= self._really_applied(todo, done, resolution.creating)
        done = with_written(done | self._taken_back(seen, self._left_over(seen)), released)
        findings = [
            *(finding for each in weighed.values() for finding in each.against),
            *unsure.values(),
            *held.values(),
            *(not_labelled_finding(name, each.error) for name, each in done.items() if each.error and name not in held),
        ]
        warnings = [unsure_warning(unsure)] if unsure else []
        if seen.unseen and self._everywhere:
            warnings.append(f"Nothing is taken back from namespaces that cannot be seen: {seen.unseen}")
        wrong = resolution_findings(resolution, "pod_security")
        results = [done[name] for name in sorted(done)]
        return Outcome(results, findings, wrong, warnings, quiet=said["on_violation"] == "proceed")

    def _taken_back(self, seen: Seen, names: Iterable[str]) -> Results:
        """Apply nothing at all where something was applied: the server takes away what no other manager owns."""
        ours = [name for name in names if owned_fields(seen.live[name], MANAGER)]
        return self._applied({name: {} for name in ours}, False)

    def _released(self, seen: Seen, names: set[str]) -> tuple[Seen, Results]:
        """What is seen once the labels are gone that a killed run left, and what that did; other sets' stay."""
        others = refused(seen.live, names, self._said["set"]).keys()
        done = release(self._client, seen.live, names - others, self._dry_run)
        if not done or self._dry_run:
            return seen, done
        try:
            return see(self._client, self._said), done
        except KubeError:
            # What comes next fails as well, and is told together with what was done.
            return seen, done

    def _left_over(self, seen: Seen) -> list[str]:
        if not has_settings(self._said) or not self._everywhere:
            return []
        return left_over(seen.live, seen.resolution.settings, self._said["set"], self._said["only"])

    def _really_applied(self, wanted: Labels, previews: Results, creating: frozenset[str]) -> Results:
        """The previews come true. A new namespace is made first, by a manager that does not take its mark back."""
        new = [marked_namespace(name, self._said["set"]) for name in wanted if name in creating]
        made = {each.name: each for each in applied(self._client, new, ApplyOptions(NAMESPACE_MANAGER))}
        failed = {name: each for name, each in made.items() if each.error}
        todo = {name: labels for name, labels in wanted.items() if name not in failed}
        done = self._applied(todo, self._said["force_conflicts"])
        for name in creating & done.keys():
            if why := done[name].error:
                error = f"The namespace was created, but not labelled: {why}"
                done[name] = replace(done[name], diff=made[name].diff, error=error)
            else:
                done[name] = replace(done[name], action="created", diff=previews[name].diff)
        return {**done, **failed}

    def _applied(
        self, wanted: Labels, force: bool, creating: frozenset[str] = frozenset(), dry_run: bool = False
    ) -> Results:
        """One result a namespace, in the order of the labels; only those in ``creating`` may come into being."""
        options = ApplyOptions(manager=MANAGER, dry_run=dry_run or self._dry_run, force=force)
        done: Results = {}
        for may_create in (False, True):
            names = [name for name in wanted if (name in creating) is may_create]
            objects = [namespace_object(name, wanted[name]) for name in names]
            choice = replace(options, existing_only=not may_create)
            done |= dict(
                zip(names, applied(self._client, objects, choice, Progress("Pod Security labels")), strict=True)
            )
        return {name: done[name] for name in wanted}

    def _held(self, preview: ObjectResult, finding: Finding) -> ObjectResult:
        """What becomes of a namespace that is not written: a failure, and in check mode nothing."""
        if self._dry_run:
            return replace(preview, action="unchanged", diff={})
        return replace(preview, action="failed", diff={}, error=f"{finding.evidence} ({finding.remedy})")


def _unchanged(name: str) -> ObjectResult:
    return ObjectResult("v1", "Namespace", "", name, "unchanged", {})


def about_violations(results: Iterable[ObjectResult]) -> set[str]:
    """Those of the results' warnings, as a task tells them, that are about what running pods break."""
    return {
        f"{each.label}: {text}"
        for each in results
        for text in each.warnings
        if text not in existing_pods(each.warnings).other
    }
