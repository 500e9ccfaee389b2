# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects written anew and read out of etcd by a real API server, whose keys are changed by hand."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._crew import Limits
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._reading import read_all
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import rewrite
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import (
    count_at,
    registered,
    served,
)

from tests.encryption import etcd, everything
from tests.encryption.by_hand import ByHand
from tests.encryption.clusters import Cluster

NAMESPACE, SECRET = KNOWN["v1", "Namespace"], KNOWN["v1", "Secret"]
POLICY = KNOWN["admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"]
BINDING = KNOWN["admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"]
KEY = "k8s:enc:secretbox:v1:{}:"


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster whose keys the tests change, and its API server."""

    cluster: Cluster
    keys: ByHand
    client: Client

    @contextmanager
    def secrets(self, number: int) -> Iterator[str]:
        """A namespace with so many secrets of several sorts."""
        namespace = f"rewrite-{uuid.uuid4().hex[:8]}"
        assert self.client.create(obj("Namespace", namespace)).ok
        answers = self.client.parallel(lambda each: self.client.create(secret(namespace, each)), range(number))
        assert all(answer.ok for answer in answers), [answer.message for answer in answers if not answer.ok][:1]
        yield namespace
        self.client.request("DELETE", SECRET.path(namespace))
        self.client.delete(NAMESPACE, namespace)

    def prefixes(self, namespace: str) -> set[str]:
        """What the values of a namespace's secrets begin with in etcd."""
        return set(etcd.prefixes(self.cluster, f"/registry/secrets/{namespace}/").values())

    def contents(self, namespace: str) -> dict[str, Any]:
        """The data of each secret of a namespace."""
        return {each["metadata"]["name"]: each.get("data") for each in self.client.list(SECRET, namespace)}


def obj(kind: str, name: str, namespace: str = "", api_version: str = "v1", **content: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def secret(namespace: str, number: int) -> dict[str, Any]:
    """One of the sorts that there are: plain, immutable, of a type that is checked, annotated."""
    data = {"value": base64.b64encode(f"{namespace} {number} ".encode() * 40).decode()}
    made = obj("Secret", f"secret-{number:04}", namespace, data=data)
    if number % 4 == 1:
        made["immutable"] = True
    if number % 4 == 2:
        made |= {"type": "kubernetes.io/basic-auth", "stringData": {"username": "jane"}}
    if number % 4 == 3:
        made["metadata"]["annotations"] = {"note": "x" * 5_000}
    return made


@pytest.fixture(scope="module")
def place(_one: Cluster) -> Place:
    """One node that encrypts secrets, keys a and b known to it from the beginning."""
    _one.reset()
    (node,) = _one.nodes
    keys = ByHand(_one)
    keys.write(["a", "b", "-"])
    keys.enable(node)
    client = connect({"kubeconfig": str(_one.kubeconfig)}, outage_seconds=2)
    return Place(_one, keys, client.at(f"https://{_one.addresses[node]}:6443"))


def test_a_server_says_what_it_has_loaded_and_for_how_long(place: Place) -> None:
    place.keys.load(["b", "a", "-"])
    time.sleep(3)
    told = evidence(place.client)
    assert told.loaded == f"sha256:{place.keys.loaded(place.cluster.nodes[0])}"
    assert told.version.startswith("v1.")
    assert told.reload_success >= 1
    assert 2 <= told.unchanged_for < 60
    started = told.started_at
    place.keys.load(["a", "b", "-"])
    told = evidence(place.client)
    assert (told.started_at, told.unchanged_for < 15) == (started, True)


def test_the_server_is_registered_under_its_address_and_its_hostname(place: Place) -> None:
    (node,) = place.cluster.nodes
    assert set(registered(place.client).values()) == {frozenset({place.cluster.addresses[node]}), frozenset({node})}


def test_every_secret_gets_the_new_key_and_keeps_its_content(place: Place) -> None:
    place.keys.load(["a", "b", "-"])
    with place.secrets(120) as namespace:
        assert place.prefixes(namespace) == {KEY.format("a")}
        before = place.contents(namespace)
        place.keys.load(["b", "a", "-"])
        told = rewrite([place.client], "secrets")
        assert (told.gone, told.conflicts, told.stuck, told.left) == (0, 0, (), 0)
        assert told.done >= 120 and told.unchanged == 0
        assert place.prefixes(namespace) == {KEY.format("b")}
        assert place.contents(namespace) == before
        again = rewrite([place.client], "secrets")
        assert (again.done, again.unchanged) == (told.done, told.done)


def test_objects_are_counted_as_etcd_holds_them(place: Place) -> None:
    with place.secrets(30) as namespace:
        page = place.client.request("GET", SECRET.path(), query=[("limit", "1")])
        revision = int(page.object["metadata"]["resourceVersion"])
        expected = len(etcd.prefixes(place.cluster, "/registry/secrets/"))
        place.client.delete(SECRET, "secret-0000", namespace)
        assert count_at(place.client, "secrets", revision) == expected


def test_reading_proves_what_a_list_does_not(place: Place) -> None:
    place.keys.load(["a", "b", "-"])
    with place.secrets(30) as namespace:
        rewrite([place.client], "secrets")
        told = read_all(place.client, "secrets")
        assert told.is_proved and told.read == told.decrypted >= 30
        place.keys.load(["b", "-"])
        # The watch cache knows them all by heart.
        assert len(place.client.list(SECRET, namespace)) == 30
        told = read_all(place.client, "secrets")
        assert not told.is_proved and not told.read
        named = {name for name, _why in told.unreadable}
        assert {f"{namespace}/secret-{each:04}" for each in range(30)} <= named
        assert all("no matching key was found" in why for _name, why in told.unreadable), told.unreadable[:1]
        place.keys.load(["b", "a", "-"])
        rewrite([place.client], "secrets")
        place.keys.load(["b", "-"])
        assert read_all(place.client, "secrets").is_proved


def test_secrets_that_a_policy_freezes_are_named_with_its_words(place: Place) -> None:
    place.keys.load(["a", "b", "-"])
    with place.secrets(8) as ice, place.secrets(8) as free:
        place.keys.load(["b", "a", "-"])
        with frozen(place.client, ice):
            told = rewrite([place.client], "secrets")
        assert [name for name, _why in told.stuck] == [f"{ice}/secret-{each:04}" for each in range(8)]
        assert all("secrets are frozen until Monday" in why for _name, why in told.stuck), told.stuck
        assert (place.prefixes(ice), place.prefixes(free)) == ({KEY.format("a")}, {KEY.format("b")})
        assert rewrite([place.client], "secrets").stuck == ()
        assert place.prefixes(ice) == {KEY.format("b")}


def test_a_webhook_that_is_down_is_told_with_what_it_keeps_from_being_written(place: Place) -> None:
    place.keys.load(["a", "b", "-"])
    with place.secrets(4) as namespace:
        place.keys.load(["b", "a", "-"])
        with webhook_down(place.client, namespace):
            told = rewrite([place.client], "secrets")
        assert [name for name, _why in told.stuck] == [f"{namespace}/secret-{each:04}" for each in range(4)]
        assert all('failed calling webhook "down.example.org"' in why for _name, why in told.stuck), told.stuck


@contextmanager
def webhook_down(client: Client, namespace: str) -> Iterator[None]:
    """Nobody answers whom the API server asks about updates of a namespace's secrets."""
    hook = {
        "name": "down.example.org",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["UPDATE"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 2,
    }
    kind = KNOWN["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"]
    assert client.create(obj(kind.kind, "down", "", kind.api_version, webhooks=[hook])).ok
    try:
        await_that(lambda: not relabelled(client, namespace).ok)
        yield
    finally:
        client.delete(kind, "down")
        await_that(lambda: relabelled(client, namespace).ok)


@contextmanager
def frozen(client: Client, namespace: str) -> Iterator[None]:
    """No secret of a namespace may be updated."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["UPDATE"]}]
    match = {
        "resourceRules": rules,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }
    validation = {"expression": "false", "message": "secrets are frozen until Monday"}
    version = POLICY.api_version
    policy = obj(POLICY.kind, "freeze", "", version, spec={"matchConstraints": match, "validations": [validation]})
    bound = {"policyName": "freeze", "validationActions": ["Deny"]}
    assert client.create(policy).ok and client.create(obj(BINDING.kind, "freeze", "", version, spec=bound)).ok
    try:
        await_that(lambda: not relabelled(client, namespace).ok)
        yield
    finally:
        client.delete(BINDING, "freeze")
        client.delete(POLICY, "freeze")
        await_that(lambda: relabelled(client, namespace).ok)


def relabelled(client: Client, namespace: str) -> Any:
    live = client.get(SECRET, "secret-0000", namespace, metadata_only=True)
    assert live
    path = SECRET.path(namespace, "secret-0000")
    body = {"metadata": {"uid": live["metadata"]["uid"]}}
    dry = [("dryRun", "All")]
    more = {"content_type": "application/merge-patch+json", "insist": False}
    return client.request("PATCH", path, query=dry, body=body, **more)


def await_that(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_writers_and_deleters_meanwhile_lose_nothing(place: Place) -> None:
    place.keys.load(["a", "b", "-"])
    with place.secrets(300) as namespace:
        place.keys.load(["b", "a", "-"])
        with busy(place.client, namespace) as counts:
            told = rewrite([place.client], "secrets")
        assert (told.stuck, told.left) == ((), 0)
        assert counts["written"] and counts["deleted"] == 99
        assert place.prefixes(namespace) == {KEY.format("b")}
        assert len(place.contents(namespace)) == 201


@contextmanager
def busy(client: Client, namespace: str) -> Iterator[dict[str, int]]:
    """Two write secrets of a namespace, one deletes the last 99 of 300."""
    ended = threading.Event()
    counts = {"written": 0, "deleted": 0}

    def write() -> None:
        number = 0
        while not ended.is_set():
            number = (number + 4) % 280
            live = client.get(SECRET, f"secret-{number:04}", namespace, metadata_only=True)
            if live:
                patch = {"metadata": {"labels": {"round": str(counts["written"])}}}
                counts["written"] += client.merge(live, patch, manager="test").ok

    def delete() -> None:
        for number in range(299, 200, -1):
            counts["deleted"] += client.delete(SECRET, f"secret-{number:04}", namespace).ok

    threads = [threading.Thread(target=work) for work in (write, write, delete)]
    for thread in threads:
        thread.start()
    yield counts
    ended.set()
    for thread in threads:
        thread.join()


def test_a_server_that_is_killed_meanwhile_is_waited_for(place: Place) -> None:
    place.keys.load(["a", "b", "-"])
    with place.secrets(600) as namespace:
        place.keys.load(["b", "a", "-"])
        (node,) = place.cluster.nodes
        kill = threading.Timer(0.5, lambda: place.cluster.on(node, "sh", "-c", "kill -9 $(pidof kube-apiserver)"))
        kill.start()
        told = rewrite([place.client], "secrets", Limits(most_per_second=300))
        kill.join()
        assert (told.stuck, told.left) == ((), 0)
        assert place.prefixes(namespace) == {KEY.format("b")}


def test_every_resource_that_is_served_can_be_written_anew(place: Place) -> None:
    """Built-in kinds and custom resources, to another key and back to plain text."""
    assert place.client.create(everything.GADGETS).ok
    await_that(lambda: "gadgets.example.org" in served(place.client))
    place.client.forget_kinds()
    await_that(lambda: place.client.create(everything.GADGET).ok)
    with place.secrets(4):
        try:
            assert rewritten_all(place, ["a", "b", "-"]) == {KEY.format("a")}
        finally:
            assert rewritten_all(place, ["-", "a", "b"]) == {""}
    place.client.delete(KNOWN["apiextensions.k8s.io/v1", "CustomResourceDefinition"], "gadgets.example.org")
    place.keys.load(["a", "b", "-"])


def rewritten_all(place: Place, keys: list[str]) -> set[str]:
    """What all values in etcd begin with after every object of every resource was rewritten."""
    place.keys.load(keys, resources=["*.*"])
    for resource in sorted(served(place.client)):
        told = rewrite([place.client], resource)
        assert (told.stuck, told.left) == ((), 0), (resource, told)
    return everything.prefixes(place.cluster)


def test_no_more_than_allowed_are_written_in_a_second(place: Place) -> None:
    with place.secrets(60):
        started = time.monotonic()
        told = rewrite([place.client], "secrets", Limits(most_per_second=50))
        assert told.done / (time.monotonic() - started) <= 55
