# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: waits for many objects at once, with one deadline for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._live import Key, LiveReader
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ready import Readiness, readiness
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import Resource

Awaited = tuple[Resource, Key]
Judge: TypeAlias = "Callable[[Mapping[str, Any] | None], Readiness]"

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_GROWTH = 1.5


def is_ready(live: Mapping[str, Any] | None) -> Readiness:
    """For objects that should be there and work."""
    return Readiness("it is not there") if live is None else readiness(live)


def is_gone(live: Mapping[str, Any] | None) -> Readiness:
    """For objects that should not be there."""
    if live is None:
        return Readiness()
    finalizers = (live.get("metadata") or {}).get("finalizers") or (live.get("spec") or {}).get("finalizers")
    return Readiness(f"it is still there, held by {', '.join(finalizers)}" if finalizers else "it is still there")


def wait_for(
    client: Client,
    objects: Iterable[Awaited],
    judge: Judge,
    seconds: float,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Awaited, str]:
    """Poll until all are as they should be; returns what the others still wait for when time is up, or is hopeless."""
    waiting = dict.fromkeys(objects, "")
    total, hopeless = len(waiting), {}
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while waiting:
        for each, judged in _judged(client, waiting, judge).items():
            if judged.ready or judged.hopeless:
                del waiting[each]
            if judged.hopeless:
                hopeless[each] = judged.waits_for
            elif not judged.ready:
                waiting[each] = judged.waits_for
        left = deadline - time.monotonic()
        if not waiting or left <= 0:
            break
        if progress:
            progress(total - len(waiting), total)
        time.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)
    return {**{each: f"after {seconds:g} s {why}" for each, why in waiting.items()}, **hopeless}


def _judged(client: Client, waiting: Iterable[Awaited], judge: Judge) -> dict[Awaited, Readiness]:
    judged = {each: judge(None) for each in waiting}
    wanted: dict[Resource, set[Key]] = {}
    for resource, key in judged:
        wanted.setdefault(resource, set()).add(key)

    def found(resource: Resource, key: Key, live: dict[str, Any]) -> None:
        judged[resource, key] = judge(live)

    reader = LiveReader(client, found)
    reader.read(wanted)
    for each, error in reader.failed.items():
        judged[each] = Readiness(str(error), hopeless=True)
    return judged
