# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a walk would do if every step went well, for check mode and for who watches it.

The configurations on the way are also what a run that was cut off compares a server's hash with: a server may still
have loaded one that lies on no node any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._goals import intent_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Action,
    Facts,
    Goal,
    Histogram,
    Providers,
    Server,
    State,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import writers_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._walk import next_step


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The steps in their order. The last one is ``DONE``, or ``REFUSE`` with the reason."""

    steps: tuple[Step, ...]

    @property
    def states(self) -> tuple[State, ...]:
        """The states that are walked through, each once, where something is done in them."""
        return tuple(dict.fromkeys(step.state for step in self.steps if step.action is not Action.REFUSE))

    @property
    def refused(self) -> str:
        """Why the walk would not come to the goal; empty where it would."""
        return self.steps[-1].why if self.steps[-1].action is Action.REFUSE else ""

    @property
    def objects(self) -> int:
        """How many values would be rewritten."""
        return sum(step.objects for step in self.steps)

    @property
    def configurations(self) -> tuple[Providers, ...]:
        """Every configuration that is written on the way, in the order of the walk."""
        found: list[Providers] = []
        for step in self.steps:
            found.extend(file for file in step.files.values() if file not in found)
        return tuple(found)


def foresee(facts: Facts, goal: Goal) -> Foreseen:
    """The walk from these facts, as nobody else would change anything in between. Needs a scan of etcd."""
    steps = [next_step(facts, goal)]
    while steps[-1].action not in (Action.DONE, Action.REFUSE):
        facts = _DONE[steps[-1].action](facts, goal, steps[-1])
        steps.append(next_step(facts, goal))
    return Foreseen(tuple(steps))


def _with_servers(facts: Facts, names: tuple[str, ...], change: Callable[[Server], Server]) -> Facts:
    servers = (change(server) if server.name in names else server for server in facts.servers)
    return replace(facts, servers=tuple(servers))


def _begun(facts: Facts, goal: Goal, _step: Step) -> Facts:
    return replace(facts, intent=intent_of(facts, goal))


def _kept(facts: Facts, _goal: Goal, step: Step) -> Facts:
    escrow = facts.escrow if facts.escrow is None else facts.escrow.union(step.keys)
    kept = _with_servers(facts, step.servers, lambda server: replace(server, kept=server.kept.union(step.keys)))
    return replace(kept, escrow=escrow)


def _configured(facts: Facts, _goal: Goal, step: Step) -> Facts:
    return _with_servers(facts, step.servers, lambda server: replace(server, file=step.files[server.name]))


def _loaded(facts: Facts, goal: Goal, step: Step) -> Facts:
    def load(server: Server) -> Server:
        writes_for = server.writes_for if _first(server.loaded, goal) == _first(server.file, goal) else 0
        return replace(server, loaded=server.file, writes_for=writes_for, canary=False, listed=False)

    return _with_servers(facts, step.servers, load)


def _first(providers: Providers | None, goal: Goal) -> Mapping[str, object]:
    return {} if providers is None else writers_of(providers, goal)


def _tried(facts: Facts, _goal: Goal, step: Step) -> Facts:
    return _with_servers(facts, step.servers, lambda server: replace(server, canary=True))


def _settled(facts: Facts, _goal: Goal, step: Step) -> Facts:
    """Time passes, for the last scan too."""
    scan = facts.histogram and replace(facts.histogram, age=facts.histogram.age + step.seconds)
    servers = tuple(replace(server, writes_for=server.writes_for + step.seconds) for server in facts.servers)
    return replace(facts, servers=servers, histogram=scan)


def _scanned(facts: Facts, _goal: Goal, _step: Step) -> Facts:
    return replace(facts, histogram=replace(facts.histogram or Histogram({}, {}), age=0))


def _reencrypted(facts: Facts, goal: Goal, _step: Step) -> Facts:
    counts = {
        resource: {key.prefix: sum((facts.histogram.counts if facts.histogram else {}).get(resource, {}).values())}
        for resource, key in goal.write.items()
    }
    totals = {resource: sum(found.values()) for resource, found in counts.items()}
    return replace(facts, histogram=Histogram(counts, totals, age=inf))


def _listed(facts: Facts, _goal: Goal, step: Step) -> Facts:
    return _with_servers(facts, step.servers, lambda server: replace(server, listed=True))


def _scrubbed(facts: Facts, _goal: Goal, _step: Step) -> Facts:
    return replace(facts, scrubbed=True)


def _finished(facts: Facts, _goal: Goal, _step: Step) -> Facts:
    return replace(facts, intent=None)


_DONE: Mapping[Action, Callable[[Facts, Goal, Step], Facts]] = {
    Action.BEGIN: _begun,
    Action.KEEP_KEY: _kept,
    Action.CONFIGURE: _configured,
    Action.LOAD: _loaded,
    Action.TRY: _tried,
    Action.SETTLE: _settled,
    Action.SCAN: _scanned,
    Action.REENCRYPT: _reencrypted,
    Action.LIST: _listed,
    Action.SCRUB: _scrubbed,
    Action.FINISH: _finished,
}
"""What the facts are after a step that went well."""
