# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: pods of which the server must say that they exceed a quota, and one that fits.

A probe keeps to every LimitRange of the namespace, which would answer before the quota does. It asks for as much as it
limits, which every ratio allows, and where a container may not ask for enough, it has more of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import (
    Amounts,
    Limit,
    resource_behind,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._probe_pod import PROBE_POD, PROBE_PREFIX
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import LARGEST, quantity, written

MOST_CONTAINERS = 1000
"""A pod with more is no request that a server should have to bear."""

_POD_COUNTS = ("pods", "count/pods")
_ALWAYS = ("cpu", "memory")
_HUGE_PAGES = "hugepages-"
_MILLI = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What all LimitRanges together let a container, and a pod, ask for of one resource, in whole units of it."""

    unit: Decimal
    lowest: int = 0
    highest: int | None = None
    lowest_of_pod: int = 0
    highest_of_pod: int | None = None
    needs_amount: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """A pod, by what each of its containers asks for, and the names of a quota that it is to exceed."""

    containers: tuple[Amounts, ...]
    exceeds: tuple[str, ...] = ()

    def pod(self, namespace: str) -> dict[str, Any]:
        """The pod to submit by dry run."""
        (template,) = PROBE_POD["containers"]
        containers = [
            {**template, "name": f"probe-{at}", "resources": {"requests": said, "limits": said}}
            for at, said in enumerate(
                {name: written(amount) for name, amount in each.items()} for each in self.containers
            )
        ]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": PROBE_PREFIX, "namespace": namespace},
            "spec": {**PROBE_POD, "containers": containers},
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """How a quota is to be proved.

    ``exceeding`` are pods that it must refuse. ``fitting`` is one that it must not, ``None`` where ``full`` says why
    there is none. ``counted`` are the names that no single pod can exceed the quota of, ``untried`` those of which one
    could, but too large a one; each with the reason.
    """

    exceeding: tuple[Probe, ...]
    fitting: Probe | None
    full: str
    counted: Mapping[str, str] = field(default_factory=dict)
    untried: Mapping[str, str] = field(default_factory=dict)


def plan(hard: Amounts, used: Amounts, limits: Sequence[Limit]) -> Plan:
    """How to prove a quota of which this much is used, where these limits are in force."""
    left = {name: max(amount - used.get(name, Decimal(0)), Decimal(0)) for name, amount in hard.items()}
    behind = {name: resource_behind(name) for name in hard}
    bounds = {
        name: _bounds(name, limits) for name in sorted({*filter(None, behind.values()), *_ALWAYS, *_limited(limits)})
    }
    full = tuple(name for name in _POD_COUNTS if name in hard and left[name] < 1)
    counted = {name: _why_counted(name) for name in hard if not behind[name] and name not in full}
    untried: dict[str, str] = {}

    def more_than(amounts: Amounts, names: Iterable[str]) -> tuple[Amounts, ...] | None:
        totals: dict[str, int] = {}
        for name in names:
            resource = behind[name]
            totals[resource] = max(totals.get(resource, 0), _units(amounts[name], bounds[resource].unit) + 1)
        return _solved(totals, bounds)

    of_pods = sorted(name for name in hard if behind[name])
    whole = more_than(hard, of_pods)
    if whole:
        exceeding = [Probe(whole, (*of_pods, *full))] if of_pods or full else []
    else:
        exceeding = []
        for names in _by_resource(of_pods, behind):
            # More than all of the quota is asked for rather than more than what is left of it, which changes.
            at_once = more_than(hard, names) or more_than(left, names)
            if at_once:
                exceeding.append(Probe(at_once, (*names, *full)))
                continue
            for name in names:
                alone = more_than(hard, [name]) or more_than(left, [name])
                if alone:
                    exceeding.append(Probe(alone, (name, *full)))
                elif _takes_too_many(_units(left[name], bounds[behind[name]].unit) + 1, bounds[behind[name]]):
                    untried[name] = f"it would take a pod of more than {MOST_CONTAINERS} containers"
                else:
                    counted[name] = _why_out_of_reach(bounds[behind[name]])
        if full and not exceeding:
            smallest = _solved({}, bounds)
            exceeding = [Probe(smallest, full)] if smallest else []
            counted |= {} if smallest else dict.fromkeys(full, "the LimitRanges let in no pod at all")
    fitting = _fitting(left, behind, bounds)
    return Plan(tuple(exceeding), fitting, "" if fitting else _full(left, behind), counted, untried)


def plan_of_scoped(hard: Amounts) -> Plan:
    """How to prove a quota with scopes: which pods fall under it is left to the server, and so is the proof."""
    return Plan((), None, "", dict.fromkeys(hard, "it counts what its scopes hold"))


def _by_resource(names: Iterable[str], behind: Mapping[str, str]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(behind[name], []).append(name)
    return list(found.values())


def _takes_too_many(total: int, bounds: Bounds) -> bool:
    """Whether it is for the number of containers alone that no pod asks for this much."""
    if not bounds.highest or (bounds.highest_of_pod is not None and total > bounds.highest_of_pod):
        return False
    return -(-total // bounds.highest) > MOST_CONTAINERS


def _limited(limits: Iterable[Limit]) -> set[str]:
    return {
        name
        for limit in limits
        if limit.kind != "PersistentVolumeClaim"
        for name in {**limit.max, **limit.min, **limit.ratio}
    }


def unit_of(name: str) -> Decimal:
    """The smallest amount of a resource that a container can ask for; huge pages come whole."""
    if name == "cpu":
        return _MILLI
    return quantity(name.removeprefix(_HUGE_PAGES)) or Decimal(1) if name.startswith(_HUGE_PAGES) else Decimal(1)


def _bounds(name: str, limits: Iterable[Limit]) -> Bounds:
    unit = unit_of(name)
    of: dict[str, list[Limit]] = {"Container": [], "Pod": []}
    for limit in limits:
        of.get(limit.kind, []).append(limit)

    def lowest(kind: str) -> int:
        return max((_units(each.min[name], unit) for each in of[kind] if name in each.min), default=0)

    def highest(kind: str) -> int | None:
        return min((int(each.max[name] / unit) for each in of[kind] if name in each.max), default=None)

    needs_amount = any(name in each.ratio for kind in of.values() for each in kind)
    return Bounds(unit, lowest("Container"), highest("Container"), lowest("Pod"), highest("Pod"), needs_amount)


def _units(amount: Decimal, unit: Decimal) -> int:
    """How many units it takes to have this much."""
    return int((amount / unit).to_integral_value(rounding="ROUND_CEILING"))


def _solved(totals: Mapping[str, int], bounds: Mapping[str, Bounds]) -> tuple[Amounts, ...] | None:
    """Containers that together ask for at least this many units, within all bounds; ``None`` where there are none."""
    count = 1
    for name, each in bounds.items():
        total = max(totals.get(name, 0), each.lowest_of_pod)
        if each.highest:
            count = max(count, -(-total // each.highest))
    if count > MOST_CONTAINERS:
        return None
    containers: list[Amounts] = [{} for _at in range(count)]
    for name, each in bounds.items():
        total = max(totals.get(name, 0), each.lowest_of_pod, count * max(each.lowest, 1))
        share, rest = divmod(total, count)
        if (
            (each.highest is not None and share + (rest > 0) > each.highest)
            or (each.highest_of_pod is not None and total > each.highest_of_pod)
            or total > LARGEST
        ):
            return None
        for at, container in enumerate(containers):
            container[name] = (share + (at < rest)) * each.unit
    return tuple(containers)


def _fitting(left: Amounts, behind: Mapping[str, str], bounds: Mapping[str, Bounds]) -> Probe | None:
    """The smallest pod that the LimitRanges let in, if it fits into what is left."""
    if any(left.get(name, Decimal(1)) < 1 for name in _POD_COUNTS):
        return None
    container: Amounts = {}
    for resource, each in bounds.items():
        smallest = max(each.lowest, each.lowest_of_pod, 1)
        room = min((left[name] for name, of in behind.items() if of == resource), default=None)
        if room is not None and smallest * each.unit > room:
            smallest = 0 if not each.needs_amount and not each.lowest and not each.lowest_of_pod else smallest
        too_much = any(most is not None and smallest > most for most in (each.highest, each.highest_of_pod))
        if too_much or (room is not None and smallest * each.unit > room):
            return None
        container[resource] = smallest * each.unit
    return Probe((container,))


def _full(left: Amounts, behind: Mapping[str, str]) -> str:
    counts = [name for name in _POD_COUNTS if left.get(name, Decimal(1)) < 1]
    names = counts or [name for name, resource in behind.items() if resource]
    return "no pod is left that would fit: " + ", ".join(f"{written(left[name])} left of {name}" for name in names)


def _why_counted(name: str) -> str:
    return "a pod is only one of them" if name in _POD_COUNTS else "it is no resource of containers"


def _why_out_of_reach(bounds: Bounds) -> str:
    if bounds.highest_of_pod is not None:
        return f"a LimitRange lets no pod ask for more than {written(bounds.highest_of_pod * bounds.unit)}"
    return "no pod can ask for more"
