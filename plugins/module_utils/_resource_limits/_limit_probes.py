# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: pods and claims of which the server must say that they break a LimitRange.

The server tells everything that a pod breaks of one LimitRange at once, so that few pods show all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._answers import Bound
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import (
    Amounts,
    Limit,
    resource_behind,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._quota_probes import unit_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import COMPUTE
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._probe_pod import PROBE_POD, PROBE_PREFIX
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts, written

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Breaking:
    """A pod or a claim, and the bounds that it breaks."""

    obj: Object
    breaks: frozenset[Bound]


@dataclass(frozen=True, slots=True)
class Saying:
    """A pod that leaves ``requests`` and ``limits`` to the LimitRange, and these amounts that it must get."""

    obj: Object
    requests: Amounts
    limits: Amounts

    def missing_in(self, kept: Mapping[str, Any]) -> str:
        """What the pod that the server would keep did not get, in words; empty where it got all."""
        wrong = []
        for container in (kept.get("spec") or {}).get("containers") or ():
            said = container.get("resources") or {}
            for side, wanted in (("requests", self.requests), ("limits", self.limits)):
                got = amounts(said.get(side))
                wrong += [
                    f"its {side[:-1]} of {name} is {_told(got, name)}, not {written(amount)}"
                    for name, amount in wanted.items()
                    if got.get(name) != amount
                ]
        return "; ".join(dict.fromkeys(wrong))


def breaking(namespace: str, limits: Iterable[Limit]) -> list[Breaking]:
    """What breaks every bound of these limits, which are those of one LimitRange."""
    found: list[Breaking] = []
    by_kind = {limit.kind: limit for limit in limits}
    container, pod, claim = (by_kind.get(kind) for kind in ("Container", "Pod", "PersistentVolumeClaim"))
    if container or pod:
        found += _pods(namespace, container, pod)
    if claim:
        found += _claims(namespace, claim)
    return found


def _pods(namespace: str, container: Limit | None, pod: Limit | None) -> list[Breaking]:
    above: Amounts = {}
    for limit in filter(None, (container, pod)):
        for name, amount in limit.max.items():
            above[name] = max(above.get(name, Decimal(0)), amount + unit_of(name))
    several = [(above, above)] if above else []
    breaks = {
        Bound(each.kind, "maximum", name, each.max[name]) for each in (container, pod) if each for name in each.max
    }
    if container:
        below = _below(container)
        ratio = _beyond_ratio(container)
        several += [(below, _not_overcommitted(below))] if below else []
        several += [ratio] if ratio[0] else []
        breaks |= _low(container, below) | _ratios(container)
    found = [Breaking(_pod(namespace, several), frozenset(breaks))] if several else []
    if pod and (below := _below(pod)):
        found.append(Breaking(_pod(namespace, [(below, below)]), frozenset(_low(pod, below))))
    if pod and (ratio := _beyond_ratio(pod))[0]:
        found.append(Breaking(_pod(namespace, [ratio]), frozenset(_ratios(pod))))
    return found


def _below(limit: Limit) -> Amounts:
    return {name: amount - unit_of(name) for name, amount in limit.min.items() if amount >= unit_of(name)}


def _not_overcommitted(said: Amounts) -> Amounts:
    """The resources whose limit must be their request, or the pod is none."""
    return {name: amount for name, amount in said.items() if name not in COMPUTE}


def _low(limit: Limit, below: Amounts) -> set[Bound]:
    return {Bound(limit.kind, "minimum", name, limit.min[name]) for name in below}


def _ratios(limit: Limit) -> set[Bound]:
    return {Bound(limit.kind, "ratio", name, amount) for name, amount in limit.ratio.items()}


def _beyond_ratio(limit: Limit) -> tuple[Amounts, Amounts]:
    requests = {name: max(limit.min.get(name, Decimal(0)), unit_of(name)) for name in limit.ratio}
    return requests, {name: requests[name] * (ceil(limit.ratio[name]) + 1) for name in limit.ratio}


def _claims(namespace: str, limit: Limit) -> list[Breaking]:
    found = []
    for what, bounds, step in (("maximum", limit.max, 1), ("minimum", limit.min, -1)):
        amount = bounds.get("storage")
        if amount is not None and amount + step > 0:
            breaks = frozenset({Bound(limit.kind, what, "storage", amount)})
            found.append(Breaking(_claim(namespace, amount + step), breaks))
    return found


def rivals(own: Iterable[Limit], others: Iterable[Limit]) -> list[str]:
    """Where other LimitRanges have defaults too, and not the same: which one a container gets is up to chance."""
    ours = next((limit for limit in own if limit.kind == "Container"), None)
    return [
        f"the {what} of {name} is {written(amount)} here and {written(theirs[name])} in the LimitRange {each.of}"
        for each in others
        if ours and each.kind == "Container"
        for what, said, theirs in (
            ("default", ours.default, each.default),
            ("default request", ours.default_request, each.default_request),
        )
        for name, amount in said.items()
        if theirs.get(name, amount) != amount
    ]


def saying_nothing(
    namespace: str, limits: Sequence[Limit], others: Sequence[Limit], hard: Iterable[str]
) -> Saying | None:
    """A pod that says nothing of what these limits have defaults for; ``None`` where they have none.

    Of what ``others``, or a quota of these names, want said besides, it asks for the least.
    """
    own = next((limit for limit in limits if limit.kind == "Container"), None)
    if own is None or not (own.default or own.default_request):
        return None
    defaulted = {*own.default, *own.default_request}
    least: Amounts = {}
    for name in {
        *filter(None, map(resource_behind, hard)),
        *(name for each in others for name in each.min),
    } - defaulted:
        lowest = [each.min[name] for each in others if name in each.min]
        least[name] = max([unit_of(name), *lowest])
    count = 1
    for limit in (*limits, *others):
        if limit.kind == "Pod":
            for name, amount in limit.min.items():
                each = own.default_request.get(name)
                count = max(count, ceil(amount / each)) if each else count
    # Where a default limit is all that is said, the API takes it for no request: the LimitRange has one of its own.
    return Saying(_pod(namespace, [(least, least)] * count), dict(own.default_request), dict(own.default))


def _pod(namespace: str, containers: Iterable[tuple[Amounts, Amounts]]) -> Object:
    (template,) = PROBE_POD["containers"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": PROBE_PREFIX, "namespace": namespace},
        "spec": {
            **PROBE_POD,
            "containers": [
                {**template, "name": f"probe-{at}", "resources": {"requests": _said(requests), "limits": _said(limits)}}
                for at, (requests, limits) in enumerate(containers)
            ],
        },
    }


def _claim(namespace: str, amount: Decimal) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"generateName": PROBE_PREFIX, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            # Of no class, so that nothing stands between the claim and the LimitRange.
            "storageClassName": "",
            "resources": {"requests": {"storage": written(amount)}},
        },
    }


def _told(got: Amounts, name: str) -> str:
    return written(got[name]) if name in got else "missing"


def _said(said: Amounts) -> dict[str, str]:
    return {name: written(amount) for name, amount in said.items()}
