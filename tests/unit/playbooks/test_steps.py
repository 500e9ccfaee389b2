# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the steps of the playbooks keep when a role fails on its way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

CHECKOUT = Path(__file__).resolve().parents[3]
STEPS = yaml.safe_load((CHECKOUT / "playbooks/steps/roles.yml").read_text())
FOUND = [{"control": "x.y", "status": "fail"}]


def roles() -> dict[str, str]:
    """The roles that the steps run, and what the rescue of each takes for their findings."""
    found = {}
    for step in STEPS:
        for task in step.get("block", ()):
            if name := task.get("ansible.builtin.import_role", {}).get("name", ""):
                role = name.rpartition(".")[2]
                (facts,) = [each["ansible.builtin.set_fact"] for each in step["rescue"]]
                found[role] = facts[f"{role}_findings"]
    return found


def written(role: str) -> str:
    """The variable with the result of the role's task that writes."""
    tasks = yaml.safe_load((CHECKOUT / "roles" / role / "tasks/main.yml").read_text())
    (variable,) = [task["register"] for task in tasks if f"hardening.kubernetes.{role}" in task]
    return str(variable)


def kept(role: str, failed: dict[str, Any], **variables: Any) -> Any:
    known = {"ansible_failed_result": failed, f"{role}_findings": [], **variables}
    return Templar(DataLoader(), variables=known).template(trust_as_template(roles()[role]))


def test_all_roles_are_looked_at() -> None:
    assert {"pod_security", "network_policies"} <= roles().keys()


@pytest.mark.parametrize("role", roles())
def test_a_role_that_fails_after_it_wrote_keeps_what_its_writing_task_found(role: str) -> None:
    gone = {"failed": True, "msg": "the server cannot be reached"}
    assert kept(role, gone, **{written(role): {"failed": True, "findings": FOUND}}) == FOUND
    assert kept(role, gone, **{written(role): gone}) == []
    assert kept(role, gone) == []
    assert kept(role, {**gone, "findings": FOUND}, **{written(role): gone}) == FOUND
