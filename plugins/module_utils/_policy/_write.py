# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a policy as the text of a file, which people read and change, and is read back as it was.

What fits into a line stands in one, as in the documentation; everything longer in a block. A comment stands above what
it is about.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

try:
    import yaml

    class _Dumper(yaml.SafeDumper):
        """Writes every value out where it stands, and lists inside of what they belong to."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            # A list in a block would stand as far left as the key that it belongs to.
            super().increase_indent(flow, indentless and flow)

        def represent(self, data: Any) -> None:
            node: Any = self.represent_data(data)
            _arrange(node, _WIDTH)
            node.flow_style = False
            self.serialize(node)

except ImportError:
    yaml = None  # type: ignore[assignment]

_WIDTH = 100
_COMMENT_WIDTH = 116
_ENDLESS = 10**9
_STEP = 2


@dataclass(frozen=True, slots=True)
class Written:
    """What stands below one key, and the sentences above it; without any ``said`` there are only those."""

    said: Mapping[str, Any]
    comments: Sequence[str] = ()


Sections = Mapping[str, Written]


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A whole file: what stands at its head, its name, and by namespace, and for the cluster, its sections."""

    name: str
    namespaces: Mapping[str, Sections]
    cluster: Sections = field(default_factory=dict)
    head: Sequence[str] = ()


def policy_text(file: PolicyFile) -> str:
    """The file. A namespace of which nothing is said has its comments alone."""
    if yaml is None:
        raise HardeningError("Writing a policy needs PyYAML: install it with `pip install PyYAML`.")
    says = any(each.said for sections in file.namespaces.values() for each in sections.values())
    lines = ["---", *_comments(file.head, 0), "policy_version: 1", _dumped({"name": file.name}).rstrip(), ""]
    lines += ["namespaces:" if says else "# namespaces:"]
    for name in sorted(file.namespaces):
        lines += _block(name, file.namespaces[name])
    told = any(each.said for each in file.cluster.values())
    lines += ["", "cluster:"] if told else [""] if file.cluster else []
    for section, written in file.cluster.items():
        lines += _section(section, written, _STEP) if told else _section(f"cluster.{section}", written, 0)
    return "\n".join(lines) + "\n"


def _block(name: str, sections: Sections) -> list[str]:
    told = any(each.said for each in sections.values())
    key = _dumped(name).splitlines()[0]
    lines = ["", f"{' ' * _STEP}{key}:" if told else f"{' ' * _STEP}# {key}: nothing is said of it."]
    for section, written in sections.items():
        lines += _section(section, written, 2 * _STEP if told else _STEP)
    return lines


def _section(section: str, written: Written, indent: int) -> list[str]:
    named = [each if written.said or "\n" in each else f"{section}: {each}" for each in written.comments]
    lines = _comments(named, indent)
    if written.said:
        lines += textwrap.indent(_dumped({section: _plain(written.said)}), " " * indent).splitlines()
    return lines


def _comments(sentences: Sequence[str], indent: int) -> list[str]:
    lines: list[str] = []
    for sentence in sentences:
        if "\n" in sentence:
            # A block that is to be taken over: without its # it is at home here.
            lines += [f"{' ' * indent}# {line}" for line in sentence.splitlines()]
            continue
        told = " ".join(str(sentence).split())
        lines += textwrap.wrap(
            told,
            _COMMENT_WIDTH,
            initial_indent=f"{' ' * indent}# ",
            subsequent_indent=f"{' ' * indent}#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def _plain(said: Any) -> Any:
    """Mappings and lists as the dumper knows them."""
    if isinstance(said, Mapping):
        return {str(key): _plain(value) for key, value in said.items()}
    if isinstance(said, (list, tuple)):
        return [_plain(each) for each in said]
    return said


def _dumped(said: Mapping[str, Any] | str) -> str:
    return str(yaml.dump(said, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ENDLESS))


def _arrange(node: Any, room: int) -> int:
    """Decide of each mapping and list whether it stands in one line; returns how long it is there."""
    if isinstance(node, yaml.ScalarNode):
        if "\n" in node.value:
            node.style = '"'
        return len(node.value) + 2
    if isinstance(node, yaml.MappingNode):
        parts = [_arrange(key, room) + _arrange(value, room - _STEP) for key, value in node.value]
    else:
        parts = [_arrange(each, room - _STEP) for each in node.value]
    length = sum(parts) + 2 * len(parts)
    node.flow_style = length <= room
    return length
