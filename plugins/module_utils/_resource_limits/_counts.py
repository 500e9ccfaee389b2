# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a quota counts beside pods, and how much of it objects use.

After the documentation of resource quotas: «Quota on object count», «Storage resource quota».
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts

Object = Mapping[str, Any]
_CLASS_OF_CLAIM = "volume.beta.kubernetes.io/storage-class"
_OF_CLASS = ".storageclass.storage.k8s.io/"
_COUNT = "count/"


@dataclass(frozen=True, slots=True)
class Counted:
    """What a name of a quota counts: objects by group and plural, and what each of them uses.

    ``whole``: whether that is told by more of an object than its metadata.
    """

    group: str
    plural: str
    use: Callable[[Object], Decimal]
    whole: bool = True


def _one(_obj: Object) -> Decimal:
    return Decimal(1)


def _is_load_balancer(service: Object) -> Decimal:
    return Decimal((service.get("spec") or {}).get("type") == "LoadBalancer")


def _node_ports(service: Object) -> Decimal:
    return Decimal(sum(1 for port in (service.get("spec") or {}).get("ports") or () if port.get("nodePort")))


def _storage(claim: Object) -> Decimal:
    """The larger of what is asked for and what is allocated, as the quota's own count takes it."""
    asked = amounts(((claim.get("spec") or {}).get("resources") or {}).get("requests"))
    allocated = amounts((claim.get("status") or {}).get("allocatedResources"))
    return max(asked.get("storage", Decimal(0)), allocated.get("storage", Decimal(0)))


def _only_of(name: str, use: Callable[[Object], Decimal]) -> Callable[[Object], Decimal]:
    def of_class(claim: Object) -> Decimal:
        annotated = (claim["metadata"].get("annotations") or {}).get(_CLASS_OF_CLAIM)
        told = annotated or (claim.get("spec") or {}).get("storageClassName")
        return use(claim) if told == name else Decimal(0)

    return of_class


_BY_NAME: Mapping[str, Counted] = {
    **{
        plural: Counted("", plural, _one, whole=False)
        for plural in ("configmaps", "persistentvolumeclaims", "resourcequotas", "secrets", "services")
    },
    "services.loadbalancers": Counted("", "services", _is_load_balancer),
    "services.nodeports": Counted("", "services", _node_ports),
    "requests.storage": Counted("", "persistentvolumeclaims", _storage),
}


def counted_by(name: str) -> Counted | None:
    """What a name like ``services.nodeports`` or ``count/widgets.example.com`` counts; ``None``: nothing known here."""
    if known := _BY_NAME.get(name):
        return known
    if name.startswith(_COUNT):
        plural, _dot, group = name.removeprefix(_COUNT).partition(".")
        return Counted(group, plural, _one, whole=False)
    storage_class, of_class, rest = name.partition(_OF_CLASS)
    claims = _BY_NAME.get(rest)
    if of_class and claims and claims.plural == "persistentvolumeclaims":
        return Counted("", claims.plural, _only_of(storage_class, claims.use))
    return None


def used(counted: Counted, objects: Iterable[Object]) -> Decimal:
    """How much of it these objects use."""
    return sum(map(counted.use, objects), Decimal(0))


def names_to_count(quotas: Sequence[Object]) -> list[str]:
    """The names of ResourceQuotas without scopes that objects beside pods count towards, in order."""
    specs = [each["spec"] for each in quotas]
    unscoped = [spec for spec in specs if not spec.get("scopes") and not spec.get("scopeSelector")]
    return sorted({name for spec in unscoped for name in spec.get("hard") or () if counted_by(name)})
