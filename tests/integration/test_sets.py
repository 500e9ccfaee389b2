# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a set on a real cluster: what it no longer names goes, and it never touches what another set has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import RISKS

from tests.integration.plays import CHECKOUT, Finding, Result, run_role, run_task

NAMESPACE = KNOWN["v1", "Namespace"]
NETWORK_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
NETWORK_GROUP = "networking.k8s.io"
SET, MARK, ORIGIN = (f"hardening.kubernetes/{name}" for name in ("set", "pod-security-set", "origin"))
DENY = "hardening-default-deny"
CLOSED: dict[str, Any] = {"default_deny": ["ingress"], "allow": [{"from": {"app": "a"}, "to": {"app": "b"}}]}
BASELINE = {"enforce": "baseline", "version": "v1.36"}
HARDEN, AUDIT, REMOVE = (
    f"hardening.kubernetes.{name}" for name in ("harden_cluster", "audit_cluster", "remove_hardening")
)


@dataclass
class World:
    """Namespaces of one test, a name that no other test has, and tasks run in this process."""

    client: Client
    kubeconfig: Path
    name: str = field(default_factory=lambda: f"sets-{uuid.uuid4().hex[:8]}")
    made: list[str] = field(default_factory=list)

    def namespace(self, suffix: str, **labels: str) -> str:
        full = self.planned(suffix)
        answer = self.client.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": full, "labels": labels}}
        )
        assert answer.ok, answer.message
        while not self.client.get(KNOWN["v1", "ServiceAccount"], "default", full):
            time.sleep(0.05)
        return full

    def planned(self, suffix: str) -> str:
        """The name of a namespace that somebody else makes."""
        self.made.append(f"{self.name}-{suffix}")
        return self.made[-1]

    def run(self, action: str, check: bool = False, **arguments: Any) -> Result:
        return run_task(self.kubeconfig, action, check, arguments)

    def policies(self, namespace: str) -> dict[str, dict[str, Any]]:
        return {each["metadata"]["name"]: each for each in self.client.list(NETWORK_POLICY, namespace)}

    def labels(self, namespace: str) -> dict[str, str]:
        found = self.client.get(NAMESPACE, namespace)
        assert found, f"{namespace} is not there any more"
        return {key: value for key, value in found["metadata"]["labels"].items() if "kubernetes.io/metadata" not in key}

    def versions(self) -> dict[str, str]:
        """The resource versions of everything that the tests are about: equal where nothing was written."""
        told = {}
        for name in self.made:
            found = self.client.get(NAMESPACE, name)
            told[name] = found["metadata"]["resourceVersion"] if found else ""
            told |= {f"{name}/{key}": each["metadata"]["resourceVersion"] for key, each in self.policies(name).items()}
        return told


@pytest.fixture
def world(client: Client, kubeconfig: Path) -> Iterator[World]:
    made = World(client, kubeconfig)
    yield made
    for name in made.made:
        client.delete(NAMESPACE, name)


def of_control(told: Result, control: str) -> dict[str, Finding]:
    return {each["subject"]: each for each in told["findings"] if each["control"] == control}


def deleted(told: Result) -> list[tuple[str, str]]:
    return [(each["namespace"], each["name"]) for each in told["objects"] if each["action"] == "deleted"]


def test_network_policies_of_a_namespace_that_is_no_longer_named_go_deny_first(world: World) -> None:
    kept, left = world.namespace("kept"), world.namespace("left")
    both = {"set": world.name, "namespaces": {kept: CLOSED, left: CLOSED}}
    told = world.run("network_policies", **both)
    assert told["summary"]["created"] == 4, told
    for policy in world.policies(left).values():
        assert policy["metadata"]["labels"][SET] == world.name
        assert policy["metadata"]["annotations"][ORIGIN] == "created"
    assert not world.run("network_policies", **both)["changed"]
    assert of_control(world.run("network_policies_info", **both), "policy.leftovers").keys() == {f"Set/{world.name}"}

    less = {"set": world.name, "namespaces": {kept: CLOSED}}
    before = world.versions()
    audited = of_control(world.run("network_policies_info", **less), "policy.leftovers")
    assert audited[f"Namespace/{left}"]["status"] == "fail" and DENY in audited[f"Namespace/{left}"]["evidence"]
    expected = of_control(world.run("network_policies_info", check=True, **less), "policy.leftovers")
    assert expected[f"Namespace/{left}"]["would"] == "pass"
    preview = world.run("network_policies", check=True, **less)
    assert world.versions() == before, "an audit and check mode write nothing"

    done = world.run("network_policies", **less)
    assert deleted(done) == deleted(preview) and deleted(done)[0] == (left, DENY) and len(deleted(done)) == 2
    assert not world.policies(left) and len(world.policies(kept)) == 2
    before = world.versions()
    assert not world.run("network_policies", **less)["changed"] and world.versions() == before
    assert of_control(world.run("network_policies_info", **less), "policy.leftovers")[f"Set/{world.name}"][
        "status"
    ] == ("pass")


def test_pod_security_labels_of_a_namespace_that_is_no_longer_named_go_and_the_namespace_stays(world: World) -> None:
    kept, left = world.namespace("kept"), world.namespace("left", team="x")
    both = {"set": world.name, "namespaces": {kept: BASELINE, left: BASELINE}}
    assert world.run("pod_security", **both)["summary"]["updated"] == 2
    assert world.labels(left)[MARK] == world.name and SET not in world.labels(left)
    assert not world.run("pod_security", **both)["changed"]

    less = {"set": world.name, "namespaces": {kept: BASELINE}}
    before = world.versions()
    audited = of_control(world.run("pod_security_info", **less), "policy.leftovers")
    assert audited[f"Namespace/{left}"]["status"] == "fail"
    assert "pod-security.kubernetes.io/enforce=baseline" in audited[f"Namespace/{left}"]["evidence"]
    preview = world.run("pod_security", check=True, **less)
    assert world.versions() == before
    assert {each["name"]: each["action"] for each in preview["objects"]} == {kept: "unchanged", left: "updated"}
    assert preview["diff"][0]["before"]["metadata"]["labels"][MARK] == world.name
    done = world.run("pod_security", **less)
    assert {each["name"]: each["action"] for each in done["objects"]} == {kept: "unchanged", left: "updated"}
    assert world.labels(left) == {"team": "x"} and world.labels(kept)[MARK] == world.name
    assert not world.run("pod_security", **less)["changed"]


def test_a_namespace_that_was_created_is_marked_and_never_deleted(world: World) -> None:
    kept, new, other = world.namespace("kept"), world.planned("new"), world.planned("other")
    created = {"create": True, **BASELINE}
    said = {"set": world.name, "namespaces": {kept: BASELINE, new: created}}
    preview = world.run("pod_security", check=True, **said)
    told = world.run("pod_security", **said)
    actions = [{each["name"]: each["action"] for each in result["objects"]} for result in (preview, told)]
    assert actions[0] == actions[1] == {kept: "updated", new: "created"}
    found = world.client.get(NAMESPACE, new)
    assert found and found["metadata"]["annotations"][ORIGIN] == "created" and world.labels(new)[SET] == world.name
    assert not world.run("pod_security", **said)["changed"]
    assert world.run("pod_security", set=world.name, namespaces={kept: BASELINE})["changed"]
    assert world.labels(new) == {SET: world.name}

    said = {"set": world.name, "namespaces": {other: {"create": True, **CLOSED}}}
    assert world.run("network_policies", **said)["summary"]["created"] == 3
    assert world.labels(other) == {SET: world.name}
    assert world.run("network_policies", set=world.name, state="absent")["summary"]["deleted"] == 2
    assert world.labels(other) == {SET: world.name}


def test_what_was_there_before_is_adopted_and_handed_back(world: World) -> None:
    place = world.namespace("adopted")
    theirs = {
        "apiVersion": f"{NETWORK_GROUP}/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": DENY, "namespace": place, "labels": {"team": "x"}},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    assert world.client.apply(theirs, manager="their-tool").ok
    before = world.policies(place)[DENY]["spec"]
    said = {"set": world.name, "namespaces": {place: CLOSED}}
    for _time in range(2):
        world.run("network_policies", **said)
        metadata = world.policies(place)[DENY]["metadata"]
        assert (metadata["labels"], metadata["annotations"][ORIGIN]) == ({"team": "x", SET: world.name}, "adopted")
    assert not world.run("network_policies", **said)["changed"]
    told = world.run("network_policies", set=world.name, state="absent")
    assert (told["summary"]["deleted"], told["summary"]["updated"]) == (1, 1)
    (left,) = world.policies(place).values()
    assert left["spec"] == before and left["metadata"]["labels"] == {"team": "x"}
    assert ORIGIN not in left["metadata"].get("annotations", {})
    assert {each["manager"] for each in left["metadata"]["managedFields"]} == {"their-tool"}
    assert not world.run("network_policies", set=world.name, state="absent")["changed"]


def test_two_sets_never_touch_each_others_objects(world: World) -> None:
    first, second = f"{world.name}-1", f"{world.name}-2"
    one, two = world.namespace("one"), world.namespace("two")
    for name, place in ((first, one), (second, two)):
        assert not world.run("network_policies", set=name, namespaces={place: CLOSED})["failed"]
        assert not world.run("pod_security", set=name, namespaces={place: BASELINE})["failed"]
    before = world.versions()
    for module, said, level in (
        ("network_policies", CLOSED, {}),
        ("pod_security", {"enforce": "privileged"}, {"force_conflicts": True}),
    ):
        for check in (True, False):
            told = world.run(module, check, set=second, namespaces={one: said, two: {}}, prune=False, **level)
            because = told["msg"] if not check else " ".join(each["evidence"] for each in told["findings"])
            assert told["failed"] is not check
            assert f"the set {first}, and this is the set {second}" in because, told
            assert f"remove the other first (state: absent, set: {first})" in because
    assert world.versions() == before
    assert world.run("network_policies", set=second, state="absent")["changed"]
    assert world.run("pod_security", set=second, state="absent")["changed"]
    assert len(world.policies(one)) == 2 and not world.policies(two)
    assert world.labels(one)[MARK] == first and world.labels(two) == {}
    assert not world.run("pod_security", set=second, namespaces={one: {}}, state="absent", prune=False)["changed"]
    assert not world.run("network_policies", set=second, namespaces={one: {}}, state="absent", prune=False)["changed"]
    assert world.labels(one)[MARK] == first and len(world.policies(one)) == 2


def test_who_names_no_set_prunes_nothing_elsewhere_and_shares_with_others(world: World) -> None:
    one, two = world.namespace("one"), world.namespace("two")
    for place in (one, two):
        assert not world.run("network_policies", namespaces={place: CLOSED})["failed"]
        assert not world.run("pod_security", namespaces={place: BASELINE})["failed"]
    assert len(world.policies(one)) == len(world.policies(two)) == 2
    assert world.labels(one)[MARK] == world.labels(two)[MARK] == "default"
    told = world.run("network_policies_info", namespaces={two: CLOSED})
    assert not of_control(told, "policy.leftovers")
    for module in ("network_policies", "pod_security"):
        assert not world.run(module, state="absent")["changed"]
        assert world.run(module, namespaces={one: {}}, state="absent")["changed"]
    assert not world.policies(one) and world.labels(one) == {}
    assert len(world.policies(two)) == 2 and world.labels(two)[MARK] == "default"
    refused = world.run("pod_security", set=world.name, namespaces={two: BASELINE})
    assert refused["failed"] and "belong to the set default" in refused["msg"]


def test_parts_of_one_set_are_said_by_several_tasks_that_do_not_prune(world: World) -> None:
    one, two = world.namespace("one"), world.namespace("two")
    for place in (one, two):
        said = {"set": world.name, "prune": False}
        assert not world.run("network_policies", namespaces={place: CLOSED}, **said)["failed"]
        assert not world.run("pod_security", namespaces={place: BASELINE}, **said)["failed"]
        assert not of_control(
            world.run("network_policies_info", namespaces={place: CLOSED}, **said), "policy.leftovers"
        )
    assert len(world.policies(one)) == 2 and world.labels(one)[MARK] == world.name
    for module in ("network_policies", "pod_security"):
        assert not world.run(module, set=world.name)["changed"], "no settings at all are no reason to prune"
        less = {"set": world.name, "namespaces": {one: {}}, "prune": False, "state": "absent"}
        assert world.run(module, **less)["changed"]
    assert not world.policies(one) and len(world.policies(two)) == 2 and world.labels(two)[MARK] == world.name


def test_a_limited_run_prunes_in_the_namespaces_that_it_means_alone(world: World) -> None:
    kept, one, two = (world.namespace(name) for name in ("kept", "one", "two"))
    everything = dict.fromkeys((kept, one, two), CLOSED)
    assert not world.run("network_policies", set=world.name, namespaces=everything)["failed"]
    assert not world.run("pod_security", set=world.name, namespaces=dict.fromkeys(everything, BASELINE))["failed"]
    for module, said in (("network_policies", CLOSED), ("pod_security", BASELINE)):
        assert world.run(module, set=world.name, namespaces={kept: said}, only=[one])["changed"]
    assert not world.policies(one) and world.labels(one) == {}
    assert len(world.policies(two)) == 2 and world.labels(two)[MARK] == world.name


def test_the_whole_of_a_set_goes_by_its_name_alone(world: World) -> None:
    places = [world.namespace(name) for name in ("one", "two", "three")]
    for place in places:
        assert not world.run("network_policies", set=world.name, namespaces={place: CLOSED}, prune=False)["failed"]
        assert not world.run("pod_security", set=world.name, namespaces={place: BASELINE}, prune=False)["failed"]
    before = world.versions()
    for module, action, count in (("network_policies", "deleted", 6), ("pod_security", "updated", 3)):
        preview = world.run(module, check=True, set=world.name, state="absent")
        assert preview["summary"][action] == count and world.versions() == before
    told = world.run("network_policies", set=world.name, state="absent")
    denies = [position for position, (_place, name) in enumerate(deleted(told)) if name == DENY]
    assert denies == [0, 1, 2], "what closes goes first"
    assert world.run("pod_security", set=world.name, state="absent")["summary"]["updated"] == 3
    assert not any(world.policies(place) or world.labels(place) for place in places)
    for module in ("network_policies", "pod_security"):
        assert not world.run(module, set=world.name, state="absent")["changed"]


@pytest.mark.parametrize("role", ["network_policies", "pod_security"])
def test_a_role_takes_its_set_away_without_settings(world: World, tmp_path: Path, role: str) -> None:
    place = world.namespace("role")
    said = {"network_policies": CLOSED, "pod_security": BASELINE}[role]
    assert not world.run(role, set=world.name, namespaces={place: said})["failed"]
    status, output, _findings = run_role(
        world.kubeconfig, tmp_path, role, False, {"set": world.name, "state": "absent"}
    )
    assert status == 0, output
    assert not world.policies(place) and world.labels(place) == {}


def test_who_may_not_list_the_whole_cluster_prunes_nothing_elsewhere_and_is_told(
    world: World, namespace: str, user: Callable[..., Path]
) -> None:
    left = world.namespace("left")
    for place in (namespace, left):
        assert not world.run("network_policies", set=world.name, namespaces={place: CLOSED}, prune=False)["failed"]
        assert not world.run("pod_security", set=world.name, namespaces={place: BASELINE}, prune=False)["failed"]
    everything = {"apiGroups": ["", "apps", "batch", NETWORK_GROUP], "resources": ["*"], "verbs": ["*"]}
    narrow = user(everything)
    run = World(world.client, narrow, name=world.name).run
    for module, what in (("network_policies", CLOSED), ("pod_security", BASELINE)):
        said = {"set": world.name, "namespaces": {namespace: {**what, "accept_risks": list(RISKS)}}}
        said = said if module == "network_policies" else {"set": world.name, "namespaces": {namespace: what}}
        told = run(module, **said)
        assert not told["changed"] and any(
            "cannot be" in warning and "cannot list" in warning for warning in told["warnings"]
        ), told
        (unknown,) = of_control(run(f"{module}_info", **said), "policy.leftovers").values()
        assert unknown["status"] == "unknown" and "cannot list" in unknown["evidence"]
        nobody = run(module, set=world.name, state="absent")
        assert nobody["failed"] and "no namespace is named" in nobody["msg"]
        gone = run(module, **said, state="absent")
        assert gone["changed"] and any("stay" in warning for warning in gone["warnings"]), gone
    assert not world.policies(namespace) and MARK not in world.labels(namespace)
    assert len(world.policies(left)) == 2 and world.labels(left)[MARK] == world.name


@dataclass(frozen=True)
class Play:
    """A finished playbook: exit status, what it printed, and its report where it wrote one."""

    status: int
    output: str
    report: dict[str, Any]

    @property
    def changed(self) -> int:
        return int(re.findall(r"changed=(\d+)", self.output)[-1])

    def leftovers(self) -> set[tuple[str, str]]:
        return {
            (each["subject"], each["status"])
            for each in self.report["findings"]
            if each["control"] == "policy.leftovers"
        }


def play(world: World, folder: Path, playbook: str, policy: str, *options: str) -> Play:
    (folder / "cluster-policy.yml").write_text(policy, encoding="utf-8")
    report = folder / "hardening-report.json"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), playbook, "-e", "probe=false", *options],
        cwd=folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "KUBECONFIG": str(world.kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    told = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    return Play(done.returncode, done.stdout, told)


def test_a_policy_file_that_says_less_takes_away_what_it_said_before(world: World, tmp_path: Path) -> None:
    one, two = world.planned("one"), world.planned("two")
    head = f"policy_version: 1\nname: {world.name}\n"
    unknowns = "accept_unknown: [network.default_deny, network.flows]\n"
    section = "    pod_security: {enforce: baseline}\n    network: {default_deny: [ingress]}\n"
    whole = f"{head}namespaces:\n  {one}:\n    create: true\n{section}  {two}:\n    create: true\n{section}"
    done = play(world, tmp_path, HARDEN, whole + "accept_unknown: [network.default_deny]\n")
    assert done.status == 0, done.output
    assert world.labels(two)[SET] == world.labels(two)[MARK] == world.name and DENY in world.policies(two)

    less = f"{head}namespaces:\n  {one}:\n    create: true\n    pod_security: {{enforce: baseline}}\n"
    before = world.versions()
    audit = play(world, tmp_path, AUDIT, less)
    assert audit.status == 2
    assert {(f"Namespace/{one}", "fail"), (f"Namespace/{two}", "fail")} <= audit.leftovers()
    preview = play(world, tmp_path, HARDEN, less, "--check", "--diff")
    assert preview.changed > 0 and f"NetworkPolicy/{two}/{DENY}" in preview.output and world.versions() == before
    done = play(world, tmp_path, HARDEN, less)
    assert done.status == 0, done.output
    assert not world.policies(one) and not world.policies(two)
    assert world.labels(two) == {} and world.labels(one)[SET] == world.labels(one)[MARK] == world.name
    again = play(world, tmp_path, HARDEN, less)
    assert (again.status, again.changed) == (0, 0), again.output

    world.run("network_policies", set=world.name, namespaces={two: CLOSED})
    nothing = f"{head}namespaces: {{{one}: {{create: true}}}}\n{unknowns}"
    gone = play(world, tmp_path, REMOVE, nothing)
    assert gone.status == 0, gone.output
    assert world.labels(one) == world.labels(two) == {} and not world.policies(two)


def test_two_policy_files_leave_each_others_work_alone(world: World, tmp_path: Path) -> None:
    one, two = world.namespace("one"), world.namespace("two")

    def policy(number: int, *places: str) -> str:
        said = "".join(
            f"  {place}:\n    pod_security: {{enforce: baseline}}\n    network: {{default_deny: [ingress]}}\n"
            for place in places
        )
        head = f"policy_version: 1\nname: {world.name}-{number}\nnamespaces:\n"
        return f"{head}{said}accept_unknown: [network.default_deny]\n"

    assert play(world, tmp_path, HARDEN, policy(1, one)).status == 0
    before = {key: version for key, version in world.versions().items() if key.startswith(one)}
    both = play(world, tmp_path, HARDEN, policy(2, one, two))
    assert both.status == 2 and before.items() <= world.versions().items()
    assert world.labels(two)[MARK] == f"{world.name}-2" and DENY in world.policies(two)
    refused = [each for each in both.report["findings"] if each["status"] == "fail"]
    assert {each["control"] for each in refused} == {"pod_security.enforced", "network.default_deny"}
    assert all(f"to the set {world.name}-1" in each["evidence"] for each in refused), refused
    assert play(world, tmp_path, REMOVE, policy(2, one, two)).status == 0
    assert world.labels(two) == {} and not world.policies(two)
    assert world.labels(one)[MARK] == f"{world.name}-1" and DENY in world.policies(one)
