# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from tests.testbed import cluster


def item(kind: str, name: str, ready: str = "True", **metadata: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


NODE = item("Node", "n")
DNS = item("Pod", "coredns-1")
STATIC = {"kind": "Pod", "metadata": {"name": "kube-scheduler-n", "annotations": {cluster.MIRROR: "x"}}, "status": {}}


@pytest.mark.parametrize(
    ("items", "healthy"),
    [
        ([NODE, DNS], True),
        ([NODE, DNS, item("Pod", "somebody-elses", "False")], True),
        ([NODE, DNS, item("Pod", "coredns-2", "False", deletionTimestamp="2026-01-01T00:00:00Z")], True),
        ([NODE], False),
        ([DNS], False),
        ([NODE, NODE, DNS], False),
        ([item("Node", "n", "Unknown"), DNS], False),
        ([NODE, item("Pod", "kube-proxy-x", "False")], False),
        ([NODE, {"kind": "Pod", "metadata": {"name": "kube-router-x"}, "status": {}}], False),
        ([NODE, STATIC], False),
        ([NODE, DNS, STATIC], True),
    ],
)
def test_health_is_all_nodes_and_the_systems_own_pods(items: list[dict[str, Any]], healthy: bool) -> None:
    assert cluster.health(items, 1) is healthy
