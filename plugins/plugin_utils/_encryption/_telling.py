# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the terminal and the result say of a walk; keys by their names and fingerprints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._foresee import Foreseen
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import Snapshot
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Action,
    Facts,
    Histogram,
    State,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory

_NOTICE_SECONDS = 5.0
_LOOKING = frozenset({Action.SCAN, Action.LIST, Action.SETTLE, Action.LOAD, Action.TRY, Action.REFUSE, Action.DONE})
"""What changes neither a node nor a value in etcd."""
_LAST_STATE = 8


class Waiting:
    """Tells what is being waited for, at most once every few seconds."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Take what shows a line to the user."""
        self._tell = tell
        self._next = 0.0

    def __call__(self, line: str) -> None:
        """Tell it, if it is time to."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _NOTICE_SECONDS
            self._tell(f"  {line}")


class Rate:
    """Tells how far work has come, how fast it goes, and how long it still takes."""

    def __init__(self, what: str, tell: Callable[[str], None]) -> None:
        """Take the words that stand before the count."""
        self._what = what
        self._tell = tell
        self._began = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """So many of so many are done."""
        rate = done / max(time.monotonic() - self._began, 0.001)
        left = f", {(total - done) / rate:.0f} s left" if rate and total > done else ""
        self._tell(f"{self._what}: {done} of {total}, {rate:.0f}/s{left}")


def line_of(step: Step) -> str:
    """A step as the terminal shows it."""
    where = f" ({', '.join(step.servers)})" if step.servers else ""
    return f"state {int(step.state)} of {_LAST_STATE}, {step.action.value}{where}: {step.why}"


class Account:
    """What a walk has done so far."""

    def __init__(self, memory: Memory) -> None:
        """Begin with nothing done, and with what the walk will remember."""
        self._memory = memory
        self._steps: list[Step] = []
        self._seen: Seen | None = None
        self._first: Histogram | None = None
        self._last: Histogram | None = None
        self._seconds: dict[State, float] = {}
        self._state, self._since = State.PREFLIGHT, time.monotonic()

    def add(self, step: Step, seen: Seen) -> None:
        """A step is about to be done."""
        self._pass_to(step.state)
        self._steps.append(step)
        self._seen = seen
        self._first = self._first or seen.facts.histogram
        self._last = seen.facts.histogram or self._last

    def _pass_to(self, state: State) -> None:
        """What has passed since the last step began was spent on that, and on looking what came of it."""
        now = time.monotonic()
        self._seconds[self._state] = self._seconds.get(self._state, 0) + now - self._since
        self._state, self._since = state, now

    def result(self) -> dict[str, Any]:
        """What the task returns."""
        self._pass_to(self._state)
        return {
            **_told(self._steps),
            "changed": any(step.action not in _LOOKING for step in self._steps),
            "refused": "",
            "objects": self._memory.rewritten,
            "before": _scan_told(self._first),
            "after": _scan_told(self._last),
            "seconds": {state.name.lower(): round(spent, 1) for state, spent in sorted(self._seconds.items())},
            "snapshots": [_snapshot_told(each) for each in self._memory.snapshots],
            "servers": servers_told(self._seen) if self._seen else [],
            "keys": keys_told(self._seen.facts) if self._seen else [],
        }

    def failed(self, error: HardeningError) -> dict[str, Any]:
        """What the task returns where a step was refused or failed."""
        return {**self.result(), "failed": True, "msg": str(error), "refused": str(error)}


def foreseen_result(way: Foreseen, facts: Facts) -> dict[str, Any]:
    """What the task returns in check mode: the way that a walk would take from these facts."""
    told = {
        **_told(way.steps),
        "changed": any(step.action not in _LOOKING for step in way.steps),
        "refused": way.refused,
        "before": _scan_told(facts.histogram),
        "after": _scan_told(None),
        "seconds": {},
        "snapshots": [],
        "servers": [],
        "keys": [],
    }
    return {**told, "failed": True, "msg": way.refused} if way.refused else told


def _told(steps: Iterable[Step]) -> dict[str, Any]:
    done = [step for step in steps if step.action not in (Action.REFUSE, Action.DONE)]
    return {
        "states": list(dict.fromkeys(step.state.name.lower() for step in done)),
        "objects": sum(step.objects for step in done),
        "summary": [line_of(step) for step in done],
    }


def _scan_told(scan: Histogram | None) -> dict[str, Any]:
    """Who wrote what etcd holds, and how much of it there is by the API's count at the same revision."""
    scan = scan or Histogram({}, {})
    return {
        "revision": scan.revision,
        "histogram": {resource: dict(counts) for resource, counts in scan.counts.items()},
        "outdated": dict(scan.outdated),
        "counted": dict(scan.counted),
    }


def _snapshot_told(taken: Snapshot) -> dict[str, Any]:
    return {
        "node": taken.node,
        "path": taken.path,
        "revision": taken.revision,
        "keys": [key.told for key in taken.keys],
    }


def servers_told(seen: Seen) -> list[dict[str, Any]]:
    """What each server says itself that it has loaded."""
    return [{"name": name, "loaded": told.loaded or "", "started": told.started_at} for name, told in seen.told.items()]


def keys_told(facts: Facts) -> list[dict[str, str]]:
    """The keys that any server reads with, those that write first."""
    loaded = [keys for server in facts.servers for keys in (server.loaded or {}).values()]
    ordered = dict.fromkeys([*(keys[0] for keys in loaded), *(key for keys in loaded for key in keys)])
    return [key.told for key in ordered if key != IDENTITY]
