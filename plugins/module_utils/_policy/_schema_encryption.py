# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy says of encryption at rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Path = tuple[Any, ...]

PROVIDERS = ("secretbox", "aescbc", "aesgcm", "kms")

_RESOURCE = re.compile(r"(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.([a-z0-9*]([-.a-z0-9]*[a-z0-9])?)?)?")
_SOCKET = re.compile(r"unix:/{1,3}[^/\s][^\s]*")
_DURATION = re.compile(r"(?=.*[1-9])([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
_ABSOLUTE = re.compile(r"(/[^/\s]+)+")


def _resource(text: str) -> str:
    if _RESOURCE.fullmatch(text) and text != "*":
        return ""
    return "allowed: a resource by its plural name like secrets or deployments.apps, *.apps for a group, *.* for all"


def _plugin(text: str) -> str:
    return "" if text and not re.search(r"[:\s]", text) else "allowed: a name without colons and spaces"


def _socket(text: str) -> str:
    return "" if _SOCKET.fullmatch(text) else "allowed: a socket like unix:///var/run/kms.sock"


def _duration(text: str) -> str:
    return "" if _DURATION.fullmatch(text) else "allowed: a duration like 3s"


def _absolute(text: str) -> str:
    return "" if _ABSOLUTE.fullmatch(text) else "allowed: an absolute path like /var/backups/etcd"


ENCRYPTION_FORMATS: Mapping[str, Callable[[str], str]] = {
    "encrypted-resource": _resource,
    "kms-plugin": _plugin,
    "unix-socket": _socket,
    "duration": _duration,
    "absolute-path": _absolute,
}


def _kms_and_provider(encryption: Any) -> Iterator[tuple[Path, str]]:
    if not isinstance(encryption, dict):
        return
    if "kms" in encryption and encryption.get("provider") != "kms":
        yield ("kms",), "has no effect without provider: kms"
    if encryption.get("provider") == "kms" and "kms" not in encryption:
        yield ("provider",), "says nothing of the plugin: add kms with its name and endpoint"


def _one_escrow(escrow: Any) -> Iterator[tuple[Path, str]]:
    if not isinstance(escrow, dict):
        return
    if len(escrow.keys() & {"command", "vault_file"}) != 1:
        yield (), "must have either command or vault_file"
    if ("vault_file" in escrow) != ("vault_password_file" in escrow):
        yield (), "must have vault_file and vault_password_file together"


ENCRYPTION_CHECKS: Mapping[str, Callable[[Any], Iterator[tuple[Path, str]]]] = {
    "kms_and_provider": _kms_and_provider,
    "one_escrow": _one_escrow,
}

KMS: dict[str, Any] = {
    "type": "object",
    "required": ["name", "endpoint"],
    "additionalProperties": False,
    "description": "The KMS plugin, of version 2. It runs on every control plane node already, and keeps its own keys.",
    "examples": [{"name": "vault", "endpoint": "unix:///var/run/kmsplugin/socket.sock"}],
    "properties": {
        "name": {
            "type": "string",
            "format": "kms-plugin",
            "description": "Its name, which stands in etcd before every value. No other plugin may ever have it.",
            "examples": ["vault"],
        },
        "endpoint": {
            "type": "string",
            "format": "unix-socket",
            "description": "Its socket, as the API servers see it.",
            "examples": ["unix:///var/run/kmsplugin/socket.sock"],
        },
        "timeout": {
            "type": "string",
            "format": "duration",
            "description": "How long an API server waits for it. Without it: that of the server, 3 seconds.",
            "examples": ["3s"],
        },
    },
}

ESCROW: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "x-check": "one_escrow",
    "description": (
        "Where each key is kept apart from the nodes, before it is first used. Without it: on the control plane nodes "
        "alone, and a backup of etcd is worth nothing without one of them."
    ),
    "examples": [{"vault_file": "keys.vault", "vault_password_file": "~/.vault-password"}],
    "properties": {
        "command": {
            "type": "array",
            "items": {"type": "string", "format": "words"},
            "minItems": 1,
            "description": "A program with its arguments, on the controller, that keeps keys in a vault of yours.",
            "examples": [["/usr/local/bin/keep-key", "--vault", "production"]],
        },
        "vault_file": {
            "type": "string",
            "format": "words",
            "description": "A file on the controller, encrypted with `ansible-vault`; it is made where it is missing.",
            "examples": ["keys.vault"],
        },
        "vault_password_file": {
            "type": "string",
            "format": "words",
            "description": "The file with its password.",
            "examples": ["~/.vault-password"],
        },
    },
}

ENCRYPTION: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "x-check": "kms_and_provider",
    "description": (
        "What the API servers encrypt in etcd. A run encrypts what is not yet, and changes the provider where it is "
        "another one; it never makes a new key only for its age, which `rotate_encryption_key` does. Taking this out "
        "of the policy leaves everything encrypted."
    ),
    "examples": [{"provider": "secretbox", "resources": ["secrets"], "age_days": 90}],
    "properties": {
        "provider": {
            "type": "string",
            "enum": [*PROVIDERS],
            "description": (
                "Who encrypts. Under FIPS 140 choose `kms`, or `aescbc`. A key of `aesgcm` is spent after 200,000 "
                "writes, so that is a failure of `encryption.provider` unless it is waived. Without it: the one that "
                "writes now, and `secretbox` where everything is in plain text."
            ),
            "examples": ["secretbox"],
        },
        "kms": KMS,
        "resources": {
            "type": "array",
            "items": {"type": "string", "format": "encrypted-resource"},
            "minItems": 1,
            "uniqueItems": True,
            "description": "What is encrypted; whatever else is encrypted already stays so. Without it: `secrets`.",
            "examples": [["secrets", "configmaps"]],
        },
        "age_days": {
            "type": "integer",
            "minimum": 0,
            "description": "How old the key that writes may become, in days; 0 is any age. Without it: 365.",
            "examples": [90],
        },
        "plain_text": {
            "type": "boolean",
            "description": (
                "Whether the API servers go on reading plain text when all is encrypted, for whoever writes into etcd "
                "by other means. Without it: `false`."
            ),
            "examples": [False],
        },
        "scrub": {
            "type": "boolean",
            "description": (
                "Whether etcd is compacted and defragmented after values were rewritten, one member after the other, "
                "so that what they were is gone from its file. Without it: `true`."
            ),
            "examples": [True],
        },
        "escrow": ESCROW,
        "snapshot": {
            "type": "string",
            "format": "absolute-path",
            "description": (
                "A folder on the first control plane node for a snapshot of etcd, taken before anything is changed, "
                "and for another after the scrubbing. Without it: none is taken."
            ),
            "examples": ["/var/backups/etcd"],
        },
        "restart_seconds": {
            "type": "integer",
            "minimum": 30,
            "description": (
                "How long an API server may take to restart; after that its node puts the old files back by itself. "
                "Without it: 180."
            ),
            "examples": [180],
        },
        "ready_seconds": {
            "type": "integer",
            "minimum": 0,
            "description": (
                "How long an API server has to be ready before the next one is restarted, so that load balancers know "
                "of it. Without it: 30."
            ),
            "examples": [30],
        },
        "workers": {
            "type": "integer",
            "minimum": 1,
            "description": "How many objects are rewritten at once, at most. Without it: 16.",
            "examples": [16],
        },
        "most_per_second": {
            "type": "integer",
            "minimum": 0,
            "description": (
                "How many objects are rewritten in a second, at most; 0 is any number. Every rewritten object wakes "
                "those that watch it. Without it: 0."
            ),
            "examples": [200],
        },
    },
}
