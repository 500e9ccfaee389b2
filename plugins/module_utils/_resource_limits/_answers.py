# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the server's answer to a probe says of quotas and LimitRanges.

The words are those of kube-apiserver 1.34 to 1.37: ``admission/plugin/resourcequota`` and ``admission/limitranger``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._answerers import answerer, is_not_permitted
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import quantity

# Anchored: a webhook that quotes these words has its own before them.
_FORBIDDEN = r'(?:pods|persistentvolumeclaims) "[^"]*" is forbidden: '
_EXCEEDED = re.compile(
    _FORBIDDEN + r"exceeded quota: (?P<quota>[^,]+), requested: (?P<requested>.*), used: (?P<used>.*), "
    r"limited: (?P<limited>.*)"
)
_FAILED = re.compile(_FORBIDDEN + r"failed quota: (?P<quota>[^:]+): (?P<reason>must specify .*)")
_STATUS_UNKNOWN = re.compile(_FORBIDDEN + r"status unknown for quota: (?P<quota>[^,]+), ")
_LIMITED = re.compile(_FORBIDDEN + r"\[?(?P<reason>(?:minimum|maximum) \S+ usage per .*|\S+ max limit to request .*)")
_VIOLATES = re.compile(_FORBIDDEN + "violates PodSecurity ")
_BOUND = re.compile(r"(?P<what>minimum|maximum) (?P<resource>\S+) usage per (?P<kind>\S+) is (?P<amount>\w+(?:\.\w+)?)")
_RATIO = re.compile(r"(?P<resource>\S+) max limit to request ratio per (?P<kind>\S+) is (?P<amount>\w+(?:\.\w+)?)")

Kind = Literal["admitted", "exceeded", "failed", "status_unknown", "limited", "not_permitted", "other"]


@dataclass(frozen=True, slots=True, order=True)
class Bound:
    """A bound of a LimitRange: ``what`` is ``minimum``, ``maximum`` or ``ratio``."""

    kind: str
    what: str
    resource: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server made of one probe.

    ``exceeded``: the quota refused it, with what is ``requested``, ``used`` and ``limited`` of each resource that was
    exceeded. ``failed``: the quota wants something said. ``status_unknown``: nobody has counted for the quota yet.
    ``limited``: a LimitRange refused it, for ``bounds``. ``not_permitted``: RBAC does not let us ask. ``other``:
    ``by`` answered. ``reason`` holds the words.
    """

    kind: Kind
    by: str = ""
    reason: str = ""
    quota: str = ""
    requested: dict[str, Decimal] = field(default_factory=dict)
    used: dict[str, Decimal] = field(default_factory=dict)
    limited: dict[str, Decimal] = field(default_factory=dict)
    bounds: frozenset[Bound] = frozenset()


def reply(status: int, message: str) -> Reply:
    """Read the server's answer to a creation: HTTP status, and the Status object's message."""
    if 200 <= status < 300:
        return Reply("admitted")
    if status != 403:
        return Reply("other", answerer(message), message)
    if found := _EXCEEDED.fullmatch(message):
        requested, used, limited = (_amounts(found[name]) for name in ("requested", "used", "limited"))
        return Reply("exceeded", _quota(found), message, found["quota"], requested, used, limited)
    if found := _FAILED.fullmatch(message):
        return Reply("failed", _quota(found), found["reason"], found["quota"])
    if found := _STATUS_UNKNOWN.match(message):
        return Reply("status_unknown", _quota(found), message, found["quota"])
    if found := _LIMITED.match(message):
        reason = found["reason"].removesuffix("]")
        return Reply("limited", "a LimitRange of the namespace", reason, bounds=_bounds(reason))
    if is_not_permitted(message):
        return Reply("not_permitted", "RBAC", message)
    return Reply("other", "Pod Security" if _VIOLATES.match(message) else answerer(message), message)


def _quota(found: re.Match[str]) -> str:
    return f"the ResourceQuota {found['quota']}"


def _bounds(reason: str) -> frozenset[Bound]:
    found = [
        (each["kind"], each["what"], each["resource"], quantity(each["amount"])) for each in _BOUND.finditer(reason)
    ]
    found += [(each["kind"], "ratio", each["resource"], quantity(each["amount"])) for each in _RATIO.finditer(reason)]
    return frozenset(
        Bound(kind, what, resource, amount) for kind, what, resource, amount in found if amount is not None
    )


def _amounts(said: str) -> dict[str, Decimal]:
    """``requests.cpu=5,pods=1`` as numbers."""
    pairs = (each.partition("=") for each in said.split(","))
    return {name: amount for name, _equals, value in pairs if (amount := quantity(value)) is not None}
