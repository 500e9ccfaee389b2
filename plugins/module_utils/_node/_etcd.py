# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a program for nodes, which asks etcd through the gateway that takes JSON over HTTP.

It is sent to ``python3 -`` with its arguments, and needs no more than the standard library of Python 3.8. Values of
etcd stay on the node: of a value no more is given out than the prefix that tells who wrote it, since what follows may
be a secret in plain text. The API is that of etcd 3.4 to 3.7: ``api/etcdserverpb/rpc.proto``.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import secrets
import socket
import ssl
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MARKER = "hardening.kubernetes:"
"""What the line of the answer starts with: a login shell may have written something before it."""

PLAIN = ""
UNRECOGNISED = "(neither encrypted nor plain text)"
"""In a count, what holds the values that no API server writes."""

_PLAIN_STARTS = (b"k8s\x00", b"{", b"\xd9\xd9\xf7")
"""How objects in plain text start: protobuf, JSON and self-described CBOR (the serializers of k8s.io/apimachinery)."""
_ENCRYPTED = re.compile(rb"k8s:enc:(?:(?:aescbc|aesgcm|secretbox):v1|kms:v[12]):[^:\x00-\x1f]{1,253}:")
_LONGEST_PREFIX = 300

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
_COMPACT_SECONDS = 600.0
_DEFRAGMENT_SECONDS = 1800.0
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.2
_MOST_ANSWER = 16 << 20
"""A page of values that is longer in JSON is asked for again as two: this bounds the memory that is needed."""
_WANTED_PAGE = 4 << 20
_FIRST_PAGE = 100
_MOST_KEYS = 2000
"""At most so many keys a page: API servers ask for 10,000 when they start (``storageWatchListPageSize``)."""
_CHUNK = 1 << 20
_TEMPORARY = ".hardening-"
"""As the program for files has it, which sweeps what was left."""

_PASSING_CODES = frozenset({1, 4, 14})
"""gRPC: cancelled, deadline exceeded, unavailable."""
_SILENT = (
    "it closed the connection without an answer; if it always does, it speaks gRPC alone there, since HTTP has an"
    " address of its own (--listen-client-http-urls): name that one, or start etcd without the flag"
)
_AUTH_ON = (
    "etcd's own access control is on, and its gateway does not take a user from the certificate. The values can be"
    " looked at while it is off (etcdctl auth disable)"
)
_FULL = (
    "etcd's database is full: compact it and defragment it, or raise --quota-backend-bytes, then disarm the alarm"
    " (etcdctl alarm disarm)"
)
_MEANINGS = (
    ("user name is empty", "auth_on", _AUTH_ON),
    ("user name not found", "auth_on", _AUTH_ON),
    ("permission denied", "auth_on", _AUTH_ON),
    ("invalid auth token", "auth_on", _AUTH_ON),
    ("has been compacted", "compacted", "this revision of etcd was compacted away"),
    ("space exceeded", "no_space", _FULL),
)
"""Words of a refusal in ``api/v3rpc/rpctypes/error.go``, its kind, and what we say."""
_PASSING = ("too many requests", "future revision", "revision of auth store is old")


class Refused(Exception):
    """Something that was asked for and not done: its kind, and one sentence."""

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(told)
        self.kind = kind
        self.told = told


class _Trouble(Exception):
    """What another try, or another endpoint, may not meet."""


class _TooLarge(Exception):
    """An answer that is longer than what was wanted at most."""


class _Endpoint(NamedTuple):
    url: str
    is_secure: bool
    host: str
    port: int


class Etcd:
    """etcd at the first of some endpoints that answers, over one connection that is kept."""

    def __init__(self, endpoints: list[str], ca: str = "", certificate: str = "", key: str = "") -> None:
        """Take URLs as in ``--etcd-servers``, and paths on this node."""
        if not endpoints:
            raise Refused("unreachable", "no etcd server is named: the API server's flag --etcd-servers is empty")
        self._endpoints = [_endpoint(each) for each in dict.fromkeys(endpoints)]
        is_secure = any(each.is_secure for each in self._endpoints)
        self._context = _context(ca, certificate, key) if is_secure else None
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self,
        path: str,
        body: Mapping[str, Any],
        seconds: float = _ANSWER_SECONDS,
        patience: float = _PATIENCE_SECONDS,
        most: int = 0,
    ) -> dict[str, Any]:
        """The answer to a request that may be sent twice.

        Endpoints that do not answer are asked again for the time of ``patience``: a new leader is elected in a few
        seconds. Raises :class:`Refused`, and :class:`_TooLarge` where the answer has more bytes than ``most``.
        """
        until = time.monotonic() + patience
        troubles: dict[str, str] = {}
        while True:
            tried = self._endpoints[0].url
            try:
                return self._answer(self._sent(path, body, seconds), most)
            except _Trouble as trouble:
                again = tried in troubles
                troubles[tried] = str(trouble)
            self._next()
            if len(troubles) == len(self._endpoints) and time.monotonic() >= until:
                told = "; ".join(f"{url}: {why}" for url, why in sorted(troubles.items()))
                raise Refused("unreachable", f"etcd does not answer ({told})")
            if again:
                time.sleep(_PAUSE_SECONDS)

    def stream(self, path: str, seconds: float) -> Iterator[dict[str, Any]]:
        """The messages of an answer that comes in many, one a line."""
        self.close()
        try:
            response = self._sent(path, {}, seconds)
            if response.status != http.client.OK:
                self._answer(response, 0)
            rest = b""
            while True:
                read = response.read(_CHUNK)
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    message = json.loads(line)
                    if "result" not in message:
                        raise _refused(0, json.dumps(message.get("error", {})).encode())
                    yield message["result"]
                if not read:
                    return
        except (_Trouble, OSError, http.client.HTTPException, ValueError) as trouble:
            raise Refused("unreachable", f"etcd broke off its answer ({trouble})") from None
        finally:
            self.close()

    def close(self) -> None:
        """End the connection; the next request makes another."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _next(self) -> None:
        self.close()
        self._endpoints.append(self._endpoints.pop(0))

    def _sent(self, path: str, body: Mapping[str, Any], seconds: float) -> http.client.HTTPResponse:
        is_new = self._connection is None
        try:
            connection = self._connection or self._connected()
            self._connection = connection
            if connection.sock:
                connection.sock.settimeout(seconds)
            connection.request("POST", f"/v3/{path}", json.dumps(body), {"Content-Type": "application/json"})
            return connection.getresponse()
        except (http.client.RemoteDisconnected, ssl.SSLEOFError):
            raise _Trouble(_SILENT if is_new else "it closed the connection") from None
        except http.client.BadStatusLine:
            raise _Trouble(_SILENT) from None
        except ssl.SSLError as error:
            raise _Trouble(f"TLS: {error.reason or error}") from None
        except (OSError, http.client.HTTPException) as error:
            raise _Trouble(str(error) or type(error).__name__) from None

    def _connected(self) -> http.client.HTTPConnection:
        endpoint = self._endpoints[0]
        if endpoint.is_secure:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                endpoint.host, endpoint.port, timeout=_CONNECT_SECONDS, context=self._context
            )
        else:
            connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=_CONNECT_SECONDS)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _answer(self, response: http.client.HTTPResponse, most: int) -> dict[str, Any]:
        try:
            content = response.read(most + 1) if most else response.read()
        except (OSError, http.client.HTTPException) as error:
            raise _Trouble(f"the answer was cut off ({error})") from None
        if most and len(content) > most:
            self.close()
            raise _TooLarge
        if response.status != http.client.OK:
            raise _refused(response.status, content)
        try:
            answer: dict[str, Any] = json.loads(content)
        except ValueError:
            raise _Trouble("the answer is not JSON") from None
        return answer


def _endpoint(url: str) -> _Endpoint:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        told = f"the API server keeps its data behind {url}, which is not etcd's HTTP (kine, for instance, is none)"
        raise Refused("gateway_off", told)
    return _Endpoint(url, parts.scheme == "https", parts.hostname, parts.port or 2379)


def _context(ca: str, certificate: str, key: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca or None)
        if certificate:
            context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(filter(None, (ca, certificate, key)))
        raise Refused(
            "unreachable", f"the certificates for etcd cannot be read on this node: {names} ({error})"
        ) from None
    # API servers take certificate authorities that lack what RFC 5280 demands; from 3.13 on, Python would not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _refused(status: int, content: bytes) -> Exception:
    """What a refusal means: :class:`Refused`, or one of those that are dealt with here."""
    text = content[:2000].decode("utf-8", "replace").strip()
    if "CommonName of client" in text:
        return Refused("auth_on", _AUTH_ON)
    try:
        said = json.loads(text)
        code, message = int(said.get("code", said.get("grpc_code", 0))), str(said.get("message") or said.get("error"))
    except (ValueError, AttributeError, TypeError):
        if status == http.client.NOT_FOUND:
            told = "etcd's JSON gateway is off: start etcd with --enable-grpc-gateway=true, which is its default"
            return Refused("gateway_off", told)
        return _Trouble(f"HTTP status {status}")
    if "larger than max" in message:
        return _TooLarge()
    for words, kind, told in _MEANINGS:
        if words in message:
            return Refused(kind, told)
    if code in _PASSING_CODES or any(words in message for words in _PASSING):
        return _Trouble(message)
    return Refused("failed", f"etcd refused: {message}")


def prefix_of(value: bytes, known: Iterable[str]) -> str:
    """Who wrote a value, by the prefix of a key that is known, or else of the shape that keys have.

    ``""`` is plain text, ``UNRECOGNISED`` is neither. Of known prefixes the longest counts: the name of a key may hold
    a colon, so that one prefix can start with another.
    """
    matching = [each for each in known if each and value.startswith(each.encode())]
    if matching:
        return max(matching, key=len)
    if value.startswith(_PLAIN_STARTS):
        return PLAIN
    found = _ENCRYPTED.match(value)
    return found.group().decode("utf-8", "backslashreplace") if found else UNRECOGNISED


def kms_key_id(value: bytes, prefix: str) -> str:
    """Which key of a KMS v2 plugin a value was encrypted under, ``""`` where the value does not tell.

    Behind the prefix stands an ``EncryptedObject`` in protobuf, whose field 2 is the key's id
    (``apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto``): a rotation inside the KMS shows only there.
    """
    rest = value[len(prefix.encode()) :]
    at = 0
    while at < len(rest):
        tag, at = _varint(rest, at)
        length, at = _varint(rest, at)
        if tag & 7 != 2:
            continue
        if tag >> 3 == 2:
            return rest[at : at + length].decode("utf-8", "backslashreplace")
        at += length
    return ""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(data):
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return number, at


class _Tally:
    """What is counted of the values in one directory."""

    def __init__(self, known: Iterable[str], kms: Iterable[str]) -> None:
        self._known = tuple(known)
        self._kms = frozenset(kms)
        longest = max([_LONGEST_PREFIX, *(len(each.encode()) for each in self._known)])
        self._head = (longest + 2) // 3 * 4
        self.counts: Counter[str] = Counter()
        self.bytes = 0
        self.key_ids: dict[str, Counter[str]] = {}

    def add(self, value: str) -> None:
        """Count a value, as it stands in JSON."""
        self.bytes += len(value) // 4 * 3 - value.count("=", -2)
        prefix = prefix_of(base64.b64decode(value[: self._head]), self._known)
        self.counts[prefix] += 1
        if prefix in self._kms:
            self.key_ids.setdefault(prefix, Counter())[kms_key_id(base64.b64decode(value), prefix)] += 1


def scan(
    etcd: Etcd, directories: list[str], prefixes: list[str], revision: int = 0, kms: Iterable[str] = ()
) -> dict[str, Any]:
    """Count what the values start with, at one revision, of which 0 is the newest.

    A key that lies in two of the directories counts for the narrower one. Gives ``revision``, and by directory
    ``counts`` {prefix: number}, ``bytes`` of the values, and ``key_ids`` {prefix: {id: number}} of the prefixes in
    ``kms``.
    """
    revision = revision or _revision(etcd)
    tallies = {directory: _Tally(prefixes, kms) for directory in directories}
    for directory, tally in tallies.items():
        for start, end in _gaps(directory, directories):
            for found in _values(etcd, start, end, revision):
                tally.add(found.get("value", ""))
    return {
        "revision": revision,
        "counts": {directory: dict(tally.counts) for directory, tally in tallies.items()},
        "bytes": {directory: tally.bytes for directory, tally in tallies.items()},
        "key_ids": {directory: tally.key_ids for directory, tally in tallies.items() if tally.key_ids},
    }


def prefix_at(etcd: Etcd, key: str, prefixes: list[str]) -> str | None:
    """What the value of one key starts with; ``None`` where there is no such key."""
    values = etcd.ask("kv/range", {"key": _base64(key.encode())}).get("kvs", [])
    return prefix_of(base64.b64decode(values[0].get("value", "")), prefixes) if values else None


def servers(etcd: Etcd, etcd_prefix: str = "/registry") -> list[str]:
    """The addresses of the API servers that have said within the last seconds that they run (``masterleases``)."""
    directory = "/".join(("", *filter(None, etcd_prefix.split("/")), "masterleases", ""))
    answer = etcd.ask("kv/range", {**_range(directory.encode(), _behind(directory)), "keys_only": True})
    return sorted(base64.b64decode(each["key"]).decode()[len(directory) :] for each in answer.get("kvs", []))


def status(etcd: Etcd, patience: float = 2.0) -> dict[str, Any]:
    """How the member is that answers, and who its cluster's members are; ids are in hex, as etcdctl prints them.

    ``leader`` is empty where there is none; ``members`` is empty where a learner answers, which does not tell them.
    ``quota`` is 0 before etcd 3.6, where it does not say.
    """
    said = etcd.ask("maintenance/status", {}, patience=patience)
    learner = bool(said.get("isLearner"))
    listed = {} if learner else etcd.ask("cluster/member/list", {}, patience=patience)
    header = said.get("header", {})
    return {
        "version": said.get("version", ""),
        "member": _hex(header.get("member_id")),
        "cluster": _hex(header.get("cluster_id")),
        "leader": _hex(said.get("leader")),
        "learner": learner,
        "revision": int(header.get("revision", 0)),
        "db_size": int(said.get("dbSize", 0)),
        "db_in_use": int(said.get("dbSizeInUse", 0)),
        "quota": int(said.get("dbSizeQuota", 0)),
        "raft_index": int(said.get("raftIndex", 0)),
        "raft_applied": int(said.get("raftAppliedIndex", 0)),
        "alarms": sorted({each for error in said.get("errors", []) for each in re.findall(r"alarm:(\w+)", error)}),
        "errors": said.get("errors", []),
        "members": [
            {
                "id": _hex(each.get("ID")),
                "name": each.get("name", ""),
                "learner": bool(each.get("isLearner")),
                "endpoints": each.get("clientURLs", []),
            }
            for each in listed.get("members", [])
        ],
    }


def compact(etcd: Etcd, revision: int = 0) -> int:
    """Remove what was overwritten before a revision, of which 0 is the newest; gives that revision.

    It has happened on this member when this returns; other members do it in their own time. What is compacted already
    stays so.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        to = revision or _revision(etcd)
        try:
            etcd.ask("kv/compaction", {"revision": str(to), "physical": True}, seconds=_COMPACT_SECONDS)
        except Refused as refusal:
            if refusal.kind != "compacted":
                raise
            # Compacted to the newest a moment ago: only a later compaction waits for what that one still removes.
            if not revision and time.monotonic() < until:
                time.sleep(_PAUSE_SECONDS)
                continue
        return to


def defragment(etcd: Etcd) -> dict[str, int]:
    """Write the member's database file anew, without what was compacted; it answers nobody in the meantime."""
    before = etcd.ask("maintenance/status", {})
    etcd.close()
    etcd.ask("maintenance/defragment", {}, seconds=_DEFRAGMENT_SECONDS, patience=0)
    after = etcd.ask("maintenance/status", {})
    return {"before": int(before.get("dbSize", 0)), "after": int(after.get("dbSize", 0))}


def snapshot(etcd: Etcd, path: str) -> dict[str, Any]:
    """Put a snapshot of the database into a new file, as ``etcdctl snapshot save`` writes it and ``etcdutl`` reads it.

    Gives the size and SHA-256 of the file, and a revision that it certainly holds. What a killed run left there is
    removed first.
    """
    target = Path(path)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in target.parent.glob(f"{_TEMPORARY}{'[0-9a-f]' * 16}"):
        left.unlink()
    if target.exists():
        raise Refused("changed", f"{path} is there already")
    said = etcd.ask("maintenance/status", {})
    _refuse_full(target.parent, int(said.get("dbSize", 0)))
    temporary = target.with_name(_TEMPORARY + secrets.token_hex(8))
    try:
        size, digest = _saved(etcd, temporary)
        os.link(str(temporary), path)
    except FileExistsError:
        raise Refused("changed", f"{path} is there already") from None
    except OSError as error:
        raise Refused("failed", f"the snapshot cannot be written to {path}: {error.strerror}") from None
    finally:
        if temporary.exists():
            temporary.unlink()
    _synced(target.parent)
    return {"revision": int(said["header"]["revision"]), "bytes": size, "hash": digest}


def _refuse_full(directory: Path, size: int) -> None:
    room = os.statvfs(str(directory))
    if room.f_bavail * room.f_frsize < size + _CHUNK:
        told = f"{directory} has no room for a snapshot of etcd, which has {size >> 20} MiB"
        raise Refused("no_space", f"{told}: make room, or name another folder")


def _saved(etcd: Etcd, path: Path) -> tuple[int, str]:
    """Write the stream of a snapshot: the bytes of the database, and last of all their SHA-256, which is checked."""
    digest, size, last = hashlib.sha256(), 0, b""
    with os.fdopen(os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for message in etcd.stream("maintenance/snapshot", _ANSWER_SECONDS):
            digest.update(last)
            last = base64.b64decode(message.get("blob", ""))
            size += file.write(last)
        file.flush()
        os.fsync(file.fileno())
    if last != digest.digest():
        raise Refused("failed", "the snapshot of etcd came incomplete: its checksum is not that of its bytes")
    digest.update(last)
    return size, f"sha256:{digest.hexdigest()}"


def _synced(directory: Path) -> None:
    number = os.open(str(directory), os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _revision(etcd: Etcd) -> int:
    """The newest revision, as a majority of the members knows it."""
    answer = etcd.ask("kv/range", {"key": _base64(b"\0"), "count_only": True})
    return int(answer["header"]["revision"])


def _gaps(directory: str, directories: Iterable[str]) -> Iterator[tuple[bytes, bytes]]:
    """The ranges of a directory that are in none of the directories within it."""
    start = directory.encode()
    for each in sorted(each for each in directories if each != directory and each.startswith(directory)):
        if each.encode() >= start:
            yield start, each.encode()
            start = _behind(each)
    yield start, _behind(directory)


def _behind(directory: str) -> bytes:
    """The end of all keys that start with a directory's name, whose last character is a slash."""
    start = directory.encode()
    return start[:-1] + bytes([start[-1] + 1])


def _values(etcd: Etcd, start: bytes, end: bytes, revision: int) -> Iterator[dict[str, Any]]:
    """All keys of a range with their values at a revision, as they stand in JSON, a page in memory at a time.

    A page has as many keys as fit into the wanted size if they are like those of the page before.
    """
    limit, more = _FIRST_PAGE, True
    wanted = {**_range(start, end), "revision": str(revision)}
    while more:
        try:
            most = _MOST_ANSWER if limit > 1 else 0
            page = etcd.ask("kv/range", {**wanted, "limit": str(limit)}, most=most)
        except _TooLarge:
            limit = max(1, limit // 4)
            continue
        found = page.get("kvs", [])
        yield from found
        more = bool(page.get("more")) and bool(found)
        if more:
            wanted["key"] = _base64(base64.b64decode(found[-1]["key"]) + b"\0")
            size = sum(len(each.get("value", "")) for each in found) // len(found) + 1
            limit = min(_MOST_KEYS, 4 * limit, max(1, _WANTED_PAGE // size))


def _range(start: bytes, end: bytes) -> dict[str, str]:
    return {"key": _base64(start), "range_end": _base64(end)}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _hex(number: Any) -> str:
    return f"{int(number):x}" if number and int(number) else ""


_OPERATIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (scan, prefix_at, servers, status, compact, defragment, snapshot)
}


def _carried_out(operation: str, arguments: Mapping[str, Any], connections: dict[str, Etcd]) -> Any:
    reached_by = json.dumps(arguments["etcd"], sort_keys=True)
    if reached_by not in connections:
        connections[reached_by] = Etcd(**arguments["etcd"])
    try:
        return _OPERATIONS[operation](**{**arguments, "etcd": connections[reached_by]})
    except _TooLarge:
        raise Refused("failed", "etcd does not give out an answer of this size") from None


def answer(text: str) -> None:
    """Carry out ``[[operation, {arguments}], …]`` and print, behind the marker, a list of what came of each.

    All take ``etcd``: {endpoints, ca, certificate, key}. After a refusal nothing more is done.
    """
    answers: list[dict[str, Any]] = []
    connections: dict[str, Etcd] = {}
    for operation, arguments in json.loads(text):
        try:
            answers.append({"result": _carried_out(operation, arguments, connections)})
        except Refused as refusal:
            answers.append({"refused": {"kind": refusal.kind, "told": refusal.told}})
        except Exception as error:
            # Its text may hold what was read, so only its name and place are told.
            answers.append({"refused": {"kind": "mistake", "told": _place(error)}})
        if "refused" in answers[-1]:
            break
    sys.stdout.write(f"\n{MARKER}{json.dumps(answers)}\n")
    sys.stdout.flush()


def _place(error: Exception) -> str:
    line = traceback.extract_tb(error.__traceback__)[-1].lineno
    return (
        "this is a mistake of hardening.kubernetes, not of yours:"
        f" {type(error).__name__} in line {line} of the program for etcd"
    )
