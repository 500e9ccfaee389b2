# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a rollout when the server goes in the middle; a real cluster can't be made to go at each place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits import _rollout


def obj(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}}


WANTED = [obj("LimitRange", "limits"), obj("ResourceQuota", "quota")]
LEFT = [obj("ResourceQuota", "old"), obj("LimitRange", "old")]


def carried_out(monkeypatch: pytest.MonkeyPatch, answered: int) -> list[tuple[str, str, str, str]]:
    """Kind, name, action and error of each; the server answers so many times before it goes."""
    calls = 0

    def apply(_client: Any, objects: Sequence[Any], options: Any, _progress: Any) -> list[ObjectResult]:
        nonlocal calls
        calls += 1
        if calls > answered:
            raise Unreachable("The server went away.")
        action: Any = "created" if options.state == "present" else "deleted"
        return [ObjectResult("v1", each["kind"], "shop", each["metadata"]["name"], action, {}) for each in objects]

    monkeypatch.setattr(_rollout, "apply_objects", apply)
    client: Any = object()
    done = _rollout.carry_out(client, WANTED, LEFT, ApplyOptions("manager"), lambda _done, _total: None)
    return [(each.kind, each.name, each.action, each.error) for each in done]


def test_what_was_done_is_told_when_the_server_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    away = "The server went away."
    assert carried_out(monkeypatch, 1) == [
        ("ResourceQuota", "old", "deleted", ""),
        ("LimitRange", "limits", "failed", away),
        (
            "ResourceQuota",
            "quota",
            "failed",
            "It was not set, because the LimitRange that goes before it could not be set.",
        ),
        (
            "LimitRange",
            "old",
            "failed",
            "It was left, because the quota that it says requests and limits for could not be set or removed.",
        ),
    ]
    assert [action for _kind, _name, action, _error in carried_out(monkeypatch, 4)] == [
        "deleted",
        "created",
        "created",
        "deleted",
    ]


def test_nothing_is_told_when_the_server_is_away_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable):
        carried_out(monkeypatch, 0)
