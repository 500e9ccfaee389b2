# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What network policies do to real connections between the pods of a small shop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client

from tests.integration.network.pods import (
    BOTH,
    POLICY,
    SERVICE,
    SLICE,
    Cluster,
    Writes,
    actions,
    app,
    finding,
    flow,
    probe_pods,
    theirs,
)
from tests.integration.plays import Result


class Shop:
    """frontend to backend on 8080, backend to postgres on 5432, and a neighbour in another namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespace, self.outside = cluster.namespace("shop"), cluster.namespace("neighbour")
        dns = (cluster.client.get(SERVICE, "kube-dns", "kube-system") or {})["spec"]["clusterIP"]
        (server,) = cluster.client.list(SLICE, "default", label_selector="kubernetes.io/service-name=kubernetes")
        address, port = server["endpoints"][0]["addresses"][0], server["ports"][0]["port"]
        everywhere = {
            "backend": f"backend.{self.namespace},8080",
            "metrics": f"backend.{self.namespace},9090",
            "postgres": f"postgres.{self.namespace},5432",
            "dns_tcp": f"{dns},53",
            "api_server": f"{address},{port}",
        }
        cluster.service(self.namespace, "backend", 8080, 9090)
        cluster.service(self.namespace, "postgres", 5432)
        cluster.pod(self.namespace, "frontend", **everywhere)
        cluster.pod(self.namespace, "backend", (8080, 9090), {"http": 8080, "metrics": 9090}, **everywhere)
        cluster.pod(self.namespace, "postgres", (5432,), {"postgres": 5432}, **everywhere)
        cluster.pod(self.outside, "neighbour", **everywhere)
        cluster.running(*((self.namespace, name) for name in ("frontend", "backend", "postgres")))
        cluster.running((self.outside, "neighbour"))

    def settings(self, *more: dict[str, Any], deny: Any = BOTH, dns: Any = True) -> dict[str, Any]:
        flows = [
            flow(app("frontend"), app("backend"), "8080/TCP"),
            flow(app("backend"), app("postgres"), "5432/TCP"),
            *more,
        ]
        return {self.namespace: {"default_deny": [*deny], "dns": dns, "allow": flows}}

    def sees(self, name: str, **wanted: str) -> None:
        self.cluster.sees(self.outside if name == "neighbour" else self.namespace, name, **wanted)


@pytest.fixture(scope="module")
def shop(client: Client, run: Callable[..., Result]) -> Iterator[Shop]:
    cluster = Cluster(client, "traffic")
    try:
        yield Shop(cluster)
    finally:
        cluster.close()


@pytest.fixture
def bare(shop: Shop, run: Callable[..., Result]) -> Iterator[Shop]:
    """The shop without policies, whatever the test before left."""
    yield shop
    for namespace in (shop.namespace, shop.outside):
        for name in shop.cluster.policies(namespace):
            shop.cluster.client.delete(POLICY, name, namespace)


ALL_OPEN = {"backend": "open", "metrics": "open", "postgres": "open", "dns_tcp": "open", "api_server": "open"}


def test_the_declared_flows_and_dns_work_and_everything_else_is_closed(bare: Shop, run: Callable[..., Result]) -> None:
    for name in ("frontend", "backend", "neighbour"):
        bare.sees(name, **ALL_OPEN)
    first = run("network_policies", namespaces=bare.settings())
    assert not first["failed"] and set(actions(first).values()) == {"created"}
    assert "hardening-rollout-gate" not in actions(first)
    assert "hardening-rollout-gate" not in bare.cluster.policies(bare.namespace)
    # Reaching a Service by its name asks DNS on UDP.
    bare.sees("frontend", backend="open", metrics="closed", postgres="closed", dns_tcp="open", api_server="closed")
    bare.sees("backend", postgres="open", dns_tcp="open", api_server="closed")
    bare.sees("postgres", backend="closed", api_server="closed")
    bare.sees("neighbour", backend="closed", postgres="closed", dns_tcp="open", api_server="open")
    again = run("network_policies", namespaces=bare.settings())
    assert not again["changed"] and set(actions(again).values()) == {"unchanged"}
    seen = run("network_policies_info", namespaces=bare.settings(), probe=True)
    assert (finding(seen)["status"], finding(seen)["proof"]) == ("pass", "effect"), seen
    assert "from a pod of the same namespace" in finding(seen)["evidence"]
    assert finding(seen, "network.flows")["status"] == "pass"
    bare.cluster.until(lambda: not probe_pods(bare.cluster, bare.namespace))


def test_denied_ingress_alone_leaves_egress_as_it_was(bare: Shop, run: Callable[..., Result]) -> None:
    run("network_policies", namespaces=bare.settings(deny=["ingress"], dns=False))
    bare.sees("frontend", backend="open", postgres="closed", dns_tcp="open", api_server="open")
    bare.sees("neighbour", backend="closed", postgres="closed")
    seen = run("network_policies_info", namespaces=bare.settings(deny=["ingress"], dns=False), probe=True)
    assert finding(seen)["status"] == "pass"
    assert "egress" not in finding(seen)["evidence"]


def test_denied_egress_alone_leaves_ingress_as_it_was(bare: Shop, run: Callable[..., Result]) -> None:
    run("network_policies", namespaces=bare.settings(deny=["egress"]))
    bare.sees("frontend", backend="open", postgres="closed", dns_tcp="open", api_server="closed")
    bare.sees("neighbour", backend="open", postgres="open")
    seen = run("network_policies_info", namespaces=bare.settings(deny=["egress"]), probe=True)
    assert finding(seen)["status"] == "pass"


def test_policies_in_kubernetes_own_words_open_through_the_deny_and_do_not_disturb_the_proof(
    bare: Shop, run: Callable[..., Result]
) -> None:
    not_in_front = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["frontend"]}]}
    database = {"matchLabels": {"app": "postgres"}}
    policies = {
        "to-postgres": {"podSelector": database, "ingress": [{"from": [{"podSelector": not_in_front}]}]},
        "all-to-postgres": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"podSelector": database}]}],
        },
    }
    flows = [flow(app("frontend"), app("backend"), "8080/TCP")]
    said = {bare.namespace: {"default_deny": [*BOTH], "dns": True, "allow": flows, "policies": policies}}
    assert not run("network_policies", namespaces=said)["failed"]
    bare.sees("frontend", backend="open", metrics="closed", postgres="closed", dns_tcp="open")
    bare.sees("backend", postgres="open", api_server="closed")
    assert not run("network_policies", namespaces=said)["changed"]
    seen = run("network_policies_info", namespaces=said, probe=True)
    assert (finding(seen)["status"], finding(seen)["proof"]) == ("pass", "effect"), seen
    assert "not of this set" not in finding(seen)["evidence"]
    assert finding(seen, "network.flows")["status"] == "pass"


@pytest.mark.parametrize("port", ["metrics/TCP", "9000-9100/TCP", 9090])
def test_ports_by_name_range_and_number_open_what_they_mean(bare: Shop, run: Callable[..., Result], port: Any) -> None:
    said = bare.settings(flow(app("frontend"), app("backend"), port))
    run("network_policies", namespaces=said)
    bare.sees("frontend", backend="open", metrics="open", postgres="closed")


def test_the_api_server_is_reached_where_it_listens(bare: Shop, run: Callable[..., Result]) -> None:
    said = bare.settings(flow(app("backend"), {"api_server": True}))
    run("network_policies", namespaces=said)
    bare.sees("backend", api_server="open", postgres="open")
    bare.sees("frontend", api_server="closed", backend="open")
    seen = run("network_policies_info", namespaces=said)
    assert finding(seen, "network.api_server_addresses")["status"] == "pass"
    # Somebody moves it.
    (name,) = (name for name in bare.cluster.policies(bare.namespace) if "api-server" in name)
    moved = {"podSelector": {"matchLabels": app("backend")}, "policyTypes": ["Egress"]}
    moved["egress"] = [{"to": [{"ipBlock": {"cidr": "192.0.2.9/32"}}], "ports": [{"port": 6443, "protocol": "TCP"}]}]
    answer = bare.cluster.client.apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": bare.namespace},
            "spec": moved,
        },
        manager="somebody",
        force=True,
    )
    assert answer.ok, answer.message
    drifted = finding(run("network_policies_info", namespaces=said), "network.api_server_addresses")
    assert drifted["status"] == "fail" and "names 192.0.2.9" in drifted["evidence"]
    refused = run("network_policies", namespaces=said)
    assert refused["failed"] and "somebody" in refused["msg"]
    taken = run("network_policies", namespaces=said, force_conflicts=True)
    assert actions(taken)[name] == "updated"
    bare.sees("backend", api_server="open")


def test_a_flow_by_addresses_opens_them_alone(bare: Shop, run: Callable[..., Result]) -> None:
    dns = (bare.cluster.client.get(SERVICE, "kube-dns", "kube-system") or {})["spec"]["clusterIP"]
    (server,) = bare.cluster.client.list(SLICE, "default", label_selector="kubernetes.io/service-name=kubernetes")
    address = server["endpoints"][0]["addresses"][0]
    said = bare.settings(flow(app("frontend"), {"cidr": "0.0.0.0/0", "except": [f"{address}/32"]}, "53-65535/TCP"))
    run("network_policies", namespaces=said)
    bare.sees("frontend", backend="open", metrics="closed", api_server="closed", dns_tcp="open")
    said = bare.settings(flow(app("frontend"), {"cidr": f"{address}/32"}))
    changed = run("network_policies", namespaces=said)
    assert sorted(set(actions(changed).values())) == ["created", "deleted", "unchanged"]
    bare.sees("frontend", backend="open", api_server="open")
    assert dns


def test_a_flow_between_namespaces_is_opened_at_both_ends(bare: Shop, run: Callable[..., Result]) -> None:
    to_metrics = flow({"namespace": bare.outside, "pods": app("neighbour")}, app("backend"), "9090/TCP")
    said = {**bare.settings(to_metrics), bare.outside: {"default_deny": [*BOTH], "dns": True}}
    told = run("network_policies", namespaces=said)
    assert not told["failed"], told
    bare.sees("neighbour", metrics="open", backend="closed", postgres="closed", dns_tcp="open", api_server="closed")
    assert any("-egress" in name for name in bare.cluster.policies(bare.outside))
    without = {**bare.settings(), bare.outside: {"default_deny": [*BOTH], "dns": True}}
    gone = run("network_policies", namespaces=without)
    assert sorted(set(actions(gone).values())) == ["deleted", "unchanged"]
    bare.sees("neighbour", metrics="closed", dns_tcp="open")


def test_an_end_that_is_closed_by_somebody_else_is_told(bare: Shop, run: Callable[..., Result]) -> None:
    theirs(bare.cluster, bare.outside, {"podSelector": {}, "policyTypes": ["Egress"]})
    to_metrics = flow({"namespace": bare.outside, "pods": app("neighbour")}, app("backend"), "9090/TCP")
    told = run("network_policies", namespaces=bare.settings(to_metrics))
    assert any(f"closed by NetworkPolicy/{bare.outside}/theirs" in warning for warning in told["warnings"])
    seen = finding(run("network_policies_info", namespaces=bare.settings(to_metrics)), "network.flows")
    assert seen["status"] == "fail" and f"NetworkPolicy/{bare.outside}/theirs" in seen["evidence"]


def test_nothing_breaks_on_the_way_there_and_back(bare: Shop, run: Callable[..., Result]) -> None:
    """While policies come and go one after another, no round of the declared flow fails."""
    bare.sees("frontend", backend="open", postgres="open")
    begun = len(bare.cluster.rounds(bare.namespace, "frontend"))
    with Writes() as written:
        run("network_policies", namespaces=bare.settings())
        there = list(written)
        bare.sees("frontend", backend="open", postgres="closed")
        written.clear()
        run("network_policies", namespaces=bare.settings(), state="absent")
        back = list(written)
    bare.sees("frontend", backend="open", postgres="open")
    rounds = bare.cluster.rounds(bare.namespace, "frontend")[begun:]
    assert len(rounds) > 6 and {each["backend"] for each in rounds} == {"open"}
    names = [name.split("-")[1] for _method, name in there]
    assert names == ["rollout", *["allow"] * 5, "default", "rollout"]
    assert [name.split("-")[1] for _method, name in back] == ["rollout", "default", *["allow"] * 5, "rollout"]
    assert bare.cluster.policies(bare.namespace) == {}


@pytest.mark.parametrize("cut_after", [1, 3, 6, 7])
def test_a_run_that_is_cut_off_breaks_nothing_and_the_next_one_finishes(
    bare: Shop, run: Callable[..., Result], cut_after: int
) -> None:
    bare.sees("frontend", backend="open", postgres="open")
    begun = len(bare.cluster.rounds(bare.namespace, "frontend"))
    with Writes(cut_after):
        cut = run("network_policies", namespaces=bare.settings())
    assert cut["failed"]
    time.sleep(3)
    assert {each["backend"] for each in bare.cluster.rounds(bare.namespace, "frontend")[begun:]} == {"open"}
    assert not run("network_policies", namespaces=bare.settings())["failed"]
    assert "hardening-rollout-gate" not in bare.cluster.policies(bare.namespace)
    bare.sees("frontend", backend="open", postgres="closed")


@pytest.mark.parametrize("cut_after", [3, 7, 8])
def test_a_run_that_is_cut_off_beside_a_foreign_policy_breaks_nothing_and_opens_nothing(
    bare: Shop, run: Callable[..., Result], cut_after: int
) -> None:
    """It closes the egress of one pod: a gate for all would open that, and without one DNS would close all others."""
    theirs(bare.cluster, bare.namespace, {"podSelector": {"matchLabels": app("postgres")}, "policyTypes": ["Egress"]})
    bare.sees("postgres", backend="closed", api_server="closed")
    bare.sees("frontend", backend="open", postgres="open")
    begun = {name: len(bare.cluster.rounds(bare.namespace, name)) for name in ("frontend", "postgres")}
    with Writes(cut_after) as written:
        assert run("network_policies", namespaces=bare.settings())["failed"]
    assert len([name for _method, name in written if name.startswith("hardening-rollout-gate")]) == 2
    time.sleep(3)
    seen = {name: bare.cluster.rounds(bare.namespace, name)[start:] for name, start in begun.items()}
    assert {each["backend"] for each in seen["frontend"]} == {"open"}
    assert seen["postgres"]
    assert "open" not in {each[target] for each in seen["postgres"] for target in ("backend", "metrics", "api_server")}
    assert not run("network_policies", namespaces=bare.settings())["failed"]
    assert not any(name.startswith("hardening-rollout-gate") for name in bare.cluster.policies(bare.namespace))
    bare.sees("frontend", backend="open", postgres="closed")
    bare.sees("postgres", backend="closed", api_server="closed")


def test_a_flow_that_cannot_be_opened_leaves_its_namespace_open(bare: Shop, run: Callable[..., Result]) -> None:
    """Another field manager has the DNS policy: nothing may be closed without it."""
    theirs(
        bare.cluster,
        bare.outside,
        {"podSelector": {"matchLabels": app("nobody")}, "policyTypes": ["Egress"]},
        "hardening-allow-dns",
    )
    said = {
        **bare.settings(),
        bare.outside: {
            "default_deny": [*BOTH],
            "dns": True,
            "allow": [flow(app("neighbour"), {"any": True}, "8080/TCP")],
        },
    }
    told = run("network_policies", namespaces=said)
    assert told["failed"]
    assert "hardening-allow-dns" in told["msg"] and "would close what that opens" in told["msg"]
    assert "hardening-default-deny" in bare.cluster.policies(bare.namespace)
    assert "hardening-default-deny" not in bare.cluster.policies(bare.outside)
    refused = finding(told, "network.default_deny", f"Namespace/{bare.outside}")
    assert refused["status"] == "fail"
    bare.sees("neighbour", dns_tcp="open", api_server="open")
    bare.sees("frontend", backend="open", postgres="closed")


def test_a_removal_leaves_everything_that_is_not_of_the_set(bare: Shop, run: Callable[..., Result]) -> None:
    theirs(bare.cluster, bare.namespace, {"podSelector": {}, "ingress": [{}]})
    run("network_policies", namespaces=bare.settings())
    other = run("network_policies", namespaces=bare.settings(), state="absent", set="another")
    assert not other["changed"]
    check = run("network_policies", namespaces=bare.settings(), state="absent", check=True)
    assert check["changed"] and len(bare.cluster.policies(bare.namespace)) == 7
    gone = run("network_policies", namespaces={bare.namespace: {}}, state="absent")
    assert set(actions(gone).values()) == {"deleted"} and len(gone["objects"]) == 6
    assert list(bare.cluster.policies(bare.namespace)) == ["theirs"]
    again = run("network_policies", namespaces={bare.namespace: {}, "network-not-there": {}}, state="absent")
    assert not again["changed"] and not again["failed"]


@pytest.mark.parametrize(
    ("spec", "opened"),
    [
        ({"podSelector": {}, "ingress": [{}]}, "ingress"),
        (
            {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]},
            "egress",
        ),
    ],
)
def test_a_foreign_policy_that_opens_everything_is_a_failure(
    bare: Shop, run: Callable[..., Result], spec: dict[str, Any], opened: str
) -> None:
    run("network_policies", namespaces=bare.settings())
    theirs(bare.cluster, bare.namespace, spec)
    bare.sees("frontend", **({"api_server": "open"} if opened == "egress" else {"postgres": "closed"}))
    seen = finding(run("network_policies_info", namespaces=bare.settings(), probe=True))
    assert seen["status"] == "fail"
    assert f"NetworkPolicy/{bare.namespace}/theirs opens all {opened} of every pod" in seen["evidence"]


def test_pods_that_may_all_talk_to_one_another_are_probed_from_elsewhere(
    bare: Shop, run: Callable[..., Result]
) -> None:
    said = {bare.namespace: {"default_deny": [*BOTH], "dns": True, "allow": [flow({}, {})]}}
    run("network_policies", namespaces=said)
    bare.sees("frontend", backend="open", postgres="open", api_server="closed")
    seen = finding(run("network_policies_info", namespaces=said, probe=True))
    assert (seen["status"], seen["proof"]) == ("pass", "effect"), seen
    assert f"the namespaces default and {bare.namespace}" in seen["evidence"]
    assert f"the namespaces {bare.namespace} and default" in seen["evidence"]
    bare.cluster.until(lambda: not probe_pods(bare.cluster, "default"))


def test_an_address_range_that_holds_all_pods_cannot_be_proved(bare: Shop, run: Callable[..., Result]) -> None:
    said = bare.settings(flow({}, {"cidr": "10.0.0.0/8"}))
    run("network_policies", namespaces=said)
    seen = finding(run("network_policies_info", namespaces=said, probe=True))
    assert seen["status"] == "unknown"
    assert "opens egress for the addresses of all pods" in seen["evidence"]
