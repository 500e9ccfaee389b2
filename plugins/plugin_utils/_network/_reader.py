# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: reads what the pod network depends on, as far as it may."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, NotFound
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import ENTRANCES, OPENSHIFT_ROUTE
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    LEFT_OVER,
    OTHER_POLICIES,
    SERVICE_NAME_LABEL,
    Dns,
    cluster_dns,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import SET_LABEL

Objects = list[dict[str, Any]]

_API_VERSIONS = {kind: api_version for api_version, kind in KNOWN}
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


class Reader:
    """Reads, and remembers what it was not allowed to."""

    def __init__(self, client: Client, spaces: list[str]) -> None:
        self._client, self._spaces = client, spaces
        self.unreadable: dict[str, str] = {}

    def must_have(self, kind: str) -> None:
        if kind in self.unreadable:
            raise HardeningError(self.unreadable[kind])

    def everywhere(self, kind: str, spaces: Collection[str] | None = None) -> Objects:
        """The objects of a kind in the namespaces that matter, or in these: by one request where they are many."""
        return self._in_spaces(KNOWN[_API_VERSIONS[kind], kind], spaces)

    def _in_spaces(self, resource: Resource, spaces: Collection[str] | None = None) -> Objects:
        wanted = set(self._spaces if spaces is None else spaces)
        if len(wanted) > _ONE_BY_ONE_UP_TO:
            try:
                return [each for each in self._client.list(resource) if each["metadata"]["namespace"] in wanted]
            except Forbidden:
                pass
        pages = self._client.parallel(
            lambda space: self._allowed(resource.kind, lambda: self._client.list(resource, space)), sorted(wanted)
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

    def entrances(self) -> Objects:
        """What leads traffic in besides Ingresses, as far as the server has such kinds.

        A route of the Gateway API may lead to another namespace, so that those of the whole cluster count.
        """
        served: dict[str, Resource] = {}
        for version, kind in ENTRANCES:
            if kind not in served and (resource := self._client.resource(version, kind)):
                served[kind] = resource
        pages = self._client.parallel(self._leading_in, served.values())
        return [each for page in pages for each in page]

    def _leading_in(self, resource: Resource) -> Objects:
        if resource.kind == OPENSHIFT_ROUTE:
            return self._in_spaces(resource)
        return self._allowed(resource.kind, lambda: self._client.list(resource))

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


def by_namespace(objects: Iterable[dict[str, Any]]) -> dict[str, Objects]:
    """The objects by the namespace that they lie in; ``""`` for those of the cluster."""
    found: dict[str, Objects] = {}
    for each in objects:
        found.setdefault(each["metadata"].get("namespace", ""), []).append(each)
    return found
