# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole rotation on three servers, less the time for which the servers let us wait."""

from __future__ import annotations

import re
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect

from tests.bench.encryption import fill
from tests.bench.runner import BenchError
from tests.bench.tables import ROTATED_SECRETS
from tests.encryption import clusters
from tests.encryption.runs import Run, finish

STEP = re.compile(r"state \d+ of \d+, (?P<action>\w+)")
WAITS = {"load": "the servers' reloads", "settle": "the grace period"}
"""Steps that wait for nothing but a server's own interval."""
LOOK_SECONDS = 0.02


class Rotation:
    """A cluster of three control planes, which encrypts already."""

    def __init__(self, name: str) -> None:
        self._cluster = clusters.get(3, name=name)
        self._cluster.reset()
        fill(connect({"kubeconfig": str(self._cluster.kubeconfig)}), ROTATED_SECRETS)

    def seconds(self, runs: int) -> list[float]:
        """What each rotation took, from the command's start to its end, less the waits, which are printed."""
        with tempfile.TemporaryDirectory() as folder:
            finish(self._cluster, Path(folder), {"state": "present"})
            return [self._rotated(Path(folder)) for _run in range(runs)]

    def _rotated(self, folder: Path) -> float:
        began = time.monotonic()
        run = Run(self._cluster, folder, {"state": "rotated"})
        steps = [(moment, action) for moment, action in followed(run) if action]
        if run.end() != 0:
            raise BenchError(f"the rotation failed:\n{run.output[-2000:]}")
        whole = time.monotonic() - began
        waits = dict.fromkeys(WAITS, 0.0)
        for (moment, action), (next_moment, _next) in pairwise(steps):
            if action in waits:
                waits[action] += next_moment - moment
        seconds = whole - sum(waits.values())
        told = ", ".join(f"{each:.1f} s {WAITS[action]}" for action, each in waits.items())
        print(f"    {'rotate':20} {seconds:7.2f} s of {whole:.1f} s, the rest being {told}", flush=True)
        return seconds


def followed(run: Run) -> list[tuple[float, str]]:
    """When each line came, and the step that it begins, if any."""
    lines: list[tuple[float, str]] = []
    while not run.has_ended:
        for line in run.lines[len(lines) :]:
            found = STEP.search(line)
            lines.append((time.monotonic(), found["action"] if found else ""))
        time.sleep(LOOK_SECONDS)
    return lines
