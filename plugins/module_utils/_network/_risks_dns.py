# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: whether a default deny takes DNS from pods, or from the whole cluster.

What counts is an allow for the DNS pods by their labels, on UDP and on TCP: policies act after a Service's address was
translated, and networks differ in whether an address range means pods. With a cache on every node, pods ask that one
at its own address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._breadth import is_every_namespace
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._components import node_local_dns
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Dns,
    Facts,
    end_of,
    on_host_network,
    selected_by,
    subjects_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    End,
    InForce,
    covers_port,
    isolating,
    opening,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import NetworkSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._cluster_components import (
    holds_cluster_components,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

_DNS_PORT = 53
_PROTOCOLS = ("UDP", "TCP")
_OWN_DNS = frozenset({"Default", "None"})
_ACCEPT = "or take the risk with accept_risks: [dns]"


def without_dns(namespace: str, said: NetworkSettings, after: Sequence[InForce], facts: Facts) -> Iterator[str]:
    """What a denied egress takes from the namespace's pods."""
    cache = node_local_dns(facts)
    if "components" in facts.unreadable and not said.node_local:
        yield (
            f"nobody could see whether a DNS cache runs on the nodes ({facts.unreadable['components']}); "
            f"give that permission, name the cache's address with dns: {{node_local: <address>}}, {_ACCEPT}"
        )
    losing = [
        workload
        for workload in _asking(namespace, facts)
        if isolating(after, "egress", end_of(workload, facts))
        and not _reaches_dns(end_of(workload, facts), said.node_local, cache, after, facts)
    ]
    if losing:
        why = f", which they ask of the cache at {cache} on their node" if cache else ""
        line = f"dns: {{node_local: {cache}}}" if cache else "dns: true"
        yield f"egress would be denied and {subjects_of(losing)} would lose DNS{why}; add {line}, {_ACCEPT}"


def _asking(namespace: str, facts: Facts) -> Iterator[PodTemplate]:
    # A namespace without workloads will have some: one without labels stands for them.
    for workload in facts.workloads.get(namespace) or (PodTemplate("Pod", namespace, "to come", {}, {}),):
        if not on_host_network(workload) and workload.spec.get("dnsPolicy") not in _OWN_DNS:
            yield workload


def _reaches_dns(pod: End, said_cache: str, seen_cache: str, after: Sequence[InForce], facts: Facts) -> bool:
    cached = bool(seen_cache or said_cache) and _opens_all(
        pod, End(addresses=(seen_cache or said_cache,)), ((_DNS_PORT, protocol) for protocol in _PROTOCOLS), after
    )
    return cached or (
        not seen_cache
        and facts.dns is not None
        and _opens_all(pod, _dns_pods(facts.dns, facts), facts.dns.ports, after)
    )


def _opens_all(pod: End, server: End, ports: Iterable[tuple[int | str, str]], after: Sequence[InForce]) -> bool:
    return all(opening(after, "egress", pod, server, port, protocol) for port, protocol in ports)


def _dns_pods(dns: Dns, facts: Facts) -> End:
    return End(dns.namespace, facts.namespaces.get(dns.namespace) or {NAME_LABEL: dns.namespace}, dns.selector)


def dns_for_nobody(namespace: str, said: NetworkSettings, after: Sequence[InForce], facts: Facts) -> Iterator[str]:
    """What a deny in the namespace of the DNS servers takes from all others."""
    dns = facts.dns
    if dns is None:
        if "dns" in facts.unreadable and holds_cluster_components(namespace):
            yield (
                f"nobody could see whether the cluster's DNS runs here ({facts.unreadable['dns']}); "
                f"give that permission, {_ACCEPT}"
            )
        return
    if namespace != dns.namespace:
        return
    behind = selected_by(facts.workloads.get(namespace) or (), dns.selector)
    servers = [each for each in behind if not on_host_network(each)]
    to_come = [] if behind else [PodTemplate("Pod", namespace, "to come", dns.selector, {})]
    for server in servers or to_come:
        pod = end_of(server, facts)
        if "ingress" in said.deny and not _all_may_ask(pod, dns, after, facts):
            yield (
                f"ingress would be denied and {server.subject} serves the DNS of all namespaces; add allow: "
                f"[{{from: {{namespaces: {{}}}}, to: {_told(dns.selector)}, ports: [{_ports(dns)}]}}], {_ACCEPT}"
            )
        if "egress" in said.deny and not _may_resolve(pod, after, facts):
            yield (
                f"egress would be denied and {server.subject} needs the API servers and other DNS servers; add allow: "
                f"[{{from: {_told(dns.selector)}, to: {{api_server: true}}}}, {{from: {_told(dns.selector)}, "
                f"to: {{cidr: <their addresses>}}, ports: [53/UDP, 53/TCP]}}], {_ACCEPT}"
            )


def _all_may_ask(pod: End, dns: Dns, after: Sequence[InForce], facts: Facts) -> bool:
    closing = isolating(after, "ingress", pod)
    return not closing or all(
        any(
            covers_port(rule, port, protocol, pod)
            and (not rule.peers or is_every_namespace(rule.peers, facts.namespaces))
            for policy in closing
            for rule in policy.rules["ingress"]
        )
        for port, protocol in dns.ports
    )


def _may_resolve(pod: End, after: Sequence[InForce], facts: Facts) -> bool:
    closing = isolating(after, "egress", pod)
    to_api_server = bool(facts.api_servers) and all(
        opening(after, "egress", pod, End(addresses=(address,)), port, protocol)
        for server in facts.api_servers
        for address in server.addresses
        for port, protocol in server.ports
    )
    outside = any(
        covers_port(rule, _DNS_PORT, "UDP", End()) and (not rule.peers or any("ipBlock" in peer for peer in rule.peers))
        for policy in closing
        for rule in policy.rules["egress"]
    )
    return not closing or (to_api_server and outside)


def _told(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in sorted(labels.items())) + "}"


def _ports(dns: Dns) -> str:
    return ", ".join(f"{port}/{protocol}" for port, protocol in dns.ports)
