# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: YAML as kubectl reads it, by libyaml where PyYAML has it, which is ten times as fast.

PyYAML follows YAML 1.1, where ``on`` and ``no`` are truth values, ``2026-01-01`` is a date and ``12:30`` is a number.
kubectl leaves all of these as the text that they are, and so do we. Keys are text, as JSON has no others, ``!!binary``
stays the base64 that it is written in, and a key that is there twice is a mistake: PyYAML would drop the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain, text_key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

_TEXT_TO_KUBECTL = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "timestamp"))
_TEXT, _MAP, _LIST, _MERGE, _BINARY = (f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq", "merge", "binary"))
_SIMPLE = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null"))
_UNFINISHED = object()
_TRUTH = re.compile(r"(?:true|True|TRUE|false|False|FALSE)$")
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$")

try:
    import yaml

    class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Reads the scalars that kubectl reads as text as text.

        Makes the data straight out of the nodes: PyYAML's constructor, which also knows Python's types, takes longer.
        """

        def construct_document(self, node: Any) -> Any:
            return self._value(node, {})

        def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
            """The tag of a node; PyYAML's own way, which looks at paths too, takes a fifth of the whole time."""
            if kind is yaml.ScalarNode and implicit[0]:
                return _tag_of_plain(value)
            return _TAGS[kind]

        def _value(self, node: Any, made: dict[int, Any]) -> Any:
            """What a node means; ``made`` holds the maps and lists there are already, for what refers to them."""
            tag = node.tag
            if isinstance(node, yaml.ScalarNode):
                return node.value if tag == _TEXT else self._scalar(node)
            if id(node) in made:
                return self._made(node, made)
            made[id(node)] = _UNFINISHED
            value: Any
            if tag == _MAP and isinstance(node, yaml.MappingNode):
                value = self._map(node, made)
            elif tag == _LIST and isinstance(node, yaml.SequenceNode):
                value = [self._value(each, made) for each in node.value]
            else:
                value = plain(self.construct_object(node, deep=True))
            made[id(node)] = value
            return value

        def _scalar(self, node: Any) -> Any:
            if node.tag == _BINARY:
                return "".join(node.value.split())
            if node.tag in _SIMPLE:
                return self.yaml_constructors[node.tag](self, node)
            return plain(self.construct_object(node, deep=True))

        def _made(self, node: Any, made: Mapping[int, Any]) -> Any:
            if made[id(node)] is _UNFINISHED:
                raise yaml.MarkedYAMLError(problem="this holds itself", problem_mark=node.start_mark)
            return made[id(node)]

        def _map(self, node: Any, made: dict[int, Any]) -> dict[str, Any]:
            told: dict[str, Any] = {}
            merged: dict[str, Any] = {}
            for key_node, value_node in node.value:
                if key_node.tag == _MERGE:
                    merged = {**self._merged(value_node, made), **merged}
                    continue
                key = key_node.value if key_node.tag == _TEXT else self._key(key_node)
                if key in told:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key!r} is there twice in one map", problem_mark=key_node.start_mark
                    )
                told[key] = self._value(value_node, made)
            return {**merged, **told} if merged else told

        def _key(self, node: Any) -> str:
            if not isinstance(node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is text, not a list or a map", problem_mark=node.start_mark)
            return text_key(self._scalar(node))

        def _merged(self, node: Any, made: dict[int, Any]) -> dict[str, Any]:
            """What ``<<`` brings in: a map, or of several maps the first that has a key."""
            value = self._value(node, made)
            maps = value if isinstance(value, list) else [value]
            if not all(isinstance(each, dict) for each in maps):
                raise yaml.MarkedYAMLError(problem="<< takes a map or a list of maps", problem_mark=node.start_mark)
            return {key: each for one in reversed(maps) for key, each in one.items()}

    _Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _TEXT_TO_KUBECTL]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }
    _Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _TRUTH, list("tTfF"))
    _Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))

    _TAGS = {yaml.ScalarNode: _TEXT, yaml.MappingNode: _MAP, yaml.SequenceNode: _LIST}

    @lru_cache(maxsize=4096)
    def _tag_of_plain(value: str) -> str:
        """The tag of a scalar without quotes, by its form."""
        resolvers = _Loader.yaml_implicit_resolvers
        candidates = (*resolvers.get(value[:1], ()), *resolvers.get(None, ()))
        return next((tag for tag, pattern in candidates if pattern.match(value)), _TEXT)
except ImportError:
    yaml = None  # type: ignore[assignment]


class BadYaml(HardeningError):
    """Text that is not YAML; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        """Take what is wrong and where."""
        super().__init__(message)
        self.line = line


def load_yaml(text: str) -> Any:
    """The first document in the text; raises :class:`BadYaml`."""
    return next(load_all_yaml(text), None)


def load_all_yaml(text: str) -> Iterator[Any]:
    """The documents of the text, one after another; raises :class:`BadYaml` on reaching what is wrong."""
    if yaml is None:
        raise HardeningError("The Python package PyYAML is missing: install it for the controller's Python.")
    try:
        yield from yaml.load_all(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadYaml(error.problem or str(error.context), mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadYaml(" ".join(str(error).split()), 1) from None
