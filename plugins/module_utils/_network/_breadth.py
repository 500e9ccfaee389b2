# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how wide a rule of a NetworkPolicy opens, however it is written."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    Rule,
    in_block,
    selects,
)

Peer = Mapping[str, Any]
Namespaces = Mapping[str, Mapping[str, str]]
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

_LAST_PORT = 65535
_ALWAYS_THERE = "kube-system"
_NAMESPACE_TO_COME = {NAME_LABEL: "hardening-namespace-to-come"}
_PRIVATE: Mapping[int, tuple[Network, ...]] = {
    4: tuple(ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    6: (ipaddress.ip_network("fc00::/7"),),
}
"""Where the addresses of pods and nodes lie (RFC 1918, RFC 4193)."""


def opens_everything(rules: Sequence[Rule], namespaces: Namespaces) -> bool:
    """Whether rules together open every port of a protocol to all namespaces, or to all addresses.

    ``namespaces`` are the labels of those that there are.
    """
    to_all = [rule for rule in rules if is_every_peer(rule.peers, namespaces)]
    on_all = [rule for rule in rules if _is_every_port([rule])]
    together = [peer for rule in on_all for peer in rule.peers]
    return _is_every_port(to_all) or (bool(together) and is_every_peer(together, namespaces))


def is_every_peer(peers: Sequence[Peer], namespaces: Namespaces) -> bool:
    """Whether peers mean everybody."""
    return not peers or is_every_namespace(peers, namespaces) or _is_every_address(peers)


def is_every_namespace(peers: Sequence[Peer], namespaces: Namespaces) -> bool:
    """Whether peers mean all pods of every namespace that there is, or of any that may come without a label."""
    selectors = [
        peer["namespaceSelector"]
        for peer in peers
        if peer.get("namespaceSelector") is not None and selects(peer.get("podSelector"), {})
    ]
    known = namespaces.values() if _ALWAYS_THERE in namespaces else ()
    return any(selects(selector, _NAMESPACE_TO_COME) for selector in selectors) or (
        bool(known) and all(any(selects(selector, labels) for selector in selectors) for labels in known)
    )


def _is_every_address(peers: Sequence[Peer]) -> bool:
    """At least half of all addresses, unless the private ones are left out: that is the world outside."""
    blocks = [peer["ipBlock"] for peer in peers if "ipBlock" in peer]
    return any(
        sum(each.num_addresses for each in _joined((block["cidr"] for block in blocks), version)) * 2
        >= 2 ** (32 if version == 4 else 128)
        and not _leave_out(blocks, version)
        for version in _PRIVATE
    )


def _leave_out(blocks: Sequence[Mapping[str, Any]], version: int) -> bool:
    excepted = _joined((part for block in blocks for part in block.get("except") or ()), version)
    return all(any(private.subnet_of(each) for each in excepted) for private in _PRIVATE[version])  # type: ignore[arg-type]


def _joined(cidrs: Iterable[str], version: int) -> list[Network]:
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    return list(ipaddress.collapse_addresses(each for each in networks if each.version == version))  # type: ignore[type-var]


def _is_every_port(rules: Sequence[Rule]) -> bool:
    ports = [port for rule in rules for port in rule.ports]
    return any(not rule.ports for rule in rules) or any(
        _reaches_the_last([port for port in ports if port.get("protocol", "TCP") == protocol])
        for protocol in {port.get("protocol", "TCP") for port in ports}
    )


def _reaches_the_last(ports: Sequence[Mapping[str, Any]]) -> bool:
    if any(port.get("port") is None for port in ports):
        return True
    ranges = sorted(
        (each["port"], each.get("endPort", each["port"])) for each in ports if isinstance(each["port"], int)
    )
    last = 0
    for first, end in ranges:
        if first > last + 1:
            return False
        last = max(last, end)
    return last >= _LAST_PORT


def from_addresses(rule: Rule, addresses: Sequence[str]) -> bool:
    """Whether a rule lets in every one of these addresses from outside the pod network."""
    return not rule.peers or (
        bool(addresses)
        and all(any("ipBlock" in peer and in_block(peer["ipBlock"], each) for peer in rule.peers) for each in addresses)
    )


def from_outside(rule: Rule, of_the_cluster: Collection[str]) -> bool:
    """Whether a rule lets in addresses outside the pod network, all or some, and not only those of the cluster."""
    return not rule.peers or any(
        "ipBlock" in peer and not _only_holds(peer["ipBlock"]["cidr"], of_the_cluster) for peer in rule.peers
    )


def _only_holds(cidr: str, addresses: Collection[str]) -> bool:
    network = ipaddress.ip_network(cidr, strict=False)
    known = {ipaddress.ip_address(each) for each in addresses}
    return network.num_addresses <= len(known) and all(address in known for address in network)
