# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a cluster says of itself, as far as its network needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import Caller
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    PROBE_LABEL,
    PROBE_PREFIX,
    End,
    InForce,
    in_force,
    is_probe,
    selects,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate, pod_template

_DNS_PORT = 53
_NO_ADDRESS = frozenset({"", "None"})
OTHER_POLICIES = "policies of other engines"
LEFT_OVER = "policies of this set"
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
_LONGEST_PROBE_SECONDS = 3600
_NAMED_AT_MOST = 3
_ENDED = frozenset({"Succeeded", "Failed"})
_MADE_BY_WORKLOADS = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet"})


@dataclass(frozen=True, slots=True)
class Listener:
    """Addresses and the ports that all of them listen on, as ``(number, protocol)``: one EndpointSlice."""

    addresses: tuple[str, ...]
    ports: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Dns:
    """The cluster's DNS: the pods behind its Service, the ports that these listen on, as ``(port, protocol)``.

    ``addresses`` are the pods', ``service_addresses`` the Service's own.
    """

    namespace: str
    selector: Mapping[str, str]
    ports: tuple[tuple[int | str, str], ...]
    addresses: tuple[str, ...] = ()
    service_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read. ``unreadable`` says of each kind that could not be read why, in one sentence.

    ``namespaces`` are their labels. ``policies`` are NetworkPolicy objects, ``workloads`` the running pods and the
    templates of pods to come, ``services`` Service objects by name, each by namespace. ``components`` are the
    Deployments and DaemonSets of ``kube-system``. ``other_policies`` are those of other policy engines, as namespace
    (``""`` for the whole cluster) and ``Kind/namespace/name``. ``left_over`` are this set's policies in namespaces
    that its settings do not reach.
    """

    namespaces: Mapping[str, Mapping[str, str]]
    policies: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    workloads: Mapping[str, tuple[PodTemplate, ...]] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    callers: tuple[Caller, ...] = ()
    dns: Dns | None = None
    api_servers: tuple[Listener, ...] = ()
    components: tuple[PodTemplate, ...] = ()
    node_addresses: tuple[str, ...] = ()
    other_policies: tuple[tuple[str, str], ...] = ()
    left_over: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)


def present(namespace: str, facts: Facts) -> list[InForce]:
    """The policies in force in a namespace, ours and foreign; those of a probe say nothing about others."""
    return [in_force(policy) for policy in facts.policies.get(namespace) or () if not is_probe(policy)]


def listeners(slices: Iterable[Mapping[str, Any]]) -> tuple[Listener, ...]:
    """What the endpoints of EndpointSlices listen on, in a stable order.

    Also those that are not ready: an API server or a DNS pod that is away for a while comes back at its address.
    """
    found = []
    for each in slices:
        addresses = sorted(
            address for endpoint in each.get("endpoints") or () for address in endpoint.get("addresses") or ()
        )
        ports = sorted(
            (port["port"], port.get("protocol", "TCP"))
            for port in each.get("ports") or ()
            if port.get("port") is not None
        )
        if addresses and ports:
            found.append(Listener(tuple(addresses), tuple(ports)))
    return tuple(sorted(set(found), key=lambda each: (each.addresses, each.ports)))


def other_policies_of(objects: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Objects of other policy engines, as :class:`Facts` holds them, each once though two API groups serve it."""
    found = set()
    for each in objects:
        namespace, name = each["metadata"].get("namespace", ""), each["metadata"]["name"]
        found.add((namespace, "/".join(filter(None, (each["kind"], namespace, name)))))
    return tuple(sorted(found))


def node_addresses(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The IP addresses of Nodes, inside and outside."""
    return sorted(
        address["address"]
        for node in nodes
        for address in (node.get("status") or {}).get("addresses") or ()
        if address.get("type") in ("InternalIP", "ExternalIP")
    )


def cluster_dns(service: Mapping[str, Any], slices: Iterable[Mapping[str, Any]]) -> Dns | None:
    """The DNS behind a Service: its pods and the ports they really listen on, always for UDP and for TCP.

    The ports come from the EndpointSlices, which have numbers where a Service may have names; with no endpoint yet,
    from the Service. ``None`` for a Service that selects no pods or serves no DNS.
    """
    spec = service.get("spec") or {}
    names = {port.get("name", ""): port for port in spec.get("ports") or () if port.get("port") == _DNS_PORT}
    if not spec.get("selector") or not names:
        return None
    slices = list(slices)
    ports: set[tuple[int | str, str]] = {
        (port["port"], port.get("protocol", "TCP"))
        for each in slices
        for port in each.get("ports") or ()
        if port.get("name", "") in names and port.get("port") is not None
    } or {(port.get("targetPort", _DNS_PORT), port.get("protocol", "TCP")) for port in names.values()}
    numbers = {port for port, _protocol in ports if isinstance(port, int)}
    ports |= {(number, protocol) for number in numbers for protocol in ("TCP", "UDP")}
    return Dns(
        namespace=service["metadata"]["namespace"],
        selector=spec["selector"],
        ports=tuple(sorted(ports, key=str)),
        addresses=tuple(address for each in listeners(slices) for address in each.addresses),
        service_addresses=tuple(
            each for each in spec.get("clusterIPs") or [spec.get("clusterIP", "")] if each not in _NO_ADDRESS
        ),
    )


def container_ports(spec: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """``(name, number, protocol)`` of what a PodSpec's containers declare, sidecars included; a name may be empty."""
    for port in _declared_ports(spec):
        yield port.get("name", ""), port["containerPort"], port.get("protocol", "TCP")


def host_ports(workload: PodTemplate) -> Iterator[Mapping[str, Any]]:
    """The ports of its containers, sidecars included, that are also ports of their node."""
    return (port for port in _declared_ports(workload.spec) if port.get("hostPort"))


def _declared_ports(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        yield from container.get("ports") or ()


def end_of(workload: PodTemplate, facts: Facts) -> End:
    """A workload's pods as one end of a connection."""
    return End(
        namespace=workload.namespace,
        namespace_labels=facts.namespaces.get(workload.namespace) or {},
        labels=workload.labels,
        ports={(name, protocol): number for name, number, protocol in container_ports(workload.spec) if name},
    )


def on_host_network(workload: PodTemplate) -> bool:
    """Whether its pods share their node's network, where NetworkPolicy does not reach them."""
    return bool(workload.spec.get("hostNetwork"))


def selected_by(workloads: Iterable[PodTemplate], labels: Mapping[str, str]) -> list[PodTemplate]:
    """The workloads whose pods have these labels."""
    return [workload for workload in workloads if selects({"matchLabels": labels}, workload.labels)]


def workloads_of(pods: Iterable[Mapping[str, Any]], owners: Iterable[Mapping[str, Any]]) -> tuple[PodTemplate, ...]:
    """The templates of workloads, and the pods that run without coming from one of them; no pods of ours."""
    templates = [template for template in map(pod_template, owners) if template is not None]
    alone = []
    for each in pods:
        metadata = each["metadata"]
        ended = (each.get("status") or {}).get("phase") in _ENDED
        made = {owner.get("kind") for owner in metadata.get("ownerReferences") or ()} & _MADE_BY_WORKLOADS
        pod = pod_template(each)
        if pod is None or ended or _is_probe(pod):
            continue
        if not made or not any(selects({"matchLabels": template.labels}, pod.labels) for template in templates):
            alone.append(pod)
    return (*templates, *alone)


def _is_probe(pod: PodTemplate) -> bool:
    # The label alone would let anybody hide.
    lifetime = pod.spec.get("activeDeadlineSeconds") or _LONGEST_PROBE_SECONDS + 1
    return pod.name.startswith(PROBE_PREFIX) and PROBE_LABEL in pod.labels and lifetime <= _LONGEST_PROBE_SECONDS


def subjects_of(workloads: Sequence[PodTemplate]) -> str:
    """Some workloads by name, and how many more."""
    names = [workload.subject for workload in workloads[:_NAMED_AT_MOST]]
    more = len(workloads) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
