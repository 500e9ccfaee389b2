# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access on a real cluster: given, proved, changed without a gap, taken away."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    AUDIT,
    ENFORCE,
    cluster_role_rules,
)

from tests.integration.conftest import CHECKOUT, object_of
from tests.integration.plays import may, run_role, run_task, wait_until_known, write_kubeconfig
from tests.integration.test_harden_cluster import AUDIT as AUDIT_CLUSTER
from tests.integration.test_harden_cluster import HARDEN, REMOVE, play

API = "rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
NAMESPACE = KNOWN["v1", "Namespace"]
BINDING, ROLE = KNOWN[API, "RoleBinding"], KNOWN[API, "Role"]
CLUSTER_ROLE, CLUSTER_BINDING = KNOWN[API, "ClusterRole"], KNOWN[API, "ClusterRoleBinding"]
JANE = {"user": "access-jane", "groups": []}
PODS = {"resources": ["pods"], "verbs": ["get", "list"]}
READER = {"role": "reader", "rules": [PODS], "to": [JANE]}
OTHERS_MAY_STAY = {"keep": [{"cluster_role_binding": "*"}]}
"""What other tests bind in the same cluster at the same time."""

Finding = dict[str, Any]


@pytest.fixture
def name(client: Client) -> Iterator[str]:
    """A name of this test's own, for a set and a namespace that is not there yet; both go afterwards."""
    chosen = f"access-{uuid.uuid4().hex[:8]}"
    yield chosen
    for resource in (CLUSTER_BINDING, CLUSTER_ROLE):
        for each in client.list(resource, metadata_only=True):
            if chosen in each["metadata"]["name"]:
                client.delete(resource, each["metadata"]["name"])
    client.delete(NAMESPACE, chosen)


@pytest.fixture
def space(client: Client, name: str) -> str:
    """The same with the namespace."""
    assert client.create(object_of("Namespace", name)).ok
    return name


@pytest.fixture
def shipped(client: Client, server: dict[str, str], space: str, tmp_path: Path) -> Callable[[str], Path]:
    """The kubeconfig of a user with exactly the rules of a shipped ClusterRole."""

    def make(cluster_role: str) -> Path:
        own = f"{space}-{cluster_role}"
        rules = cluster_role_rules(cluster_role)
        subject = {"kind": "ServiceAccount", "name": cluster_role, "namespace": space}
        role_ref = {"apiGroup": GROUP, "kind": "ClusterRole", "name": own}
        for obj in (
            object_of("ServiceAccount", cluster_role, space),
            object_of("ClusterRole", own, api_version=API, rules=rules),
            object_of("ClusterRoleBinding", own, api_version=API, roleRef=role_ref, subjects=[subject]),
        ):
            answer = client.create(obj)
            assert answer.ok, answer.message
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = KNOWN["v1", "ServiceAccount"].path(space, cluster_role, "token")
        token = client.checked(client.request("POST", path, body=request)).object["status"]["token"]
        kubeconfig = write_kubeconfig(tmp_path / f"{cluster_role}.kubeconfig", server, {"token": token})
        rights = [Question("list", GROUP, "rolebindings"), Question("create", "authorization.k8s.io", _REVIEWS)]
        wait_until_known(kubeconfig, rights)
        return kubeconfig

    return make


_REVIEWS = "subjectaccessreviews"


def bind(client: Client, namespace: str, name: str, user: str, role: str = "view", kind: str = "ClusterRole") -> None:
    role_ref = {"apiGroup": GROUP, "kind": kind, "name": role}
    subject = {"apiGroup": GROUP, "kind": "User", "name": user}
    answer = client.create(object_of("RoleBinding", name, namespace, API, roleRef=role_ref, subjects=[subject]))
    assert answer.ok, answer.message


def of(findings: Sequence[Finding], control: str) -> dict[str, Finding]:
    return {each["subject"]: each for each in findings if each["control"] == control}


def actions(told: dict[str, Any]) -> dict[str, str]:
    return {f"{each['kind']}/{each['name']}": each["action"] for each in told["objects"]}


def test_access_is_given_proved_and_left_alone_by_a_second_run(kubeconfig: Path, client: Client, space: str) -> None:
    nodes = {"api_groups": [""], "resources": ["nodes"], "verbs": ["get"]}
    urls = {"urls": ["/metrics", "/healthz/*"], "verbs": ["get"]}
    settings = {
        "set": space,
        "namespaces": {
            space: {
                "grant": [
                    {**READER, "to": [JANE, {"group": "access-developers"}, {"service_account": "default"}]},
                    {"cluster_role": "view", "to": [{"service_account": "default"}]},
                ],
                "must_not": [
                    {"who": JANE, "verbs": ["*"], "resources": ["secrets"]},
                    {"who": {"user": "access-unknown-groups"}, "verbs": ["get"], "resources": ["pods"]},
                ],
            }
        },
        "cluster": {
            **OTHERS_MAY_STAY,
            "grant": [{"cluster_role": f"{space}-nodes", "rules": [nodes, urls], "to": [JANE]}],
            "must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}],
        },
    }
    preview = run_task(kubeconfig, "rbac", True, settings)
    assert not preview["failed"], preview
    assert client.list(BINDING, space) == []
    first = run_task(kubeconfig, "rbac", False, settings)
    assert not first["failed"], first
    assert set(actions(first).values()) == {"created"}
    assert actions(preview) == actions(first)
    assert len(first["objects"]) == 5
    second = run_task(kubeconfig, "rbac", False, settings)
    assert not second["changed"], second
    seen = run_task(kubeconfig, "rbac_info", False, settings)
    granted = of(seen["findings"], "access.granted")
    assert [each["status"] for each in granted.values()] == ["pass"] * 3, granted
    denied = of(seen["findings"], "access.denied")
    assert denied[f"User/{space}/access-jane"]["status"] == "pass", denied
    assert denied["User/access-jane"]["status"] == "pass", denied
    assert denied[f"User/{space}/access-unknown-groups"]["status"] == "unknown"
    assert of(seen["findings"], "access.undeclared") == {
        subject: {**each, "status": "pass"} for subject, each in of(seen["findings"], "access.undeclared").items()
    }
    assert of(seen["findings"], "access.subjects")[f"ServiceAccount/{space}/default"]["status"] == "pass"
    gone = run_task(kubeconfig, "rbac", False, {"set": space, "state": "absent"})
    assert sorted(actions(gone)) == sorted(actions(first))
    assert set(actions(gone).values()) == {"deleted"}
    assert client.get(CLUSTER_ROLE, f"{space}-nodes") is None


def test_check_mode_tells_of_a_namespace_that_is_not_there_yet(kubeconfig: Path, client: Client, name: str) -> None:
    settings = {"set": name, "namespaces": {name: {"create": True, "grant": [READER]}}, "cluster": OTHERS_MAY_STAY}
    told = run_task(kubeconfig, "rbac", True, settings)
    assert not told["failed"], told
    assert {each["kind"]: each["action"] for each in told["objects"]} == {
        "Namespace": "created",
        "Role": "created",
        "RoleBinding": "created",
    }
    seen = run_task(kubeconfig, "rbac_info", True, settings)
    (granted,) = of(seen["findings"], "access.granted").values()
    assert (granted["status"], granted["would"]) == ("fail", "pass")
    assert client.get(NAMESPACE, name) is None


def test_another_role_comes_before_the_old_one_goes(kubeconfig: Path, client: Client, space: str) -> None:
    def settings(grant: dict[str, Any]) -> dict[str, Any]:
        return {"set": space, "namespaces": {space: {"grant": [grant]}}}

    assert not run_task(kubeconfig, "rbac", False, settings(READER))["failed"]
    deadline = time.monotonic() + 30
    while not may(client, JANE["user"], "get", "pods", space):
        assert time.monotonic() < deadline
    seen: list[bool] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.append(may(client, JANE["user"], "get", "pods", space))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for number in range(4):
            other = {**READER, "role": f"other-{number}"}
            changed = run_task(kubeconfig, "rbac", False, settings(other))
            assert not changed["failed"], changed
            assert sorted(actions(changed).values()) == ["created", "created", "deleted", "deleted"]
    finally:
        over.set()
        watcher.join()
    assert len(seen) > 20
    assert all(seen), f"{seen.count(False)} of {len(seen)} questions fell into a gap"
    assert len(client.list(BINDING, space)) == 1


def test_what_is_forbidden_and_foreign_is_named_and_taken_away(kubeconfig: Path, client: Client, space: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["db"], "verbs": ["get"]}]
    assert client.create(object_of("Role", "leak", space, API, rules=rules)).ok
    bind(client, space, "leak", JANE["user"], "leak", "Role")
    bind(client, space, "legacy", "access-bob")
    settings: dict[str, Any] = {
        "set": space,
        "namespaces": {
            space: {
                "grant": [READER],
                "must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}],
                "keep": [{"role_binding": "lega*"}],
            }
        },
        "cluster": OTHERS_MAY_STAY,
    }
    assert not run_task(kubeconfig, "rbac", False, settings)["failed"]
    seen = run_task(kubeconfig, "rbac_info", False, {**settings, "timeout": 15})["findings"]
    (denied,) = of(seen, "access.denied").values()
    assert denied["status"] == "fail"
    assert f'RoleBinding "leak/{space}"' in denied["evidence"]
    undeclared = of(seen, "access.undeclared")
    assert undeclared[f"RoleBinding/{space}/leak"]["status"] == "fail"
    assert f"RoleBinding/{space}/legacy" not in undeclared

    settings["namespaces"][space]["remove"] = [{"role_binding": "leak"}, {"role": "leak"}, {"role": "never-was"}]
    preview = run_task(kubeconfig, "rbac_info", True, settings)["findings"]
    assert of(preview, "access.undeclared")[f"RoleBinding/{space}/leak"]["would"] == "pass"
    assert next(iter(of(preview, "access.denied").values()))["would"] == "pass"
    told = run_task(kubeconfig, "rbac", False, settings)
    assert actions(told)["RoleBinding/leak"] == actions(told)["Role/leak"] == "deleted"
    assert actions(told)["Role/never-was"] == "unchanged"
    seen = run_task(kubeconfig, "rbac_info", False, {**settings, "timeout": 15})["findings"]
    assert {each["status"] for each in seen} == {"pass"}, seen
    assert not run_task(kubeconfig, "rbac", False, settings)["changed"]


def test_a_limited_run_has_the_roles_that_its_namespaces_grant(kubeconfig: Path, client: Client, space: str) -> None:
    granted = {"cluster_role": space, "to": [JANE]}
    everywhere = {**granted, "rules": [PODS]}
    settings: dict[str, Any] = {
        "set": space,
        "namespaces": {space: {"grant": [granted]}},
        "cluster": {"grant": [everywhere], **OTHERS_MAY_STAY},
    }
    preview = run_task(kubeconfig, "rbac_info", True, settings)
    expected = of(preview["findings"], "access.granted")
    assert len(expected) == 2
    assert {each["would"] for each in expected.values()} == {"pass"}, expected
    limited = {**settings, "only": [space]}
    written = run_task(kubeconfig, "rbac", False, limited)
    assert not written["failed"], written
    assert sorted(each["kind"] for each in written["objects"] if each["action"] == "created") == [
        "ClusterRole",
        "RoleBinding",
    ]
    seen = run_task(kubeconfig, "rbac_info", False, limited)
    assert {each["status"] for each in seen["findings"]} == {"pass"}, seen["findings"]
    assert not run_task(kubeconfig, "rbac", False, {**settings, "state": "absent"})["failed"]
    assert client.get(CLUSTER_ROLE, space) is None


def test_what_cannot_be_right_is_told(kubeconfig: Path, client: Client, space: str) -> None:
    grants = [
        {"cluster_role": "viw", "to": [{"service_account": "reporter"}]},
        {"role": "deployer", "rules": [{"resources": ["deployments"], "verbs": ["get"]}], "to": [JANE]},
    ]
    settings = {"set": space, "namespaces": {space: {"grant": grants}}, "cluster": OTHERS_MAY_STAY}
    assert not run_task(kubeconfig, "rbac", False, settings)["failed"]
    seen = run_task(kubeconfig, "rbac_info", False, settings)["findings"]
    evidence = " ".join(each["evidence"] for each in of(seen, "access.granted").values())
    assert {each["status"] for each in of(seen, "access.granted").values()} == {"fail"}
    assert "there is no ClusterRole viw; did you mean view?" in evidence
    assert "there are deployments in apps" in evidence
    missing = of(seen, "access.subjects")[f"ServiceAccount/{space}/reporter"]
    assert missing["status"] == "fail"
    wrong = run_task(kubeconfig, "rbac", False, {"namespaces": {space: {"grant": [{"role": "a"}]}}})
    assert wrong["failed"]
    assert wrong["msg"] == f"namespaces.{space}.grant[0].to: nobody is named, like to: [{{group: developers}}]."
    assert len(client.list(BINDING, space)) == 2


def test_a_foreign_role_is_not_written_over(kubeconfig: Path, client: Client, space: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    assert client.create(object_of("Role", "reader", space, API, rules=rules)).ok
    told = run_task(kubeconfig, "rbac", False, {"set": space, "namespaces": {space: {"grant": [READER]}}})
    assert told["failed"]
    assert "owns rules" in told["msg"]
    assert client.get(ROLE, "reader", space)["rules"] == rules  # type: ignore[index]


def test_a_role_that_fails_after_it_wrote_tells_what_it_could_not_write(
    kubeconfig: Path, client: Client, space: str, tmp_path: Path
) -> None:
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    assert client.create(object_of("Role", "reader", space, API, rules=rules)).ok
    variables = {"set": space, "namespaces": {space: {"grant": [READER]}}, "timeout": -1}
    status, output, findings = run_role(kubeconfig, tmp_path, "rbac", False, variables)
    assert status == 2
    assert "timeout: -1 is no time" in output
    (unwritten,) = [each for each in findings if each["subject"] == f"Role/{space}/reader"]
    assert unwritten["status"] == "fail" and "owns rules" in unwritten["evidence"]
    assert f"fail {unwritten['control']} Role/{space}/reader" in output


def test_the_shipped_cluster_roles_are_enough(client: Client, space: str, shipped: Callable[[str], Path]) -> None:
    settings = {
        "set": space,
        "namespaces": {
            space: {
                "grant": [
                    {**READER, "rules": [{"resources": ["secrets"], "verbs": ["get"]}]},
                    {"cluster_role": "edit", "to": [JANE]},
                ]
            }
        },
        "cluster": {
            **OTHERS_MAY_STAY,
            "grant": [{"cluster_role": f"{space}-x", "rules": [PODS], "to": [{"group": "access-ops"}]}],
        },
    }
    enforce = shipped(ENFORCE)
    preview = run_task(enforce, "rbac", True, settings)
    assert not preview["failed"], preview
    told = run_task(enforce, "rbac", False, settings)
    assert not told["failed"], told
    seen = run_task(shipped(AUDIT), "rbac_info", False, settings)["findings"]
    assert {each["status"] for each in seen} == {"pass"}, seen
    gone = run_task(enforce, "rbac", False, {"set": space, "state": "absent"})
    assert set(actions(gone).values()) == {"deleted"}
    assert client.list(BINDING, space) == []


def test_nobody_takes_away_what_the_run_itself_stands_on(
    client: Client, space: str, shipped: Callable[[str], Path]
) -> None:
    own = f"{space}-{ENFORCE}"
    settings = {"set": space, "cluster": {**OTHERS_MAY_STAY, "remove": [{"cluster_role_binding": own}]}}
    told = run_task(shipped(ENFORCE), "rbac", False, settings)
    assert told["failed"]
    assert f"it gives system:serviceaccount:{space}:{ENFORCE}, who runs this, its own access" in told["msg"]
    assert client.get(CLUSTER_BINDING, own) is not None


def test_a_user_with_less_is_told_what_is_missing(namespace: str, user: Callable[..., Path]) -> None:
    everything = {
        "apiGroups": [GROUP],
        "resources": ["roles", "rolebindings"],
        "verbs": ["get", "list", "create", "patch", "delete"],
    }
    settings = {"namespaces": {namespace: {"grant": [{**READER, "role": "access-reader"}]}}}
    no_namespaces = run_task(user(everything), "rbac", False, settings)
    assert no_namespaces["failed"]
    assert "namespaces" in no_namespaces["msg"]
    reads = {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [namespace], "verbs": ["get"]}
    less = user(everything, reads)
    told = run_task(less, "rbac", False, settings)
    assert told["failed"]
    assert "may not give what it does not hold itself" in told["msg"]
    assert "escalate on roles" in told["msg"]
    seen = run_task(less, "rbac_info", False, {**settings, "timeout": 0})["findings"]
    (granted,) = of(seen, "access.granted").values()
    assert (granted["status"], granted["proof"]) == ("unknown", "none")
    assert "subjectaccessreviews" in granted["evidence"]
    cluster = of(seen, "access.undeclared")["Cluster/access"]
    assert (cluster["status"], cluster["proof"]) == ("unknown", "none")
    assert "clusterrolebindings" in cluster["evidence"]


def test_a_server_that_is_away_is_told_in_one_sentence() -> None:
    arguments = {"namespaces": {"a": {"grant": [READER]}}, "host": "https://127.0.0.1:9", "validate_certs": False}
    told = run_task(Path("/dev/null"), "rbac", False, {**arguments, "kubeconfig": None})
    assert told["failed"]
    assert "127.0.0.1:9" in told["msg"]
    assert "Traceback" not in json.dumps(told)


def test_the_example_of_the_readme_runs(kubeconfig: Path, client: Client, name: str, tmp_path: Path) -> None:
    text = (CHECKOUT / "roles/rbac/README.md").read_text(encoding="utf-8")
    (play,) = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0].replace("shop", name))
    (task,) = play["tasks"]
    variables = {key.removeprefix("rbac_"): value for key, value in task["vars"].items()}
    variables["cluster"] = OTHERS_MAY_STAY
    status, output, findings = run_role(kubeconfig, tmp_path, "rbac", False, variables)
    assert status == 0, output
    assert {each["status"] for each in findings} == {"pass"}
    status, output, _findings = run_role(kubeconfig, tmp_path, "rbac", False, variables)
    assert status == 0, output
    assert "changed=0" in output
    bind(client, name, "temporary-admin", "access-bob", "admin")
    status, output, _findings = run_role(kubeconfig, tmp_path, "rbac", False, {**variables, "mode": "audit"})
    assert status != 0
    assert f"fail access.undeclared RoleBinding/{name}/temporary-admin" in output
    status, output, _findings = run_role(kubeconfig, tmp_path, "rbac", False, {**variables, "state": "absent"})
    assert status == 0, output
    assert [each["metadata"]["name"] for each in client.list(BINDING, name)] == ["temporary-admin"]


def test_a_policy_gives_access_first_and_takes_it_back_last(
    kubeconfig: Path, client: Client, name: str, tmp_path: Path
) -> None:
    policy = f"""\
policy_version: 1
name: {name}
namespaces:
  {name}:
    create: true
    pod_security: {{warn: baseline}}
    access:
      grant: [{{role: reader, rules: [{{resources: [pods], verbs: [get]}}], to: [{{user: access-jane, groups: []}}]}}]
      must_not: [{{who: {{user: access-jane, groups: []}}, verbs: ["*"], resources: [secrets]}}]
cluster:
  access:
    grant: [{{cluster_role: {name}-nodes, rules: [{{resources: [nodes], verbs: [get]}}], to: [{{group: access-ops}}]}}]
    keep: [{{cluster_role_binding: "*"}}]
"""
    preview = play(HARDEN, kubeconfig, tmp_path, "--check", policy=policy)
    assert preview.status == 0, preview.output
    assert client.get(NAMESPACE, name) is None
    hardened = play(HARDEN, kubeconfig, tmp_path, policy=policy)
    assert hardened.status == 0, hardened.output
    for control in ("access.granted", "access.denied", "access.undeclared"):
        assert hardened.statuses(control) == {"pass"}, hardened.output
    again = play(HARDEN, kubeconfig, tmp_path, policy=policy)
    assert (again.status, again.changed) == (0, 0), again.output
    bind(client, name, "temporary-admin", "access-bob", "admin")
    audited = play(AUDIT_CLUSTER, kubeconfig, tmp_path, policy=policy)
    assert audited.status != 0
    assert f"RoleBinding/{name}/temporary-admin" in audited.output
    without = policy.replace("cluster_role: " + name + "-nodes", "cluster_role: " + name + "-other")
    assert play(HARDEN, kubeconfig, tmp_path, policy=without).status != 0
    assert client.get(CLUSTER_ROLE, f"{name}-nodes") is None
    removed = play(REMOVE, kubeconfig, tmp_path, policy=without)
    assert removed.status == 0, removed.output
    assert [each["metadata"]["name"] for each in client.list(BINDING, name)] == ["temporary-admin"]
    assert client.get(CLUSTER_ROLE, f"{name}-other") is None
