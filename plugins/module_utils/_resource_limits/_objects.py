# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the LimitRange and the ResourceQuota that settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import (
    FIELDS,
    LIMITS_NAME,
    QUOTA_NAME,
    TYPES,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts

Object = dict[str, Any]

MANAGER = "hardening.kubernetes/resource_limits"


def objects(namespace: str, settings: Mapping[str, Any]) -> list[Object]:
    """The LimitRanges and ResourceQuotas that the settings of a namespace ask for."""
    ranges = {LIMITS_NAME: settings.get("limits"), **(settings.get("limit_ranges") or {})}
    hard = settings.get("quota")
    quotas = {QUOTA_NAME: {"hard": hard} if hard else None, **(settings.get("quotas") or {})}
    return [
        *(_limit_range(namespace, name, said) for name, said in ranges.items() if said and any(said.values())),
        *(_resource_quota(namespace, name, said) for name, said in quotas.items() if said),
    ]


def _limit_range(namespace: str, name: str, said: Mapping[str, Any]) -> Object:
    limits = [
        {"type": TYPES[kind], **{FIELDS[field]: dict(amounts) for field, amounts in limit.items() if amounts}}
        for kind, limit in said.items()
        if limit
    ]
    return _object("LimitRange", namespace, name, {"limits": limits})


def _resource_quota(namespace: str, name: str, said: Mapping[str, Any]) -> Object:
    spec: Object = {"hard": dict(said["hard"])}
    if said.get("scopes"):
        spec["scopes"] = list(said["scopes"])
    if said.get("scope_selector"):
        spec["scopeSelector"] = {"matchExpressions": [_requirement(each) for each in said["scope_selector"]]}
    return _object("ResourceQuota", namespace, name, spec)


def _requirement(said: Mapping[str, Any]) -> Object:
    values = {"values": list(said["values"])} if said.get("values") else {}
    return {"scopeName": said["scope_name"], "operator": said["operator"], **values}


def is_scoped(quota: Mapping[str, Any]) -> bool:
    """Whether a ResourceQuota counts some of the namespace's objects alone."""
    spec = quota.get("spec") or {}
    return bool(spec.get("scopes") or spec.get("scopeSelector"))


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
