# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: words of messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_AS_CLOSE_AS = 0.6


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The candidate that a mistyped word most likely meant, ``""`` where none is close.

    Case does not count; the candidate comes back as it is written.
    """
    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=_AS_CLOSE_AS)
    return by_folded[close[0]] if close else ""
