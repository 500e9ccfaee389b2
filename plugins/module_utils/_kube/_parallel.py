# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one piece of work on many items, by several threads at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Generic, TypeVar, cast

_PROGRESS_SECONDS = 1.0

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Progress = Callable[[int, int], None]


def parallel(
    function: Callable[[Item], Outcome], items: Iterable[Item], workers: int, progress: Progress | None = None
) -> list[Outcome]:
    """The function's results in the order of the items, ``workers`` of them under way at once.

    All items are worked on, then the first exception in their order is raised. ``progress(done, total)`` is called
    about once a second and at the end, from the calling thread.
    """
    todo = list(items)
    if len(todo) < 2:
        return [function(item) for item in todo]
    shared = _Shared(function, todo)
    several = min(workers, len(todo))
    with ThreadPoolExecutor(several) as pool:
        threads = [pool.submit(shared.work) for _number in range(several)]
        working = set(threads)
        while working:
            working = wait(working, timeout=_PROGRESS_SECONDS).not_done
            if progress:
                progress(shared.done, len(todo))
    for thread in threads:
        thread.result()
    return shared.outcomes()


class _Shared(Generic[Item, Outcome]):
    """Items that threads take one after the other: a future for each would cost a third of the client's time."""

    def __init__(self, function: Callable[[Item], Outcome], items: Sequence[Item]) -> None:
        self._function = function
        self._items = items
        self._positions = iter(range(len(items)))
        self._ended: dict[int, tuple[Outcome, None] | tuple[None, Exception]] = {}

    def work(self) -> None:
        """Take items until there are none left. An item's exception waits for :meth:`outcomes`."""
        for position in self._positions:
            try:
                self._ended[position] = (self._function(self._items[position]), None)
            except Exception as error:
                self._ended[position] = (None, error)

    @property
    def done(self) -> int:
        """How many items have ended, in one way or the other."""
        return len(self._ended)

    def outcomes(self) -> list[Outcome]:
        """In the order of the items; raises the first exception in that order."""
        told = []
        for position in range(len(self._items)):
            outcome, error = self._ended[position]
            if error is not None:
                raise error
            told.append(cast("Outcome", outcome))
        return told
