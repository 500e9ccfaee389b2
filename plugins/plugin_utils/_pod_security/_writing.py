# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: writes to namespaces so that nothing that was written goes untold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import left_behind
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult

Object = dict[str, Any]
Progress = Callable[[int, int], None]


def applied(
    client: Client, objects: Sequence[Object], options: ApplyOptions, progress: Progress | None = None
) -> list[ObjectResult]:
    """One result for each namespace, in their order.

    What keeps all of them from being applied is the failure of each: the task may have written before, and what came of
    that has to be told.
    """
    try:
        return apply_objects(client, objects, options, progress)
    except KubeError as error:
        return [
            ObjectResult("v1", "Namespace", "", each["metadata"]["name"], "failed", {}, error=str(error))
            for each in objects
        ]


def release(client: Client, live: Mapping[str, Object], names: Iterable[str], dry_run: bool) -> dict[str, ObjectResult]:
    """Take back the labels ``warn`` that a killed run left on these namespaces; a result for each that had one."""
    to_write: dict[str, list[Object]] = {}
    for name in sorted(set(names) & live.keys()):
        for manager, namespace in left_behind(live[name]):
            to_write.setdefault(manager, []).append(namespace)
    done: dict[str, ObjectResult] = {}
    for manager, objects in to_write.items():
        options = ApplyOptions(manager=manager, dry_run=dry_run, existing_only=True)
        done = with_written(done, {each.name: each for each in applied(client, objects, options)})
    return done


def with_written(done: Mapping[str, ObjectResult], besides: Mapping[str, ObjectResult]) -> dict[str, ObjectResult]:
    """The results, with what a write besides came to: a failure counts, and a change where there is no other."""
    return {**done, **{name: _both(done[name], each) if name in done else each for name, each in besides.items()}}


def _both(first: ObjectResult, second: ObjectResult) -> ObjectResult:
    if first.error or (first.changed and not second.error):
        return replace(first, diff=first.diff or second.diff)
    return replace(second, warnings=(*first.warnings, *second.warnings))
