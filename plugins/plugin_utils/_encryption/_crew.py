# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one piece of work on each of very many objects, several at a time, in little memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import SimpleQueue

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._pace import Pace
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._unreadable import says_unreadable
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._pages import PAGE, Page, Stored

_BUSY, _FAILED = 429, 500
_TICK_SECONDS = 0.1
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Before a request is tried again that the server failed at: a leader of etcd is chosen within seconds."""
_MOST_BUSY_SECONDS = 300.0
"""For how long an object waits for a server that has no room."""
_HOPELESS_SECONDS = 60.0
"""After so long in which the server failed at everything, what is left is not tried any more."""

Progress = Callable[[int, int], None]
Work = Callable[[Stored], None]
Send = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Limits:
    """``workers`` requests at once at most, ``most_per_second`` of them started in a second; 0 is any number."""

    workers: int = 16
    most_per_second: float = 0


class Crew:
    """Threads that take one object after the other, as many at once as the pace allows."""

    def __init__(self, limits: Limits, progress: Progress | None) -> None:
        """Take what is allowed; ``progress(done, total)`` is called from the calling thread."""
        self._workers = limits.workers
        self._progress = progress
        self._pace = Pace(limits.workers, limits.most_per_second)
        self._under_way = 0
        self._room = threading.Condition()
        self._objects: SimpleQueue[Stored | None] = SimpleQueue()
        self._done = 0
        self._handed_out = 0
        self._total = 0
        self._failing_since: float | None = None
        self._error: BaseException | None = None
        self._stopped = False

    def go_through(self, pages: Iterable[Page], work: Work) -> None:
        """Do the work on each object. After the first exception no more is begun, and it is raised here."""
        threads = [threading.Thread(target=self._take, args=(work,), daemon=True) for _each in range(self._workers)]
        for thread in threads:
            thread.start()
        try:
            for page in pages:
                self._hand_out(page)
                if self._over:
                    break
        except BaseException:
            self._stopped = True
            raise
        finally:
            for _each in threads:
                self._objects.put(None)
            for thread in threads:
                self._wait_for(thread)
        if self._error is not None:
            raise self._error
        self._tell()

    @property
    def left(self) -> int:
        """How many objects were not begun, because the server failed at everything for a while."""
        return self._total - self._done

    def ask(self, send: Send) -> Answer:
        """The answer to a request, sent when there is room for it, again while the server is busy or fails at it.

        What the server fails at after a few tries is given back as it is, and at once where it has no key for a value.
        """
        pauses = iter(_PAUSES)
        busy_until = time.monotonic() + _MOST_BUSY_SECONDS
        while True:
            answer = self._paced(send)
            if answer.status == _BUSY and time.monotonic() < busy_until:
                continue
            if answer.status < _FAILED or says_unreadable(answer.message):
                self._failing_since = None
                return answer
            pause = next(pauses, None)
            if self._over or pause is None or self._is_hopeless():
                return answer
            time.sleep(min(answer.retry_after or pause, _PAUSES[-1]))

    def _is_hopeless(self) -> bool:
        """Whether nothing succeeded for so long that nothing more is to be begun."""
        now = time.monotonic()
        with self._room:
            self._failing_since = now if self._failing_since is None else self._failing_since
            self._stopped = self._stopped or now - self._failing_since > _HOPELESS_SECONDS
        return self._stopped

    def _paced(self, send: Send) -> Answer:
        self._enter()
        started = time.monotonic()
        try:
            answer = send()
        except BaseException:
            self._leave(lambda pace: pace)
            raise
        now = time.monotonic()
        if answer.status == _BUSY:
            self._leave(lambda pace: pace.refused(now, answer.retry_after or 1))
        else:
            self._leave(lambda pace: pace.answered(now, now - started))
        return answer

    def _hand_out(self, page: Page) -> None:
        """Queue a page, and return when so little is left that the next one should be fetched."""
        self._handed_out += len(page.objects)
        self._total = self._handed_out + page.remaining
        for each in page.objects:
            self._objects.put(each)
        while self._objects.qsize() > PAGE and not self._over:
            time.sleep(_TICK_SECONDS)
            self._tell()

    def _wait_for(self, thread: threading.Thread) -> None:
        while thread.is_alive():
            thread.join(_TICK_SECONDS)
            self._tell()

    def _tell(self) -> None:
        if self._progress:
            self._progress(self._done, max(self._total, self._done))

    @property
    def _over(self) -> bool:
        return self._stopped or self._error is not None

    def _take(self, work: Work) -> None:
        while (each := self._objects.get()) is not None and not self._over:
            try:
                work(each)
            except BaseException as error:
                self._error = self._error or error
                return
            with self._room:
                self._done += 1

    def _enter(self) -> None:
        with self._room:
            while (seconds := self._pace.wait(time.monotonic(), self._under_way)) > 0 and not self._over:
                self._room.wait(min(seconds, _TICK_SECONDS))
            self._pace = self._pace.started(time.monotonic())
            self._under_way += 1

    def _leave(self, changed: Callable[[Pace], Pace]) -> None:
        with self._room:
            self._under_way -= 1
            self._pace = changed(self._pace)
            self._room.notify()
