# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to run what is under test: tasks in this process, where one each would only cost time, and roles as users do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unauthorized

CHECKOUT = Path(__file__).resolve().parents[2]
PLUGINS = "ansible_collections.hardening.kubernetes.plugins"
NO_CONNECTION = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))

Result = dict[str, Any]
Finding = dict[str, Any]


def wait_until_known(kubeconfig: Path, rights: Sequence[Question]) -> None:
    """Until the server knows a new user and its rights: where many objects come and go, its caches lag by seconds."""
    deadline = time.monotonic() + 120
    client = connect({"kubeconfig": str(kubeconfig)})
    while True:
        try:
            if all(client.allowed(rights)):
                return
        except Unauthorized:
            client = connect({"kubeconfig": str(kubeconfig)})
        assert time.monotonic() < deadline, f"the user of {kubeconfig} never got its rights"
        time.sleep(0.5)


def run_task(kubeconfig: Path, action: str, check: bool, arguments: dict[str, Any]) -> Result:
    """The result of one task, as a worker of ansible-playbook gets it."""
    task = Task()
    task.action = f"hardening.kubernetes.{action}"
    task.args = {"kubeconfig": str(kubeconfig), **arguments}
    task.check_mode, task.diff = check, True
    loader = DataLoader()
    plugin = import_module(f"{PLUGINS}.action.{action}").ActionModule
    told = plugin(task, NO_CONNECTION, None, loader, Templar(loader), None).run(task_vars={})
    return {"failed": False, **json.loads(json.dumps(told))}


def run_role(
    kubeconfig: Path, folder: Path, role: str, check: bool, variables: dict[str, Any]
) -> tuple[int, str, list[Finding]]:
    """Exit status and output of ansible-playbook with a role, and the findings that the role set as a fact."""
    itself = {
        "ansible.builtin.include_role": {"name": f"hardening.kubernetes.{role}"},
        "vars": {f"{role}_{key}": value for key, value in variables.items()},
    }
    tell = {"ansible.builtin.debug": {"msg": f"{{{{ {role}_findings | default([]) | to_json }}}}"}}
    tasks = [{"block": [itself], "always": [tell]}]
    file = folder / "playbook.json"
    file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), *(["--check"] if check else []), "--diff", file],
        cwd=CHECKOUT,
        env={**os.environ, "K8S_AUTH_KUBECONFIG": str(kubeconfig), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith('    "msg": ')]
    assert told, output
    return done.returncode, output, json.loads(json.loads(told[-1].removeprefix('    "msg": ')))
