# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs whole processes and measures them: wall time, and the memory of the largest process among them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """A run that did not do what was to be measured."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Seconds by the clock, and MiB that the largest process held at most."""

    seconds: float
    mebibytes: float


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs commands in one folder against one cluster."""

    folder: Path
    kubeconfig: Path

    def playbook(
        self,
        task: dict[str, Any],
        expected: str,
        inventory: Path | None = None,
        then: Sequence[dict[str, Any]] = (),
    ) -> Measure:
        """One task in a whole ``ansible-playbook``, and those that come ``then``.

        ``expected`` is a pattern in its output.
        """
        path = self.folder / "play.yml"
        path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task, *then]}]))
        program = Path(sys.executable).with_name("ansible-playbook")
        # Named, so that no peer spends time on looking for a Python.
        python = f"ansible_python_interpreter={sys.executable}"
        hosts = ["-i", str(inventory)] if inventory else ["-i", "localhost,", "-c", "local", "-e", python]
        return self.command([str(program), *hosts, str(path)], expected)

    def kubectl(self, source: Path, expected: str) -> Measure:
        """A whole ``kubectl apply``."""
        return self.command(["kubectl", "apply", "-f", str(source)], expected)

    def command(self, command: list[str], expected: str, status: int = 0) -> Measure:
        """The measures of one process with all that it starts, which has to end with this exit status."""
        return self.told(command, expected, status)[0]

    def told(
        self, command: list[str], expected: str, status: int = 0, *, in_checkout: bool = False
    ) -> tuple[Measure, re.Match[str]]:
        """The same, and what it said that was expected."""
        settings = {
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "K8S_AUTH_KUBECONFIG": str(self.kubeconfig),
            "KUBECONFIG": str(self.kubeconfig),
        }
        folder = CHECKOUT if in_checkout else self.folder
        with (self.folder / "output").open("w+") as output:
            started = time.monotonic()
            process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT
            )
            _pid, ended, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(ended)
            output.seek(0)
            said = output.read()
        found = re.search(expected, said)
        if process.returncode != status or not found:
            raise BenchError(f"{' '.join(command)} did not say {expected!r} but\n{said[-2000:]}")
        return Measure(seconds, usage.ru_maxrss / 1024), found


def show(what: str, measure: Measure) -> None:
    """Tell whoever waits what was measured just now."""
    print(f"    {what:20} {measure.seconds:7.2f} s {measure.mebibytes:6.0f} MiB", flush=True)
