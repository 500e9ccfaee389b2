# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: plain data, out of the tagged and lazy types that ansible-core 2.19 hands to plugins."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

_EXACT = frozenset({str, int, float, bool, type(None)})
_SCALARS = (str, bool, int, float)


def plain(value: Any) -> Any:
    """The same value of nothing but dict, list, str, int, float, bool and None.

    A library that asks for the exact type, as YAML's and the ssl module do, then gets it. Dates become ISO 8601
    text, bytes base64.
    """
    if type(value) in _EXACT:
        return value
    if isinstance(value, Mapping):
        return {text_key(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(each) for each in value), key=str)
    for scalar in _SCALARS:
        if isinstance(value, scalar):
            return scalar(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def text_key(key: Any) -> str:
    """A map's key as JSON writes it, which has no other keys than text."""
    if key is None:
        return "null"
    return str(key).lower() if isinstance(key, bool) else str(key)
