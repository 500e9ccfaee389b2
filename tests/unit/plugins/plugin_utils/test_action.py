# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door of all action plugins: what becomes of errors, and when progress is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils import _action


def _run(error: Exception) -> dict[str, Any]:
    class Raises(_action.HardeningAction):
        def perform(self, *_: Any) -> dict[str, Any]:
            raise error

    task = SimpleNamespace(
        action="raises",
        args={},
        check_mode=False,
        diff=False,
        async_val=0,
        environment=None,
        no_log=False,
        collections=[],
    )
    action = Raises(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), None)
    return action.run(None, {})


def test_what_a_user_can_act_on_is_shown_as_it_is() -> None:
    assert _run(HardeningError("The file is empty: write a policy.")) == {
        "failed": True,
        "changed": False,
        "msg": "The file is empty: write a policy.",
    }


def test_an_unforeseen_error_is_a_failure_that_names_its_place_and_shows_no_values() -> None:
    told = _run(KeyError("s3cret"))
    assert told["failed"] is True
    assert "KeyError in test_action.py, line " in told["msg"]
    assert "report" in told["msg"]
    assert "s3cret" not in told["msg"] + told["exception"]


def test_what_ansible_raises_itself_goes_through() -> None:
    with pytest.raises(AnsibleError):
        _run(AnsibleError("vault password is wrong"))


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
