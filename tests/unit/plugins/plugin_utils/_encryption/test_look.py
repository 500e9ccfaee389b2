# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read off a node: how its clock is compared with ours, and how often it is asked."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import OnNode, look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

from tests.unit.plugins.module_utils._encryption.manifests import KUBEADM

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
ELSEWHERE = "/srv/encryption.yaml"
CONFIGURATION = '{"kind": "EncryptionConfiguration"}'
ADOPTED = KUBEADM.replace(
    "- kube-apiserver\n", f"- kube-apiserver\n    - --encryption-provider-config={ELSEWHERE}\n", 1
)
NODES = {"cp1": 1000.0, "cp2": 1000.0}


class Clocked:
    """Nodes that say that their time is this, and together take some seconds of ours to say it.

    ``asked`` are those that each question went to, and from the question ``lost`` on nobody answers.
    """

    def __init__(self, times: dict[str, float], seconds: float = 0, manifest: str = KUBEADM, lost: int = 9) -> None:
        self.now = 1000.0
        self.asked: list[set[str]] = []
        self._times = times
        self._seconds = seconds
        self._manifest = manifest
        self._lost = lost

    def ask_each(self, calls: dict[str, Any], _program: str) -> dict[str, Any]:
        self.now += self._seconds
        if calls:
            self.asked.append({*calls})
        if len(self.asked) > self._lost:
            return {name: NodeError(name, "it is gone") for name in calls}
        return {name: [self._answer(name, *call) for call in wanted] for name, wanted in calls.items()}

    def _answer(self, name: str, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "about":
            return {"hostname": name, "addresses": ["10.0.0.1"], "time": self._times[name]}
        if operation == "read":
            files = {MANIFEST: self._manifest, ELSEWHERE: CONFIGURATION}
            found = {path: base64.b64encode(text.encode()).decode() for path, text in files.items()}
            return {
                path: {"kind": "file", "content": found[path]} if path in found else None for path in arguments["paths"]
            }
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
    seen = look(cast(Nodes, nodes), [*times], MANIFEST, {})
    assert {name: node.skew for name, node in seen.items() if isinstance(node, OnNode)} == skews


@pytest.mark.parametrize(
    ("manifest", "expected", "asked"),
    [
        (KUBEADM, {}, [{"cp1", "cp2"}]),
        (ADOPTED, {}, [{"cp1", "cp2"}, {"cp1", "cp2"}]),
        (ADOPTED, {"cp2": ELSEWHERE}, [{"cp1", "cp2"}, {"cp1"}]),
        (ADOPTED, {"cp1": ELSEWHERE, "cp2": ELSEWHERE}, [{"cp1", "cp2"}]),
    ],
)
def test_a_configuration_is_asked_for_anew_only_where_it_is_not_where_it_was(
    manifest: str, expected: dict[str, str], asked: list[set[str]]
) -> None:
    nodes = Clocked(NODES, manifest=manifest)
    seen = look(cast(Nodes, nodes), [*NODES], MANIFEST, expected)
    assert nodes.asked == asked
    content = None if manifest == KUBEADM else CONFIGURATION.encode()
    assert [node.configuration.content for node in seen.values() if isinstance(node, OnNode)] == [content] * 2


def test_a_node_that_is_lost_between_two_questions_is_not_known() -> None:
    seen = look(cast(Nodes, Clocked(NODES, manifest=ADOPTED, lost=1)), [*NODES], MANIFEST, {"cp2": ELSEWHERE})
    assert [type(each) for each in seen.values()] == [NodeError, OnNode]
