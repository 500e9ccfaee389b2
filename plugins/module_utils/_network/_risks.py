# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a default deny would break, and the line that keeps it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._backings import Backing, backings
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._breadth import (
    from_addresses,
    from_outside,
    is_every_namespace,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import RISK_KINDS, Caller
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._components import konnectivity
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._declared import closed_anew
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Facts,
    end_of,
    host_ports,
    on_host_network,
    present,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    End,
    InForce,
    Rule,
    covers_port,
    is_peer,
    isolating,
    selects,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._risks_dns import (
    dns_for_nobody,
    without_dns,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import NetworkSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import Risk

_FROM_API_SERVER = "{api_server: true}"
_ALLOW_FROM: Mapping[Risk, str] = {
    "webhook": _FROM_API_SERVER,
    "aggregated_api": _FROM_API_SERVER,
    "crd_conversion": _FROM_API_SERVER,
    "ingress": "{namespace: <the ingress controller's>}",
    "gateway": "{namespace: <that of the gateway's pods>}",
    "openshift_route": "{namespace: openshift-ingress}",
    "load_balancer": "{any: true}",
    "node_port": "{any: true}",
}
THROUGH_PODS: frozenset[Risk] = frozenset({"ingress", "gateway", "openshift_route"})
"""Entrances that are pods themselves, so that an allow for their namespace is enough."""


def breaks(namespace: str, said: NetworkSettings, after: Sequence[InForce], facts: Facts) -> list[str]:
    """What the settings of a namespace would break and nobody accepted, in sentences that say what to add.

    ``after`` are all policies that would be in force, foreign ones too. A default deny answers for all that is closed
    then, declared policies for what they close of what is open now.
    """
    found = _broken(namespace, said, after, facts)
    declared = replace(said, deny=closed_anew(namespace, said, facts))
    if declared.deny:
        # What nobody could see counts, whoever closes.
        seen = replace(facts, unreadable={})
        known = {*found, *_broken(namespace, declared, present(namespace, facts), seen)}
        new = [each for each in _broken(namespace, declared, after, facts) if each not in known]
        found += [f"by its policies, {each}" for each in new]
    return found


def _broken(namespace: str, said: NetworkSettings, after: Sequence[InForce], facts: Facts) -> list[str]:
    found: list[str] = []
    if "egress" in said.deny and "dns" not in said.accepted:
        found.extend(without_dns(namespace, said, after, facts))
    if "dns" not in said.accepted:
        found.extend(dns_for_nobody(namespace, said, after, facts))
    if "ingress" in said.deny:
        found.extend(_unseen(said, facts))
        if "node_port" not in said.accepted:
            found.extend(_host_ports(namespace, after, facts))
        for caller in facts.callers:
            if caller.namespace == namespace and caller.risk not in said.accepted:
                found.extend(_shut_out(caller, after, facts))
    return found


def _unseen(said: NetworkSettings, facts: Facts) -> Iterator[str]:
    for risk, kinds in RISK_KINDS.items():
        called = ("Service",) if any(caller.risk == risk for caller in facts.callers) else ()
        missing = [facts.unreadable[kind] for kind in (*kinds, *called) if kind in facts.unreadable]
        if missing and risk not in said.accepted:
            yield (
                f"nobody could see whether it stands behind {_STANDS_BEHIND[risk]} ({missing[0]}); "
                f"give that permission, or take the risk with accept_risks: [{risk}]"
            )


_STANDS_BEHIND: Mapping[Risk, str] = {
    "webhook": "an admission webhook",
    "aggregated_api": "an aggregated API",
    "crd_conversion": "the conversion of a CustomResourceDefinition",
    "ingress": "an Ingress",
    "gateway": "a route of the Gateway API",
    "openshift_route": "a Route of OpenShift",
    "load_balancer": "a LoadBalancer",
    "node_port": "a NodePort or a hostPort",
}


def _shut_out(caller: Caller, after: Sequence[InForce], facts: Facts) -> Iterator[str]:
    service = (facts.services.get(caller.namespace) or {}).get(caller.service)
    if service is None or (service.get("spec") or {}).get("type") == "ExternalName":
        return
    lets_in = _lets_in(caller.risk, facts)
    # A Route of OpenShift names the port of the pods, or the Service's by its name.
    for backing in backings(service, caller.port, facts, caller.risk == "openshift_route"):
        shut = [pod for pod in backing.pods if not _open_to(end_of(pod, facts), backing, lets_in, after)]
        if shut:
            selector = (service.get("spec") or {}).get("selector") or {}
            yield (
                f"ingress would be denied and {caller.told} reaches Service/{caller.namespace}/{caller.service}, "
                f"whose pods listen on {backing.port or 'a port that is not known'}/{backing.protocol}; "
                f"add allow: [{{from: {allow_from(caller.risk, facts)}, to: {_told(selector)}, "
                f"ports: [{backing.port or '<port>'}/{backing.protocol}]}}], "
                f"or take the risk with accept_risks: [{caller.risk}]"
            )


def _host_ports(namespace: str, after: Sequence[InForce], facts: Facts) -> Iterator[str]:
    """A container's hostPort is a door from outside to its pod."""
    lets_in = _lets_in("node_port", facts)
    for pod in facts.workloads.get(namespace) or ():
        for port in host_ports(pod):
            backing = Backing((pod,), port["containerPort"], port.get("protocol", "TCP"))
            if not on_host_network(pod) and not _open_to(end_of(pod, facts), backing, lets_in, after):
                number = f"{backing.port}/{backing.protocol}"
                yield (
                    f"ingress would be denied and the world outside reaches {pod.subject} through the hostPort of "
                    f"{number}; add allow: [{{from: {{any: true}}, to: {_told(pod.labels)}, ports: [{number}]}}], "
                    f"or take the risk with accept_risks: [node_port]"
                )


def allow_from(risk: Risk, facts: Facts) -> str:
    """Whom an allow has to name so that what makes a risk is not cut off."""
    agent = konnectivity(facts)
    if agent is not None and _ALLOW_FROM[risk] == _FROM_API_SERVER:
        return (
            "{any: true}"
            if on_host_network(agent)
            else f"{{namespace: {agent.namespace}, pods: {_told(agent.labels)}}}"
        )
    return _ALLOW_FROM[risk]


def _lets_in(risk: Risk, facts: Facts) -> Callable[[Rule], bool]:
    servers = [address for server in facts.api_servers for address in server.addresses]
    cluster = {*facts.node_addresses, *servers}
    if _ALLOW_FROM[risk] != _FROM_API_SERVER:
        doors = _entrances(facts).values() if risk in THROUGH_PODS else ()
        return lambda rule: (
            from_outside(rule, cluster)
            or (risk in THROUGH_PODS and is_every_namespace(rule.peers, facts.namespaces))
            or any(_from_namespace(rule, labels) for labels in doors)
        )
    agent = konnectivity(facts)
    if agent is None:
        return lambda rule: from_addresses(rule, servers)
    if on_host_network(agent):
        return lambda rule: from_addresses(rule, facts.node_addresses)
    return lambda rule: not rule.peers or any(is_peer(peer, "", end_of(agent, facts)) for peer in rule.peers)


def _entrances(facts: Facts) -> dict[str, Mapping[str, str]]:
    """The namespaces that are seen to hold something that is reached from outside, and their labels."""
    return {
        name: labels
        for name, labels in facts.namespaces.items()
        if any(on_host_network(pod) or any(host_ports(pod)) for pod in facts.workloads.get(name) or ())
        or any(is_outward(service) for service in (facts.services.get(name) or {}).values())
    }


def is_outward(service: Mapping[str, Any]) -> bool:
    """Whether a Service is reached from outside of the cluster."""
    spec = service.get("spec") or {}
    return spec.get("type") in ("LoadBalancer", "NodePort") or bool(spec.get("externalIPs"))


def _from_namespace(rule: Rule, labels: Mapping[str, str]) -> bool:
    spaces = [peer["namespaceSelector"] for peer in rule.peers if peer.get("namespaceSelector") is not None]
    return any(selects(selector, labels) for selector in spaces)


def _open_to(pod: End, backing: Backing, lets_in: Callable[[Rule], bool], after: Iterable[InForce]) -> bool:
    closing = isolating(after, "ingress", pod)
    return not closing or any(
        lets_in(rule) and covers_port(rule, backing.port, backing.protocol, pod)
        for policy in closing
        for rule in policy.rules["ingress"]
    )


def _told(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in sorted(labels.items())) + "}"
