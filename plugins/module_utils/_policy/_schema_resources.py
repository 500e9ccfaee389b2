# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy says of quotas and limits."""

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import FIELDS_OF, OPERATORS, SCOPES


def _amounts(names: str, description: str, example: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"format": names},
        "additionalProperties": {"type": "string", "format": "quantity"},
        "description": description,
        "examples": [example],
    }


_FIELDS: dict[str, tuple[str, dict[str, str]]] = {
    "max": ("The most that one may ask for.", {"cpu": "2", "memory": "4Gi"}),
    "min": ("The least that one may ask for.", {"cpu": "10m", "memory": "16Mi"}),
    "default": (
        "The limit of a container that says none. Without it: `max`.",
        {"cpu": "500m", "memory": "256Mi"},
    ),
    "default_request": (
        "The request of a container that says none. Without it: `default`, else `min`.",
        {"cpu": "100m", "memory": "128Mi"},
    ),
    "max_limit_request_ratio": ("How many times its request a limit may be.", {"cpu": "4"}),
}


def _limit(kind: str, what: str, names: str, example: dict[str, Any]) -> dict[str, Any]:
    fields = FIELDS_OF[kind]
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "description": f"What {what}.",
        "examples": [example],
        "properties": {
            field: _amounts(names, _FIELDS[field][0], {"storage": "10Gi"} if names == "storage" else _FIELDS[field][1])
            for field in fields
        },
    }


LIMITS: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "description": "The LimitRange of the namespace: what each single container, pod and claim may ask for.",
    "examples": [{"container": {"default": {"memory": "256Mi"}, "default_request": {"cpu": "100m"}}}],
    "properties": {
        "container": _limit(
            "container",
            "each container may ask for, and gets where it says nothing",
            "container-resource",
            {"max": {"cpu": "2"}, "default_request": {"cpu": "100m"}},
        ),
        "pod": _limit(
            "pod", "all containers of a pod may ask for together", "container-resource", {"max": {"memory": "8Gi"}}
        ),
        "persistent_volume_claim": _limit(
            "persistent_volume_claim", "each claim may ask for", "storage", {"max": {"storage": "10Gi"}}
        ),
    },
}

_SCOPE = {"type": "string", "enum": [*SCOPES]}

_HARD = _amounts(
    "quota-name",
    "What it allows, as its `spec.hard`.",
    {"pods": "10"},
)

QUOTAS: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"format": "quota-object"},
    "additionalProperties": {
        "type": "object",
        "required": ["hard"],
        "additionalProperties": False,
        "properties": {
            "hard": _HARD,
            "scopes": {
                "type": "array",
                "minItems": 1,
                "items": _SCOPE,
                "description": "What is counted alone: objects that all of these scopes hold.",
                "examples": [["NotTerminating"]],
            },
            "scope_selector": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["scope_name", "operator"],
                    "additionalProperties": False,
                    "properties": {
                        "scope_name": {**_SCOPE, "description": "A scope.", "examples": ["PriorityClass"]},
                        "operator": {
                            "type": "string",
                            "enum": [*OPERATORS],
                            "description": "How it is compared.",
                            "examples": ["In"],
                        },
                        "values": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "words"},
                            "description": "What it is compared with, for `In` and `NotIn`.",
                            "examples": [["high"]],
                        },
                    },
                },
                "description": "The same with values: the `matchExpressions` of its `spec.scopeSelector`.",
                "examples": [[{"scope_name": "PriorityClass", "operator": "In", "values": ["high"]}]],
            },
        },
    },
    "description": (
        "ResourceQuotas under names of their own, beside `quota`: those that are there already, and those with scopes. "
        "One with scopes is proved by what the server counts, not by pods."
    ),
    "examples": [{"team-a": {"hard": {"pods": "10"}, "scopes": ["NotTerminating"]}}],
}

RESOURCES: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "x-check": "limits_in_order",
    "description": "What the namespace may use at most, and what each of its pods may. The LimitRange is set first.",
    "examples": [{"quota": {"requests.cpu": "4", "pods": "20"}}],
    "properties": {
        "quota": _amounts(
            "quota-name",
            "The ResourceQuota of the namespace, as its `spec.hard`: what all pods may ask for together, "
            "and how many objects there may be. A quota on cpu or memory refuses every pod that does not say what it "
            "asks for, unless `limits.container` has a default for it.",
            {"requests.cpu": "4", "limits.memory": "8Gi", "count/deployments.apps": "10"},
        ),
        "limits": LIMITS,
        "quotas": QUOTAS,
        "limit_ranges": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"format": "limit-range"},
            "additionalProperties": LIMITS,
            "description": "LimitRanges under names of their own, beside `limits`, each with the keys of `limits`.",
            "examples": [{"team-a": {"container": {"max": {"cpu": "2"}}}}],
        },
    },
}

ON_VIOLATION: dict[str, Any] = {
    "type": "string",
    "enum": ["fail", "warn", "proceed"],
    "description": (
        "What happens when something runs already above a quota that is about to be set, or would be refused at its "
        "next restart. `fail` sets nothing there and fails, `warn` sets and warns, `proceed` sets. Without it: `fail`."
    ),
    "examples": ["warn"],
}
