# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cluster that a walk can meet, and all that can happen to it: the walk ends in the goal and breaks nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement, product

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Action,
    Facts,
    Goal,
    Server,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._walk import next_step

from tests.unit.plugins.module_utils._encryption.cluster import (
    KEYS,
    NONE,
    RESOURCE,
    Cluster,
    Node,
    canonical,
    carried_out,
    configurations,
    facts_of,
    happenings,
    kill,
    load,
    subsets,
    write_decided,
    writes,
)
from tests.unit.plugins.module_utils._encryption.invariants import watch

Belief = Callable[[Facts, str], Facts]
"""What a broken walk takes for granted, instead of looking."""


@dataclass(frozen=True, slots=True)
class Universe:
    """Which keys there are, which one shall write in the end, and how much may happen."""

    letters: str
    new: str
    servers: int
    only_loaded: bool = False
    may_stop: bool = False
    automatic_reload: bool = True
    vault: bool = False
    belief: Belief | None = None
    steps_taken: dict[Cluster, list[Step]] = field(default_factory=dict)

    def starts(self) -> Iterator[Cluster]:
        """Every combination of what servers have loaded, what lies on their nodes, and what etcd holds."""
        every = configurations(self.letters)
        loaded = [*every, None] if self.may_stop else every
        pairs = [(file, one) for file, one in product(every, loaded) if file == one or not self.only_loaded]
        nodes = [Node(file, one) for file, one in pairs]
        for chosen in combinations_with_replacement(nodes, self.servers):
            writing = frozenset(writes(node.loaded) for node in chosen if node.loaded is not None)
            for stored in subsets(self.letters):
                for flying in dict.fromkeys((NONE, NONE if self.only_loaded else frozenset(self.letters) - writing)):
                    yield canonical(Cluster(chosen, stored, flying, vault=NONE if self.vault else None))

    def steps(self, cluster: Cluster) -> list[Step]:
        """The next step, for every order of the nodes where the walk takes one of several."""
        seen = cluster._replace(stored=NONE, flying=NONE)
        if seen not in self.steps_taken:
            self.steps_taken[seen] = self._steps(seen)
        return self.steps_taken[seen]

    def _steps(self, cluster: Cluster) -> list[Step]:
        step = self._step(cluster, 0)
        if step.action not in (Action.CONFIGURE, Action.TRY) or len(step.servers) == len(cluster.nodes):
            return [step]
        return [step, *(self._step(cluster, first) for first in range(1, len(cluster.nodes)))]

    def _step(self, cluster: Cluster, begin_with: int) -> Step:
        goal = Goal({RESOURCE: KEYS[self.new]})
        facts = facts_of(cluster, goal, self.letters, begin_with, self.automatic_reload)
        return next_step(self.belief(facts, self.new) if self.belief else facts, goal)

    def is_reached(self, cluster: Cluster) -> bool:
        end = "" if self.new == "I" else self.new
        there = all(node.file == node.loaded == end for node in cluster.nodes)
        return there and cluster.stored | cluster.flying <= {self.new}


@dataclass
class Explored:
    """All clusters that came up, and to each the one that comes next when nobody interferes."""

    starts: int
    next: dict[Cluster, Cluster | None]
    broken: dict[str, tuple[Cluster, Cluster]]
    refused: list[tuple[Cluster, str]]


def explore(universe: Universe, until: str = "") -> Explored:
    """Go through everything, or until the invariant is broken."""
    waiting = list(dict.fromkeys(universe.starts()))
    found = Explored(len(waiting), dict.fromkeys(waiting), {}, [])
    while waiting and until not in found.broken:
        cluster = waiting.pop()
        doings = _doings(universe, cluster, found)
        after = [*happenings(cluster, universe.may_stop), *doings]
        broken = watch(cluster)
        for each in after:
            for invariant in broken(each):
                found.broken.setdefault(invariant, (cluster, each))
        for known in map(canonical, (*after, kill(cluster))):
            if known not in found.next:
                found.next[known] = None
                waiting.append(known)
        found.next[cluster] = canonical(doings[-1]) if doings else None
    return found


def _doings(universe: Universe, cluster: Cluster, found: Explored) -> list[Cluster]:
    """What the walk, or the human whom it asks, does next."""
    if doing := write_decided(cluster):
        return doing
    steps = universe.steps(cluster)
    first = steps[0]
    if first.action is Action.REFUSE:
        stopped = [place for place, node in enumerate(cluster.nodes) if node.loaded is None]
        if not stopped:
            found.refused.append((cluster, first.why))
        return [load(cluster, place) for place in stopped]
    if first.action is Action.FINISH:
        return []
    return [after for step in reversed(steps) for after in carried_out(cluster, step)]


def never_ending(universe: Universe, found: Explored) -> list[Cluster]:
    """The clusters from which the walk does not come to the goal, though nobody interferes any more."""
    good = {cluster for cluster, after in found.next.items() if after is None and universe.is_reached(cluster)}
    bad = []
    for start in found.next:
        path: dict[Cluster, None] = {}
        cluster: Cluster | None = start
        while cluster is not None and cluster not in good and cluster not in path:
            path[cluster] = None
            cluster = found.next[cluster]
        if cluster in good:
            good.update(path)
        else:
            bad.append(start)
    return bad


UNIVERSES = {
    "rotate on one": Universe("AB", "B", 1, may_stop=True),
    "enable on one": Universe("IA", "A", 1, may_stop=True),
    "disable on one": Universe("IA", "I", 1, may_stop=True),
    "rotate": Universe("AB", "B", 3),
    "rotate by restarts": Universe("AB", "B", 2, automatic_reload=False),
    "rotate with a vault": Universe("AB", "B", 2, vault=True),
    "rotate while servers stop": Universe("AB", "B", 2, may_stop=True),
    "rotate with plain text left": Universe("IAB", "B", 2, only_loaded=True),
    "enable": Universe("IA", "A", 2),
    "enable on three": Universe("IA", "A", 3, only_loaded=True),
    "disable": Universe("IA", "I", 2),
    "disable on three": Universe("IA", "I", 3, only_loaded=True),
}


@pytest.mark.parametrize("name", UNIVERSES)
def test_from_everywhere_the_walk_ends_in_the_goal_and_breaks_nothing(name: str) -> None:
    universe = UNIVERSES[name]
    found = explore(universe)
    print(f"{name}: {found.starts} clusters to begin with, {len(found.next)} that they can get into")
    assert found.broken == {}
    assert found.refused == []
    assert never_ending(universe, found) == []


def _all_read_the_new(facts: Facts, new: str) -> Facts:
    def with_new(server: Server) -> Server:
        file, loaded = ({RESOURCE: (*(each or {})[RESOURCE], KEYS[new])} for each in (server.file, server.loaded))
        return replace(server, file=file, loaded=loaded)

    return replace(facts, servers=tuple(map(with_new, facts.servers)))


def _written_is_loaded(facts: Facts, new: str) -> Facts:
    return replace(facts, servers=tuple(replace(server, loaded=server.file) for server in facts.servers))


def _nothing_is_under_way(facts: Facts, new: str) -> Facts:
    return replace(facts, servers=tuple(replace(server, writes_for=10 * facts.grace) for server in facts.servers))


def _etcd_is_clean(facts: Facts, new: str) -> Facts:
    if facts.histogram is None:
        return facts
    seen = replace(facts.histogram, counts={RESOURCE: {KEYS[new].prefix: 1}}, counted={RESOURCE: 1})
    return replace(facts, histogram=seen)


def _no_scan_is_too_old(facts: Facts, new: str) -> Facts:
    return replace(facts, histogram=facts.histogram and replace(facts.histogram, age=0))


def _the_vault_has_it(facts: Facts, new: str) -> Facts:
    return replace(facts, escrow=frozenset(KEYS.values()))


@pytest.mark.parametrize(
    ("belief", "invariant"),
    [
        (_all_read_the_new, "I1"),
        (_written_is_loaded, "I1"),
        (_nothing_is_under_way, "I2"),
        (_etcd_is_clean, "I2"),
        (_no_scan_is_too_old, "I2"),
        (_the_vault_has_it, "I3"),
    ],
)
def test_a_walk_that_takes_something_for_granted_is_caught(belief: Belief, invariant: str) -> None:
    found = explore(Universe("AB", "B", 2, vault=True, belief=belief), until=invariant)
    assert invariant in found.broken


def test_a_walk_that_goes_round_in_circles_is_caught() -> None:
    universe = Universe("AB", "B", 1, belief=lambda facts, _new: replace(facts, histogram=None))
    assert never_ending(universe, explore(universe))
