# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same patches by a bare asynchronous loop: ``python -m tests.bench.loop KUBECONFIG``.

What a client could reach at best: nothing is checked but the status, nothing is tried again, nobody is told. The time
is that of the patches alone, with the connections open and what to patch known beforehand.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

QUERY = "fieldManager=hardening.kubernetes/encryption&fieldValidation=Ignore"
METADATA = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata"


class Connection:
    """One request after the other to one server."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self._host, self._port, self._context = host, port, context

    async def open(self) -> Connection:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, ssl=self._context)
        return self

    async def ask(self, head: str, body: bytes = b"") -> bytes:
        host = f"Host: {self._host}:{self._port}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + host.encode() + body)
        told = await self._reader.readuntil(b"\r\n\r\n")
        data = await self._body(told.lower())
        if not told.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(told + data)
        return data

    async def _body(self, told: bytes) -> bytes:
        _before, found, rest = told.partition(b"\r\ncontent-length: ")
        if found:
            return await self._reader.readexactly(int(rest.partition(b"\r\n")[0]))
        parts = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(parts)


def head(method: str, path: str, accept: str) -> str:
    more = "Content-Type: application/merge-patch+json\r\n" if method == "PATCH" else ""
    return f"{method} {path} HTTP/1.1\r\nAccept: {accept}\r\n{more}"


async def listed(connection: Connection) -> list[dict[str, Any]]:
    """The metadata of all secrets."""
    items: list[dict[str, Any]] = []
    token = ""
    while True:
        path = f"/api/v1/secrets?limit=500&continue={token}"
        told = json.loads(await connection.ask(head("GET", path, f"{METADATA}List")))
        items += [item["metadata"] for item in told["items"]]
        token = told["metadata"].get("continue", "")
        if not token:
            return items


async def patch(connection: Connection, todo: Iterator[dict[str, Any]]) -> None:
    for each in todo:
        path = f"/api/v1/namespaces/{each['namespace']}/secrets/{each['name']}?{QUERY}"
        body = json.dumps({"metadata": {"uid": each["uid"], "resourceVersion": each["resourceVersion"]}})
        await connection.ask(head("PATCH", path, METADATA), body.encode())


async def main(kubeconfig: str, several: int) -> None:
    server, context = target(kubeconfig)
    connections = [
        await Connection(server.hostname or "", server.port or 443, context).open() for _each in range(several)
    ]
    objects = await listed(connections[0])
    todo = iter(objects)
    started = time.monotonic()
    await asyncio.gather(*(patch(connection, todo) for connection in connections))
    print(f"{len(objects)} of {len(objects)} rewritten in {time.monotonic() - started:.3f} s")


def target(kubeconfig: str) -> tuple[Any, ssl.SSLContext]:
    config = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)
    return urlsplit(cluster["server"]), context


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 16))
