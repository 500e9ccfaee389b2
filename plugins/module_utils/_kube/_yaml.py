# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: YAML by libyaml where PyYAML has it, which is ten times as fast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

try:
    import yaml

    _LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
        yield from yaml.load_all(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadYaml(error.problem or str(error.context), mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadYaml(" ".join(str(error).split()), 1) from None
