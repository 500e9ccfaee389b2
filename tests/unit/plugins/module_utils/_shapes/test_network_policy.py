# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import (
    completed,
    mistakes_in,
    wrong_name,
)

WEB: dict[str, Any] = {"matchLabels": {"app": "web"}}


def of_peer(peer: Any) -> dict[str, Any]:
    return {"podSelector": {}, "ingress": [{"from": [peer]}]}


def of_port(port: Any) -> dict[str, Any]:
    return {"podSelector": {}, "egress": [{"ports": [port]}]}


def of_requirement(**requirement: Any) -> dict[str, Any]:
    return {"podSelector": {"matchExpressions": [requirement]}}


@pytest.mark.parametrize(
    "spec",
    [
        {"podSelector": {}},
        {"podSelector": WEB, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": []},
        of_requirement(key="example.com/tier", operator="In", values=["a", ""]),
        of_requirement(key="tier", operator="DoesNotExist"),
        of_peer({"podSelector": {}}),
        of_peer({"podSelector": WEB, "namespaceSelector": {}}),
        of_peer({"ipBlock": {"cidr": "10.0.0.7/8", "except": ["10.1.0.0/16"]}}),
        of_peer({"ipBlock": {"cidr": "fd00::/8"}}),
        of_port({}),
        of_port({"port": "http", "protocol": "UDP"}),
        of_port({"port": 8000, "endPort": 8000}),
    ],
)
def test_what_a_server_takes_is_right(spec: dict[str, Any]) -> None:
    assert list(mistakes_in(spec)) == []


@pytest.mark.parametrize(
    ("spec", "path", "text"),
    [
        (None, (), "is not a mapping with podSelector"),
        ([], (), "is not a mapping"),
        ({}, (), "podSelector is missing"),
        ({"podSelector": {}, "ingres": []}, ("ingres",), "Did you mean ingress?"),
        ({"podSelector": None}, ("podSelector",), "is not a mapping with matchLabels"),
        ({"podSelector": {"app": "web"}}, ("podSelector", "app"), "there is no such field"),
        ({"podSelector": {"matchLabels": {"app": 1}}}, ("podSelector", "matchLabels"), "the value of a label"),
        ({"podSelector": {"matchLabels": ["app"]}}, ("podSelector", "matchLabels"), "a mapping of labels"),
        ({"podSelector": {}, "policyTypes": ["ingress"]}, ("policyTypes", 0), "allowed: Ingress, Egress"),
        ({"podSelector": {}, "ingress": {}}, ("ingress",), "is not a list"),
        ({"podSelector": {}, "ingress": [None]}, ("ingress", 0), "is not a mapping with from, ports"),
        ({"podSelector": {}, "ingress": [{"to": []}]}, ("ingress", 0, "to"), "there is no such field"),
        (of_requirement(key="a", operator="Is"), ("podSelector", "matchExpressions", 0, "operator"), "In, NotIn"),
        (of_requirement(key="a", operator="In"), ("podSelector", "matchExpressions", 0, "operator"), "needs values"),
        (
            of_requirement(key="a", operator="Exists", values=["b"]),
            ("podSelector", "matchExpressions", 0, "values"),
            "takes no values",
        ),
        (of_requirement(key="a"), ("podSelector", "matchExpressions", 0), "operator is missing"),
        (of_requirement(key="-", operator="Exists"), ("podSelector", "matchExpressions", 0, "key"), "key of a label"),
        (of_peer({}), ("ingress", 0, "from", 0), "names nobody"),
        (
            of_peer({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}),
            ("ingress", 0, "from", 0, "ipBlock"),
            "does not go together",
        ),
        (of_peer({"ipBlock": {"cidr": "10.0.0.0"}}), ("ingress", 0, "from", 0, "ipBlock", "cidr"), "a CIDR like"),
        (of_peer({"ipBlock": {}}), ("ingress", 0, "from", 0, "ipBlock"), "cidr is missing"),
        (
            of_peer({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}),
            ("ingress", 0, "from", 0, "ipBlock", "except", 0),
            "is not a part of 10.0.0.0/8",
        ),
        (of_port({"port": "8080"}), ("egress", 0, "ports", 0, "port"), "a number, or the name"),
        (of_port({"port": 0}), ("egress", 0, "ports", 0, "port"), "from 1 to 65535"),
        (of_port({"port": True}), ("egress", 0, "ports", 0, "port"), "from 1 to 65535"),
        (of_port({"protocol": "ICMP"}), ("egress", 0, "ports", 0, "protocol"), "TCP, UDP, SCTP"),
        (of_port({"port": 90, "endPort": 80}), ("egress", 0, "ports", 0, "endPort"), "80 is less than port 90"),
        (of_port({"port": "http", "endPort": 80}), ("egress", 0, "ports", 0, "endPort"), "needs port as a number"),
        (of_port({"endPort": 80}), ("egress", 0, "ports", 0, "endPort"), "needs port as a number"),
    ],
)
def test_a_mistake_is_told_once_with_its_place(spec: Any, path: tuple[str | int, ...], text: str) -> None:
    ((found, told),) = mistakes_in(spec)
    assert found == path
    assert text in told


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ({"podSelector": {}}, {"podSelector": {}, "policyTypes": ["Ingress"]}),
        ({"podSelector": {}, "egress": []}, {"podSelector": {}, "policyTypes": ["Ingress"]}),
        (
            {"podSelector": {}, "egress": [{}]},
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]},
        ),
        (
            {"podSelector": {"matchLabels": {}, "matchExpressions": []}, "ingress": [{"from": [], "ports": []}]},
            {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]},
        ),
        (
            {
                "podSelector": WEB,
                "policyTypes": ["Egress"],
                "egress": [
                    {
                        "to": [{"podSelector": {"matchLabels": {}}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": []}}],
                        "ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}],
                    }
                ],
            },
            {
                "podSelector": WEB,
                "policyTypes": ["Egress"],
                "egress": [
                    {
                        "to": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}],
                        "ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
                    }
                ],
            },
        ),
    ],
)
def test_a_spec_is_completed_as_the_server_does(spec: dict[str, Any], kept: dict[str, Any]) -> None:
    assert completed(spec) == kept
    assert completed(kept) == kept
    assert list(mistakes_in(kept)) == []


@pytest.mark.parametrize("name", ["web", "web.v2", "a" * 253])
def test_names_of_policies(name: str) -> None:
    assert wrong_name(name) == ""


@pytest.mark.parametrize("name", ["", "Web", "a" * 254, "hardening-default-deny", "hardening-mine", "-a"])
def test_names_that_are_none_or_ours(name: str) -> None:
    assert wrong_name(name)
