# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The random walk: changes of keys in any order, and whatever takes part in them killed at any moment.

After each kill what was killed comes back, nothing may be lost then, and the same command has to finish. A seed tells
all choices but those of the machine's own timing; it is printed, and ``pytest -k`` with it repeats the walk.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.encryption import etcd
from tests.encryption.clusters import Cluster
from tests.encryption.invariants import is_encrypted, is_plain, key_of, no_key_is_told, nothing_is_lost
from tests.encryption.runs import Run
from tests.encryption.storm import Storm
from tests.testbed.errors import SetupError

PROVIDERS = ("secretbox", "aescbc", "aesgcm")
LONGEST_AWAY = 15.0
MOST_LINES = 40
MOST_SECONDS = 60.0
RERUNS = 3
TRIES = 5
"""How many changes a random walk makes at most until a kill comes before the change is done."""
KEY_SECONDS = 10


def kill_controller(_cluster: Cluster, run: Run, _chance: random.Random) -> None:
    """The command, with all its processes."""
    run.kill()


def kill_node(cluster: Cluster, _run: Run, chance: random.Random) -> None:
    """A machine, which is off for some seconds."""
    node = chance.choice(cluster.nodes)
    cluster.engine.docker("kill", node)
    time.sleep(chance.uniform(0, LONGEST_AWAY))
    cluster.engine.docker("start", node)


def kill_api_server(cluster: Cluster, _run: Run, chance: random.Random) -> None:
    """An API server's process; its kubelet starts another one."""
    _kill(cluster, chance.choice(cluster.nodes), "kube-apiserver")


def kill_etcd_leader(cluster: Cluster, _run: Run, _chance: random.Random) -> None:
    """The process of the etcd member that leads."""
    _kill(cluster, etcd.leader(cluster), "etcd")


def freeze_controller(_cluster: Cluster, run: Run, chance: random.Random) -> None:
    """The command stands still for a while, and goes on."""
    run.freeze()
    time.sleep(chance.uniform(0, LONGEST_AWAY))
    run.thaw()


def _kill(cluster: Cluster, node: str, program: str) -> None:
    # It may be just starting anew.
    with suppress(SetupError):
        cluster.on(node, "pkill", "-KILL", "-x", program)


Kill = Callable[[Cluster, Run, random.Random], None]
KILLS: dict[str, Kill] = {
    "controller": kill_controller,
    "node": kill_node,
    "api_server": kill_api_server,
    "etcd_leader": kill_etcd_leader,
    "frozen": freeze_controller,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is killed: after so many lines or after words, and then some seconds."""

    lines: int = 0
    words: str = ""
    seconds: float = 0

    def come(self, run: Run) -> bool:
        """Wait for it; whether it came before the run ended."""
        reached = run.reaches(self.words) if self.words else run.prints(self.lines)
        deadline = time.monotonic() + self.seconds
        while reached and time.monotonic() < deadline:
            if run.has_ended:
                return False
            time.sleep(0.05)
        return reached and not run.has_ended


@dataclass(slots=True)
class Walk:
    """What is in force now, as the commands that have finished left it."""

    cluster: Cluster
    storm: Storm
    folder: Path
    chance: random.Random
    provider: str = ""
    key: str = ""
    keys: set[str] = field(default_factory=set)
    used: list[str] = field(default_factory=list)

    def change(self, arguments: Mapping[str, Any], kills: list[tuple[Moment, str]]) -> int:
        """Run one command until it is done, through these kills, and see that it left what it should.

        A kill comes in the run that the one before it has left alive, else in the next one. How many of them came
        before all was done.
        """
        runs = [Run(self.cluster, self.folder, arguments)]
        killed = 0
        with self._keys_watched():
            for moment, kind in kills:
                came = moment.come(runs[-1])
                while not came and self._goes_on(runs, killed + RERUNS):
                    came = moment.come(runs[-1])
                told = runs[-1].lines[-1].strip() if runs[-1].lines else "nothing"
                print(f"  {arguments}: {kind} at {moment} {'after' if came else 'TOO LATE, after'}: {told[:110]}")
                if not came:
                    break
                KILLS[kind](self.cluster, runs[-1], self.chance)
                killed += 1
            while self._goes_on(runs, killed + RERUNS):
                pass
        self._collect_keys()
        for run in runs:
            no_key_is_told(self.keys, run.output)
        self._judge(arguments)
        return killed

    def _goes_on(self, runs: list[Run], most: int) -> bool:
        """Whether the last run did not finish the change, so that another one begins; there may be ``most`` of them."""
        last = runs[-1]
        status = last.end()
        self.cluster.start()
        if status == 0:
            return False
        nothing_is_lost(self.cluster, self.storm)
        assert len(runs) < most, f"{last.arguments} failed:\n{last.output[-6000:]}"
        runs.append(Run(self.cluster, self.folder, last.arguments))
        return True

    def roll_back(self, arguments: Mapping[str, Any], moment: Moment) -> bool:
        """Kill a command and have its change undone: what was before is in force again.

        Whether the kill came before the command had ended; where it did not, the change stays.
        """
        run = Run(self.cluster, self.folder, arguments)
        came = moment.come(run)
        print(f"  {arguments}: rolled back at {moment} {'after' if came else 'TOO LATE, after'}: {run.lines[-1:]}")
        if not came:
            assert run.end() == 0, run.output
            self._judge(arguments)
            return False
        run.kill()
        nothing_is_lost(self.cluster, self.storm)
        undone = Run(self.cluster, self.folder, {"state": "rolled_back"})
        if undone.end() != 0:
            assert "no unfinished change" in undone.output, undone.output
            if key_of(self.cluster) != ((self.provider, self.key) if self.provider else None):
                # It was killed after its journal was closed, or what it had begun on nodes closed it: never earlier.
                assert "state 8 of 8" in run.output, undone.output
                self._judge(arguments)
                return True
        if self.provider:
            assert is_encrypted(self.cluster, self.storm, self.provider) == self.key
        else:
            is_plain(self.cluster, self.storm)
        return True

    def _judge(self, arguments: Mapping[str, Any]) -> None:
        nothing_is_lost(self.cluster, self.storm)
        if arguments["state"] == "absent":
            is_plain(self.cluster, self.storm)
            self.provider = self.key = ""
            return
        provider = arguments.get("provider") or self.provider or "secretbox"
        name = is_encrypted(self.cluster, self.storm, provider)
        if arguments["state"] == "rotated" or provider != self.provider:
            assert name not in self.used, f"the key {name} is used again"
        else:
            assert name == self.key, "a key was changed that nobody asked to change"
        self.used.append(name)
        self.provider, self.key = provider, name

    @contextmanager
    def _keys_watched(self) -> Iterator[None]:
        """Look now and then which keys lie on the nodes."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(KEY_SECONDS):
                with suppress(SetupError):
                    self._collect_keys()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _collect_keys(self) -> None:
        for keys in self.cluster.keys().values():
            self.keys |= keys


def random_walk(cluster: Cluster, storm: Storm, folder: Path, seed: int) -> None:
    """A change with a kill or two, or one that is undone.

    Where it was done before the kill, another change follows, whose kill comes earlier: without one nothing is tested.
    """
    chance = random.Random(seed)
    walk = Walk(cluster, storm, folder, chance)
    standing = key_of(cluster)
    walk.provider, walk.key = standing or ("", "")
    print(f"seed {seed}, beginning with {walk.provider or 'plain text'}")
    killed = tries = 0
    while not killed and tries < TRIES:
        killed = _stretch(walk, 0.5**tries)
        tries += 1
    print(f"seed {seed}: {killed} kills came, in the last of {tries} changes")
    assert killed, f"each of {tries} changes was done before its kill"


def _stretch(walk: Walk, share: float) -> int:
    """One change; how many kills came in it, of moments in the first part of all that may be drawn."""
    chance = walk.chance
    arguments = _choice(chance, walk.provider)
    if chance.random() < 0.2:
        return int(walk.roll_back(arguments, _moment(chance, share)))
    kinds = chance.choices(sorted(KILLS), k=chance.choice((1, 1, 2)))
    return walk.change(arguments, [(_moment(chance, share), kind) for kind in kinds])


def _choice(chance: random.Random, provider: str) -> dict[str, Any]:
    """A command that changes something; one in eight cleans etcd too, which takes more than all the rest."""
    settings = {"scrub": chance.random() < 0.125, "ready_seconds": 3}
    if not provider:
        return {"state": "present", "provider": chance.choice(PROVIDERS), **settings}
    other = [each for each in PROVIDERS if each != provider]
    ways: list[dict[str, Any]] = [
        {"state": "rotated"},
        {"state": "rotated", "provider": chance.choice(other)},
        {"state": "present", "provider": chance.choice(other)},
        {"state": "absent"},
    ]
    (way,) = chance.choices(ways, (4, 2, 2, 1))
    return {**way, **settings}


def _moment(chance: random.Random, share: float) -> Moment:
    """By a line, at which a step has just begun or ended, or by the clock alone."""
    if chance.random() < 0.6:
        lines = chance.randint(1, max(round(MOST_LINES * share), 1))
        return Moment(lines=lines, seconds=chance.choice((0, 0, chance.uniform(0, 3))))
    return Moment(lines=1, seconds=chance.uniform(0, MOST_SECONDS * share))
