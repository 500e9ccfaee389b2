# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what hears of every write before it goes out, and of what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Intent:
    """A write that is about to go out: ``before`` is the object as it is, ``None`` where it is not there."""

    deed: Literal["apply", "delete", "revert"]
    manager: str
    before: Object | None
    desired: Object


class Recorder(Protocol):
    """Keeps what is to be known should the run be put back."""

    def intend(self, intents: Sequence[Intent]) -> None:
        """Keep what is about to be written, all at once; raises HardeningError, and then nothing may be written."""

    def came(self, intent: Intent, after: Object | None, *, done: bool) -> None:
        """Note what came of one of them, from any thread; ``done`` is ``False`` where the server refused it."""

    def settle(self) -> None:
        """Keep what was noted."""
