# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: several policy files as one document."""

from __future__ import annotations

from collections.abc import Sequence as Several
from functools import reduce

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import (
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import Mistake, Path

LISTS_THAT_ADD_UP = frozenset(
    {
        "accept_risks",
        "accept_unknown",
        "allow",
        "exempt",
        "grant",
        "keep",
        "must_not",
        "remove",
        "selected",
        "waivers",
    }
)
"""Each item of these says something by itself; any other list is one statement, which two files can only repeat."""


def merge(documents: Several[Mapping]) -> tuple[Mapping, list[Mistake]]:
    """One document out of several, and a mistake for each thing of which two files say different things.

    Mappings are joined key by key, the lists in :data:`LISTS_THAT_ADD_UP` item after item, in the order of the files;
    a word that both files say counts once.
    """
    mistakes: list[Mistake] = []

    def join(first: Mapping, second: Mapping) -> Mapping:
        return _mappings(first, second, (), mistakes)

    return reduce(join, documents), mistakes


def _mappings(first: Mapping, second: Mapping, path: Path, mistakes: list[Mistake]) -> Mapping:
    entries = dict(first.entries)
    for key, node in second.entries.items():
        entries[key] = _nodes(entries[key], node, (*path, key), mistakes) if key in entries else node
    return Mapping(first.place, entries)


def _nodes(first: Node, second: Node, path: Path, mistakes: list[Mistake]) -> Node:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return _mappings(first, second, path, mistakes)
    if isinstance(first, Sequence) and isinstance(second, Sequence) and path[-1] in LISTS_THAT_ADD_UP:
        return Sequence(first.place, [*first.items, *_not_in(first, second)])
    if _said(first) != _said(second):
        mistakes.append(_contradiction(first.place, second.place, path))
    return first


def _not_in(first: Sequence, second: Sequence) -> list[Node]:
    """The items of the second list, without words that the first one has."""
    words = {item.text for item in first.items if isinstance(item, Scalar)}
    return [item for item in second.items if not (isinstance(item, Scalar) and item.text in words)]


def _contradiction(first: Place, second: Place, path: Path) -> Mistake:
    other = f"{first.source.name}:{first.line}"
    text = f"says something else than {other} of the same thing"
    return Mistake(second.source.name, second.line, second.source.path_said(path), text)


def _said(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_said(item) for item in node.items]
    return {key: _said(value) for key, value in node.entries.items()}
