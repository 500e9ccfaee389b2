# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what NetworkPolicies in force open and close.

After the API reference of networking.k8s.io/v1 NetworkPolicy: policies add up; a pod is isolated in a direction as
soon as one policy with that direction selects it, and then only what a rule of such a policy names gets through.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import DIRECTIONS, Direction
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    SET_LABEL,
    set_of,
    stays_when_left,
)

PROBE_LABEL = "hardening.kubernetes/probe"
PROBE_PREFIX = "hardening-probe-"
NAME_LABEL = "kubernetes.io/metadata.name"
MANAGER = "hardening.kubernetes/network_policies"

Selector = Mapping[str, Any]
_PEERS_KEY: Mapping[Direction, str] = {"ingress": "from", "egress": "to"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: no peers are all peers, no ports are all ports (NetworkPolicyPeer, NetworkPolicyPort as plain data)."""

    peers: tuple[Mapping[str, Any], ...]
    ports: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """A NetworkPolicy as it acts. ``stays``: it is another's too, and stays in force once its set leaves it."""

    namespace: str
    name: str
    selector: Selector
    rules: Mapping[Direction, tuple[Rule, ...]]
    set_name: str
    ours: bool
    stays: bool = False

    @property
    def told(self) -> str:
        """``NetworkPolicy/namespace/name``."""
        return f"NetworkPolicy/{self.namespace}/{self.name}"

    @property
    def selects_all(self) -> bool:
        """Whether it selects every pod of its namespace, also those to come."""
        return not any(self.selector.values())

    @property
    def opens_nothing(self) -> bool:
        """Whether it only closes."""
        return not any(self.rules.values())


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection. Where ``namespace`` is empty it lies outside the pod network.

    ``ports`` are the container ports that have a name, as ``(name, protocol) -> number``.
    """

    namespace: str = ""
    namespace_labels: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None
    addresses: tuple[str, ...] = ()
    ports: Mapping[tuple[str, str], int] | None = None


def in_force(policy: Mapping[str, Any]) -> InForce:
    """What a NetworkPolicy object does, with the defaults that the API server fills in."""
    metadata, spec = policy["metadata"], policy.get("spec") or {}
    return InForce(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        selector=spec.get("podSelector") or {},
        rules={direction: tuple(_rules(spec, direction)) for direction in _directions(spec)},
        set_name=set_of(policy),
        ours=is_ours(policy),
        stays=stays_when_left(policy, set_of(policy), MANAGER),
    )


def is_ours(policy: Mapping[str, Any]) -> bool:
    """Whether this collection wrote it: our label, and our field manager where managers are told."""
    metadata = policy["metadata"]
    managers = {entry.get("manager") for entry in metadata.get("managedFields") or ()}
    return SET_LABEL in (metadata.get("labels") or {}) and (not managers or MANAGER in managers)


def is_probe(policy: Mapping[str, Any]) -> bool:
    """Whether it reaches and opens none but the probe pods of a run, so that it says nothing about others.

    A label alone would let anybody hide: the name, the pods that it selects and every peer must be a probe's.
    """
    acting = in_force(policy)
    return (
        acting.name.startswith(PROBE_PREFIX)
        and _of_probes(acting.selector)
        and all(
            rule.peers and rule.ports and all(_of_probes(peer.get("podSelector")) for peer in rule.peers)
            for rules in acting.rules.values()
            for rule in rules
        )
    )


def _of_probes(selector: Selector | None) -> bool:
    return PROBE_LABEL in ((selector or {}).get("matchLabels") or {})


def _directions(spec: Mapping[str, Any]) -> Iterator[Direction]:
    # Without policyTypes a policy is always one of ingress, and one of egress only if it has an egress rule.
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return (direction for direction in DIRECTIONS if direction.capitalize() in types)


def _rules(spec: Mapping[str, Any], direction: Direction) -> Iterator[Rule]:
    for rule in spec.get(direction) or ():
        rule = rule or {}
        yield Rule(tuple(rule.get(_PEERS_KEY[direction]) or ()), tuple(rule.get("ports") or ()))


def selects(selector: Selector | None, labels: Mapping[str, str] | None) -> bool:
    """Whether labels meet a LabelSelector; an empty one is met by all."""
    if not selector:
        return True
    labels = labels or {}
    # Asked for every workload and policy of a cluster: no generator for the usual case.
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    expressions = selector.get("matchExpressions")
    return not expressions or all(_meets(labels, requirement) for requirement in expressions)


def _meets(labels: Mapping[str, str], requirement: Mapping[str, Any]) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def isolating(policies: Iterable[InForce], direction: Direction, subject: End) -> list[InForce]:
    """The policies that close a pod in a direction but for what they open."""
    return [
        policy
        for policy in policies
        if policy.namespace == subject.namespace
        and direction in policy.rules
        and selects(policy.selector, subject.labels)
    ]


def opening(
    policies: Iterable[InForce], direction: Direction, subject: End, other: End, port: int | str | None, protocol: str
) -> list[InForce]:
    """The policies that let a pod connect (egress) or be connected to (ingress) from or to another end on a port.

    A port that is not known is ``None``: then only a rule for all ports opens it.
    """
    destination = subject if direction == "ingress" else other
    return [
        policy
        for policy in isolating(policies, direction, subject)
        if any(
            covers_port(rule, port, protocol, destination) and _with_peer(rule, policy.namespace, other)
            for rule in policy.rules[direction]
        )
    ]


def _with_peer(rule: Rule, namespace: str, other: End) -> bool:
    return not rule.peers or any(is_peer(peer, namespace, other) for peer in rule.peers)


def is_peer(peer: Mapping[str, Any], namespace: str, other: End) -> bool:
    """Whether a NetworkPolicyPeer of a policy in a namespace means this end.

    An address range means pods too where their addresses are known: networks differ in that, so the open reading
    counts.
    """
    block = peer.get("ipBlock")
    if block is not None:
        return any(in_block(block, address) for address in other.addresses)
    if not other.namespace:
        return False
    spaces = peer.get("namespaceSelector")
    there = other.namespace == namespace if spaces is None else selects(spaces, other.namespace_labels)
    return there and selects(peer.get("podSelector"), other.labels)


def in_block(block: Mapping[str, Any], address: str) -> bool:
    return _within(address, block["cidr"]) and not any(_within(address, part) for part in block.get("except") or ())


def _within(address: str, cidr: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)


def covers_port(rule: Rule, port: int | str | None, protocol: str, destination: End) -> bool:
    """Whether a rule opens a port of a destination, by number or by the name that its containers give it."""
    return not rule.ports or any(_is_port(each, port, protocol, destination) for each in rule.ports)


def _is_port(said: Mapping[str, Any], port: int | str | None, protocol: str, destination: End) -> bool:
    if said.get("protocol", "TCP") != protocol:
        return False
    first = said.get("port")
    if first is None:
        return True
    if isinstance(first, str):
        return port is not None and port in (first, (destination.ports or {}).get((first, protocol)))
    return isinstance(port, int) and first <= port <= said.get("endPort", first)
