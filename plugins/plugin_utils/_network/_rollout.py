# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: carries a plan of NetworkPolicies out, in the order in which nothing breaks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError, Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import Policy
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import Step, reference
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import in_force
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult

Progress = Callable[[int, int], None]
Results = list[ObjectResult]
Key = tuple[str, str]

_TAKEN_BACK = "It was taken back, since without the others it would close all that it does not name."
_STILL_THERE = "It is still there and keeps everything open that it names: run again."


def carry_out(
    client: Client, steps: Mapping[str, Step], options: ApplyOptions, progress: Progress | None = None
) -> Results:
    """Write and remove what the steps say; the results of all but the gates, which come and go within the run.

    A gate has a result where it failed, had to stay, or was left by another run. Where the server goes away in between,
    what was not done is told as failed; raises KubeError only where nothing was done at all.
    """
    return _Rollout(client, steps, options, progress).results()


class _Rollout:
    def __init__(
        self, client: Client, steps: Mapping[str, Step], options: ApplyOptions, progress: Progress | None
    ) -> None:
        self._client, self._steps, self._options, self._progress = client, steps, options, progress
        self._failed: dict[str, ObjectResult] = {}
        self._away: KubeError | None = None
        self._done_any = False
        # Check mode has no moment in between that a gate would have to stand in front of.
        self._gates = {} if options.dry_run else {_key(gate): gate for step in steps.values() for gate in step.gates}
        self._left = {_key(gate): gate for step in steps.values() for gate in step.stale_gates}

    def results(self) -> Results:
        gates = self._write(self._gates.values())
        allows = self._write(self._of_sound(lambda step: step.opening_allows))
        allows += self._write(self._of_sound(lambda step: step.closing_allows))
        denies = self._write(self._denies())
        kept = self._held_back({(each.namespace, each.name) for each in (*allows, *denies)})
        broken = dict(self._failed)
        gone = self._remove(self._of_sound(lambda step: step.stale_denies))
        gone += self._remove(self._of_sound(lambda step: step.stale_allows))
        allows, not_taken_back = self._taken_back(allows, broken)
        staying = self._staying(broken, _failures([*not_taken_back, *gone]), denies, gone)
        removed = self._remove(
            reference(gate) for key, gate in {**self._left, **self._gates}.items() if key not in staying
        )
        if self._away and not self._done_any:
            raise self._away
        return [
            *(each for each in gates if each.action == "failed"),
            *allows,
            *denies,
            *kept,
            *gone,
            *staying.values(),
            *(replace(each, error=f"{_STILL_THERE} {each.error}") for each in removed if each.action == "failed"),
            *(each for each in removed if each.action != "failed" and (each.namespace, each.name) in self._left),
        ]

    def _denies(self) -> list[Policy]:
        """What closes, where everything before went well; what stands already closes nothing more."""
        return [
            step.deny
            for name, step in self._steps.items()
            if step.deny and (step.deny_stands or name not in self._failed)
        ]

    def _of_sound(self, pick: Callable[[Step], Sequence[Policy]]) -> list[Policy]:
        """What to do in the namespaces where everything before went well."""
        return [policy for name, step in self._steps.items() if name not in self._failed for policy in pick(step)]

    def _write(self, policies: Iterable[Policy]) -> Results:
        return self._noted(list(policies), self._options)

    def _remove(self, policies: Iterable[Policy]) -> Results:
        return self._noted(list(policies), replace(self._options, state="absent"))

    def _noted(self, policies: list[Policy], options: ApplyOptions) -> Results:
        results = self._tried(policies, options) if policies else []
        for each in results:
            if each.action == "failed":
                self._failed.setdefault(each.namespace, each)
            else:
                self._done_any = True
        return results

    def _tried(self, policies: list[Policy], options: ApplyOptions) -> Results:
        """Each thing that could not even be tried is a failure of its own; a server that left is asked no more."""
        try:
            if self._away is None:
                return apply_objects(self._client, policies, options, self._progress)
            error = self._away
        except KubeError as raised:
            error = raised
            # A refusal is told of what it refused; of a server that left it is the whole story.
            if isinstance(raised, Unreachable) or not self._done_any:
                self._away = raised
        return [_failed(policy, str(error)) for policy in policies]

    def _held_back(self, written: Collection[Key]) -> Results:
        """What is not written, since it would close what could not be opened."""
        return [
            _failed(policy, f"It is not written, since {cause.label} failed: it would close what that opens.")
            for name, cause in self._failed.items()
            for policy in (*self._steps[name].closing_allows, self._steps[name].deny)
            if policy and _key(policy) not in written
        ]

    def _taken_back(self, allows: Results, broken: Collection[str]) -> tuple[Results, Results]:
        """Without the deny, what opens a flow for a pod would alone close all else for it; so it goes again.

        All that this run made, where the direction was not denied for every pod before. The results of what was
        written, and those of the deletions.
        """
        made = {(each.namespace, each.name) for each in allows if each.action == "created"}
        lone = [
            policy
            for name in broken
            for policy in self._steps[name].allows
            if (name, policy["metadata"]["name"]) in made and not _directions(policy) <= self._steps[name].was_denied
        ]
        gone = self._remove(map(reference, lone)) if not self._options.dry_run else []
        errors = {(each.namespace, each.name): each.error for each in gone}
        return [
            replace(each, action="failed", diff={}, error=_told_back(errors[key])) if key in errors else each
            for each in allows
            for key in [(each.namespace, each.name)]
        ], gone

    def _staying(
        self,
        broken: Mapping[str, ObjectResult],
        left: Mapping[str, ObjectResult],
        denies: Results,
        gone: Results,
    ) -> dict[Key, ObjectResult]:
        """The gates without which something would close that has to stay open."""
        staying = {}
        for key, gate in {**self._left, **self._gates}.items():
            namespace = key[0]
            if namespace in left and self._open_without(gate, denies, gone):
                why = f"Without it, {left[namespace].label}, which could not be removed, would close"
            elif namespace in broken and key in self._left:
                why = f"Without it, and since {broken[namespace].label} failed, what another run wrote would close"
            else:
                continue
            staying[key] = _failed(gate, f"{_STILL_THERE} {why} what it does not name.")
        return staying

    def _open_without(self, gate: Policy, denies: Results, gone: Results) -> bool:
        """Whether the goal, or what was before, is open where the gate stands."""
        namespace = _key(gate)[0]
        step = self._steps[namespace]
        written = any(each.action != "failed" for each in _of(namespace, denies))
        deny_left = any(
            each.action == "failed" and each.name in {policy["metadata"]["name"] for policy in step.stale_denies}
            for each in _of(namespace, gone)
        )
        changed = step.deny if written else None
        denied = _directions(changed) if changed else step.was_denied if deny_left or step.deny else frozenset()
        return not _directions(gate) <= denied


def _key(policy: Policy) -> Key:
    return policy["metadata"]["namespace"], policy["metadata"]["name"]


def _told_back(error: str) -> str:
    return f"It could not be taken back, and closes all that it does not name: {error}" if error else _TAKEN_BACK


def _failed(policy: Policy, error: str) -> ObjectResult:
    metadata = policy["metadata"]
    return ObjectResult(
        policy["apiVersion"], policy["kind"], metadata["namespace"], metadata["name"], "failed", {}, error=error
    )


def _directions(policy: Policy) -> frozenset[Direction]:
    return frozenset(in_force(policy).rules)


def _of(namespace: str, results: Iterable[ObjectResult]) -> Results:
    return [each for each in results if each.namespace == namespace]


def _failures(results: Iterable[ObjectResult]) -> dict[str, ObjectResult]:
    """The first failure of each namespace."""
    found: dict[str, ObjectResult] = {}
    for each in results:
        if each.action == "failed":
            found.setdefault(each.namespace, each)
    return found
