# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the LimitRange and the ResourceQuota that settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import FIELDS, TYPES
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts

Object = dict[str, Any]

MANAGER = "hardening.kubernetes/resource_limits"
LIMITS_NAME = "hardening-limits"
QUOTA_NAME = "hardening-quota"


def limit_range(namespace: str, settings: Mapping[str, Any]) -> Object | None:
    """The LimitRange of a namespace; ``None`` where its settings say nothing of limits."""
    limits = [
        {
            "type": TYPES[kind],
            **{FIELDS[field]: dict(said) for field, said in limit.items() if said},
        }
        for kind, limit in (settings.get("limits") or {}).items()
        if limit
    ]
    return _object("LimitRange", namespace, LIMITS_NAME, {"limits": limits}) if limits else None


def resource_quota(namespace: str, settings: Mapping[str, Any]) -> Object | None:
    """The ResourceQuota of a namespace; ``None`` where its settings say nothing of a quota."""
    hard = settings.get("quota")
    return _object("ResourceQuota", namespace, QUOTA_NAME, {"hard": dict(hard)}) if hard else None


def _object(kind: str, namespace: str, name: str, spec: Object) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two objects of one kind, both in the form that the server keeps, limit the same to the same."""
    return bool(_content(one) == _content(other))


def _content(obj: Mapping[str, Any]) -> Any:
    spec = obj.get("spec") or {}
    if obj["kind"] == "ResourceQuota":
        return amounts(spec.get("hard")), sorted(spec.get("scopes") or ()), spec.get("scopeSelector")
    return {
        limit["type"]: {field: found for field in FIELDS.values() if (found := amounts(limit.get(field)))}
        for limit in spec.get("limits") or ()
    }
