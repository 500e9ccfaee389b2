# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: NetworkPolicies in Kubernetes' own words, as a policy may say them.

The keys and their types stand here, for the documentation and the places of mistakes; the rules between them are those
of ``_shapes/_network_policy.py``.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import PROTOCOLS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import (
    OPERATORS,
    OWN_PREFIX,
    POLICY_TYPES,
)

_SELECTOR = {"$ref": "#/$defs/network_policy_selector"}
_WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
_NOT_OLD = {"podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["old"]}]}}


def _list(name: str, description: str, example: list[Any]) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"$ref": f"#/$defs/network_policy_{name}"},
        "description": description,
        "examples": [example],
    }


def _rule(peers: str, who: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            peers: _list("peer", f"{who} Without any: everyone.", [_WEB]),
            "ports": _list("port", "On which ports of the pods. Without any: every port.", [{"port": 8080}]),
        },
    }


POLICIES: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"format": "network-policy-name"},
    "additionalProperties": {"$ref": "#/$defs/network_policy"},
    "description": (
        "NetworkPolicies in Kubernetes' own words, name to `spec`: those that are there already, which are adopted, "
        f"and what a flow cannot say. No name begins with `{OWN_PREFIX}`."
    ),
    "examples": [{"web": {**_WEB, "ingress": [{"from": [_NOT_OLD]}]}}],
}

POLICY_DEFINITIONS: dict[str, Any] = {
    "network_policy": {
        "type": "object",
        "required": ["podSelector"],
        "additionalProperties": False,
        "x-check": "network_policy",
        "properties": {
            "podSelector": {
                **_SELECTOR,
                "description": "The pods of the namespace that it is for; `{}` is every pod.",
                "examples": [{"matchLabels": {"app": "web"}}],
            },
            "policyTypes": {
                "type": "array",
                "items": {"type": "string", "enum": [*POLICY_TYPES]},
                "uniqueItems": True,
                "description": (
                    "The directions in which these pods are closed but for the rules. "
                    "Without it: `Ingress`, and `Egress` where there are rules for it."
                ),
                "examples": [["Ingress"]],
            },
            "ingress": _list("ingress", "Who may connect to these pods.", [{"from": [_WEB]}]),
            "egress": _list("egress", "To whom these pods may connect.", [{"to": [_WEB]}]),
        },
    },
    "network_policy_ingress": _rule("from", "Who may connect."),
    "network_policy_egress": _rule("to", "Who may be connected to."),
    "network_policy_peer": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "podSelector": {
                **_SELECTOR,
                "description": "Pods, of this namespace or of those of `namespaceSelector`.",
                "examples": [{"matchLabels": {"app": "web"}}],
            },
            "namespaceSelector": {
                **_SELECTOR,
                "description": "Namespaces; without `podSelector`, all of their pods.",
                "examples": [{"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}],
            },
            "ipBlock": {
                "$ref": "#/$defs/network_policy_block",
                "description": "Addresses outside the cluster, with no other key beside it.",
                "examples": [{"cidr": "10.20.0.0/16", "except": ["10.20.30.0/24"]}],
            },
        },
    },
    "network_policy_port": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "protocol": {
                "type": "string",
                "enum": [*PROTOCOLS],
                "description": "The protocol; without it: TCP.",
                "examples": ["TCP"],
            },
            "port": {
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "description": "A number, or the name of a port of the pods' containers. Without it: every port.",
                "examples": [8080, "http"],
            },
            "endPort": {
                "type": "integer",
                "description": "The last port of a range that begins with `port`.",
                "examples": [8090],
            },
        },
    },
    "network_policy_selector": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "matchLabels": {
                "type": "object",
                "propertyNames": {"format": "label-key"},
                "additionalProperties": {"type": "string", "format": "label-value"},
                "description": "Labels, all of which must be there.",
                "examples": [{"app": "web"}],
            },
            "matchExpressions": _list(
                "requirement",
                "Requirements, all of which must be met.",
                [{"key": "tier", "operator": "In", "values": ["web", "api"]}],
            ),
        },
    },
    "network_policy_requirement": {
        "type": "object",
        "required": ["key", "operator"],
        "additionalProperties": False,
        "properties": {
            "key": {
                "type": "string",
                "format": "label-key",
                "description": "The key of a label.",
                "examples": ["tier"],
            },
            "operator": {
                "type": "string",
                "enum": [*OPERATORS],
                "description": "What must hold of the label. `NotIn` also holds where it is missing.",
                "examples": ["In"],
            },
            "values": {
                "type": "array",
                "items": {"type": "string", "format": "label-value"},
                "description": "The values of `In` and `NotIn`.",
                "examples": [["web", "api"]],
            },
        },
    },
    "network_policy_block": {
        "type": "object",
        "required": ["cidr"],
        "additionalProperties": False,
        "properties": {
            "cidr": {"type": "string", "description": "A range of addresses.", "examples": ["10.20.0.0/16"]},
            "except": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Parts of it that are left out.",
                "examples": [["10.20.30.0/24"]],
            },
        },
    },
}
