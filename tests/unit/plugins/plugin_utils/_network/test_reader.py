# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a server for entrances that not every cluster has, and for a discovery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._network import network_settings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._read import read
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._reader import Reader

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api, group

GATEWAY, OPENSHIFT = "gateway.networking.k8s.io", "route.openshift.io"
RUN = {"only": [], "set": "shop", "prune": True}
SPACES = [f"n{number}" for number in range(5)]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


@pytest.fixture
def client(api: FakeApi) -> Client:
    return connect({"host": api.url, "api_key": "good"})


def paths(api: FakeApi) -> list[str]:
    return sorted(each.path for each in api.requests)


def test_kinds_that_a_server_does_not_have_cost_one_discovery_and_no_more(api: FakeApi, client: Client) -> None:
    reader = Reader(client, SPACES)
    assert reader.entrances() == []
    assert reader.unreadable == {}
    assert paths(api) == ["/apis"]


def test_each_kind_is_asked_once_in_its_first_version_however_many_namespaces_there_are(
    api: FakeApi, client: Client
) -> None:
    api.kinds = [
        group(GATEWAY, v1=["HTTPRoute"], v1beta1=["HTTPRoute"], v1alpha2=["TCPRoute"]),
        group("gateway.example.com", v1=["TLSRoute"]),
    ]
    api.store("httproutes", "elsewhere", "r", f"apis/{GATEWAY}/v1")
    (route,) = Reader(client, SPACES).entrances()
    assert (route["kind"], route["metadata"]["name"]) == ("HTTPRoute", "r")
    assert paths(api) == ["/apis", f"/apis/{GATEWAY}/v1/httproutes", f"/apis/{GATEWAY}/v1alpha2/tcproutes"]


def test_routes_that_may_not_be_listed_are_told_by_their_kind(api: FakeApi, client: Client) -> None:
    api.kinds = [group(GATEWAY, v1=["HTTPRoute"]), group(OPENSHIFT, v1=["Route"])]
    api.forbidden = lambda _method, at: at.plural in ("httproutes", "routes") and at.namespace in ("", "n1")
    reader = Reader(client, SPACES[:2])
    reader.entrances()
    assert sorted(reader.unreadable) == ["HTTPRoute", "Route"]


def test_routes_of_openshift_are_read_where_the_namespaces_are(api: FakeApi, client: Client) -> None:
    api.kinds = [group(OPENSHIFT, v1=["Route"])]
    api.forbidden = lambda _method, at: not at.namespace
    api.store("routes", "n1", "r", f"apis/{OPENSHIFT}/v1")
    reader = Reader(client, SPACES[:2])
    assert [each["metadata"]["name"] for each in reader.entrances()] == ["r"]
    assert reader.unreadable == {}


def namespaces(api: FakeApi, count: int) -> list[dict[str, Any]]:
    return [api.store("namespaces", "", f"n{number}") for number in range(count)]


def test_a_discovery_asks_as_much_of_a_hundred_namespaces_as_of_ten(api: FakeApi, client: Client) -> None:
    few = namespaces(api, 10)
    network_settings(client, few, "set")
    asked = len(api.requests)
    api.requests.clear()
    network_settings(client, namespaces(api, 100), "set")
    assert len(api.requests) <= asked


def test_without_policies_to_see_nothing_is_said_and_the_reason_is(api: FakeApi, client: Client) -> None:
    there = namespaces(api, 1)
    api.store("networkpolicies", "n0", "p", "apis/networking.k8s.io/v1", spec={"podSelector": {}})
    assert network_settings(client, there, "set").settings == {
        "n0": {"policies": {"p": {"podSelector": {}, "policyTypes": ["Ingress"]}}}
    }
    api.forbidden = lambda _method, at: at.plural == "networkpolicies"
    part = network_settings(client, there, "set")
    assert part.settings == {}
    assert "NetworkPolicies could not be read" in part.comments["n0"][0]
    assert any("networkpolicies is forbidden" in each for each in part.unseen)


@pytest.mark.parametrize("settings", [{"default_deny": ["ingress"]}, {"policies": {"p": {"podSelector": {}}}}])
def test_a_run_asks_as_much_of_a_hundred_namespaces_as_of_ten(
    api: FakeApi, client: Client, settings: dict[str, Any]
) -> None:
    api.kinds = [group(GATEWAY, v1=["HTTPRoute", "GRPCRoute"])]
    asked = []
    for count in (10, 100):
        namespaces(api, count)
        for number in range(count):
            api.store("networkpolicies", f"n{number}", "foreign", "apis/networking.k8s.io/v1", spec={"podSelector": {}})
        api.requests.clear()
        read(client, {"namespaces": {}, "selected": [], "default": settings, "exempt": [], **RUN})
        asked.append(len([each for each in api.requests if each.path not in ("/api", "/apis")]))
    assert asked[0] == asked[1]
