# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small API server for the tests that count requests or need a server to misbehave: a store and a script of troubles.

What a real server decides (validation, defaults, admission) is tested against a real one, in tests/integration.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CUT = 0
"""In place of a status: the connection is cut, after whatever was done."""
KINDS = {resource.plural: resource.kind for resource in KNOWN.values()}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """What a path means: ``root`` is everything in front of the namespace."""

    root: str
    namespace: str
    plural: str
    name: str


def place(path: str) -> Place:
    parts = path.strip("/").split("/")
    depth = 2 if parts[0] == "api" else 3
    root, rest = "/".join(parts[:depth]), parts[depth:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    return Place(root, namespace, rest[0] if rest else "", rest[1] if len(rest) > 1 else "")


def group(name: str, **kinds: list[str]) -> dict[str, Any]:
    """A group as a server tells it: kinds by version, the preferred one first."""
    versions = [
        {
            "version": version,
            "resources": [
                {"resource": f"{kind.lower()}s", "responseKind": {"kind": kind}, "scope": "Namespaced"}
                for kind in served
            ],
        }
        for version, served in kinds.items()
    ]
    return {"metadata": {"name": name}, "versions": versions}


def fields(value: Any) -> dict[str, Any]:
    """FieldsV1 of a value whose lists are all atomic."""
    if not isinstance(value, dict):
        return {}
    return {f"f:{key}": fields(each) for key, each in value.items()}


@dataclass(slots=True)
class FakeApi:
    """``troubles`` are taken from the front, one a request: a status with headers, or ``None`` for a cut connection."""

    server: ThreadingHTTPServer
    url: str
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    troubles: deque[tuple[int, dict[str, str]] | None] = field(default_factory=deque)
    forbidden: Callable[[str, Place], bool] = lambda _method, _place: False
    tokens: set[str] = field(default_factory=set)
    kinds: list[dict[str, Any]] = field(default_factory=list)
    intercept: Callable[[Request], tuple[int, dict[str, Any] | str | None] | None] = lambda _request: None
    warnings: list[str] = field(default_factory=list)
    conflict: dict[str, Any] | None = None
    version: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counts(self) -> Counter[str]:
        """How many requests of each method; a list is a ``LIST``."""
        return Counter(
            "LIST" if each.method == "GET" and not place(each.path).name else each.method for each in self.requests
        )

    def store(self, plural: str, namespace: str, name: str, root: str = "api/v1", **content: Any) -> dict[str, Any]:
        """Put an object there as if somebody else had."""
        where = f"/namespaces/{namespace}" if namespace else ""
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        return self._save(f"/{root}{where}/{plural}/{name}", {"metadata": metadata, **content})

    def _save(self, path: str, obj: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        stamp = {"resourceVersion": str(self.version), "uid": obj["metadata"].get("uid", f"uid-{self.version}")}
        self.objects[path] = {**obj, "metadata": {**obj["metadata"], **stamp}}
        return self.objects[path]

    def answer(self, request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any] | str]:
        at = place(request.path)
        if self.tokens and request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, status(401, "Unauthorized", "Unauthorized")
        intercepted = self.intercept(request)
        if intercepted and intercepted[1] is not None:
            return intercepted[0], intercepted[1]
        if request.path in ("/api", "/apis"):
            return 200, {"kind": "APIGroupDiscoveryList", "items": self.kinds}
        if request.path == "/version":
            return 200, {"major": "1", "minor": "36+"}
        if self.forbidden(request.method, at):
            return 403, status(403, "Forbidden", f'{at.plural} is forbidden: User "nobody" cannot do this')
        if request.method == "GET" and not at.name:
            return self._list(request, at)
        return getattr(self, f"_{request.method.lower()}")(request, body)

    def _list(self, request: Request, at: Place) -> tuple[int, dict[str, Any]]:
        found = [obj for path, obj in sorted(self.objects.items()) if _is_listed(place(path), at)]
        first, limit = int(request.query.get("continue", 0)), int(request.query.get("limit", 0)) or len(found)
        left = len(found) - first - limit
        metadata = {"continue": str(first + limit), "remainingItemCount": left} if left > 0 else {}
        return 200, {"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": found[first : first + limit]}

    def _get(self, request: Request, _body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = self.objects.get(request.path)
        kind = KINDS.get(place(request.path).plural, "")
        return (200, {"kind": kind, **found}) if found else (404, status(404, "NotFound", "not found"))

    def _patch(self, request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.conflict:
            return 409, self.conflict
        at = place(request.path)
        if at.namespace and f"/api/v1/namespaces/{at.namespace}" not in self.objects:
            return 404, status(404, "NotFound", f'namespaces "{at.namespace}" not found')
        before = self.objects.get(request.path)
        if request.headers.get("Content-Type") == "application/merge-patch+json":
            missing = 404, status(404, "NotFound", "not found")
            return self._merge(request.path, before, body) if before else missing
        owned = fields({key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")})
        labels = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace", "uid")}
        entry = {
            "manager": request.query["fieldManager"],
            "operation": "Apply",
            "apiVersion": body["apiVersion"],
            "fieldsV1": {**owned, **({"f:metadata": fields(labels)} if labels else {})},
        }
        uid = {"uid": before["metadata"]["uid"]} if before else {}
        after = {**body, "metadata": {**body["metadata"], **uid, "managedFields": [entry]}}
        if before and without_version(before) == after:
            return 200, before
        if request.query.get("dryRun"):
            return 200, after
        return (200 if before else 201), self._save(request.path, after)

    def _merge(self, path: str, before: dict[str, Any], patch: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A merge patch of a part other than metadata, by one who has read the object as it is."""
        if patch["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            return 409, status(409, "Conflict", "the object has been modified")
        parts = {key: {**before[key], **part} for key, part in patch.items() if key != "metadata"}
        return 200, self._save(path, {"kind": KINDS[place(path).plural], **before, **parts})

    def _delete(self, request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if request.path not in self.objects:
            return 404, status(404, "NotFound", "not found")
        if not body.get("dryRun"):
            del self.objects[request.path]
        return 200, status(200, "", "")

    def _post(self, _request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 201, {**body, "status": {"allowed": True}}


def _is_listed(item: Place, collection: Place) -> bool:
    return (item.root, item.plural) == (collection.root, collection.plural) and collection.namespace in (
        "",
        item.namespace,
    )


def without_version(obj: dict[str, Any]) -> dict[str, Any]:
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}}


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: FakeApi

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()))
        with self.api.lock:
            self.api.requests.append(request)
            self.api.bodies.append(body)
            trouble = self.api.troubles.popleft() if self.api.troubles else ()
            code, headers = trouble or (CUT, {})
            answer: dict[str, Any] | str = status(code, "Trouble", "trouble")
            if trouble == ():
                code, answer = self.api.answer(request, body)
            if code == CUT:
                self.close_connection = True
                self.connection.close()
                return
        is_text = isinstance(answer, str)
        data = answer.encode() if is_text else json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if is_text else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        for warning in self.api.warnings:
            self.send_header("Warning", warning)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PATCH = do_DELETE = do_POST = _serve  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """As many connections at once as any client makes: one too many would be tried again a second later."""


@contextmanager
def fake_api(tls: tuple[Path, Path] | None = None) -> Iterator[FakeApi]:
    """A running server on a port of its own; with ``tls`` (certificate, key) an https one."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    api = FakeApi(server, f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}")
    handler.api = api
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def self_signed(folder: Path, name: str = "localhost", address: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate that is its own authority, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address(address))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
