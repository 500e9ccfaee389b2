# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the modules of the pod network share: their options, and how they read a cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, NotFound
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    LEFT_OVER,
    OTHER_POLICIES,
    SERVICE_NAME_LABEL,
    WORKLOAD_KINDS,
    Dns,
    Facts,
    callers_of,
    cluster_dns,
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
    NetworkSettings,
    parse_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import Pods
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    check_limit,
    is_meant,
    resolve,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import SET_LABEL, UNNAMED_SET

SETTINGS_SPEC: dict[str, Any] = {
    "namespaces": {"type": "dict", "default": {}},
    "selected": {"type": "list", "elements": "dict", "default": []},
    "default": {"type": "dict", "default": {}},
    "exempt": {"type": "list", "elements": "str", "default": []},
    "only": {"type": "list", "elements": "str", "default": []},
    "set": {"type": "str", "default": UNNAMED_SET},
}

_SET_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_API_VERSIONS = {kind: api_version for api_version, kind in KNOWN}
_IN_NAMESPACES = ("NetworkPolicy", "Pod", *WORKLOAD_KINDS, "Service")
_CALLING = (
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "CustomResourceDefinition",
)
_OTHER_ENGINES = (
    ("cilium.io/v2", "CiliumNetworkPolicy"),
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
    ("projectcalico.org/v3", "NetworkPolicy"),
    ("projectcalico.org/v3", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org/v1", "NetworkPolicy"),
    ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
)
_ONE_BY_ONE_UP_TO = 8
_COMPONENTS = "kube-system"
_DNS_SERVICES = (("kube-system", "kube-dns"), ("openshift-dns", "dns-default"))
_DNS_LABEL = "k8s-app=kube-dns"
Objects = list[dict[str, Any]]


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

    @property
    def meant(self) -> dict[str, NetworkSettings]:
        """The settings of the namespaces that may be touched and judged."""
        return {name: said for name, said in self.settings.items() if is_meant(name, self.only)}


def read_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The options about settings as plain data; raises HardeningError on a bad name of the set."""
    said = {key: plain(arguments[key]) for key in SETTINGS_SPEC}
    said["namespaces"] = {name: settings or {} for name, settings in said["namespaces"].items()}
    check_limit(said["only"])
    if not _SET_NAME.fullmatch(said["set"]):
        raise HardeningError(
            f"set: {said['set']!r} cannot be a label; use at most 63 letters, digits, dots, dashes and underscores, "
            "with a letter or a digit at both ends."
        )
    return said


def read(client: Client, said: Mapping[str, Any]) -> Wanted:
    """Everything that a decision about these options needs, read once. Raises HardeningError on bad settings."""
    live = _namespaces(client, said)
    resolution, whole = _resolved(live, said), _resolved(live, {**said, "only": ()})
    settings = {name: parse_settings(each, name) for name, each in whole.settings.items()}
    labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in live}
    labels |= {name: {NAME_LABEL: name} for name in whole.creating}
    ending = {each["metadata"]["name"] for each in live if each["metadata"].get("deletionTimestamp")}
    meant = {name: settings[name] for name in resolution.settings}
    facts = _facts(client, meant, labels, said, ending)
    return Wanted(resolution, settings, facts, said["set"], said["only"])


def read_names(client: Client, said: Mapping[str, Any]) -> list[str]:
    """The namespaces that get settings by these options."""
    return list(_resolved(_namespaces(client, said), said).settings)


def _resolved(live: Objects, said: Mapping[str, Any]) -> Resolution:
    return resolve(live, said["namespaces"], said["selected"], said["default"], said["exempt"], said["only"])


def policies_of(client: Client, namespaces: Iterable[str]) -> Facts:
    """Nothing but the NetworkPolicies of namespaces, which is all that a removal needs to know."""
    found = _Reader(client, sorted(set(namespaces)))
    policies = _by_namespace(found.everywhere("NetworkPolicy"))
    found.must_have("NetworkPolicy")
    return Facts(namespaces={}, policies={name: tuple(each) for name, each in policies.items()})


def _namespaces(client: Client, said: Mapping[str, Any]) -> Objects:
    resource = KNOWN["v1", "Namespace"]
    try:
        return client.list(resource, metadata_only=True)
    except Forbidden:
        if said["selected"] or said["default"]:
            raise
    # Who names namespaces needs to see no others.
    found = client.parallel(partial(client.get, resource), said["namespaces"])
    return [each for each in found if each is not None]


def _facts(
    client: Client,
    settings: Mapping[str, NetworkSettings],
    labels: Mapping[str, Mapping[str, str]],
    said: Mapping[str, Any],
    ending: Collection[str],
) -> Facts:
    reader = _Reader(client, _spaces(settings, labels))
    denied = {direction for each in settings.values() for direction in each.deny}
    jobs: dict[str, Callable[[], Any]] = {kind: partial(reader.everywhere, kind) for kind in _IN_NAMESPACES}
    if "ingress" in denied:
        jobs |= {kind: partial(reader.cluster_wide, kind) for kind in _CALLING}
        jobs["Ingress"] = partial(reader.everywhere, "Ingress")
    if denied:
        jobs |= {"dns": reader.dns, "api_server": reader.api_server, "components": reader.components}
        jobs["Node"] = partial(reader.cluster_wide, "Node")
        jobs[OTHER_POLICIES] = reader.other_policies
    places = [name for name in labels if is_meant(name, said["only"])] if said["only"] else [""]
    jobs[LEFT_OVER] = partial(reader.of_set, said["set"], places)
    names = list(jobs)
    answers = dict(zip(names, client.parallel(lambda name: jobs[name](), names), strict=True))

    policies, services = _by_namespace(answers["NetworkPolicy"]), _by_namespace(answers["Service"])
    pods = _by_namespace(answers["Pod"])
    owners = _by_namespace(each for kind in WORKLOAD_KINDS for each in answers[kind])
    calling = [each for kind in (*_CALLING, "Ingress", "Service") for each in answers.get(kind) or ()]
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
        left_over={
            name: tuple(each)
            for name, each in _by_namespace(filter(is_ours, answers[LEFT_OVER])).items()
            if name not in settings and name not in ending and is_meant(name, said["only"])
        },
        unreadable=reader.unreadable,
    )


def _spaces(settings: Mapping[str, NetworkSettings], labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The namespaces with settings, and those that are at the other end of their flows."""
    bare = Facts(namespaces=labels)
    ends = (end for said in settings.values() for flow in said.allow for end in (flow.source, flow.target))
    others = {name for end in ends if isinstance(end, Pods) for name in namespaces_of(end, bare) if name}
    return sorted({*settings, *others})


class _Reader:
    """Reads, and remembers what it was not allowed to."""

    def __init__(self, client: Client, spaces: list[str]) -> None:
        self._client, self._spaces = client, spaces
        self.unreadable: dict[str, str] = {}

    def must_have(self, kind: str) -> None:
        if kind in self.unreadable:
            raise HardeningError(self.unreadable[kind])

    def everywhere(self, kind: str) -> Objects:
        """The objects of a kind in the namespaces that matter: by one request where these are many."""
        resource = KNOWN[_API_VERSIONS[kind], kind]
        wanted = set(self._spaces)
        if len(wanted) > _ONE_BY_ONE_UP_TO:
            try:
                return [each for each in self._client.list(resource) if each["metadata"]["namespace"] in wanted]
            except Forbidden:
                pass
        pages = self._client.parallel(
            lambda space: self._allowed(kind, lambda: self._client.list(resource, space)), self._spaces
        )
        return [each for page in pages for each in page]

    def cluster_wide(self, kind: str) -> Objects:
        return self._allowed(kind, lambda: self._client.list(KNOWN[_API_VERSIONS[kind], kind]))

    def of_set(self, set_name: str, places: Sequence[str]) -> Objects:
        """What this set wrote in these namespaces; ``""`` are all."""
        resource, selector = KNOWN[_API_VERSIONS["NetworkPolicy"], "NetworkPolicy"], f"{SET_LABEL}={set_name}"
        pages = self._client.parallel(
            lambda place: self._allowed(LEFT_OVER, lambda: self._client.list(resource, place, label_selector=selector)),
            places,
        )
        return [each for page in pages for each in page]

    def other_policies(self) -> Objects:
        """The policies of other engines, as far as the server has their kinds."""
        served = [each for each in (self._client.resource(*kind) for kind in _OTHER_ENGINES) if each]
        pages = self._client.parallel(
            lambda resource: self._allowed(OTHER_POLICIES, lambda: self._client.list(resource, metadata_only=True)),
            served,
        )
        return [each for page in pages for each in page]

    def components(self) -> Objects:
        """What stands between pods and the cluster's DNS, or its API servers."""
        found = [
            self._allowed("components", partial(self._client.list, KNOWN["apps/v1", kind], _COMPONENTS))
            for kind in ("DaemonSet", "Deployment")
        ]
        return [each for page in found for each in page]

    def api_server(self) -> Objects:
        return self._allowed("api_server", lambda: self._slices("default", "kubernetes"))

    def dns(self) -> Dns | None:
        resource = KNOWN["v1", "Service"]
        try:
            candidates = [self._client.get(resource, name, namespace) for namespace, name in _DNS_SERVICES]
            if not any(candidates):
                candidates = list(self._client.list(resource, label_selector=_DNS_LABEL))
            for service in candidates:
                if service:
                    metadata = service["metadata"]
                    return cluster_dns(service, self._slices(metadata["namespace"], metadata["name"]))
        except Forbidden as error:
            self.unreadable["dns"] = str(error)
        return None

    def _slices(self, namespace: str, service: str) -> Objects:
        resource = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
        return self._client.list(resource, namespace, label_selector=f"{SERVICE_NAME_LABEL}={service}")

    def _allowed(self, kind: str, question: Callable[[], Objects]) -> Objects:
        try:
            return question()
        except NotFound:
            return []
        except Forbidden as error:
            self.unreadable[kind] = str(error)
            return []


def _by_namespace(objects: Iterable[dict[str, Any]]) -> dict[str, Objects]:
    found: dict[str, Objects] = {}
    for each in objects:
        found.setdefault(each["metadata"].get("namespace", ""), []).append(each)
    return found
