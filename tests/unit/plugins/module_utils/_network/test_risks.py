# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import (
    RISK_KINDS,
    Caller,
    callers_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import workloads_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import plan
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import RISKS

HOOK = {"name": "w", "clientConfig": {"service": {"namespace": "shop", "name": "backend", "port": 443}}}
CALLERS: dict[str, dict[str, Any]] = {
    "webhook": {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "w"}, "webhooks": [HOOK]},
    "aggregated_api": {
        "kind": "APIService",
        "metadata": {"name": "v1.a"},
        "spec": {"service": {"namespace": "shop", "name": "backend"}},
    },
    "crd_conversion": {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.a"},
        "spec": {"conversion": {"webhook": {"clientConfig": HOOK["clientConfig"]}}},
    },
    "ingress": {
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "shop"},
        "spec": {"defaultBackend": {"service": {"name": "backend", "port": {"number": 443}}}},
    },
    "gateway": {
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "data"},
        "spec": {
            "parentRefs": [{"name": "g"}],
            "rules": [{"backendRefs": [{"name": "backend", "namespace": "shop", "port": 443}]}],
        },
    },
    "openshift_route": {
        "kind": "Route",
        "metadata": {"name": "r", "namespace": "shop"},
        "spec": {"to": {"kind": "Service", "name": "backend"}, "port": {"targetPort": "https"}},
    },
}
SERVICE_TYPES = {"load_balancer": "LoadBalancer", "node_port": "NodePort"}
COVER = {
    "webhook": {"api_server": True},
    "aggregated_api": {"api_server": True},
    "crd_conversion": {"cidr": "172.18.0.0/16"},
    "ingress": {"namespace": "data"},
    "gateway": {"namespace": "data"},
    "openshift_route": {"namespaces": {}},
    "load_balancer": {"any": True},
    "node_port": {"cidr": "192.0.2.0/24"},
}
INGRESS_RISKS = [risk for risk in RISKS if risk != "dns"]


def standing(shop: Any, risk: str, **service: Any) -> dict[str, Any]:
    """Facts of a shop whose backend stands behind what makes the risk."""
    kind = {"type": SERVICE_TYPES[risk]} if risk in SERVICE_TYPES else {}
    made = shop.service("backend", {"name": "https", "port": 443, "targetPort": "http"}, **kind, **service)
    callers = tuple(callers_of([made, *([CALLERS[risk]] if risk in CALLERS else [])]))
    entrance = shop.service("entrance", {"port": 443}, namespace="data", type="LoadBalancer")
    return {"services": {"shop": {"backend": made}, "data": {"entrance": entrance}}, "callers": callers}


def reasons(shop: Any, said: dict[str, Any], **facts: Any) -> tuple[str, ...]:
    found = plan(shop.settings(said), shop.facts(**facts), "set")
    assert ("shop" in found.refused) != ("shop" in found.steps)
    return tuple(found.refused.get("shop", ()))


@pytest.mark.parametrize("risk", INGRESS_RISKS)
def test_an_ingress_deny_in_front_of_what_is_called_is_refused_with_the_line_to_add(shop: Any, risk: str) -> None:
    (reason,) = reasons(shop, {"default_deny": ["ingress"]}, **standing(shop, risk))
    assert "Service/shop/backend" in reason
    assert "to: {app: backend}, ports: [8080/TCP]" in reason
    assert f"accept_risks: [{risk}]" in reason


@pytest.mark.parametrize("risk", INGRESS_RISKS)
def test_an_accepted_risk_is_taken_and_no_other(shop: Any, risk: str) -> None:
    facts = standing(shop, risk)
    assert reasons(shop, {"default_deny": ["ingress"], "accept_risks": [risk]}, **facts) == ()
    others = [each for each in RISKS if each != risk]
    assert len(reasons(shop, {"default_deny": ["ingress"], "accept_risks": others}, **facts)) == 1


@pytest.mark.parametrize("risk", INGRESS_RISKS)
@pytest.mark.parametrize("ports", [["8080/TCP"], ["http/TCP"], ["8000-8100/TCP"], []])
def test_an_allow_that_covers_the_port_of_the_pods_is_enough(shop: Any, risk: str, ports: list[str]) -> None:
    flow = {"from": COVER[risk], "to": {"app": "backend"}, "ports": ports}
    assert reasons(shop, {"default_deny": ["ingress"], "allow": [flow]}, **standing(shop, risk)) == ()


@pytest.mark.parametrize("risk", INGRESS_RISKS)
@pytest.mark.parametrize(
    "flow",
    [
        {"to": {"app": "backend"}, "ports": ["443/TCP"]},
        {"to": {"app": "backend"}, "ports": ["8080/UDP"]},
        {"to": {"app": "frontend"}, "ports": ["8080/TCP"]},
        {"from": {"app": "frontend"}, "to": {"app": "backend"}, "ports": ["8080/TCP"]},
    ],
)
def test_an_allow_for_something_else_is_not(shop: Any, risk: str, flow: dict[str, Any]) -> None:
    said = {"default_deny": ["ingress"], "allow": [{"from": COVER[risk], **flow}]}
    assert len(reasons(shop, said, **standing(shop, risk))) == 1


@pytest.mark.parametrize("source", [{"cidr": "10.0.0.0/8"}, {"namespace": "data"}, {"namespaces": {}}])
def test_a_webhook_is_called_from_the_addresses_of_the_api_server(shop: Any, source: dict[str, Any]) -> None:
    said = {"default_deny": ["ingress"], "allow": [{"from": source, "to": {"app": "backend"}, "ports": [8080]}]}
    assert len(reasons(shop, said, **standing(shop, "webhook"))) == 1


def test_a_foreign_allow_covers_too(shop: Any) -> None:
    theirs = shop.policy(
        "theirs", {"podSelector": {"matchLabels": {"app": "backend"}}, "ingress": [{"ports": [{"port": 8080}]}]}
    )
    facts = {**standing(shop, "node_port"), "policies": {"shop": (theirs,)}}
    assert reasons(shop, {"default_deny": ["ingress"]}, **facts) == ()


@pytest.mark.parametrize("risk", INGRESS_RISKS)
def test_an_egress_deny_does_not_shut_anybody_out(shop: Any, risk: str) -> None:
    assert reasons(shop, {"default_deny": ["egress"], "dns": True}, **standing(shop, risk)) == ()


def test_a_service_without_pods_yet_is_judged_by_its_selector(shop: Any) -> None:
    facts = {**standing(shop, "node_port"), "workloads": {}}
    assert len(reasons(shop, {"default_deny": ["ingress"]}, **facts)) == 1
    flow = {"from": {"any": True}, "to": {"app": "backend"}, "ports": ["http/TCP"]}
    assert reasons(shop, {"default_deny": ["ingress"], "allow": [flow]}, **facts) == ()


def test_a_service_without_a_selector_is_covered_only_for_all_pods(shop: Any) -> None:
    facts = standing(shop, "node_port", selector=None)
    some = {"from": {"any": True}, "to": {"app": "backend"}}
    every = {"from": {"any": True}, "to": {}}
    assert len(reasons(shop, {"default_deny": ["ingress"], "allow": [some]}, **facts)) == 1
    assert reasons(shop, {"default_deny": ["ingress"], "allow": [every]}, **facts) == ()


@pytest.mark.parametrize(
    "caller", [Caller("webhook", "w", "shop", "gone", 443), Caller("webhook", "w", "data", "x", 443)]
)
def test_what_calls_nothing_in_the_namespace_is_no_risk(shop: Any, caller: Caller) -> None:
    assert reasons(shop, {"default_deny": ["ingress"]}, callers=(caller,)) == ()


def test_pods_on_the_host_network_are_not_shut_out(shop: Any) -> None:
    workloads = {"shop": workloads_of([], [shop.deployment("backend", ("http", 8080, "TCP"), hostNetwork=True)])}
    assert reasons(shop, {"default_deny": ["ingress"]}, **{**standing(shop, "node_port"), "workloads": workloads}) == ()


@pytest.mark.parametrize(("risk", "kind"), [(risk, kind) for risk in INGRESS_RISKS for kind in RISK_KINDS[risk]])
def test_what_could_not_be_read_counts_as_a_risk(shop: Any, risk: Any, kind: str) -> None:
    sentence = f"not allowed to list {kind}"
    found = reasons(shop, {"default_deny": ["ingress"]}, unreadable={kind: sentence})
    assert any(sentence in reason and f"accept_risks: [{risk}]" in reason for reason in found)
    taken = [each for each, kinds in RISK_KINDS.items() if kind in kinds]
    assert reasons(shop, {"default_deny": ["ingress"], "accept_risks": taken}, unreadable={kind: sentence}) == ()


def test_an_egress_deny_without_dns_is_refused_and_names_who_loses_it(shop: Any) -> None:
    (reason,) = reasons(shop, {"default_deny": ["egress"]})
    assert "Deployment/shop/frontend" in reason and "add dns: true" in reason
    assert reasons(shop, {"default_deny": ["egress"], "accept_risks": ["dns"]}) == ()
    assert reasons(shop, {"default_deny": ["ingress"]}) == ()


DNS_PODS = {"namespace": "kube-system", "pods": {"k8s-app": "kube-dns"}}
EVERYBODY = ["backend", "frontend", "postgres"]
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]


@pytest.mark.parametrize(
    ("flows", "losing"),
    [
        ([{"from": {}, "to": DNS_PODS, "ports": ["53/UDP", "53/TCP"]}], []),
        ([{"from": {}, "to": {"namespace": "kube-system"}}], []),
        ([{"from": {}, "to": {"any": True}, "ports": ["53/UDP", "53/TCP"]}], []),
        ([{"from": {}, "to": {"any": True}, "ports": ["53/UDP"]}], EVERYBODY),
        ([{"from": {}, "to": {"cidr": "10.244.0.0/16"}}], EVERYBODY),
        ([{"from": {}, "to": {"cidr": "10.96.0.0/16"}, "ports": ["53/UDP", "53/TCP"]}], EVERYBODY),
        ([{"from": {}, "to": {"cidr": "0.0.0.0/0", "except": PRIVATE}}], EVERYBODY),
        ([{"from": {}, "to": {"cidr": "169.254.20.10/32"}}], EVERYBODY),
        ([{"from": {}, "to": DNS_PODS, "ports": ["53/TCP"]}], EVERYBODY),
        ([{"from": {}, "to": DNS_PODS, "ports": ["53/UDP"]}], EVERYBODY),
        ([{"from": {"app": "frontend"}, "to": DNS_PODS}], ["backend", "postgres"]),
        (
            [{"from": {"app": name}, "to": DNS_PODS} for name in ("frontend", "backend", "postgres")],
            [],
        ),
    ],
)
def test_an_allow_to_the_dns_keeps_it_for_whom_it_names(
    shop: Any, flows: list[dict[str, Any]], losing: list[str]
) -> None:
    found = reasons(shop, {"default_deny": ["egress"], "allow": flows})
    assert bool(found) is bool(losing)
    for name in ("frontend", "backend", "postgres"):
        assert any(f"Deployment/shop/{name}" in reason for reason in found) is (name in losing)


def test_an_empty_namespace_would_lose_dns_too(shop: Any) -> None:
    assert len(reasons(shop, {"default_deny": ["egress"]}, workloads={})) == 1
    assert reasons(shop, {"default_deny": ["egress"], "dns": True}, workloads={}) == ()


@pytest.mark.parametrize("spec", [{"hostNetwork": True}, {"dnsPolicy": "Default"}, {"dnsPolicy": "None"}])
def test_who_does_not_ask_the_clusters_dns_cannot_lose_it(shop: Any, spec: dict[str, Any]) -> None:
    workloads = {"shop": workloads_of([], [shop.deployment("agent", **spec)])}
    assert reasons(shop, {"default_deny": ["egress"]}, workloads=workloads) == ()


def node_local(shop: Any, *args: str) -> dict[str, Any]:
    cache = shop.deployment("node-local-dns", namespace="kube-system", hostNetwork=True)
    cache["spec"]["template"]["spec"]["containers"][0]["args"] = list(args)
    return {"components": workloads_of([], [cache])}


@pytest.mark.parametrize(
    ("args", "address"), [((), "169.254.20.10"), (("-localip", "169.254.25.10,10.96.0.10"), "169.254.25.10")]
)
def test_a_cache_on_the_nodes_has_to_be_named(shop: Any, args: tuple[str, ...], address: str) -> None:
    facts = node_local(shop, *args)
    (reason,) = reasons(shop, {"default_deny": ["egress"], "dns": True}, **facts)
    assert f"add dns: {{node_local: {address}}}" in reason
    assert reasons(shop, {"default_deny": ["egress"], "dns": {"node_local": address}}, **facts) == ()
    assert len(reasons(shop, {"default_deny": ["egress"], "dns": {"node_local": "169.254.9.9"}}, **facts)) == 1


def test_whether_there_is_a_cache_on_the_nodes_must_be_seen_or_said(shop: Any) -> None:
    facts = {"unreadable": {"components": "not allowed to list daemonsets"}}
    (reason,) = reasons(shop, {"default_deny": ["egress"], "dns": True}, **facts)
    assert "not allowed to list daemonsets" in reason
    assert reasons(shop, {"default_deny": ["egress"], "dns": {"node_local": "169.254.20.10"}}, **facts) == ()


DNS_LABELS = {"k8s-app": "kube-dns"}
FROM_ALL = {"from": {"namespaces": {}}, "to": DNS_LABELS, "ports": ["53/UDP", "53/TCP"]}
TO_API_SERVER = {"from": DNS_LABELS, "to": {"api_server": True}}
TO_UPSTREAM = {"from": DNS_LABELS, "to": {"cidr": "192.0.2.53/32"}, "ports": ["53/UDP", "53/TCP"]}


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({"default_deny": ["ingress"]}, ["serves the DNS of all namespaces"]),
        ({"default_deny": ["ingress"], "allow": [FROM_ALL]}, []),
        ({"default_deny": ["ingress"], "allow": [{**FROM_ALL, "ports": ["53/UDP"]}]}, ["serves the DNS"]),
        ({"default_deny": ["ingress"], "allow": [{**FROM_ALL, "from": {"namespace": "shop"}}]}, ["serves the DNS"]),
        ({"default_deny": ["ingress"], "accept_risks": ["dns"]}, []),
        ({"default_deny": ["egress"], "dns": True}, ["needs the API servers"]),
        ({"default_deny": ["egress"], "dns": True, "allow": [TO_API_SERVER]}, ["needs the API servers"]),
        ({"default_deny": ["egress"], "dns": True, "allow": [TO_UPSTREAM]}, ["needs the API servers"]),
        ({"default_deny": ["egress"], "dns": True, "allow": [TO_API_SERVER, TO_UPSTREAM]}, []),
    ],
)
def test_the_namespace_of_the_dns_servers_serves_others(shop: Any, said: dict[str, Any], missing: list[str]) -> None:
    coredns = shop.deployment("coredns", namespace="kube-system")
    coredns["spec"]["template"]["metadata"]["labels"] = DNS_LABELS
    settings = {"kube-system": parse_settings(said, "kube-system")}
    found = plan(settings, shop.facts(workloads={"kube-system": workloads_of([], [coredns])}), "set").refused
    told = found.get("kube-system", ())
    assert len(told) == len(missing)
    assert all(words in sentence for words, sentence in zip(missing, told, strict=True))


@pytest.mark.parametrize(
    ("source", "enough"),
    [
        ({"namespace": "data"}, True),
        ({"namespaces": {}}, True),
        ({"any": True}, True),
        ({"cidr": "192.0.2.0/24"}, True),
        ({"namespace": "kube-system"}, False),
        ({"api_server": True}, False),
        ({"cidr": "172.18.0.3/32"}, False),
    ],
)
def test_an_ingress_is_served_from_where_something_is_reached_from_outside(
    shop: Any, source: dict[str, Any], enough: bool
) -> None:
    said = {"default_deny": ["ingress"], "allow": [{"from": source, "to": {"app": "backend"}, "ports": [8080]}]}
    facts = {**standing(shop, "ingress"), "node_addresses": ("172.18.0.2", "172.18.0.3")}
    assert bool(reasons(shop, said, **facts)) is not enough


@pytest.mark.parametrize("risk", ["load_balancer", "node_port"])
@pytest.mark.parametrize("source", [{"api_server": True}, {"cidr": "172.18.0.3/32"}, {"namespaces": {}}])
def test_the_clusters_own_addresses_are_no_door_from_outside(shop: Any, risk: str, source: dict[str, Any]) -> None:
    said = {"default_deny": ["ingress"], "allow": [{"from": source, "to": {"app": "backend"}, "ports": [8080]}]}
    assert reasons(shop, said, **standing(shop, risk), node_addresses=("172.18.0.3",))


@pytest.mark.parametrize("containers", ["containers", "initContainers"])
def test_a_host_port_is_a_door_from_outside(shop: Any, containers: str) -> None:
    deployment = shop.deployment("backend", ("http", 8080, "TCP"))
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec.pop("containers")
    container["ports"][0]["hostPort"] = 80
    spec[containers] = [{**container, "restartPolicy": "Always"}]
    facts = {"workloads": {"shop": workloads_of([], [deployment])}}
    (reason,) = reasons(shop, {"default_deny": ["ingress"]}, **facts)
    assert "through the hostPort of 8080/TCP" in reason and "accept_risks: [node_port]" in reason
    assert reasons(shop, {"default_deny": ["ingress"], "accept_risks": ["node_port"]}, **facts) == ()
    flow = {"from": {"any": True}, "to": {"app": "backend"}, "ports": ["http/TCP"]}
    assert reasons(shop, {"default_deny": ["ingress"], "allow": [flow]}, **facts) == ()


def test_external_addresses_are_a_door_from_outside(shop: Any) -> None:
    made = shop.service("backend", {"port": 443, "targetPort": "http"}, externalIPs=["192.0.2.1"])
    facts = {"services": {"shop": {"backend": made}}, "callers": tuple(callers_of([made]))}
    (reason,) = reasons(shop, {"default_deny": ["ingress"]}, **facts)
    assert "externalIPs" in reason and "accept_risks: [load_balancer]" in reason


AGENT_PODS = {"namespace": "kube-system", "pods": {"app": "konnectivity-agent"}}


@pytest.mark.parametrize(
    ("host_network", "source", "enough"),
    [
        (False, {"api_server": True}, False),
        (False, AGENT_PODS, True),
        (False, {"any": True}, True),
        (True, {"api_server": True}, False),
        (True, {"cidr": "172.18.0.0/16"}, True),
    ],
)
def test_api_servers_behind_konnectivity_call_through_its_agents(
    shop: Any, host_network: bool, source: dict[str, Any], enough: bool
) -> None:
    agent = shop.deployment("konnectivity-agent", namespace="kube-system", hostNetwork=host_network)
    facts = {
        **standing(shop, "webhook"),
        "components": workloads_of([], [agent]),
        "node_addresses": ("172.18.0.2", "172.18.0.3"),
    }
    said = {"default_deny": ["ingress"], "allow": [{"from": source, "to": {"app": "backend"}, "ports": [8080]}]}
    assert bool(reasons(shop, said, **facts)) is not enough


WEB_ONLY = {"podSelector": {"matchLabels": {"app": "backend"}}, "ingress": [{"from": [{"podSelector": {}}]}]}


def declaring(spec: dict[str, Any]) -> dict[str, Any]:
    return {"policies": {"mine": spec}}


def test_a_declared_policy_that_closes_what_is_called_is_refused_until_the_risk_is_taken(shop: Any) -> None:
    (reason,) = reasons(shop, declaring(WEB_ONLY), **standing(shop, "ingress"))
    assert reason.startswith("by its policies, ingress would be denied and Ingress/shop/i reaches")
    assert reasons(shop, {**declaring(WEB_ONLY), "accept_risks": ["ingress"]}, **standing(shop, "ingress")) == ()


@pytest.mark.parametrize("spec", [{**WEB_ONLY, "policyTypes": ["Ingress"]}, {"podSelector": {}}])
def test_what_a_policy_closes_already_is_no_news_when_it_is_declared(shop: Any, spec: dict[str, Any]) -> None:
    facts = {**standing(shop, "ingress"), "unreadable": {"APIService": "not allowed"}}
    there = shop.policy("mine", {"policyTypes": ["Ingress"], **spec})
    assert reasons(shop, declaring(spec), **facts, policies={"shop": (there,)}) == ()
    other = shop.policy("other", {"podSelector": {}, "policyTypes": ["Ingress"]})
    (reason,) = reasons(shop, declaring(spec), **facts, policies={"shop": (other,)})
    assert "not allowed" in reason


def test_a_declared_policy_that_takes_dns_away_is_refused(shop: Any) -> None:
    spec = {"podSelector": {"matchLabels": {"app": "postgres"}}, "policyTypes": ["Egress"]}
    (reason,) = reasons(shop, declaring(spec))
    assert "Deployment/shop/postgres would lose DNS" in reason
    assert "backend" not in reason


def test_a_service_that_a_route_leads_to_and_nobody_may_see_is_a_risk(shop: Any) -> None:
    facts = {"callers": standing(shop, "gateway")["callers"], "unreadable": {"Service": "no services"}}
    found = [each for each in reasons(shop, {"default_deny": ["ingress"]}, **facts) if "gateway" in each]
    assert len(found) == 1
    assert "no services" in found[0]
    none = reasons(shop, {"default_deny": ["ingress"]}, unreadable=facts["unreadable"])
    assert not [each for each in none if "gateway" in each]
