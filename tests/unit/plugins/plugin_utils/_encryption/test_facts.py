# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What answers at a node's address counts only if it is the process that runs there, and all have to know of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Manifest, Settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._mounts import Place
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Server
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _facts
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import (
    Gatherer,
    _server,
    _sources,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import File, OnNode, Process
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import ENDPOINTS, LEASES

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api

from .test_servers import lease

NAMES = ("cp1", "cp2", "cp3")
STARTED = 5000.0
RUNS = Process(1, STARTED, ("kube-apiserver",))
ENCRYPTS = replace(RUNS, arguments=("kube-apiserver", "--encryption-provider-config=/c"))
ANSWER = Evidence(None, started_at=STARTED, answered_at=6000.0, version="v1.36.3")
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"


def node(name: str = "cp1", **changes: Any) -> OnNode:
    found = OnNode(
        name=name,
        hostname=name,
        addresses=frozenset({f"10.0.0.{name[-1]}"}),
        skew=0,
        manifest=File("/m"),
        said=Manifest((), "", False, Place()),
        settings=Settings(),
        configuration=File("/c"),
        configured=None,
        trouble="",
        beside_manifest=(),
        processes=(RUNS,),
        strangers=(),
    )
    return replace(found, **changes)


@pytest.mark.parametrize(
    ("on_node", "told", "state", "trouble"),
    [
        (node(), ANSWER, "running", ""),
        (node(), replace(ANSWER, started_at=STARTED - 2), "running", ""),
        (node(), replace(ANSWER, started_at=STARTED - 4000), "unanswered", "another process than the one on its node"),
        (node(processes=(RUNS, RUNS)), ANSWER, "unanswered", "2 of its processes run"),
        (node(processes=()), ANSWER, "stopped", "no kube-apiserver runs on its node"),
        (node(processes=(), strangers=(RUNS,)), ANSWER, "unanswered", "only 1"),
        (node(), KubeError("it refused"), "unanswered", "it refused"),
        (node(processes=()), KubeError("it refused"), "stopped", "no kube-apiserver runs"),
    ],
)
def test_only_the_process_on_the_node_is_believed(
    on_node: OnNode, told: Evidence | KubeError, state: str, trouble: str
) -> None:
    found = _server(on_node, told, Memory())
    assert found.state == state
    assert trouble in found.trouble
    assert (found.loaded is None) == (state != "running")


@pytest.mark.parametrize(
    ("version", "trouble"),
    [("v1.33.9", "v1.33.9 does not say it"), ("v1.34.0", "it says that it has loaded nothing that it names")],
)
def test_a_server_with_encryption_that_does_not_say_what_it_has_loaded_is_not_known(version: str, trouble: str) -> None:
    found = _server(node(processes=(ENCRYPTS,)), replace(ANSWER, version=version), Memory())
    assert (found.state, found.loaded, found.trouble, found.version) == ("running", None, trouble, version)


def known(api: FakeApi, *addresses: str, leases: tuple[str, ...]) -> None:
    """The API servers that a cluster knows of."""
    endpoints = [{"addresses": [each]} for each in addresses]
    labels = {"kubernetes.io/service-name": "kubernetes"}
    api.objects[SLICES] = {
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "endpoints": endpoints,
    }
    for name in leases:
        lease(api, f"apiserver-{name}", name, "2026-11-22T16:00:00.000000Z")


SERVERS = tuple(Server(name, {}, {}) for name in NAMES)
NODES = {name: node(name) for name in NAMES}
ALL = frozenset(NAMES)


def test_servers_are_the_same_by_inventory_endpoints_and_leases(api: FakeApi, client: Client) -> None:
    known(api, "10.0.0.1", "10.0.0.2", "10.0.0.3", leases=NAMES)
    sources, untold = _sources(SERVERS, NODES, [client])
    assert sources == {"The list of nodes": ALL, ENDPOINTS: ALL, LEASES: ALL}
    assert untold == ""


def test_an_address_that_is_on_no_node_makes_the_sources_differ(api: FakeApi, client: Client) -> None:
    known(api, "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", leases=NAMES)
    sources, _untold = _sources(SERVERS, NODES, [client])
    assert sources == {"The list of nodes": ALL, ENDPOINTS: ALL | {"10.0.0.4"}, LEASES: ALL}


@pytest.mark.parametrize("changes", [{"state": "stopped"}, {"state": "unanswered"}, {"ready": False}])
def test_a_silent_server_need_not_be_known_to_the_cluster(api: FakeApi, client: Client, changes: Any) -> None:
    known(api, "10.0.0.1", "10.0.0.2", leases=("cp1", "cp2"))
    silent = (*SERVERS[:2], replace(SERVERS[2], **changes))
    assert set(_sources(silent, NODES, [client])[0].values()) == {ALL}
    assert len(set(_sources(SERVERS, NODES, [client])[0].values())) == 2


def test_any_server_that_may_be_asked_will_do(api: FakeApi, client: Client) -> None:
    known(api, "10.0.0.1", "10.0.0.2", "10.0.0.3", leases=NAMES)
    with fake_api() as other:
        other.forbidden = lambda _method, _at: True
        refusing = connect({"host": other.url, "api_key": "anything"})
        assert set(_sources(SERVERS, NODES, [refusing, client])[0].values()) == {ALL}
        sources, untold = _sources(SERVERS, NODES, [refusing])
    assert sources == {"The list of nodes": ALL}
    assert untold.startswith("Which API servers there are could not be asked: ")


@pytest.fixture
def gatherer(client: Client, monkeypatch: pytest.MonkeyPatch) -> Gatherer:
    """Of three nodes that all are in order, whose servers are this one."""
    monkeypatch.setattr(_facts, "look", lambda *_: NODES)
    monkeypatch.setattr(_facts, "_ask", lambda _client: ANSWER)
    monkeypatch.setattr(Gatherer, "_at", lambda *_: client)
    return Gatherer(client, type("Nodes", (), {"names": NAMES})(), "/m")


def test_the_facts_have_what_the_cluster_says_of_its_servers(api: FakeApi, gatherer: Gatherer) -> None:
    known(api, "10.0.0.1", "10.0.0.2", "10.0.0.4", leases=NAMES)
    seen = gatherer.seen(Memory())
    assert seen.facts.sources[ENDPOINTS] == {"cp1", "cp2", "10.0.0.4"}
    assert seen.facts.obstacles == ()


@pytest.mark.parametrize("plural", ["endpointslices", "leases"])
def test_what_may_not_be_asked_is_an_obstacle(api: FakeApi, gatherer: Gatherer, plural: str) -> None:
    known(api, "10.0.0.1", "10.0.0.2", "10.0.0.3", leases=NAMES)
    api.forbidden = lambda _method, at: at.plural == plural
    (obstacle,) = gatherer.seen(Memory()).facts.obstacles
    assert obstacle.startswith("Which API servers there are could not be asked: ") and plural in obstacle


class Clock:
    """A time that goes on by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("unready", "waited"),
    [(("etcd",), 100), (("etcd", "etcd-readiness"), 100), (("etcd", "poststarthook/start"), 60), ((), 60)],
)
def test_servers_that_wait_for_etcd_alone_are_waited_for_longer(
    api: FakeApi, gatherer: Gatherer, monkeypatch: pytest.MonkeyPatch, unready: tuple[str, ...], waited: float
) -> None:
    known(api, "10.0.0.1", "10.0.0.2", "10.0.0.3", leases=NAMES)
    clock = Clock()
    monkeypatch.setattr(_facts, "time", clock)
    slow = replace(ANSWER, ready=False, unready=unready)
    monkeypatch.setattr(_facts, "_ask", lambda _client: slow if clock.now < 100 else ANSWER)
    memory, said = Memory(), list[str]()
    seen = gatherer.seen_patiently(memory, 60, said.append)
    assert (clock.now, {each.ready for each in seen.facts.servers}) == (waited, {waited == 100})
    assert memory.waited_for == (set() if waited == 100 else set(NAMES))
    assert said[0].endswith(f"(it is not ready{', by ' if unready else ''}{', '.join(unready)})")
