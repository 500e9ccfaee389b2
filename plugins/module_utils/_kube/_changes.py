# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what changed in an object, without what only servers care for, and without secrets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

_NOISE = frozenset(
    (
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    )
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_FIELDS = ("data", "stringData")
_GOT = re.compile(r", got .*", re.DOTALL)
_SHORTEST_REDACTED = 4
_RUN_KEY = os.urandom(16)


def meant(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object as a user writes it: without status, servers' own metadata, kubectl's own note, and secrets."""
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _NOISE}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
    return redacted({**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata})


def redacted(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object itself, or for a Secret a copy with a mark in place of each value.

    Equal values have equal marks, so that a change shows. The marks are keyed anew in each run: nobody can try words on
    them.
    """
    if obj.get("kind") != "Secret" or obj.get("apiVersion") != "v1":
        return dict(obj)
    return {**obj, **{field: _marks(obj[field]) for field in _SECRET_FIELDS if obj.get(field) is not None}}


def _marks(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {key: f"redacted ({_mark(_raw(value))})" for key, value in values.items()}
    return f"redacted ({_mark(_raw(values))})"


def _mark(value: bytes) -> str:
    return hashlib.blake2b(value, key=_RUN_KEY, digest_size=4).hexdigest()


def _raw(value: Any) -> bytes:
    try:
        return base64.b64decode(value)
    except (TypeError, ValueError, binascii.Error):
        return str(value).encode()


def without_secrets(text: str, *states: Mapping[str, Any] | None) -> str:
    """A server's message about an object, with the values that it has in these states, plain or encoded, taken out.

    Only of a Secret, where also what a server says that it ``got`` goes: it may print a value in a form of its own.
    Other objects' values stay.
    """
    secrets = [obj for obj in states if obj and obj.get("kind") == "Secret"]
    if secrets:
        text = _GOT.sub(", got something else", text)
    values = {value for obj in secrets for field in _SECRET_FIELDS for value in _secret_texts(obj.get(field))}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "…redacted…")
    return text


def _secret_texts(value: Any) -> Iterator[str]:
    """Every value in there, whatever its shape, as it is and decoded."""
    if isinstance(value, (Mapping, list)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _secret_texts(each)
    elif value is not None:
        for text in (str(value), _raw(value).decode(errors="ignore")):
            if len(text) >= _SHORTEST_REDACTED:
                yield text


def difference(before: Any, after: Any) -> tuple[Any, Any] | None:
    """The parts in which two values differ, each from its side; ``None`` where they are equal.

    Maps are entered. Of lists of named items those items that differ are kept, with their names; other lists are whole.
    """
    if before == after:
        return None
    if isinstance(before, dict) and isinstance(after, dict):
        return _difference_of_maps(before, after)
    if _is_named(before) and _is_named(after):
        one, other = _difference_of_maps(_by_name(before), _by_name(after))
        if one or other:
            return (
                [{"name": name, **item} for name, item in one.items()],
                [{"name": name, **item} for name, item in other.items()],
            )
    return before, after


def _difference_of_maps(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        if key in before and key in after:
            differs = difference(before[key], after[key])
            if differs is not None:
                one[key], other[key] = differs
        elif key in before:
            one[key] = before[key]
        else:
            other[key] = after[key]
    return one, other


def _is_named(items: Any) -> bool:
    """A list that holds maps with one name each, no name twice."""
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) and "name" in item for item in items):
        return False
    return len({str(item["name"]) for item in items}) == len(items)


def _by_name(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["name"]: {key: value for key, value in item.items() if key != "name"} for item in items}


def diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """``{"before": …, "after": …}`` of two states of one object, ``None`` for absent; empty where nothing differs."""
    one = meant(before) if before is not None else {}
    other = meant(after) if after is not None else {}
    differs = difference(one, other)
    return {"before": differs[0], "after": differs[1]} if differs else {}
