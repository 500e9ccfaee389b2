# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP client of the tests' own: to one API server, or failing over between all of them."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PORT = 6443
TIMEOUT = 30
REFUSALS = frozenset({401, 403, 429, 503, 504})
"""What a server answers that starts or stops, and what it answers to nobody otherwise here: the user may do all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    address: str
    status: int
    body: dict[str, Any]

    @property
    def told(self) -> str:
        """Its message, where it refused."""
        return str(self.body.get("message", ""))


class Refused(Exception):
    """A server did not take the request, or its answer was lost: ``sent`` says whether it may have been carried out."""

    def __init__(self, address: str, why: str, sent: bool) -> None:
        super().__init__(f"{address}: {why}")
        self.address = address
        self.sent = sent


class Door:
    """One API server at its own address, over a kept connection. For one thread."""

    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        self.address = address
        self._context = context
        self._connection: http.client.HTTPSConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Answer:
        """What the server answers; raises Refused where it does not, or only says that it cannot now."""
        status, text = self.raw(method, path, body, content_type)
        try:
            told = json.loads(text)
        except ValueError:
            told = {"message": text.decode(errors="replace")}
        if status in REFUSALS:
            raise Refused(self.address, f"{status} {told.get('message', '')}", sent=status == 504)
        return Answer(self.address, status, told)

    def raw(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> tuple[int, bytes]:
        """Status and body as they come. A kept connection that the server has closed meanwhile is opened again."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        kept = self._connection is not None
        sent = False
        try:
            connection = self._opened()
            sent = True
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if kept and method == "GET":
                return self.raw(method, path, body, content_type)
            raise Refused(self.address, f"{type(error).__name__} {error}", sent) from None
        if answer.will_close:
            self.close()
        return answer.status, text

    def close(self) -> None:
        """Forget the connection."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _opened(self) -> http.client.HTTPSConnection:
        if self._connection is None:
            connection = http.client.HTTPSConnection(self.address, PORT, timeout=TIMEOUT, context=self._context)
            connection.connect()
            self._connection = connection
        return self._connection


class Doors:
    """All API servers: who is refused at one asks the next, as clients behind several addresses do. For one thread."""

    def __init__(self, addresses: Sequence[str], context: ssl.SSLContext, first: int = 0) -> None:
        ordered = [*addresses[first % len(addresses) :], *addresses[: first % len(addresses)]]
        self._doors = [Door(each, context) for each in ordered]

    def ask(self, method: str, path: str, body: Any = None, seconds: float = 5) -> tuple[Answer, bool]:
        """The first answer, and whether an earlier try may have been carried out. Raises the last Refused.

        Every address is asked at least once. With a single one that restarts, there is nowhere to fail over to: ask for
        as long as ``seconds`` says.
        """
        deadline = time.monotonic() + seconds
        repeated = False
        tries = 0
        while True:
            try:
                return self._doors[0].ask(method, path, body), repeated
            except Refused as refused:
                repeated = repeated or refused.sent
                tries += 1
                if tries >= len(self._doors) and time.monotonic() > deadline:
                    raise Refused(refused.address, str(refused), repeated) from None
            self._doors.append(self._doors.pop(0))
            if tries % len(self._doors) == 0:
                time.sleep(0.1)
