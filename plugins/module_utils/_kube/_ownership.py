# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: whether an object is already right, so that it needs no write.

Right means that every desired field has its value, and that our field manager owns exactly the desired fields: a field
that we own and that is no longer desired has to go. ``managedFields`` (KEP-555, FieldsV1) tells which fields those are,
and also which lists and maps the server takes as one: there a field path ends in an empty set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._rewrites import Path, same

_NOT_OWNED = frozenset(("apiVersion", "kind"))
_METADATA_NOT_OWNED = frozenset(("name", "namespace"))
_NEVER_OWNED: Mapping[str, frozenset[str]] = {"CertificateSigningRequest": frozenset(("spec",))}
"""What the server gives to no manager because nobody can change it once it is created."""
_ZERO_VALUES: tuple[Any, ...] = ({}, [], "", 0, False)


def owned_fields(live: Mapping[str, Any], manager: str, api_version: str = "") -> dict[str, Any] | None:
    """The FieldsV1 that this manager has applied, in that version where one is given; ``None`` if it applied none."""
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            if api_version and entry.get("apiVersion") != api_version:
                return None
            return entry.get("fieldsV1") or {}
    return None


def already_right(desired: Mapping[str, Any], live: Mapping[str, Any], manager: str) -> bool:
    """Whether applying ``desired`` (in the form of ``as_kept``) as this manager would change nothing at all."""
    api_version = desired["apiVersion"]
    fields = owned_fields(live, manager, api_version) or {}
    not_owned = _NOT_OWNED | _NEVER_OWNED.get(desired["kind"], frozenset())
    content = {key: value for key, value in desired.items() if key not in not_owned}
    content["metadata"] = {key: value for key, value in desired["metadata"].items() if key not in _METADATA_NOT_OWNED}
    kind = desired["kind"] if (api_version, desired["kind"]) in KNOWN else ""
    return _map_right(content, fields, live, (), kind)


def _map_right(
    desired: Mapping[str, Any], fields: Mapping[str, Any], live: Mapping[str, Any], path: Path, kind: str
) -> bool:
    owned = 0
    for key, value in desired.items():
        below = fields.get("f:" + key)
        if below is None:
            if value in ({}, []) and key not in live:
                continue
            if value != {} or key != "metadata":
                return False
            continue
        owned += 1
        if key not in live:
            # Ours, and yet not there: the server keeps no zero value of a field that has no pointer.
            if value not in _ZERO_VALUES:
                return False
        elif not _value_right(value, below, live[key], (*path, key), kind):
            return False
    return owned == len(fields) - ("." in fields)


def _value_right(desired: Any, fields: Mapping[str, Any], live: Any, path: Path, kind: str) -> bool:
    if not fields:
        return same(desired, live, path, kind)
    if isinstance(desired, dict) and isinstance(live, dict):
        return _map_right(desired, fields, live, path, kind)
    if isinstance(desired, list) and isinstance(live, list):
        return _items_right(desired, fields, live, path, kind)
    return False


def _items_right(desired: list[Any], fields: Mapping[str, Any], live: list[Any], path: Path, kind: str) -> bool:
    """Lists that the server merges, item by item: by keys, or as sets of values. Ours are in our order there too."""
    if len(desired) != len(fields) - ("." in fields):
        return False
    places = []
    for element, below in fields.items():
        if element == ".":
            continue
        form, content = element[:2], _parsed(element[2:])
        mine, theirs = _POSITIONS[form](desired, content), _POSITIONS[form](live, content)
        if mine is None or theirs is None:
            return False
        if form == "k:" and not _value_right(desired[mine], below, live[theirs], path, kind):
            return False
        places.append((mine, theirs))
    in_our_order = [theirs for _mine, theirs in sorted(places)]
    return in_our_order == sorted(in_our_order)


def _by_value(items: list[Any], value: Any) -> int | None:
    return next((position for position, item in enumerate(items) if item == value), None)


def _by_keys(items: list[Any], keys: Mapping[str, Any]) -> int | None:
    """Where the item with these keys is, else one that leaves a key out, for which the server put its default."""
    for position, item in enumerate(items):
        if isinstance(item, dict) and all(item.get(key) == value for key, value in keys.items()):
            return position
    for position, item in enumerate(items):
        if isinstance(item, dict) and all(item.get(key, value) == value for key, value in keys.items()):
            return position
    return None


_POSITIONS: Mapping[str, Callable[[list[Any], Any], int | None]] = {"k:": _by_keys, "v:": _by_value}


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    return json.loads(text)
