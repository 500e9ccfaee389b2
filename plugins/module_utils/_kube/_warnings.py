# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what an API server says in its ``Warning`` headers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WARNING = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def warning_texts(headers: Iterable[str]) -> tuple[str, ...]:
    """The texts of all warnings in these header values, each once, in order (RFC 9111 §5.5 as KEP-1693 uses it).

    One value may hold several warnings and a text may hold commas, as Pod Security's do, so only quotes delimit.
    """
    texts = (_ESCAPED.sub(r"\1", text) for value in headers for text in _WARNING.findall(value))
    return tuple(dict.fromkeys(texts))
