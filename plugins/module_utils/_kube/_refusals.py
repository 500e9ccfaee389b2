# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a server's refusal of one object means, in a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import ROOM, Answer
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

_MANAGER = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')
_TYPED_PATCH = re.compile(r"failed to create typed patch object \([^)]*\): (?:errors:\s*)?")
_NO_NAMESPACE = re.compile(r'namespaces "([^"]+)" not found')


def is_ownership_conflict(answer: Answer) -> bool:
    """Whether another field manager stands in the way (and not another writer at the same moment)."""
    return answer.status == 409 and any(_causes(answer))


def is_lost_race(answer: Answer) -> bool:
    """Whether somebody else wrote the same object at the same moment, so that trying again helps."""
    return answer.status == 409 and not any(_causes(answer))


def missing_namespace(answer: Answer) -> str:
    """The namespace that is not there and should be; empty if that is not what was wrong."""
    found = _NO_NAMESPACE.search(answer.message) if answer.status == 404 else None
    return found.group(1) if found else ""


def refusal(answer: Answer) -> str:
    """The sentence for the user."""
    if is_ownership_conflict(answer):
        return _conflict(answer)
    message = _TYPED_PATCH.sub("", answer.message).rstrip(".")
    if namespace := missing_namespace(answer):
        return f"The namespace {namespace} does not exist: create it first."
    remedy = ROOM if answer.says_full else _REMEDIES.get(answer.status, "")
    return f"The server refused ({answer.status}): {message}.{remedy}"


_REMEDIES: Mapping[int, str] = {
    403: " Grant this permission to the user, or find out what admits no such object.",
    409: " Somebody else writes this object all the time: find out who.",
}


def _conflict(answer: Answer) -> str:
    owned: dict[str, list[str]] = {}
    for cause in _causes(answer):
        manager = _MANAGER.search(cause.get("message", ""))
        owned.setdefault(manager.group(1) if manager else "another manager", []).append(
            cause.get("field", "").lstrip(".")
        )
    owners = " and ".join(
        f"the field manager {manager!r} owns {', '.join(fields)}" for manager, fields in owned.items()
    )
    return (
        f"{owners[0].upper()}{owners[1:]} and means another value: "
        "leave these fields to it, or take them over with force_conflicts: true."
    )


def _causes(answer: Answer) -> Iterable[Mapping[str, Any]]:
    details = answer.object.get("details") or {}
    return (cause for cause in details.get("causes") or () if cause.get("reason") == "FieldManagerConflict")


def unknown_kind(api_version: str, kind: str, server: str) -> str:
    """The sentence for a kind that the server does not have."""
    kinds = [known for version, known in KNOWN if version == api_version]
    near = did_you_mean(kind, kinds)
    hint = f"did you mean {near}?" if near else "install what defines it, or correct the name."
    return f"The server {server} has no kind {kind} in {api_version}: {hint}"


def is_built_in(api_version: str) -> bool:
    """Whether this version of an API is Kubernetes' own, so that nothing installs further kinds into it."""
    return any(version == api_version for version, _kind in KNOWN)
