# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door of all action plugins: what becomes of errors, and when progress is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils import _action


def _run(perform: Callable[[], dict[str, Any]], environment: list[dict[str, str]] | None = None) -> dict[str, Any]:
    class Action(_action.HardeningAction):
        def perform(self, *_: Any) -> dict[str, Any]:
            return perform()

    task = SimpleNamespace(
        action="action",
        args={},
        check_mode=False,
        diff=False,
        async_val=0,
        environment=environment,
        no_log=False,
        collections=[],
    )
    loader = DataLoader()
    return Action(task, MagicMock(), MagicMock(), loader, Templar(loader), None).run(None, {})


def _raise(error: Exception) -> dict[str, Any]:
    def perform() -> dict[str, Any]:
        raise error

    return _run(perform)


def test_what_a_user_can_act_on_is_shown_as_it_is() -> None:
    assert _raise(HardeningError("The file is empty: write a policy.")) == {
        "failed": True,
        "changed": False,
        "msg": "The file is empty: write a policy.",
    }


def test_an_unforeseen_error_is_a_failure_that_names_its_place_and_shows_no_values() -> None:
    told = _raise(KeyError("s3cret"))
    assert told["failed"] is True
    assert "KeyError in test_action.py, line " in told["msg"]
    assert "report" in told["msg"]
    assert "s3cret" not in told["msg"] + told["exception"]


def test_what_ansible_raises_itself_goes_through() -> None:
    with pytest.raises(AnsibleError):
        _raise(AnsibleError("vault password is wrong"))


def test_the_environment_of_the_task_counts_and_the_innermost_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/elsewhere")
    inner = trust_as_template("{{ '/in' ~ 'ner' }}")
    told = _run(lambda: {"at": os.environ["KUBECONFIG"]}, [{"KUBECONFIG": "/outer"}, {"KUBECONFIG": inner}])
    assert told == {"at": "/inner"}


def test_progress_is_silent_at_first_and_then_tells_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    shown: list[str] = []
    monkeypatch.setattr(_action.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_action, "Display", lambda: SimpleNamespace(display=shown.append))
    progress = _action.Progress("apply")
    for second in range(12):
        now[0] = 100.0 + second
        progress(second, 1000)
    assert shown == ["apply: 4 of 1000", "apply: 9 of 1000"]
