# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Dns,
    Listener,
    cluster_dns,
    container_ports,
    listeners,
    node_addresses,
    other_policies_of,
    workloads_of,
)


def endpoint_slice(*addresses: str, ports: list[dict[str, Any]], ready: bool | None = True) -> dict[str, Any]:
    conditions = {} if ready is None else {"ready": ready}
    return {"endpoints": [{"addresses": [each], "conditions": conditions} for each in addresses], "ports": ports}


HTTPS = [{"name": "https", "port": 6443, "protocol": "TCP"}]


def test_listeners_are_what_endpoints_listen_on_also_while_they_are_away() -> None:
    slices = [
        endpoint_slice("172.18.0.3", "172.18.0.2", ports=HTTPS),
        endpoint_slice("172.18.0.9", ports=HTTPS, ready=False),
        endpoint_slice("fd00::2", ports=HTTPS, ready=None),
        endpoint_slice(ports=HTTPS),
        {"endpoints": None, "ports": None},
    ]
    assert listeners(slices) == (
        Listener(("172.18.0.2", "172.18.0.3"), ((6443, "TCP"),)),
        Listener(("172.18.0.9",), ((6443, "TCP"),)),
        Listener(("fd00::2",), ((6443, "TCP"),)),
    )


def dns_service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"selector": {"k8s-app": "kube-dns"}, "clusterIP": "10.96.0.10", "ports": list(ports), **spec},
    }


UDP = {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}
TCP = {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}
METRICS = {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153}


@pytest.mark.parametrize(
    ("service", "slices", "ports"),
    [
        (dns_service(UDP, TCP, METRICS), [], ((53, "TCP"), (53, "UDP"))),
        (dns_service(UDP), [], ((53, "TCP"), (53, "UDP"))),
        (
            dns_service({**UDP, "targetPort": "dns"}, {**TCP, "targetPort": "dns-tcp"}),
            [],
            (("dns", "UDP"), ("dns-tcp", "TCP")),
        ),
        (
            dns_service({**UDP, "targetPort": "dns"}, {**TCP, "targetPort": "dns-tcp"}, METRICS),
            [
                endpoint_slice(
                    "10.128.0.5",
                    ports=[
                        {"name": "dns", "port": 5353, "protocol": "UDP"},
                        {"name": "dns-tcp", "port": 5353, "protocol": "TCP"},
                        {"name": "metrics", "port": 9153, "protocol": "TCP"},
                    ],
                )
            ],
            ((5353, "TCP"), (5353, "UDP")),
        ),
    ],
)
def test_dns_listens_where_its_pods_do_on_udp_and_tcp(
    service: dict[str, Any], slices: list[dict[str, Any]], ports: tuple[tuple[int | str, str], ...]
) -> None:
    found = cluster_dns(service, slices)
    assert found == Dns(
        "kube-system",
        {"k8s-app": "kube-dns"},
        ports,
        tuple(address for each in slices for endpoint in each["endpoints"] for address in endpoint["addresses"]),
        ("10.96.0.10",),
    )


@pytest.mark.parametrize("service", [dns_service(METRICS), dns_service(UDP, selector=None), dns_service()])
def test_a_service_without_pods_or_without_port_53_is_no_dns(service: dict[str, Any]) -> None:
    assert cluster_dns(service, []) is None


def test_container_ports_are_those_of_containers_and_sidecars() -> None:
    spec = {
        "containers": [{"ports": [{"containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]}, {}],
        "initContainers": [
            {"restartPolicy": "Always", "ports": [{"name": "proxy", "containerPort": 15001}]},
            {"ports": [{"name": "never", "containerPort": 1}]},
        ],
    }
    assert list(container_ports(spec)) == [("", 80, "TCP"), ("dns", 53, "UDP"), ("proxy", 15001, "TCP")]


PROBE = {"hardening.kubernetes/probe": "x"}


def running(name: str, phase: str = "Running", owner: str = "", lifetime: int = 0, **labels: str) -> dict[str, Any]:
    owners = [{"kind": owner}] if owner else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": labels, "ownerReferences": owners},
        "spec": {"activeDeadlineSeconds": lifetime} if lifetime else {},
        "status": {"phase": phase},
    }


def test_a_workload_is_told_once_and_neither_ended_pods_nor_our_own(shop: Any) -> None:
    pods = [
        running("web-1", owner="ReplicaSet", app="web"),
        running("orphan", owner="ReplicaSet", app="gone"),
        running("task", owner="Job", app="web"),
        running("done", phase="Succeeded"),
        running("hardening-probe-x", lifetime=300, **PROBE),
    ]
    found = workloads_of(pods, [shop.deployment("web")])
    assert [each.subject for each in found] == ["Deployment/shop/web", "Pod/shop/orphan", "Pod/shop/task"]


@pytest.mark.parametrize(
    "pod",
    [
        running("evil", lifetime=300, **PROBE),
        running("hardening-probe-x", lifetime=300, app="evil"),
        running("hardening-probe-x", **PROBE),
        running("hardening-probe-x", lifetime=10**9, **PROBE),
    ],
)
def test_no_pod_hides_behind_the_label_of_a_probe(pod: dict[str, Any]) -> None:
    assert len(workloads_of([pod], [])) == 1


def test_nodes_have_addresses_and_names() -> None:
    addresses = [{"type": "Hostname", "address": "a"}, {"type": "InternalIP", "address": "172.18.0.2"}]
    assert node_addresses([{"status": {"addresses": addresses}}, {}]) == ["172.18.0.2"]


def test_a_policy_that_two_groups_serve_is_one() -> None:
    policy = {"kind": "NetworkPolicy", "metadata": {"name": "a", "namespace": "shop"}}
    everywhere = {"kind": "GlobalNetworkPolicy", "metadata": {"name": "b"}}
    assert other_policies_of([policy, policy, everywhere]) == (
        ("", "GlobalNetworkPolicy/b"),
        ("shop", "NetworkPolicy/shop/a"),
    )
