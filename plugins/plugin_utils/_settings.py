# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what all modules share that give settings to namespaces: options, and whom they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    check_limit,
    resolve,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    NAMESPACE_MANAGER,
    UNNAMED_SET,
    check_set_name,
    marked_namespace,
)

Object = dict[str, Any]

_NAMESPACE = KNOWN["v1", "Namespace"]

NAMESPACES_SPEC: dict[str, Any] = {
    "namespaces": {"type": "dict", "default": {}},
    "selected": {"type": "list", "elements": "dict", "default": []},
    "default": {"type": "dict", "default": {}},
    "exempt": {"type": "list", "elements": "str", "default": []},
    "only": {"type": "list", "elements": "str", "default": []},
    "set": {"type": "str", "default": UNNAMED_SET},
    "prune": {"type": "bool", "default": True},
}
"""The options that say which namespaces get which settings, and whose these are."""


def read_settings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain data; raises HardeningError on a name of a set, or a limit, that cannot be meant."""
    said = {key: plain(value) for key, value in arguments.items()}
    said["namespaces"] = {name: settings or {} for name, settings in said["namespaces"].items()}
    check_limit(said["only"])
    check_set_name(said["set"])
    return said


def names_said(said: list[str] | None) -> list[str]:
    """Nothing where nothing is said; an empty name, which is refused, for a variable that turned out empty."""
    return [] if said is None else [each.strip() for each in said] or [""]


def read_limit(said: list[str] | None) -> list[str]:
    """The names and globs that a task is limited to; raises HardeningError on one that cannot be meant."""
    only = names_said(said)
    check_limit(only)
    return only


def has_settings(said: Mapping[str, Any]) -> bool:
    """Whether the options say anything of any namespace."""
    return any(said[option] for option in ("namespaces", "selected", "default"))


def resolved(live: list[Object], said: Mapping[str, Any]) -> Resolution:
    """Who gets which settings by the options."""
    return resolve(live, *(said[option] for option in ("namespaces", "selected", "default", "exempt", "only")))


def live_namespaces(client: Client, said: Mapping[str, Any]) -> tuple[list[Object], str]:
    """The Namespace objects, by their metadata, and why these may not be all; empty where they are all that is meant.

    Without the permission to list them, those that are named are asked for one by one. Raises Forbidden where
    selectors or a default mean others.
    """
    try:
        return client.list(_NAMESPACE, metadata_only=True), ""
    except Forbidden as error:
        if said["selected"] or said["default"]:
            raise
        why = str(error)
    exact = [name for name in said["only"] if not any(sign in name for sign in "*?[")]
    if said["only"] and len(exact) == len(said["only"]):
        # A limit that names its namespaces means no others that could have been overlooked.
        why = ""
    asked = dict.fromkeys([*said["namespaces"], *exact])
    found = client.parallel(lambda name: client.get(_NAMESPACE, name, metadata_only=True), asked)
    return [each for each in found if each], why


def create_namespaces(client: Client, names: Iterable[str], set_name: str, *, dry_run: bool) -> list[ObjectResult]:
    """Those that say ``create: true`` and are not there yet, marked as the set's."""
    objects = [marked_namespace(name, set_name) for name in names]
    return apply_objects(client, objects, ApplyOptions(NAMESPACE_MANAGER, dry_run=dry_run)) if objects else []
