# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy says of Pod Security."""

from __future__ import annotations

from typing import Any

LEVELS = ("privileged", "baseline", "restricted")


def _level(description: str, example: str) -> dict[str, Any]:
    return {"type": "string", "enum": [*LEVELS], "description": description, "examples": [example]}


def _version(description: str, example: str) -> dict[str, Any]:
    return {"type": "string", "format": "pod-security-version", "description": description, "examples": [example]}


POD_SECURITY: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "x-check": "versions_have_levels",
    "description": "The Pod Security Standards that hold in the namespace. A mode that is not named gets no label.",
    "examples": [{"enforce": "baseline", "warn": "restricted", "version": "v1.36"}],
    "properties": {
        "enforce": _level("The level that the server enforces: pods that break it are refused.", "restricted"),
        "version": _version(
            "The version of the standard that is enforced, and of the other two modes unless they say their own. "
            "Without it: `latest`, which changes with every upgrade of the cluster. `unlabelled` is `latest` too, but "
            "no label says so, and another version in the server's own configuration is told as a failure.",
            "v1.36",
        ),
        "audit": _level("The level whose violations are written to the audit log.", "restricted"),
        "audit_version": _version("The version of the standard for `audit`.", "latest"),
        "warn": _level("The level whose violations are shown to whoever makes the pod.", "restricted"),
        "warn_version": _version("The version of the standard for `warn`.", "latest"),
    },
}

ON_VIOLATION: dict[str, Any] = {
    "type": "string",
    "enum": ["fail", "warn", "proceed"],
    "description": (
        "What happens when pods that run already would break a level that is about to be enforced. "
        "`fail` does not enforce there and fails, `warn` enforces and warns, `proceed` enforces. "
        "Without it: `fail`."
    ),
    "examples": ["warn"],
}
