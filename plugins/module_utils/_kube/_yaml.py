# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: YAML as kubectl reads it, by libyaml where PyYAML has it, which is ten times as fast.

PyYAML follows YAML 1.1, where ``on`` and ``no`` are truth values, ``2026-01-01`` is a date and ``12:30`` is a number.
kubectl leaves all of these as the text that they are, and so do we.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

_TEXT_TO_KUBECTL = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "timestamp"))
_TRUTH = re.compile(r"(?:true|True|TRUE|false|False|FALSE)$")
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$")

try:
    import yaml

    class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Reads the scalars that kubectl reads as text as text."""

    _Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _TEXT_TO_KUBECTL]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }
    _Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _TRUTH, list("tTfF"))
    _Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))
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
