# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that does not come back gets its former files back, with nobody there but the node itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.module_utils._kube.fake_api import self_signed
from tests.unit.plugins.module_utils._node.node import SOURCE, Node, file, told, until

BINARY = f"server-{os.getpid()}"
QUICK = SOURCE.replace("_EVERY_SECONDS = 1.0", "_EVERY_SECONDS = 0.1")

SERVER = """
import http.server, ssl, sys
status, port, certificate, key = int(sys.argv[1]), int(sys.argv[2].split("=")[1]), sys.argv[3], sys.argv[4]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(status if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
http.server.HTTPServer.allow_reuse_address = True
server = http.server.HTTPServer(("127.0.0.1", port), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


class Server:
    """Stands for a kube-apiserver: a process of that name with a port and a /readyz."""

    def __init__(self, folder: Path) -> None:
        self._tls = self_signed(folder)
        # Under a name of its own, a process is told from all others of the machine.
        self.binary = folder / BINARY
        if not self.binary.is_symlink():
            self.binary.symlink_to(Path(sys.executable).resolve())
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, status: int = 200, *flags: str) -> None:
        arguments = [str(status), f"--secure-port={self.port}", *(str(path) for path in self._tls), *flags]
        self._processes.append(subprocess.Popen([self.binary, "-I", "-S", "-c", SERVER, *arguments]))

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def restart(self, status: int = 200) -> None:
        self.stop()
        self.start(status)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    _serving(server)
    yield server
    server.stop()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    node.call("take", run="one", holder="me", seconds=600)
    return node


@pytest.fixture
def manifest(node: Node) -> Path:
    path = node.folder / "kubernetes" / "manifests" / "server.yaml"
    path.parent.mkdir()
    path.write_bytes(b"old")
    path.chmod(0o640)
    return path


@pytest.fixture
def keys(node: Node) -> Path:
    return node.folder / "kubernetes" / "encryption" / "configuration.json"


def _held(node: Node) -> str:
    """The program, whose process that stays begins to wait for the server only after :func:`_go`."""
    hold = f"\n_wait_really = _wait\ndef _wait(*given):\n    while not os.path.exists({str(node.folder / 'go')!r}):\n"
    return QUICK + hold + "        time.sleep(0.05)\n    return _wait_really(*given)\n"


def _go(node: Node) -> None:
    (node.folder / "go").touch()


def _call(
    node: Node, server: Server, files: list[dict[str, Any]], seconds: float, **more: Any
) -> tuple[str, dict[str, Any]]:
    arguments = {"run": "one", "files": files, "binary": BINARY, "port": server.port, "seconds": seconds}
    return "write_watched", {**arguments, "state": str(node.state), **more}


def _write(
    node: Node, server: Server, *files: dict[str, Any], seconds: float = 30, source: str = QUICK, **more: Any
) -> Any:
    [answer] = node.answers(_call(node, server, list(files), seconds, **more), source=source)
    return answer.get("result") or answer["refused"]


def _ends(node: Node, *, but: str = "waiting", seconds: float = 30) -> dict[str, Any]:
    """What ``watched`` tells as soon as it is not this any more."""
    deadline = time.monotonic() + seconds
    while (watch := node.call("watched"))["state"] == but:
        assert time.monotonic() < deadline, watch
        time.sleep(0.2)
    found: dict[str, Any] = watch
    return found


def _watcher(node: Node) -> int:
    """The pid of the process that stays."""
    pid: int = json.loads((node.state / "watch.json").read_text(encoding="utf-8"))["pid"]
    return pid


def test_a_server_that_comes_back_keeps_the_new_files(node: Node, server: Server, manifest: Path, keys: Path) -> None:
    written = _write(node, server, file(keys, b"new"), file(manifest, b"new", b"old"))
    assert [each["written"] for each in written] == [True, True]
    watch = node.call("watched")
    assert watch["state"] == "waiting" and watch["run"] == "one"
    assert watch["until"] == pytest.approx(watch["since"] + 30)
    assert watch["paths"] == [str(keys), str(manifest)]
    server.restart()
    assert _ends(node)["state"] == "ready"
    assert (keys.read_bytes(), manifest.read_bytes()) == (b"new", b"new")


def test_a_server_that_does_not_come_back_gets_its_files_back(
    node: Node, server: Server, manifest: Path, keys: Path
) -> None:
    files = [file(keys, b"new"), file(manifest, b"new", b"old", mode="0600")]
    _write(node, server, *files, seconds=1, source=_held(node))
    server.stop()
    _go(node)
    watch = _ends(node)
    assert watch["state"] == "restored"
    assert "it is not running" in watch["told"]
    assert not keys.exists() and manifest.read_bytes() == b"old"
    assert manifest.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in manifest.parent.iterdir()] == [manifest.name]


def test_the_former_process_does_not_count_however_ready_it_is(node: Node, server: Server, manifest: Path) -> None:
    _write(node, server, file(manifest, b"new", b"old"), seconds=2)
    watch = _ends(node)
    assert watch["state"] == "restored" and "the former one is still running" in watch["told"]
    assert manifest.read_bytes() == b"old"


def test_a_new_process_that_never_becomes_ready_does_not_count(node: Node, server: Server, manifest: Path) -> None:
    _write(node, server, file(manifest, b"new", b"old"), seconds=3, source=_held(node))
    server.restart(status=500)
    _serving(server)
    _go(node)
    watch = _ends(node)
    assert watch["state"] == "restored" and "/readyz: status 500" in watch["told"]
    assert manifest.read_bytes() == b"old"


def test_the_server_of_another_port_does_not_count(node: Node, server: Server, manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Server(tmp_path / "other")
    _write(node, server, file(manifest, b"new", b"old"), seconds=1, source=_held(node))
    server.stop()
    other.start()
    _serving(other)
    _go(node)
    try:
        assert "it is not running" in _ends(node)["told"]
    finally:
        other.stop()


def test_what_somebody_changed_meanwhile_is_left_and_all_else_too(
    node: Node, server: Server, manifest: Path, keys: Path
) -> None:
    _write(node, server, file(keys, b"new"), file(manifest, b"new", b"old"), seconds=0, source=_held(node))
    manifest.write_bytes(b"by hand")
    _go(node)
    watch = _ends(node)
    assert watch["state"] == "left" and str(manifest) in watch["told"]
    assert (keys.read_bytes(), manifest.read_bytes()) == (b"new", b"by hand")


def test_a_removed_file_comes_back(node: Node, server: Server, keys: Path) -> None:
    node.call("write", run="one", files=[file(keys, b"old")])
    _write(node, server, file(keys, None, b"old"), seconds=0, source=_held(node))
    assert not keys.exists()
    _go(node)
    assert _ends(node)["state"] == "restored"
    assert keys.read_bytes() == b"old"


def test_nobody_else_needs_to_live(node: Node, server: Server, manifest: Path) -> None:
    """Not the program that wrote, not its session, and it holds no connection open."""
    process = node.start(_call(node, server, [file(manifest, b"new", b"old")], 0), source=_held(node))
    assert "result" in told(process)[0]
    pid = _watcher(node)
    assert os.getsid(pid) != os.getsid(0)
    held = {path.name: str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    assert {held.pop(name) for name in ("0", "1", "2")} == {os.devnull}
    assert all(target.startswith("pipe:") for target in held.values()) and len(held) <= 1
    assert b"old" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    _go(node)
    assert _ends(node)["state"] == "restored"


def test_a_write_that_is_killed_in_the_middle_is_undone_at_once(
    node: Node, server: Server, manifest: Path, keys: Path
) -> None:
    hangs = (
        f"\n_put_file = _put\ndef _put(path, temporary):\n    if path == {str(manifest)!r} and os.getpid() == WRITER:\n"
    )
    hangs += "        time.sleep(60)\n    _put_file(path, temporary)\nWRITER = os.getpid()\n"
    files = [file(keys, b"new"), file(manifest, b"new", b"old")]
    process = node.start(_call(node, server, files, 60), source=QUICK + hangs)
    until(keys.exists)
    assert node.call("watched")["state"] == "waiting"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    watch = _ends(node, seconds=10)
    assert watch["state"] == "restored" and "did not write all" in watch["told"]
    assert not keys.exists() and manifest.read_bytes() == b"old"


def test_a_write_that_fails_in_the_middle_is_undone_and_nobody_waits(
    node: Node, server: Server, manifest: Path, keys: Path
) -> None:
    fails = "\n_put_file = _put\ndef _put(path, temporary):\n"
    fails += f"    if path == {str(manifest)!r}:\n        raise OSError(errno.EROFS, 'no', path)\n"
    fails += "    _put_file(path, temporary)\n"
    refused = _write(node, server, file(keys, b"new"), file(manifest, b"new", b"old"), source=QUICK + fails)
    assert refused["kind"] == "read_only"
    assert _ends(node, seconds=10)["state"] == "restored"
    assert not keys.exists() and manifest.read_bytes() == b"old"


def test_one_waits_at_a_time_and_what_it_watches_is_not_written(
    node: Node, server: Server, manifest: Path, keys: Path
) -> None:
    _write(node, server, file(manifest, b"new", b"old"), seconds=60)
    assert _write(node, server, file(keys, b"new"))["kind"] == "watched"
    assert node.refused("write", run="one", files=[file(manifest, b"newer", b"new")])["kind"] == "watched"
    assert node.call("write", run="one", files=[file(keys, b"new")])[0]["written"]
    os.kill(_watcher(node), signal.SIGKILL)
    until(lambda: node.call("watched")["state"] == "lost")
    assert node.call("write", run="one", files=[file(manifest, b"newer", b"new")])[0]["written"]


def test_the_same_call_again_leaves_the_one_that_waits_alone(node: Node, server: Server, manifest: Path) -> None:
    _write(node, server, file(manifest, b"new", b"old"), seconds=60)
    pid = _watcher(node)
    [again] = _write(node, server, file(manifest, b"new", b"old"), seconds=60)
    assert again["written"] is False and _watcher(node) == pid
    os.kill(pid, signal.SIGKILL)


def test_a_server_that_is_not_ready_before_is_not_touched(node: Node, server: Server, manifest: Path) -> None:
    server.restart(status=401)
    _serving(server)
    refused = _write(node, server, file(manifest, b"new", b"old"))
    assert refused["kind"] == "not_ready"
    assert "/readyz: status 401" in refused["told"] and f"127.0.0.1:{server.port}" in refused["told"]
    server.stop()
    assert "/readyz: ConnectionRefusedError" in _write(node, server, file(manifest, b"new", b"old"))["told"]
    assert manifest.read_bytes() == b"old" and node.call("watched") is None


def test_what_repairs_a_server_does_not_wait_until_it_is_ready(node: Node, server: Server, manifest: Path) -> None:
    server.restart(status=500)
    _serving(server)
    [written] = _write(node, server, file(manifest, b"new", b"old"), repairs=True)
    assert written["written"] and manifest.read_bytes() == b"new"
    server.restart()
    until(lambda: node.call("watched")["state"] == "ready")


def test_it_is_asked_with_the_certificate_and_at_the_address_that_it_names(
    node: Node, server: Server, manifest: Path
) -> None:
    server.stop()
    server.start(401, "--kubelet-client-certificate", "/etc/ssl/ours.crt", "--bind-address=127.0.0.2")
    refused = _write(node, server, file(manifest, b"new", b"old"))
    assert "/etc/ssl/ours.crt" in refused["told"] and f"127.0.0.2:{server.port}" in refused["told"]


def test_a_server_in_a_network_of_its_own_is_not_the_nodes(node: Node, server: Server) -> None:
    """As one that a pod runs for another cluster, with the same name and port."""
    [ours] = _pids(node)
    apart = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--net"]
    with subprocess.Popen([*apart, server.binary, "-I", "-S", "-c", "import time; time.sleep(60)"]) as hosted:
        try:
            until(lambda: b"unshare" not in Path(f"/proc/{hosted.pid}/cmdline").read_bytes())
            assert _pids(node) == [ours]
        finally:
            hosted.kill()


def test_without_the_lock_nothing_is_written_and_nobody_waits(node: Node, server: Server, manifest: Path) -> None:
    node.call("release", run="one")
    assert _write(node, server, file(manifest, b"new", b"old"))["kind"] == "not_ours"
    assert node.call("watched") is None and manifest.read_bytes() == b"old"


def test_it_waits_for_the_flock_of_another_before_it_puts_anything_back(
    node: Node, server: Server, manifest: Path
) -> None:
    _write(node, server, file(manifest, b"new", b"old"), seconds=0, source=_held(node))
    has_it = node.folder / "has-it"
    hang = f"\ndef hang(state):\n    with _alone(state):\n        open({str(has_it)!r}, 'w').close()\n"
    hang += "        time.sleep(60)\nOPERATIONS['hang'] = hang\n"
    hanging = node.start(("hang", {"state": str(node.state)}), source=SOURCE + hang)
    until(has_it.exists)
    _go(node)
    time.sleep(1)
    assert manifest.read_bytes() == b"new"
    hanging.kill()
    hanging.communicate()
    assert _ends(node)["state"] == "restored"
    assert manifest.read_bytes() == b"old"


def _pids(node: Node) -> list[int]:
    [answer] = node.answers(("processes", {"binary": BINARY}))
    return [each["pid"] for each in answer["result"]]


def _serving(server: Server) -> None:
    def answers() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", server.port)) == 0

    until(answers)
