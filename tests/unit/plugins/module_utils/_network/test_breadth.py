# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._breadth import (
    from_outside,
    opens_everything,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import Rule

NAME = "kubernetes.io/metadata.name"
NAMESPACES = {name: {NAME: name, "team": name[0]} for name in ("shop", "data", "kube-system")}


def named(*names: str, operator: str = "In") -> dict[str, Any]:
    values = {"values": list(names)} if names else {}
    return {"namespaceSelector": {"matchExpressions": [{"key": NAME, "operator": operator, **values}]}}


def block(cidr: str, *excepted: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr, "except": list(excepted)}}


OFF_LABEL = {"podSelector": {"matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]}}


@pytest.mark.parametrize(
    ("peers", "ports", "everything"),
    [
        ((), (), True),
        (({"ipBlock": {"cidr": "0.0.0.0/0"}},), (), True),
        (({"ipBlock": {"cidr": "::/0"}},), (), True),
        (({"ipBlock": {"cidr": "0.0.0.0/1"}}, {"ipBlock": {"cidr": "128.0.0.0/1"}}), (), True),
        (({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},), (), True),
        (({"ipBlock": {"cidr": "10.0.0.0/8"}},), (), False),
        (({"namespaceSelector": {}},), (), True),
        (({"namespaceSelector": {}, "podSelector": {}},), (), True),
        (({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "a"}}},), (), False),
        (({"podSelector": {}},), (), False),
        ((named(operator="Exists"),), (), True),
        ((named("kube-system", operator="NotIn"),), (), True),
        ((named(*NAMESPACES),), (), True),
        ((named("shop"), named("data"), named("kube-system")), (), True),
        ((named("shop", "data"),), (), False),
        (({"namespaceSelector": {"matchLabels": {"team": "s"}}},), (), False),
        (({"namespaceSelector": {}, **OFF_LABEL},), (), True),
        ((block("0.0.0.0/0", "203.0.113.7/32"),), (), True),
        ((block("::/0", "2001:db8::/32"),), (), True),
        ((block("0.0.0.0/0", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),), (), False),
        ((block("0.0.0.0/1"), block("128.0.0.0/2"), block("192.0.0.0/3")), (), True),
        ((), ({"port": 1, "endPort": 30000}, {"port": 30001, "endPort": 65535}), True),
        ((), ({"port": 1, "endPort": 30000}, {"port": 30002, "endPort": 65535}), False),
        ((), ({"port": 1, "endPort": 30000}, {"port": 30001, "endPort": 65535, "protocol": "UDP"}), False),
        ((), ({"port": "http"},), False),
        ((), ({"port": 80},), False),
        ((), ({"protocol": "TCP"},), True),
        ((), ({"port": 1, "endPort": 65535},), True),
        ((), ({"port": 1024, "endPort": 65535},), False),
    ],
)
def test_everything_can_be_opened_in_many_ways(
    peers: tuple[dict[str, Any], ...], ports: tuple[dict[str, Any], ...], everything: bool
) -> None:
    assert opens_everything([Rule(peers, ports)], NAMESPACES) is everything


def test_rules_open_everything_together() -> None:
    low, high = ({"port": 1, "endPort": 30000},), ({"port": 30001, "endPort": 65535},)
    assert opens_everything([Rule((), low), Rule(({"namespaceSelector": {}},), high)], NAMESPACES)
    assert not opens_everything([Rule((), low), Rule((named("shop"),), high)], NAMESPACES)
    assert opens_everything([Rule((named("shop", "data"),), ()), Rule((named("kube-system"),), ())], NAMESPACES)


def test_who_may_see_few_namespaces_does_not_take_these_for_all() -> None:
    assert not opens_everything([Rule((named("shop"),), ())], {"shop": {NAME: "shop"}})


@pytest.mark.parametrize(
    ("peers", "outside"),
    [
        ((), True),
        ((block("192.0.2.0/24"),), True),
        ((block("172.18.0.2/32"),), False),
        ((block("172.18.0.2/31"),), False),
        ((block("172.18.0.2/30"),), True),
        ((named("shop"),), False),
    ],
)
def test_the_clusters_own_addresses_are_not_the_outside(peers: tuple[Any, ...], outside: bool) -> None:
    assert from_outside(Rule(peers, ()), ["172.18.0.2", "172.18.0.3"]) is outside
