# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that reads and writes files of a node, in a folder of its own.

It runs as it is sent, by a Python of its own, where it is killed, races or is looked at from outside; and where a test
only prepares or asks something, in this process, which is a hundred times as fast.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._node import _files
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes import _program

SOURCE = _program.source("_files")


class Node:
    """A folder that is all of a node: ``state`` is where the program keeps its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "kubernetes" / "hardening"

    def start(self, *calls: tuple[str, Mapping[str, Any]], source: str = SOURCE) -> subprocess.Popen[bytes]:
        """The program, begun; it has read all of what it shall do."""
        process = subprocess.Popen(
            [sys.executable, *_program.ARGUMENTS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin
        process.stdin.write(_program.sent(source, calls, seconds=60, users=[os.geteuid()]))
        process.stdin.close()
        process.stdin = None
        return process

    def answers(self, *calls: tuple[str, Mapping[str, Any]], source: str = SOURCE) -> list[dict[str, Any]]:
        return told(self.start(*calls, source=source))

    def call(self, operation: str, **arguments: Any) -> Any:
        """The result of one operation that keeps its lock in this folder."""
        return _here(operation, {**arguments, "state": str(self.state)})["result"]

    def refused(self, operation: str, **arguments: Any) -> dict[str, str]:
        """Why one operation was refused: kind and told."""
        refused: dict[str, str] = _here(operation, {**arguments, "state": str(self.state)})["refused"]
        return refused

    def look(self, *paths: Path) -> list[Any]:
        found = _here("read", {"paths": [str(path) for path in paths]})["result"]
        return [found[str(path)] for path in paths]


def _here(operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the program answers in this process."""
    out = io.StringIO()
    with redirect_stdout(out):
        _files.answer(json.dumps([[operation, arguments]]))
    [answer] = _program.answers(out.getvalue().encode("ascii")) or []
    return answer


def told(process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """What a program that was begun answers at its end."""
    out, err = process.communicate(timeout=60)
    answers = _program.answers(out)
    assert answers is not None, (process.returncode, err)
    assert err == b""
    return answers


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what another process brings about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def hash_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def file(path: Path, content: bytes | None, replaces: bytes | None = None, mode: str = "0600") -> dict[str, Any]:
    """A file to write, as the program is told it; without content, to remove."""
    return {
        "path": str(path),
        "content": None if content is None else base64.b64encode(content).decode("ascii"),
        "replaces": None if replaces is None else hash_of(replaces),
        "mode": mode,
    }
