# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: words of messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_AS_CLOSE_AS = 0.6


def did_you_mean(word: str, candidates: Iterable[str], as_close_as: float = _AS_CLOSE_AS) -> str:
    """The candidate that a mistyped word most likely meant, ``""`` where none is close.

    Case does not count; the candidate comes back as it is written. ``as_close_as`` goes from 0 to 1, which is equal.
    """
    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=as_close_as)
    return by_folded[close[0]] if close else ""
