# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read off a node: here, how its clock is compared with ours."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import OnNode, look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import Nodes

from tests.unit.plugins.module_utils._encryption.manifests import KUBEADM

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


class Clocked:
    """Nodes that say that their time is this, and together take some seconds of ours to say it."""

    def __init__(self, times: dict[str, float], seconds: float) -> None:
        self.now = 1000.0
        self._times = times
        self._seconds = seconds

    def ask_each(self, calls: dict[str, Any], _program: str) -> dict[str, Any]:
        self.now += self._seconds
        return {name: [self._answer(name, *call) for call in wanted] for name, wanted in calls.items()}

    def _answer(self, name: str, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "about":
            return {"hostname": name, "addresses": ["10.0.0.1"], "time": self._times[name]}
        if operation == "read":
            manifest = {"kind": "file", "content": base64.b64encode(KUBEADM.encode()).decode()}
            return {path: manifest if path == MANIFEST else None for path in arguments["paths"]}
        return []


@pytest.mark.parametrize(
    ("seconds", "times", "skews"),
    [
        (0, {"cp1": 1000, "cp2": 1007, "cp3": 992}, {"cp1": 0, "cp2": 7, "cp3": -8}),
        # One of them is slow: it looked at its clock at any time in between, as the others did.
        (20, {"cp1": 1000, "cp2": 1010, "cp3": 1020}, {"cp1": 0, "cp2": 0, "cp3": 0}),
        (20, {"cp1": 994, "cp2": 1026}, {"cp1": -6, "cp2": 6}),
    ],
)
def test_a_clock_is_wrong_only_by_what_slowness_does_not_explain(
    seconds: float, times: dict[str, float], skews: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = Clocked(times, seconds)
    monkeypatch.setattr(_look, "time", SimpleNamespace(time=lambda: nodes.now))
    seen = look(cast(Nodes, nodes), [*times], MANIFEST)
    assert {name: node.skew for name, node in seen.items() if isinstance(node, OnNode)} == skews
