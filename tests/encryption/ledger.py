# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every secret may hold at any moment, written down before and after every write.

A read that lasted from one moment to another is right if it found what was there at some moment between: an API server
reads a single object out of etcd, and a list is as new as what was written before it was asked for.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

ABSENT = 0
"""The generation of a secret that is not there."""
CONTENT_BYTES = 640


@dataclass(slots=True)
class Version:
    """A content that a secret may have had, and when; without an end it may have it still."""

    generation: int
    since: float
    until: float | None = None


class Ledger:
    """The history of every secret. Any number of threads may share it; one at a time writes a secret."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._versions: dict[str, list[Version]] = {}

    def content(self, name: str, generation: int) -> str:
        """What this generation of a secret holds."""
        start = hashlib.sha256(f"{self._seed}/{name}/{generation}".encode()).hexdigest()
        return f"{name} {generation} " + start * (CONTENT_BYTES // len(start))

    def begin(self, name: str, generation: int) -> None:
        """A write is about to be sent: from now on, the secret may hold this."""
        with self._lock:
            history = self._versions.setdefault(name, [Version(ABSENT, 0)])
            history.append(Version(generation, time.monotonic()))

    def done(self, name: str) -> None:
        """The last write that was begun was carried out: the secret holds nothing else any more."""
        with self._lock:
            now = time.monotonic()
            for version in self._versions[name][:-1]:
                version.until = version.until or now

    def refused(self, name: str) -> None:
        """The last write that was begun was certainly not carried out."""
        with self._lock:
            self._versions[name][-1].until = time.monotonic()

    def possible(self, name: str, since: float, until: float) -> set[int]:
        """The generations that a read between two moments may have found."""
        with self._lock:
            return _possible(self._versions[name], since, until)

    def is_right(self, name: str, found: str | None, since: float, until: float) -> bool:
        """Whether a read between two moments may have found this; ``None`` is no secret at all."""
        possible = self.possible(name, since, until)
        return found in {self.content(name, each) if each else None for each in possible}

    def certain(self, since: float, until: float) -> set[str]:
        """The secrets that were there all the time between two moments."""
        with self._lock:
            return {name for name, history in self._versions.items() if ABSENT not in _possible(history, since, until)}

    def names(self, most_absent: int) -> list[str]:
        """All secrets that may be there now, and of those that are certainly gone the last so many."""
        with self._lock:
            now = time.monotonic()
            gone = [name for name, history in self._versions.items() if _possible(history, now, now) == {ABSENT}]
            left_out = {*gone[: max(len(gone) - most_absent, 0)]}
            return sorted(self._versions.keys() - left_out)

    def known(self, names: Iterable[str]) -> set[str]:
        """Those of these names that were ever begun."""
        with self._lock:
            return {name for name in names if name in self._versions}


def _possible(history: Iterable[Version], since: float, until: float) -> set[int]:
    return {each.generation for each in history if each.since <= until and (each.until is None or each.until >= since)}
