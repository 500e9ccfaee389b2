# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the program tells of a node, and that it runs where only Python 3.8 is."""

from __future__ import annotations

import ast
import base64
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes import _program

from tests.unit.plugins.module_utils._node.node import SOURCE, Node, hash_of, told, until


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_the_program_is_python_3_8_and_imports_its_standard_library_alone() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 8))
    imported = {
        (each.module or "") if isinstance(each, ast.ImportFrom) else alias.name
        for each in ast.walk(tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for alias in each.names
    }
    assert "json" in imported
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_about_tells_who_the_node_is_and_its_time(node: Node) -> None:
    before = time.time()
    [answer] = node.answers(("about", {}))
    about = answer["result"]
    assert before <= about["time"] <= time.time()
    assert about["hostname"] == socket.gethostname()
    assert about["python"].startswith("3.")
    assert about["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert not any(address.startswith("127.") or address == "::1" for address in about["addresses"])
    ours = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    assert set(ours) <= set(about["addresses"])


def test_free_is_asked_for_a_path_that_is_not_there_yet(node: Node) -> None:
    [answer] = node.answers(("free", {"path": str(node.folder / "no" / "such" / "file")}))
    system = os.statvfs(node.folder)
    assert answer["result"] == pytest.approx(system.f_bavail * system.f_frsize, rel=0.05)


def test_read_tells_content_hash_mode_and_kind_and_null_for_nothing(node: Node) -> None:
    regular, link, pipe = (node.folder / name for name in ("file", "link", "pipe"))
    regular.write_bytes(b"\xffcontent\n")
    regular.chmod(0o640)
    link.symlink_to(regular)
    os.mkfifo(pipe)
    found, linked, piped, folder, nothing, below_a_file = node.look(
        regular, link, pipe, node.folder, node.folder / "nothing", regular / "below"
    )
    assert found == {
        "kind": "file",
        "mode": "0640",
        "owner": os.geteuid(),
        "content": base64.b64encode(b"\xffcontent\n").decode("ascii"),
        "hash": hash_of(b"\xffcontent\n"),
    }
    assert linked["kind"] == "link" and linked["target"] == str(regular) and "content" not in linked
    assert piped["kind"] == "other" and "content" not in piped
    assert folder["kind"] == "directory"
    assert nothing is None and below_a_file is None


def test_a_file_that_is_larger_than_any_of_ours_is_not_read_into_memory(node: Node) -> None:
    large = node.folder / "large"
    with large.open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    [answer] = node.answers(("read", {"paths": [str(large)]}))
    assert answer["refused"]["kind"] == "too_large"
    assert str(large) in answer["refused"]["told"]


def test_names_has_hidden_ones_and_tells_no_folder_from_an_empty_one(node: Node) -> None:
    (node.folder / ".hidden").touch()
    (node.folder / "shown").touch()
    (node.folder / "empty").mkdir()
    answers = node.answers(
        ("names", {"directory": str(node.folder)}),
        ("names", {"directory": str(node.folder / "empty")}),
        ("names", {"directory": str(node.folder / "none")}),
        ("names", {"directory": str(node.folder / "shown")}),
    )
    assert [answer.get("result") for answer in answers] == [[".hidden", "empty", "shown"], [], None, None]
    assert answers[3]["refused"]["kind"] == "not_a_directory"


def test_processes_are_found_by_their_own_name_with_their_start(node: Node) -> None:
    name = f"server-{os.getpid()}"
    before = time.time()
    with subprocess.Popen(["/usr/local/bin/" + name, "60"], executable="/bin/sleep") as process:
        try:
            answers = node.answers(("processes", {"binary": name}), ("processes", {"binary": "no-such-server"}))
        finally:
            process.kill()
    [found] = answers[0]["result"]
    assert found["pid"] == process.pid
    assert found["arguments"] == ["/usr/local/bin/" + name, "60"]
    assert before - 0.1 <= found["started"] <= time.time()
    assert answers[1]["result"] == []


LISTING = """Matching Defaults entries for deployer on cp1:
    env_reset, mail_badpass, secure_path=/usr/sbin\\:/usr/bin, {}, use_pty

User deployer may run the following commands on cp1:
    (ALL) {}ALL
"""


@pytest.mark.parametrize(
    ("defaults", "tags", "kept"),
    [
        ("!log_year", "", []),
        ("log_input, log_output", "", ["log_input", "log_output"]),
        ("log_input, !log_input", "", []),
        ("!log_output, log_output", "", ["log_output"]),
        ("!log_input, log_stdin", "", ["log_stdin"]),
        ("iolog_dir=/log_input_of_mine", "", []),
        ("use_pty", "LOG_INPUT: ", ["LOG_INPUT"]),
        ("use_pty", "NOLOG_INPUT: NOPASSWD: ", []),
    ],
)
def test_a_sudo_that_keeps_what_goes_through_it_is_found(
    node: Node, monkeypatch: pytest.MonkeyPatch, defaults: str, tags: str, kept: list[str]
) -> None:
    sudo = node.folder / "sudo"
    listing = node.folder / "listing"
    listing.write_text(LISTING.format(defaults, tags))
    sudo.write_text(f'#!/bin/sh\n[ "$*" = "--non-interactive --list --other-user=deployer" ] && cat {listing}\n')
    sudo.chmod(0o700)
    monkeypatch.setenv("PATH", str(node.folder), prepend=":")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert node.answers(("sudo_logs", {})) == [{"result": []}]
    monkeypatch.setenv("SUDO_USER", "deployer")
    assert node.answers(("sudo_logs", {})) == [{"result": kept}]


def test_a_refusal_ends_the_list(node: Node) -> None:
    answers = node.answers(("names", {"directory": "/etc/passwd"}), ("about", {}))
    assert [list(answer) for answer in answers] == [["refused"]]


def test_a_mistake_of_ours_tells_its_place_and_nothing_of_what_was_sent(node: Node) -> None:
    [answer] = node.answers(("read", {"paths": [["the-key-itself"]]}))
    assert answer["refused"]["kind"] == "mistake"
    assert "TypeError in line" in answer["refused"]["told"]
    assert "the-key-itself" not in answer["refused"]["told"]


def test_another_user_than_root_is_refused_before_anything_is_done(node: Node) -> None:
    sent = _program.sent(SOURCE, [("about", {})], seconds=60, users=[os.geteuid() + 1])
    process = subprocess.Popen([sys.executable, *_program.ARGUMENTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _err = process.communicate(sent)
    [answer] = _program.answers(out) or []
    assert answer["refused"]["kind"] == "not_root"
    assert "become: true" in answer["refused"]["told"]


def test_a_program_that_hangs_is_ended_on_the_node_itself(node: Node) -> None:
    hangs = "import time\ndef answer(text):\n    time.sleep(60)\n"
    sent = _program.sent(hangs, [], seconds=1, users=[os.geteuid()])
    process = subprocess.Popen([sys.executable, *_program.ARGUMENTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _err = process.communicate(sent, timeout=20)
    assert process.returncode == -14
    assert _program.answers(out) is None


def test_nothing_that_is_sent_stands_in_arguments_or_in_a_file(node: Node) -> None:
    begun, go = node.folder / "begun", node.folder / "go"
    slow = f"\ndef slow(key):\n    open({str(begun)!r}, 'w').close()\n    while not os.path.exists({str(go)!r}):\n"
    slow = SOURCE + slow + "        time.sleep(0.05)\nOPERATIONS['slow'] = slow\n"
    marker = f"the-key-{os.urandom(8).hex()}"
    process = node.start(("slow", {"key": marker}), source=slow)
    until(begun.exists)
    seen = {path: _bytes(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    assert _bytes(Path(f"/proc/{process.pid}/cmdline")).split(b"\0")[1:4] == [b"-I", b"-B", b"-"]
    held = [str(each.readlink()) for each in Path(f"/proc/{process.pid}/fd").iterdir()]
    assert [path for path, content in seen.items() if marker.encode() in content] == []
    assert [each for each in held if each.startswith("/") and not each.startswith("/dev/")] == []
    go.touch()
    assert "result" in told(process)[0]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
