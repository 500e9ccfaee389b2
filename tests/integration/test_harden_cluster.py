# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks as users run them: from a policy file to a verdict, with the ClusterRoles that are shipped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.integration.plays import wait_until_known

CHECKOUT = Path(__file__).resolve().parents[2]
ANSIBLE = Path(sys.executable).parent
NAMESPACE = KNOWN["v1", "Namespace"]
RBAC = "rbac.authorization.k8s.io/v1"
SHOP, NEW, USERS = "policy-test-shop", "policy-test-new", "policy-test-users"
IMAGE = "hardening.local/toolbox:1"
POLICY = f"""\
policy_version: 1
name: policy-test
namespaces:
  {SHOP}:
    pod_security: {{enforce: restricted}}
    network:
      default_deny: [ingress, egress]
      dns: true
      allow:
        - {{from: {{app: web}}, to: {{app: web}}, ports: [8080/TCP]}}
cluster:
  network: {{probe: {{image: "{IMAGE}"}}}}
"""
OF_EVERY_ROLE = """\
    resources:
      quota: {requests.cpu: 1, pods: 9}
      limits: {container: {default_request: {cpu: 10m}}}
    access:
      grant: [{role: reader, rules: [{resources: [pods], verbs: [get]}], to: [{service_account: default}]}]
      must_not: [{who: {service_account: default}, verbs: ["*"], resources: [secrets]}]
cluster:
  access:
    grant:
      - {cluster_role: policy-test-nodes, rules: [{resources: [nodes], verbs: [get]}], to: [{group: policy-test-ops}]}
    keep: [{cluster_role_binding: "*"}]
"""
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": SHOP, "labels": {"app": "web"}},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "web",
                "image": IMAGE,
                "command": ["sleep", "3600"],
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    },
}


@dataclass(frozen=True)
class Run:
    """A finished ansible-playbook: exit status, everything it printed, its report where it wrote one."""

    status: int
    output: str
    report: dict[str, Any] | None

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
        return int(re.findall(r"changed=(\d+)", self.output)[-1])

    def statuses(self, control: str) -> set[str]:
        """The statuses of a control's findings."""
        assert self.report is not None, self.output
        return {each["status"] for each in self.report["findings"] if each["control"] == control}


def play(playbook: str, kubeconfig: Path | str, folder: Path, *arguments: str, policy: str | None = POLICY) -> Run:
    """Run a playbook in a folder of its own, with a policy in it."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    if playbook in (HARDEN, AUDIT):
        report.write_text('{\n  "report_version": 1,\n  "verdict": "of an earlier run"\n}', encoding="utf-8")
    if policy is not None:
        (folder / "cluster-policy.yml").write_text(policy, encoding="utf-8")
    done = subprocess.run(
        [str(ANSIBLE / "ansible-playbook"), playbook, "-e", f"report={report}", *arguments],
        cwd=folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "KUBECONFIG": str(kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else None
    return Run(done.returncode, done.stdout, told)


HARDEN, AUDIT = "hardening.kubernetes.harden_cluster", "hardening.kubernetes.audit_cluster"
REMOVE, ROLES = "hardening.kubernetes.remove_hardening", "hardening.kubernetes.cluster_roles"


@pytest.fixture(scope="module")
def admin() -> Path:
    return Path(os.environ.get("HARDENING_KUBECONFIG") or CHECKOUT / "build/clusters/hardening/kubeconfig")


@pytest.fixture(scope="module")
def client(admin: Path) -> Client:
    return connect({"kubeconfig": str(admin)})


def make_namespace(client: Client, name: str) -> None:
    remove_namespace(client, name)
    assert client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).ok
    while not client.get(KNOWN["v1", "ServiceAccount"], "default", name):
        time.sleep(0.05)


def remove_namespace(client: Client, name: str) -> None:
    client.delete(NAMESPACE, name)
    while client.get(NAMESPACE, name):
        time.sleep(0.2)


@pytest.fixture
def shop(client: Client) -> Iterator[str]:
    """A namespace with one pod, hardened by nobody yet."""
    make_namespace(client, SHOP)
    assert client.create(POD).ok
    while (client.get(KNOWN["v1", "Pod"], "web", SHOP) or {}).get("status", {}).get("phase") != "Running":
        time.sleep(0.1)
    yield SHOP
    remove_namespace(client, SHOP)


@pytest.fixture(scope="module")
def users(client: Client, admin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Kubeconfigs of a user for each shipped ClusterRole, and of one who may only see namespaces."""
    folder = tmp_path_factory.mktemp("users")
    installed = play(ROLES, admin, folder, policy=None)
    assert installed.status == 0, installed.output
    assert play(ROLES, admin, folder, policy=None).changed == 0
    make_namespace(client, USERS)
    roles = [
        cluster_role("policy-test-less", verbs=["get", "list"]),
        cluster_role("policy-test-narrow", verbs=["get", "patch"], resourceNames=[SHOP]),
    ]
    names = ("hardening-audit", "hardening-enforce", "policy-test-less", "policy-test-narrow")
    bindings = [user_object(name) for name in names]
    records = {
        **user_object("hardening-enforce"),
        "kind": "RoleBinding",
        "metadata": {"name": "policy-test", "namespace": "hardening-kubernetes"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "hardening-records"},
    }
    for each in (*roles, *bindings, records):
        remove_object(client, each)
        assert client.create(each).ok
    yield {each["roleRef"]["name"]: user_kubeconfig(client, admin, folder, each) for each in bindings}
    shipped = [cluster_role(name) for name in ("hardening-audit", "hardening-enforce", "hardening-break-glass")]
    for each in (records, *bindings, *roles, *shipped):
        remove_object(client, each)
    remove_namespace(client, USERS)


def cluster_role(name: str, **rule: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": ["namespaces"], **rule}],
    }


def user_object(cluster_role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"policy-test-{cluster_role}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": cluster_role},
        "subjects": [{"kind": "ServiceAccount", "name": cluster_role, "namespace": USERS}],
    }


def remove_object(client: Client, told: dict[str, Any]) -> None:
    metadata = told["metadata"]
    client.delete(KNOWN[told["apiVersion"], told["kind"]], metadata["name"], metadata.get("namespace", ""))


def user_kubeconfig(client: Client, admin: Path, folder: Path, binding: dict[str, Any]) -> Path:
    """A kubeconfig with a fresh token of a new ServiceAccount, and nothing else of the administrator's."""
    name = binding["roleRef"]["name"]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": USERS}}
    assert client.create(account).ok
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    path = KNOWN["v1", "ServiceAccount"].path(USERS, name, "token")
    token = client.request("POST", path, body=body).object["status"]["token"]
    config = yaml.safe_load(admin.read_text(encoding="utf-8"))
    config["users"] = [{"name": name, "user": {"token": token}}]
    config["contexts"] = [{"name": name, "context": {"cluster": config["clusters"][0]["name"], "user": name}}]
    config["current-context"] = name
    file = folder / name
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    wait_until_known(file, [Question("get", "", "namespaces", name=SHOP)])
    return file


def state(client: Client, namespace: str) -> dict[str, Any]:
    """Everything in a namespace that a run could touch, so that any write would show.

    Of pods what their makers say, for their status changes by itself, and none of the probes that are on their way out.
    """
    kinds = [("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "ServiceAccount"), ("v1", "ConfigMap")]
    kinds += [("v1", "LimitRange"), *((RBAC, kind) for kind in ("Role", "RoleBinding"))]
    live = client.get(NAMESPACE, namespace)
    assert live is not None
    objects = [live, *(each for kind in kinds for each in client.list(KNOWN[kind], namespace))]
    pods = [each for each in client.list(KNOWN["v1", "Pod"], namespace) if "deletionTimestamp" not in each["metadata"]]
    return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in objects} | {
        f"Pod/{each['metadata']['name']}": (each["metadata"]["uid"], each["metadata"].get("labels"), each["spec"])
        for each in pods
    }


UNREACHABLE = """\
apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: gone, user: {token: none}}]
contexts: [{name: gone, context: {cluster: gone, user: gone}}]
current-context: gone
"""


@pytest.fixture
def unreachable(tmp_path: Path) -> Path:
    file = tmp_path / "unreachable"
    file.write_text(UNREACHABLE, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("policy", "arguments", "told"),
    [
        (None, (), "There is no policy file {folder}/cluster-policy.yml"),
        (None, ("-e", "policy=absent.yml"), "There is no policy file {folder}/absent.yml"),
        (None, ("-e", "policy=/etc/shadow-of-none"), "There is no policy file /etc/shadow-of-none: name yours"),
        (None, ("-e", "policy=empty"), "The folder empty holds no policy"),
        (POLICY, ("-e", "policy="), "The path of the policy is empty"),
        (POLICY, ("-e", "pod_security_namespaces={}"), "Take pod_security_namespaces out of the extra variables (-e)"),
        (POLICY, ("-e", "hardening_mode=enforce", "--check"), "Take hardening_mode out of the extra variables (-e)"),
        ("a: [1\n", (), "cluster-policy.yml:2: this is not YAML"),
        (
            POLICY.replace("restricted", "restrictd"),
            (),
            'found "restrictd"; allowed: privileged, baseline, restricted.',
        ),
        (
            POLICY.replace("dns: true", "dns: yes"),
            (),
            'cluster-policy.yml:8: namespaces.policy-test-shop.network.dns: found "yes"',
        ),
        (POLICY + "nmespaces: {}\ncluster: {}\n", (), "The policy has 2 mistakes."),
        (POLICY.replace("8080/TCP", '"{{ 8080 }}/TCP"'), (), 'found "{{ 8080 }}/TCP"; is not a port'),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", (), "is encrypted, and no vault password that was given opens it"),
    ],
)
def test_a_policy_that_cannot_be_read_stops_everything(
    tmp_path: Path, unreachable: Path, policy: str | None, arguments: tuple[str, ...], told: str
) -> None:
    (tmp_path / "empty").mkdir()
    run = play(HARDEN, unreachable, tmp_path, *arguments, policy=policy)
    assert run.status == 2
    assert told.format(folder=tmp_path) in run.output if "{folder}" in told else told in run.output
    assert run.report is None
    assert "127.0.0.1:1" not in run.output  # nobody tried to reach the cluster


@pytest.mark.parametrize(
    ("report", "told"),
    [
        ("/nowhere/report.json", "The report cannot be written to /nowhere/report.json"),
        ("cluster-policy.yml", "cluster-policy.yml is there and is no report"),
    ],
)
def test_a_report_that_cannot_be_written_stops_everything(
    tmp_path: Path, unreachable: Path, report: str, told: str
) -> None:
    run = play(HARDEN, unreachable, tmp_path, "-e", f"report={report}")
    assert run.status == 2
    assert told in run.output
    assert "127.0.0.1:1" not in run.output
    assert (tmp_path / "cluster-policy.yml").read_text(encoding="utf-8") == POLICY


@pytest.mark.parametrize("arguments", [(), ("--tags", "network"), ("--check",)])
def test_a_server_that_cannot_be_reached_stops_everything_at_once(
    tmp_path: Path, unreachable: Path, arguments: tuple[str, ...]
) -> None:
    began = time.monotonic()
    run = play(HARDEN, unreachable, tmp_path, *arguments)
    assert run.status == 2
    assert "The server https://127.0.0.1:1 cannot be reached" in run.output
    assert run.report is None
    assert time.monotonic() - began < 30


def test_an_encrypted_policy_is_read_with_its_password_and_never_shown(tmp_path: Path, unreachable: Path) -> None:
    file, password = tmp_path / "cluster-policy.yml", tmp_path / "password"
    password.write_text("open sesame\n", encoding="utf-8")
    vault = [str(ANSIBLE / "ansible-vault"), "encrypt", "--vault-password-file", str(password), str(file)]

    def encrypted(text: str) -> Run:
        file.write_text(text, encoding="utf-8")
        subprocess.run(vault, check=True, capture_output=True)
        return play(HARDEN, unreachable, tmp_path, "--vault-password-file", str(password), "-vv", policy=None)

    right = encrypted(POLICY.replace(SHOP, "hunter2"))
    assert "The server https://127.0.0.1:1 cannot be reached" in right.output
    wrong = encrypted(POLICY.replace(SHOP, "hunter2").replace("restricted", "hunter2"))
    assert "cluster-policy.yml:5: found something else" in wrong.output
    assert "hunter2" not in right.output + wrong.output


def test_the_policy_beside_the_playbook_is_taken(tmp_path: Path, unreachable: Path) -> None:
    elsewhere = tmp_path / "infrastructure"
    elsewhere.mkdir()
    (elsewhere / "site.yml").write_text(f"- import_playbook: {HARDEN}\n", encoding="utf-8")
    (elsewhere / "cluster-policy.yml").write_text(POLICY.replace("restricted", "restrictd"), encoding="utf-8")
    run = play("infrastructure/site.yml", unreachable, tmp_path, policy=None)
    assert "infrastructure/cluster-policy.yml:5:" in run.output


def test_an_audit_with_exactly_the_audit_role_changes_nothing(
    client: Client, shop: str, users: dict[str, Path], tmp_path: Path
) -> None:
    before = state(client, shop)
    run = play(AUDIT, users["hardening-audit"], tmp_path)
    assert run.status == 2, run.output
    assert state(client, shop) == before
    assert run.changed == 0
    assert run.statuses("pod_security.enforced") == {"fail"}
    assert run.statuses("network.default_deny") == {"fail"}
    assert run.report is not None
    assert run.report["errors"] == []
    checked = play(AUDIT, users["hardening-audit"], tmp_path, "--check")
    assert checked.status == 2, checked.output
    assert checked.report is not None
    assert checked.report["findings"] == run.report["findings"]
    assert checked.report["verdict"] == run.report["verdict"]
    assert any("pod_security.enforced is unknown" in each for each in run.report["about"]["weakened"])
    assert "Without create pods [hardening-enforce]" in run.output


def test_hardening_by_all_roles_with_exactly_the_shipped_ones(
    client: Client, shop: str, users: dict[str, Path], tmp_path: Path
) -> None:
    user = users["hardening-enforce"]
    policy = POLICY.replace("namespaces:\n", f"namespaces:\n  {NEW}: {{create: true}}\n")
    policy = policy.replace("cluster:\n", OF_EVERY_ROLE)
    remove_namespace(client, NEW)
    first = play(HARDEN, user, tmp_path, policy=policy)
    assert first.status == 0, first.output
    assert "verdict: SUCCESS" in first.output
    assert first.statuses("pod_security.enforced") == {"pass"}
    assert first.statuses("network.default_deny") == {"pass"}
    assert first.report is not None
    assert {each["status"] for each in first.report["findings"]} == {"pass"}
    assert first.report["about"]["weakened"] == []
    created = client.get(NAMESPACE, NEW)
    assert created is not None
    assert created["metadata"]["labels"]["hardening.kubernetes/set"] == "policy-test"

    before = state(client, shop)
    second = play(HARDEN, user, tmp_path, policy=policy)
    assert (second.status, second.changed) == (0, 0), second.output
    assert state(client, shop) == before

    audit = play(AUDIT, user, tmp_path, "-e", "probe=true", policy=policy)
    assert (audit.status, audit.changed) == (0, 0), audit.output
    assert state(client, shop) == before

    weaker = play(AUDIT, users["hardening-audit"], tmp_path, policy=policy)
    assert weaker.status == 2, weaker.output
    assert weaker.statuses("pod_security.enforced") == {"unknown"}
    assert weaker.statuses("network.default_deny") == {"unknown"}
    assert weaker.statuses("resources.quota") == {"unknown"}
    assert weaker.statuses("access.granted") == weaker.statuses("access.denied") == {"pass"}

    removed = play(REMOVE, user, tmp_path, policy=policy)
    assert removed.status == 0, removed.output
    for kind in (("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "ResourceQuota"), (RBAC, "RoleBinding")):
        assert client.list(KNOWN[kind], shop) == []
    assert client.get(KNOWN[RBAC, "ClusterRole"], "policy-test-nodes") is None
    live = client.get(NAMESPACE, shop)
    assert live is not None
    assert not [key for key in live["metadata"]["labels"] if key.startswith("pod-security")]
    assert client.get(NAMESPACE, NEW) is not None
    again = play(REMOVE, user, tmp_path, policy=policy)
    assert (again.status, again.changed) == (0, 0), again.output
    remove_namespace(client, NEW)


def test_with_less_hardening_stops_and_tells_everything_that_is_missing(
    client: Client, shop: str, users: dict[str, Path], tmp_path: Path
) -> None:
    before = state(client, shop)
    run = play(HARDEN, users["policy-test-less"], tmp_path)
    assert run.status == 2
    for missing in (
        "get, list networkpolicies (networking.k8s.io) [hardening-audit]",
        "patch namespaces [hardening-enforce]",
        "create, delete, patch networkpolicies (networking.k8s.io) [hardening-enforce]",
        "bind the ClusterRole hardening-enforce to this user",
    ):
        assert missing in run.output
    assert state(client, shop) == before
    assert run.report is None


@pytest.mark.usefixtures("shop")
def test_with_less_an_audit_is_unknown_and_says_why(users: dict[str, Path], tmp_path: Path) -> None:
    run = play(AUDIT, users["policy-test-less"], tmp_path)
    assert run.status == 2
    assert run.report is not None, run.output
    assert "pass" not in {
        each["status"] for each in run.report["findings"] if not each["control"].startswith("policy.")
    }
    assert run.statuses("pod_security.running_comply") == {"unknown"}
    assert any("cannot list resource" in each["evidence"] for each in run.report["findings"])


def test_with_the_enforce_role_in_one_namespace_alone_that_one_is_hardened(
    client: Client, shop: str, users: dict[str, Path], tmp_path: Path
) -> None:
    binding = {
        **user_object("policy-test-narrow"),
        "kind": "RoleBinding",
        "metadata": {"name": "narrow", "namespace": shop},
        "roleRef": user_object("hardening-enforce")["roleRef"],
    }
    assert client.create(binding).ok
    # Whether the set left anything elsewhere is not for this user to see.
    policy = POLICY.partition("    network:")[0] + "accept_unknown: [policy.leftovers]\n"
    run = play(HARDEN, users["policy-test-narrow"], tmp_path, policy=policy)
    assert run.status == 0, run.output
    assert run.statuses("pod_security.enforced") == {"pass"}
    assert run.statuses("policy.leftovers") == {"unknown"}
    elsewhere = play(HARDEN, users["policy-test-narrow"], tmp_path, policy=policy.replace(shop, "default"))
    assert elsewhere.status == 2
    assert "patch namespaces [hardening-enforce]" in elsewhere.output


@pytest.mark.parametrize(("expires", "status", "waived"), [("2099-12-31", 0, {"waived"}), ("2020-01-01", 2, {"fail"})])
def test_a_waiver_holds_until_it_expires(
    client: Client, admin: Path, shop: str, tmp_path: Path, expires: str, status: int, waived: set[str]
) -> None:
    bad = {**POD, "metadata": {**POD["metadata"], "name": "bad"}, "spec": {**POD["spec"], "hostPID": True}}
    assert client.create(bad).ok
    waiver = (
        f"{{control: pod_security.running_comply, subject: Pod/{shop}/bad, reason: r, owner: ops, expires: {expires}}}"
    )
    policy = POLICY.replace("cluster:\n", f"waivers: [{waiver}]\ncluster:\n  pod_security: {{on_violation: proceed}}\n")
    run = play(HARDEN, admin, tmp_path, policy=policy)
    assert run.status == status, run.output
    assert run.statuses("pod_security.running_comply") - {"pass"} == waived
    assert run.statuses("policy.waivers") == ({"pass"} if status == 0 else {"fail"})
    if status:
        assert "expired on 2020-01-01 (owner ops)" in run.output


def test_check_mode_where_nothing_exists_yet(client: Client, admin: Path, tmp_path: Path) -> None:
    remove_namespace(client, SHOP)
    without_flows = "".join(
        line for line in POLICY.splitlines(keepends=True) if "allow" not in line and "from" not in line
    )
    policy = without_flows.replace(f"  {SHOP}:\n", f"  {SHOP}:\n    create: true\n")
    run = play(HARDEN, admin, tmp_path, "--check", "--diff", policy=policy)
    assert run.status == 0, run.output
    assert run.changed == 3
    assert client.get(NAMESPACE, SHOP) is None
    assert run.report is not None
    assert run.report["errors"] == []
    assert run.report["verdict"]["would"]["success"] is True, run.output


def test_a_missing_namespace_is_a_failure_with_the_name_that_was_meant(admin: Path, shop: str, tmp_path: Path) -> None:
    run = play(HARDEN, admin, tmp_path, policy=POLICY.replace(SHOP, "policy-test-shpo"))
    assert run.status == 2
    assert run.statuses("policy.namespaces") == {"fail"}
    assert f"did you mean {shop}?" in run.output


@pytest.mark.usefixtures("shop")
def test_a_part_of_the_policy_that_reaches_nothing_is_a_failure(admin: Path, tmp_path: Path) -> None:
    policy = (
        f"policy_version: 1\nname: policy-test\nnamespaces: {{{SHOP}: {{pod_security: {{enforce: restricted}}}}}}\n"
        'defaults: {exempt: ["*"], network: {default_deny: [ingress]}}\n'
    )
    run = play(HARDEN, admin, tmp_path, policy=policy)
    assert run.status == 2, run.output
    assert run.statuses("pod_security.enforced") == {"pass"}
    assert run.report is not None
    assert [error.partition(":")[0] for error in run.report["errors"]] == ["network_policies"]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_a_role_that_fails_does_not_hide_what_the_other_saw(
    admin: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    policy = POLICY.replace("{probe: {", "{probe: {namespaces: [policy-test-absent], ")
    run = play(HARDEN, admin, tmp_path, *arguments, policy=policy)
    assert run.status == 2
    assert run.statuses("pod_security.enforced") == {"fail" if arguments else "pass"}
    assert run.report is not None
    (error,) = run.report["errors"]
    assert error.startswith("network_policies: ")
    assert "policy-test-absent" in error
    assert "verdict: FAILURE, 1 part of the run failed" in run.output
