# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the goal that follows from what a user asks for and what a cluster has.

A key that already writes, and is of the wanted provider, stays: a configuration that was made by hand is adopted so. An
open journal is finished before another new key is made. So the same command can be given again after any crash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import covers
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Asked,
    Facts,
    Goal,
    Intent,
    Key,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import (
    on_disk,
    possible,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError


class UnclearGoal(HardeningError):
    """What was asked for does not say what shall be."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user asks for: ``new`` is the key that is taken where a new one is needed, of the wanted provider.

    Enabling with another provider than the present one changes the provider. ``resources`` are what is asked for;
    all others stay as they are.
    """

    asked: Asked
    resources: Collection[str]
    new: Key
    keeps: tuple[Key, ...] = ()
    scrub: bool = True


def goal_of(wanted: Wanted, facts: Facts) -> Goal:
    """What shall be, for every resource that is asked for or that a server's configuration names.

    A name that one asked for covers, as ``*.*`` covers ``secrets``, is asked for too.
    """
    configured = {each for server in facts.servers for providers in possible(server) for each in providers}
    covered = {each for each in configured if any(covers(name, each) for name in wanted.resources)}
    write = _asked_for(wanted, facts, covered.union(wanted.resources), configured)
    left = {each: _left_alone(facts, each) for each in sorted(configured - write.keys())}
    return Goal({**left, **write}, wanted.asked, wanted.keeps, wanted.scrub)


def intent_of(facts: Facts, goal: Goal) -> Intent:
    """What the journal says while this goal is walked to; what was there before an open walk stays the way back."""
    if facts.intent and facts.intent.write == goal.write:
        return facts.intent
    return Intent(goal.asked, goal.write, {each: _former(facts, each, key) for each, key in goal.write.items()})


def _asked_for(
    wanted: Wanted, facts: Facts, resources: Collection[str], configured: Collection[str]
) -> Mapping[str, Key]:
    if wanted.asked == "disable":
        return dict.fromkeys({*configured, *resources}, IDENTITY)
    if wanted.asked == "roll_back":
        return _way_back(facts.intent)
    begun = _begun(wanted, facts)
    return {each: begun.get(each) or _key_for(wanted, facts, each, configured) for each in resources}


def _way_back(intent: Intent | None) -> Mapping[str, Key]:
    if intent is None:
        raise UnclearGoal(
            "There is no unfinished change of keys that could be rolled back: a finished one is undone by another"
            " rotation, and enabling by disabling (the role with encryption_at_rest_state: absent)."
        )
    return intent.write if intent.asked == "roll_back" else intent.former


def _begun(wanted: Wanted, facts: Facts) -> Mapping[str, Key]:
    """The new keys of a walk that is to be finished, less those that were lost before anything used them."""
    intent = facts.intent
    if intent is None or intent.asked not in ("enable", "rotate"):
        return {}
    still_there = {key for key in intent.write.values() if not key.has_material or _is_somewhere(facts, key)}
    return {
        resource: key
        for resource, key in intent.write.items()
        if key in still_there and (wanted.asked == "rotate" or key.provider == wanted.new.provider)
    }


def _is_somewhere(facts: Facts, key: Key) -> bool:
    stored = facts.histogram.counts.values() if facts.histogram else ()
    return (
        key in facts.available.union(facts.escrow or (), *map(on_disk, facts.servers))
        or any(key.prefix in counts for counts in stored)
        or any(key in keys for server in facts.servers for keys in (server.loaded or {}).values())
    )


def _key_for(wanted: Wanted, facts: Facts, resource: str, configured: Iterable[str]) -> Key:
    """The one key of the wanted provider that writes it already, else the one that writes others, else a new one."""
    if wanted.asked == "enable":
        for writing in (_writing(facts, resource), set().union(*(_writing(facts, each) for each in configured))):
            fitting = {key for key in writing if key.provider == wanted.new.provider}
            if len(fitting) == 1 and (wanted.new.has_material or fitting == {wanted.new}):
                return fitting.pop()
    return wanted.new


def _left_alone(facts: Facts, resource: str) -> Key:
    writing = _writing(facts, resource)
    if len(writing) > 1:
        told = ", ".join(map(str, sorted(writing)))
        raise UnclearGoal(
            f"The API servers write {resource} with different keys ({told}), and nothing says which one is right: name"
            " this resource too."
        )
    half_way = {
        key
        for server in facts.servers
        for providers in possible(server)
        for key in keys_of(providers, resource)
        if keys_of(providers, resource)[0] == IDENTITY
    } - {IDENTITY}
    if half_way:
        told = ", ".join(map(str, sorted(half_way)))
        raise UnclearGoal(
            f"The API servers write {resource} in plain text and read the {told} too, so some may be encrypted. Name"
            " this resource too, to have it encrypted, or end by hand what was begun there."
        )
    return next(iter(writing))


def _former(facts: Facts, resource: str, new: Key) -> Key:
    """With what it was written before: where servers differ, the key that is not the new one."""
    return min(_writing(facts, resource) - {new}, default=new)


def _writing(facts: Facts, resource: str) -> set[Key]:
    return {keys_of(providers, resource)[0] for server in facts.servers for providers in possible(server)}
