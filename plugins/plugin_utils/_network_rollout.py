# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: carries a plan of NetworkPolicies out, in the order in which nothing breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import Policy
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import Step
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult

Progress = Callable[[int, int], None]


def carry_out(
    client: Client, steps: Mapping[str, Step], *, dry_run: bool, force: bool, progress: Progress | None = None
) -> list[ObjectResult]:
    """Write and remove what the steps say; the results of all but the gates, which come and go within the run.

    Raises KubeError where the server goes away in between: gates that then stand keep their namespaces as open as
    they were, and the next run goes on.
    """
    return _Rollout(client, steps, ApplyOptions(MANAGER, dry_run=dry_run, force=force), progress).results()


class _Rollout:
    def __init__(
        self, client: Client, steps: Mapping[str, Step], options: ApplyOptions, progress: Progress | None
    ) -> None:
        self._client, self._steps, self._options, self._progress = client, steps, options, progress
        self._failed: dict[str, ObjectResult] = {}
        # Check mode has no moment in between that a gate would have to stand in front of.
        self._gates = {} if options.dry_run else {name: step.gate for name, step in steps.items() if step.gate}

    def results(self) -> list[ObjectResult]:
        gates = self._write(self._gates.values())
        allows = self._write(self._of_sound(lambda step: step.allows))
        denies = self._write(self._of_sound(lambda step: (step.deny,) if step.deny else ()))
        kept = [self._held_back(name) for name in self._failed if self._steps[name].deny and not _among(name, denies)]
        gone = self._remove(self._of_sound(lambda step: step.stale_denies))
        gone += self._remove(self._of_sound(lambda step: step.stale_allows))
        allows = self._taken_back(allows)
        still_there = self._remove(gate for gate in self._gates.values())
        return [
            *(each for each in (*gates, *still_there) if each.action == "failed"),
            *allows,
            *denies,
            *kept,
            *gone,
        ]

    def _of_sound(self, pick: Callable[[Step], Sequence[Policy]]) -> list[Policy]:
        """What to do in the namespaces where everything before went well."""
        return [policy for name, step in self._steps.items() if name not in self._failed for policy in pick(step)]

    def _write(self, policies: Iterable[Policy]) -> list[ObjectResult]:
        return self._noted(list(policies), self._options)

    def _remove(self, policies: Iterable[Policy]) -> list[ObjectResult]:
        return self._noted(list(policies), replace(self._options, state="absent"))

    def _noted(self, policies: list[Policy], options: ApplyOptions) -> list[ObjectResult]:
        results = apply_objects(self._client, policies, options, self._progress) if policies else []
        for each in results:
            if each.action == "failed":
                self._failed.setdefault(each.namespace, each)
        return results

    def _held_back(self, namespace: str) -> ObjectResult:
        """The deny that is not written, since it would close what could not be opened."""
        deny, cause = self._steps[namespace].deny, self._failed[namespace]
        name = deny["metadata"]["name"] if deny else ""
        error = f"It is not written, since {cause.label} failed: it would close what that opens."
        return ObjectResult(cause.api_version, cause.kind, namespace, name, "failed", {}, error=error)

    def _taken_back(self, allows: list[ObjectResult]) -> list[ObjectResult]:
        """Without the deny, what opens a flow for a pod would alone close all else for it; so it goes again.

        Only where a gate stood, that is where the namespace was open before.
        """
        lone = [
            each for each in allows if each.namespace in self._gates.keys() & self._failed and each.action == "created"
        ]
        objects = [
            {
                "apiVersion": each.api_version,
                "kind": each.kind,
                "metadata": {"name": each.name, "namespace": each.namespace},
            }
            for each in lone
        ]
        self._remove(objects)
        told = "It was taken back, since without the others it would close all that it does not name."
        return [replace(each, action="failed", diff={}, error=told) if each in lone else each for each in allows]


def _among(namespace: str, results: Iterable[ObjectResult]) -> bool:
    return any(each.namespace == namespace for each in results)
