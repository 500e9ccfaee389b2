# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What answers mean that a real etcd seldom gives; those that it does give are in tests/integration."""

from __future__ import annotations

import ast
import base64
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._node import _etcd
from ansible_collections.hardening.kubernetes.plugins.module_utils._node._etcd import Etcd, Refused

Answer = tuple[int, Any]


@contextmanager
def answering(*answers: Answer | Callable[[Mapping[str, Any]], Answer]) -> Iterator[tuple[Etcd, list[Any]]]:
    """Something that gives these answers, the last one for ever, and what it was asked."""
    asked: list[Any] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            given = left.pop(0) if len(left) > 1 else left[0]
            status, content = given(body) if callable(given) else given
            sent = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_arguments: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    etcd = Etcd([f"http://127.0.0.1:{server.server_port}"])
    try:
        yield etcd, asked
    finally:
        etcd.close()
        server.shutdown()
        server.server_close()


def test_it_runs_where_nothing_but_an_old_python_is() -> None:
    tree = ast.parse(Path(_etcd.__file__).read_text(), feature_version=(3, 8))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"__future__"}


@pytest.mark.parametrize(
    ("status", "content", "kind", "told"),
    [
        (404, "404 page not found\n", "gateway_off", "--enable-grpc-gateway"),
        (400, "CommonName of client sending a request against gateway will be ignored", "auth_on", "access control"),
        (400, {"error": "etcdserver: user name is empty", "code": 3}, "auth_on", "access control"),
        (403, {"code": 7, "message": "etcdserver: permission denied"}, "auth_on", "access control"),
        (401, {"code": 16, "message": "etcdserver: invalid auth token"}, "auth_on", "access control"),
        (400, {"code": 11, "message": "etcdserver: mvcc: required revision has been compacted"}, "compacted", "away"),
        (429, {"code": 8, "message": "etcdserver: mvcc: database space exceeded"}, "no_space", "alarm disarm"),
        (503, {"code": 14, "message": "etcdserver: no leader"}, "unreachable", "etcdserver: no leader"),
        (504, {"code": 4, "message": "context deadline exceeded"}, "unreachable", "deadline"),
        (400, {"code": 3, "message": "etcdserver: key is not provided"}, "failed", "key is not provided"),
        (502, "<html>Bad Gateway</html>", "unreachable", "HTTP status 502"),
        (200, "not JSON", "unreachable", "not JSON"),
        (500, {"message": None, "error": None, "code": None}, "unreachable", "HTTP status 500"),
    ],
)
def test_what_a_refusal_means(status: int, content: Any, kind: str, told: str) -> None:
    with answering((status, content)) as (etcd, _asked), pytest.raises(Refused, match=told) as refused:
        etcd.ask("kv/range", {}, patience=0)
    assert refused.value.kind == kind


def test_a_new_leader_is_waited_for() -> None:
    no_leader = (503, {"code": 14, "message": "etcdserver: leader changed"})
    with answering(no_leader, no_leader, (200, {"header": {"revision": "7"}})) as (etcd, asked):
        assert etcd.ask("kv/range", {"a": 1}) == {"header": {"revision": "7"}}
    assert asked == [{"a": 1}] * 3


def test_pages_that_are_too_large_are_asked_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_etcd, "_MOST_ANSWER", 1000)
    keys = [f"/registry/secrets/{at:02}" for at in range(10)]

    def page(body: Mapping[str, Any]) -> Answer:
        start = base64.b64decode(body["key"]).decode()
        left = [key for key in keys if key >= start]
        some = left[: int(body["limit"])]
        found = [{"key": base64.b64encode(key.encode()).decode(), "value": "QUJD" * 100} for key in some]
        return 200, {"header": {"revision": "5"}, "kvs": found, "more": len(left) > len(some)}

    with answering(page) as (etcd, asked):
        found = _etcd.scan(etcd, ["/registry/secrets/"], ["ABCABC"], revision=5)
    assert found["counts"] == {"/registry/secrets/": {"ABCABC": 10}}
    assert found["bytes"] == {"/registry/secrets/": 3000}
    assert {body["revision"] for body in asked} == {"5"} and asked[0]["limit"] == "100"
    assert max(int(body["limit"]) for body in asked[4:]) <= 4


def test_an_answer_that_is_too_large_for_etcd_is_asked_for_in_parts() -> None:
    too_large = (429, {"code": 8, "message": "grpc: received message larger than max (2147483648 vs. 2147483647)"})
    with answering(too_large, (200, {})) as (etcd, asked):
        assert _etcd.scan(etcd, ["/registry/secrets/"], [], revision=5)["counts"] == {"/registry/secrets/": {}}
    assert [body["limit"] for body in asked] == ["100", "25"]


def test_a_snapshot_that_comes_incomplete_is_not_kept(tmp_path: Any) -> None:
    status = (200, {"header": {"revision": "5"}, "dbSize": "10"})
    blob = base64.b64encode(b"half of it").decode()
    for stream in (
        json.dumps({"result": {"blob": blob}}) + "\n",
        json.dumps({"result": {"blob": blob}})
        + "\n"
        + json.dumps({"error": {"code": 14, "message": "stopped"}})
        + "\n",
    ):
        with answering(status, (200, stream)) as (etcd, _asked), pytest.raises(Refused, match="incomplete|broke off"):
            _etcd.snapshot(etcd, str(tmp_path / "a.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("errors", "alarms"),
    [
        ([], []),
        (["etcdserver: no leader"], []),
        (
            ["memberID:1 alarm:NOSPACE ", "memberID:2 alarm:NOSPACE ", "memberID:3 alarm:CORRUPT "],
            ["CORRUPT", "NOSPACE"],
        ),
    ],
)
def test_alarms_are_told_apart(errors: list[str], alarms: list[str]) -> None:
    said = {"header": {"member_id": "10501334649042878790"}, "isLearner": True, "errors": errors}
    with answering((200, said)) as (etcd, asked):
        status = _etcd.status(etcd)
    assert status["alarms"] == alarms and status["errors"] == errors and status["member"] == "91bc3c398fb3c146"
    assert status["learner"] and status["members"] == [] and status["leader"] == "" and len(asked) == 1
