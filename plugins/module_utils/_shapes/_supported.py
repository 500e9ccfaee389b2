# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the versions that it is made and tested for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Range:
    """The oldest and the newest supported version; ``newest`` is ``None`` where every newer one is."""

    oldest: Version
    newest: Version | None = None

    def holds(self, version: Version) -> bool:
        """Whether a version is in it."""
        return self.oldest <= version and (self.newest is None or version <= self.newest)

    def __str__(self) -> str:
        """``1.34 to 1.37``, or ``2.19 or newer``."""
        return f"{_said(self.oldest)} to {_said(self.newest)}" if self.newest else f"{_said(self.oldest)} or newer"


SUPPORTED: Mapping[str, Range] = {
    "Kubernetes": Range((1, 34), (1, 37)),
    "ansible-core": Range((2, 19)),
    "Python": Range((3, 11)),
}


def unsupported(versions: Mapping[str, Version]) -> list[str]:
    """A sentence for each version that is not supported, empty where all are.

    ``versions`` maps names of :data:`SUPPORTED` to what there is.
    """
    return [
        f"{what} is {_said(version)} here; supported is {SUPPORTED[what]}."
        for what, version in versions.items()
        if not SUPPORTED[what].holds(version)
    ]


def _said(version: Version) -> str:
    return ".".join(map(str, version))
