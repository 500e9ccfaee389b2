# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's command as a user runs it, followed line by line, and killed or stopped with all its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.encryption.clusters import CHECKOUT, Cluster

MODULE = "hardening.kubernetes.encryption"
RUN_SECONDS = 900
NODES = "{{ groups['control_plane'] }}"

_MERGED: dict[str, Any] = {
    "cwd": CHECKOUT,
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "text": True,
    "errors": "replace",
}
"""How a process is started of which all that it prints is read as one."""

BEGUN: list[Run] = []
"""All runs of this test, so that none outlives it and works on a cluster that others test."""


class Run:
    """One ansible-playbook with one task, which has begun.

    All that it prints is in ``lines``, and beside the playbook in a log, with the seconds since it began. Tasks that
    come ``then`` find what the first has told in the variable ``told``.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        arguments: Mapping[str, Any],
        options: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
        then: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.arguments = dict(arguments)
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        playbook = folder / f"{uuid.uuid4().hex[:8]}.json"
        self._log = playbook.with_suffix(".log")
        tasks = [{MODULE: {"nodes": NODES, **arguments}, "register": "told"}, *then]
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        self.process = subprocess.Popen(
            [*_command(cluster), *options, str(playbook)],
            env={**_environment(cluster), "PYTHONUNBUFFERED": "1", **(variables or {})},
            start_new_session=True,
            **_MERGED,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        BEGUN.append(self)

    @property
    def output(self) -> str:
        """All that it has printed."""
        return "".join(self.lines)

    @property
    def has_ended(self) -> bool:
        """Whether its process has ended."""
        return self.process.poll() is not None

    def reaches(self, words: str, seconds: float = RUN_SECONDS) -> bool:
        """Wait for a line with these words; whether it came before the run ended."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not any(words in line for line in self.lines):
                if self._ended or not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    return any(words in line for line in self.lines)
        return True

    def prints(self, count: int, seconds: float = RUN_SECONDS) -> bool:
        """Wait for so many lines; whether they came before the run ended."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while len(self.lines) < count:
                if self._ended or not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    return len(self.lines) >= count
        return True

    def end(self, seconds: float = RUN_SECONDS) -> int:
        """Wait for its end; its exit status."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.arguments} did not end within {seconds:g} s:\n{self.output[-3000:]}") from None
        self._reader.join(10)
        return status

    def kill(self) -> None:
        """SIGKILL for it and all that it started: none of them does anything more."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP for it and all that it started, as a laptop that is closed."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        """To every descendant, parents first; Ansible's workers have sessions of their own, so no group holds them."""
        done: set[int] = set()
        while left := _tree(self.process.pid) - done:
            for process in sorted(left):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGSTOP if number == signal.SIGKILL else number)
                done.add(process)
        if number == signal.SIGKILL:
            for process in done:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def _read(self) -> None:
        assert self.process.stdout
        began = time.monotonic()
        with self._log.open("w") as log:
            for line in self.process.stdout:
                log.write(f"{time.monotonic() - began:6.1f} {line}")
                log.flush()
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def kill_all() -> None:
    """End what a test that failed has left running."""
    for run in BEGUN:
        if not run.has_ended:
            run.kill()
    BEGUN.clear()


def finish(cluster: Cluster, folder: Path, arguments: Mapping[str, Any], times: int = 1) -> Run:
    """Run a command until it succeeds, at most so many times; what it said last is told when it never does."""
    for _time in range(times):
        run = Run(cluster, folder, arguments)
        if run.end() == 0:
            return run
        cluster.start()
    raise AssertionError(f"{arguments} failed:\n{run.output[-6000:]}")


def playbook(cluster: Cluster, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A playbook of the collection as a user runs it, when it has ended; all that it printed is in its output."""
    command = [*_command(cluster), f"hardening.kubernetes.{name}", "-e", "control_plane=control_plane", *words]
    return subprocess.run(command, env=_environment(cluster), timeout=RUN_SECONDS, check=False, **_MERGED)


def _command(cluster: Cluster) -> list[str]:
    return [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(cluster.inventory)]


def _environment(cluster: Cluster) -> dict[str, str]:
    return {**cluster.environment, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}


def _tree(root: int) -> set[int]:
    """A process and all its descendants."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
    found = {root} & parents.keys()
    while True:
        more = {process for process, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more
