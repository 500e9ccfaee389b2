# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the answers of etcd and the API: what was not certainly seen is never told as seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Manifest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._mounts import Place
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _etcd
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import Etcd, Etcds, Scan, scan
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._kms import kms_of, refuse_undated
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused, Nodes

OLD, NEW = Key("secretbox", "k1").prefix, Key("secretbox", "k2").prefix
KMS = Key("kms_v2", "vault").prefix
LOCAL = ("https://127.0.0.1:2379",)

Answer = Callable[[str, Mapping[str, Any]], Any]


@dataclass(slots=True)
class Answering:
    """Nodes whose program answers as a function says; ``asked`` are node, operation and endpoints in their order."""

    answer: Answer
    asked: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)

    def ask(self, name: str, program: str, calls: Sequence[tuple[str, dict[str, Any]]], timeout: float) -> list[Any]:
        ((operation, arguments),) = calls
        assert program == "_etcd" and timeout > 0
        self.asked.append((name, operation, tuple(arguments["etcd"]["endpoints"])))
        return [self.answer(name, arguments)]


class Counting:
    """Stands for the client; what it counts is given to ``count_at`` by the tests."""

    def parallel(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [function(item) for item in items]


def found(arguments: Mapping[str, Any], revision: int = 7, **counts: Mapping[str, int]) -> dict[str, Any]:
    """An answer of the program; the resources by the last part of their directories."""
    directories = {each.rstrip("/").rpartition("/")[2]: each for each in arguments["directories"]}
    return {
        "revision": revision,
        "counts": {directory: counts.get(name, {}) for name, directory in directories.items()},
        "bytes": dict.fromkeys(directories.values(), 100),
        "key_ids": {},
    }


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scan]:
    def of(
        nodes: Answering, count: Callable[[str, int], int], names: Sequence[str] = ("secrets",), **more: Any
    ) -> Scan:
        monkeypatch.setattr(_etcd, "count_at", lambda _client, resource, revision: count(resource, revision))
        etcd = more.pop("etcd", Etcd(LOCAL))
        etcds = Etcds(cast(Nodes, nodes), dict.fromkeys(("a", "b"), etcd))
        served = ["secrets", "configmaps", "events", "deployments.apps"]
        return scan(etcds, [cast(Client, Counting())] * 2, served, names, [OLD, NEW], **more)

    return of


def test_what_is_found_is_told_by_the_names_of_the_goal(scanned: Callable[..., Scan]) -> None:
    nodes = Answering(lambda _node, asked: found(asked, secrets={NEW: 2}, configmaps={"": 1}, deployments={"": 4}))
    counts = {"secrets": 2, "configmaps": 1, "events": 0, "deployments.apps": 4}
    told = scanned(nodes, lambda resource, revision: counts[resource] if revision == 7 else -1, ["secrets", "*.*"])
    assert told.counts == {"secrets": {NEW: 2}, "*.*": {"": 5}} and told.counted == {"secrets": 2, "*.*": 5}
    assert told.bytes == 400 and told.revision == 7 and told.outdated == {}
    assert told.histogram.counts == told.counts and told.histogram.revision == 7 and 0 <= told.histogram.age < 5
    assert nodes.asked == [("a", "scan", LOCAL)]


def test_a_resource_that_is_not_there_is_not_left_out(scanned: Callable[..., Scan]) -> None:
    told = scanned(Answering(lambda _node, asked: found(asked)), lambda *_of: 0, ["secrets", "widgets.example.com"])
    assert told.counts == {"secrets": {}, "widgets.example.com": {}} and told.counted["widgets.example.com"] == 0


def test_what_was_compacted_meanwhile_is_scanned_anew(scanned: Callable[..., Scan]) -> None:
    revisions = iter([5, 6, 7])
    nodes = Answering(lambda _node, asked: found(asked, next(revisions), secrets={NEW: 1}))

    def count(_resource: str, revision: int) -> int:
        if revision < 7:
            raise KubeError("The provided resource version is too old.", 410)
        return 1

    assert scanned(nodes, count).revision == 7 and len(nodes.asked) == 3
    revisions = iter([1, 2, 3])
    with pytest.raises(KubeError, match="too old"):
        scanned(nodes, count)


def test_a_page_that_was_compacted_away_is_scanned_anew(scanned: Callable[..., Scan]) -> None:
    refusals = [NodeRefused("a", "compacted", "gone")]

    def answer(_node: str, asked: Mapping[str, Any]) -> Any:
        if refusals:
            raise refusals.pop()
        return found(asked)

    assert scanned(Answering(answer), lambda *_of: 0).revision == 7


def test_without_a_count_nothing_is_told(scanned: Callable[..., Scan]) -> None:
    def count(_resource: str, _revision: int) -> int:
        raise KubeError("forbidden", 403)

    with pytest.raises(KubeError):
        scanned(Answering(lambda _node, asked: found(asked, secrets={NEW: 1})), count)
    with pytest.raises(KubeError):
        scanned(Answering(lambda _node, asked: found(asked)), count)


def test_a_server_that_cannot_read_what_it_counts_is_passed_over(scanned: Callable[..., Scan]) -> None:
    answers: list[int | KubeError] = [KubeError("no matching prefix found", 500), 3]

    def count(_resource: str, _revision: int) -> int:
        said = answers.pop(0)
        if isinstance(said, KubeError):
            raise said
        return said

    encrypted = Answering(lambda _node, asked: found(asked, secrets={"k8s:enc:aescbc:v1:lost:": 3}))
    assert scanned(encrypted, count).counted == {"secrets": 3}
    answers += [KubeError("no matching prefix found", 500)] * 2
    told = scanned(encrypted, count)
    assert told.counts == {"secrets": {"k8s:enc:aescbc:v1:lost:": 3}} and told.counted == {}
    answers += [KubeError("no matching prefix found", 500)]
    with pytest.raises(KubeError, match="no matching prefix"):
        scanned(Answering(lambda _node, asked: found(asked, secrets={"": 3})), count)
    answers += [KubeError("etcdserver: request timed out", 500)]
    with pytest.raises(KubeError, match="timed out"):
        scanned(encrypted, count)


def test_values_under_a_former_key_of_a_kms_are_outdated(scanned: Callable[..., Scan]) -> None:
    ids = {"key_ids": {"/registry/secrets/": {KMS: {"key-1": 2, "key-2": 3}}}}
    nodes = Answering(lambda _node, asked: {**found(asked, secrets={KMS: 5}), **ids})
    now = f"sha256:{sha256(b'key-2').hexdigest()}"
    told = scanned(nodes, lambda *_of: 5, kms=kms_of([Evidence(None, kms_key_ids={"vault": now})] * 3))
    assert told.outdated == {"secrets": 2} and told.undated == frozenset()
    refuse_undated(told, [("secrets", Key("kms_v2", "vault"))])


def test_where_the_present_key_of_a_kms_is_not_known_it_is_not_passed_over(scanned: Callable[..., Scan]) -> None:
    ids = {"key_ids": {"/registry/secrets/": {KMS: {"key-1": 2}}}}
    nodes = Answering(lambda _node, asked: {**found(asked, secrets={KMS: 2}), **ids})
    disagreeing = [Evidence(None, kms_key_ids={"vault": f"sha256:{each}"}) for each in ("a", "b")]
    for told in (disagreeing, [Evidence(None)]):
        scan_of = scanned(nodes, lambda *_of: 2, kms=kms_of(told))
        assert scan_of.outdated == {} and scan_of.undated == {("secrets", KMS)}
        with pytest.raises(HardeningError, match="which of its keys the KMS vault encrypts now"):
            refuse_undated(scan_of, [("secrets", Key("kms_v2", "vault"))])
        refuse_undated(scan_of, [("secrets", Key("secretbox", "k2"))])


def test_another_node_is_asked_where_one_does_not_reach_etcd(scanned: Callable[..., Scan]) -> None:
    def answer(node: str, asked: Mapping[str, Any]) -> Any:
        if node == "a":
            raise NodeRefused("a", "unreachable", "etcd does not answer")
        return found(asked)

    assert scanned(Answering(answer), lambda *_of: 0).revision == 7

    def nobody(node: str, _asked: Mapping[str, Any]) -> Any:
        raise NodeError(node, "no such host")

    with pytest.raises(NodeError, match="a: no such host"):
        scanned(Answering(nobody), lambda *_of: 0)


@pytest.mark.parametrize("kind", sorted(_etcd.NOT_TO_BE_LOOKED_INTO))
def test_where_etcd_may_not_be_looked_into_no_other_node_is_asked(scanned: Callable[..., Scan], kind: str) -> None:
    def answer(node: str, _asked: Mapping[str, Any]) -> Any:
        raise NodeRefused(node, kind, "not so")

    nodes = Answering(answer)
    with pytest.raises(NodeRefused) as refused:
        scanned(nodes, lambda *_of: 0)
    assert refused.value.kind == kind and len(nodes.asked) == 1


def test_what_is_kept_in_another_etcd_is_looked_for_there(scanned: Callable[..., Scan]) -> None:
    other = ("https://10.0.0.9:2379",)
    nodes = Answering(
        lambda _node, asked: found(asked, 9 if "/registry/events/" in asked["directories"] else 7, events={"": 3})
    )
    revisions: dict[str, int] = {}

    def count(resource: str, revision: int) -> int:
        revisions[resource] = revision
        return 3 if resource == "events" else 0

    told = scanned(nodes, count, ["*.*"], etcd=Etcd(LOCAL, elsewhere={"events": other}))
    assert told.counts == {"*.*": {"": 3}} and {endpoints for _node, _operation, endpoints in nodes.asked} == {
        LOCAL,
        other,
    }
    assert revisions == {"events": 9, "secrets": 7, "configmaps": 7, "deployments.apps": 7}


def test_what_a_wildcard_means_and_no_server_serves_is_not_passed_over(scanned: Callable[..., Scan]) -> None:
    nodes = Answering(lambda _node, asked: found(asked, registry={"": 9, NEW: 2}))
    with pytest.raises(HardeningError, match=f"that no API server serves now: 2 with «{NEW}»"):
        scanned(nodes, lambda *_of: 0, ["*.*"])


def test_what_nothing_means_is_passed_over(scanned: Callable[..., Scan]) -> None:
    nodes = Answering(lambda _node, asked: found(asked, registry={NEW: 2}))
    assert scanned(nodes, lambda *_of: 0, ["secrets"]).counts == {"secrets": {}}


def test_the_flags_of_an_api_server_say_how_etcd_is_reached() -> None:
    flags = (
        ("etcd-servers", "https://10.0.0.1:2379, https://10.0.0.2:2379"),
        ("etcd-cafile", "/pki/ca.crt"),
        ("etcd-certfile", "/pki/client.crt"),
        ("etcd-keyfile", "/pki/client.key"),
        ("etcd-prefix", "/other"),
        ("etcd-servers-overrides", "/events#https://a:1;https://b:1,apps/deployments#https://c:1"),
    )
    etcd = Etcd.of(Manifest(flags, "", False, Place()))
    assert etcd.endpoints == ("https://10.0.0.1:2379", "https://10.0.0.2:2379") and etcd.prefix == "/other"
    assert etcd.reach() == {
        "endpoints": [*etcd.endpoints],
        "ca": "/pki/ca.crt",
        "certificate": "/pki/client.crt",
        "key": "/pki/client.key",
    }
    assert etcd.holding("events") == ("https://a:1", "https://b:1")
    assert etcd.holding("deployments.apps") == ("https://c:1",) and etcd.holding("secrets") == etcd.endpoints
    assert Etcd.of(Manifest((), "", False, Place())) == Etcd(())


def test_without_a_node_that_answers_it_is_told_that_none_does() -> None:
    nobody = Etcds(cast(Nodes, Answering(lambda _node, _asked: None)), {})
    with pytest.raises(HardeningError, match="No control plane node answers"):
        str(nobody.prefix)
