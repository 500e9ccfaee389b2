# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what follows from the facts at once: who reads, who writes, which keys are still needed.

An API server may run with what it has loaded, and from any moment on with what lies on its node: it reloads the file
every minute (``--encryption-provider-config-automatic-reload``), and a container that dies starts with it. So both
count, until they are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Facts,
    Goal,
    Key,
    Providers,
    Server,
)

_NO_KEYS: frozenset[Key] = frozenset()


class Class(IntEnum):
    """How far a configuration is on the way to a goal, in the order of the walk."""

    OLD = 0
    READS_NEW = 1
    WRITES_NEW = 2
    OLD_DROPPED = 3


def writers_of(providers: Providers, goal: Goal) -> dict[str, Key]:
    """By resource of the goal, the key that such a server writes with."""
    return {resource: keys_of(providers, resource)[0] for resource in goal.write}


def class_of(providers: Providers, goal: Goal) -> Class:
    """How far a configuration is, by the resource that is furthest behind."""
    if providers == final(goal):
        return Class.OLD_DROPPED
    return min((_class_of(keys_of(providers, each), key) for each, key in goal.write.items()), default=Class.OLD)


def _class_of(keys: tuple[Key, ...], new: Key) -> Class:
    if keys[0] == new:
        return Class.WRITES_NEW
    return Class.READS_NEW if new in keys else Class.OLD


def final(goal: Goal) -> Providers:
    """The configuration in which the goal's walk ends: none at all where nothing is encrypted any more."""
    if set(goal.write.values()) | set(goal.keeps) <= {IDENTITY}:
        return {}
    return {
        resource: (key, *(each for each in goal.keeps if each != key)) for resource, key in sorted(goal.write.items())
    }


def possible(server: Server) -> Iterator[Providers]:
    """The configurations with which the server may answer now or at any moment."""
    if server.state != "stopped" and server.loaded is not None:
        yield server.loaded
    if server.file is not None:
        yield server.file


def on_disk(server: Server) -> frozenset[Key]:
    """The keys that this node holds, in its configuration or its key file."""
    return server.kept.union(*(server.file or {}).values())


def is_pending(server: Server) -> bool:
    """Whether the server has yet to load what lies on its node."""
    return server.loaded != server.file


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts and the goal, with what follows from both.

    ``used`` are, by resource, the keys that something in etcd is encrypted with or may be at any moment. ``known`` are
    all keys that anything names, by their prefix.
    """

    facts: Facts
    goal: Goal
    used: Mapping[str, frozenset[Key]]
    known: Mapping[str, Key]

    @property
    def obtainable(self) -> frozenset[Key]:
        """The keys that can be written into a file now."""
        return self.facts.available.union(*map(on_disk, self.facts.servers))

    def lacking(self, wanted: Mapping[str, frozenset[Key]]) -> tuple[Server, ...]:
        """The servers whose file does not read all of these."""
        return tuple(
            server
            for server in self.facts.servers
            if any(not keys.issubset(keys_of(server.file or {}, resource)) for resource, keys in wanted.items())
        )

    def pending(self) -> tuple[Server, ...]:
        """The running servers that have yet to load what lies on their node."""
        return tuple(server for server in self.facts.servers if is_pending(server))

    def writers(self, server: Server) -> dict[str, Key]:
        """By resource, the key that this server writes with now, or will when it starts."""
        return writers_of((server.file if server.state == "stopped" else server.loaded) or {}, self.goal)

    def reading_all(self, writers: Mapping[str, Key]) -> Providers:
        """A configuration that writes with these, and reads what any server reads, what is used and what is new."""
        return {resource: (first, *self._others(resource, first)) for resource, first in sorted(writers.items())}

    def _others(self, resource: str, first: Key) -> list[Key]:
        """The same order for every server, so that equal configurations are equal bytes; ``identity`` goes last."""
        keys = {self.goal.write[resource]} | self.used.get(resource, _NO_KEYS)
        for server in self.facts.servers:
            for providers in possible(server):
                keys.update(keys_of(providers, resource))
        obtainable = self.obtainable
        keys = {key for key in keys - {first} if key in obtainable or not key.has_material}
        return sorted(keys, key=lambda key: (key == IDENTITY, key))

    def stragglers(self) -> int:
        """How many values were not written with the key that the goal says."""
        if self.facts.histogram is None:
            return 0
        of = self.facts.histogram
        return sum(of.outdated.values()) + sum(
            number
            for resource, key in self.goal.write.items()
            for prefix, number in of.counts.get(resource, {}).items()
            if prefix != key.prefix
        )


def standing(facts: Facts, goal: Goal) -> Standing:
    """What follows from the facts for this goal."""
    known = {key.prefix: key for key in _named(facts, goal)}
    used = {resource: _used(resource, facts, known) for resource in goal.write}
    return Standing(facts, goal, used, known)


def _used(resource: str, facts: Facts, known: Mapping[str, Key]) -> frozenset[Key]:
    stored = facts.histogram.counts.get(resource, {}) if facts.histogram else {}
    writing = {keys_of(providers, resource)[0] for server in facts.servers for providers in possible(server)}
    return frozenset(writing | {known[prefix] for prefix, number in stored.items() if number and prefix in known})


def _named(facts: Facts, goal: Goal) -> Iterable[Key]:
    """Every key that anything names."""
    yield IDENTITY
    yield from facts.available
    yield from facts.escrow or ()
    yield from goal.write.values()
    yield from goal.keeps
    for server in facts.servers:
        yield from server.kept
        for providers in possible(server):
            for keys in providers.values():
                yield from keys


def clashes(facts: Facts, goal: Goal) -> list[tuple[Key, Key]]:
    """Keys that share provider and name, and not their bytes: etcd does not tell which of them wrote a value."""
    first: dict[str, Key] = {}
    return [(first[key.prefix], key) for key in _named(facts, goal) if first.setdefault(key.prefix, key) != key]
