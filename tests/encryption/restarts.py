# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the API server of each node was not there, seen from within the node ten times a second."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass

from tests.encryption.clusters import Cluster

PROGRAM = """
import os, select, sys
def find():
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/comm") as file:
                    if file.read() == "kube-apiserver\\n":
                        return name
            except OSError:
                pass
    return ""
known = None
while not select.select([sys.stdin], [], [], 0.1)[0]:
    if not known or not os.path.exists(f"/proc/{known}"):
        found = find()
        if found != known:
            print(found or "-", flush=True)
        known = found
"""
SLACK = 5.0


@dataclass(frozen=True, slots=True)
class Change:
    """A moment at which a node's API server, by its process id, was another one, or none, or its node was away."""

    address: str
    at: float
    process: str


class Restarts:
    """Looks at every node until it is told to end."""

    def __init__(self, cluster: Cluster) -> None:
        self.changes: list[Change] = []
        self._cluster = cluster
        self._over = threading.Event()
        self._looking: list[subprocess.Popen[str]] = []
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Begin to look."""
        self._threads = [threading.Thread(target=self._look, args=(node,), daemon=True) for node in self._cluster.nodes]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """End."""
        self._over.set()
        for process in [*self._looking]:
            assert process.stdin
            process.stdin.close()
        for thread in self._threads:
            thread.join()

    def explains(self, address: str, since: float, until: float) -> bool:
        """Whether the server at this address was exchanged between two moments, or a little before or after."""
        seen = [each for each in self.changes if each.address == address]
        return any(since - SLACK <= each.at <= until + SLACK for each in seen[1:])

    def count(self, address: str) -> int:
        """How many processes of the server there were, after the first."""
        return len({each.process for each in self.changes if each.address == address} - {"-", ""}) - 1

    def _look(self, node: str) -> None:
        address = self._cluster.addresses[node]
        command = ["docker", "exec", "--interactive", node, "python3", "-I", "-u", "-c", PROGRAM]
        last = None
        while not self._over.is_set():
            process = subprocess.Popen(
                command,
                env=self._cluster.engine.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._looking.append(process)
            assert process.stdout
            for line in process.stdout:
                if (found := line.strip()) != last:
                    self.changes.append(Change(address, time.monotonic(), found))
                    last = found
            process.wait()
            self._looking.remove(process)
            if not self._over.wait(0.5) and last != "":
                self.changes.append(Change(address, time.monotonic(), ""))
                last = ""
