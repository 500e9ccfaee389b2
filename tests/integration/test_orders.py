# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All roles on one namespace, in every order: none undoes another's work, and what was there before comes back.

Each order has a namespace of its own. What comes at the same place of several orders is one task.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.integration.plays import NAMESPACE, SAFE_SPEC, Result, content, make_namespaces, run_task, wait_until

POD, DEPLOYMENT = KNOWN["v1", "Pod"], KNOWN["apps/v1", "Deployment"]
ROLE_BINDING, NETWORK_POLICY = "rbac.authorization.k8s.io/v1", "networking.k8s.io/v1"
JANE = {"user": "orders-jane", "groups": []}
SETTINGS: Mapping[str, dict[str, Any]] = {
    "rbac": {
        "grant": [
            {"role": "reader", "rules": [{"resources": ["pods"], "verbs": ["get", "list"]}], "to": [JANE]},
            {"cluster_role": "view", "to": [{"group": "orders-auditors"}, {"service_account": "default"}]},
        ],
        "must_not": [{"who": JANE, "verbs": ["*"], "resources": ["secrets"]}],
        "keep": [{"role_binding": "theirs"}],
    },
    "pod_security": {"enforce": "restricted", "warn": "restricted"},
    "resource_limits": {
        "quota": {"requests.cpu": "1", "limits.memory": "1Gi", "pods": "5"},
        "limits": {"container": {"default": {"memory": "64Mi"}, "default_request": {"cpu": "10m", "memory": "16Mi"}}},
    },
    "network_policies": {
        "default_deny": ["ingress", "egress"],
        "dns": True,
        "allow": [{"from": {"app": "web"}, "to": {"app": "web"}, "ports": ["8080/TCP"]}],
    },
}
CLUSTER = {"rbac": {"cluster": {"keep": [{"cluster_role_binding": "*"}]}}}
"""What other tests bind in the same cluster at the same time."""
ORDERS = [*permutations(SETTINGS)]
BACK = [*ORDERS[11:], *ORDERS[:11]]
"""The order in which each goes is another one, so that all come up here too."""
RESOURCES = {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"memory": "64Mi"}}
SPEC = {**SAFE_SPEC, "containers": [{**SAFE_SPEC["containers"][0], "resources": RESOURCES}]}


def theirs(namespace: str) -> list[dict[str, Any]]:
    """What somebody else has in a namespace: a label that Pod Security wants too, a policy, a binding, a workload."""
    metadata = {"name": "theirs", "namespace": namespace}
    labels = {"team": "theirs", "pod-security.kubernetes.io/warn": "restricted"}
    flow = {"from": [{"podSelector": {"matchLabels": {"app": "monitor"}}}], "ports": [{"port": 9090}]}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": labels, "annotations": {"example.com/owner": "theirs"}},
        },
        {
            "apiVersion": NETWORK_POLICY,
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [flow]},
        },
        {
            "apiVersion": ROLE_BINDING,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "orders-bob"}],
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": SPEC},
            },
        },
    ]


@pytest.fixture
def places(client: Client) -> Iterator[list[str]]:
    """A namespace for each order, in which somebody else's workload runs."""
    names = [f"orders-{uuid.uuid4().hex[:6]}-{number}" for number in range(len(ORDERS))]
    try:
        make_namespaces(client, *names)
        for name in names:
            for each in theirs(name):
                answer = client.apply(each, manager="theirs")
                assert answer.ok, answer.message
        wait_until(lambda: all(running(client, name) for name in names), 180, "that the pods run")
        yield names
    finally:
        for name in names:
            client.delete(NAMESPACE, name)


def running(client: Client, namespace: str) -> set[str]:
    pods = client.list(POD, namespace)
    return {each["metadata"]["uid"] for each in pods if each["status"].get("phase") == "Running"}


def test_in_every_order_the_roles_leave_each_others_work_alone(
    client: Client, kubeconfig: Path, places: list[str]
) -> None:
    name = places[0]
    before = {place: (content(client, place), running(client, place)) for place in places}

    def run(action: str, where: list[str], **options: Any) -> Result:
        role = action.removesuffix("_info")
        said = {"namespaces": dict.fromkeys(where, SETTINGS[role]), "set": name, "prune": False, **options}
        told = run_task(kubeconfig, action, False, said)
        assert not told["failed"], told["msg"]
        return told

    def in_turn(orders: list[tuple[str, ...]], **options: Any) -> None:
        for turn in range(len(SETTINGS)):
            for role in SETTINGS:
                where = [place for place, order in zip(places, orders, strict=True) if order[turn] == role]
                told = run(role, where, **options)
                assert told["changed"] and told["summary"]["unchanged"] == 0, (role, turn, told["summary"])

    in_turn(ORDERS)
    for role in SETTINGS:
        again = run(role, places)
        assert not again["changed"], (role, [each for each in again["objects"] if each["action"] != "unchanged"])
    seen = {role: run(f"{role}_info", places, **CLUSTER.get(role, {}))["findings"] for role in SETTINGS}
    wrong = [
        each for findings in seen.values() for each in findings if each["status"] not in ("pass", "not_applicable")
    ]
    # Without a probe of the pod network the denies are not tried, so that they are not known.
    assert {(each["control"], each["status"]) for each in wrong} == {("network.default_deny", "unknown")}, wrong
    for role, control, proof in (
        ("rbac", "access.granted", "server"),
        ("pod_security", "pod_security.enforced", "effect"),
        ("resource_limits", "resources.quota", "effect"),
        ("resource_limits", "resources.limits", "effect"),
    ):
        proved = {each["subject"] for each in seen[role] if (each["control"], each["proof"]) == (control, proof)}
        assert len(proved) >= len(places), (control, seen[role])

    in_turn(BACK, state="absent")
    after = {place: (content(client, place), running(client, place)) for place in places}
    for place, order, back in zip(places, ORDERS, BACK, strict=True):
        assert after[place] == before[place], f"there: {order}, back: {back}"
