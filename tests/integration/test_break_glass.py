# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The glass as it is broken in an emergency: by effect, with nothing but a kubeconfig, and all the way back."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    BREAK_GLASS,
    cluster_role_rules,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    RECORDS as RECORDS_ROLE,
)

from tests.integration.plays import run_task, wait_until, wait_until_known
from tests.integration.test_harden_cluster import (
    CHECKOUT,
    NAMESPACE,
    POD,
    UNREACHABLE,
    play,
    remove_namespace,
    state,
)

GLASS = "hardening.kubernetes.break_glass"
SHOP, OTHER, SET, RECORDS = "audit-glass-shop", "audit-glass-other", "audit-glass", "hardening-kubernetes"
POLICIES, PODS = KNOWN["networking.k8s.io/v1", "NetworkPolicy"], KNOWN["v1", "Pod"]
ADMISSION, RBAC = "admissionregistration.k8s.io/v1", "rbac.authorization.k8s.io/v1"
BINDING, HOOK = KNOWN[ADMISSION, "ValidatingAdmissionPolicyBinding"], KNOWN[ADMISSION, "ValidatingWebhookConfiguration"]
FLOW = {"from": {"app": "web"}, "to": {"app": "web"}, "ports": ["8080/TCP"]}
LEVELS = {SHOP: {"enforce": "restricted", "warn": "restricted"}, OTHER: {"enforce": "baseline"}}
NETWORK = {
    SHOP: {"default_deny": ["ingress", "egress"], "dns": True, "allow": [FLOW]},
    OTHER: {"default_deny": ["ingress"], "accept_risks": ["dns"]},
}
FOREIGN = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "theirs", "namespace": OTHER, "labels": {"hardening.kubernetes/set": SET}},
    "spec": {"podSelector": {"matchLabels": {"app": "theirs"}}, "policyTypes": ["Ingress"]},
}


@pytest.fixture(scope="module")
def admin() -> Path:
    return Path(os.environ.get("HARDENING_KUBECONFIG") or CHECKOUT / "build/clusters/hardening/kubeconfig")


@pytest.fixture(scope="module")
def client(admin: Path) -> Client:
    return connect({"kubeconfig": str(admin)})


def harden(admin: Path) -> bool:
    """What the roles do; whether it changed anything."""
    done = [
        run_task(admin, "pod_security", False, {"namespaces": LEVELS, "set": SET}),
        run_task(admin, "network_policies", False, {"namespaces": NETWORK, "set": SET}),
    ]
    assert not any(each["failed"] for each in done), done
    return any(each["changed"] for each in done)


def pod(name: str, *command: str) -> dict[str, Any]:
    (container,) = POD["spec"]["containers"]
    spec = {**POD["spec"], "containers": [{**container, "command": list(command)}]}
    return {**POD, "metadata": {"name": name, "namespace": SHOP, "labels": {"app": name}}, "spec": spec}


@pytest.fixture
def shop(client: Client, admin: Path, tmp_path: Path) -> Iterator[str]:
    """Two hardened namespaces."""
    for name in (SHOP, OTHER):
        remove_namespace(client, name)
        assert client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).ok
    assert harden(admin)
    assert client.create(FOREIGN).ok
    yield SHOP
    for name in names_of_records(tmp_path):
        client.delete(KNOWN["v1", "ConfigMap"], name, RECORDS)
    for name in (SHOP, OTHER):
        client.delete(NAMESPACE, name)


@pytest.fixture
def asking(client: Client, shop: str) -> None:
    """In the first, a pod that asks another one for a connection, over and over, and gets none."""
    wait_until(lambda: client.get(KNOWN["v1", "ServiceAccount"], "default", shop))
    assert client.create(pod("web", "httpd", "-f", "-p", "8080")).ok
    address = wait_until(lambda: (client.get(PODS, "web", SHOP) or {}).get("status", {}).get("podIP"))
    ask = (
        f"while true; do nc -w 1 {address} 8080 </dev/null >/dev/null 2>&1 && echo open || echo closed; sleep 0.3; done"
    )
    assert client.create(pod("asking", "sh", "-c", ask)).ok
    wait_until(lambda: last_answer(client) == "closed")


def last_answer(client: Client) -> str:
    try:
        return client.log(SHOP, "asking", since_seconds=3).split()[-1]
    except Exception:  # it does not run yet
        return ""


def names_of_records(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("hardening-break-glass-*.json")}


def policies(client: Client, namespace: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in client.list(POLICIES, namespace)}


def takes_anything(client: Client, namespace: str) -> bool:
    bad = {**POD, "metadata": {"name": "bad", "namespace": namespace}, "spec": {**POD["spec"], "hostPID": True}}
    return client.create(bad, dry_run=True).ok


def levels(client: Client, name: str) -> set[str]:
    live = client.get(NAMESPACE, name)
    assert live is not None
    prefix = "pod-security.kubernetes.io/"
    return {key.removeprefix(prefix) for key in live["metadata"]["labels"] if key.startswith(prefix)}


@pytest.mark.usefixtures("shop", "asking")
def test_everything_of_a_set_goes_in_seconds_and_comes_back(client: Client, admin: Path, tmp_path: Path) -> None:
    before = {name: (policies(client, name), levels(client, name)) for name in (SHOP, OTHER)}
    unchanged = {name: state(client, name) for name in (SHOP, OTHER)}
    previewed = play(GLASS, admin, tmp_path, "--check", "-e", f"set={SET}", policy=None)
    assert (previewed.status, previewed.changed) == (0, 1), previewed.output
    assert f"NetworkPolicy/{SHOP}/hardening-default-deny" in previewed.output
    assert {name: state(client, name) for name in (SHOP, OTHER)} == unchanged
    assert not names_of_records(tmp_path)

    mistyped = play(GLASS, admin, tmp_path, "-e", "set=audit-glas", policy=None)
    assert mistyped.status == 2
    assert "nothing was taken away; did you mean audit-glass?" in " ".join(mistyped.output.split())

    began = time.monotonic()
    broken = play(GLASS, admin, tmp_path, "-e", f"set={SET}", policy=None)
    took = time.monotonic() - began
    assert broken.status == 0, broken.output
    assert took < 60, f"it took {took:.0f} s, the start of Ansible included"
    wait_until(lambda: last_answer(client) == "open")
    assert takes_anything(client, SHOP)
    assert policies(client, SHOP) == {}
    assert policies(client, OTHER).keys() == {"theirs"}  # it has our label, and somebody else's field manager
    assert levels(client, SHOP) == {"warn", "warn-version"}

    (name,) = names_of_records(tmp_path)
    kept = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert kept["user"] and kept["sets"] == [SET]
    assert all(each["action"] in ("deleted", "updated") for each in kept["results"])
    recorded = client.get(KNOWN["v1", "ConfigMap"], name, RECORDS)
    assert recorded is not None and recorded["binaryData"]["record.json.gz"]
    again = play(GLASS, admin, tmp_path, "-e", f"only={SHOP},{OTHER}", policy=None)
    assert (again.status, again.changed) == (0, 0), again.output

    restored = play(GLASS, admin, tmp_path, "-e", f"restore={name}.json", policy=None)
    assert restored.status == 0, restored.output
    assert {each: (policies(client, each), levels(client, each)) for each in (SHOP, OTHER)} == before
    wait_until(lambda: last_answer(client) == "closed")
    assert not takes_anything(client, SHOP)
    assert not harden(admin)


@pytest.mark.usefixtures("shop")
def test_bindings_and_webhooks_of_ours_go_and_those_of_others_stay(client: Client, admin: Path, tmp_path: Path) -> None:
    def obj(kind: str, name: str, **content: Any) -> dict[str, Any]:
        metadata = {"name": name, "labels": {"hardening.kubernetes/set": SET}}
        return {"apiVersion": ADMISSION, "kind": kind, "metadata": metadata, **content}

    binding = {"policyName": "audit-glass-absent", "validationActions": ["Deny"]}
    hook = {
        "name": "audit.glass.example",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"audit-glass": "nobody"}},
    }
    ours = [
        obj("ValidatingAdmissionPolicyBinding", "audit-glass-ours", spec=binding),
        obj("ValidatingWebhookConfiguration", "audit-glass-ours", webhooks=[hook]),
    ]
    theirs = [
        obj("ValidatingAdmissionPolicyBinding", "audit-glass-theirs", spec=binding),
        obj("ValidatingWebhookConfiguration", "audit-glass-theirs", webhooks=[hook]),
    ]
    try:
        for each in ours:
            assert (answer := client.apply(each, manager="hardening.kubernetes/admission")).ok, answer.message
        for each in theirs:
            assert (answer := client.apply(each, manager="kubectl")).ok, answer.message
        limited = play(GLASS, admin, tmp_path, "-e", f"set={SET}", "-e", f"only={OTHER}", policy=None)
        assert limited.status == 0, limited.output
        assert client.get(BINDING, "audit-glass-ours") and policies(client, SHOP)
        assert policies(client, OTHER).keys() == {"theirs"} and levels(client, OTHER) == set()

        broken = play(GLASS, admin, tmp_path, "-e", f"set={SET}", policy=None)
        assert broken.status == 0, broken.output
        for resource in (BINDING, HOOK):
            assert client.get(resource, "audit-glass-ours") is None
            assert client.get(resource, "audit-glass-theirs") is not None
    finally:
        for each in (*ours, *theirs):
            client.delete(KNOWN[ADMISSION, each["kind"]], each["metadata"]["name"])


@pytest.mark.usefixtures("shop")
def test_the_shipped_role_is_enough_to_break_the_glass_and_not_to_mend_it(
    client: Client, admin: Path, tmp_path: Path
) -> None:
    with shipped(client, admin, tmp_path) as user:
        broken = play(GLASS, user, tmp_path, "-e", f"set={SET}", policy=None)
        assert broken.status == 0, broken.output
        assert policies(client, SHOP) == {} and levels(client, SHOP) == {"warn", "warn-version"}
        (name,) = names_of_records(tmp_path)
        assert client.get(KNOWN["v1", "ConfigMap"], name, RECORDS) is not None
        mended = play(GLASS, user, tmp_path, "-e", f"restore={name}.json", policy=None)
        assert mended.status == 2
        assert 'cannot get resource "networkpolicies"' in mended.output.replace("\\", ""), mended.output
        assert policies(client, SHOP) == {}


@contextmanager
def shipped(client: Client, admin: Path, folder: Path) -> Iterator[Path]:
    """Somebody with exactly the ClusterRole for an emergency, and the Role that goes with it for the record."""
    subject = {"kind": "ServiceAccount", "name": "audit-glass", "namespace": SHOP}
    records = {"name": "audit-glass-records", "namespace": RECORDS}

    def role(kind: str, metadata: dict[str, str], name: str) -> list[dict[str, Any]]:
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": metadata["name"]}
        return [
            {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": cluster_role_rules(name)},
            {"apiVersion": RBAC, "kind": f"{kind}Binding", "metadata": metadata, "roleRef": ref, "subjects": [subject]},
        ]

    made = [*role("ClusterRole", {"name": "audit-glass"}, BREAK_GLASS), *role("Role", records, RECORDS_ROLE)]
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": RECORDS}})
    for each in [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "audit-glass", "namespace": SHOP}},
        *made,
    ]:
        answer = client.create(each)
        assert answer.ok or answer.reason == "AlreadyExists", answer.message
    try:
        rights = [
            Question("delete", "networking.k8s.io", "networkpolicies"),
            Question("patch", "", "configmaps", RECORDS),
        ]
        yield kubeconfig_of(client, admin, folder, "audit-glass", rights)
    finally:
        for each in made:
            client.delete(KNOWN[RBAC, each["kind"]], each["metadata"]["name"], each["metadata"].get("namespace", ""))


@pytest.mark.usefixtures("shop")
def test_who_may_do_it_in_one_namespace_alone_does_it_there(client: Client, admin: Path, tmp_path: Path) -> None:
    user = user_of(client, admin, tmp_path)
    whole = play(GLASS, user, tmp_path, "-e", f"set={SET}", policy=None)
    assert whole.status == 2
    assert "Not everything could be looked for." in whole.output
    assert "Grant this permission to the user" in whole.output
    assert policies(client, SHOP)

    broken = play(GLASS, user, tmp_path, "-e", f"only={SHOP}", policy=None)
    assert broken.status == 2, broken.output
    assert policies(client, SHOP) == {} and policies(client, OTHER)
    assert f"Namespace/{SHOP}: The server refused (403)" in broken.output
    assert f"The record cannot be kept in the cluster, in the namespace {RECORDS}" in " ".join(broken.output.split())
    assert names_of_records(tmp_path)


def user_of(client: Client, admin: Path, folder: Path) -> Path:
    """Somebody who may take away network policies in one namespace, see that namespace, and nothing else."""
    name = "audit-glass"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": SHOP}
    metadata = {"name": name, "namespace": SHOP}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    rules = [
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list", "delete"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"], "resourceNames": [SHOP]},
    ]
    for each in (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": RBAC, "kind": "Role", "metadata": metadata, "rules": rules},
        {"apiVersion": RBAC, "kind": "RoleBinding", "metadata": metadata, "roleRef": ref, "subjects": [subject]},
    ):
        assert (answer := client.create(each)).ok, answer.message
    return kubeconfig_of(
        client, admin, folder, name, [Question("delete", "networking.k8s.io", "networkpolicies", SHOP)]
    )


def kubeconfig_of(client: Client, admin: Path, folder: Path, name: str, rights: list[Question]) -> Path:
    """The kubeconfig of a service account in the first namespace, once the server knows that it has these rights."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    token = client.request("POST", KNOWN["v1", "ServiceAccount"].path(SHOP, name, "token"), body=body).object
    config = yaml.safe_load(admin.read_text(encoding="utf-8"))
    config["users"] = [{"name": name, "user": {"token": token["status"]["token"]}}]
    config["contexts"] = [{"name": name, "context": {"cluster": config["clusters"][0]["name"], "user": name}}]
    config["current-context"] = name
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    wait_until_known(file, rights)
    return file


def test_a_server_that_cannot_be_reached_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "unreachable"
    file.write_text(UNREACHABLE, encoding="utf-8")
    began = time.monotonic()
    run = play(GLASS, file, tmp_path, policy=None)
    assert run.status == 2
    assert "The server https://127.0.0.1:1 cannot be reached" in run.output
    assert time.monotonic() - began < 30
    assert not names_of_records(tmp_path)
