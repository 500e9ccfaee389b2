# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which API servers there are by their own word, what they store, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import METADATA_LIST, Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import NotFound
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource

ENDPOINTS = "EndpointSlice kubernetes"
LEASES = "Leases of kube-apiservers"

_ENDPOINT_SLICE = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
_LEASE = KNOWN["coordination.k8s.io/v1", "Lease"]
_API_SERVICE = KNOWN["apiregistration.k8s.io/v1", "APIService"]
_IS_IDENTITY = "apiserver.kubernetes.io/identity=kube-apiserver"
_HOSTNAME = "kubernetes.io/hostname"
_IDENTITY_SECONDS = 3600
"""For how long an identity's Lease is good where it does not say so: ``--identity-lease-duration-seconds``."""
_STORED_ELSEWHERE = frozenset({"events.events.k8s.io"})
"""Other names for what is stored under the core group."""
_PAGE = 500


def registered(client: Client) -> dict[str, frozenset[str]]:
    """The API servers that the cluster knows of, by source: their addresses, and the hostnames of their Leases.

    A server that was stopped is gone from the EndpointSlice at once or within 15 seconds (it takes itself out, else its
    Lease in etcd ends), and in the Leases for an hour more: there it is seen that a server may come back.
    """
    slices = client.list(_ENDPOINT_SLICE, "default", label_selector="kubernetes.io/service-name=kubernetes")
    addresses = {
        address for each in slices for endpoint in each.get("endpoints") or () for address in endpoint["addresses"]
    }
    return {ENDPOINTS: frozenset(addresses), LEASES: frozenset(lease_ages(client))}


def lease_ages(client: Client) -> dict[str, float]:
    """By hostname of each API server whose identity's Lease has not ended: the seconds since it was last renewed.

    They are counted from the newest renewal, so that nobody's clock but the servers' own matters. A server that runs
    renews its Lease every ten seconds.
    """
    ages: dict[str, float] = {}
    leases = [lease["spec"] | {"at": _hostname(lease)} for lease in _identities(client)]
    renewals = {id(spec): datetime.fromisoformat(spec["renewTime"]) for spec in leases if spec.get("renewTime")}
    newest = max(renewals.values(), default=datetime.now(UTC))
    for spec in leases:
        age = newest - renewals.get(id(spec), newest)
        if age < timedelta(seconds=spec.get("leaseDurationSeconds") or _IDENTITY_SECONDS):
            ages[spec["at"]] = min(age.total_seconds(), ages.get(spec["at"], age.total_seconds()))
    return ages


def _identities(client: Client) -> list[dict[str, Any]]:
    return client.list(_LEASE, "kube-system", label_selector=_IS_IDENTITY)


def _hostname(lease: Mapping[str, Any]) -> str:
    labels = lease["metadata"].get("labels") or {}
    return str(labels.get(_HOSTNAME) or lease["metadata"]["name"])


def served(client: Client) -> frozenset[str]:
    """All resources that the API servers store themselves, such as ``secrets`` and ``deployments.apps``.

    Left out are those of aggregated APIs, which other servers store, and those that nobody stores, such as reviews.
    """
    return frozenset(
        name for name, verbs in _stored(client).items() if "watch" in verbs and name not in _STORED_ELSEWHERE
    )


def _stored(client: Client) -> dict[str, frozenset[str]]:
    elsewhere = {
        (each["spec"].get("group", ""), each["spec"]["version"])
        for each in client.list(_API_SERVICE)
        if each["spec"].get("service")
    }
    stored: dict[str, frozenset[str]] = {}
    for group, version, plural, verbs in _offered(client):
        if (group, version) not in elsewhere:
            name = f"{plural}.{group}" if group else plural
            stored[name] = stored.get(name, frozenset()) | verbs
    return stored


def _offered(client: Client) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    """Group, version, plural and verbs of all that discovery names."""
    for root in ("/api", "/apis"):
        for group in client.discovery(root).get("items") or ():
            for version in group.get("versions") or ():
                for each in version.get("resources") or ():
                    name = (group.get("metadata") or {}).get("name", "")
                    yield name, version["version"], each["resource"], frozenset(each.get("verbs") or ())


def resource_of(client: Client, name: str) -> Resource:
    """The resource of a name as :func:`served` has it. Raises NotFound where the server has none such (any more)."""
    plural, _dot, group = name.partition(".")
    found = client.resource_by_plural(group, plural)
    if found is None:
        client.forget_kinds()
        found = client.resource_by_plural(group, plural)
    if found is None:
        raise NotFound(f"The server {client.server} has no resource {name}: correct its name, or install it.", 404)
    return found


def count_at(client: Client, resource: str, revision: int) -> int:
    """How many objects of a resource there were at exactly this revision of etcd, as the API server counts them.

    Raises KubeError where the server cannot tell any more, after etcd was compacted (410): scan anew then.
    """
    path = resource_of(client, resource).path()
    exactly = (("resourceVersion", str(revision)), ("resourceVersionMatch", "Exact"))
    query: tuple[tuple[str, str], ...] = (("limit", "1"), *exactly)
    count = 0
    while True:
        body = client.checked_list(client.request("GET", path, query=query, accept=METADATA_LIST))
        metadata = body.get("metadata") or {}
        count += len(body["items"] or ())
        if "remainingItemCount" in metadata or not metadata.get("continue"):
            return count + int(metadata.get("remainingItemCount", 0))
        query = (("limit", str(_PAGE)), ("continue", metadata["continue"]))
