# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how fast thousands of objects may be gone through without an API server suffering from it.

As many requests are under way at once as the server answers soon: one more after each round of soon answers, half as
many after a slow answer or a refusal for want of room (additive increase, multiplicative decrease).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SLOW_SECONDS = 1.0
"""What Kubernetes promises of 99 in 100 writes of one object (its SLO of API call latency)."""
_EASE_SECONDS = 1.0
"""All that was under way when the server became slow tells of the same trouble, which counts once."""
_LONGEST_TOLD_PAUSE = 120.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests may be under way (``width``), and when the next may start; times are of any one clock.

    ``most`` is the largest width. ``per_second`` is how many requests may start in a second, 0 for any number.
    """

    most: int
    per_second: float = 0
    width: float = 0
    not_before: float = 0
    next_at: float = 0
    eased_at: float = float("-inf")

    def wait(self, now: float, under_way: int) -> float:
        """The seconds until one more may start: 0 for at once; ``inf`` where first another has to end."""
        if under_way >= max(1, int(self.width or self.most)):
            return float("inf")
        return max(0.0, self.not_before - now, self.next_at - now)

    def started(self, now: float) -> Pace:
        """After a request was started."""
        return replace(self, next_at=max(self.next_at, now) + 1 / self.per_second) if self.per_second else self

    def answered(self, now: float, seconds: float) -> Pace:
        """After an answer that took so long."""
        if seconds > SLOW_SECONDS:
            return self._eased(now)
        width = self.width or self.most
        return self if width >= self.most else replace(self, width=min(self.most, width + 1 / width))

    def refused(self, now: float, retry_after: float = 1) -> Pace:
        """After a refusal for want of room (429), with the seconds that the server asks to stay away."""
        paused = replace(self, not_before=max(self.not_before, now + min(retry_after, _LONGEST_TOLD_PAUSE)))
        return paused._eased(now)

    def _eased(self, now: float) -> Pace:
        if now - self.eased_at < _EASE_SECONDS:
            return self
        return replace(self, width=max(1.0, (self.width or self.most) / 2), eased_at=now)
