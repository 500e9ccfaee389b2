# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: YAML read so that scalars stay as they are written and every value knows its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import Mistake, Path, written_path
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

try:
    import yaml
except ImportError:
    HAS_YAML = False
else:
    HAS_YAML = True

_MOST_VALUES = 200_000
_DEEPEST = 50
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.2.2 does not allow in a document (production 1, c-printable)."""

_PLAIN = (None, "")  # PyYAML's two readers say it in two ways


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file, the name under which the user knows it, and whether it lay encrypted on disk."""

    name: str
    text: str
    encrypted: bool = False

    def path_said(self, path: Path) -> str:
        """A path in it, for a message; nothing of an encrypted file, whose keys are as secret as its values."""
        return "" if self.encrypted else written_path(path)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its file, the line of its key or of the list item itself, and its path in that file."""

    source: Source
    line: int
    path: Path


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as written; ``plain`` is ``False`` for one in quotes or a block."""

    place: Place
    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Place
    items: list[Node]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, in the order of the file."""

    place: Place
    entries: dict[str, Node]


Node: TypeAlias = Scalar | Sequence | Mapping


class _UnreadableError(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def read(source: Source) -> tuple[Mapping, list[Mistake]]:
    """Read one file: a mapping, and the mistakes that the text itself has (the mapping is then what could be read).

    Scalars are not converted: ``1.30``, ``2027-03-01`` and ``yes`` are strings. Anchors and aliases are YAML's own.
    A key that stands twice, a tag, a merge key, an alias to what contains it, a second document, and more than 50
    levels are mistakes.
    """
    if not HAS_YAML:
        raise HardeningError("Reading a policy needs PyYAML: install it with `pip install PyYAML`.")
    reader = _Reader(source)
    empty = Mapping(Place(source, 1, ()), {})
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        # The composer calls itself for each level, in C without an end.
        for line, text in _wrong_in(yaml.parse(_printable(source.text), Loader=loader)):
            reader.mistake(line, (), text)
        root = yaml.compose(source.text, Loader=loader)
        node = empty if root is None else reader.node(root, (), 1, ())
    except yaml.YAMLError as error:
        reader.mistake(_line_of(error), (), _reason_of(error, source.encrypted))
        return empty, reader.mistakes
    except _UnreadableError as error:
        reader.mistake(error.line, (), str(error))
        return empty, reader.mistakes
    if not isinstance(node, Mapping) or not node.entries:
        reader.mistake(1, (), "a policy is a mapping that begins with policy_version: 1")
        return empty, reader.mistakes
    return node, reader.mistakes


def _printable(text: str) -> str:
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _UnreadableError(line, f"this is not YAML: the character U+{ord(found[0]):04X} may not stand in it")
    return text


def _wrong_in(events: Iterator[Any]) -> Iterator[tuple[int, str]]:
    """The line and the words for each tag that is written; raises where the nesting is too deep."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise _UnreadableError(_line(event), f"this is nested more than {_DEEPEST} levels deep")
        if getattr(event, "tag", None) is not None:
            yield _line(event), f"tags are not read here{_instead_of(event.tag)}"


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes: list[Mistake] = []
        self._values = 0

    def mistake(self, line: int, path: Path, text: str) -> None:
        self.mistakes.append(Mistake(self.source.name, line, self.source.path_said(path), text))

    def node(self, raw: Any, path: Path, line: int, inside: tuple[int, ...]) -> Node:
        # Aliases may make a few lines stand for billions of values, or for themselves.
        self._values += 1
        if self._values > _MOST_VALUES:
            raise _UnreadableError(line, f"with its aliases written out, this has more than {_MOST_VALUES} values")
        if id(raw) in inside:
            raise _UnreadableError(line, "the alias here stands for something that contains itself")
        if len(path) > _DEEPEST:
            raise _UnreadableError(
                line, f"with its aliases written out, this is nested more than {_DEEPEST} levels deep"
            )
        place = Place(self.source, line, path)
        inside = (*inside, id(raw))
        if isinstance(raw, yaml.ScalarNode):
            return Scalar(place, str(raw.value), plain=raw.style in _PLAIN)
        if isinstance(raw, yaml.SequenceNode):
            items = enumerate(raw.value)
            return Sequence(place, [self.node(item, (*path, at), _line(item), inside) for at, item in items])
        return Mapping(place, self._entries(raw, path, inside))

    def _entries(self, raw: Any, path: Path, inside: tuple[int, ...]) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key, value in raw.value:
            line = _line(key)
            if not isinstance(key, yaml.ScalarNode):
                self.mistake(line, path, "a key must be a single word")
            elif key.value == "<<" and key.style in _PLAIN:
                self.mistake(line, path, "merge keys (<<) are not read here: use an alias for the whole value")
            elif key.value in entries:
                first = entries[key.value].place.line
                self.mistake(
                    line, (*path, key.value), f"this key stands here for the second time (first in line {first})"
                )
            else:
                entries[str(key.value)] = self.node(value, (*path, key.value), line, inside)
        return entries


def _line(raw: Any) -> int:
    return int(raw.start_mark.line) + 1


def _instead_of(tag: str) -> str:
    return ": encrypt the whole file with ansible-vault instead" if tag == "!vault" else ""


def _line_of(error: Any) -> int:
    mark = getattr(error, "problem_mark", None)
    return int(mark.line) + 1 if mark else 1


def _reason_of(error: Any, secret: bool) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    if "another document" in problem:
        return "a second document begins here (---): put it into a file of its own and name both"
    return f"this is not YAML{' (why is not shown, the file is encrypted)' if secret else f': {problem}'}"
