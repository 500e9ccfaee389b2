# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what stands in a cluster's network today, as settings, and what could be said besides.

Settings are the NetworkPolicies that there are, so that applying them adds no more than marks. A default deny and the
flows through it are a guess, and stand in comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._backings import backings
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import Caller
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._components import node_local_dns
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Facts,
    host_ports,
    on_host_network,
    present,
    selected_by,
    subjects_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._mentions import Mention, mentions
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import is_probe
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._risks import (
    THROUGH_PODS,
    allow_from,
    is_outward,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import DIRECTIONS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._cluster_components import (
    holds_cluster_components,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import (
    OWN_PREFIX,
    completed,
    mistakes_in,
    wrong_name,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import set_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

Object = Mapping[str, Any]
Labels = Mapping[str, str]

_OF_ONE_VERSION = ("pod-template-hash", "controller-revision-hash", "pod-template-generation", "job-name")
_OF_A_POD = ("statefulset.kubernetes.io/", "apps.kubernetes.io/", "batch.kubernetes.io/")
_RESERVED = frozenset({"pods", "namespace", "namespaces", "cidr", "except", "api_server", "any"})
_EMPTY = '""'
_GUESS = (
    "What follows denies by default and keeps open what is seen today: it is a guess from Services, the ports of "
    "containers, and the Services that containers name in their environment and arguments. Calls that nobody names "
    "there, and those to the world outside or to the API servers, are missing. Complete it, take the # away, and look "
    "with --check before you run it."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The settings of one namespace, and comments about them; one of several lines is a block to take over."""

    settings: Mapping[str, Any]
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A flow, and why it is thought to be one."""

    flow: str
    why: str


def of_namespaces(names: Iterable[str], facts: Facts, set_name: str) -> dict[str, Found]:
    """What the policy of a set says of each of these namespaces."""
    guess = _Guess(facts)
    return {name: _of_namespace(name, facts, guess, set_name) for name in names}


def _of_namespace(name: str, facts: Facts, guess: _Guess, set_name: str) -> Found:
    policies, left_out = _existing(facts.policies.get(name) or (), set_name)
    denied = {direction for policy in present(name, facts) if policy.selects_all for direction in policy.rules}
    open_still = [direction for direction in DIRECTIONS if direction not in denied]
    comments = [*left_out]
    if open_still and facts.workloads.get(name):
        comments += [_GUESS, "\n".join(guess.block(name, open_still, bool(policies)))]
    return Found({"policies": policies} if policies else {}, tuple(comments))


def _existing(policies: Iterable[Object], set_name: str) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    left_out = []
    for policy in sorted(policies, key=lambda each: str(each["metadata"]["name"])):
        name, spec = policy["metadata"]["name"], completed(policy.get("spec") or {})
        if is_probe(policy) or "deletionTimestamp" in policy["metadata"]:
            continue
        if why := _why_not(policy, spec, set_name):
            left_out.append(f"NetworkPolicy {name} is left out: {why}.")
        else:
            found[name] = spec
    return found, left_out


def _why_not(policy: Object, spec: Object, set_name: str) -> str:
    metadata = policy["metadata"]
    makers = [each for each in metadata.get("ownerReferences") or () if each.get("controller")]
    if (other := set_of(policy)) not in ("", set_name):
        return f"it is of the set {other}, and belongs into that policy"
    if makers:
        return f"{makers[0]['kind']} {makers[0]['name']} makes it, and would take marks away again"
    if other and metadata["name"].startswith(OWN_PREFIX):
        return "it comes from default_deny, dns or allow of this very set; say them here, or it will be removed"
    if wrong := wrong_name(metadata["name"]):
        return f"of its name, {wrong}"
    return next((text for _path, text in mistakes_in(spec)), "")


class _Guess:
    """Who seems to call whom, of all namespaces."""

    def __init__(self, facts: Facts) -> None:
        self._facts, self._doors = facts, _doors(facts)
        self._mentions: dict[str, list[Mention]] = {}
        for mention in (each for space in facts.workloads.values() for one in space for each in mentions(one, facts)):
            for space in dict.fromkeys((mention.namespace, mention.workload.namespace)):
                self._mentions.setdefault(space, []).append(mention)
        self._callers: dict[str, list[Caller]] = {}
        for caller in facts.callers:
            self._callers.setdefault(caller.namespace, []).append(caller)

    def block(self, name: str, directions: Sequence[str], has_policies: bool) -> Iterator[str]:
        """The lines of a default deny, and of the flows through it, each after why it is thought to be one."""
        cache = node_local_dns(self._facts)
        yield "network:  # put these keys beside policies, below" if has_policies else "network:"
        yield f"  default_deny: [{', '.join(directions)}]"
        if "egress" in directions:
            yield f"  dns: {{node_local: {cache}}}" if cache else "  dns: true"
        why: dict[str, set[str]] = {}
        for line in (*self._calls(name), *self._led_in(name), *self._on_nodes(name)):
            why.setdefault(line.flow, set()).add(line.why)
        if why:
            yield "  allow:"
        for flow in sorted(why):
            yield f"    # {'; '.join(sorted(why[flow]))}"
            yield f"    - {flow}"
        for service in self._uncalled(name):
            yield f"  # nobody is seen to call {service}"

    def _calls(self, name: str) -> Iterator[_Line]:
        """Flows between workloads; one to another namespace is said in both, so that each stands for itself."""
        for mention in self._mentions.get(name, ()):
            workload = mention.workload
            source = _labels_of(workload)
            why = f"{mention.where} of {workload.subject} names Service/{mention.namespace}/{mention.service}"
            if source and not on_host_network(workload):
                caller = _peer(source, workload.namespace, name)
                for target, ports in self._targets(mention.namespace, mention.service, mention.port, name):
                    yield _Line(_flow(caller, target, ports), why)

    def _led_in(self, name: str) -> Iterator[_Line]:
        for caller in self._callers.get(name, ()):
            of_pods = caller.risk == "openshift_route"
            for target, ports in self._targets(name, caller.service, caller.port, name, of_pods):
                source, hint = self._from(caller)
                why = f"{caller.told} leads to Service/{name}/{caller.service}{hint}"
                yield _Line(_flow(source, target, ports), why)

    def _on_nodes(self, name: str) -> Iterator[_Line]:
        for pod in self._facts.workloads.get(name) or ():
            labels = _labels_of(pod)
            for port in host_ports(pod) if labels and not on_host_network(pod) else ():
                number = f"{port['containerPort']}/{port.get('protocol', 'TCP')}"
                yield _Line(_flow("{any: true}", _peer(labels), [number]), f"a hostPort of {pod.subject}")

    def _from(self, caller: Caller) -> tuple[str, str]:
        """Whom to let in for a caller; where that is one of several namespaces, it is not known which."""
        doors = self._doors if caller.risk in THROUGH_PODS else []
        if len(doors) == 1:
            return f"{{namespace: {doors[0]}}}", ""
        return allow_from(caller.risk, self._facts), f", from one of {', '.join(doors)}" if doors else ""

    def _targets(
        self, namespace: str, name: str, port: int | str | None, here: str, of_pods: bool = False
    ) -> list[tuple[str, list[str]]]:
        service = (self._facts.services.get(namespace) or {}).get(name) or {}
        selector = (service.get("spec") or {}).get("selector") or {}
        if not selector:
            return []
        ports = {f"{each.port}/{each.protocol}" for each in backings(service, port, self._facts, of_pods)}
        return [(_peer(selector, namespace, here), sorted(ports))] if ports else []

    def _uncalled(self, name: str) -> Iterator[str]:
        called = {each.service for each in self._mentions.get(name, ()) if each.namespace == name}
        called |= {each.service for each in self._callers.get(name, ())}
        for service, found in sorted((self._facts.services.get(name) or {}).items()):
            selector = (found.get("spec") or {}).get("selector") or {}
            if selector and service not in called:
                behind = selected_by(self._facts.workloads.get(name) or (), selector)
                ports = ", ".join(f"{each.port}/{each.protocol}" for each in backings(found, None, self._facts))
                yield f"Service/{name}/{service}: {subjects_of(behind) or 'no pod yet'} on {ports or 'no port'}"


def _doors(facts: Facts) -> list[str]:
    """The namespaces that Ingresses and routes may be served from: where components of the cluster are, if any are."""
    found = [
        name
        for name in sorted(facts.namespaces)
        if any(is_outward(service) for service in (facts.services.get(name) or {}).values())
        or any(not on_host_network(pod) and any(host_ports(pod)) for pod in facts.workloads.get(name) or ())
    ]
    return [name for name in found if holds_cluster_components(name)] or found


def _labels_of(workload: PodTemplate) -> Labels:
    """The labels to name a workload's pods by: those of its selector, else those that no other pod of it lacks."""
    return workload.selector or {
        key: value
        for key, value in workload.labels.items()
        if key not in _OF_ONE_VERSION and not key.startswith(_OF_A_POD)
    }


def _flow(source: str, target: str, ports: list[str]) -> str:
    return f"{{from: {source}, to: {target}, ports: [{', '.join(ports)}]}}"


def _peer(labels: Labels, namespace: str = "", here: str = "") -> str:
    told = "{" + ", ".join(f"{key}: {value or _EMPTY}" for key, value in sorted(labels.items())) + "}"
    if namespace != here:
        return f"{{pods: {told}, namespace: {namespace}}}"
    return f"{{pods: {told}}}" if _RESERVED & labels.keys() else told
