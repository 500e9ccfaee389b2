# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs are recorded and put back: to the last byte, to their former owners, and never over what others did since."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._yaml import load_yaml

from tests.integration.plays import CHECKOUT, Result, run_task, wait_until_known, write_kubeconfig
from tests.integration.test_harden_cluster import ANSIBLE, HARDEN, REMOVE, Run, play

REVERT, COMPARE = "hardening.kubernetes.revert_cluster", "hardening.kubernetes.compare_runs"
RBAC, NETWORKING = "rbac.authorization.k8s.io", "networking.k8s.io"
NAMESPACE, CONFIG_MAP = KNOWN["v1", "Namespace"], KNOWN["v1", "ConfigMap"]
POLICY_KIND = KNOWN[f"{NETWORKING}/v1", "NetworkPolicy"]
KINDS = (
    POLICY_KIND,
    KNOWN["v1", "LimitRange"],
    KNOWN["v1", "ResourceQuota"],
    KNOWN[f"{RBAC}/v1", "Role"],
    KNOWN[f"{RBAC}/v1", "RoleBinding"],
)
RECORDS = "hardening-kubernetes"
ENFORCE = "pod-security.kubernetes.io/enforce"
SERVERS_OWN = ("uid", "resourceVersion", "creationTimestamp", "generation")

Object = dict[str, Any]


@dataclass
class World:
    """A namespace that somebody works in, the files of whoever hardens it, and playbooks run as users run them."""

    client: Client
    kubeconfig: Path
    folder: Path
    name: str = field(default_factory=lambda: f"revert-{uuid.uuid4().hex[:8]}")

    @property
    def records(self) -> list[Path]:
        """The files of the records, oldest first."""
        return sorted(self.folder.glob("hardening-runs/*.jsonl"), key=lambda each: each.stat().st_mtime_ns)

    def policy(self, **changed: Any) -> str:
        """A policy with all roles for the namespace; ``changed`` are its parts that are otherwise."""
        said = {
            "pod_security": {"enforce": "restricted", "warn": "restricted"},
            "network": {
                "default_deny": ["ingress", "egress"],
                "accept_risks": ["dns"],
                "allow": [{"from": {"app": "a"}, "to": {}}],
            },
            "access": {
                "grant": [
                    {
                        "role": "reader",
                        "rules": [{"resources": ["pods"], "verbs": ["get"]}],
                        "to": [{"user": "jane"}],
                    }
                ],
                "remove": [{"role_binding": "temporary-admin"}],
            },
            "resources": {"quota": {"pods": 20}, "limits": {"container": {"default": {"cpu": "500m"}}}},
            **changed,
        }
        policy = {
            "policy_version": 1,
            "name": self.name,
            "namespaces": {self.name: {key: value for key, value in said.items() if value is not None}},
            "accept_unknown": ["network.default_deny", "network.flows"] if said["network"] else [],
            "cluster": {"access": {"keep": [{"cluster_role_binding": "*"}]}},
        }
        return json.dumps(policy)

    def harden(self, *arguments: str, **changed: Any) -> Run:
        return self.play(HARDEN, "-e", "probe=false", *arguments, policy=self.policy(**changed))

    def play(self, playbook: str, *arguments: str, policy: str | None = None) -> Run:
        return play(playbook, self.kubeconfig, self.folder, *arguments, policy=policy)

    def run(self, action: str, check: bool = False, **arguments: Any) -> Result:
        where = {"records": str(self.folder / "hardening-runs")} if action in ("revert", "runs_info") else {}
        return run_task(self.kubeconfig, action, check, {**where, **arguments})

    def state(self) -> dict[str, Object]:
        """Everything that the roles write, whose it is, and since when; of a quota not what the server counts in it."""
        found = [
            self.client.get(NAMESPACE, self.name),
            *(each for kind in KINDS for each in self.client.list(kind, self.name)),
        ]
        return {f"{each['kind']}/{each['metadata']['name']}": _as_told(each) for each in found if each}

    def get(self, resource: Any, name: str) -> Object | None:
        return self.client.get(resource, name, self.name if resource.namespaced else "")

    def apply(self, obj: Object, manager: str = "gitops", force: bool = False) -> Object:
        answer = self.client.apply(obj, manager=manager, force=force)
        assert answer.ok, answer.message
        return answer.object

    def obj(self, version: str, kind: str, name: str, **content: Any) -> Object:
        place = {} if kind == "Namespace" else {"namespace": self.name}
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **place}, **content}

    def recorded(self) -> list[Object]:
        """The ConfigMaps of the runs of this policy."""
        names = {file.stem for file in self.records}
        label = "hardening.kubernetes/run"
        found = self.client.list(CONFIG_MAP, RECORDS, label_selector=label)
        return [each for each in found if each["metadata"]["labels"][label] in names]


def _as_told(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVERS_OWN}
    metadata["managedFields"] = sorted(
        (each for each in metadata["managedFields"] if not each.get("subresource")),
        key=lambda each: json.dumps(each, sort_keys=True),
    )
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


@pytest.fixture
def world(client: Client, kubeconfig: Path, tmp_path: Path) -> Iterator[World]:
    """Somebody's namespace: labelled, with a binding that is to go, and a policy that looks just like ours."""
    made = World(client, kubeconfig, tmp_path)
    namespace = made.obj("v1", "Namespace", made.name)
    assert client.create(
        {**namespace, "metadata": {"name": made.name, "labels": {"team": "web"}}}, manager="kubectl"
    ).ok
    made.apply({**namespace, "metadata": {"name": made.name, "labels": {ENFORCE: "baseline"}}})
    while not client.get(KNOWN["v1", "ServiceAccount"], "default", made.name):
        time.sleep(0.05)
    deny = made.obj(f"{NETWORKING}/v1", "NetworkPolicy", "hardening-default-deny")
    made.apply({**deny, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})
    binding = made.obj(f"{RBAC}/v1", "RoleBinding", "temporary-admin")
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    made.apply({**binding, "roleRef": role, "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "mallory"}]})
    yield made
    for each in made.recorded():
        client.delete(CONFIG_MAP, each["metadata"]["name"], RECORDS)
    client.delete(NAMESPACE, made.name)


def test_one_run_is_put_back_to_the_last_byte_and_to_its_former_owners(world: World) -> None:
    before = world.state()
    hardened = world.harden("-e", "force_conflicts=true")
    assert hardened.status == 0, hardened.output
    after = world.state()
    assert "RoleBinding/temporary-admin" not in after, after.keys()
    assert after["NetworkPolicy/hardening-default-deny"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert {"Role/reader", "LimitRange/hardening-limits", "ResourceQuota/hardening-quota"} < after.keys()
    (file,) = world.records
    assert file.stat().st_mode & 0o077 == 0 and file.parent.stat().st_mode & 0o077 == 0
    (kept,) = world.recorded()
    assert kept["metadata"]["labels"]["hardening.kubernetes/record"] == "run"
    assert kept["data"]["policy"] == world.name and kept["data"]["user"] and kept["data"]["time"]

    previewed = world.play(REVERT, "-e", f"run={file.stem}", "--check", "--diff")
    assert previewed.status == 0, previewed.output
    assert world.state() == after and world.records == [file]
    reverted = world.play(REVERT, "-e", f"run={file.stem}")
    assert reverted.status == 0, reverted.output
    assert world.state() == before
    for run in (previewed, reverted):
        assert f"pod_security.enforced Namespace/{world.name}: enforce restricted → enforce baseline" in run.output
        assert f"access.undeclared RoleBinding/{world.name}/temporary-admin: User mallory is not bound" in run.output
        assert f"resources.quota Namespace/{world.name}: pods 20 → pods without limit" in run.output
    assert "Whoever runs harden_cluster with the same policy again" in reverted.output


DENIED = {"default_deny": ["ingress"], "accept_risks": ["dns"]}
OPEN = {**DENIED, "allow": [{"from": {"app": "a"}, "to": {"app": "b"}}]}


def written(world: World, record: str, **settings: Any) -> None:
    """What three of the roles write, as one run."""
    said: dict[str, Any] = {
        "pod_security": {"enforce": "baseline", "version": "v1.35"},
        "network_policies": DENIED,
        "resource_limits": {"quota": {"pods": 20}},
        **settings,
    }
    for action, settled in said.items():
        if settled is not None:
            told = world.run(
                action,
                namespaces={world.name: settled},
                set=world.name,
                force_conflicts=True,
                record=str(world.folder / f"hardening-runs/{record}.jsonl"),
            )
            assert not told["failed"], told


def test_two_runs_are_put_back_one_after_the_other_and_a_revert_is_a_run_itself(world: World) -> None:
    before = world.state()
    first, second = f"{world.name}-one", f"{world.name}-two"
    written(world, first)
    one = world.state()
    written(world, second, network_policies=OPEN, resource_limits={"quota": {"pods": 5, "services": 1}})
    two = world.state()
    unchanged = [file.name for file in world.records]
    written(world, f"{world.name}-three", network_policies=OPEN, resource_limits={"quota": {"pods": 5, "services": 1}})
    assert [file.name for file in world.records] == unchanged == [f"{first}.jsonl", f"{second}.jsonl"]

    early = world.run("revert", check=True, run=first)
    assert early["failed"] and f"It was changed by the run {second} since: revert that one first." in early["msg"]
    assert world.state() == two
    told = {each["run"]: each["reverted_by"] for each in world.run("runs_info")["runs"]}
    assert (told[first], told[second]) == ("", "")

    back = world.run("revert", run=second)
    assert not back["failed"] and back["reverted"] == second, back
    assert world.state() == one
    again = world.run("revert", run=second)
    assert not again["failed"] and not again["changed"] and not again["run"]
    assert not world.run("revert", run=first)["failed"]
    assert world.state() == before

    listed = {each["run"]: each for each in world.run("runs_info")["runs"]}
    assert listed[second]["reverted_by"] == back["run"] and listed[back["run"]]["reverts"] == second
    forth = world.run("revert", run=listed[first]["reverted_by"])
    assert not forth["failed"], forth
    assert world.state() == one


def test_what_somebody_changed_since_is_theirs_and_all_else_goes_back(world: World) -> None:
    before = world.state()
    written(world, f"{world.name}-theirs", network_policies=OPEN)
    quota = world.obj("v1", "ResourceQuota", "hardening-quota", spec={"hard": {"pods": "30"}})
    world.apply(quota, manager="capacity", force=True)
    namespace = world.obj("v1", "Namespace", world.name)
    world.apply({**namespace, "metadata": {"name": world.name, "annotations": {"team": "web"}}}, manager="team")
    previewed = world.run("revert", check=True, run=f"{world.name}-theirs")
    reverted = world.run("revert", run=f"{world.name}-theirs")
    for told in (previewed, reverted):
        assert told["failed"] and "spec.hard.pods changed since, by the field manager capacity at 20" in told["msg"]
        assert {each["name"] for each in told["objects"] if each["action"] == "failed"} == {"hardening-quota"}
    state = world.state()
    assert state.pop("ResourceQuota/hardening-quota")["spec"]["hard"]["pods"] == "30"
    labelled = state.pop(f"Namespace/{world.name}")["metadata"]
    assert labelled["annotations"] == {"team": "web"} and labelled["labels"][ENFORCE] == "baseline"
    owned = {each["manager"]: each["fieldsV1"] for each in labelled["managedFields"]}
    was = before.pop(f"Namespace/{world.name}")["metadata"]["managedFields"]
    assert owned.pop("team") and owned == {each["manager"]: each["fieldsV1"] for each in was}
    assert state == before
    (one,) = [each for each in world.run("runs_info")["runs"] if each["run"] == f"{world.name}-theirs"]
    assert one["reverted_by"] == ""

    (deny,) = world.client.list(POLICY_KIND, world.name)
    assert world.client.delete(POLICY_KIND, deny["metadata"]["name"], world.name).ok
    gone = world.run("revert", run=f"{world.name}-theirs")
    assert "NetworkPolicy" in gone["msg"] and "deleted since" in gone["msg"]


def test_a_run_of_which_only_the_intents_are_known_is_put_back_by_what_the_objects_show(world: World) -> None:
    before = world.state()
    hardened = world.harden("-e", "force_conflicts=true")
    assert hardened.status == 0, hardened.output
    (file,) = world.records
    for each in world.recorded():
        world.client.delete(CONFIG_MAP, each["metadata"]["name"], RECORDS)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(line for line in lines if '"outcome"' not in line[:12]) + '\n{"outc', encoding="utf-8")
    reverted = world.run("revert", record=str(file))
    assert not reverted["failed"], reverted
    assert world.state() == before


@pytest.mark.parametrize("lines", [3, 14, 22])
def test_a_killed_run_is_put_back_as_far_as_it_came(world: World, lines: int) -> None:
    before = world.state()
    (world.folder / "cluster-policy.yml").write_text(world.policy(), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "KUBECONFIG": str(world.kubeconfig)}
    options = ["-e", "probe=false", "-e", "force_conflicts=true"]
    process = subprocess.Popen(
        [str(ANSIBLE / "ansible-playbook"), HARDEN, *options],
        cwd=world.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and _lines(world) < lines:
        time.sleep(0.001)
    kill(process)
    settle(world)
    (file,) = world.records
    reverted = world.run("revert", run=file.stem)
    assert not reverted["failed"], reverted
    assert world.state() == before


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ansible and its worker, which is in a session of its own and would end its task."""
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    for pid in (process.pid, *map(int, workers)):
        os.kill(pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was over before it could be killed"


def settle(world: World) -> None:
    """Wait for what was under way to the server when the run was killed."""
    deadline = time.monotonic() + 60
    before: dict[str, Object] = {}
    while (now := world.state()) != before:
        assert time.monotonic() < deadline, "somebody still writes"
        before = now
        time.sleep(1)


def _lines(world: World) -> int:
    return sum(file.read_bytes().count(b"\n") for file in world.records)


def test_who_holds_exactly_the_shipped_roles_records_and_reverts(world: World, admin_of: Callable[..., Path]) -> None:
    before = world.state()
    world.kubeconfig = admin_of("hardening-enforce", "hardening-records")
    hardened = world.harden("-e", "force_conflicts=true")
    assert hardened.status == 0, hardened.output
    (kept,) = world.recorded()
    assert kept["data"]["user"] == f"system:serviceaccount:{world.name}:runner"
    reverted = world.play(REVERT, "-e", f"run={kept['metadata']['name']}")
    assert reverted.status == 0, reverted.output
    assert world.state() == before


def test_without_permission_for_records_the_file_is_enough_and_it_is_said(
    world: World, admin_of: Callable[..., Path]
) -> None:
    before = world.state()
    world.kubeconfig = admin_of("hardening-enforce")
    hardened = world.harden("-e", "force_conflicts=true", access=None, resources=None, network=None)
    assert hardened.status == 0 and hardened.report, hardened.output
    said = " ".join(hardened.output.split())
    assert "configmaps in the namespace hardening-kubernetes [hardening-records]" in said
    assert "the run is not recorded in the cluster, and can be put back by its file alone" in said
    assert not world.recorded()
    (file,) = world.records
    reverted = world.play(REVERT, "-e", f"record=hardening-runs/{file.name}")
    assert reverted.status == 0, reverted.output
    assert world.state() == before

    nowhere = world.run(
        "pod_security",
        namespaces={world.name: {"enforce": "restricted"}},
        force_conflicts=True,
        record="/proc/nowhere/run-nowhere.jsonl",
    )
    assert nowhere["failed"] and "could be recorded nowhere" in nowhere["msg"], nowhere
    assert world.state() == before


@pytest.fixture
def admin_of(world: World, server: dict[str, str]) -> Iterator[Callable[..., Path]]:
    """Makes a user who holds just these of the shipped roles, and returns its kubeconfig."""
    shipped = load_yaml((CHECKOUT / "playbooks/files/cluster_roles.yml").read_text())["items"]
    made: list[Object] = []

    def make(*roles: str) -> Path:
        subject = {"kind": "ServiceAccount", "name": "runner", "namespace": world.name}
        account = world.obj("v1", "ServiceAccount", "runner")
        if not world.client.get(NAMESPACE, RECORDS):
            assert world.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": RECORDS}}).ok
        assert world.client.create(account).ok
        for each in shipped:
            if each["metadata"]["name"] not in roles:
                continue
            place = {key: value for key, value in each["metadata"].items() if key == "namespace"}
            metadata = {"name": f"{world.name}-{each['metadata']['name']}", **place}
            ref = {"apiGroup": RBAC, "kind": each["kind"], "name": metadata["name"]}
            binding = {"apiVersion": f"{RBAC}/v1", "kind": f"{each['kind']}Binding", "metadata": metadata}
            made.extend(({**each, "metadata": metadata}, {**binding, "roleRef": ref, "subjects": [subject]}))
        for each in made:
            assert (answer := world.client.create(each)).ok, answer.message
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = KNOWN["v1", "ServiceAccount"].path(world.name, "runner", "token")
        token = world.client.request("POST", path, body=request).object["status"]["token"]
        kubeconfig = write_kubeconfig(world.folder / "runner.kubeconfig", server, {"token": token})
        rights = [Question("bind", RBAC, "clusterroles")]
        rights += [Question("delete", "", "configmaps", RECORDS)] if "hardening-records" in roles else []
        wait_until_known(kubeconfig, rights)
        return kubeconfig

    yield make
    for each in made:
        metadata = each["metadata"]
        world.client.delete(KNOWN[each["apiVersion"], each["kind"]], metadata["name"], metadata.get("namespace", ""))


def test_two_runs_are_compared(world: World) -> None:
    first = world.harden("-e", "force_conflicts=true", access=None)
    second = world.harden("-e", "force_conflicts=true", access=None, pod_security=None)
    unchanged = world.harden("-e", "force_conflicts=true", access=None, pod_security=None)
    assert {each.status for each in (first, second, unchanged)} == {0}
    one, two = (file.stem for file in world.records)
    compared = world.play(COMPARE, "-e", f"from={one}", "-e", f"to={two}")
    assert compared.status == 0, compared.output
    assert f"pod_security.enforced Namespace/{world.name}: pass → not judged" in compared.output
    assert f"ResourceQuota/{world.name}/hardening-quota: created → not written" in compared.output
    mistyped = world.play(COMPARE, "-e", f"from={one[:-1]}", "-e", f"to={two}")
    assert mistyped.status == 2 and f"did you mean {one}?" in " ".join(mistyped.output.split())
    listed = world.play(COMPARE)
    assert listed.status == 0 and one in listed.output and two in listed.output


def test_what_remove_hardening_takes_away_comes_back(world: World) -> None:
    assert world.harden("-e", "force_conflicts=true").status == 0
    hardened = world.state()
    removed = world.play(REMOVE, policy=world.policy())
    assert removed.status == 0 and world.state() != hardened, removed.output
    _first, file = world.records
    reverted = world.run("revert", run=file.stem)
    assert not reverted["failed"], reverted
    assert world.state() == hardened


def test_no_value_of_a_secret_reaches_a_record_and_a_limit_is_kept(world: World) -> None:
    record, name = str(world.folder / f"hardening-runs/{world.name}-secret.jsonl"), f"{world.name}-secret"
    secret = world.obj("v1", "Secret", "keys", stringData={"key": "VerySecretValue"})
    config = world.obj("v1", "ConfigMap", "config", data={"a": "1"})
    assert not world.run("apply", definition=[secret, config], record=record)["failed"]
    secret["stringData"] = {"key": "AnotherSecretValue"}
    assert not world.run("apply", definition=[secret], record=record)["failed"]
    packed = [each["binaryData"]["record.jsonl.gz"] for each in world.recorded()]
    texts = [
        Path(record).read_text(encoding="utf-8"),
        *(gzip.decompress(base64.b64decode(each)).decode() for each in packed),
    ]
    assert packed and '"data":{"key":null}' in texts[0]
    for value in ("VerySecretValue", "AnotherSecretValue"):
        for told in (value, base64.b64encode(value.encode()).decode()):
            assert not [text for text in texts if told in text]

    elsewhere = world.run("revert", run=name, only=["nobody-*"])
    assert not elsewhere["failed"] and elsewhere["objects"] == []
    reverted = world.run("revert", run=name)
    assert reverted["failed"] and "Secret" in reverted["msg"] and "values are never kept" in reverted["msg"]
    assert world.get(CONFIG_MAP, "config") is None
