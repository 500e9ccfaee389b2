# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs an action plugin as a task would, in this process."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar

Perform = Callable[..., dict[str, Any]]


@pytest.fixture
def perform() -> Perform:
    """``perform(module, check_mode=False, task_vars={}, **arguments)``: the result of the plugin in that module."""

    def run(module: Any, check_mode: bool = False, task_vars: Any = None, **arguments: Any) -> dict[str, Any]:
        name = module.__name__.rpartition(".")[2]
        task = Task.load({"name": name, "action": f"hardening.kubernetes.{name}", "check_mode": check_mode})
        task.args = arguments
        loader = DataLoader()
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        plugin = module.ActionModule(task, connection, None, loader, Templar(loader), None)
        return dict(plugin.run(None, task_vars or {}))

    return run
