# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the modules of the pod network share: their options, and how they read a cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import (
    WORKLOAD_KINDS,
    callers_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._declared import declared
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    LEFT_OVER,
    OTHER_POLICIES,
    Facts,
    listeners,
    node_addresses,
    other_policies_of,
    workloads_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import namespaces_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    is_ours,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import (
    Direction,
    NetworkSettings,
    parse_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import Pods
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    is_meant,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._reader import (
    Reader,
    by_namespace,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import (
    live_namespaces,
    resolved,
)

_IN_NAMESPACES = ("NetworkPolicy", "Pod", *WORKLOAD_KINDS, "Service")
_ENTRANCES = "entrances"
_CALLING = (
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "CustomResourceDefinition",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a task's options mean on a cluster: who gets which settings, and what the cluster says of itself.

    ``settings`` are those of every namespace, also of those that ``only`` leaves out, since a flow has two ends: what
    one namespace declares opens the other. ``resolution`` and ``facts`` are of the namespaces that are meant.
    """

    resolution: Resolution
    settings: Mapping[str, NetworkSettings]
    facts: Facts
    set_name: str
    only: Sequence[str]
    prune: bool

    @property
    def meant(self) -> dict[str, NetworkSettings]:
        """The settings of the namespaces that may be touched and judged."""
        return {name: said for name, said in self.settings.items() if is_meant(name, self.only)}


def read(client: Client, said: Mapping[str, Any]) -> Wanted:
    """Everything that a decision about these options needs, read once. Raises HardeningError on bad settings."""
    live, _unlisted = live_namespaces(client, said)
    resolution, whole = resolved(live, said), resolved(live, {**said, "only": ()})
    settings = {name: parse_settings(each, name) for name, each in whole.settings.items()}
    labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in live}
    labels |= {name: {NAME_LABEL: name} for name in whole.creating}
    ending = {each["metadata"]["name"] for each in live if each["metadata"].get("deletionTimestamp")}
    meant = {name: settings[name] for name in resolution.settings}
    facts = facts_of(client, meant, labels, said, ending)
    return Wanted(resolution, settings, facts, said["set"], said["only"], said["prune"])


def facts_of(
    client: Client,
    settings: Mapping[str, NetworkSettings],
    labels: Mapping[str, Mapping[str, str]],
    said: Mapping[str, Any],
    ending: Collection[str],
) -> Facts:
    """What the cluster says of itself, as far as settings of these namespaces depend on it."""
    reader = Reader(client, _spaces(settings, labels))
    closed = {direction for name, said_of in settings.items() for direction in _closed(name, said_of)}
    jobs: dict[str, Callable[[], Any]] = {kind: partial(reader.everywhere, kind) for kind in _IN_NAMESPACES}
    if "ingress" in closed:
        jobs |= {kind: partial(reader.cluster_wide, kind) for kind in _CALLING}
        jobs["Ingress"] = partial(reader.everywhere, "Ingress")
        jobs[_ENTRANCES] = reader.entrances
    if closed:
        jobs |= {"dns": reader.dns, "api_server": reader.api_server, "components": reader.components}
        jobs["Node"] = partial(reader.cluster_wide, "Node")
        jobs[OTHER_POLICIES] = reader.other_policies
    places = [name for name in labels if is_meant(name, said["only"])] if said["only"] else [""]
    jobs[LEFT_OVER] = partial(reader.of_set, said["set"], places)
    names = list(jobs)
    answers = dict(zip(names, client.parallel(lambda name: jobs[name](), names), strict=True))

    policies, services = by_namespace(answers["NetworkPolicy"]), by_namespace(answers["Service"])
    pods = by_namespace(answers["Pod"])
    owners = by_namespace(each for kind in WORKLOAD_KINDS for each in answers[kind])
    calling = [each for kind in (*_CALLING, "Ingress", _ENTRANCES, "Service") for each in answers.get(kind) or ()]
    left = {
        name: tuple(each)
        for name, each in by_namespace(filter(is_ours, answers[LEFT_OVER])).items()
        if name not in settings and name not in ending and is_meant(name, said["only"])
    }
    if reaches_everywhere(said["set"], said["prune"]):
        # What goes where, and in which order, depends on the others' policies there too.
        policies = {**by_namespace(reader.everywhere("NetworkPolicy", left)), **policies}
    return Facts(
        namespaces=labels,
        policies={name: tuple(each) for name, each in policies.items()},
        workloads={name: workloads_of(pods.get(name, ()), owners.get(name, ())) for name in {*pods, *owners}},
        services={name: {each["metadata"]["name"]: each for each in found} for name, found in services.items()},
        callers=tuple(callers_of(calling)),
        dns=answers.get("dns"),
        api_servers=listeners(answers.get("api_server") or ()),
        components=workloads_of((), answers.get("components") or ()),
        node_addresses=tuple(node_addresses(answers.get("Node") or ())),
        other_policies=other_policies_of(answers.get(OTHER_POLICIES) or ()),
        left_over=left,
        unreadable=reader.unreadable,
    )


def _closed(namespace: str, said: NetworkSettings) -> set[Direction]:
    """The directions that settings close for any pod."""
    return {*said.deny, *(direction for policy in declared(namespace, said).values() for direction in policy.rules)}


def _spaces(settings: Mapping[str, NetworkSettings], labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The namespaces with settings, and those that are at the other end of their flows."""
    bare = Facts(namespaces=labels)
    ends = (end for said in settings.values() for flow in said.allow for end in (flow.source, flow.target))
    others = {name for end in ends if isinstance(end, Pods) for name in namespaces_of(end, bare) if name}
    return sorted({*settings, *others})
