# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the first server writes with a new key has to be read by every other one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._prefixes import directory_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import lookup_order
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Goal, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scan import (
    etcds,
    prefix_at,
)

NAMESPACE, NAME = "kube-system", "hardening-probe-encryption"
_MANAGER = "hardening.kubernetes/encryption_at_rest"
_KINDS = {"secrets": "Secret", "configmaps": "ConfigMap"}
"""What can be made anywhere without anybody noticing, by resource."""


def try_canary(context: Context, seen: Seen, writer: str) -> None:
    """Write through one server, read through the others and look into etcd. Raises HardeningError where it fails.

    Where neither Secrets nor ConfigMaps are encrypted there is nothing that could be written without effect; the scan
    of etcd and the hash that each server reports have to do then.
    """
    resource, key = _tried(context.goal)
    if key is None:
        return
    at = seen.clients[writer]
    value = secrets.token_hex(16)
    _remove(at, resource)
    try:
        live = at.checked(at.create(_object(resource, value), manager=_MANAGER)).object
        patch = {"metadata": {"annotations": {"hardening.kubernetes/written-by": writer}}}
        at.checked(at.merge(live, patch, manager=_MANAGER))
        _compare_prefix(context, seen, resource, key)
        for name, client in seen.clients.items():
            found = client.get(KNOWN["v1", _KINDS[resource]], NAME, NAMESPACE)
            if _value(found) != value:
                raise HardeningError(
                    f"The API server {name} does not read what {writer} has written with the new key. Nothing else was "
                    "written with it: look at the log of that server, and run the same command again, or roll back."
                )
    finally:
        _remove(at, resource)


def canary_questions(goal: Goal) -> list[Question]:
    """What else than for rewriting its resource has to be allowed for that."""
    resource, key = _tried(goal)
    if key is None:
        return []
    return [Question("create", "", resource, NAMESPACE), Question("delete", "", resource, NAMESPACE, NAME)]


def refused_canary(client: Client, goal: Goal) -> Iterator[str]:
    """Why the object that is tried may not be made, by a dry run."""
    resource, key = _tried(goal)
    if key is None:
        return
    answer = client.create(_object(resource, ""), manager=_MANAGER, dry_run=True)
    if not answer.ok and answer.status != 409:
        yield (
            f"The object {NAME} of {resource} in {NAMESPACE}, by which the first write with a new key is tried, may "
            f"not be made: {answer.message}. Exempt it from what refuses it."
        )


def _tried(goal: Goal) -> tuple[str, Key | None]:
    for resource in _KINDS:
        for name in lookup_order(resource):
            if name in goal.write:
                return resource, goal.write[name]
    return "", None


def _compare_prefix(context: Context, seen: Seen, resource: str, key: Key) -> None:
    path = f"{directory_of(resource, etcds(context, seen).prefix)}{NAMESPACE}/{NAME}"
    found = prefix_at(context, seen, path, [key.prefix])
    if found != key.prefix:
        raise HardeningError(
            f"A new object of {resource} begins in etcd with «{found or 'plain text'}» and not with «{key.prefix}», "
            "although the server says that it has loaded the configuration. Nothing was dropped; run again, and report "
            "it if it stays so."
        )


def _object(resource: str, value: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": _KINDS[resource],
        "metadata": {"name": NAME, "namespace": NAMESPACE, "annotations": {"hardening.kubernetes/value": value}},
    }


def _value(found: dict[str, Any] | None) -> str:
    annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
    return str(annotations.get("hardening.kubernetes/value", ""))


def _remove(client: Client, resource: str) -> None:
    client.delete(KNOWN["v1", _KINDS[resource]], NAME, NAMESPACE)
