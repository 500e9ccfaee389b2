# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what can be wrong with a policy file, and how it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Path: TypeAlias = "tuple[str | int, ...]"

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_ECHO = 60


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake: the file, its line (from 1), the path in the document, and what is wrong with it."""

    file: str
    line: int
    path: str
    text: str

    def __str__(self) -> str:
        """``file:line: path: text``, the form that editors jump to."""
        place = f"{self.file}:{self.line}: "
        return place + (f"{self.path}: {self.text}" if self.path else self.text)


class PolicyError(HardeningError):
    """Everything that is wrong with a policy, sorted by file and line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        """Take the mistakes in any order; the same mistake is told once."""
        self.mistakes = sorted(set(mistakes))
        count = "one mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        super().__init__(f"The policy has {count}. Correct it and run again; nothing was changed.\n{lines}")


def written_path(path: Path) -> str:
    """A path as people write it: ``namespaces.shop.network.allow[0].ports[1]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text


def found(value: Any, secret: bool = False) -> str:
    """What was found, in a few words; never the value where the file is encrypted."""
    if value == "":
        return "found nothing"
    if isinstance(value, bool):
        return f"found {str(value).lower()}"
    if isinstance(value, dict):
        return "found a mapping"
    if isinstance(value, list):
        return "found a list"
    if secret:
        return "found something else (not shown, the file is encrypted)"
    text = json.dumps(value, ensure_ascii=False)
    return f"found {text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + '…'}"


def meant(word: Any, allowed: Iterable[str]) -> str:
    """`` Did you mean …?`` for a mistyped word, empty where nothing is close."""
    close = did_you_mean(word, allowed) if isinstance(word, str) else ""
    return f" Did you mean {close}?" if close and close != word else ""
