# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: from settings to NetworkPolicies.

A denied direction gets one policy that selects every pod and opens nothing. Each flow gets one policy at each end
whose direction is denied, also where that end lies in another namespace with a default deny of the same settings: an
open ingress alone does not let the source out. An end that is denied nothing gets no policy, since any policy that
selects a pod closes what it does not name. What settings declare in Kubernetes' own words is taken as it is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Dns, Facts, Listener, present
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._names import (
    DENY_NAME,
    DNS_NAME,
    allow_name,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    selects,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction, NetworkSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import (
    Addresses,
    Anyone,
    ApiServer,
    Flow,
    Labels,
    Peer,
    Pods,
    Port,
    is_local,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import SET_LABEL

API_VERSION, KIND = "networking.k8s.io/v1", "NetworkPolicy"

_DNS_PORT = 53
Policy = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Desired:
    """The NetworkPolicies that one namespace should have.

    ``allows`` are those of flows and of DNS, and those that the settings declare in Kubernetes' own words.
    ``api_server`` names those that name addresses of API servers.
    """

    deny: Policy | None
    allows: tuple[Policy, ...]
    api_server: frozenset[str]

    @property
    def policies(self) -> tuple[Policy, ...]:
        """All of them, what opens before what closes."""
        return self.allows if self.deny is None else (*self.allows, self.deny)


def generate(settings: Mapping[str, NetworkSettings], facts: Facts, set_name: str) -> dict[str, Desired]:
    """The NetworkPolicies of every namespace with settings, in a stable order.

    A flow with the API server, or DNS, is left out while nobody knows its addresses; ``unknown_ends`` names those.
    """
    opened: dict[str, dict[str, Policy]] = {namespace: {} for namespace in settings}
    api_server: dict[str, set[str]] = {namespace: set() for namespace in settings}
    for namespace in sorted(settings):
        for flow in settings[namespace].allow:
            for side in _sides(_absolute(flow, namespace), settings, facts):
                name = allow_name(side.flow, side.namespace, side.direction)
                rules = list(_rules(side, _with_servers_away(facts, side, name)))
                if rules:
                    policy = _allow(side, name, rules, set_name)
                    opened[side.namespace][policy["metadata"]["name"]] = policy
                    if isinstance(side.other, ApiServer):
                        api_server[side.namespace].add(policy["metadata"]["name"])
    return {
        namespace: Desired(
            deny=_deny(namespace, said.deny, set_name) if said.deny else None,
            allows=(
                *_dns(namespace, said, facts.dns, set_name),
                *(opened[namespace][name] for name in sorted(opened[namespace])),
                *(_object(namespace, name, said.policies[name], set_name) for name in sorted(said.policies)),
            ),
            api_server=frozenset(api_server[namespace]),
        )
        for namespace, said in settings.items()
    }


def unknown_ends(said: NetworkSettings, facts: Facts) -> Iterator[str]:
    """What a namespace's flows need to know and nobody could tell, in sentences."""
    if said.dns and "egress" in said.deny and facts.dns is None:
        why = facts.unreadable.get("dns") or "no Service serves the cluster's DNS on port 53 from pods"
        yield f"dns: true has nothing to open ({why}); name the DNS pods in an allow instead"
    ends = [end for flow in said.allow for end in (flow.source, flow.target)]
    if any(isinstance(end, ApiServer) for end in ends) and not facts.api_servers:
        why = facts.unreadable.get("api_server") or "the EndpointSlices of the Service kubernetes in default have none"
        yield f"the addresses of the API servers are not known ({why}); name them as cidr instead"


@dataclass(frozen=True, slots=True)
class _Side:
    """What a flow asks of one of its ends: the pods that a policy selects, and who is at the other end."""

    namespace: str
    direction: Direction
    subject: Pods
    other: Peer
    flow: Flow


def _absolute(flow: Flow, namespace: str) -> Flow:
    """The same flow, whoever declares it: both ends with the name of their namespace."""
    return replace(flow, source=_placed(flow.source, namespace), target=_placed(flow.target, namespace))


def _placed(peer: Peer, namespace: str) -> Peer:
    return replace(peer, namespace=namespace) if isinstance(peer, Pods) and is_local(peer) else peer


def _sides(flow: Flow, settings: Mapping[str, NetworkSettings], facts: Facts) -> Iterator[_Side]:
    ends: tuple[tuple[Direction, Peer, Peer], ...] = (
        ("ingress", flow.target, flow.source),
        ("egress", flow.source, flow.target),
    )
    for direction, subject, other in ends:
        if isinstance(subject, Pods):
            for namespace in namespaces_of(subject, facts):
                if direction in settings.get(namespace, NetworkSettings()).deny:
                    yield _Side(namespace, direction, subject, other, flow)


def namespaces_of(pods: Pods, facts: Facts) -> list[str]:
    """The namespaces that these pods may be in."""
    if pods.namespaces is None:
        return [pods.namespace]
    return sorted(
        name
        for name, labels in facts.namespaces.items()
        if selects({"matchLabels": dict(pods.namespaces or ())}, labels)
    )


def _rules(side: _Side, facts: Facts) -> Iterator[dict[str, Any]]:
    key = "from" if side.direction == "ingress" else "to"
    ports = [_port(port) for port in side.flow.ports]
    match side.other:
        case Anyone():
            yield _rule(key, [], ports)
        case Addresses(cidr, excepted):
            yield _rule(key, [{"ipBlock": _block(cidr, excepted)}], ports)
        case ApiServer() if side.direction == "ingress":
            addresses = sorted({address for server in facts.api_servers for address in server.addresses})
            if addresses:
                yield _rule(key, [_single(address) for address in addresses], ports)
        case ApiServer():
            yield from (_to_listener(server) for server in facts.api_servers)
        case Pods() as pods:
            yield _rule(key, [_pods_peer(pods, side.namespace)], ports)


def _rule(key: str, peers: Sequence[Any], ports: Sequence[Any]) -> dict[str, Any]:
    return {name: list(value) for name, value in ((key, peers), ("ports", ports)) if value}


def _to_listener(server: Listener) -> dict[str, Any]:
    ports = [{"port": number, "protocol": protocol} for number, protocol in server.ports]
    return _rule("to", [_single(address) for address in server.addresses], ports)


def _pods_peer(pods: Pods, namespace: str) -> dict[str, Any]:
    if pods.namespaces is not None:
        return {"namespaceSelector": _selector(pods.namespaces)} | _some_pods(pods)
    if pods.namespace == namespace:
        return {"podSelector": _selector(pods.labels)}
    # Kubernetes itself sets this label, so no tenant can give it to another namespace.
    return {"namespaceSelector": _selector(((NAME_LABEL, pods.namespace),))} | _some_pods(pods)


def _some_pods(pods: Pods) -> dict[str, Any]:
    return {"podSelector": _selector(pods.labels)} if pods.labels else {}


def _selector(labels: Labels) -> dict[str, Any]:
    return {"matchLabels": dict(labels)} if labels else {}


def _block(cidr: str, excepted: Iterable[str]) -> dict[str, Any]:
    return {"cidr": cidr, "except": list(excepted)} if excepted else {"cidr": cidr}


def _single(address: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": str(ipaddress.ip_network(address))}}


def _port(port: Port) -> dict[str, Any]:
    told: dict[str, Any] = {"port": port.name or port.number, "protocol": port.protocol}
    return {**told, "endPort": port.end} if port.end else told


def _with_servers_away(facts: Facts, side: _Side, name: str) -> Facts:
    """The API servers, and those that the present policy names and that are away while their node is there.

    While a control-plane node is down its address is in no endpoint; what lost it would be closed once it is back.
    """
    if not isinstance(side.other, ApiServer) or not facts.api_servers:
        return facts
    known = {address for server in facts.api_servers for address in server.addresses}
    named = {
        peer["ipBlock"]["cidr"].partition("/")[0]
        for policy in present(side.namespace, facts)
        if policy.name == name and policy.ours
        for rule in policy.rules.get(side.direction) or ()
        for peer in rule.peers
        if "ipBlock" in peer
    }
    away = named & set(facts.node_addresses) - known
    first, *others = facts.api_servers
    return replace(facts, api_servers=(replace(first, addresses=tuple(sorted({*first.addresses, *away}))), *others))


def _allow(side: _Side, name: str, rules: list[dict[str, Any]], set_name: str) -> Policy:
    return _policy(side.namespace, name, _selector(side.subject.labels), {side.direction: rules}, set_name)


def _deny(namespace: str, directions: Sequence[Direction], set_name: str) -> Policy:
    return _policy(namespace, DENY_NAME, {}, {direction: [] for direction in directions}, set_name)


def _dns(namespace: str, said: NetworkSettings, dns: Dns | None, set_name: str) -> Iterator[Policy]:
    if not said.dns or "egress" not in said.deny or dns is None:
        return
    pods = Pods(tuple(sorted(dns.selector.items())), namespace=dns.namespace)
    ports = [{"port": port, "protocol": protocol} for port, protocol in dns.ports]
    rules = [_rule("to", [_pods_peer(pods, namespace)], ports)]
    if said.node_local:
        # The cache listens on the node, at its own address and at that of the Service.
        caches = [_single(address) for address in (said.node_local, *dns.service_addresses)]
        rules.append(_rule("to", caches, [{"port": _DNS_PORT, "protocol": protocol} for protocol in ("TCP", "UDP")]))
    yield _policy(namespace, DNS_NAME, {}, {"egress": rules}, set_name)


def _policy(
    namespace: str,
    name: str,
    selector: Mapping[str, Any],
    rules: Mapping[Direction, list[dict[str, Any]]],
    set_name: str,
) -> Policy:
    spec: dict[str, Any] = {
        "podSelector": dict(selector),
        "policyTypes": [direction.capitalize() for direction in rules],
        **{direction: each for direction, each in rules.items() if each},
    }
    return _object(namespace, name, spec, set_name)


def _object(namespace: str, name: str, spec: Mapping[str, Any], set_name: str) -> Policy:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace, "labels": {SET_LABEL: set_name}},
        "spec": dict(spec),
    }
