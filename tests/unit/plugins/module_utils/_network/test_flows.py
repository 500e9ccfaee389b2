# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Listener, workloads_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._flows import (
    host_network_note,
    mistakes,
    workloads_named,
)

BOTH = ["ingress", "egress"]


def found(shop: Any, flow: dict[str, Any], others: Any = None, **facts: Any) -> list[str]:
    said = {"default_deny": BOTH, "allow": [{"from": {"app": "frontend"}, "to": {"app": "backend"}, **flow}]}
    return mistakes("shop", shop.settings(said, **(others or {})), shop.facts(**facts))


@pytest.mark.parametrize(
    "flow",
    [
        {"ports": ["8080/TCP"]},
        {"ports": ["http/TCP", "metrics/TCP"]},
        {"ports": ["12345/UDP"]},
        {"from": {}, "to": {}},
        {"to": {"any": True}, "ports": [443]},
        {"to": {"api_server": True}},
        {"to": {"api_server": True}, "ports": ["443/TCP", "6443/TCP"]},
        {"to": {"namespace": "data"}},
        {"from": {"namespaces": {}}},
    ],
)
def test_a_flow_that_can_happen_has_no_mistake(shop: Any, flow: dict[str, Any]) -> None:
    assert found(shop, flow) == []


@pytest.mark.parametrize(
    ("flow", "because"),
    [
        ({"from": {"app": "fronted"}}, "no workload has the labels of {app: fronted}"),
        ({"to": {"app": "bakend"}}, "no workload has the labels of {app: bakend}"),
        ({"to": {"namespace": "dat"}}, "there is no namespace dat; did you mean data?"),
        ({"to": {"namespace": "data", "pods": {"app": "db"}}}, "no workload has the labels of {pods: {app: db}"),
        ({"to": {"namespaces": {"team": "x"}}}, "no namespace has the labels of {namespaces: {team: x}}"),
        ({"ports": ["htpp/TCP"]}, "has a TCP port of the name htpp; did you mean http?"),
        ({"ports": ["http/UDP"]}, "has a UDP port of the name http; there http is TCP"),
        ({"ports": ["postgres/TCP"]}, "no container of Deployment/shop/backend has a TCP port of the name postgres"),
        ({"to": {"api_server": True}, "ports": ["8443"]}, "the API servers listen on 6443, not on 8443/TCP"),
    ],
)
def test_a_flow_that_cannot_happen_is_told_with_the_reason(shop: Any, flow: dict[str, Any], because: str) -> None:
    (sentence,) = found(shop, flow)
    assert because in sentence
    assert sentence.startswith("the flow {")


def test_the_port_of_a_service_is_not_that_of_its_pods(shop: Any) -> None:
    services = {"shop": {"backend": shop.service("backend", {"port": 80, "targetPort": "http"})}}
    (sentence,) = found(shop, {"ports": ["80/TCP"]}, services=services)
    assert "80 is the port of Service backend, whose pods listen on http" in sentence
    assert found(shop, {"ports": ["8080/TCP"]}, services=services) == []


DENIED = {"podSelector": {}, "policyTypes": ["Ingress"]}
TO_DB = {"to": {"namespace": "data", "pods": {"app": "db"}}, "ports": ["5432/TCP"]}


@pytest.mark.parametrize(
    ("spec", "others", "closed"),
    [
        (DENIED, None, True),
        (DENIED, {"data": {"default_deny": ["egress"]}}, True),
        (DENIED, {"data": {"default_deny": ["ingress"]}}, False),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, None, False),
        ({**DENIED, "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 5432}]}]}, None, False),
        ({**DENIED, "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 80}]}]}, None, True),
    ],
)
def test_an_end_that_a_foreign_policy_closes_elsewhere_is_told(
    shop: Any, spec: dict[str, Any], others: Any, closed: bool
) -> None:
    database = workloads_of([], [shop.deployment("db", ("pg", 5432, "TCP"), namespace="data")])
    told = found(
        shop,
        TO_DB,
        others,
        workloads={"shop": shop.workloads(), "data": database},
        policies={"data": (shop.policy("theirs", spec, namespace="data"),)},
    )
    if closed:
        assert "ingress of Deployment/data/db is closed by NetworkPolicy/data/theirs" in told[0]
    else:
        assert told == []


def test_an_unknown_api_server_is_no_mistake_of_the_flow(shop: Any) -> None:
    assert found(shop, {"to": {"api_server": True}, "ports": [8443]}, api_servers=()) == []
    assert (
        found(shop, {"to": {"api_server": True}, "ports": [8443]}, api_servers=(Listener(("a",), ((8443, "TCP"),)),))
        == []
    )


def test_pods_on_the_host_network_are_told_as_not_provable(shop: Any) -> None:
    workloads = workloads_of([], [shop.deployment("backend", hostNetwork=True), shop.deployment("frontend")])
    facts = shop.facts(workloads={"shop": workloads})
    said = shop.settings({"default_deny": BOTH, "allow": [{"from": {"app": "frontend"}, "to": {"app": "backend"}}]})
    assert "Deployment/shop/backend" in host_network_note(workloads_named("shop", said["shop"], facts))
    assert host_network_note(workloads[1:]) == ""
