# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One action plugin reaches nodes by Ansible's own connections, and what it sends is nowhere else but there."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.own_machine import Controller, Machine, machine, signal_all, told

STATE = "/etc/kubernetes/hardening"
MANIFEST = "/etc/kubernetes/manifests/server.yaml"
WAYS = ["docker", "docker_sudo", "ssh"]
"""Those that lead to root on the same machine."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Machine]:
    with machine() as made:
        yield made


@pytest.fixture
def own(shared: Machine) -> Iterator[Machine]:
    shared.run(f"mkdir -p {Path(MANIFEST).parent} && printf old > {MANIFEST}")
    yield shared
    shared.run("rm -rf /etc/kubernetes /small/* /var/tmp/key")


@pytest.fixture
def controller(tmp_path: Path, own: Machine) -> Controller:
    return Controller(tmp_path, own)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"key-{uuid.uuid4().hex}")
    return path


def _file(path: str, content: str | None, replaces: str | None = None) -> dict[str, Any]:
    encoded = content if content in (None, "SECRET") else base64.b64encode(content.encode()).decode("ascii")
    return {"path": path, "content": encoded, "replaces": replaces, "mode": "0600"}


def _hash(content: str) -> str:
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def _take(run: str, seconds: float = 300) -> list[Any]:
    return ["take", {"run": run, "holder": "a test", "seconds": seconds}]


def _until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_every_way_leads_to_the_same_machine_and_is_open_for_more(controller: Controller, own: Machine) -> None:
    steps = [{"calls": {way: [["about", {}]] for way in [*WAYS, "here"]}}] * 2
    first, second = controller.ask([*WAYS, "here"], *steps)
    hostname = own.run("hostname").strip()
    for answers in (first, second):
        assert {answers[way]["results"][0]["hostname"] for way in WAYS} == {hostname}
        assert answers["here"]["results"][0]["hostname"] == os.uname().nodename


def test_a_walk_of_several_ways_has_one_lock(controller: Controller, own: Machine) -> None:
    path = f"{STATE}/keys.json"
    steps = [
        {"calls": {"ssh": [_take("one"), ["write", {"run": "one", "files": [_file(path, "first")]}]]}},
        {"calls": {"docker": [_take("two")]}},
        {"calls": {"docker_sudo": [["read", {"paths": [path, MANIFEST]}], ["names", {"directory": STATE}]]}},
        {"calls": {"docker": [["release", {"run": "one"}]]}},
    ]
    wrote, refused, seen, released = controller.ask(WAYS, *steps)
    assert wrote["ssh"]["results"][1] == [{"path": path, "hash": _hash("first"), "written": True}]
    assert refused["docker"]["kind"] == "locked" and "a test (run one)" in refused["docker"]["said"]
    read, names = seen["docker_sudo"]["results"]
    assert read[path] == {"kind": "file", "mode": "0600", "owner": 0, "hash": _hash("first")}
    assert read[MANIFEST]["hash"] == _hash("old")
    assert names == ["keys.json", "lock", "lock.flock"]
    assert released["docker"]["results"] == [True]
    assert own.run(f"stat -c '%a %U' {STATE} {path}").split("\n")[:2] == ["700 root", "600 root"]


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("ssh_plain", "root is needed there: set `ansible_become=true`"),
        ("ssh_wrong", "cannot be logged in to"),
        ("sudo_wrong", "Incorrect sudo password"),
        ("no_python", "/no/such/python3.*ansible_python_interpreter"),
        ("no_machine", "No such container.*can be reached"),
    ],
)
def test_what_is_wrong_with_a_node_is_told_with_what_to_do(controller: Controller, way: str, told: str) -> None:
    [answers] = controller.ask([way], {"calls": {way: [["about", {}]]}})
    assert "results" not in answers[way]
    assert re.search(told, answers[way]["said"])


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("su", "sends programs by files.*use sudo"),
        ("sssh", r"the inventory has no such host: did you mean ssh\?"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(controller: Controller, way: str, told: str) -> None:
    process = controller.start([way], {"calls": {way: [["about", {}]]}})
    output, _none = process.communicate(timeout=120)
    assert process.returncode == 2
    assert re.search(told, output)


@pytest.mark.parametrize("way", ["docker", "ssh"])
def test_what_is_sent_is_in_no_argument_no_file_and_no_output(
    controller: Controller, own: Machine, secret: Path, way: str
) -> None:
    """Looked for in the middle of a call that waits, and after it."""
    path = "/etc/kubernetes/encryption/configuration.json"
    key = secret.read_text()
    marks = [key, base64.b64encode(key.encode()).decode("ascii")]
    controller.ask(["docker"], {"calls": {"docker": [_take("one")]}})
    with _flock_held(own):
        write = ["write", {"run": "one", "files": [_file(path, "SECRET")]}]
        process = controller.start([way], {"calls": {way: [write, ["read", {"paths": [path]}]]}}, secret=secret)
        _until(lambda: own.run("cat /proc/[0-9]*/cmdline", check=False).count("python3\0-I\0-B\0-"))
        time.sleep(1)
        assert process.poll() is None
        assert _found_on_controller(controller.folder, marks, secret) == []
        assert _found_on(own, marks) == []
    [answers], output = told(process)
    assert [each["written"] for each in answers[way]["results"][0]] == [True]
    assert answers[way]["results"][1][path]["hash"] == _hash(key)
    assert not any(mark in output for mark in marks)
    assert _found_on_controller(controller.folder, marks, secret) == []
    assert _found_on(own, marks) == [path]


@pytest.mark.parametrize("way", ["docker", "ssh"])
def test_a_controller_that_is_killed_in_the_middle_leaves_the_node_as_it_was(
    controller: Controller, own: Machine, secret: Path, way: str
) -> None:
    path = "/etc/kubernetes/encryption/configuration.json"
    controller.ask(["docker"], {"calls": {"docker": [_take("one", 2)]}})
    with _flock_held(own):
        write = ["write", {"run": "one", "files": [_file(path, "SECRET")]}]
        process = controller.start([way], {"calls": {way: [write]}}, secret=secret)
        _until(lambda: own.run("cat /proc/[0-9]*/cmdline", check=False).count("python3\0-I\0-B\0-"))
        signal_all(process, signal.SIGKILL)
        process.communicate()
        time.sleep(2.5)
    # The program on the node goes on, and finds that the lock has expired.
    _until(lambda: not own.run("cat /proc/[0-9]*/cmdline", check=False).count("python3\0-I\0-B\0-"))
    own.run(f"test ! -e {path}")
    marks = [secret.read_text(), base64.b64encode(secret.read_bytes()).decode("ascii")]
    assert _found_on_controller(controller.folder, marks, secret) == []
    assert _found_on(own, marks) == []


def test_a_run_that_was_stopped_and_wakes_after_another_changes_nothing(
    controller: Controller, own: Machine, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    late = {"calls": {"ssh": [["write", {"run": "one", "files": [_file(f"{STATE}/keys.json", "late")]}]]}}
    stopped = controller.start(["ssh"], {"calls": {"ssh": [_take("one", 2)]}}, {"wait_for": str(go)}, late)
    _until(go.with_suffix(".reached").exists)
    signal_all(stopped, signal.SIGSTOP)
    time.sleep(2.5)
    write = ["write", {"run": "two", "files": [_file(f"{STATE}/keys.json", "second")]}]
    [second] = controller.ask(["ssh"], {"calls": {"ssh": [_take("two"), write, ["release", {"run": "two"}]]}})
    assert second["ssh"]["results"][0]["before"]["run"] == "one"
    go.touch()
    signal_all(stopped, signal.SIGCONT)
    [_took, wrote], _output = told(stopped)
    assert wrote["ssh"]["kind"] == "not_ours"
    assert own.run(f"cat {STATE}/keys.json") == "second"


def test_a_connection_that_was_cut_is_made_anew(controller: Controller, own: Machine, tmp_path: Path) -> None:
    go = tmp_path / "go"
    about = {"calls": {"ssh": [["about", {}]]}}
    process = controller.start(["ssh"], about, {"wait_for": str(go)}, about)
    _until(go.with_suffix(".reached").exists)
    own.run("pkill -KILL sshd")
    go.touch()
    answers, _output = told(process)
    assert [len(answer["ssh"]["results"]) for answer in answers] == [1, 1]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Defaults log_input, log_output", ["log_input", "log_output"]),
        ("Defaults:deployer log_input", ["log_input"]),
        ("Defaults:another log_input", []),
        (r"Defaults log_input, log_output\nDefaults:deployer !log_input, !log_output", []),
        ("deployer ALL=(ALL) LOG_INPUT: ALL", ["LOG_INPUT"]),
    ],
)
def test_a_sudo_that_keeps_what_goes_through_it_is_refused_before_a_key_is_sent(
    controller: Controller, own: Machine, secret: Path, written: str, kept: list[str]
) -> None:
    own.run(f"printf '{written}\\n' > /etc/sudoers.d/logging; rm -rf /var/log/sudo-io")
    try:
        calls = [_take("one"), ["write", {"run": "one", "files": [_file(f"{STATE}/keys.json", "SECRET")]}]]
        process = controller.start(["docker_sudo"], {"calls": {"docker_sudo": calls}}, secret=secret)
        [answers], _output = told(process)
        if kept:
            assert f"({', '.join(kept)})" in answers["docker_sudo"]["said"]
            own.run(f"test ! -e {STATE}")
        else:
            assert answers["docker_sudo"]["results"][1][0]["written"]
    finally:
        own.run("rm -rf /etc/sudoers.d/logging /var/log/sudo-io")


def test_a_full_and_a_read_only_disk_are_told_and_change_nothing(controller: Controller, own: Machine) -> None:
    def write(*files: dict[str, Any]) -> dict[str, Any]:
        return {"calls": {"docker": [_take("one"), ["write", {"run": "one", "files": [*files]}]]}}

    manifest = _file(MANIFEST, "new", _hash("old"))
    steps = [
        write(manifest, _file("/small/keys.json", "x" * 100_000)),
        write(manifest, _file("/frozen/keys.json", "x")),
        {"calls": {"docker": [["names", {"directory": "/small"}], ["free", {"path": "/small/no/such"}]]}},
    ]
    full, frozen, after = controller.ask(["docker"], *steps)
    assert (full["docker"]["kind"], frozen["docker"]["kind"]) == ("disk_full", "read_only")
    assert after["docker"]["results"] == [[], 64 * 1024]
    assert own.run(f"cat {MANIFEST}; ls -A {Path(MANIFEST).parent} {STATE}").split() == [
        *("old/etc/kubernetes/hardening:", "lock", "lock.flock"),
        *("/etc/kubernetes/manifests:", "server.yaml"),
    ]


@pytest.mark.parametrize("way", ["docker", "ssh"])
def test_the_former_files_come_back_with_the_controller_gone(controller: Controller, own: Machine, way: str) -> None:
    """The process that waits holds neither the connection nor its session, and outlives both."""
    own.serve("some-server")
    watched = {
        "run": "one",
        "files": [_file(MANIFEST, "new", _hash("old"))],
        "binary": "some-server",
        "port": 6443,
        "seconds": 6,
    }
    before = time.monotonic()
    [answers] = controller.ask([way], {"calls": {way: [_take("one"), ["write_watched", watched]]}})
    assert answers[way]["results"][1][0]["written"]
    assert time.monotonic() - before < 30
    own.run("pkill -KILL sshd; pkill -KILL sudo; pkill -KILL some-server", check=False)
    _until(lambda: own.run(f"cat {MANIFEST}") == "old")
    [answers] = controller.ask(["docker"], {"calls": {"docker": [["watched", {}]]}})
    assert answers["docker"]["results"][0]["state"] == "restored"


@contextmanager
def _flock_held(own: Machine) -> Iterator[None]:
    """Somebody else holds the node's flock, so that a program which wants it waits with all that it was sent."""
    own.run(f"mkdir -p -m 0700 {STATE}")
    held = ["docker", "exec", own.name, "flock", f"{STATE}/lock.flock", "sleep", "600"]
    with subprocess.Popen(held, env=own.engine.env):
        _until(lambda: own.run(f"flock -n {STATE}/lock.flock true || echo held", check=False))
        try:
            yield
        finally:
            own.run("pkill -KILL -xf 'sleep 600'")


def _found_on_controller(folder: Path, marks: list[str], secret: Path) -> list[str]:
    """Where a mark is: in the arguments of any process, and in the files that Ansible may make."""
    newer = ["-type", "f", "-newer", secret, "-print0"]
    places = ["/tmp", "/var/tmp", "/dev/shm", str(Path("~/.ansible").expanduser())]
    # What other tests write meanwhile is theirs.
    looks = [["find", folder, *newer], ["find", *places, "-not", "-path", "*/pytest-of-*", *newer]]
    files = b"".join(subprocess.run(look, capture_output=True, check=False).stdout for look in looks).split(b"\0")
    found = [os.fsdecode(path) for path in files if any(mark.encode() in _bytes(path) for mark in marks)]
    arguments = {path: _bytes(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    processes = [str(path) for path, said in arguments.items() if any(mark.encode() in said for mark in marks)]
    return sorted([*found, *processes])


def _found_on(own: Machine, marks: list[str]) -> list[str]:
    """The same on the node; nothing there may say what is looked for either."""
    places = "/etc /tmp /var /root /home /run /dev/shm /small"
    grep = ["docker", "exec", "-i", own.name, "grep", "-rlsaF", "--file=-", *places.split()]
    found = subprocess.run(
        grep, input="\n".join(marks), env=own.engine.env, capture_output=True, text=True, check=False
    ).stdout
    said = own.run("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'", check=False)
    return [*sorted(found.splitlines()), *(line for line in said.splitlines() if any(mark in line for mark in marks))]


def _bytes(path: Path | bytes) -> bytes:
    try:
        return Path(os.fsdecode(path)).read_bytes()
    except OSError:
        return b""
