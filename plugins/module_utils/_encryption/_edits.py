# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: edits of YAML text that leave everything else byte for byte as it was, comments too.

An edit puts one piece of text in or takes one out, at the place that the parser tells, and is then checked by parsing:
what was read before, with the intended change, must be what is read after. Otherwise it is refused and nothing changes.
Taking out what was put in gives the same bytes again.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._yaml import read
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

Path: TypeAlias = "tuple[str | int, ...]"

_REST_OF_LINE = re.compile(r"([ \t]*|[ \t]+#[^\r\n]*)(?=\r?\n|\Z)")
_BETWEEN = re.compile(r"\s*,\s*")
_PLAIN_WORD = re.compile(r"-{0,2}[A-Za-z/][A-Za-z0-9/._=-]*")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class _Awkward(Exception):
    """A form of YAML in which the place of an edit cannot be told; the message says which."""


@lru_cache(maxsize=8)
def parsed(text: str, what: str) -> tuple[Any, Any]:
    """What :func:`read` returns, kept for the next edit of the same text; neither may be changed.

    Only for texts without keys, since it keeps them in memory.
    """
    return read(text, what)


def put(text: str, path: Path, value: Any, what: str) -> str:
    """The text with a new key, the last of the path, in a map; maps on the way that are missing are made.

    Raises :class:`HardeningError`, beginning with ``what``, where the text has no form in which that can be done.
    """
    node, data = parsed(text, what)
    return _checked(_added(text, node, path, value, what), data, path, lambda old: _set(old, path, value), what)


def append(text: str, path: Path, item: Any, what: str) -> str:
    """The text with one more item at the end of a list; a list that is missing is made. Raises as :func:`put`."""
    node, data = parsed(text, what)
    if _found(node, path) is None:
        return put(text, path, [item], what)
    edit = _guarded(lambda: _inserted(text, node, path, item, "list"), path, what)
    return _checked(edit, data, path, lambda old: _at(old, path).append(item), what)


def remove(text: str, path: Path, what: str) -> str:
    """The text without one key of a map, or item of a list, and without the list or map that is empty then.

    An empty list or map stays where it can have been there before: in brackets, under a key that stands on a line.
    Raises as :func:`put`.
    """
    node, data = parsed(text, what)
    if _found(node, path) is None:
        raise HardeningError(f"{what}: there is no {told(path)}.")
    whole = _whole(node, path)
    if not whole:
        raise HardeningError(f"{what}: nothing would be left without {told(path)}.")
    edit = _guarded(lambda: _taken_out(text, node, whole), path, what)
    return _checked(edit, data, path, lambda old: _delete(old, whole), what)


def told(path: Path) -> str:
    """A path as messages write it: ``spec.containers[0].command``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _added(text: str, node: Any, path: Path, value: Any, what: str) -> str:
    *parent, key = path
    if _found(node, tuple(parent)) is None:
        return _added(text, node, tuple(parent), {key: value}, what)
    return _guarded(lambda: _inserted(text, node, tuple(parent), {key: value}, "map"), path, what)


def _guarded(edit: Callable[[], str], path: Path, what: str) -> str:
    try:
        return edit()
    except _Awkward as awkward:
        raise HardeningError(f"{what}: {told(path)} cannot be edited, since {awkward}.") from None


def _checked(edited: str, data: Any, path: Path, change: Callable[[Any], None], what: str) -> str:
    expected = copy.deepcopy(data)
    change(expected)
    # repr keeps apart what == does not: true and 1, and another order of keys.
    try:
        as_meant = repr(parsed(edited, what)[1]) == repr(expected)
    except HardeningError:
        as_meant = False
    if not as_meant:
        raise HardeningError(
            f"{what}: {told(path)} is written in a form that cannot be edited without touching other lines; "
            "write one value per line there, and run again."
        )
    return edited


def _inserted(text: str, root: Any, path: Path, value: Any, kind: Literal["list", "map"]) -> str:
    """The text with an item, or with the one pair of a map, at the end of the collection at the path."""
    node = _found(root, path)
    if not isinstance(node.value, list):
        raise _Awkward(f"{told(path)} is there with no {kind} under it; take that line out")
    if _is_map(node) != (kind == "map"):
        raise _Awkward(f"it is no {kind}")
    if not node.flow_style:
        return _with_lines(text, node, _block(value) if _is_map(node) else _item(value))
    if not node.value and path and _found(root, path[:-1]).flow_style:
        raise _Awkward(f"{told(path)} is empty, and it could not be told later whether it was there; take it out")
    flow = json.dumps(value)[1:-1] if _is_map(node) else json.dumps(value)
    if not node.value:
        at = text.index("{" if _is_map(node) else "[", node.start_mark.index) + 1
        return text[:at] + flow + text[at:]
    at = _units(node)[-1][1]
    return f"{text[:at]}, {flow}{text[at:]}"


def _with_lines(text: str, node: Any, lines: list[str]) -> str:
    at = _end_of_line(text, _end(node))
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = newline + " " * node.start_mark.column
    return text[:at] + "".join(indent + line for line in lines) + text[at:]


def _taken_out(text: str, root: Any, path: Path) -> str:
    parent = _found(root, path[:-1])
    index = path[-1] if isinstance(path[-1], int) else [key.value for key, _value in parent.value].index(path[-1])
    begin, end = _in_flow(text, parent, index) if parent.flow_style else _in_block(text, parent, index)
    return text[:begin] + text[end:]


def _in_flow(text: str, parent: Any, index: int) -> tuple[int, int]:
    units = _units(parent)
    begin, end = units[index]
    if index:
        between = units[index - 1][1], begin
        begin = between[0]
    elif len(units) > 1:
        between = end, units[1][0]
        end = between[1]
    else:
        return begin, end
    if not _BETWEEN.fullmatch(text[slice(*between)]):
        raise _Awkward("a comment stands in the way")
    return begin, end


def _in_block(text: str, parent: Any, index: int) -> tuple[int, int]:
    begin, end = _units(parent)[index]
    line = text.rfind("\n", 0, begin) + 1
    if not re.fullmatch(r" *" if _is_map(parent) else r" *-[ \t]+", text[line:begin]):
        raise _Awkward("it does not begin its line")
    end = _end_of_line(text, end)
    if line == 0:
        return 0, end + len(re.match(r"\r?\n|", text[end:]).group())  # type: ignore[union-attr]
    return line - (2 if text[line - 2 : line] == "\r\n" else 1), end


def _whole(root: Any, path: Path) -> Path:
    """What goes: the path, or the collection above it that would be left empty and cannot have been there empty."""
    while path:
        parent = _found(root, path[:-1])
        in_block = not parent.flow_style
        above = _found(root, path[:-2]) if len(path) > 1 else None
        if len(parent.value) > 1 or not (in_block or (above is not None and above.flow_style)):
            return path
        path = path[:-1]
    return path


def _units(node: Any) -> list[tuple[int, int]]:
    """Where each item of a list, or each key with its value, begins and ends."""
    pairs = node.value if _is_map(node) else [(each, each) for each in node.value]
    return [(first.start_mark.index, _end(last)) for first, last in pairs]


def _end(node: Any) -> int:
    """Where the last word of a value ends; the parser's own mark of a block is behind the comments that follow it."""
    if not isinstance(node.value, list):
        if node.style in ("|", ">"):
            raise _Awkward("it ends with a text of several lines (| or >)")
        return int(node.end_mark.index)
    if node.flow_style:
        return int(node.end_mark.index)
    return _end(node.value[-1][1] if _is_map(node) else node.value[-1])


def _end_of_line(text: str, at: int) -> int:
    rest = _REST_OF_LINE.match(text, at)
    if rest is None:
        raise _Awkward("something else stands on its line")
    return rest.end()


def _found(node: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            node = node.value[step] if isinstance(node.value, list) and step < len(node.value) else None
        else:
            node = next((value for key, value in node.value if key.value == step), None) if _is_map(node) else None
        if node is None:
            return None
    return node


def _is_map(node: Any) -> bool:
    return str(node.id) == "mapping"


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _set(data: Any, path: Path, value: Any) -> None:
    for step in path[:-1]:
        data = data.setdefault(step, {}) if isinstance(data, dict) else data[step]
    data[path[-1]] = value


def _delete(data: Any, path: Path) -> None:
    del _at(data, path[:-1])[path[-1]]


def _block(value: dict[str, Any]) -> list[str]:
    """The lines of a map, as kubeadm and kubectl write one: lists are not indented under their key."""
    lines: list[str] = []
    for key, each in value.items():
        if isinstance(each, dict | list) and each:
            lines.append(f"{key}:")
            lines += ["  " + line for line in _block(each)] if isinstance(each, dict) else _items(each)
        else:
            lines.append(f"{key}: {_scalar(each)}")
    return lines


def _items(values: list[Any]) -> list[str]:
    return [line for each in values for line in _item(each)]


def _item(value: Any) -> list[str]:
    first, *others = _block(value) if isinstance(value, dict) and value else [_scalar(value)]
    return ["- " + first, *("  " + line for line in others)]


def _scalar(value: Any) -> str:
    is_word = isinstance(value, str) and _PLAIN_WORD.fullmatch(value) and value.lower() not in _NOT_TEXT
    return value if is_word else json.dumps(value)
