# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input is refused before anything is touched, in words that say what to do; what is sound is adopted."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.encryption import etcd
from tests.encryption.by_hand import FILE, ByHand
from tests.encryption.clusters import CHECKOUT, MANIFEST, READY_SECONDS, Cluster
from tests.encryption.runs import finish
from tests.encryption.tasks import results
from tests.encryption.traces import left

ETCD_MANIFEST = "/etc/kubernetes/manifests/etcd.yaml"
ROLES = CHECKOUT / "playbooks" / "files" / "cluster_roles.yml"

OPTIONS: Mapping[str, tuple[dict[str, Any], str]] = {
    "a provider that there is not": ({"provider": "chacha20"}, "secretbox, aescbc, aesgcm, kms"),
    "no encryption, asked for as encryption": ({"provider": "identity"}, "secretbox, aescbc, aesgcm, kms"),
    "a KMS of which nothing is said": ({"provider": "kms"}, "give both, or none"),
    "a KMS that does not run": (
        {"provider": "kms", "kms": {"name": "vault", "endpoint": "unix:///run/nobody.sock"}},
        "no socket /run/nobody.sock of the KMS on the node",
    ),
    "a KMS elsewhere": (
        {"provider": "kms", "kms": {"name": "vault", "endpoint": "https://vault.example.com"}},
        "endpoint is not a socket, like unix:///var/run/kms.sock",
    ),
    "a KMS whose name ends early in etcd": (
        {"provider": "kms", "kms": {"name": "vault:1", "endpoint": "unix:///run/nobody.sock"}},
        "the name of a plugin of v2 may hold no colon",
    ),
    "a resource that is mistyped": ({"resources": ["secrtes"]}, "did you mean secrets?"),
    "a resource that no server has": (
        {"resources": ["widgets.example.com"]},
        "no resource widgets.example.com: correct the name",
    ),
    "a resource by its kind": ({"resources": ["Secret"]}, "the plural name is meant"),
    "no resource": ({"resources": []}, "name at least secrets"),
    "a node that the inventory does not have": ({"nodes": ["{{ groups['control_plane'][0] }}s"]}, "did you mean"),
    "no node": ({"nodes": []}, "an inventory with the group kube_control_plane"),
    "a node that is named twice": ({"nodes": ["{{ groups['control_plane'][0] }}"] * 2}, "name each node once"),
    "a rotation where nothing is encrypted": ({"state": "rotated"}, "enable it first"),
    "a way back from nothing": ({"state": "rolled_back"}, "no unfinished change of keys"),
    "a manifest that is not there": ({"manifest": "/etc/kubernetes/manifests/api.yaml"}, "another path by manifest"),
    "a vault's program that is not there": ({"escrow": {"command": ["/nowhere/vault"]}}, "there is no such program"),
    "a vault without a password": ({"escrow": {"vault_file": "/nowhere/keys"}}, "vault_password_file"),
    "no time to restart in": ({"restart_seconds": 1}, "must be 30 or more"),
}
KEY, OTHER = (base64.b64encode(bytes(range(start, start + 32))).decode() for start in (7, 101))
SHORT = base64.b64encode(bytes(range(16))).decode()


def secretbox(*keys: tuple[str, str]) -> dict[str, Any]:
    """A provider with these keys, by name and secret."""
    return {"secretbox": {"keys": [{"name": name, "secret": secret} for name, secret in keys]}}


def configuration(*providers: dict[str, Any], resources: tuple[str, ...] = ("secrets",)) -> str:
    """A configuration as people write it."""
    entry = {"resources": [*resources], "providers": [*providers]}
    return yaml.safe_dump(
        {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration", "resources": [entry]}
    )


FILES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "a key of a wrong length": (
        configuration(secretbox(("mine", SHORT)), {"identity": {}}),
        ("the key has 16 bytes, and secretbox takes 32", "head -c 32 /dev/urandom | base64"),
    ),
    "a key that is not base64": (
        configuration(secretbox(("mine", "correct horse battery staple")), {"identity": {}}),
        ("this is not base64",),
    ),
    "two keys of one name": (
        configuration(secretbox(("mine", KEY), ("mine", OTHER)), {"identity": {}}),
        ("Two different keys are named mine", "Take out the one that wrote none"),
    ),
    "names that look alike in etcd": (
        configuration(secretbox(("mine", KEY), ("mine:old", OTHER)), {"identity": {}}),
        ("mine and mine:old", "cannot be told apart in etcd"),
    ),
    "a name that etcd and messages could show as something else": (
        configuration(secretbox(("my key", KEY)), {"identity": {}}),
        ("The name 'my key' under secretbox is not a safe one",),
    ),
    "a provider that no server knows": (
        configuration({"secretbux": {"keys": [{"name": "mine", "secret": KEY}]}}),
        ("there is no provider secretbux; did you mean secretbox?",),
    ),
    "a resource that is mistyped": (
        configuration(secretbox(("mine", KEY)), resources=("secrets", "secrets")),
        ("secrets is there twice",),
    ),
    "half a file": (configuration(secretbox(("mine", KEY)))[:-40], ("Correct it there",)),
}


MIGRATION = "storageversionmigrations.storagemigration.k8s.io"
MIGRATIONS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    # A group of Kubernetes itself needs its word, or the admission that there is none.
    "metadata": {"name": MIGRATION, "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}},
    "spec": {
        "group": "storagemigration.k8s.io",
        "names": {"kind": "StorageVersionMigration", "plural": "storageversionmigrations"},
        "scope": "Cluster",
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def migration(resource: str) -> dict[str, Any]:
    """One that nobody has begun."""
    return {
        "apiVersion": "storagemigration.k8s.io/v1beta1",
        "kind": "StorageVersionMigration",
        "metadata": {"name": resource},
        "spec": {"resource": {"group": "", "resource": resource}},
    }


@pytest.fixture
def by_hand(one: Cluster) -> Cluster:
    """One node whose server writes plain text and reads a key, by somebody's own configuration."""
    hand = ByHand(one)
    hand.write(["-", "mine"])
    hand.enable(one.nodes[0])
    return one


def refusal(cluster: Cluster, folder: Path, **arguments: Any) -> str:
    """The message of a command that is refused and leaves everything as it was."""
    before = left(cluster)
    (told,) = results(cluster, folder, [arguments])
    assert told["failed"], told
    assert left(cluster) == before
    return str(told["msg"])


def test_options_that_cannot_be_meant(one: Cluster, tmp_path: Path) -> None:
    before = left(one)
    told = results(one, tmp_path, [arguments for arguments, _words in OPTIONS.values()])
    wrong = {
        what: each["msg"]
        for (what, (_arguments, words)), each in zip(OPTIONS.items(), told, strict=True)
        if not each["failed"] or words not in each["msg"]
    }
    assert not wrong
    assert left(one) == before


def test_a_storage_version_migration_that_has_not_ended(one: Cluster, tmp_path: Path) -> None:
    """Servers keep that API switched off; its kind alone is what is looked at, so a definition of it does."""
    one.kubectl("create", "--filename", "-", text=json.dumps(MIGRATIONS))
    one.kubectl("wait", "--for", "condition=Established", f"crd/{MIGRATION}")
    one.kubectl("create", "--filename", "-", text=json.dumps(migration("secrets")))
    try:
        told = refusal(one, tmp_path)
    finally:
        one.kubectl("delete", "crd", MIGRATION)
    assert f"The storage version migration {MIGRATION}/secrets writes all secrets anew, and has not ended" in told


@pytest.mark.long
def test_a_file_that_no_server_may_load(by_hand: Cluster, tmp_path: Path) -> None:
    """The server goes on with what it has, and would not start again with some of these files."""
    (node,) = by_hand.nodes
    sound = by_hand.on(node, "cat", FILE)
    wrong = {}
    for what, (text, words) in FILES.items():
        by_hand.write(node, FILE, text)
        told = refusal(by_hand, tmp_path)
        assert KEY not in told
        assert OTHER not in told
        if not all(each in told for each in (*words, node)):
            wrong[what] = told
    by_hand.write(node, FILE, sound)
    assert not wrong


@pytest.mark.long
def test_a_configuration_that_is_mounted_as_a_file(by_hand: Cluster, tmp_path: Path) -> None:
    (node,) = by_hand.nodes
    manifest = yaml.safe_load(by_hand.on(node, "cat", MANIFEST))
    (volume,) = (each for each in manifest["spec"]["volumes"] if each["name"] == "by-hand")
    (mount,) = (each for each in manifest["spec"]["containers"][0]["volumeMounts"] if each["name"] == "by-hand")
    volume["hostPath"], mount["mountPath"] = {"path": FILE, "type": "File"}, FILE
    with restarted(by_hand, "kube-apiserver"):
        by_hand.write(node, MANIFEST, yaml.safe_dump(manifest))
    told = refusal(by_hand, tmp_path)
    assert "mounted as a file, which never shows a new one" in told
    assert "mount its directory" in told


@pytest.mark.long
def test_who_lacks_a_permission(one: Cluster, tmp_path: Path) -> None:
    told = refusal(one, tmp_path, impersonate_user="jane")
    assert "jane" in told
    bind(one, "jane")
    one.kubectl(
        *("patch", "clusterrole", "hardening-encryption", "--type", "json"),
        *("--patch", json.dumps([{"op": "replace", "path": "/rules/0/verbs", "value": ["create", "get", "list"]}])),
    )
    told = refusal(one, tmp_path, impersonate_user="jane")
    assert "This user may not patch secrets: bind the ClusterRole hardening-encryption" in told
    assert "This user may not delete secrets in kube-system" in told


@pytest.mark.long
@pytest.mark.parametrize(
    ("missing", "words"),
    [(-(1 << 20), ("raise --quota-backend-bytes",)), (2 << 20, ("raise --quota-backend-bytes",))],
    ids=["no room at all", "no room for a second copy"],
)
def test_an_etcd_that_is_full(one: Cluster, tmp_path: Path, missing: int, words: tuple[str, ...]) -> None:
    (node,) = one.nodes
    for name in ("one", "two"):
        content = base64.b64encode(bytes(750_000)).decode()
        one.kubectl("create", "--filename", "-", text=json.dumps(secret(name, content)))
    # What the API server has compacted meanwhile would be room that a defragmentation makes.
    etcd.run(one, node, "defrag")
    size = etcd.statuses(one)[node]["dbSize"]
    with quota(one, size + missing):
        told = refusal(one, tmp_path)
    assert all(each in told for each in words), told


@pytest.mark.long
@pytest.mark.parametrize("first", ["mine", "-"])
def test_what_was_made_by_hand_is_adopted(one: Cluster, tmp_path: Path, first: str) -> None:
    """By a user who may do what the collection's own roles grant, and no more."""
    (node,) = one.nodes
    hand = ByHand(one)
    before = hand.key("mine")
    hand.write([first, "-" if first == "mine" else "mine"])
    hand.enable(node)
    for name in ("one", "two"):
        one.kubectl("create", "--filename", "-", text=json.dumps(secret(name, "Zm9v")))
    bind(one, "jane")
    finish(one, tmp_path, {"state": "present", "impersonate_user": "jane"})
    (provider,) = (one.configuration(node) or {})["resources"][0]["providers"]
    assert (provider == before) == (first == "mine")
    (name,) = (each["name"] for each in provider["secretbox"]["keys"])
    assert set(etcd.prefixes(one, "/registry/secrets/").values()) == {f"k8s:enc:secretbox:v1:{name}:"}
    (again,) = results(one, tmp_path, [{"impersonate_user": "jane"}])
    assert not again["changed"]


@pytest.mark.long
def test_a_server_that_does_not_reload_is_started_anew_for_each_configuration(one: Cluster, tmp_path: Path) -> None:
    """As people write it who do not know of the flag: it stays so, and every state that writes files restarts it."""
    (node,) = one.nodes
    hand = ByHand(one)
    hand.write(["mine", "-"])
    hand.enable(node, reloads=False)
    for name in ("one", "two"):
        one.kubectl("create", "--filename", "-", text=json.dumps(secret(name, "Zm9v")))
    assert set(etcd.prefixes(one, "/registry/secrets/").values()) == {"k8s:enc:secretbox:v1:mine:"}
    told = finish(one, tmp_path, {"state": "rotated", "scrub": False}).output
    for state in (2, 3, 6):
        _before, _words, then = told.partition(f"state {state} of 8, configure")
        assert f"the API server {node} starts anew" in then.partition("state")[0], f"{state}: {told}"
    (provider,) = (one.configuration(node) or {})["resources"][0]["providers"]
    (name,) = (each["name"] for each in provider["secretbox"]["keys"])
    assert name != "mine"
    assert set(etcd.prefixes(one, "/registry/secrets/").values()) == {f"k8s:enc:secretbox:v1:{name}:"}
    # Of a server that has just been started, nothing is known by heart.
    contents = one.kubectl("get", "secret", "one", "two", "--output", "jsonpath={.items[*].data.content}")
    assert contents.split() == ["Zm9v", "Zm9v"]
    assert "automatic-reload" not in one.on(node, "cat", MANIFEST)
    (again,) = results(one, tmp_path, [{}])
    assert not again["changed"]


def secret(name: str, content: str) -> dict[str, Any]:
    """A Secret of the default namespace."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"content": content}}


def bind(cluster: Cluster, user: str) -> None:
    """Install the collection's roles and bind those to a user that encryption takes."""
    cluster.kubectl("apply", "--filename", "-", text=ROLES.read_text())
    for role, name, options in (
        ("clusterrolebinding", "hardening-audit", ["--clusterrole", "hardening-audit"]),
        ("clusterrolebinding", "hardening-encryption", ["--clusterrole", "hardening-encryption"]),
        ("rolebinding", "hardening-kube-system", ["--role", "hardening-kube-system", "--namespace", "kube-system"]),
    ):
        made = cluster.kubectl("create", role, name, *options, "--user", user, "--dry-run=client", "-o", "json")
        cluster.kubectl("apply", "--filename", "-", text=made)


@contextmanager
def quota(cluster: Cluster, size: int) -> Iterator[None]:
    """etcd with no more room than so many bytes, until the end of the block."""
    (node,) = cluster.nodes
    before = cluster.on(node, "cat", ETCD_MANIFEST)
    manifest = yaml.safe_load(before)
    manifest["spec"]["containers"][0]["command"].append(f"--quota-backend-bytes={size}")
    with restarted(cluster, "etcd"):
        cluster.write(node, ETCD_MANIFEST, yaml.safe_dump(manifest))
    try:
        yield
    finally:
        with restarted(cluster, "etcd"):
            cluster.write(node, ETCD_MANIFEST, before)
        etcd.run(cluster, node, "alarm disarm")


@contextmanager
def restarted(cluster: Cluster, program: str) -> Iterator[None]:
    """The block has the kubelet start a program anew; afterwards its new process and the API server answer."""
    (node,) = cluster.nodes
    before = cluster.on(node, "pidof", program).strip()
    yield
    deadline = time.monotonic() + READY_SECONDS
    while not cluster.holds(node, f'now=$(pidof {program}) && test "$now" != "{before}"'):
        assert time.monotonic() < deadline, f"{program} did not start anew"
        time.sleep(0.5)
    cluster.start()
