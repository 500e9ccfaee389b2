# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: kept connections to one API server, and one request on one of them.

Straight to the server they are the standard library's: thousands of requests cost half of the processor time that
urllib3 takes for them. Through a proxy they are urllib3's, which knows every sort of proxy.
"""

from __future__ import annotations

import http
import http.client
import os
import select
import ssl
import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._credentials import Credentials, Identity
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import BadConnection

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 90.0
_LONGEST_LINE = 65536
_MOST_FIELDS = 100
_HTTP_1_0, _HTTP_1_1 = 10, 11
_CONTINUE = http.HTTPStatus.CONTINUE.value
_WITHOUT_BODY = (http.HTTPStatus.NO_CONTENT.value, http.HTTPStatus.NOT_MODIFIED.value)
_CLOSED = "Remote end closed connection without response"

Headers = Sequence[tuple[str, str]]


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
    impersonation: Headers = ()
    connections: int = 32


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unread: the headers that matter are as the server wrote them."""

    status: int
    data: bytes
    content_type: str = ""
    retry_after: str = ""
    warnings: Sequence[str] = ()
    repeated: bool = False
    """Whether an earlier try may have been carried out, and only its answer was lost."""
    date: str = ""


class Broken(Exception):
    """No reply. ``sent``: the server may have got the request. ``at_proxy``: it did not get further than the proxy."""

    def __init__(self, cause: BaseException, *, sent: bool, at_proxy: bool = False) -> None:
        """Take what happened."""
        super().__init__(str(cause))
        self.cause = cause
        self.sent = sent
        self.at_proxy = at_proxy

    @property
    def certificate_trouble(self) -> str:
        """What TLS did not like about the server; empty where it was something else."""
        for cause in (self.cause, *self.cause.args):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return str(cause.verify_message)
        return ""

    @property
    def reason(self) -> str:
        """The few words behind it, without Python's names for things."""
        if isinstance(self.cause, TimeoutError):
            return "no answer in time"
        if isinstance(self.cause, OSError):
            return self.cause.strerror or str(self.cause)
        return "the answer was cut off" if isinstance(self.cause, http.client.IncompleteRead) else str(self.cause)


class Connections(Protocol):
    """Any number of threads may ask at once."""

    def request(self, method: str, path: str, headers: Headers, body: bytes | None) -> Reply:
        """One request, tried once. Raises :class:`Broken`, and ``ValueError`` for a header that cannot be sent."""


def connections(target: Target, identity: Identity) -> Connections:
    """The way to the target, as this identity; nothing is connected yet. Raises :class:`BadConnection`."""
    context = _ssl_context(target, identity) if target.server.startswith("https:") else None
    if target.proxy and not bypasses_proxy(target.server, target.no_proxy):
        return _Proxied(target, context)
    return _Direct(target, context)


class _Response(http.client.HTTPResponse):
    """Reads an answer's head itself: the library's own way, by its parser of e-mail, takes about twice as long."""

    told: dict[str, list[str]]
    """The headers by their names in lower case, each with all its values."""

    def begin(self) -> None:
        """Read up to the body, and find out how that ends (RFC 9112, section 6.3)."""
        self.status = _CONTINUE
        while self.status == _CONTINUE:
            self._read_status_line()
            self.told = self._read_fields()
        kept = self.first("connection").lower()
        self.will_close = "close" in kept or (self.version == _HTTP_1_0 and "keep-alive" not in kept)
        self.chunked = self.first("transfer-encoding").lower() == "chunked"
        self.chunk_left = None
        length = self.first("content-length")
        self.length = int(length) if length.isdecimal() and not self.chunked else None
        if self.status in _WITHOUT_BODY:
            self.length = 0
        self.will_close = self.will_close or not (self.chunked or self.length is not None)

    def first(self, name: str) -> str:
        """The first value of a header; empty where there is none."""
        values = self.told.get(name)
        return values[0] if values else ""

    def _line(self) -> str:
        line = self.fp.readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise http.client.LineTooLong("header line")
        if not line.endswith(b"\n"):
            raise http.client.IncompleteRead(line) if line else http.client.RemoteDisconnected(_CLOSED)
        return line.decode("latin-1").rstrip("\r\n")

    def _read_status_line(self) -> None:
        line = self._line()
        protocol, _space, rest = line.partition(" ")
        status, _space, self.reason = rest.partition(" ")
        if not protocol.startswith("HTTP/1.") or not (len(status) == 3 and status.isdecimal()):
            raise http.client.BadStatusLine(line)
        self.version = _HTTP_1_0 if protocol == "HTTP/1.0" else _HTTP_1_1
        self.status = int(status)

    def _read_fields(self) -> dict[str, list[str]]:
        fields: dict[str, list[str]] = {}
        values: list[str] = []
        for _number in range(_MOST_FIELDS):
            line = self._line()
            if not line:
                return fields
            name, _colon, value = line.partition(":")
            if line[0] in " \t" and values:
                # An obsolete way to go on with the header of the line before.
                values[-1] = f"{values[-1]} {line.strip()}"
                continue
            values = fields.setdefault(name.lower(), [])
            values.append(value.strip())
        raise http.client.HTTPException(f"the answer has more than {_MOST_FIELDS} headers")


class _Http(http.client.HTTPConnection):
    """Waits longer for answers than for the connection, and sends head and body at once: a packet less each time."""

    response_class = _Response

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, timeout=_CONNECT_SECONDS)
        self._gathered = b""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(_READ_SECONDS)

    def send(self, data: Any) -> None:
        """Keep it until :meth:`flush`."""
        self._gathered += data

    def flush(self) -> None:
        """Send what was gathered."""
        gathered, self._gathered = self._gathered, b""
        super().send(gathered)

    def answer(self) -> _Response:
        """The answer up to its body."""
        return cast("_Response", self.getresponse())


class _Https(_Http):
    def __init__(self, host: str, port: int, context: ssl.SSLContext, server_name: str) -> None:
        super().__init__(host, port)
        self._context = context
        self._server_name = server_name

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._server_name)


class _Direct:
    """Straight to the server. Connections that nobody uses wait in a stack, so that as few as needed stay open."""

    def __init__(self, target: Target, context: ssl.SSLContext | None) -> None:
        parts = urlsplit(target.server)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if context else 80)
        self._path = parts.path
        self._context = context
        self._server_name = target.tls_server_name or self._host
        self._idle: deque[_Http] = deque(maxlen=target.connections)

    def request(self, method: str, path: str, headers: Headers, body: bytes | None) -> Reply:
        connection = self._connected()
        done = False
        try:
            connection.putrequest(method, self._path + path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            connection.flush()
            response = connection.answer()
            data = response.read()
            done = not response.will_close
        except (OSError, http.client.HTTPException) as error:
            raise Broken(error, sent=True) from None
        finally:
            if done:
                self._idle.append(connection)
            else:
                connection.close()
        first = response.first
        return Reply(
            response.status,
            data,
            first("content-type"),
            first("retry-after"),
            response.told.get("warning", ()),
            date=first("date"),
        )

    def _connected(self) -> _Http:
        """A connection that waits and that the server has not closed, else a new one."""
        while self._idle:
            try:
                waiting = self._idle.pop()
            except IndexError:
                break
            if not _is_readable(waiting.sock):
                return waiting
            waiting.close()
        new = self._new()
        try:
            new.connect()
        except (OSError, http.client.HTTPException) as error:
            new.close()
            raise Broken(error, sent=False) from None
        return new

    def _new(self) -> _Http:
        if self._context is None:
            return _Http(self._host, self._port)
        return _Https(self._host, self._port, self._context, self._server_name)


def _is_readable(sock: Any) -> bool:
    """Of a connection that waits: the server has closed it, or has said what nobody asked."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


class _Proxied:
    """Through a proxy: HTTP, HTTPS, or SOCKS where PySocks is installed."""

    def __init__(self, target: Target, context: ssl.SSLContext | None) -> None:
        try:
            import urllib3
        except ImportError:
            raise BadConnection(
                "A proxy needs the Python package urllib3: install kubernetes for the controller's Python."
            ) from None
        self._urllib3 = urllib3
        options: dict[str, Any] = {"maxsize": target.connections}
        if context:
            options["ssl_context"] = context
            if not target.verify:
                options["assert_hostname"] = False
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            if target.tls_server_name:
                options["server_hostname"] = target.tls_server_name
        self._pool = self._manager(target, options).connection_from_url(target.server)
        # A proxy that takes plain HTTP is sent the whole URL.
        whole = context is None and not target.proxy.startswith("socks")
        self._prefix = target.server if whole else urlsplit(target.server).path
        self._timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)

    def _manager(self, target: Target, options: dict[str, Any]) -> Any:
        if not target.proxy.startswith("socks"):
            headers = dict(target.proxy_headers) or None
            return self._urllib3.ProxyManager(target.proxy, proxy_headers=headers, **options)
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError:
            raise BadConnection(
                "A SOCKS proxy needs the Python package PySocks: install it on the controller."
            ) from None
        return SOCKSProxyManager(target.proxy, **options)

    def request(self, method: str, path: str, headers: Headers, body: bytes | None) -> Reply:
        from urllib3._collections import HTTPHeaderDict

        sent = HTTPHeaderDict()
        for name, value in headers:
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
        except self._urllib3.exceptions.HTTPError as error:
            raise self._broken(error) from None
        told = response.headers
        warnings = told.getlist("Warning") if "Warning" in told else ()
        return Reply(
            response.status,
            response.data,
            told.get("Content-Type", ""),
            told.get("Retry-After", ""),
            warnings,
            date=told.get("Date", ""),
        )

    def _broken(self, error: Exception) -> Broken:
        """urllib3 wraps what happened, often twice, and keeps it under several names."""
        trouble = self._urllib3.exceptions
        inner: BaseException = error
        while True:
            deeper = getattr(inner, "reason", None) or getattr(inner, "original_error", None)
            if not isinstance(deeper, BaseException):
                break
            inner = deeper
        sent = not isinstance(inner, (trouble.NewConnectionError, trouble.ConnectTimeoutError))
        at_proxy = isinstance(error, trouble.ProxyError)
        if isinstance(inner, trouble.TimeoutError) and not isinstance(inner, trouble.NewConnectionError):
            return Broken(TimeoutError(), sent=sent, at_proxy=at_proxy)
        known = (inner.__cause__, inner.__context__, *inner.args)
        cause = next((each for each in known if isinstance(each, (OSError, http.client.HTTPException))), inner)
        return Broken(cause, sent=sent, at_proxy=at_proxy)


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
