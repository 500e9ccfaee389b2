# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for key material: in files, in the arguments and environments of processes, in whatever was said.

What is looked for goes to the searching process by its standard input alone, or it would find itself.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.encryption.clusters import CHECKOUT, STATE, Cluster

LENGTH = 32
SECONDS = 600

ENTROPY = """\
import os
_draw = os.urandom
def _drawn(size):
    value = _draw(size)
    if size == {length}:
        with open({file!r}, "a") as out:
            out.write(value.hex() + "\\n")
    return value
os.urandom = _drawn
"""
"""A sitecustomize.py by which every key that is ever made is known, also one that a killed run has shown to nobody."""

SAMPLE = """
import os, select, sys, time
kept, looks = set(), {}
while not select.select([0], [], [], 0.04)[0]:
    for each in os.listdir("/proc"):
        looks[each] = looks.get(each, 0) + 1
        if not each.isdigit() or looks[each] > 10 and looks[each] % 25:
            continue
        for what in ("cmdline", "environ"):
            try:
                with open("/proc/%s/%s" % (each, what), "rb") as file:
                    kept.add(file.read())
            except OSError:
                pass
sys.stdout.buffer.write(b"\\n".join(kept))
"""
"""All arguments and environments of all processes until the standard input ends; a process that is young more often."""

SEARCH = """
import base64, json, os, stat, subprocess, sys
asked = json.load(sys.stdin)
needles = {base64.b64decode(needle): name for needle, name in asked["needles"].items()}
longest = max(map(len, needles))
found = set()
def look(where, content):
    found.update("%s: %s" % (where, name) for needle, name in needles.items() if needle in content)
def read(path):
    rest = b""
    with open(path, "rb") as file:
        while True:
            content = file.read(1 << 24)
            if not content:
                return
            look(path, rest + content)
            rest = content[-longest:]
for root in asked["roots"]:
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if os.path.join(folder, each) not in asked["passed_over"]]
        for name in files:
            path = os.path.join(folder, name)
            try:
                about = os.lstat(path)
                is_new = max(about.st_mtime, about.st_ctime) >= asked["since"]
                if stat.S_ISREG(about.st_mode) and is_new and path not in asked["passed_over"]:
                    read(path)
            except OSError:
                pass
if asked["journal"]:
    command = ["journalctl", "--no-pager", "--all", "--output=export", "--since=@%d" % asked["since"]]
    look("the journal", subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
print(json.dumps(sorted(found)))
"""
"""Every file that was changed since a moment, and the journal, which may hold its text compressed."""


class Leaks:
    """What is looked for, on a cluster's nodes and on this machine, in all that was changed since a moment."""

    def __init__(self, cluster: Cluster | None, keys: Iterable[bytes], since: float) -> None:
        self._cluster = cluster
        self._since = since - 1
        self.needles = {
            needle: f"key {number} as {form}" for number, key in enumerate(keys) for form, needle in forms(key).items()
        }

    def in_text(self, where: str, *texts: str | bytes) -> list[str]:
        """In what was said."""
        parts = [each.encode() if isinstance(each, str) else each for each in texts]
        return [f"{where}: {name}" for needle, name in self.needles.items() if any(needle in each for each in parts)]

    def on_nodes(self) -> list[str]:
        """In any file of any node, but for the configuration and the keys that a node keeps, and in its journal."""
        assert self._cluster
        return [found for node in self._cluster.nodes for found in self._on_node(self._cluster, node)]

    def _on_node(self, cluster: Cluster, node: str) -> list[str]:
        asked = self._asked(["/"], ["/proc", "/sys", *allowed(cluster, node)], journal=True)
        told = cluster.on(node, "python3", "-c", SEARCH, text=asked, timeout=SECONDS)
        return [f"{node} {each}" for each in json.loads(told)]

    def here(self, *allowed: Path) -> list[str]:
        """In any file of this machine where programs keep what is passing."""
        roots = [tempfile.gettempdir(), "/var/tmp", "/dev/shm", str(Path.home() / ".ansible"), str(CHECKOUT)]
        asked = self._asked(roots, [str(CHECKOUT / ".git"), *map(str, allowed)], journal=False)
        command = [sys.executable, "-c", SEARCH]
        done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS)
        return list(json.loads(done.stdout))

    def _asked(self, roots: list[str], passed_over: list[str], journal: bool) -> str:
        needles = {base64.b64encode(needle).decode(): name for needle, name in self.needles.items()}
        asked = {"needles": needles, "roots": roots, "passed_over": passed_over, "since": self._since}
        return json.dumps({**asked, "journal": journal})


def forms(key: bytes) -> Mapping[str, bytes]:
    """Every way in which a key is likely to be written. Base64 within other base64 may begin at any of three bits."""
    text = base64.b64encode(key)
    found = {
        "bytes": key,
        "hexadecimal": key.hex().encode(),
        "capital hexadecimal": key.hex().upper().encode(),
        "Python's bytes": repr(key)[2:-1].encode(),
        "base64 for addresses": base64.urlsafe_b64encode(key).rstrip(b"="),
    }
    for offset in range(3):
        found[f"base64 at {offset}"] = inner_base64(key, offset)
        found[f"base64 of base64 at {offset}"] = inner_base64(text, offset)
    return found


def inner_base64(value: bytes, offset: int) -> bytes:
    """What of the base64 of anything with this value in it, after so many bytes, depends on nothing else."""
    encoded = base64.b64encode(bytes(offset) + value)
    return encoded[-(-8 * offset // 6) : 8 * (offset + len(value)) // 6]


def allowed(cluster: Cluster, node: str) -> dict[str, str]:
    """The files of a node in which keys may be, and what they are: private to root, or they are not in it."""
    script = f"stat -c '%n %a %u %F' {STATE}/keys.json {cluster.configuration_path(node)} 2>/dev/null || true"
    told = (line.split(" ", 1) for line in cluster.on(node, "sh", "-c", script).splitlines())
    return {path: about for path, about in told if about == "600 0 regular file"}


@contextmanager
def sampled(cluster: Cluster) -> Iterator[list[bytes]]:
    """Processes looked at, here and on each node, until the end of the block; then the list has what was seen."""
    seen: list[bytes] = []
    commands = [[sys.executable, "-c", SAMPLE]]
    commands += [["docker", "exec", "--interactive", node, "python3", "-c", SAMPLE] for node in cluster.nodes]
    samplers = [
        subprocess.Popen(
            command, env={**os.environ, **cluster.environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for command in commands
    ]
    try:
        yield seen
    finally:
        seen += [each.communicate(timeout=SECONDS)[0] for each in samplers]
        assert all(each.returncode == 0 for each in samplers)


def watch_entropy(folder: Path) -> Path:
    """A folder for PYTHONPATH by which each key that Python draws is written down, and where."""
    drawn = folder / "drawn"
    drawn.touch(mode=0o600)
    (folder / "sitecustomize.py").write_text(textwrap.dedent(ENTROPY).format(length=LENGTH, file=str(drawn)))
    return drawn


def drawn_keys(drawn: Path) -> set[bytes]:
    """All that was written down."""
    return {bytes.fromhex(line) for line in drawn.read_text().splitlines()}
