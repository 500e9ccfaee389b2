# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a run has seen and done that a later look cannot tell."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import Snapshot
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Histogram, Key, Providers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence

Proved = tuple[str, str, float]
"""Of what something was proved: a server, the hash of what it has loaded, and when it was started."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How a server was seen to write, and since when (``time.monotonic``)."""

    loaded: Providers
    started: float
    reloads: float
    since: float

    def leads_to(self, later: Writing) -> bool:
        """Whether nothing can have been loaded between these two."""
        if later.started != self.started:
            return later.reloads == 0
        return later.reloads - self.reloads == (0 if later.loaded == self.loaded else 1)


@dataclass(slots=True)
class Memory:
    """What this run has seen and done, and a later one cannot read from anywhere.

    ``scanned`` is when the scan began, ``scan_took`` how long it took (``time.monotonic``). ``bytes`` is the size of
    all values that the scan saw. ``served`` are all resources that the servers store. ``fresh`` are keys that were made
    or fetched and are on no node yet. ``writing`` is how each server was last seen to write, and since when, ``ready``
    which process of it is ready, and since when that was seen. ``forgotten``: etcd has compacted what was there before
    the values were rewritten. ``doubted`` are servers that once counted values that they could not decrypt.
    ``rewritten`` counts the objects that were written anew, ``snapshots`` are those that were taken.
    """

    histogram: Histogram | None = None
    scanned: float = 0
    scan_took: float = 0
    bytes: int = 0
    unscannable: str = ""
    rounds: int = 0
    stuck: tuple[str, ...] = ()
    scrubbed: bool = False
    tried: set[Proved] = field(default_factory=set)
    listed: set[Proved] = field(default_factory=set)
    fresh: dict[Key, KeyMaterial] = field(default_factory=dict)
    escrow: frozenset[Key] | None = None
    obstacles: tuple[str, ...] = ()
    hindrances: tuple[str, ...] = ()
    waited_for: set[str] = field(default_factory=set)
    writing: dict[str, Writing] = field(default_factory=dict)
    ready: dict[str, tuple[float, float]] = field(default_factory=dict)
    forgotten: bool = False
    doubted: set[str] = field(default_factory=set)
    served: frozenset[str] = frozenset()
    rewritten: int = 0
    snapshots: list[Snapshot] = field(default_factory=list)

    def writing_for(self, server: str, loaded: Providers, told: Evidence) -> float:
        """The seconds for which this run has seen a server write with these keys, whatever it has read meanwhile.

        They begin anew where it may have written with others in between: where it was started or has reloaded more
        often than what is known to have changed.
        """
        now = Writing(loaded, told.started_at, told.reload_success, time.monotonic())
        before = self.writing.get(server)
        if before and _write_alike(before.loaded, loaded) and before.leads_to(now):
            now = replace(now, since=before.since)
        self.writing[server] = now
        return time.monotonic() - now.since

    def note_ready(self, server: str, told: Evidence) -> None:
        """Remember since when this process of a server is ready."""
        if not told.ready:
            self.ready.pop(server, None)
        elif self.ready.get(server, (0.0, 0.0))[0] != told.started_at:
            self.ready[server] = told.started_at, time.monotonic()

    def ready_for(self, server: str, told: Evidence, restart_seconds: float) -> float:
        """The seconds for which a server has been ready at least; 0 for one that is not.

        It was seen to be so, or runs for much longer than a start may take.
        """
        started, since = self.ready.get(server, (0.0, 0.0))
        if started != told.started_at or not started:
            return 0.0
        return max(time.monotonic() - since, told.answered_at - told.started_at - restart_seconds)


def _write_alike(one: Providers, other: Providers) -> bool:
    """Whether servers with these configurations write every resource with the same key."""
    return all(keys_of(one, each)[0] == keys_of(other, each)[0] for each in {*one, *other})
