# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the schema of the policy file, JSON Schema 2020-12, with a fragment for each domain.

``format`` names a form in ``_formats``, ``x-check`` a rule between several values in ``_checks``; ``x-has-any`` holds
where one of its keys is there. Every property has a description and an example, from which docs/policy-reference.md is
made.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_access import (
    ACCESS,
    ACCESS_DEFINITIONS,
    CLUSTER_ACCESS,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_encryption import ENCRYPTION
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_network import (
    NETWORK,
    NETWORK_DEFINITIONS,
    PROBE,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_pod_security import (
    ON_VIOLATION,
    POD_SECURITY,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_resources import (
    ON_VIOLATION as RESOURCES_ON_VIOLATION,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_resources import (
    RESOURCES,
)

Schema = dict[str, Any]

_SETTINGS: Schema = {"pod_security": POD_SECURITY, "network": NETWORK, "resources": RESOURCES, "access": ACCESS}

_NAMESPACE: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "create": {
            "type": "boolean",
            "description": "Whether the namespace is created where it is missing. Without it, that is a failure.",
            "examples": [True],
        },
        **_SETTINGS,
    },
}

_SELECTED: Schema = {
    "type": "object",
    "required": ["selector"],
    "additionalProperties": False,
    "x-check": "says_settings",
    "properties": {
        "selector": {
            "type": "string",
            "format": "label-selector",
            "description": "A label selector over namespaces. One that matches no namespace is a failure.",
            "examples": ["team=payments"],
        },
        **_SETTINGS,
    },
}

_DEFAULTS: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "exempt": {
            "type": "array",
            "items": {"type": "string", "format": "namespace-glob"},
            "uniqueItems": True,
            "description": "Namespaces, by name or glob, that neither `defaults` nor `selected` reaches.",
            "examples": [["sandbox-*"]],
        },
        **_SETTINGS,
    },
}

_CLUSTER: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "pod_security": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "description": "How Pod Security is rolled out in the whole cluster.",
            "examples": [{"on_violation": "warn"}],
            "properties": {"on_violation": ON_VIOLATION},
        },
        "network": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "description": "How the pod network is proved in the whole cluster.",
            "examples": [{"probe": {"namespaces": 3}}],
            "properties": {"probe": PROBE},
        },
        "access": CLUSTER_ACCESS,
        "resources": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "description": "How quotas and limits are rolled out in the whole cluster.",
            "examples": [{"on_violation": "warn"}],
            "properties": {"on_violation": RESOURCES_ON_VIOLATION},
        },
        "encryption": ENCRYPTION,
    },
}

_WAIVER: Schema = {
    "type": "object",
    "required": ["control", "reason", "owner", "expires"],
    "additionalProperties": False,
    "x-check": "one_subject",
    "properties": {
        "control": {
            "type": "string",
            "format": "control",
            "description": "The control whose failure is accepted.",
            "examples": ["pod_security.running_comply"],
        },
        "subject": {
            "type": "string",
            "format": "words",
            "description": "The subject, exactly as the finding names it. Either this or `subject_glob`.",
            "examples": ["Deployment/monitoring/node-exporter"],
        },
        "subject_glob": {
            "type": "string",
            "format": "words",
            "description": (
                "Several subjects, by a glob (`*`, `?`, `[abc]`) that fits part by part between slashes. "
                "Either this or `subject`."
            ),
            "examples": ["Pod/monitoring/node-exporter-*"],
        },
        "reason": {
            "type": "string",
            "format": "words",
            "description": "Why the failure is accepted.",
            "examples": ["reads the host's metrics by design"],
        },
        "owner": {
            "type": "string",
            "format": "words",
            "description": "Who answers for it.",
            "examples": ["platform team"],
        },
        "expires": {
            "type": "string",
            "format": "day",
            "description": "The last day on which the waiver holds, in UTC. From the next day on, the failure counts.",
            "examples": ["2027-03-01"],
        },
    },
}

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "hardening.kubernetes policy",
    "type": "object",
    "required": ["policy_version", "name"],
    "additionalProperties": False,
    "x-check": "says_something",
    "properties": {
        "policy_version": {
            "type": "integer",
            "enum": [1],
            "description": "The version of this format.",
            "examples": [1],
        },
        "name": {
            "type": "string",
            "format": "set-name",
            "description": (
                "The name of the policy, which no other may have: a label with it marks every object that this policy "
                "makes. What the policy no longer says is taken away again; for the name `default`, which is that of "
                "whoever names none, only where the policy still says something else."
            ),
            "examples": ["production-cluster"],
        },
        "namespaces": {
            "type": "object",
            "propertyNames": {"format": "namespace-name"},
            "additionalProperties": {"$ref": "#/$defs/namespace"},
            "x-check": "flows_of_namespaces",
            "description": (
                "What each namespace gets, by name. It goes before `selected` and `defaults`, "
                "and reaches every namespace that it names."
            ),
            "examples": [{"shop": {"pod_security": {"enforce": "restricted"}}}],
        },
        "selected": {
            "type": "array",
            "items": {"$ref": "#/$defs/selected"},
            "x-check": "flows_of_many",
            "description": (
                "What namespaces get by their labels, where `namespaces` does not name them. "
                "The first selector that matches a namespace counts."
            ),
            "examples": [[{"selector": "team=payments", "pod_security": {"enforce": "baseline"}}]],
        },
        "defaults": {
            "$ref": "#/$defs/defaults",
            "x-check": "flows_of_defaults",
            "description": (
                "What every namespace gets that nothing else in the policy speaks of. "
                "It never reaches the namespaces of the cluster's own components, like `kube-system`."
            ),
            "examples": [{"exempt": ["sandbox-*"], "pod_security": {"enforce": "baseline"}}],
        },
        "cluster": {
            "$ref": "#/$defs/cluster",
            "description": "What holds for the whole cluster.",
            "examples": [{"pod_security": {"on_violation": "warn"}}],
        },
        "waivers": {
            "type": "array",
            "items": {"$ref": "#/$defs/waiver"},
            "description": (
                "Failures that somebody answers for until a day. An expired waiver, "
                "and one that matches no finding, is a failure of `policy.waivers`."
            ),
            "examples": [
                [
                    {
                        "control": "pod_security.running_comply",
                        "subject": "DaemonSet/monitoring/node-exporter",
                        "reason": "reads the host's metrics by design",
                        "owner": "platform team",
                        "expires": "2027-03-01",
                    }
                ]
            ],
        },
        "accept_unknown": {
            "type": "array",
            "items": {"type": "string", "format": "control-or-subject"},
            "uniqueItems": True,
            "description": (
                "Controls, or single subjects of one, whose status may be unknown without failing the run: "
                "`<control>` or `<control> <subject>`. One that matches no finding is a failure of `policy.waivers`."
            ),
            "examples": [["network.default_deny Namespace/windows"]],
        },
    },
    "$defs": {
        "namespace": _NAMESPACE,
        "selected": _SELECTED,
        "defaults": _DEFAULTS,
        "cluster": _CLUSTER,
        "waiver": _WAIVER,
        **NETWORK_DEFINITIONS,
        **ACCESS_DEFINITIONS,
    },
}
