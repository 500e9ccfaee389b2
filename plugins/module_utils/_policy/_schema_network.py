# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy says of the pod network."""

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_network_policy import (
    POLICIES,
    POLICY_DEFINITIONS,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import RISKS

RESERVED_PEER_KEYS = ("pods", "namespace", "namespaces", "cidr", "except", "api_server", "any")

_LABELS: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"format": "label-key"},
    "additionalProperties": {"type": "string", "format": "label-value"},
}


def _labels(description: str, example: dict[str, str]) -> dict[str, Any]:
    return {**_LABELS, "description": description, "examples": [example]}


_DECLARED_PEER: dict[str, Any] = {
    "additionalProperties": False,
    "properties": {
        "pods": _labels("Pods with these labels; `{}` is every pod.", {"app": "frontend"}),
        "namespace": {
            "type": "string",
            "format": "namespace-name",
            "description": "The pods of another namespace, by its name.",
            "examples": ["monitoring"],
        },
        "namespaces": _labels(
            "The pods of all namespaces with these labels; `{}` is every namespace.", {"team": "payments"}
        ),
        "cidr": {
            "type": "string",
            "format": "cidr",
            "description": "Addresses outside the cluster.",
            "examples": ["10.20.0.0/16"],
        },
        "except": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "cidr"},
            "description": "Parts of `cidr` that are left out.",
            "examples": [["10.20.30.0/24"]],
        },
        "api_server": {
            "type": "boolean",
            "enum": [True],
            "description": "The cluster's API servers, at the addresses that they have now.",
            "examples": [True],
        },
        "any": {
            "type": "boolean",
            "enum": [True],
            "description": "Anyone, inside the cluster and outside.",
            "examples": [True],
        },
    },
}

_PEER: dict[str, Any] = {
    "type": "object",
    "if": {"x-has-any": [*RESERVED_PEER_KEYS]},
    "then": _DECLARED_PEER,
    "else": _LABELS,
}

_FLOW: dict[str, Any] = {
    "type": "object",
    "required": ["from", "to"],
    "additionalProperties": False,
    "properties": {
        "from": {
            "$ref": "#/$defs/peer",
            "description": "Who opens the connection: labels of pods in this namespace, or one of the forms below.",
            "examples": [{"app": "frontend"}],
        },
        "to": {
            "$ref": "#/$defs/peer",
            "description": "Who is connected to: labels of pods in this namespace, or one of the forms below.",
            "examples": [{"app": "backend"}],
        },
        "ports": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "port"},
            "uniqueItems": True,
            "description": (
                "Ports of the pods that are connected to (not of a Service), by number, name or range, "
                "with their protocol; without a protocol: TCP. Without `ports`: every port."
            ),
            "examples": [["8080/TCP", "http/TCP", "8000-8100/TCP", "53/UDP"]],
        },
    },
}

NETWORK: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "x-check": "allow_needs_deny",
    "description": "Which traffic the pods of the namespace may have.",
    "examples": [{"default_deny": ["ingress", "egress"], "dns": True}],
    "properties": {
        "default_deny": {
            "type": "array",
            "items": {"type": "string", "enum": ["ingress", "egress"]},
            "uniqueItems": True,
            "description": "The directions in which everything is denied that is not allowed here.",
            "examples": [["ingress", "egress"]],
        },
        "dns": {
            "anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/dns"}],
            "description": (
                "Whether pods may ask the cluster's DNS, by UDP and TCP; "
                "as a mapping also a DNS cache on the nodes, which has an address of its own."
            ),
            "examples": [True],
        },
        "allow": {
            "type": "array",
            "items": {"$ref": "#/$defs/flow"},
            "description": "The flows that are allowed. A flow between pods opens both of its sides.",
            "examples": [[{"from": {"app": "frontend"}, "to": {"app": "backend"}, "ports": ["8080/TCP"]}]],
        },
        "policies": POLICIES,
        "accept_risks": {
            "type": "array",
            "items": {"type": "string", "enum": [*RISKS]},
            "uniqueItems": True,
            "description": (
                "What a default deny may cut off in this namespace. A deny that would take DNS from pods, or cut off "
                "an admission webhook, an aggregated API, a CRD conversion, an Ingress, a route of the Gateway API "
                "(`gateway`), a Route of OpenShift, a LoadBalancer or a NodePort is refused unless that risk is named "
                "here. So is what `policies` would close of what is open now."
            ),
            "examples": [["node_port"]],
        },
    },
}

NETWORK_DEFINITIONS: dict[str, Any] = {
    "dns": {
        "type": "object",
        "required": ["node_local"],
        "additionalProperties": False,
        "properties": {
            "node_local": {
                "type": "string",
                "format": "ip-address",
                "description": "The address of the DNS cache on each node.",
                "examples": ["169.254.20.10"],
            },
        },
    },
    "flow": _FLOW,
    "peer": _PEER,
    **POLICY_DEFINITIONS,
}

PROBE: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "description": "The short-lived pods by which a default deny is proved.",
    "examples": [{"image": "registry.example/busybox:1.37", "namespaces": "all"}],
    "properties": {
        "image": {
            "type": "string",
            "format": "container-image",
            "description": "The image of the probe pods: it needs a shell, `nc` and `sleep`, and must run as any user.",
            "examples": ["registry.example/busybox:1.37"],
        },
        "namespaces": {
            "anyOf": [
                {"type": "string", "enum": ["all"]},
                {"type": "integer", "minimum": 1},
                {"type": "array", "items": {"type": "string", "format": "namespace-name"}, "uniqueItems": True},
            ],
            "description": (
                "Where probes run: `all` namespaces with a default deny, a sample of so many of them, or those listed. "
                "Without it: `all`, which takes minutes where there are many. The findings of the others say that they "
                "rest on the sample, since all share the pod network that enforces. "
                "Where none runs, the default deny is not proved and its status is unknown."
            ),
            "examples": [3],
        },
    },
}
