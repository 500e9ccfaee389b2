# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the named groups of stages and count what really ran: ``python -m tests.tooling.stages check lint …``.

Groups that are joined, as in ``one+other``, run at once: each waits for most of its time. A later stage runs also after
one has failed, so that one run tells everything. The last line is ``N passed, N failed``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from xml.etree import ElementTree

from tests.tooling.collection import CHECKOUT, environment, tool

RESULTS = CHECKOUT / "build" / "results"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tests passed, failed and were left out."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def by_status(status: int, _results: Path) -> Tally:
    """One test: the command itself."""
    return Tally(passed=1) if status == 0 else Tally(failed=1)


def by_junit(status: int, results: Path) -> Tally:
    """The test cases in the JUnit files of the stage's folder; a failure outside all of them counts as one more."""
    tally = Tally()
    for report in sorted(results.rglob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            tally += _of_case({each.tag for each in case})
    if tally.passed + tally.failed == 0 or (status != 0 and tally.failed == 0):
        tally += Tally(failed=1)
    return tally


def _of_case(tags: set[str]) -> Tally:
    if tags & {"failure", "error"}:
        return Tally(failed=1)
    return Tally(skipped=1) if "skipped" in tags else Tally(passed=1)


@dataclass(frozen=True, slots=True)
class Stage:
    """A command and how its tests are counted; ``{results}`` in it is the stage's own folder for reports."""

    name: str
    command: Sequence[str]
    count: Callable[[int, Path], Tally] = by_status

    @property
    def results(self) -> Path:
        return RESULTS / self.name.replace(" ", "-")

    def run(self, output: IO[str] | None = None) -> Outcome:
        shutil.rmtree(self.results, ignore_errors=True)
        self.results.mkdir(parents=True)
        started = time.monotonic()
        command = [each.replace("{results}", str(self.results)) for each in self.command]
        status = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            check=False,
        ).returncode
        return Outcome(self.name, self.count(status, self.results), time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    tally: Tally
    seconds: float


def pytest(*arguments: str) -> list[str]:
    return [tool("pytest"), "--quiet", "--junitxml={results}/junit.xml", *arguments]


def here(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tests.tooling.{module}", *arguments]


PLUGINS = "ansible_collections.hardening.kubernetes.plugins"

GROUPS: dict[str, tuple[Stage, ...]] = {
    "check": (
        Stage("ruff format", [tool("ruff"), "format", "--check", "--quiet", "."]),
        Stage("ruff check", [tool("ruff"), "check", "--quiet", "."]),
        Stage("mypy", [tool("mypy"), "-p", PLUGINS, "-p", "tests.testbed", "-p", "tests.tooling"]),
        Stage("yamllint", [tool("yamllint"), "--strict", "."]),
        Stage("unit tests", pytest("--numprocesses=auto", "tests/unit"), by_junit),
    ),
    "lint": (
        Stage("ansible-lint", [tool("ansible-lint"), "-q"]),
        Stage("changelog", [tool("antsibull-changelog"), "lint"]),
        Stage(
            "documentation",
            [
                tool("antsibull-docs"),
                "lint-collection-docs",
                "--plugin-docs",
                "--validate-collection-refs=dependent",
                ".",
            ],
        ),
    ),
    "sanity": (Stage("sanity", here("sanity", "{results}"), by_junit),),
    "importer": (Stage("galaxy-importer", here("importer")),),
    "integration": (Stage("integration tests", here("integration", "{results}"), by_junit),),
    "encryption-three": (
        Stage("encryption, 3 nodes", pytest("--durations=10", "-m", "not one_node", "tests/encryption"), by_junit),
    ),
    "encryption-one": (
        Stage("encryption, 1 node", pytest("--durations=10", "-m", "one_node", "tests/encryption"), by_junit),
    ),
    "molecule": (Stage("molecule", here("scenarios", "{results}"), by_junit),),
    # The second time, everything is in order already, and the demo sees to it that nothing changes.
    "demo": tuple(Stage(name, [sys.executable, "-m", "tests.demo"]) for name in ("demo", "demo again")),
}


def run(groups: Sequence[str]) -> list[Outcome]:
    """Run these groups at once; what all but the first print comes when that has ended."""
    with ThreadPoolExecutor() as pool:
        first, *others = groups
        aside = [pool.submit(run_aside, GROUPS[group]) for group in others]
        outcomes = [run_shown(stage) for stage in GROUPS[first]]
        for told, outcomes_aside in (each.result() for each in aside):
            print(told, end="", flush=True)
            outcomes += outcomes_aside
    return outcomes


def run_shown(stage: Stage) -> Outcome:
    print(f"\n── {stage.name}", flush=True)
    return stage.run()


def run_aside(stages: Iterable[Stage]) -> tuple[str, list[Outcome]]:
    """What the stages print, and what came of them."""
    told, outcomes = "", []
    for stage in stages:
        with TemporaryFile("w+") as output:
            outcomes.append(stage.run(output))
            output.seek(0)
            told += f"\n── {stage.name}\n{output.read()}"
    return told, outcomes


def main(groups: Sequence[str]) -> int:
    outcomes = [outcome for group in groups or GROUPS for outcome in run(group.split("+"))]
    total = sum((each.tally for each in outcomes), Tally())
    print(f"\n{'stage':20} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for each in outcomes:
        tally = each.tally
        print(f"{each.name:20} {tally.passed:7} {tally.failed:7} {tally.skipped:8} {each.seconds:8.0f}")
    print(f"\n{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
