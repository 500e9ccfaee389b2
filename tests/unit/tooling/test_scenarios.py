# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.tooling.scenarios import cluster, executed, junit
from tests.tooling.stages import Tally, by_junit

OUTPUT = """\
INFO     [default > create] Executing
INFO     [default > create] Executed: Successful
INFO     [default > prepare] Executed: Missing playbook (Remove from test_sequence to suppress)
INFO     [default > converge] Executing
fatal: [localhost]: FAILED! => {"msg": "no"}
ERROR    [default > converge] \x1b[31mExecuted: Failed\x1b[0m

DETAILS
default > create: Executed: Successful
default > converge: Executed: Failed
"""


def test_each_action_is_found_once() -> None:
    assert list(executed(OUTPUT.splitlines())) == [
        ("create", "Successful"),
        ("prepare", "Missing playbook (Remove from test_sequence to suppress)"),
        ("converge", "Failed"),
    ]


def test_only_what_succeeded_passes(tmp_path: Path) -> None:
    ElementTree.ElementTree(junit("default", executed(OUTPUT.splitlines()))).write(tmp_path / "default.xml")
    assert by_junit(1, tmp_path) == Tally(passed=1, failed=2)


def test_a_cluster_that_is_there_is_neither_made_nor_removed() -> None:
    with cluster({"CLUSTER": "existing"}) as shared:
        assert shared == {}
