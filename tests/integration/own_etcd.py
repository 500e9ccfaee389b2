# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An etcd of a test's own: members as processes on loopback, TLS with client certificates as kubeadm sets it up."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._node import _etcd

from tests.testbed import gobuild
from tests.testbed.tables import NODE_TOOLS

PROGRAM = Path(_etcd.__file__)
CLIENT = "kube-apiserver-etcd-client"


class Answered(Exception):
    """The program refused; its kind and what it told."""

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(f"{kind}: {told}")
        self.kind = kind
        self.told = told


def binaries() -> Path:
    """The folder with etcd and etcdctl, built where they are not yet."""
    return gobuild.build(next(tool for tool in NODE_TOOLS if tool.name == "etcd"))


def answers(calls: Sequence[tuple[str, Mapping[str, Any]]], python: str = sys.executable) -> list[dict[str, Any]]:
    """What the program answers as a process of its own, which gets all through its standard input, as on a node."""
    source = f"{PROGRAM.read_text()}\nanswer({json.dumps(calls)!r})\n"
    ran = subprocess.run(
        [python, "-I", "-B", "-"], input=source, capture_output=True, text=True, timeout=120, check=False
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith(_etcd.MARKER)]
    assert len(lines) == 1, f"no answer: {ran.stdout}{ran.stderr}"
    found: list[dict[str, Any]] = json.loads(lines[0].removeprefix(_etcd.MARKER))
    return found


@dataclass(slots=True)
class Member:
    """One member, running or not."""

    name: str
    folder: Path
    client: str
    peer: str
    process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


@dataclass(slots=True)
class OwnEtcd:
    """A cluster of members; ``pki`` has ca.crt and client.{crt,key}."""

    folder: Path
    members: list[Member]
    flags: Sequence[str] = ()
    pki: Path = field(init=False)

    def __post_init__(self) -> None:
        self.pki = self.folder / "pki"

    @property
    def endpoints(self) -> list[str]:
        return [member.client for member in self.members]

    @property
    def reach(self) -> dict[str, Any]:
        """What every operation takes as ``etcd``."""
        client = self.pki / "client.crt", self.pki / "client.key"
        return {
            "endpoints": self.endpoints,
            "ca": str(self.pki / "ca.crt"),
            "certificate": str(client[0]),
            "key": str(client[1]),
        }

    def start(self, member: Member, *flags: str) -> None:
        """Start a member; it answers when :meth:`wait` is back."""
        log = (self.folder / f"{member.name}.log").open("ab")
        member.process = subprocess.Popen(
            [
                binaries() / "etcd",
                f"--name={member.name}",
                f"--data-dir={member.folder}",
                f"--listen-client-urls={member.client}",
                f"--advertise-client-urls={member.client}",
                f"--listen-peer-urls={member.peer}",
                f"--initial-advertise-peer-urls={member.peer}",
                f"--initial-cluster={','.join(f'{each.name}={each.peer}' for each in self.members)}",
                f"--cert-file={self.pki / 'server.crt'}",
                f"--key-file={self.pki / 'server.key'}",
                f"--trusted-ca-file={self.pki / 'ca.crt'}",
                "--client-cert-auth=true",
                "--unsafe-no-fsync",
                *self.flags,
                *flags,
            ],
            stdout=log,
            stderr=log,
        )

    def wait(self, member: Member) -> None:
        """Wait until the member takes part in a cluster with a leader; asked by etcdctl, so not by what is tested."""
        until = time.monotonic() + 60
        while self.etcdctl("endpoint", "health", endpoint=member.client, check=False).returncode:
            assert member.process and member.process.poll() is None, (self.folder / f"{member.name}.log").read_text()
            assert time.monotonic() < until, f"{member.name} does not become healthy"
            time.sleep(0.1)

    def etcdctl(self, *arguments: str, endpoint: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        reach = ["--cacert", self.pki / "ca.crt", "--cert", self.pki / "client.crt", "--key", self.pki / "client.key"]
        return subprocess.run(
            [binaries() / "etcdctl", "--endpoints", endpoint or self.endpoints[0], *reach, *arguments],
            capture_output=True,
            text=True,
            check=check,
        )

    def ask(self, operation: str, **arguments: Any) -> Any:
        """The result of one operation of the program; raises :class:`Answered` where it refused."""
        (answer,) = answers([(operation, {"etcd": self.reach, **arguments})])
        if "refused" in answer:
            raise Answered(**answer["refused"])
        return answer["result"]

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request to the gateway, over a connection of its own."""
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        context.load_cert_chain(self.pki / "client.crt", self.pki / "client.key")
        host = self.endpoints[0].removeprefix("https://")
        connection = http.client.HTTPSConnection(host, context=context, timeout=60)
        connection.request("POST", f"/v3/{path}", json.dumps(body))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        assert response.status == 200, content[:300]
        answer: dict[str, Any] = json.loads(content)
        return answer

    def put(self, values: Mapping[str, bytes]) -> int:
        """Write keys and values, some thousand a second; gives the last revision."""
        revision, items = 0, list(values.items())
        size = max((len(value) for value in values.values()), default=0)
        together = max(1, min(100, 1_000_000 // (size + 1)))
        for at in range(0, len(items), together):
            puts = [
                {"request_put": {"key": encoded(key.encode()), "value": encoded(value)}}
                for key, value in items[at : at + together]
            ]
            revision = int(self.post("kv/txn", {"success": puts})["header"]["revision"])
        return revision


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@contextmanager
def own_etcd(folder: Path, members: int = 1, flags: Sequence[str] = ()) -> Iterator[OwnEtcd]:
    """Members that run until the end; ``flags`` are given to each of them."""
    make_certificates(folder / "pki")
    ports = free_ports(2 * members)
    named = [
        Member(f"m{at}", folder / f"m{at}", *(f"https://127.0.0.1:{port}" for port in ports[2 * at : 2 * at + 2]))
        for at in range(members)
    ]
    for member in named:
        member.peer = member.peer.replace("https:", "http:")
    etcd = OwnEtcd(folder, named, flags)
    try:
        for member in named:
            etcd.start(member)
        for member in named:
            etcd.wait(member)
        yield etcd
    finally:
        for member in named:
            member.stop()


def free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _each in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def make_certificates(folder: Path) -> None:
    """A certificate authority, a server on loopback, and the client's certificate of an API server."""
    folder.mkdir(parents=True)

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=etcd-ca")
    for name, common_name, usage in (
        ("server", "etcd", "extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:127.0.0.1,DNS:localhost"),
        ("client", CLIENT, "extendedKeyUsage=clientAuth"),
        ("nameless", "", "extendedKeyUsage=clientAuth"),
    ):
        subject = f"/O=tests/CN={common_name}" if common_name else "/O=tests"
        openssl("req", "-new", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        (folder / f"{name}.ext").write_text(usage)
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext")
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *signed)
