# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one HTTP request after another over kept connections, tried again where that is safe."""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._credentials import Credentials, Identity
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    BadConnection,
    Unauthorized,
    Unreachable,
)

try:
    import urllib3
    import urllib3.exceptions as trouble
    from urllib3._collections import HTTPHeaderDict
except ImportError:
    urllib3 = None  # type: ignore[assignment]

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 90.0
_TRIES = 5
_LONGEST_PAUSE = 30.0
_OUTAGE_SECONDS = 60.0
_SETTLING_SECONDS = 15.0
"""How long after an outage a 403 is doubted: a starting API server refuses until it has read its RBAC objects."""
_SHORTEST_OUTAGE_SECONDS = 1.0
"""No API server starts in less: one that was away for a shorter time, or one connection that was cut, is no outage."""
_SETTLING_PAUSE = 1.0
_RENEWAL_PAUSE = 5.0
"""After a vain try for new credentials, so that thousands of refused requests don't run a plugin thousands of times."""
_SAID_OF_BAD_OBJECTS = (b"failed to create typed patch object", b"failed to convert new object")
"""What servers say with a 500 although the object is to blame, so that trying again cannot help."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an API server is and how to get there. Certificates and keys are PEM text."""

    server: str
    credentials: Credentials
    ca: str = ""
    verify: bool = True
    tls_server_name: str = ""
    proxy: str = ""
    no_proxy: str = ""
    proxy_headers: Mapping[str, str] = field(default_factory=dict)
    impersonation: Sequence[tuple[str, str]] = ()
    connections: int = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unread."""

    status: int
    headers: Any
    data: bytes
    repeated: bool = False
    """Whether an earlier try may have been carried out, and only its answer was lost."""


class Transport:
    """Sends requests; any number of threads may share it."""

    def __init__(self, target: Target, outage_seconds: float = _OUTAGE_SECONDS) -> None:
        """Take the target; ``outage_seconds`` is how long a server that has answered before may be away."""
        if urllib3 is None:
            raise BadConnection(
                "The Python package urllib3 is missing: install kubernetes for the controller's Python."
            )
        self._target = target
        self._outage_seconds = outage_seconds
        self._lock = threading.Lock()
        self._generation = 0
        self._no_renewal_before = 0.0
        self._identity = target.credentials.identity()
        self._pool = _pool(target, self._identity)
        self._prefix = _prefix(target)
        self._timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        self._answered = False
        self._away_since: float | None = None
        self._back_since: float | None = None

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, *, repeatable: bool
    ) -> Reply:
        """The server's reply, whatever its status, after the retries that the status and ``repeatable`` allow.

        429 is always tried again, and so is any 5xx with ``Retry-After``: the server says that it did nothing.
        Other 5xx and connections cut off are tried again only if ``repeatable``. Raises :class:`Unreachable` and
        :class:`Unauthorized`.
        """
        tries, repeated = 0, False
        while True:
            tries += 1
            reply = self._sent(method, path, headers, body, repeatable)
            repeated = repeated or reply.repeated
            pause = self._pause(reply, tries, repeatable)
            if pause is None:
                return replace(reply, repeated=True) if repeated else reply
            repeated = repeated or (reply.status >= 500 and _retry_after(reply.headers) is None)
            time.sleep(pause)

    def _pause(self, reply: Reply, tries: int, repeatable: bool) -> float | None:
        """Seconds to wait before the next try; ``None``: this reply is the answer."""
        if reply.status == 403 and self._settling():
            return _SETTLING_PAUSE
        told = _retry_after(reply.headers)
        again = reply.status == 429 or (reply.status >= 500 and (repeatable or told is not None))
        final = reply.status == 500 and any(words in reply.data for words in _SAID_OF_BAD_OBJECTS)
        if not again or final or tries >= _TRIES:
            return None
        return min(told if told is not None else 0.5 * 2 ** (tries - 1), _LONGEST_PAUSE)

    def _settling(self) -> bool:
        return self._back_since is not None and time.monotonic() - self._back_since < _SETTLING_SECONDS

    def _sent(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, repeatable: bool) -> Reply:
        """One reply that is not 401, over an outage if need be."""
        generation, renewed = self._generation, False
        failing_since: float | None = None
        repeated = False
        while True:
            try:
                reply = self._once(method, path, headers, body)
            except trouble.HTTPError as error:
                never_sent = isinstance(_innermost(error), trouble.NewConnectionError)
                failing_since = time.monotonic() if failing_since is None else failing_since
                self._wait_out(error, repeatable or never_sent, failing_since)
                repeated = repeated or not never_sent
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

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        identity = self._current()
        sent: Any = dict(headers)
        if identity.authorization:
            sent["Authorization"] = identity.authorization
        if self._target.impersonation:
            sent = HTTPHeaderDict(sent)
            for name, value in self._target.impersonation:
                sent.add(name, value)
        try:
            response = self._pool.request(
                method,
                self._prefix + path,
                headers=sent,
                body=body,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=self._timeout,
            )
        except trouble.HTTPError:
            raise
        except ValueError:
            # Python's own message shows the header, which may be a secret.
            raise BadConnection(
                "The credentials or the user to impersonate hold what no HTTP header can: a line break, a control "
                "character or a foreign letter. Give them anew."
            ) from None
        return Reply(response.status, response.headers, response.data)

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
            self._pool = _pool(self._target, identity)
        self._identity = identity

    def _came_back(self) -> None:
        self._answered = True
        away_since = self._away_since
        if away_since is not None:
            now = time.monotonic()
            self._away_since = None
            if now - away_since >= _SHORTEST_OUTAGE_SECONDS:
                self._back_since = now

    def _wait_out(self, error: Exception, repeatable: bool, failing_since: float) -> None:
        """Wait a moment for a server that is away; raise once there is no more hope in that.

        For how long is counted twice: since anybody's last answer, so that all requests give up together, and since
        this request began to fail, so that one that is always cut off gives up although others are answered.
        """
        now = time.monotonic()
        if self._away_since is None and self._answered:
            self._away_since = now
        away = now - min(self._away_since or now, failing_since)
        hopeless = not self._answered or _certificate_trouble(error) is not None
        if hopeless or not repeatable or away >= self._outage_seconds:
            raise self._unreachable(error) from None
        time.sleep(min(0.25 + away / 4, 5.0))

    def _unreachable(self, error: Exception) -> Unreachable:
        server = self._target.server
        if certificate := _certificate_trouble(error):
            return Unreachable(
                f"The certificate of {server} is not to be trusted ({certificate}): give the authority that "
                "signed it as ca_cert or in the kubeconfig, and check the server's name."
            )
        if self._target.proxy and isinstance(error, trouble.ProxyError):
            return Unreachable(
                f"The proxy {_without_password(self._target.proxy)} on the way to {server} cannot be used "
                f"({_reason(error)}): check that it runs and lets {urlsplit(server).netloc} through."
            )
        if self._answered:
            return Unreachable(
                f"The server {server} went away and did not come back in time ({_reason(error)}): "
                "see to it that it runs, then run again."
            )
        return Unreachable(
            f"The server {server} cannot be reached ({_reason(error)}): "
            "check that it runs, and that the kubeconfig or host names the right one."
        )


def _pool(target: Target, identity: Identity) -> Any:
    """The kept connections to the server."""
    options: dict[str, Any] = {"maxsize": target.connections}
    if target.server.startswith("https:"):
        options["ssl_context"] = _ssl_context(target, identity)
        if not target.verify:
            options["assert_hostname"] = False
            urllib3.disable_warnings(trouble.InsecureRequestWarning)
        if target.tls_server_name:
            options["server_hostname"] = target.tls_server_name
    return _manager(target, options).connection_from_url(target.server)


def _manager(target: Target, options: dict[str, Any]) -> Any:
    if not _is_proxied(target):
        return urllib3.PoolManager(**options)
    if target.proxy.startswith("socks"):
        return _socks_manager(target, options)
    return urllib3.ProxyManager(target.proxy, proxy_headers=dict(target.proxy_headers) or None, **options)


def _is_proxied(target: Target) -> bool:
    return bool(target.proxy) and not bypasses_proxy(target.server, target.no_proxy)


def _prefix(target: Target) -> str:
    """What stands in front of every path: the path in the server's URL; all of it where a proxy takes plain HTTP."""
    if _is_proxied(target) and target.server.startswith("http:") and not target.proxy.startswith("socks"):
        return target.server
    return urlsplit(target.server).path


def _socks_manager(target: Target, options: dict[str, Any]) -> Any:
    try:
        from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError:
        raise BadConnection("A SOCKS proxy needs the Python package PySocks: install it on the controller.") from None
    return SOCKSProxyManager(target.proxy, **options)


def _ssl_context(target: Target, identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if target.ca:
            context.load_verify_locations(cadata=target.ca)
        else:
            context.load_default_certs()
        if identity.certificate:
            _load_certificate(context, identity)
    except (ssl.SSLError, ValueError) as error:
        raise BadConnection(
            f"The certificates for {target.server} cannot be used ({getattr(error, 'reason', None) or error}): "
            "check that they are PEM, and that the client's key belongs to its certificate."
        ) from None
    return context


def _load_certificate(context: ssl.SSLContext, identity: Identity) -> None:
    """Python's ssl reads certificates from files only, so lend it one that is in memory where the system can."""
    pem = f"{identity.certificate}\n{identity.key}".encode()
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("identity")
        try:
            os.write(descriptor, pem)
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)


def bypasses_proxy(server: str, no_proxy: str) -> bool:
    """Whether a server is reached directly by a comma-separated list of hosts, domains, addresses and CIDRs."""
    host = (urlsplit(server).hostname or "").lower()
    return any(_covers(entry.strip().lower(), host) for entry in no_proxy.split(",") if entry.strip())


def _covers(entry: str, host: str) -> bool:
    from ipaddress import ip_address, ip_network

    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        domain = entry.lstrip("*.")
        return host == domain or host.endswith("." + domain)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; API servers send a number, never a date."""
    told = headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None


def _innermost(error: BaseException) -> BaseException:
    """Behind the wrappers that urllib3 puts around a failure."""
    for name in ("reason", "original_error"):
        inner = getattr(error, name, None)
        if isinstance(inner, BaseException):
            return _innermost(inner)
    return error


def _certificate_trouble(error: BaseException) -> str | None:
    """What TLS did not like about the server, or ``None`` where it was something else."""
    inner = _innermost(error)
    causes = (inner, *inner.args)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
    return None


def _reason(error: BaseException) -> str:
    """The few words behind a failure, without urllib3's and Python's names for things."""
    inner = _innermost(error)
    if isinstance(inner, trouble.TimeoutError) and not isinstance(inner, trouble.NewConnectionError):
        return "no answer in time"
    cause = (
        inner.__cause__ or inner.__context__ or next((arg for arg in inner.args if isinstance(arg, Exception)), inner)
    )
    words = getattr(cause, "strerror", None) or str(cause)
    return words.rsplit(": ", 1)[-1].strip("'\"() ") if "object at 0x" in words else words


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
