# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An old cluster as a policy: adopting what was discovered changes nothing, and letting it go neither."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    AUDIT,
    cluster_role_rules,
)

from tests.integration.conftest import object_of, write_kubeconfig
from tests.integration.plays import run_task, wait_until_known
from tests.integration.test_harden_cluster import HARDEN, IMAGE, REMOVE, Run, play

DISCOVER = "hardening.kubernetes.discover_cluster"
NAMESPACE, POD = KNOWN["v1", "Namespace"], KNOWN["v1", "Pod"]
RBAC, NETWORK = "rbac.authorization.k8s.io", "networking.k8s.io/v1"
KINDS = [
    KNOWN[key]
    for key in (
        ("v1", "LimitRange"),
        ("v1", "ResourceQuota"),
        ("v1", "ServiceAccount"),
        (f"{RBAC}/v1", "Role"),
        (f"{RBAC}/v1", "RoleBinding"),
        (NETWORK, "NetworkPolicy"),
        ("apps/v1", "Deployment"),
    )
]
SET, ORIGIN = "hardening.kubernetes/set", "hardening.kubernetes/origin"
LABELS = "pod-security.kubernetes.io/"
OF_THE_SERVER = ("managedFields", "resourceVersion", "creationTimestamp", "uid", "generation")


@dataclass(frozen=True)
class Old:
    """Two namespaces that grew over years: one messy, one with a workload that rests and nothing else."""

    client: Client
    name: str

    @property
    def messy(self) -> str:
        return f"{self.name}-messy"

    @property
    def plain(self) -> str:
        return f"{self.name}-plain"

    @property
    def only(self) -> str:
        return f"{self.messy},{self.plain}"

    def state(self, marks: bool = False) -> dict[str, Any]:
        """Everything in both, without what servers count; without our marks unless these are asked for."""
        told: dict[str, Any] = {}
        for name in (self.messy, self.plain):
            namespace = self.client.get(NAMESPACE, name)
            assert namespace
            objects = [namespace, *(each for kind in KINDS for each in self.client.list(kind, name))]
            told |= {f"{each['kind']}/{name}/{each['metadata']['name']}": content(each, marks) for each in objects}
        return told


def content(obj: dict[str, Any], marks: bool) -> dict[str, Any]:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in OF_THE_SERVER}
    for field in ("labels", "annotations"):
        said = metadata.pop(field, None) or {}
        metadata[field] = {key: each for key, each in said.items() if marks or not key.startswith("hardening.kube")}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


@pytest.fixture
def old(client: Client) -> Iterator[Old]:
    made = Old(client, f"discover-{uuid.uuid4().hex[:6]}")
    labels = {f"{LABELS}enforce": "baseline", f"{LABELS}warn": "restricted", f"{LABELS}warn-version": "latest"}
    create(client, object_of("Namespace", made.messy, metadata={"labels": {**labels, "team": "yes"}}))
    create(client, object_of("Namespace", made.plain))
    for each in messy_objects(made.messy):
        create(client, each)
    resting = {"replicas": 0, "selector": {"matchLabels": {"app": "rests"}}, "template": template("rests")}
    create(client, object_of("Deployment", "rests", made.plain, "apps/v1", spec=resting))
    deadline = time.monotonic() + 180
    while (client.get(POD, "web", made.messy) or {}).get("status", {}).get("phase") != "Running":
        assert time.monotonic() < deadline, client.get(POD, "web", made.messy)
        time.sleep(0.2)
    yield made
    for name in (made.messy, made.plain):
        client.delete(NAMESPACE, name)


def create(client: Client, obj: dict[str, Any]) -> None:
    """A service account of the name default takes a moment, and pods are refused until it is there."""
    deadline = time.monotonic() + 60
    while not (answer := client.create(obj)).ok:
        assert time.monotonic() < deadline, answer.message
        time.sleep(0.2)


def template(app: str) -> dict[str, Any]:
    container = {"name": app, "image": IMAGE, "command": ["sleep", "3600"], "ports": [{"containerPort": 8080}]}
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }


def messy_objects(home: str) -> list[dict[str, Any]]:
    read = {"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": ["list", "get"]}
    helm = {"annotations": {"meta.helm.sh/release-name": "shop"}, "labels": {"1": "1.30"}}
    ops, jane = ({"apiGroup": RBAC, "kind": kind, "name": name} for kind, name in (("Group", "ops"), ("User", "jane")))
    bot = {"kind": "ServiceAccount", "name": "bot", "namespace": home}
    default = {"memory": "64Mi"}
    limits = [{"type": "Container", "max": {"memory": "1Gi"}, "default": default, "defaultRequest": default}]
    serves = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}
    open_to = [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080}, {"port": "http", "protocol": "UDP"}]}]
    return [
        object_of("ServiceAccount", "bot", home),
        object_of("Role", "reader", home, f"{RBAC}/v1", rules=[read], metadata=helm),
        object_of("Role", "idle", home, f"{RBAC}/v1", rules=[read]),
        binding("old:readers", home, "Role", "reader", jane, ops, bot),
        binding("more-readers", home, "Role", "reader", ops),
        binding("viewers", home, "ClusterRole", "view", ops),
        binding("dangling", home, "Role", "gone", jane),
        object_of("LimitRange", "sizes", home, spec={"limits": limits}),
        object_of("ResourceQuota", "team", home, spec={"hard": {"requests.memory": "8192Mi", "pods": "20"}}),
        object_of("ResourceQuota", "later", home, spec={"hard": {"pods": "10"}, "scopes": ["NotTerminating"]}),
        object_of("NetworkPolicy", "web", home, NETWORK, spec={**serves, "ingress": open_to}),
        object_of("NetworkPolicy", "nothing-out", home, NETWORK, spec={"podSelector": {}, "policyTypes": ["Egress"]}),
        object_of("Pod", "web", home, **template("web") | {"metadata": {"labels": {"app": "web"}}}),
    ]


def binding(name: str, home: str, kind: str, role: str, *subjects: dict[str, Any]) -> dict[str, Any]:
    ref = {"apiGroup": RBAC, "kind": kind, "name": role}
    return object_of("RoleBinding", name, home, f"{RBAC}/v1", roleRef=ref, subjects=list(subjects))


@pytest.fixture
def user(client: Client, server: dict[str, str], namespace: str, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Makes a user with these rules in the whole cluster, and returns its kubeconfig."""
    made: list[str] = []

    def make(rules: list[dict[str, Any]]) -> Path:
        name = f"discover-{uuid.uuid4().hex[:6]}"
        made.append(name)
        ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        create(client, object_of("ServiceAccount", name, namespace))
        create(client, object_of("ClusterRole", name, api_version=f"{RBAC}/v1", rules=rules))
        create(client, object_of("ClusterRoleBinding", name, api_version=f"{RBAC}/v1", roleRef=ref, subjects=[subject]))
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = KNOWN["v1", "ServiceAccount"].path(namespace, name, "token")
        token = client.checked(client.request("POST", path, body=request)).object["status"]["token"]
        config = write_kubeconfig(tmp_path / f"{name}.kubeconfig", server, {"token": token})
        rule = rules[0]
        wait_until_known(config, [Question(rule["verbs"][0], rule["apiGroups"][0], rule["resources"][0])])
        return config

    yield make
    for name in made:
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            client.delete(KNOWN[f"{RBAC}/v1", kind], name)


def harden(old: Old, admin: Path, folder: Path, playbook: str = HARDEN) -> Run:
    """With what others have in this cluster let be, and what the network lets through left to other tests."""
    (folder / "others.yml").write_text(
        f"policy_version: 1\nname: {old.name}\naccept_unknown: [network.default_deny]\n"
        'cluster: {access: {keep: [{cluster_role_binding: "*"}]}}\n'
    )
    files = f"policy={folder}/discovered.yml,{folder}/others.yml"
    return play(playbook, admin, folder, "-e", files, "-e", "probe=false", policy=None)


def test_what_is_discovered_is_adopted_and_handed_back_unchanged(old: Old, kubeconfig: Path, tmp_path: Path) -> None:
    before = old.state()
    arguments = ("-e", "policy=discovered.yml", "-e", f"policy_name={old.name}", "-e", f"only={old.only}")
    shown = play(DISCOVER, kubeconfig, tmp_path, *arguments, "--check", "--diff", policy=None)
    assert shown.status == 0 and "+policy_version: 1" in shown.output, shown.output
    assert not (tmp_path / "discovered.yml").exists()
    written = play(DISCOVER, kubeconfig, tmp_path, *arguments, policy=None)
    assert written.status == 0, written.output
    text = (tmp_path / "discovered.yml").read_text()
    assert "pod_security: {enforce: baseline, version: unlabelled, warn: restricted, warn_version: latest}" in text
    flat = " ".join(text.replace("#", " ").split())
    for told in (
        "restricted would refuse web (",
        "not judged, since no pod of it runs: Deployment/",
        "RoleBinding dangling is kept, not declared: there is no Role gone",
        "Role idle is bound to nobody",
        "Role reader (Helm)",
        "could enforce restricted today",
    ):
        assert told in flat, text
    again = play(DISCOVER, kubeconfig, tmp_path, *arguments, policy=None)
    assert again.status == 2 and "is there already and was left as it is" in " ".join(again.output.split())

    first = harden(old, kubeconfig, tmp_path)
    assert old.state() == before, first.output
    assert first.report is not None, first.output
    wrong = [each for each in first.report["findings"] if each["status"] not in ("pass", "not_applicable")]
    assert {each["control"] for each in wrong} <= {"network.default_deny"}, json.dumps(wrong, indent=1)
    assert first.status == 0, first.output
    quotas = {each["subject"]: each for each in first.report["findings"] if each["control"] == "resources.quota"}
    assert quotas[f"ResourceQuota/{old.messy}/team"]["proof"] == "effect"
    marked = {label for label, each in old.state(marks=True).items() if SET in each["metadata"]["labels"]}
    kinds = ("LimitRange", "ResourceQuota", "NetworkPolicy")
    assert {label for label in before if label.startswith(kinds)} <= marked
    assert {f"RoleBinding/{old.messy}/{name}" for name in ("old:readers", "more-readers", "viewers")} <= marked
    assert not any("dangling" in label or "idle" in label for label in marked)
    versions = resource_versions(old)
    second = harden(old, kubeconfig, tmp_path)
    assert second.status == 0 and resource_versions(old) == versions, second.output

    gone = harden(old, kubeconfig, tmp_path, REMOVE)
    assert gone.status == 0, gone.output
    assert old.state(marks=True) == before


def resource_versions(old: Old) -> set[str]:
    counted = ("ResourceQuota", "Deployment")
    objects = [each for kind in KINDS if kind.kind not in counted for each in old.client.list(kind, old.messy)]
    return {each["metadata"]["resourceVersion"] for each in objects}


def test_the_shipped_cluster_role_is_enough_to_see_all_but_which_levels_are_possible(
    old: Old, kubeconfig: Path, user: Callable[..., Path], tmp_path: Path
) -> None:
    arguments = {"path": str(tmp_path / "policy.yml"), "name": old.name, "only": [old.messy, old.plain]}
    told = run_task(user(cluster_role_rules(AUDIT)), "discover", False, arguments)
    assert not told["failed"], told
    assert told["namespaces"] == [old.messy, old.plain]
    (unseen,) = told["unseen"]
    assert f"Which Pod Security level {old.messy}, {old.plain} could enforce is not known" in unseen
    limited = (tmp_path / "policy.yml").read_text()
    assert "is unknown: " in limited and "needs the permission to patch namespaces" in unseen
    run_task(kubeconfig, "discover", False, {**arguments, "force": True})
    assert settings(limited) == settings((tmp_path / "policy.yml").read_text())

    possible = run_task(kubeconfig, "discover", True, {**arguments, "force": True, "levels": "possible"})
    # A template of which no pod runs is judged by nobody.
    assert "pod_security: {enforce: baseline, version: unlabelled" in possible["text"]
    assert "enforce: restricted" not in possible["text"]
    old.client.delete(KNOWN["apps/v1", "Deployment"], "rests", old.plain)
    possible = run_task(kubeconfig, "discover", True, {**arguments, "force": True, "levels": "possible"})
    assert "pod_security: {enforce: restricted, version: v1." in possible["text"]


def settings(text: str) -> list[str]:
    """A policy without its comments."""
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_what_may_not_be_read_is_said_in_the_file_and_in_the_result(
    old: Old, user: Callable[..., Path], tmp_path: Path
) -> None:
    namespaces = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "get"]}
    access = {"apiGroups": [RBAC], "resources": ["roles", "rolebindings"], "verbs": ["list"]}
    may_list = user([namespaces, access])
    arguments = {"path": str(tmp_path / "policy.yml"), "name": old.name, "only": [old.messy]}
    told = run_task(may_list, "discover", False, arguments)
    assert not told["failed"], told
    text = (tmp_path / "policy.yml").read_text()
    for what in ("Quotas and limits of", "networkpolicies", "ClusterRoleBindings could not be read"):
        assert any(what in each for each in told["unseen"]) and what in text.replace("\n# ", " "), (what, text)
    assert "binding: old:readers" in text and "quotas:" not in text


def test_a_namespace_that_there_is_not_is_told(kubeconfig: Path, tmp_path: Path) -> None:
    told = run_task(kubeconfig, "discover", False, {"path": str(tmp_path / "p.yml"), "only": ["defalt"]})
    assert told["failed"] and told["msg"] == "only: there is no namespace defalt; did you mean default?"
    assert not (tmp_path / "p.yml").exists()
