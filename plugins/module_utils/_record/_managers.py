# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which field managers own what, and what of it a run took from whom.

``managedFields`` (KEP-555) hold a set of paths for each manager, written as nested maps (FieldsV1). What a run did to
these sets is undone as sets: what it took is given back, what it got is given up, and what came to be since stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
Managed = dict[str, Any]
Fields = frozenset[tuple[str, ...]]

REVERT_MANAGER = "hardening.kubernetes/revert"
"""The field manager of a revert while it is under way; in the end it owns nothing."""

_Who = tuple[str, str, str]


def managed(obj: Object | None) -> list[Managed]:
    """What the managers of an object own, without what they own of its status or of other subresources."""
    return [each for each in _entries(obj) if not each.get("subresource")]


def restored(before: Object | None, after: Object | None, live: Object | None) -> list[Managed]:
    """The ``managedFields`` of a live object once what happened between ``before`` and ``after`` is undone."""
    earlier, later, now = (_by_manager(each) for each in (before, after, live))
    result: list[Managed] = []
    for who in dict.fromkeys([*earlier, *now]):
        if who[0] == REVERT_MANAGER:
            continue
        was, became, has = (fields_of(each.get(who)) for each in (earlier, later, now))
        fields = (has - (became - was)) | (was - became)
        if not fields:
            continue
        entry = earlier.get(who) or now[who]
        result.append(entry if fields == fields_of(entry) else {**entry, "fieldsV1": tree_of(fields)})
    return result + [each for each in _entries(live) if each.get("subresource")]


def same_owners(one: Object | None, other: Object | None) -> bool:
    """Whether the same managers own the same, whenever they came to."""
    return _owners(one) == _owners(other)


def _owners(obj: Object | None) -> dict[_Who, Fields]:
    return {who: fields_of(entry) for who, entry in _by_manager(obj).items()}


def owned_by(obj: Object | None, manager: str) -> Fields:
    """Everything that one manager owns, by whichever operation."""
    return frozenset().union(*(fields_of(each) for each in managed(obj) if each.get("manager") == manager))


def owners(obj: Object | None, path: Sequence[str]) -> list[Managed]:
    """The entries of those who own a path, a part of what is below it, or what it is a part of; latest first."""
    found = [each for each in managed(obj) if owns(fields_of(each), path)]
    return sorted(found, key=lambda each: str(each.get("time", "")), reverse=True)


def owns(fields: Fields, path: Sequence[str]) -> bool:
    """Whether any of the fields is the path, lies below it, or holds it as a whole."""
    wanted = tuple(f"f:{key}" for key in path)
    return any(
        each[: len(wanted)] == wanted or (each == wanted[: len(each)] and not _is_parent(each, fields))
        for each in fields
    )


def _is_parent(path: tuple[str, ...], fields: Fields) -> bool:
    """Whether owning this says no more than that it is there: its parts are owned one by one."""
    return path in (("f:metadata", "f:labels"), ("f:metadata", "f:annotations")) or any(
        len(each) > len(path) and each[: len(path)] == path for each in fields
    )


def fields_of(entry: Managed | None) -> Fields:
    """The set of paths in an entry; a path of a map that is owned itself, beside parts of it, is in it too."""
    return frozenset(_paths((entry or {}).get("fieldsV1") or {}, ()))


def _paths(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, below in tree.items():
        if key == ".":
            yield path
        elif below:
            yield from _paths(below, (*path, key))
        else:
            yield (*path, key)


def tree_of(fields: Fields) -> dict[str, Any]:
    """The way back from :func:`fields_of`."""
    tree: dict[str, Any] = {}
    for path in sorted(fields, key=lambda each: (-len(each), each)):
        node = tree
        for key in path:
            node = node.setdefault(key, {})
        if node:
            node["."] = {}
    return tree


def _by_manager(obj: Object | None) -> dict[_Who, Managed]:
    return {
        (str(each.get("manager", "")), str(each.get("operation", "")), str(each.get("apiVersion", ""))): each
        for each in managed(obj)
    }


def _entries(obj: Object | None) -> list[Managed]:
    return [dict(each) for each in ((obj or {}).get("metadata") or {}).get("managedFields") or ()]
