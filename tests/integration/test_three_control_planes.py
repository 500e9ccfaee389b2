# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of harden-cluster.yml where three API servers answer, and flows cross from node to node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TESTBED = [sys.executable, "-m", "tests.testbed"]
NAME = "hardening-three"
LIMITS = """\
namespaces:
  shop:
    resources:
      quota: {requests.cpu: 4, requests.memory: 4Gi, pods: 20}
      limits:
        container:
          max: {cpu: 2}
          default: {cpu: 200m, memory: 128Mi}
          default_request: {cpu: 10m, memory: 16Mi}
"""
NODES = [f"{NAME}-control-plane", f"{NAME}-control-plane2", f"{NAME}-control-plane3"]


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[str]:
    """A cluster of its own with three control planes."""
    made = run(*TESTBED, "up", "--nodes", "3", "--name", NAME)
    assert made.returncode == 0, made.stderr
    yield made.stdout.splitlines()[-1]
    run(*TESTBED, "down", "--name", NAME)


@pytest.fixture(scope="module")
def shop(kubeconfig: str) -> str:
    """The kubeconfig, with the shop and its neighbours running."""
    done = run(BIN / "ansible-playbook", "examples/shop/shop.yml", "-e", "insecure=false", KUBECONFIG=kubeconfig)
    assert done.returncode == 0, done.stdout + done.stderr
    return kubeconfig


def engine(kubeconfig: str) -> dict[str, str]:
    """The variables by which Docker's client and kubectl reach the cluster's nodes."""
    told = run(*TESTBED, "env", "--name", NAME)
    assert told.returncode == 0 and kubeconfig in told.stdout, told.stderr
    shown = run("bash", "-c", f"{told.stdout}\nenv -0")
    return dict(each.split("=", 1) for each in shown.stdout.split("\0") if each.startswith(("DOCKER_HOST=", "PATH=")))


def test_ansible_reaches_every_node(kubeconfig: str) -> None:
    inventory = ",".join([*NODES, ""])
    connection = ["-c", "community.docker.docker", "-e", "ansible_python_interpreter=auto_silent"]
    done = run(BIN / "ansible", "all", "-i", inventory, *connection, "-m", "ping", **engine(kubeconfig))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('"ping": "pong"') == len(NODES)


def test_the_policy_is_proved_at_each_api_server_and_proved_again_without_a_change(shop: str, tmp_path: Path) -> None:
    limits = tmp_path / "limits.yml"
    limits.write_text(LIMITS, encoding="utf-8")
    policies = json.dumps({"policy": ["examples/shop/cluster-policy.yml", str(limits)]})
    command = [BIN / "ansible-playbook", "harden-cluster.yml", "-e", policies]
    for changed in (True, False):
        report = tmp_path / f"report-{changed}.json"
        done = run(*command, "-e", json.dumps({"report": str(report)}), KUBECONFIG=shop)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ("changed=0" in done.stdout) is not changed, done.stdout
        told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        assert told["verdict"]["success"]
        enforced = [each for each in told["findings"] if each["control"] == "pod_security.enforced"]
        assert [each["status"] for each in enforced] == ["pass", "pass"]
        assert all(f"at each of {len(NODES)} API servers" in each["evidence"] for each in enforced), enforced
        for control in ("resources.quota", "resources.limits"):
            (found,) = [each for each in told["findings"] if each["control"] == control]
            assert (found["status"], found["proof"]) == ("pass", "effect")
            assert f"at each of {len(NODES)} API servers" in found["evidence"], found
        denied = [each for each in told["findings"] if each["control"] == "network.default_deny"]
        assert [(each["status"], each["proof"]) for each in denied] == [("pass", "effect")]
