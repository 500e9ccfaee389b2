# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: whether the flows that a policy declares can happen as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._declared import with_declared
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Facts,
    container_ports,
    end_of,
    on_host_network,
    present,
    selected_by,
    subjects_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import namespaces_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    InForce,
    isolating,
    opening,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction, NetworkSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import (
    ApiServer,
    Flow,
    Pods,
    Port,
    is_local,
    told_peer,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

_API_SERVICE_PORT = 443
_ALIKE = 0.85


def mistakes(namespace: str, settings: Mapping[str, NetworkSettings], facts: Facts) -> list[str]:
    """What keeps the flows of a namespace from doing what they say, in sentences."""
    return [
        f"the flow {flow}: {mistake}"
        for flow in settings[namespace].allow
        for mistake in _mistakes(flow, namespace, settings, facts)
    ]


def mistyped(namespace: str, said: NetworkSettings, facts: Facts) -> Iterator[str]:
    """The ends of flows that mean nobody, and most likely somebody else, where a direction that is open gets denied.

    What such a flow should open would be closed. With nothing that is alike the workloads may be yet to come.
    """
    denied = {direction for policy in present(namespace, facts) if policy.selects_all for direction in policy.rules}
    if denied >= set(said.deny):
        return
    for flow in said.allow:
        for end in (flow.source, flow.target):
            meant = _meant(end, namespace, facts) if isinstance(end, Pods) else ""
            if meant:
                yield f"the flow {flow} names nobody in {told_peer(end)}; did you mean {meant}?"


def _meant(pods: Pods, namespace: str, facts: Facts) -> str:
    if pods.namespace and pods.namespace not in facts.namespaces:
        return did_you_mean(pods.namespace, facts.namespaces)
    if not pods.labels or _workloads(pods, namespace, facts):
        return ""
    spaces = [namespace] if is_local(pods) else namespaces_of(pods, facts)
    there = {pair for space in spaces for each in facts.workloads.get(space) or () for pair in each.labels.items()}
    said = {f"{key}: {value}" for key, value in pods.labels if (key, value) not in there}
    known = [f"{key}: {value}" for key, value in sorted(there)]
    return next(filter(None, (did_you_mean(each, known, _ALIKE) for each in sorted(said))), "")


def workloads_named(namespace: str, said: NetworkSettings, facts: Facts) -> list[PodTemplate]:
    """The workloads at the ends of a namespace's flows, each once."""
    ends = [end for flow in said.allow for end in (flow.source, flow.target) if isinstance(end, Pods)]
    found = {workload.subject: workload for end in ends for workload in _workloads(end, namespace, facts)}
    return list(found.values())


def _mistakes(flow: Flow, namespace: str, settings: Mapping[str, NetworkSettings], facts: Facts) -> Iterator[str]:
    for end in (flow.source, flow.target):
        if isinstance(end, Pods):
            yield from _nobody_there(end, namespace, facts)
    if isinstance(flow.target, Pods):
        there = _workloads(flow.target, namespace, facts)
        for port in flow.ports:
            yield from _no_such_port(port, there, facts) if there else ()
    if isinstance(flow.target, ApiServer):
        yield from _not_its_port(flow.ports, facts)
    yield from _closed_elsewhere(flow, namespace, settings, facts)


def _workloads(pods: Pods, namespace: str, facts: Facts) -> list[PodTemplate]:
    spaces = [namespace] if is_local(pods) else namespaces_of(pods, facts)
    return [each for space in spaces for each in selected_by(facts.workloads.get(space) or (), dict(pods.labels))]


def _nobody_there(pods: Pods, namespace: str, facts: Facts) -> Iterator[str]:
    if pods.namespace and pods.namespace not in facts.namespaces:
        meant = did_you_mean(pods.namespace, facts.namespaces)
        yield f"there is no namespace {pods.namespace}" + (f"; did you mean {meant}?" if meant else "")
    elif pods.namespaces is not None and not namespaces_of(pods, facts):
        yield f"no namespace has the labels of {told_peer(pods)}"
    elif pods.labels and not _workloads(pods, namespace, facts):
        yield f"no workload has the labels of {told_peer(pods)}"


def _no_such_port(port: Port, there: list[PodTemplate], facts: Facts) -> Iterator[str]:
    declared = [each for workload in there for each in container_ports(workload.spec)]
    if port.name:
        same_name = {protocol for name, _number, protocol in declared if name == port.name}
        if port.protocol not in same_name:
            meant = did_you_mean(port.name, {name for name, _number, _protocol in declared if name})
            hint = (
                f"; there {port.name} is {'/'.join(sorted(same_name))}"
                if same_name
                else f"; did you mean {meant}?"
                if meant
                else ""
            )
            yield f"no container of {subjects_of(there)} has a {port.protocol} port of the name {port.name}{hint}"
    elif not port.end and port.number not in {number for _name, number, _protocol in declared}:
        yield from _port_of_a_service(port, there, facts)


def _port_of_a_service(port: Port, there: list[PodTemplate], facts: Facts) -> Iterator[str]:
    """A Service's port is not its pods': policies act after the Service's translation."""
    for workload in there:
        for name, service in (facts.services.get(workload.namespace) or {}).items():
            spec = service.get("spec") or {}
            if spec.get("selector") and selected_by([workload], spec["selector"]):
                for each in spec.get("ports") or ():
                    target = each.get("targetPort", each.get("port"))
                    if each.get("port") == port.number and target != port.number:
                        yield f"{port.number} is the port of Service {name}, whose pods listen on {target}; name that"
                        return


def _not_its_port(ports: Sequence[Port], facts: Facts) -> Iterator[str]:
    real = {number for server in facts.api_servers for number, _protocol in server.ports}
    wrong = [str(port) for port in ports if port.number not in real | {_API_SERVICE_PORT}]
    if wrong and real:
        yield f"the API servers listen on {', '.join(map(str, sorted(real)))}, not on {', '.join(wrong)}"


def _closed_elsewhere(
    flow: Flow, namespace: str, settings: Mapping[str, NetworkSettings], facts: Facts
) -> Iterator[str]:
    """An end in another namespace is opened there only where these settings deny it; else it is only looked at."""
    ends: tuple[tuple[Direction, Pods | None, Pods | None], ...] = (
        ("ingress", _pods(flow.target), _pods(flow.source)),
        ("egress", _pods(flow.source), _pods(flow.target)),
    )
    for direction, subject, other in ends:
        if subject is None or other is None or is_local(subject):
            continue
        for space in namespaces_of(subject, facts):
            if space != namespace and direction not in settings.get(space, NetworkSettings()).deny:
                policies = with_declared(space, settings, facts)
                yield from _closed_in(space, policies, direction, subject, other, flow, namespace, facts)


def _closed_in(
    space: str,
    policies: Sequence[InForce],
    direction: Direction,
    subject: Pods,
    other: Pods,
    flow: Flow,
    namespace: str,
    facts: Facts,
) -> Iterator[str]:
    pods = selected_by(facts.workloads.get(space) or (), dict(subject.labels))
    others = _workloads(other, namespace, facts)
    for pod, peer in ((pod, peer) for pod in pods[:1] for peer in others[:1]):
        closing = isolating(policies, direction, end_of(pod, facts))
        shut = [
            port
            for port in flow.ports or (None,)
            if not opening(
                policies,
                direction,
                end_of(pod, facts),
                end_of(peer, facts),
                None if port is None else port.name or port.number,
                "TCP" if port is None else port.protocol,
            )
        ]
        if closing and shut:
            yield (
                f"{direction} of {pod.subject} is closed by {closing[0].told}, and this policy does not deny it there; "
                f"open it in that namespace"
            )


def _pods(peer: object) -> Pods | None:
    return peer if isinstance(peer, Pods) else None


def host_network_note(workloads: Sequence[PodTemplate]) -> str:
    """What cannot be proved of pods on their node's network; ``""`` where there are none."""
    there = [workload for workload in workloads if on_host_network(workload)]
    return (
        f"not provable for {subjects_of(there)}: on the host's network, where NetworkPolicy does not reach"
        if there
        else ""
    )
