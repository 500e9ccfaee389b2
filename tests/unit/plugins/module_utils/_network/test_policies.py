# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    MANAGER,
    End,
    in_force,
    is_ours,
    is_probe,
    isolating,
    opening,
    selects,
)


def policy(spec: dict[str, Any], namespace: str = "shop", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": namespace, **metadata}, "spec": spec}


def pod(namespace: str = "shop", addresses: tuple[str, ...] = (), **labels: str) -> End:
    return End(
        namespace,
        {"kubernetes.io/metadata.name": namespace, "team": "web"},
        labels,
        addresses,
        {("http", "TCP"): 8080, ("dns", "UDP"): 53},
    )


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        ({"podSelector": {}}, {"ingress"}),
        ({"podSelector": {}, "egress": []}, {"ingress"}),
        ({"podSelector": {}, "egress": [{}]}, {"ingress", "egress"}),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, {"egress"}),
        ({"podSelector": {}, "policyTypes": ["Egress"], "ingress": [{}]}, {"egress"}),
        ({"podSelector": {}, "policyTypes": ["Ingress"], "egress": [{}]}, {"ingress"}),
        ({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, {"ingress", "egress"}),
        ({"podSelector": {}, "policyTypes": []}, {"ingress"}),
    ],
)
def test_directions_follow_the_defaults_of_policy_types(spec: dict[str, Any], directions: set[str]) -> None:
    assert set(in_force(policy(spec)).rules) == directions


@pytest.mark.parametrize(
    ("selector", "meets"),
    [
        (None, True),
        ({}, True),
        ({"matchLabels": {"app": "a"}}, True),
        ({"matchLabels": {"app": "b"}}, False),
        ({"matchLabels": {"app": "a", "tier": "web"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_selector_is_met_by_labels(selector: dict[str, Any] | None, meets: bool) -> None:
    assert selects(selector, {"app": "a"}) is meets


@pytest.mark.parametrize(
    ("rule", "other", "port", "open_"),
    [
        ({}, pod(app="x"), 1, True),
        ({"from": []}, pod(app="x"), 1, True),
        ({"from": [{"podSelector": {}}]}, pod(app="x"), 1, True),
        ({"from": [{"podSelector": {}}]}, pod("other"), 1, False),
        ({"from": [{"namespaceSelector": {}}]}, pod("other"), 1, True),
        ({"from": [{"namespaceSelector": {"matchLabels": {"team": "web"}}}]}, pod("other"), 1, True),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "y"}}}]}, pod(app="x"), 1, False),
        (
            {"from": [{"namespaceSelector": {}}, {"podSelector": {"matchLabels": {"app": "y"}}}]},
            pod("other", app="x"),
            1,
            True,
        ),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, End(addresses=("10.1.2.3",)), 1, True),
        (
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]},
            End(addresses=("10.1.2.3",)),
            1,
            False,
        ),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, pod(addresses=("10.1.2.3",)), 1, True),
        ({"from": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}, End(addresses=("10.1.2.3",)), 1, False),
        ({"from": [{"namespaceSelector": {}}]}, End(addresses=("10.1.2.3",)), 1, False),
        ({"ports": [{"port": 8080}]}, pod(), 8080, True),
        ({"ports": [{"port": 8080, "protocol": "UDP"}]}, pod(), 8080, False),
        ({"ports": [{"port": 8000, "endPort": 8100}]}, pod(), 8080, True),
        ({"ports": [{"port": 8000, "endPort": 8010}]}, pod(), 8080, False),
        ({"ports": [{"protocol": "TCP"}]}, pod(), 8080, True),
        ({"ports": [{"port": "http"}]}, pod(), 8080, True),
        ({"ports": [{"port": "http"}]}, pod(), "http", True),
        ({"ports": [{"port": "http", "protocol": "UDP"}]}, pod(), 8080, False),
        ({"ports": [{"port": "dns"}]}, pod(), 53, False),
        ({"ports": [{"port": 8080}]}, pod(), None, False),
        ({}, pod(), None, True),
    ],
)
def test_a_rule_opens_what_it_names(rule: dict[str, Any], other: End, port: int | str | None, open_: bool) -> None:
    policies = [in_force(policy({"podSelector": {}, "ingress": [rule]}))]
    assert bool(opening(policies, "ingress", pod(app="a"), other, port, "TCP")) is open_


def test_a_named_port_is_that_of_the_destination() -> None:
    policies = [
        in_force(policy({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "http"}]}]}))
    ]
    bare = End("shop", {}, {})
    assert opening(policies, "egress", bare, pod(), 8080, "TCP")
    assert not opening(policies, "egress", pod(), bare, 8080, "TCP")


def test_only_policies_of_its_namespace_that_select_it_isolate_a_pod() -> None:
    here = in_force(policy({"podSelector": {"matchLabels": {"app": "a"}}}))
    elsewhere = in_force(policy({"podSelector": {}}, namespace="other"))
    assert isolating([here, elsewhere], "ingress", pod(app="a")) == [here]
    assert isolating([here, elsewhere], "ingress", pod(app="b")) == []
    assert isolating([here, elsewhere], "egress", pod(app="a")) == []


def test_ours_has_our_label_and_our_field_manager() -> None:
    label = {"hardening.kubernetes/set": "shop"}
    assert is_ours(policy({}, labels=label))
    assert is_ours(policy({}, labels=label, managedFields=[{"manager": MANAGER}]))
    assert not is_ours(policy({}, labels=label, managedFields=[{"manager": "kubectl"}]))
    assert not is_ours(policy({}, managedFields=[{"manager": MANAGER}]))


PROBES = {"matchLabels": {"hardening.kubernetes/probe": "x"}}
OF_A_PROBE = {"podSelector": PROBES, "ingress": [{"from": [{"podSelector": PROBES}], "ports": [{"port": 20011}]}]}


def probe_policy(name: str = "hardening-probe-x-ingress", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {**OF_A_PROBE, **spec}}


def test_a_policy_of_probe_pods_alone_says_nothing_of_others() -> None:
    assert is_probe(probe_policy())


@pytest.mark.parametrize(
    "policy_object",
    [
        probe_policy("theirs"),
        probe_policy(podSelector={}),
        probe_policy(ingress=[{}]),
        probe_policy(ingress=[*OF_A_PROBE["ingress"], {"from": [{"podSelector": {}}], "ports": [{"port": 1}]}]),
        probe_policy(ingress=[{"from": [{"podSelector": PROBES}, {"namespaceSelector": {}}], "ports": [{"port": 1}]}]),
        probe_policy(ingress=[{"from": [{"podSelector": PROBES}]}]),
        probe_policy(egress=[{}]),
    ],
)
def test_nobody_hides_behind_the_label_of_a_probe(policy_object: dict[str, Any]) -> None:
    assert not is_probe(policy_object)
