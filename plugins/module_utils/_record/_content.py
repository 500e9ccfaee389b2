# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what two states of an object differ in, path by path, and how that is taken back.

Maps are entered, lists are one value, as in a JSON merge patch. What servers keep for themselves is no content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

Object = Mapping[str, Any]
Path = tuple[str, ...]


class _Nothing:
    """What stands at a path where nothing does."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Final = _Nothing()

_NO_CONTENT = frozenset(("apiVersion", "kind", "status"))
_SERVERS = frozenset(
    (
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    )
)


def content(obj: Object | None) -> dict[str, Any]:
    """What users and controllers say in an object; empty where there is none."""
    if obj is None:
        return {}
    said = {key: value for key, value in obj.items() if key not in _NO_CONTENT}
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _SERVERS}
    return {**said, "metadata": metadata}


def differences(before: Object | None, after: Object | None) -> dict[Path, tuple[Any, Any]]:
    """The paths at which two objects differ, with both values; :data:`NOTHING` where there is none."""
    return dict(_differences(content(before), content(after), ()))


def _differences(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, tuple[Any, Any]]]:
    if before == after:
        return
    one, other = _map(before, after), _map(after, before)
    if one is None or other is None:
        yield path, (before, after)
        return
    for key in dict.fromkeys([*one, *other]):
        yield from _differences(one.get(key, NOTHING), other.get(key, NOTHING), (*path, key))


def _map(value: Any, other: Any) -> Mapping[str, Any] | None:
    """A map to enter: the value itself, or none at all where the other side has a map with something in it."""
    if isinstance(value, Mapping):
        return value if value or (isinstance(other, Mapping) and other) else None
    return {} if value is NOTHING and isinstance(other, Mapping) and other else None


def at(obj: Any, path: Path) -> Any:
    """The value at a path of an object's content."""
    for key in path:
        if not isinstance(obj, Mapping) or key not in obj:
            return NOTHING
        obj = obj[key]
    return obj


def set_back(state: Object, before: Object, paths: Iterable[Path]) -> dict[str, Any]:
    """The state with what ``before`` has at these paths; a map that is empty by it goes, where it was not there."""
    changed = deepcopy(dict(state))
    for path in paths:
        value = at(before, path)
        if value is NOTHING:
            _remove(changed, path, before)
        else:
            _put(changed, path, deepcopy(value))
    return changed


def _put(obj: dict[str, Any], path: Path, value: Any) -> None:
    for key in path[:-1]:
        obj = obj.setdefault(key, {})
    obj[path[-1]] = value


def _remove(obj: dict[str, Any], path: Path, before: Object) -> None:
    parent = at(obj, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
        if path[:-1] and path[:-1] != ("metadata",) and not parent and at(before, path[:-1]) is NOTHING:
            _remove(obj, path[:-1], before)


def merge_patch(live: Object, wanted: Object) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that makes of the live content the wanted one; empty where they are equal."""
    patch: dict[str, Any] = {key: None for key in live if key not in wanted}
    for key, value in wanted.items():
        if key not in live:
            patch[key] = deepcopy(value)
        elif value != live[key]:
            maps = isinstance(value, Mapping) and isinstance(live[key], Mapping)
            patch[key] = merge_patch(live[key], value) if maps else deepcopy(value)
    return patch


def shown(path: Path) -> str:
    """A path as a sentence names it."""
    return ".".join(path)
