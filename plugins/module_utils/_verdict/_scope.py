# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which part of a policy a verdict is about, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import Verdict

Stage = Literal["canary", "whole"]
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is limited to (``only``, nothing for no limit), and which namespaces it works on first (``canary``).

    ``stage`` is ``canary`` for the verdict on these alone, before the rest is touched.
    """

    only: tuple[str, ...] = ()
    canary: tuple[str, ...] = ()
    stage: Stage = "whole"

    @property
    def limited(self) -> bool:
        """Whether there are namespaces of the policy that the verdict does not know."""
        return bool(self.only) or self.stage == "canary"

    def success(self, verdict: Verdict) -> str:
        """The one line about canary namespaces that are in order."""
        passed = sum(finding.status == "pass" for finding in verdict.findings)
        return f"canary {_some(self.canary)}: {passed} findings pass, nothing speaks against going on with the rest"

    def notes(self) -> Iterator[str]:
        """What stands beside the verdict."""
        if self.only:
            yield f"limited to {_some(self.only)}: nothing else was touched or judged"
        if self.stage == "canary":
            yield f"stopped at the canary {_some(self.canary)}: no other namespace was touched"
        elif self.canary:
            yield f"canary: {_some(self.canary)}"

    def remedies(self) -> Iterator[str]:
        """What to do after a failure, beyond what the findings say."""
        if self.stage == "canary":
            yield (
                f"It is that of the canary {_some(self.canary)}: the run stopped there, and no other namespace was "
                "touched. Correct what the findings name and run again, which goes on with the rest once the canary "
                "is in order; `-e only=…` with hardening.kubernetes.remove_hardening takes back what it got."
            )

    def to_dict(self) -> dict[str, Any]:
        """The shape of reports."""
        return {"only": list(self.only), "canary": list(self.canary), "stopped_at_canary": self.stage == "canary"}

    def properties(self) -> dict[str, str]:
        """What of it there is to tell, as words."""
        told = {"only": ", ".join(self.only), "canary": ", ".join(self.canary)}
        return {name: words for name, words in told.items() if words}


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
