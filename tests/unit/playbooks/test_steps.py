# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept of a role that fails on its way: by the role itself, so that it does not matter who runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

CHECKOUT = Path(__file__).resolve().parents[3]
ROLES = ("rbac", "pod_security", "resource_limits", "network_policies")
STEPS = yaml.safe_load((CHECKOUT / "playbooks/steps/roles.yml").read_text())
FOUND = [{"control": "x.y", "subject": "a", "status": "fail", "evidence": "b", "remedy": "c"}]
GONE = {"failed": True, "msg": "the server cannot be reached"}


def blocks() -> dict[str, dict[str, Any]]:
    """The blocks in which the steps run a role, by the role."""
    found = {}
    for step in STEPS:
        for task in step.get("block", ()):
            if name := task.get("ansible.builtin.import_role", {}).get("name", ""):
                found[name.rpartition(".")[2]] = step
    return found


def read(role: str, file: str) -> Any:
    return yaml.safe_load((CHECKOUT / "roles" / role / file).read_text())


def written(role: str) -> str:
    """The variable with the result of the role's task that writes, which is inside the block that keeps findings."""
    (block,) = [task for task in read(role, "tasks/main.yml") if "rescue" in task]
    (variable,) = [task["register"] for task in block["block"] if f"hardening.kubernetes.{role}" in task]
    return str(variable)


def told(role: str, name: str, **variables: Any) -> Any:
    """A variable of the role after one of its tasks failed."""
    said = {key: trust_as_template(value) for key, value in read(role, "vars/main.yml").items()}
    known = {"ansible_failed_result": GONE, f"{role}_judge": True, **said, **variables}
    return Templar(DataLoader(), variables=known).template(trust_as_template(f"{{{{ __{role}_{name} }}}}"))


def test_all_roles_are_run_in_blocks_that_note_a_failure_and_leave_the_findings_to_the_role() -> None:
    assert blocks().keys() == set(ROLES)
    for role, block in blocks().items():
        (facts,) = [task["ansible.builtin.set_fact"] for task in block["rescue"]]
        # What an earlier run of the role found, for a canary, must not come back.
        assert facts.keys() == {"hardening_errors"}, role
    assert {f"{role}_findings": [] for role in ROLES}.items() <= STEPS[0]["ansible.builtin.set_fact"].items()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_fails_after_it_wrote_keeps_what_its_writing_task_found(role: str) -> None:
    assert told(role, "kept", **{written(role): {"failed": True, "findings": FOUND}}) == FOUND
    assert told(role, "kept", **{written(role): GONE}) == []
    assert told(role, "kept") == []
    failed = {**GONE, "findings": FOUND}
    assert told(role, "kept", ansible_failed_result=failed, **{written(role): failed}) == FOUND


@pytest.mark.parametrize("role", ROLES)
def test_who_runs_a_role_alone_reads_what_failed_and_what_was_found(role: str) -> None:
    message = told(role, "failure", **{f"__{role}_findings": FOUND})
    assert message.startswith("the server cannot be reached\n1 of 1 findings are not in order:")
    assert "fail x.y a: b (c)" in message
    assert told(role, "failure", **{f"__{role}_findings": []}) == GONE["msg"]
    unjudged = {f"__{role}_findings": FOUND, f"{role}_judge": False}
    assert told(role, "failure", **unjudged) == GONE["msg"]
