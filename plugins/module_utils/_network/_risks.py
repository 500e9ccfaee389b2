# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a default deny would break, and the line that keeps it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    RISK_KINDS,
    Caller,
    Facts,
    container_ports,
    end_of,
    on_host_network,
    selected_by,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    End,
    InForce,
    Rule,
    covers_port,
    from_addresses,
    from_other_namespaces,
    from_outside,
    isolating,
    opening,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import NetworkSettings, Risk
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

_DNS_PORT = 53
_USUAL_NODE_LOCAL = "169.254.20.10"
_OWN_DNS = frozenset({"Default", "None"})
_NAMED_AT_MOST = 3

_FROM_API_SERVER = "{api_server: true}"
_ALLOW_FROM: Mapping[Risk, str] = {
    "webhook": _FROM_API_SERVER,
    "aggregated_api": _FROM_API_SERVER,
    "crd_conversion": _FROM_API_SERVER,
    "ingress": "{namespace: <the ingress controller's>}",
    "load_balancer": "{any: true}",
    "node_port": "{any: true}",
}


def breaks(namespace: str, said: NetworkSettings, after: Sequence[InForce], facts: Facts) -> list[str]:
    """What the default deny of a namespace would break and nobody accepted, in sentences that say what to add.

    ``after`` are all policies that would be in force, foreign ones too.
    """
    found: list[str] = []
    if "egress" in said.deny and "dns" not in said.accepted:
        found.extend(_without_dns(namespace, after, facts))
    if "ingress" in said.deny:
        found.extend(_unseen(said, facts))
        for caller in facts.callers:
            if caller.namespace == namespace and caller.risk not in said.accepted:
                found.extend(_shut_out(caller, after, facts))
    return found


def _without_dns(namespace: str, after: Sequence[InForce], facts: Facts) -> Iterator[str]:
    losing = [
        workload
        for workload in _asking_dns(namespace, facts)
        if isolating(after, "egress", end_of(workload, facts))
        and not _reaches_dns(end_of(workload, facts), after, facts)
    ]
    if losing:
        yield (
            f"egress would be denied and {_named(losing)} would lose DNS; "
            f"add dns: true, or take the risk with accept_risks: [dns]"
        )


def _asking_dns(namespace: str, facts: Facts) -> Iterator[PodTemplate]:
    # A namespace without workloads will have some: one without labels stands for them.
    for workload in facts.workloads.get(namespace) or (PodTemplate("Pod", namespace, "to come", {}, {}),):
        if not on_host_network(workload) and workload.spec.get("dnsPolicy") not in _OWN_DNS:
            yield workload


def _reaches_dns(pod: End, after: Sequence[InForce], facts: Facts) -> bool:
    return any(opening(after, "egress", pod, server, port, "UDP") for server, port in _dns_servers(facts))


def _dns_servers(facts: Facts) -> Iterator[tuple[End, int | str]]:
    yield End(addresses=(_USUAL_NODE_LOCAL,)), _DNS_PORT
    if facts.dns is not None:
        labels = facts.namespaces.get(facts.dns.namespace) or {NAME_LABEL: facts.dns.namespace}
        server = End(facts.dns.namespace, labels, facts.dns.selector, facts.dns.addresses)
        yield from ((server, port) for port, protocol in facts.dns.ports if protocol == "UDP")
        yield from ((End(addresses=(address,)), _DNS_PORT) for address in facts.dns.service_addresses)


def _unseen(said: NetworkSettings, facts: Facts) -> Iterator[str]:
    for risk, kinds in RISK_KINDS.items():
        missing = [facts.unreadable[kind] for kind in kinds if kind in facts.unreadable]
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
    "load_balancer": "a LoadBalancer",
    "node_port": "a NodePort",
}


@dataclass(frozen=True, slots=True)
class _Backing:
    """A port of a Service as the pods behind it see it; ``port`` is ``None`` where the pods do not tell."""

    pods: tuple[PodTemplate, ...]
    port: int | str | None
    protocol: str


def _shut_out(caller: Caller, after: Sequence[InForce], facts: Facts) -> Iterator[str]:
    service = (facts.services.get(caller.namespace) or {}).get(caller.service)
    if service is None or (service.get("spec") or {}).get("type") == "ExternalName":
        return
    lets_in = _lets_in(caller.risk, facts)
    for backing in _backings(service, caller, facts):
        shut = [pod for pod in backing.pods if not _open_to(end_of(pod, facts), backing, lets_in, after)]
        if shut:
            selector = (service.get("spec") or {}).get("selector") or {}
            yield (
                f"ingress would be denied and {caller.told} reaches Service/{caller.namespace}/{caller.service}, "
                f"whose pods listen on {backing.port or 'a port that is not known'}/{backing.protocol}; "
                f"add allow: [{{from: {_ALLOW_FROM[caller.risk]}, to: {_told(selector)}, "
                f"ports: [{backing.port or '<port>'}/{backing.protocol}]}}], "
                f"or take the risk with accept_risks: [{caller.risk}]"
            )


def _lets_in(risk: Risk, facts: Facts) -> Callable[[Rule], bool]:
    if _ALLOW_FROM[risk] == _FROM_API_SERVER:
        addresses = [address for server in facts.api_servers for address in server.addresses]
        return lambda rule: from_addresses(rule, addresses)
    return from_other_namespaces if risk == "ingress" else from_outside


def _backings(service: Mapping[str, Any], caller: Caller, facts: Facts) -> Iterator[_Backing]:
    spec, namespace = service.get("spec") or {}, caller.namespace
    selector = spec.get("selector") or {}
    behind = selected_by(facts.workloads.get(namespace) or (), selector) if selector else []
    # Without pods yet, or without a selector, a pod with just these labels stands for those behind the Service.
    pods = [pod for pod in behind if not on_host_network(pod)] or (
        [] if behind else [PodTemplate("Pod", namespace, caller.service, selector, {})]
    )
    for port in spec.get("ports") or ():
        if caller.port in (None, port.get("port"), port.get("name")):
            protocol = port.get("protocol", "TCP")
            target = port.get("targetPort", port.get("port"))
            for number in sorted({str(_number(pod, target, protocol)) for pod in pods}):
                known = int(number) if number.isdecimal() else number
                alike = tuple(pod for pod in pods if str(_number(pod, target, protocol)) == number)
                yield _Backing(alike, known, protocol)


def _number(pod: PodTemplate, target: int | str, protocol: str) -> int | str:
    if isinstance(target, int):
        return target
    named = {(name, proto): number for name, number, proto in container_ports(pod.spec)}
    return named.get((target, protocol), target)


def _open_to(pod: End, backing: _Backing, lets_in: Callable[[Rule], bool], after: Iterable[InForce]) -> bool:
    closing = isolating(after, "ingress", pod)
    return not closing or any(
        lets_in(rule) and covers_port(rule, backing.port, backing.protocol, pod)
        for policy in closing
        for rule in policy.rules["ingress"]
    )


def _named(workloads: Sequence[PodTemplate]) -> str:
    names = [workload.subject for workload in workloads[:_NAMED_AT_MOST]]
    more = len(workloads) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _told(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in sorted(labels.items())) + "}"
