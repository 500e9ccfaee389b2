# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: several API servers of one cluster: while one is away, the others are asked."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer, Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unreachable

Told = TypeVar("Told")

PATIENCE_SECONDS = 180.0
"""For how long all of them may be away. A static pod that is started anew takes 40 seconds."""
_AWAY_SECONDS = 5.0
"""After this time a server that did not answer is tried again."""
_FRESH_SECONDS = 1.0


class Servers:
    """Asks each in turn; any number of threads may share it."""

    def __init__(
        self,
        clients: Sequence[Client],
        still_allowed: Callable[[], None] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Take a client for each address, which should give up soon itself, and how long to wait for any of them.

        ``still_allowed`` raises once nothing may be asked any more. It is called before a request, unless it was within
        the last second: a process that was stopped for an hour must not go on with what it was about to do.
        """
        self._still_allowed = still_allowed
        self._allowed_at = float("-inf")
        self._clients = tuple(clients)
        self._patience_seconds = patience_seconds
        self._turns = itertools.count()
        self._lock = threading.Lock()
        self._away_until = dict.fromkeys(self._clients, 0.0)
        self._silent_since: float | None = None

    def request(self, method: str, path: str, **more: Any) -> Answer:
        """As :meth:`Client.request`, of whichever server answers; the request has to be one that may be repeated."""
        return self.ask(lambda client: client.request(method, path, **more))

    def ask(self, question: Callable[[Client], Told]) -> Told:
        """What the question gives, asked of whichever server answers. Raises Unreachable once none has for too long."""
        while True:
            client = self._next()
            self._check()
            try:
                told = question(client)
            except Unreachable as error:
                self._went_away(client, error)
                continue
            self._silent_since = None
            return told

    def checked(self, answer: Answer) -> Answer:
        """The answer, if it is none of refusal; raises the KubeError of a refusal's status."""
        return self._clients[0].checked(answer)

    def checked_list(self, answer: Answer) -> dict[str, Any]:
        """A page of a list, checked in the same way."""
        return self._clients[0].checked_list(answer)

    def _check(self) -> None:
        if self._still_allowed is None or time.monotonic() - self._allowed_at < _FRESH_SECONDS:
            return
        with self._lock:
            if time.monotonic() - self._allowed_at >= _FRESH_SECONDS:
                self._still_allowed()
                self._allowed_at = time.monotonic()

    def _next(self) -> Client:
        now = time.monotonic()
        present = [client for client, until in self._away_until.items() if until <= now]
        if present:
            return present[next(self._turns) % len(present)]
        back_first = min(self._away_until, key=lambda client: self._away_until[client])
        time.sleep(max(0.0, self._away_until[back_first] - now))
        return back_first

    def _went_away(self, client: Client, error: Unreachable) -> None:
        now = time.monotonic()
        with self._lock:
            self._away_until[client] = now + _AWAY_SECONDS
            if self._silent_since is None:
                self._silent_since = now
            if now - self._silent_since >= self._patience_seconds:
                raise error
