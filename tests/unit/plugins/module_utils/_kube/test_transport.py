# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that misbehaves, and what the client makes of it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import USER_AGENT, Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    BadConnection,
    Forbidden,
    KubeError,
    Unauthorized,
    Unreachable,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api, place, self_signed

CONFIG_MAP = KNOWN["v1", "ConfigMap"]
PODS = "/api/v1/pods"


def client(api: FakeApi, **more: Any) -> Client:
    return connect({"host": api.url, "api_key": "good", **more})


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Clock:
    """Time that passes by nothing but pauses; during each, ``meanwhile`` happens."""

    def __init__(self) -> None:
        self.began = self.now = time.monotonic()
        self.pauses: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(time, "sleep", fake.sleep)
    monkeypatch.setattr(time, "monotonic", lambda: fake.now)
    return fake


def test_a_request_says_who_asks(api: FakeApi) -> None:
    client(api, impersonate_user="jane", impersonate_groups=["a", "b"]).version()
    headers = api.requests[0].headers
    assert headers["User-Agent"] == USER_AGENT
    assert (headers["Authorization"], headers["Impersonate-User"]) == ("Bearer good", "jane")


def test_basic_authentication(api: FakeApi) -> None:
    connect({"host": api.url, "username": "jane", "password": "a:b"}).version()
    assert api.requests[0].headers["Authorization"] == "Basic amFuZTphOmI="


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again_when_it_said(api: FakeApi, pauses: list[float], status: int) -> None:
    api.troubles.extend([(status, {"Retry-After": "3"}), (status, {})])
    assert client(api).request("GET", "/version").ok
    assert pauses == [3, 1.0] and len(api.requests) == 3


def test_a_server_that_stays_busy_is_left_in_the_end(api: FakeApi, pauses: list[float]) -> None:
    api.troubles.extend([(429, {"Retry-After": "3600"})] * 10)
    assert client(api).request("GET", "/version").status == 429
    assert len(api.requests) == 10 and pauses == [120.0] * 9


def test_a_server_that_fails_without_a_word_is_asked_less_often(api: FakeApi, pauses: list[float]) -> None:
    api.troubles.extend([(503, {})] * 10)
    assert client(api).request("GET", "/version").status == 503
    assert pauses == [0.5, 1.0, 2.0, 4.0]


def test_what_must_not_be_done_twice_is_not_repeated_unless_the_server_says_so(
    api: FakeApi, pauses: list[float]
) -> None:
    api.troubles.append((500, {}))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}}
    assert client(api).create(pod).status == 500
    api.troubles.append((503, {"Retry-After": "1"}))
    assert client(api).create(pod).status == 201
    api.troubles.append((500, {}))
    assert client(api).create(pod, dry_run=True).status == 201
    assert pauses == [1, 0.5]


@pytest.mark.parametrize(
    "words",
    [
        "failed to create typed patch object (a/b; /v1, Kind=ConfigMap): .dta: field not declared in schema",
        "etcdserver: mvcc: database space exceeded",
    ],
)
def test_a_server_error_that_another_try_cannot_help_is_an_answer(
    api: FakeApi, pauses: list[float], words: str
) -> None:
    api.intercept = lambda _request: (500, {"message": words})
    assert client(api).request("PATCH", PODS + "/a", body={}).status == 500
    assert len(api.requests) == 1 and pauses == []


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_is_an_answer(api: FakeApi, status: int) -> None:
    api.troubles.append((status, {}))
    answer = client(api).request("PATCH", PODS + "/a", body={})
    assert (answer.status, answer.reason, answer.message, answer.ok) == (status, "Trouble", "trouble", False)
    assert len(api.requests) == 1


def test_a_cut_connection_is_mended(api: FakeApi, pauses: list[float]) -> None:
    asking = client(api)
    asking.version()
    api.troubles.extend([None, None])
    assert asking.get(CONFIG_MAP, "a", "b") is None
    assert len(pauses) == 2


def test_a_cut_connection_is_not_mended_where_it_may_have_stored_something(api: FakeApi, pauses: list[float]) -> None:
    asking = client(api)
    asking.version()
    api.troubles.append(None)
    with pytest.raises(Unreachable, match="went away"):
        asking.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}})
    assert pauses == []


def test_a_server_that_goes_away_and_does_not_come_back() -> None:
    with fake_api() as api:
        asking = connect({"host": api.url, "api_key": "good"}, outage_seconds=0.5)
        asking.version()
        api.troubles.append(None)
        api.server.shutdown()
        api.server.server_close()
        started = time.monotonic()
        with pytest.raises(Unreachable, match="went away and did not come back in time .Connection refused"):
            asking.request("GET", "/version")
        assert 0.4 < time.monotonic() - started < 5
        started = time.monotonic()
        with pytest.raises(Unreachable):
            asking.request("GET", "/version")
        assert time.monotonic() - started < 0.3


def test_a_server_that_is_not_there_fails_at_once(pauses: list[float]) -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=rf"https://127.0.0.1:{port} cannot be reached .Connection refused.: check"):
        connect({"host": f"https://127.0.0.1:{port}", "api_key": "a"}).version()
    assert pauses == []


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(Unreachable, match="https://nowhere.invalid cannot be reached"):
        connect({"host": "https://nowhere.invalid", "api_key": "a"}).version()


def test_a_refusal_just_after_an_outage_is_doubted(api: FakeApi, clock: Clock) -> None:
    asking = client(api)
    asking.version()
    api.troubles.extend([*[None] * 5, (403, {}), (403, {})])
    assert asking.get(CONFIG_MAP, "a", "b") is None
    assert clock.pauses[5:] == [1.0, 1.0]


def test_a_refusal_just_after_a_cut_connection_is_not(api: FakeApi, clock: Clock) -> None:
    asking = client(api)
    asking.version()
    api.troubles.extend([None, (403, {})])
    with pytest.raises(Forbidden):
        asking.get(CONFIG_MAP, "a", "b")
    assert clock.pauses == [0.25]


def test_a_request_that_is_always_cut_gives_up_although_others_are_answered(api: FakeApi, clock: Clock) -> None:
    asking = client(api)
    asking.version()

    def others_are_answered() -> None:
        asking._transport._came_back()

    clock.meanwhile = others_are_answered
    api.troubles.extend([None] * 1000)
    with pytest.raises(Unreachable, match="did not come back in time"):
        asking.get(CONFIG_MAP, "a", "b")
    assert 60 <= clock.now - clock.began < 66


def test_an_answer_tells_whether_an_earlier_try_may_have_been_carried_out(api: FakeApi, pauses: list[float]) -> None:
    asking = client(api)
    assert not asking.request("GET", "/version").repeated
    for trouble, repeated in (
        (None, True),
        ((500, {}), True),
        ((503, {"Retry-After": "1"}), False),
        ((429, {}), False),
    ):
        api.troubles.append(trouble)
        assert asking.request("GET", "/version").repeated is repeated


def test_credentials_that_are_refused_are_one_sentence(api: FakeApi) -> None:
    api.tokens = {"other"}
    with pytest.raises(Unauthorized, match="does not accept these credentials .401., maybe expired: log in again"):
        client(api).version()
    assert len(api.requests) == 1


def test_a_token_file_is_read_again_when_refused(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("old\n")
    user = {"name": "u", "user": {"tokenFile": str(tmp_path / "token")}}
    context = {"name": "c", "context": {"cluster": "k", "user": "u"}}
    config = {
        "current-context": "c",
        "contexts": [context],
        "users": [user],
        "clusters": [{"name": "k", "cluster": {"server": api.url}}],
    }
    asking = connect({"kubeconfig": config})
    api.tokens = {"old"}
    asking.version()
    api.tokens = {"new"}
    (tmp_path / "token").write_text("new\n")
    results = asking.parallel(lambda _number: asking.request("GET", "/version").status, range(20))
    assert results == [200] * 20


@pytest.mark.parametrize("told", ["<html>log in</html>", {"items": []}, {"kind": "Login", "items": []}, ["a"]], ids=str)
def test_what_answers_everything_with_200_is_no_api_server(api: FakeApi, told: Any) -> None:
    api.intercept = lambda _request: (200, told)
    asking = client(api)
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}}
    requests: list[Callable[[], Any]] = [
        lambda: asking.get(CONFIG_MAP, "a", "b"),
        lambda: asking.list(CONFIG_MAP),
        lambda: asking.create(obj),
        lambda: asking.apply(obj, manager="tests"),
        lambda: asking.delete(CONFIG_MAP, "a", "b"),
        lambda: asking.allowed([Question("get", "", "pods")]),
    ]
    for request in requests:
        with pytest.raises(Unreachable, match=f"What answers at {api.url} is no Kubernetes API server: check"):
            request()


def test_a_header_that_cannot_be_sent_is_not_shown(api: FakeApi) -> None:
    with pytest.raises(BadConnection, match="hold what no HTTP header can") as caught:
        client(api, impersonate_user="jane\nX-Remote-User: root").version()
    assert "jane" not in str(caught.value) and caught.value.__suppress_context__
    assert api.requests == []


def test_permission_is_named_where_it_lacks(api: FakeApi) -> None:
    api.forbidden = lambda _method, at: at.plural == "configmaps"
    with pytest.raises(Forbidden, match="refused .403.: configmaps is forbidden: .* Grant this permission"):
        client(api).list(CONFIG_MAP)


def test_an_etcd_that_is_full_is_told_with_what_to_do(api: FakeApi) -> None:
    api.intercept = lambda _request: (500, {"message": "etcdserver: mvcc: database space exceeded"})
    with pytest.raises(KubeError, match="refused .500.: .* raise --quota-backend-bytes, then disarm its alarm"):
        client(api).list(CONFIG_MAP)


def test_lists_come_page_by_page_and_start_anew_when_they_expire(api: FakeApi, pauses: list[float]) -> None:
    for number in range(1200):
        api.store("configmaps", "a", f"c{number:04}")
    items = client(api).list(CONFIG_MAP)
    assert len(items) == 1200 and {each["kind"] for each in items} == {"ConfigMap"}
    assert [each.query["limit"] for each in api.requests] == ["500"] * 3
    assert api.requests[2].query["continue"] == "1000"
    api.requests.clear()
    asking = client(api)
    expired = iter([{"reason": "Expired"}])
    api.intercept = lambda request: (410, next(expired, None)) if request.query.get("continue") == "500" else None
    assert len(asking.list(CONFIG_MAP)) == 1200
    assert [each.query.get("continue") for each in api.requests] == [None, "500", None, "500", "1000"]
    assert pauses == []


def test_questions_about_permission_are_answered_in_order(api: FakeApi) -> None:
    questions = [Question("get", "", "pods", namespace="a"), Question("list", "apps", "deployments")]
    assert client(api).allowed(questions) == [True, True]
    assert {each.path for each in api.requests} == {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}


def test_an_unknown_kind_costs_one_request(api: FakeApi) -> None:
    resources = [{"resource": "gadgets", "responseKind": {"kind": "Gadget"}, "scope": "Namespaced"}]
    api.kinds = [{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": resources}]}]
    asking = client(api)
    found = asking.resource("example.com/v1", "Gadget")
    assert found is not None and found.plural == "gadgets"
    assert asking.resource("example.com/v1", "Nothing") is None
    assert asking.resource("v1", "Pod") == KNOWN["v1", "Pod"]
    assert len(api.requests) == 1
    asking.forget_kinds()
    asking.resource("example.com/v1", "Gadget")
    assert len(api.requests) == 2


def test_work_in_parallel_keeps_its_order_and_ends_before_it_complains(api: FakeApi) -> None:
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        if number in (3, 7):
            raise KubeError(f"{number}")
        return number * 2

    asking = client(api)
    assert asking.parallel(lambda number: number * 2, range(50)) == [number * 2 for number in range(50)]
    assert asking.parallel(work, []) == []
    with pytest.raises(KubeError, match="3"):
        asking.parallel(work, range(10))
    assert sorted(done) == list(range(10))


def test_connections_are_kept(api: FakeApi) -> None:
    before = threading.active_count()
    asking = client(api)
    asking.parallel(lambda _number: asking.request("GET", "/version"), range(100))
    assert len(api.requests) == 100
    assert threading.active_count() - before <= 32


@contextmanager
def saying(answer: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that says just these bytes to every request: its URL, and how many requests each connection carried."""
    carried: list[int] = []

    def serve(connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as asked:
            while asked.readline():
                while asked.readline().strip():
                    pass
                carried[number] += 1
                connection.sendall(answer)
                if b"Content-Length" not in answer and b"chunked" not in answer:
                    return

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _address = listener.accept()
                carried.append(0)
                threading.Thread(target=serve, args=(connection, len(carried) - 1), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", carried
        listener.shutdown(socket.SHUT_RDWR)


JSON = b"Content-Type: application/json\r\n"
VERSION = b'{"major": "1", "minor": "36"}'
LENGTH = b"Content-Length: %d\r\n" % len(VERSION)
CHUNKS = b"5\r\n" + VERSION[:5] + b"\r\n%x\r\n" % len(VERSION[5:]) + VERSION[5:] + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "carried"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n" + JSON + LENGTH + b"\r\n" + VERSION, [2], id="length"),
        pytest.param(b"HTTP/1.1 200\r\n" + JSON + LENGTH + b"\r\n" + VERSION, [2], id="no-reason"),
        pytest.param(b"HTTP/1.1 200 OK\n" + JSON + LENGTH + b"\n" + VERSION, [2], id="bare-line-feeds"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-type:application/json\r\n" + LENGTH + b"\r\n" + VERSION, [2], id="lower-case"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + JSON + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, [2], id="chunked"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + JSON + LENGTH + b"\r\n" + VERSION, [2], id="continue"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + JSON + LENGTH + b"\r\n" + VERSION, [1, 1], id="closing"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + JSON + b"\r\n" + VERSION, [1, 1], id="to-the-end"),
        pytest.param(b"HTTP/1.0 200 OK\r\n" + JSON + LENGTH + b"\r\n" + VERSION, [1, 1], id="http-1.0"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + JSON + LENGTH + b"\r\n" + VERSION, [2], id="kept-1.0"
        ),
    ],
)
def test_every_form_of_answer_is_read_whole(answer: bytes, carried: list[int]) -> None:
    with saying(answer) as (url, told):
        asking = connect({"host": url, "api_key": "good"})
        bodies = [asking.request("GET", "/version").body for _number in range(2)]
    assert bodies == [json.loads(VERSION)] * 2 and told == carried


def test_an_answer_without_a_body_ends_with_its_head() -> None:
    with saying(b"HTTP/1.1 204 No Content\r\nX-Content-Length: none\r\n\r\n") as (url, _carried):
        answer = connect({"host": url, "api_key": "good"}).request("DELETE", "/any")
    assert answer.status == 204 and answer.body == ""


def test_headers_that_come_several_times_or_over_several_lines_are_all_kept() -> None:
    warnings = b'Warning: 299 - "one"\r\nX-Other: a\r\nwarning: 299 -\r\n\t"two"\r\n'
    with saying(b"HTTP/1.1 200 OK\r\n" + warnings + JSON + LENGTH + b"\r\n" + VERSION) as (url, _carried):
        answer = connect({"host": url, "api_key": "good"}).request("GET", "/version")
    assert answer.warnings == ("one", "two")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2", id="another-protocol"),
        pytest.param(b"HTTP/1.1 ok\r\n\r\n", "HTTP/1.1 ok", id="no-status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", "the answer was cut off", id="head-cut-off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Type: a\r\n", "closed connection", id="head-without-end"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101, "more than 100 headers", id="many-headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65536 + b"\r\n", "header line", id="long-header"),
    ],
)
def test_what_is_no_answer_is_told_as_such(answer: bytes, why: str) -> None:
    with saying(answer) as (url, _carried), pytest.raises(Unreachable, match=why):
        connect({"host": url, "api_key": "good"}).version()


def test_a_certificate_by_the_right_authority(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with fake_api((certificate, key)) as api:
        assert connect({"host": api.url, "api_key": "a", "ca_cert": str(certificate)}).version() == (1, 36)
        assert connect({"host": api.url, "api_key": "a", "validate_certs": False}).version() == (1, 36)


def test_a_certificate_by_another_authority(tmp_path: Path, pauses: list[float]) -> None:
    certificate, key = self_signed(tmp_path)
    other, _key = self_signed(tmp_path, "other")
    with fake_api((certificate, key)) as api:
        with pytest.raises(Unreachable, match=f"certificate of {api.url} is not to be trusted .*ca_cert"):
            connect({"host": api.url, "api_key": "a", "ca_cert": str(other)}).version()
        with pytest.raises(Unreachable, match="is not to be trusted"):
            connect({"host": api.url, "api_key": "a"}).version()
    assert pauses == []


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "elsewhere", "192.0.2.1")
    with fake_api((certificate, key)) as api:
        with pytest.raises(Unreachable, match="is not to be trusted .*mismatch"):
            connect({"host": api.url, "api_key": "a", "ca_cert": str(certificate)}).version()
        cluster = {"server": api.url, "certificate-authority": str(certificate), "tls-server-name": "elsewhere"}
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": "a"}}],
        }
        assert connect({"kubeconfig": config}).version() == (1, 36)


def test_certificates_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing")
    with pytest.raises(BadConnection, match="certificates for https://127.0.0.1:1 cannot be used"):
        connect({"host": "https://127.0.0.1:1", "api_key": "a", "ca_cert": str(tmp_path / "bad.pem")})


def test_a_client_certificate_whose_key_is_another_ones(tmp_path: Path) -> None:
    certificate, _key = self_signed(tmp_path)
    _certificate, key = self_signed(tmp_path, "other")
    with pytest.raises(BadConnection, match="client's key belongs to its certificate"):
        connect({"host": "https://127.0.0.1:1", "client_cert": str(certificate), "client_key": str(key)})


class Proxy(BaseHTTPRequestHandler):
    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers.items())))
        data = json.dumps({"major": "1", "minor": "36"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: Any) -> None:
        pass


def test_a_proxy_is_used_with_its_headers_and_left_out_where_told() -> None:
    Proxy.asked = []
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{proxy.server_address[1]}"
    headers = {"proxy_basic_auth": "jane:secret", "user_agent": "tests"}
    through = {"host": "http://api.example.com", "api_key": "a", "proxy": url, "proxy_headers": headers}
    assert connect(through).version() == (1, 36)
    path, sent = Proxy.asked[0]
    assert path == "http://api.example.com/version"
    assert sent["proxy-authorization"] == "Basic amFuZTpzZWNyZXQ="
    with pytest.raises(Unreachable):
        connect({**through, "host": "http://api.invalid", "no_proxy": ".invalid"}).version()
    proxy.shutdown()
    proxy.server_close()
    assert len(Proxy.asked) == 1


def test_a_proxy_that_is_not_there_is_named_without_its_password() -> None:
    proxy = f"http://jane:secret@127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match="The proxy http://127.0.0.1:") as caught:
        connect({"host": "https://api.example.com", "api_key": "a", "proxy": proxy}).version()
    assert "secret" not in str(caught.value)


def test_place_reads_paths() -> None:
    assert place("/api/v1/namespaces/a").name == "a"
    assert place("/apis/apps/v1/namespaces/a/deployments").plural == "deployments"
