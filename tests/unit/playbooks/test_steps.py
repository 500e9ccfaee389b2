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
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_encryption import (
    ENCRYPTION as POLICY,
)

CHECKOUT = Path(__file__).resolve().parents[3]
ROLES = ("rbac", "pod_security", "resource_limits", "network_policies")
STEPS = yaml.safe_load((CHECKOUT / "playbooks/steps/roles.yml").read_text())
ENCRYPTION = yaml.safe_load((CHECKOUT / "playbooks/steps/encryption.yml").read_text())
FOUND = [{"control": "x.y", "subject": "a", "status": "fail", "evidence": "b", "remedy": "c"}]
GONE = {"failed": True, "msg": "the server cannot be reached"}


def blocks(steps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The blocks in which the steps run a role, by the role."""
    found = {}
    for step in steps:
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
    assert blocks(STEPS).keys() == set(ROLES)
    assert blocks(ENCRYPTION).keys() == {"encryption_at_rest"}
    for role, block in {**blocks(STEPS), **blocks(ENCRYPTION)}.items():
        (facts,) = [task["ansible.builtin.set_fact"] for task in block["rescue"]]
        # What an earlier run of the role found, for a canary, must not come back.
        assert facts.keys() == {"hardening_errors"}, role
    assert {f"{role}_findings": [] for role in ROLES}.items() <= STEPS[0]["ansible.builtin.set_fact"].items()
    assert ENCRYPTION[0]["ansible.builtin.set_fact"] == {"encryption_at_rest_findings": []}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_fails_after_it_wrote_keeps_what_its_writing_task_found(role: str) -> None:
    assert told(role, "kept", **{written(role): {"failed": True, "findings": FOUND}}) == FOUND
    assert told(role, "kept", **{written(role): GONE}) == []
    assert told(role, "kept") == []
    failed = {**GONE, "findings": FOUND}
    assert told(role, "kept", ansible_failed_result=failed, **{written(role): failed}) == FOUND


@pytest.mark.parametrize("role", [*ROLES, "encryption_at_rest"])
def test_who_runs_a_role_alone_reads_what_failed_and_what_was_found(role: str) -> None:
    message = told(role, "failure", **{f"__{role}_findings": FOUND})
    assert message.startswith("the server cannot be reached\n1 of 1 findings are not in order:")
    assert "fail x.y a: b (c)" in message
    assert told(role, "failure", **{f"__{role}_findings": []}) == GONE["msg"]
    unjudged = {f"__{role}_findings": FOUND, f"{role}_judge": False}
    assert told(role, "failure", **unjudged) == GONE["msg"]


def test_what_a_walk_left_that_stopped_is_kept_and_its_reason_goes_first() -> None:
    walked = {"failed": True, "msg": "the API server cp2 is not running"}
    known = {"__encryption_at_rest_walked": walked, "__encryption_at_rest_left": {"findings": FOUND}}
    assert told("encryption_at_rest", "kept", **known) == FOUND
    assert told("encryption_at_rest", "stopped", **known) is True
    assert told("encryption_at_rest", "kept") == []
    assert (
        told("encryption_at_rest", "stopped", __encryption_at_rest_walked={"skipped": True, "changed": False}) is False
    )
    message = told("encryption_at_rest", "failure", __encryption_at_rest_findings=FOUND, **known)
    assert message.startswith("the API server cp2 is not running\n1 of 1 findings are not in order:")


def test_the_role_hands_every_variable_to_the_modules_and_the_steps_every_word_of_the_policy() -> None:
    options = read("encryption_at_rest", "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    (block,) = [task for task in read("encryption_at_rest", "tasks/main.yml") if "rescue" in task]
    used = (
        str(block["block"])
        + str(read("encryption_at_rest", "vars/main.yml"))
        + str(read("encryption_at_rest", "tasks/main.yml"))
    )
    assert {name for name in options if name not in used} == set()
    assert read("encryption_at_rest", "defaults/main.yml").keys() <= options.keys()
    given = blocks(ENCRYPTION)["encryption_at_rest"]["block"][0]["vars"]
    assert {f"encryption_at_rest_{word}" for word in POLICY["properties"]} <= given.keys()
    assert given.keys() <= options.keys()
    rotation = yaml.safe_load((CHECKOUT / "playbooks/rotate_encryption_key.yml").read_text())[0]["tasks"][-1]["vars"]
    assert rotation.keys() - given.keys() == {"encryption_at_rest_state"}
    assert given.keys() - rotation.keys() == {"encryption_at_rest_mode", "encryption_at_rest_judge"}


def test_no_playbook_takes_variables_of_a_role_from_the_command_line() -> None:
    roles = sorted(each.name for each in (CHECKOUT / "roles").iterdir())
    for book in ("steps/run.yml", "remove_hardening.yml"):
        text = (CHECKOUT / "playbooks" / book).read_text()
        (reserved,) = [line for line in text.splitlines() if "reserved_variables:" in line]
        assert all(f"{role}_" in reserved for role in roles), book
