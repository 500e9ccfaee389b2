# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster under test, namespaces of a test's own in it, and tasks of network policies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client

from tests.integration.network.pods import IMAGE, SHARED_SET, Cluster, digest
from tests.integration.plays import CHECKOUT, Result, run_task


@pytest.fixture(scope="module")
def kubeconfig() -> str:
    return os.environ.get("HARDENING_KUBECONFIG") or str(CHECKOUT / "build/clusters/hardening/kubeconfig")


@pytest.fixture(scope="module")
def client(kubeconfig: str) -> Client:
    return connect({"kubeconfig": kubeconfig})


@pytest.fixture
def cluster(client: Client, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    made = Cluster(client, digest(request.node.name))
    yield made
    made.close()


@pytest.fixture(scope="module")
def run(kubeconfig: str) -> Callable[..., Result]:
    """Run one task in this process, as a worker of ansible-playbook would, and return its result."""

    def task(action: str, check: bool = False, **arguments: Any) -> Result:
        if action == "network_policies_info":
            arguments = {"probe_image": IMAGE, "probe_timeout": 120, **arguments}
        # All tests that name no set share one, and must not prune what another has.
        shared = {} if "set" in arguments else {"set": SHARED_SET, "prune": False}
        return run_task(Path(kubeconfig), action, check, {**shared, **arguments})

    return task


@pytest.fixture
def empty(cluster: Cluster) -> str:
    return cluster.namespace("empty")
