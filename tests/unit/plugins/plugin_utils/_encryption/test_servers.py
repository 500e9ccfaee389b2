# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import NotFound
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import (
    ENDPOINTS,
    LEASES,
    count_at,
    lease_ages,
    registered,
    served,
)

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request

ALL_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def lease(api: FakeApi, name: str, hostname: str, renewed: str) -> None:
    """As an API server keeps it for its identity."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}"
    labels = {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": hostname}
    spec = {"holderIdentity": f"{name}_1", "leaseDurationSeconds": 3600, "renewTime": renewed}
    api.objects[path] = {"metadata": {"name": name, "namespace": "kube-system", "labels": labels}, "spec": spec}


def offered(group: str, version: str, **verbs: list[str]) -> dict[str, Any]:
    """One group as discovery tells it."""
    resources = [
        {"resource": plural, "scope": "Namespaced", "verbs": may, "responseKind": {"kind": plural.title()}}
        for plural, may in verbs.items()
    ]
    return {"metadata": {"name": group} if group else {}, "versions": [{"version": version, "resources": resources}]}


def test_servers_are_known_by_their_addresses_and_by_the_hostnames_of_their_leases(
    api: FakeApi, client: Client
) -> None:
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
    endpoints = [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"], "conditions": {"ready": False}}]
    api.objects[path] = {"metadata": {"name": "kubernetes", "namespace": "default"}, "endpoints": endpoints}
    lease(api, "apiserver-one", "node1", "2026-11-22T16:00:00.000000Z")
    assert registered(client) == {ENDPOINTS: {"10.0.0.1", "10.0.0.2"}, LEASES: {"node1"}}


def test_a_lease_tells_how_long_its_server_is_silent_until_it_has_ended(api: FakeApi, client: Client) -> None:
    lease(api, "apiserver-one", "node1", "2026-11-22T16:00:00.000000Z")
    lease(api, "apiserver-two", "node2", "2026-11-22T15:59:30.500000Z")
    lease(api, "apiserver-old", "node3", "2026-11-22T14:59:00.000000Z")
    lease(api, "apiserver-former-name", "node2", "2026-11-22T15:30:00.000000Z")
    assert lease_ages(client) == {"node1": 0, "node2": 29.5}


def test_stored_is_what_can_be_watched_and_is_not_served_by_another_server(api: FakeApi, client: Client) -> None:
    api.kinds = [
        offered("", "v1", secrets=ALL_VERBS, bindings=["create"], componentstatuses=["get", "list"]),
        offered("apps", "v1", deployments=ALL_VERBS),
        offered("events.k8s.io", "v1", events=ALL_VERBS),
        offered("metrics.k8s.io", "v1beta1", pods=ALL_VERBS),
    ]
    for name, spec in (
        ("v1.", {"group": "", "version": "v1"}),
        ("v1.apps", {"group": "apps", "version": "v1"}),
        ("v1beta1.metrics.k8s.io", {"group": "metrics.k8s.io", "version": "v1beta1", "service": {"name": "metrics"}}),
    ):
        api.store("apiservices", "", name, "apis/apiregistration.k8s.io/v1", spec=spec)
    assert served(client) == {"secrets", "deployments.apps"}


@pytest.mark.parametrize("number", [0, 1, 3])
def test_objects_are_counted_by_one_request_at_exactly_the_revision(api: FakeApi, client: Client, number: int) -> None:
    for each in range(number):
        api.store("secrets", "shop", f"secret-{each}")
    assert count_at(client, "secrets", 4711) == number
    (asked,) = api.requests
    assert asked.query == {"limit": "1", "resourceVersion": "4711", "resourceVersionMatch": "Exact"}


def test_objects_are_counted_page_by_page_where_the_server_does_not_say_how_many_remain(
    api: FakeApi, client: Client
) -> None:
    pages = {"": ([1], "a"), "a": ([1] * 500, "b"), "b": ([1] * 7, "")}

    def answer(request: Request) -> tuple[int, dict[str, Any]]:
        items, token = pages[request.query.get("continue", "")]
        return 200, {"apiVersion": "v1", "kind": "List", "metadata": {"continue": token}, "items": items}

    api.intercept = answer
    assert count_at(client, "secrets", 4711) == 508


def test_a_resource_that_was_installed_since_is_found(api: FakeApi, client: Client) -> None:
    with pytest.raises(NotFound):
        count_at(client, "gadgets.example.org", 4711)
    api.kinds = [offered("example.org", "v1", gadgets=ALL_VERBS)]
    api.store("gadgets", "shop", "first", "apis/example.org/v1")
    assert count_at(client, "gadgets.example.org", 4711) == 1


def test_a_resource_that_is_not_there_is_told(client: Client) -> None:
    with pytest.raises(NotFound, match=r"has no resource sekrets\.example\.org"):
        count_at(client, "sekrets.example.org", 4711)
