# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one HTTP request after another over kept connections, tried again where that is safe."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._connections import (
    Broken,
    Headers,
    Reply,
    Target,
    connections,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._credentials import Identity
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    BadConnection,
    Unauthorized,
    Unreachable,
)

_TRIES = 5
_TRIES_WHEN_TOLD = 10
"""How often a server is asked that names the pause itself, as one does that is busy with others' requests."""
_LONGEST_TOLD_PAUSE = 120.0
_OUTAGE_SECONDS = 60.0
_SETTLING_SECONDS = 15.0
"""How long after an outage a 403 is doubted: a starting API server refuses until it has read its RBAC objects."""
_SHORTEST_OUTAGE_SECONDS = 1.0
"""No API server starts in less: one that was away for a shorter time, or one connection that was cut, is no outage."""
_SETTLING_PAUSE = 1.0
_RENEWAL_PAUSE = 5.0
"""After a vain try for new credentials, so that thousands of refused requests don't run a plugin thousands of times."""
_SAID_FOR_GOOD = (
    b"failed to create typed patch object",
    b"failed to convert new object",
    b"mvcc: database space exceeded",
)
"""What servers say with a 500 that no other try can help: the object is to blame, or etcd is full."""


class Transport:
    """Sends requests; any number of threads may share it."""

    def __init__(self, target: Target, outage_seconds: float = _OUTAGE_SECONDS) -> None:
        """Take the target; ``outage_seconds`` is how long a server that has answered before may be away."""
        self._target = target
        self._outage_seconds = outage_seconds
        self._lock = threading.Lock()
        self._generation = 0
        self._no_renewal_before = 0.0
        self._identity = target.credentials.identity()
        self._connections = connections(target, self._identity)
        self._answered = False
        self._away_since: float | None = None
        self._back_since: float | None = None

    def send(
        self, method: str, path: str, headers: Headers, body: bytes | None, *, repeatable: bool, insist: bool = True
    ) -> Reply:
        """The server's reply, whatever its status, after the retries that the status and ``repeatable`` allow.

        429 is always tried again, and so is any 5xx with ``Retry-After``: the server says that it did nothing.
        Other 5xx and connections cut off are tried again only if ``repeatable``. Who does not ``insist`` gets 429 and
        5xx as they come, to wait in a way of its own. Raises :class:`Unreachable` and :class:`Unauthorized`.
        """
        tries, repeated = 0, False
        while True:
            tries += 1
            reply = self._sent(method, path, headers, body, repeatable)
            repeated = repeated or reply.repeated
            pause = self._pause(reply, tries, repeatable, insist)
            if pause is None:
                return replace(reply, repeated=True) if repeated else reply
            repeated = repeated or (reply.status >= 500 and retry_after(reply) is None)
            time.sleep(pause)

    def _pause(self, reply: Reply, tries: int, repeatable: bool, insist: bool) -> float | None:
        """Seconds to wait before the next try; ``None``: this reply is the answer."""
        if reply.status == 403 and self._settling():
            return _SETTLING_PAUSE
        told = retry_after(reply)
        again = reply.status == 429 or (reply.status >= 500 and (repeatable or told is not None))
        final = reply.status == 500 and any(words in reply.data for words in _SAID_FOR_GOOD)
        if not (again and insist) or final or tries >= (_TRIES if told is None else _TRIES_WHEN_TOLD):
            return None
        return 0.5 * 2 ** (tries - 1) if told is None else min(told, _LONGEST_TOLD_PAUSE)

    def _settling(self) -> bool:
        return self._back_since is not None and time.monotonic() - self._back_since < _SETTLING_SECONDS

    def _sent(self, method: str, path: str, headers: Headers, body: bytes | None, repeatable: bool) -> Reply:
        """One reply that is not 401, over an outage if need be."""
        generation, renewed = self._generation, False
        failing_since: float | None = None
        repeated = False
        while True:
            try:
                reply = self._once(method, path, headers, body)
            except Broken as broken:
                failing_since = time.monotonic() if failing_since is None else failing_since
                self._wait_out(broken, repeatable or not broken.sent, failing_since)
                repeated = repeated or broken.sent
                continue
            self._came_back()
            if reply.status != 401:
                return replace(reply, repeated=True) if repeated else reply
            if renewed or not self._renew(generation):
                raise Unauthorized(
                    f"The server {self._target.server} does not accept these credentials (401), maybe expired: "
                    "log in again, or give others.",
                    401,
                )
            generation, renewed = self._generation, True

    def _once(self, method: str, path: str, headers: Headers, body: bytes | None) -> Reply:
        identity = self._current()
        authorization = [("Authorization", identity.authorization)] if identity.authorization else []
        try:
            return self._connections.request(
                method, path, [*headers, *authorization, *self._target.impersonation], body
            )
        except ValueError:
            # Python's own message shows the header, which may be a secret.
            raise BadConnection(
                "The credentials or the user to impersonate hold what no HTTP header can: a line break, a control "
                "character or a foreign letter. Give them anew."
            ) from None

    def _current(self) -> Identity:
        identity = self._target.credentials.identity()
        if identity is not self._identity:
            with self._lock:
                self._take(identity)
        return identity

    def _renew(self, generation: int) -> bool:
        """Whether there are other credentials now than in that generation; one thread gets them for all."""
        with self._lock:
            if generation != self._generation:
                return True
            if time.monotonic() < self._no_renewal_before:
                return False
            if not self._target.credentials.renew():
                self._no_renewal_before = time.monotonic() + _RENEWAL_PAUSE
                return False
            self._take(self._target.credentials.identity())
            self._generation += 1
            return True

    def _take(self, identity: Identity) -> None:
        if (identity.certificate, identity.key) != (self._identity.certificate, self._identity.key):
            self._connections = connections(self._target, identity)
        self._identity = identity

    def _came_back(self) -> None:
        self._answered = True
        away_since = self._away_since
        if away_since is not None:
            now = time.monotonic()
            self._away_since = None
            if now - away_since >= _SHORTEST_OUTAGE_SECONDS:
                self._back_since = now

    def _wait_out(self, broken: Broken, repeatable: bool, failing_since: float) -> None:
        """Wait a moment for a server that is away; raise once there is no more hope in that.

        For how long is counted twice: since anybody's last answer, so that all requests give up together, and since
        this request began to fail, so that one that is always cut off gives up although others are answered.
        """
        now = time.monotonic()
        if self._away_since is None and self._answered:
            self._away_since = now
        away = now - min(self._away_since or now, failing_since)
        hopeless = not self._answered or bool(broken.certificate_trouble)
        if hopeless or not repeatable or away >= self._outage_seconds:
            raise self._unreachable(broken) from None
        time.sleep(min(0.25 + away / 4, 5.0))

    def _unreachable(self, broken: Broken) -> Unreachable:
        server = self._target.server
        if certificate := broken.certificate_trouble:
            return Unreachable(
                f"The certificate of {server} is not to be trusted ({certificate}): give the authority that "
                "signed it as ca_cert or in the kubeconfig, and check the server's name."
            )
        if broken.at_proxy:
            return Unreachable(
                f"The proxy {_without_password(self._target.proxy)} on the way to {server} cannot be used "
                f"({broken.reason}): check that it runs and lets {urlsplit(server).netloc} through."
            )
        if self._answered:
            return Unreachable(
                f"The server {server} went away and did not come back in time ({broken.reason}): "
                "see to it that it runs, then run again."
            )
        return Unreachable(
            f"The server {server} cannot be reached ({broken.reason}): "
            "check that it runs, and that the kubeconfig or host names the right one."
        )


def retry_after(reply: Reply) -> float | None:
    """The seconds to wait that the server told, if any; API servers send a number, never a date."""
    return float(reply.retry_after) if reply.retry_after.isdigit() else None


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
