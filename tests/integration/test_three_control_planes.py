# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of harden-cluster.yml where three API servers answer, and flows cross from node to node.

Then each server by itself: what all of them enforce, one that nobody reaches, and one that has not heard of a change.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._yaml import load_yaml

from tests.integration.plays import (
    NAMESPACE,
    Finding,
    Result,
    make_namespaces,
    may,
    run_task,
    wait_until,
    write_kubeconfig,
)
from tests.testbed import engine as engines

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TESTBED = [sys.executable, "-m", "tests.testbed"]
NAME = "hardening-three"
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
    command = [BIN / "ansible-playbook", "harden-cluster.yml", "-e", "policy=examples/shop/cluster-policy.yml"]
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


SLICES, BINDING = KNOWN["discovery.k8s.io/v1", "EndpointSlice"], KNOWN["rbac.authorization.k8s.io/v1", "RoleBinding"]
JANE = {"user": "three-jane", "groups": []}
READER = {"role": "reader", "rules": [{"resources": ["pods"], "verbs": ["get", "list"]}], "to": [JANE]}
OTHER = {"role": "other", "rules": [{"resources": ["pods", "configmaps"], "verbs": ["get", "list"]}], "to": [JANE]}
SECRETS = {"who": JANE, "verbs": ["*"], "resources": ["secrets"]}
QUOTA = {
    "quota": {"requests.cpu": "1", "pods": "5"},
    "limits": {"container": {"max": {"cpu": "1"}, "default_request": {"cpu": "10m"}}},
}


@pytest.fixture(scope="module")
def admin(kubeconfig: str) -> Client:
    return connect({"kubeconfig": kubeconfig})


@pytest.fixture(scope="module")
def servers(admin: Client) -> dict[str, Client]:
    """Each API server by its own address."""
    found = admin.list(SLICES, "default", label_selector="kubernetes.io/service-name=kubernetes")
    addresses = [address for each in found for endpoint in each["endpoints"] for address in endpoint["addresses"]]
    assert len(addresses) == len(NODES)
    return {address: admin.at(f"https://{address}:6443") for address in addresses}


@pytest.fixture
def place(admin: Client) -> Iterator[str]:
    name = f"three-{uuid.uuid4().hex[:6]}"
    make_namespaces(admin, name)
    yield name
    admin.delete(NAMESPACE, name)


def access(place: str, grant: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"set": place, "namespaces": {place: {"grant": [grant or READER], "must_not": [SECRETS]}}, "timeout": 3}


def written(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != "timeout"}


def of(told: Result, control: str) -> Finding:
    (found,) = [each for each in told["findings"] if each["control"] == control]
    return found


def greedy(place: str) -> dict[str, Any]:
    """A pod that asks for more than the quota of the namespace, in two containers that the limits let through."""
    containers = [
        {"name": name, "image": "any", "resources": {"requests": {"cpu": "600m"}}} for name in ("first", "second")
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy", "namespace": place},
        "spec": {"containers": containers},
    }


def test_each_api_server_allows_denies_and_refuses_by_itself(
    kubeconfig: str, servers: dict[str, Client], place: str
) -> None:
    settings, limits = access(place), {"set": place, "namespaces": {place: QUOTA}}
    for module, said in (("rbac", written(settings)), ("resource_limits", limits)):
        told = run_task(Path(kubeconfig), module, False, said)
        assert not told["failed"], told
    seen = run_task(Path(kubeconfig), "rbac_info", False, {**settings, "timeout": 15})
    for control in ("access.granted", "access.denied"):
        assert of(seen, control)["status"] == "pass", seen
        assert f"by each of {len(NODES)} API servers" in of(seen, control)["evidence"]
    seen = run_task(Path(kubeconfig), "resource_limits_info", False, limits)
    for control in ("resources.quota", "resources.limits"):
        assert (of(seen, control)["status"], of(seen, control)["proof"]) == ("pass", "effect"), seen
        assert f"at each of {len(NODES)} API servers" in of(seen, control)["evidence"]
    for address, server in servers.items():
        assert may(server, "three-jane", "get", "pods", place), address
        assert not may(server, "three-jane", "get", "secrets", place), address
        refused = server.create(greedy(place), dry_run=True)
        assert "exceeded quota: hardening-quota" in refused.message, address


def test_an_api_server_that_cannot_be_reached_is_named_and_nothing_passes(
    kubeconfig: str, servers: dict[str, Client], place: str
) -> None:
    settings, limits = access(place), {"set": place, "namespaces": {place: QUOTA}}
    assert not run_task(Path(kubeconfig), "rbac", False, written(settings))["failed"]
    assert not run_task(Path(kubeconfig), "resource_limits", False, limits)["failed"]
    address = address_of(NODES[2], servers)
    with out_of_reach(NODES[2]):
        seen = run_task(Path(kubeconfig), "rbac_info", False, settings)
        for control in ("access.granted", "access.denied"):
            assert of(seen, control)["status"] == "unknown", seen
            assert f"https://{address}:6443" in of(seen, control)["evidence"]
        seen = run_task(Path(kubeconfig), "resource_limits_info", False, limits)
        for control in ("resources.quota", "resources.limits"):
            assert of(seen, control)["status"] == "unknown", seen
            assert f"https://{address}:6443" in of(seen, control)["evidence"]


def test_an_api_server_that_has_not_heard_of_a_change_is_named_and_keeps_the_old_binding_alive(
    kubeconfig: str, servers: dict[str, Client], place: str, tmp_path: Path
) -> None:
    settings = access(place)
    assert not run_task(Path(kubeconfig), "rbac", False, written(settings))["failed"]
    for server in servers.values():
        wait_until(lambda server=server: may(server, "three-jane", "get", "pods", place))
    late = address_of(NODES[2], servers)
    first = through(kubeconfig, address_of(NODES[0], servers), tmp_path)
    with deaf(NODES[2]), listed(servers, late):
        wait_until(lambda: writes(connect({"kubeconfig": str(first)}), place), 60, "a new leader of etcd")
        told = run_task(first, "rbac", False, written(access(place, OTHER)))
        assert told["failed"] and "three-jane may not yet" in told["msg"], told
        assert len(connect({"kubeconfig": str(first)}).list(BINDING, place)) == 2
        for server in servers.values():
            assert may(server, "three-jane", "get", "pods", place), "nobody loses access on the way"
        granted = of(run_task(first, "rbac_info", False, access(place, OTHER)), "access.granted")
        assert granted["status"] == "fail"
        assert f"configmaps in {place} at https://{late}:6443" in granted["evidence"], granted
    for server in servers.values():
        wait_until(lambda server=server: may(server, "three-jane", "get", "configmaps", place), 120)
    assert not run_task(Path(kubeconfig), "rbac", False, written(access(place, OTHER)))["failed"]
    assert len(servers[late].list(BINDING, place)) == 1
    seen = run_task(Path(kubeconfig), "rbac_info", False, {**access(place, OTHER), "timeout": 15})
    assert of(seen, "access.granted")["status"] == "pass", seen


def address_of(node: str, servers: dict[str, Client]) -> str:
    """The address of a node's API server."""
    told = on(node, "hostname", "--all-ip-addresses").split()
    (address,) = [each for each in told if each in servers]
    return address


def on(node: str, *command: str) -> str:
    engine = engines.find()
    assert engine, "no Docker engine answers, so that the nodes of the cluster cannot be entered"
    return engine.docker("exec", node, *command)


@contextmanager
def out_of_reach(node: str) -> Iterator[None]:
    """The API server of the node runs, and nobody else reaches it."""
    rule = ["INPUT", "--in-interface", "eth0", "--protocol", "tcp", "--dport", "6443"]
    rule += ["--jump", "REJECT", "--reject-with", "tcp-reset"]
    on(node, "iptables", "--insert", *rule)
    try:
        yield
    finally:
        on(node, "iptables", "--delete", *rule)


@contextmanager
def deaf(node: str) -> Iterator[None]:
    """The API server of the node answers from what it knows, and hears of nothing new: its etcd stands still."""
    on(node, "sh", "-c", "kill -STOP $(pidof etcd)")
    try:
        yield
    finally:
        on(node, "sh", "-c", "kill -CONT $(pidof etcd)")


@contextmanager
def listed(servers: dict[str, Client], address: str) -> Iterator[None]:
    """The server stays among those of the cluster, from which the others strike it after some seconds of silence."""
    name, (admin, *_others) = "three-listed", (server for other, server in servers.items() if other != address)
    body = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"namespace": "default", "name": name, "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    }
    wait_until(lambda: admin.create(body).ok)
    try:
        yield
    finally:
        admin.delete(SLICES, name, "default")


def through(kubeconfig: str, address: str, folder: Path) -> Path:
    """The administrator's kubeconfig, by way of one API server alone."""
    config = load_yaml(Path(kubeconfig).read_text(encoding="utf-8"))
    server = {
        "url": f"https://{address}:6443",
        "ca": config["clusters"][0]["cluster"]["certificate-authority-data"],
    }
    return write_kubeconfig(folder / address, server, config["users"][0]["user"])


def writes(client: Client, place: str) -> bool:
    """Whether a write gets through; the etcd that stands still may have led the others."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "any", "namespace": place}}
    return client.apply(body, manager="test").ok
