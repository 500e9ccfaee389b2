# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every molecule scenario and report its actions as tests: ``python -m tests.tooling.scenarios RESULTS``.

They share a cluster, made for them and removed afterwards, or with CLUSTER=existing that of KUBECONFIG. A scenario that
is run by itself, by molecule's own command, makes and removes the same.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from tests.tooling.collection import CHECKOUT, environment, tool, worst

NAME = "hardening-molecule"
LONG = ("encryption", "encryption_ha")
"""Scenarios that make clusters of their own; they run with ENCRYPTION=long, or by molecule's own command."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_EXECUTED = re.compile(r"\[\S+ > (?P<action>\w+)\] Executed: (?P<outcome>.+)")


def main(results: Path) -> int:
    scenarios = sorted(each.parent.name for each in CHECKOUT.glob("molecule/*/molecule.yml"))
    if os.environ.get("ENCRYPTION") != "long":
        scenarios = [each for each in scenarios if each not in LONG]
    with cluster(os.environ) as shared:
        return worst(run(each, results / f"{each}.xml", shared) for each in scenarios)


@contextmanager
def cluster(variables: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """What tells a scenario to take a cluster that is there; a new one, unless it is so already."""
    if variables.get("CLUSTER") == "existing":
        yield {}
        return
    testbed("down")
    try:
        yield {"CLUSTER": "existing", "KUBECONFIG": testbed("up").splitlines()[-1]}
    finally:
        testbed("down")


def testbed(command: str) -> str:
    """Have the cluster of the scenarios made or removed; what the test bed printed."""
    words = [sys.executable, "-m", "tests.testbed", command, "--name", NAME]
    return subprocess.run(words, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(scenario: str, report: Path, shared: Mapping[str, str]) -> int:
    """Run one scenario, show its output as it comes, and write ``report``."""
    command = [tool("molecule"), "--base-config", "molecule/config.yml", "test", "--scenario-name", scenario]
    settings = environment(MOLECULE_COMMAND_BORDERS="false", ANSIBLE_FORCE_COLOR="false", **shared)
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        suite = junit(scenario, executed(shown(process.stdout)))
    ElementTree.ElementTree(suite).write(report, encoding="utf-8", xml_declaration=True)
    return process.returncode


def shown(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        print(line, end="", flush=True)
        yield line


def executed(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Action and outcome, in molecule's words, of each action that these lines of molecule's output report as done."""
    for line in lines:
        found = _EXECUTED.search(_COLOUR.sub("", line))
        if found:
            yield found["action"], found["outcome"].strip()


def junit(scenario: str, actions: Iterable[tuple[str, str]]) -> ElementTree.Element:
    """A JUnit suite with one case per action; every outcome but «Successful» is a failure, also a missing playbook."""
    suite = ElementTree.Element("testsuite", name=f"molecule {scenario}")
    for action, outcome in actions:
        case = ElementTree.SubElement(suite, "testcase", classname=scenario, name=action)
        if outcome != "Successful":
            ElementTree.SubElement(case, "failure", message=outcome)
    return suite


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
