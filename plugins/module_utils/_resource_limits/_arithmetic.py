# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a pod asks for, and what LimitRanges and quotas make of it.

The rules are those of ``plugin/pkg/admission/limitranger`` and of ``pkg/quota/v1/evaluator/core/pods.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import COMPUTE
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts, written

Object = Mapping[str, Any]
Amounts = dict[str, Decimal]

REQUIRED = frozenset(f"{side}{resource}" for side in ("", "requests.", "limits.") for resource in ("cpu", "memory"))
"""A quota on one of these refuses every pod of which any container does not say it."""

_POD_LEVEL = frozenset({"cpu", "memory"})
_HUGE_PAGES = "hugepages-"


@dataclass(frozen=True, slots=True)
class Limit:
    """One item of a LimitRange in force: ``kind`` is Container, Pod or PersistentVolumeClaim, ``of`` its LimitRange."""

    of: str
    kind: str
    max: Amounts
    min: Amounts
    default: Amounts
    default_request: Amounts
    ratio: Amounts


@dataclass(frozen=True, slots=True)
class Container:
    """What one container asks for."""

    name: str
    requests: Amounts
    limits: Amounts
    is_init: bool = False
    is_sidecar: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pod asks for: its containers, and what it says for itself as a whole.

    ``overhead`` is what its RuntimeClass adds: a quota counts it, and a LimitRange does not.
    """

    containers: tuple[Container, ...]
    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)
    overhead: Amounts = field(default_factory=dict)

    def total(self, side: str) -> Amounts:
        """The ``requests`` or ``limits`` that count for the pod: init containers run before the others."""
        running: Amounts = {}
        sidecars: Amounts = {}
        highest: Amounts = {}
        for each in self.containers:
            said = each.requests if side == "requests" else each.limits
            if each.is_sidecar:
                _add(running, said)
                _add(sidecars, said)
                _raise(highest, sidecars)
            elif each.is_init:
                _raise(highest, _sum(said, sidecars))
            else:
                _add(running, said)
        _raise(running, highest)
        whole = self.requests if side == "requests" else self.limits
        return {**running, **{name: amount for name, amount in whole.items() if name in _POD_LEVEL}}


def limits_of(limit_range: Object) -> list[Limit]:
    """The items of a LimitRange in the form that the server keeps."""
    return [
        Limit(
            of=str(limit_range["metadata"]["name"]),
            kind=str(limit["type"]),
            max=amounts(limit.get("max")),
            min=amounts(limit.get("min")),
            default=amounts(limit.get("default")),
            default_request=amounts(limit.get("defaultRequest")),
            ratio=amounts(limit.get("maxLimitRequestRatio")),
        )
        for limit in (limit_range.get("spec") or {}).get("limits") or ()
    ]


def asked(spec: Object, limits: Sequence[Limit] = ()) -> Asked:
    """What a PodSpec asks for once the defaults of these limits are in it."""
    of_containers = [limit for limit in limits if limit.kind == "Container"]
    said = spec.get("resources") or {}
    return Asked(
        tuple(
            _container(each, kind == "initContainers", of_containers)
            for kind in ("initContainers", "containers")
            for each in spec.get(kind) or ()
        ),
        {**amounts(said.get("limits")), **amounts(said.get("requests"))},
        amounts(said.get("limits")),
        amounts(spec.get("overhead")),
    )


def _container(said: Object, is_init: bool, limits: Iterable[Limit]) -> Container:
    resources = said.get("resources") or {}
    highest = amounts(resources.get("limits"))
    # The API itself takes a limit for the request where none is said, before any LimitRange does.
    requests = {**highest, **amounts(resources.get("requests"))}
    for limit in limits:
        highest = {**limit.default, **highest}
        requests = {**limit.default_request, **requests}
    sidecar = is_init and said.get("restartPolicy") == "Always"
    return Container(str(said.get("name", "")), requests, highest, is_init, sidecar)


def refusals(pod: Asked, limits: Iterable[Limit]) -> list[str]:
    """Why these limits refuse a pod, in words like the server's own; empty where they let it in."""
    found: list[str] = []
    for limit in limits:
        if limit.kind == "Container":
            for each in pod.containers:
                found += _broken(limit, each.requests, each.limits)
        elif limit.kind == "Pod":
            found += _broken(limit, pod.total("requests"), pod.total("limits"))
    return list(dict.fromkeys(found))


def _broken(limit: Limit, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, least in limit.min.items():
        said = f"minimum {name} usage per {limit.kind} is {written(least)}"
        if name not in requests:
            yield f"{said}.  No request is specified"
        elif requests[name] < least:
            yield f"{said}, but request is {written(requests[name])}"
        elif name in limits and limits[name] < least:
            yield f"{said}, but limit is {written(limits[name])}"
    for name, most in limit.max.items():
        said = f"maximum {name} usage per {limit.kind} is {written(most)}"
        if name not in limits:
            yield f"{said}.  No limit is specified"
        elif limits[name] > most:
            yield f"{said}, but limit is {written(limits[name])}"
        elif requests.get(name, most) > most:
            yield f"{said}, but request is {written(requests[name])}"
    for name, ratio in limit.ratio.items():
        said = f"{name} max limit to request ratio per {limit.kind} is {written(ratio)}"
        if not requests.get(name) or not limits.get(name):
            yield f"{said}, but no request or no limit is specified or one is 0"
        elif limits[name] > requests[name] * ratio:
            yield f"{said}, but provided ratio is {limits[name] / requests[name]:f}"


def unsaid(pod: Asked, hard: Iterable[str]) -> dict[str, list[str]]:
    """What a quota of these names wants every container to say, and which containers do not."""
    if pod.requests or pod.limits:
        return {}
    missing: dict[str, list[str]] = {}
    for name in sorted(REQUIRED.intersection(hard)):
        side, dot, resource = name.rpartition(".")
        for each in pod.containers:
            if (resource if dot else name) not in (each.limits if side == "limits" else each.requests):
                missing.setdefault(name, []).append(each.name)
    return missing


def usage(pod: Asked) -> Amounts:
    """What a pod uses of a quota, by the quota's names."""
    limits = pod.total("limits")
    # A limit grows by the overhead only where there is one.
    limits = _sum(limits, {name: amount for name, amount in pod.overhead.items() if limits.get(name)})
    requests = _sum(pod.total("requests"), pod.overhead)
    used = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for name, amount in requests.items():
        used[f"requests.{name}"] = amount
        if name in COMPUTE or name.startswith(_HUGE_PAGES):
            used[name] = amount
    used |= {f"limits.{name}": amount for name, amount in limits.items() if name in COMPUTE}
    return used


def resource_behind(name: str) -> str:
    """The resource of containers that a name in a quota limits; empty for what is no resource of theirs."""
    side, dot, rest = name.partition(".")
    if name in COMPUTE or name.startswith(_HUGE_PAGES):
        return name
    if not dot or side not in ("requests", "limits") or rest == "storage" or "/requests." in name:
        return ""
    return rest if rest in COMPUTE or rest.startswith(_HUGE_PAGES) or (side == "requests" and "/" in rest) else ""


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, Decimal(0)) + amount


def _sum(one: Amounts, other: Amounts) -> Amounts:
    total = dict(one)
    _add(total, other)
    return total


def _raise(highest: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        highest[name] = max(highest.get(name, amount), amount)
