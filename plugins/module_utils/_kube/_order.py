# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: in which order objects are written, so that each finds there what it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")

_FIRST_TO_LAST: tuple[frozenset[str], ...] = (
    frozenset(("CustomResourceDefinition", "Namespace", "PriorityClass", "RuntimeClass", "StorageClass")),
    frozenset(("LimitRange",)),
    frozenset(("ResourceQuota",)),
    frozenset(("ServiceAccount", "ClusterRole", "Role", "ConfigMap", "Secret", "PersistentVolume", "NetworkPolicy")),
    frozenset(("ClusterRoleBinding", "RoleBinding", "PersistentVolumeClaim", "Service", "ValidatingAdmissionPolicy")),
)
_OTHERS = len(_FIRST_TO_LAST)
_CUSTOM = _OTHERS + 1
_LAST = _OTHERS + 2
_GATES = frozenset(
    (
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    )
)
"""What other writes have to pass: last, so that nothing that it stands on is missing."""

_RANKS: Mapping[str, int] = {
    **{kind: rank for rank, kinds in enumerate(_FIRST_TO_LAST) for kind in kinds},
    **dict.fromkeys(_GATES, _LAST),
}


def rank(obj: Mapping[str, Any]) -> int:
    """Where an object stands: lower ranks are created first and deleted last, equal ranks go together."""
    group = obj["apiVersion"].rpartition("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return _CUSTOM
    return _RANKS.get(obj["kind"], _OTHERS)


def ranked(objects: Iterable[Mapping[str, Any]], *, backwards: bool = False) -> list[list[int]]:
    """The positions of the objects, grouped by rank, in the order in which the groups go."""
    groups: dict[int, list[int]] = {}
    for position, obj in enumerate(objects):
        groups.setdefault(rank(obj), []).append(position)
    return [groups[each] for each in sorted(groups, reverse=backwards)]


def defined_kind(crd: Mapping[str, Any]) -> tuple[str, str]:
    """The group and the kind that a CustomResourceDefinition defines."""
    spec = crd.get("spec") or {}
    return str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))
