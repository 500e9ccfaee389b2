# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Dns, Listener
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import generate, unknown_ends

BOTH = ["ingress", "egress"]
FRONT_TO_BACK = {"from": {"app": "frontend"}, "to": {"app": "backend"}, "ports": ["8080/TCP"]}


def specs(shop: Any, said: dict[str, Any], namespace: str = "shop", others: Any = None, **facts: Any) -> dict[str, Any]:
    """The specs of one namespace's policies, by name less the hash."""
    made = generate(shop.settings(said, **(others or {})), shop.facts(**facts), "set")[namespace]
    return {_unhashed(each["metadata"]["name"]): each["spec"] for each in made.policies}


def _unhashed(name: str) -> str:
    return "-".join(part for part in name.split("-") if len(part) != 8 or not set(part) <= set("0123456789abcdef"))


@pytest.mark.parametrize(
    ("deny", "types"),
    [(["ingress"], ["Ingress"]), (["egress"], ["Egress"]), (BOTH, ["Ingress", "Egress"])],
)
def test_a_default_deny_selects_every_pod_and_opens_nothing(shop: Any, deny: list[str], types: list[str]) -> None:
    assert specs(shop, {"default_deny": deny}) == {"hardening-default-deny": {"podSelector": {}, "policyTypes": types}}


def test_settings_that_deny_nothing_make_no_policy(shop: Any) -> None:
    assert specs(shop, {"dns": True}) == {}


INGRESS = {
    "podSelector": {"matchLabels": {"app": "backend"}},
    "policyTypes": ["Ingress"],
    "ingress": [
        {
            "from": [{"podSelector": {"matchLabels": {"app": "frontend"}}}],
            "ports": [{"port": 8080, "protocol": "TCP"}],
        }
    ],
}
EGRESS = {
    "podSelector": {"matchLabels": {"app": "frontend"}},
    "policyTypes": ["Egress"],
    "egress": [
        {"to": [{"podSelector": {"matchLabels": {"app": "backend"}}}], "ports": [{"port": 8080, "protocol": "TCP"}]}
    ],
}


@pytest.mark.parametrize(
    ("deny", "ends"),
    [
        (["ingress"], {"hardening-allow-frontend-to-backend-ingress": INGRESS}),
        (["egress"], {"hardening-allow-frontend-to-backend-egress": EGRESS}),
        (
            BOTH,
            {
                "hardening-allow-frontend-to-backend-ingress": INGRESS,
                "hardening-allow-frontend-to-backend-egress": EGRESS,
            },
        ),
    ],
)
def test_a_flow_opens_the_ends_that_are_denied_and_no_others(shop: Any, deny: list[str], ends: dict[str, Any]) -> None:
    found = specs(shop, {"default_deny": deny, "allow": [FRONT_TO_BACK]})
    found.pop("hardening-default-deny")
    assert found == ends


def test_what_opens_stands_before_what_closes(shop: Any) -> None:
    said = {"default_deny": BOTH, "dns": True, "allow": [FRONT_TO_BACK]}
    names = [each["metadata"]["name"] for each in generate(shop.settings(said), shop.facts(), "set")["shop"].policies]
    assert names[0] == "hardening-allow-dns"
    assert names[-1] == "hardening-default-deny"
    assert len(names) == 4


def test_every_policy_carries_the_set(shop: Any) -> None:
    said = {"default_deny": BOTH, "dns": True, "allow": [FRONT_TO_BACK]}
    policies = generate(shop.settings(said), shop.facts(), "payments")["shop"].policies
    assert {each["metadata"]["labels"]["hardening.kubernetes/set"] for each in policies} == {"payments"}
    assert {each["metadata"]["namespace"] for each in policies} == {"shop"}


def test_dns_is_opened_at_the_ports_of_its_pods(shop: Any) -> None:
    dns = Dns("openshift-dns", {"dns.operator.openshift.io/daemonset-dns": "default"}, ((5353, "TCP"), (5353, "UDP")))
    found = specs(shop, {"default_deny": ["egress"], "dns": True}, dns=dns)["hardening-allow-dns"]
    assert found["podSelector"] == {}
    assert found["egress"] == [
        {
            "to": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}},
                    "podSelector": {"matchLabels": {"dns.operator.openshift.io/daemonset-dns": "default"}},
                }
            ],
            "ports": [{"port": 5353, "protocol": "TCP"}, {"port": 5353, "protocol": "UDP"}],
        }
    ]


def test_a_node_local_cache_is_reached_at_its_address_and_the_services(shop: Any) -> None:
    said = {"default_deny": ["egress"], "dns": {"node_local": "169.254.20.10"}}
    rules = specs(shop, said)["hardening-allow-dns"]["egress"]
    assert rules[1] == {
        "to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}, {"ipBlock": {"cidr": "10.96.0.10/32"}}],
        "ports": [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
    }


def test_dns_is_not_opened_where_egress_is_not_denied(shop: Any) -> None:
    assert "hardening-allow-dns" not in specs(shop, {"default_deny": ["ingress"], "dns": True})


PORTS = [{"port": 443, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("peer", "peers"),
    [
        ({"cidr": "10.0.0.0/8"}, [{"ipBlock": {"cidr": "10.0.0.0/8"}}]),
        (
            {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]},
            [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
        ),
        ({"any": True}, None),
        (
            {"namespace": "data"},
            [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}}}],
        ),
        (
            {"namespace": "data", "pods": {"app": "db"}},
            [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}},
                    "podSelector": {"matchLabels": {"app": "db"}},
                }
            ],
        ),
        ({"namespaces": {"team": "x"}}, [{"namespaceSelector": {"matchLabels": {"team": "x"}}}]),
        ({"namespaces": {}}, [{"namespaceSelector": {}}]),
        ({}, [{"podSelector": {}}]),
    ],
)
def test_every_form_of_a_peer_becomes_the_peer_of_a_rule(shop: Any, peer: dict[str, Any], peers: Any) -> None:
    said = {"default_deny": ["egress"], "allow": [{"from": {"app": "frontend"}, "to": peer, "ports": ["443/TCP"]}]}
    (found,) = (spec for name, spec in specs(shop, said).items() if name != "hardening-default-deny")
    assert found["egress"] == [{"to": peers, "ports": PORTS} if peers else {"ports": PORTS}]


def test_ports_are_numbers_ranges_and_names(shop: Any) -> None:
    flow = {**FRONT_TO_BACK, "ports": ["8080", "9000-9100/UDP", "http/TCP"]}
    found = specs(shop, {"default_deny": ["ingress"], "allow": [flow]})["hardening-allow-frontend-to-backend-ingress"]
    assert found["ingress"][0]["ports"] == [
        {"port": 8080, "protocol": "TCP"},
        {"port": 9000, "endPort": 9100, "protocol": "UDP"},
        {"port": "http", "protocol": "TCP"},
    ]


def test_no_ports_are_all_ports(shop: Any) -> None:
    found = specs(shop, {"default_deny": ["ingress"], "allow": [{**FRONT_TO_BACK, "ports": []}]})
    assert "ports" not in found["hardening-allow-frontend-to-backend-ingress"]["ingress"][0]


SERVERS = (
    Listener(("172.18.0.2", "172.18.0.3"), ((6443, "TCP"),)),
    Listener(("fd00::2",), ((6443, "TCP"),)),
)


def test_the_api_server_is_opened_at_its_addresses_and_ports(shop: Any) -> None:
    said = {"default_deny": BOTH, "allow": [{"from": {"app": "frontend"}, "to": {"api_server": True}}]}
    made = generate(shop.settings(said), shop.facts(api_servers=SERVERS), "set")["shop"]
    (policy,) = made.allows
    assert made.api_server == {policy["metadata"]["name"]}
    assert policy["spec"]["egress"] == [
        {
            "to": [{"ipBlock": {"cidr": "172.18.0.2/32"}}, {"ipBlock": {"cidr": "172.18.0.3/32"}}],
            "ports": [{"port": 6443, "protocol": "TCP"}],
        },
        {"to": [{"ipBlock": {"cidr": "fd00::2/128"}}], "ports": [{"port": 6443, "protocol": "TCP"}]},
    ]


def test_the_api_server_is_let_in_on_the_ports_of_the_pods(shop: Any) -> None:
    flow = {"from": {"api_server": True}, "to": {"app": "backend"}, "ports": ["8443/TCP"]}
    found = specs(shop, {"default_deny": ["ingress"], "allow": [flow]}, api_servers=SERVERS)
    assert found["hardening-allow-api-server-to-backend-ingress"]["ingress"] == [
        {
            "from": [{"ipBlock": {"cidr": f"{each}"}} for each in ("172.18.0.2/32", "172.18.0.3/32", "fd00::2/128")],
            "ports": [{"port": 8443, "protocol": "TCP"}],
        }
    ]


@pytest.mark.parametrize("end", ["from", "to"])
def test_an_api_server_nobody_knows_never_becomes_everybody(shop: Any, end: str) -> None:
    flow = {"from": {"app": "backend"}, "to": {"app": "backend"}, "ports": [443], end: {"api_server": True}}
    said = {"default_deny": BOTH, "allow": [flow]}
    assert list(specs(shop, said, api_servers=())) == ["hardening-default-deny"]
    (sentence,) = unknown_ends(shop.settings(said)["shop"], shop.facts(api_servers=()))
    assert "not known" in sentence


def test_dns_that_nobody_found_is_told_and_not_opened(shop: Any) -> None:
    said = {"default_deny": ["egress"], "dns": True}
    facts = shop.facts(dns=None, unreadable={"dns": "not allowed to get services"})
    assert list(specs(shop, said, dns=None)) == ["hardening-default-deny"]
    (sentence,) = unknown_ends(shop.settings(said)["shop"], facts)
    assert "not allowed to get services" in sentence


TO_DATA = {"from": {"app": "backend"}, "to": {"pods": {"app": "db"}, "namespace": "data"}, "ports": ["5432/TCP"]}


def test_the_other_end_is_opened_in_a_namespace_that_is_denied_too(shop: Any) -> None:
    said, data = {"default_deny": BOTH, "allow": [TO_DATA]}, {"data": {"default_deny": ["ingress"]}}
    assert specs(shop, said, "data", data)["hardening-allow-shop-backend-to-db-ingress"] == {
        "podSelector": {"matchLabels": {"app": "db"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
                        "podSelector": {"matchLabels": {"app": "backend"}},
                    }
                ],
                "ports": [{"port": 5432, "protocol": "TCP"}],
            }
        ],
    }
    assert "hardening-allow-backend-to-data-db-egress" in specs(shop, said, "shop", data)


@pytest.mark.parametrize("data", [{}, {"data": {"default_deny": ["egress"]}}])
def test_the_other_end_is_left_alone_where_it_is_not_denied(shop: Any, data: dict[str, Any]) -> None:
    made = generate(shop.settings({"default_deny": BOTH, "allow": [TO_DATA]}, **data), shop.facts(), "set")
    assert not made["data"].allows if data else "data" not in made


def test_the_same_flow_declared_at_both_ends_is_opened_once(shop: Any) -> None:
    mirrored = {"from": {"pods": {"app": "backend"}, "namespace": "shop"}, "to": {"app": "db"}, "ports": ["5432/TCP"]}
    made = generate(
        shop.settings({"default_deny": BOTH, "allow": [TO_DATA]}, data={"default_deny": BOTH, "allow": [mirrored]}),
        shop.facts(),
        "set",
    )
    assert [len(made[name].allows) for name in ("shop", "data")] == [1, 1]


def test_namespaces_by_label_are_opened_at_each_that_is_denied(shop: Any) -> None:
    flow = {"from": {"app": "backend"}, "to": {"namespaces": {}, "pods": {"app": "db"}}, "ports": ["5432/TCP"]}
    made = generate(
        shop.settings({"default_deny": ["egress"], "allow": [flow]}, data={"default_deny": ["ingress"]}),
        shop.facts(),
        "set",
    )
    (there,) = made["data"].allows
    assert there["spec"]["ingress"][0]["from"][0]["podSelector"] == {"matchLabels": {"app": "backend"}}


def test_anyone_opens_this_end_alone(shop: Any) -> None:
    flow = {"from": {"any": True}, "to": {"app": "frontend"}, "ports": ["8080/TCP"]}
    made = generate(
        shop.settings({"default_deny": BOTH, "allow": [flow]}, data={"default_deny": BOTH}), shop.facts(), "set"
    )
    assert [each["spec"]["policyTypes"] for each in made["shop"].allows] == [["Ingress"]]
    assert made["data"].allows == ()


def test_names_are_stable_and_valid(shop: Any) -> None:
    flow = {
        "from": {"app.kubernetes.io/name": "Front_End", "tier": "x" * 60},
        "to": {"cidr": "2001:db8::/32"},
        "ports": ["443/TCP"],
    }
    said = {"default_deny": ["egress"], "allow": [flow]}
    first, second = (generate(shop.settings(said), shop.facts(), "set")["shop"].allows[0] for _time in range(2))
    name = first["metadata"]["name"]
    assert name == second["metadata"]["name"]
    assert name.startswith("hardening-allow-front-end-xxx")
    assert "-to-2001-db8-32-" in name
    assert len(name) <= 253 and name == name.lower()


def test_another_port_is_another_policy_and_another_address_is_not(shop: Any) -> None:
    def name(flow: dict[str, Any], **facts: Any) -> str:
        said = shop.settings({"default_deny": ["egress"], "allow": [flow]})
        return str(generate(said, shop.facts(**facts), "set")["shop"].allows[0]["metadata"]["name"])

    assert name(FRONT_TO_BACK) != name({**FRONT_TO_BACK, "ports": ["8081/TCP"]})
    to_server = {"from": {"app": "frontend"}, "to": {"api_server": True}}
    moved = replace(SERVERS[0], addresses=("172.18.0.99",))
    assert name(to_server, api_servers=SERVERS) == name(to_server, api_servers=(moved,))
