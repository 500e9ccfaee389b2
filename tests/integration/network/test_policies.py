# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network policies on a real cluster: the probe, refusals, permissions, and the role as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import in_force
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._pair import Probe
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._probe import probe_all

from tests.integration.network.pods import (
    DENY,
    IMAGE,
    NAMESPACE,
    Cluster,
    Writes,
    actions,
    app,
    digest,
    finding,
    flow,
    probe_pods,
    probed,
)
from tests.integration.plays import CHECKOUT, Result


def test_an_image_that_cannot_be_had_is_unknown_and_named(empty: str, run: Callable[..., Result]) -> None:
    run("network_policies", namespaces={empty: DENY})
    seen = probed(run, empty, probe_image="hardening.invalid/none:1")
    assert seen["status"] == "unknown"
    assert "hardening.invalid/none:1" in seen["evidence"] and "ImagePull" in seen["evidence"]


def test_an_image_without_the_programs_is_unknown(empty: str, run: Callable[..., Result]) -> None:
    run("network_policies", namespaces={empty: DENY})
    seen = probed(run, empty, probe_image="registry.k8s.io/pause:3.10.2", probe_timeout=20)
    assert seen["status"] == "unknown" and '"sh"' in seen["evidence"]


def test_a_quota_that_refuses_the_probe_is_unknown_and_named(
    cluster: Cluster, empty: str, run: Callable[..., Result]
) -> None:
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "no-pods", "namespace": empty},
            "spec": {"hard": {"pods": "0"}},
        }
    )
    run("network_policies", namespaces={empty: DENY})
    seen = probed(run, empty)
    assert seen["status"] == "unknown"
    assert "refused the probe's server pod" in seen["evidence"] and "no-pods" in seen["evidence"]


def test_where_one_pair_fits_the_directions_are_tried_one_after_the_other(
    cluster: Cluster, empty: str, run: Callable[..., Result]
) -> None:
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few-pods", "namespace": empty},
            "spec": {"hard": {"pods": "2"}},
        }
    )
    run("network_policies", namespaces={empty: DENY})
    seen = probed(run, empty)
    assert seen["status"] == "pass", seen
    assert "without that for ingress" in seen["evidence"] and "without that for egress" in seen["evidence"]


def test_the_restricted_level_lets_the_probe_in(cluster: Cluster, run: Callable[..., Result]) -> None:
    name = cluster.namespace("restricted", **{"pod-security.kubernetes.io/enforce": "restricted"})
    run("network_policies", namespaces={name: DENY})
    assert probed(run, name)["status"] == "pass"


def test_what_a_probe_that_crashed_left_is_removed(cluster: Cluster, empty: str, run: Callable[..., Result]) -> None:
    label = {"hardening.kubernetes/probe": "dead"}
    container = {"name": "c", "image": IMAGE, "command": ["sleep", "600"]}
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "hardening-probe-dead-server", "namespace": empty, "labels": label},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "hardening-probe-dead-ingress", "namespace": empty, "labels": label},
            "spec": {
                "podSelector": {"matchLabels": label},
                "ingress": [{"from": [{"podSelector": {"matchLabels": label}}], "ports": [{"port": 20011}]}],
            },
        },
    )
    run("network_policies", namespaces={empty: DENY})
    assert probed(run, empty)["status"] == "pass"
    assert set(cluster.policies(empty)) == {"hardening-allow-dns", "hardening-default-deny"}
    cluster.until(lambda: not probe_pods(cluster, empty))


def test_a_deny_that_is_not_there_is_not_proved_by_the_probes_own_policies(cluster: Cluster, empty: str) -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    said = in_force({"metadata": {"name": "only-said", "namespace": empty}, "spec": spec})
    probe = Probe(empty, {"kubernetes.io/metadata.name": empty}, ("ingress",), (said,))
    verdict = probe_all(cluster.client, [probe], image=IMAGE, timeout=15)[empty]
    assert verdict.status == "fail" and "stayed open" in verdict.evidence


def test_the_probe_of_a_run_under_way_is_left_alone(cluster: Cluster, empty: str, run: Callable[..., Result]) -> None:
    spec = {"podSelector": {"matchLabels": {"hardening.kubernetes/probe": "other"}}}
    cluster.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {
                "name": "hardening-probe-other-ingress",
                "namespace": empty,
                "labels": {"hardening.kubernetes/probe": "other"},
                "annotations": {"hardening.kubernetes/probe-expires": str(int(time.time()) + 600)},
            },
            "spec": spec,
        }
    )
    run("network_policies", namespaces={empty: DENY})
    assert probed(run, empty)["status"] == "pass"
    assert "hardening-probe-other-ingress" in cluster.policies(empty)


def test_a_policy_of_another_engine_leaves_the_verdict_open(
    cluster: Cluster, empty: str, run: Callable[..., Result]
) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    cluster.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "ciliumnetworkpolicies.cilium.io"},
            "spec": {
                "group": "cilium.io",
                "scope": "Namespaced",
                "names": {
                    "plural": "ciliumnetworkpolicies",
                    "singular": "ciliumnetworkpolicy",
                    "kind": "CiliumNetworkPolicy",
                },
                "versions": [{"name": "v2", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
            },
        }
    )

    def served() -> bool:
        cluster.client.forget_kinds()
        return cluster.client.resource("cilium.io/v2", "CiliumNetworkPolicy") is not None

    cluster.until(served)
    theirs = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy"}
    metadata = {"name": "theirs", "namespace": empty}
    cluster.until(lambda: cluster.client.create({**theirs, "metadata": metadata, "spec": {}}).status in (201, 409))
    run("network_policies", namespaces={empty: DENY})
    seen = finding(run("network_policies_info", namespaces={empty: DENY}))
    assert seen["status"] == "unknown" and f"CiliumNetworkPolicy/{empty}/theirs" in seen["evidence"]


def test_what_the_set_left_elsewhere_and_what_another_set_has_is_told(
    cluster: Cluster, empty: str, run: Callable[..., Result]
) -> None:
    ours, other = f"left-{empty}", cluster.namespace("other")
    run("network_policies", namespaces={empty: DENY}, set=ours)
    left = run("network_policies_info", namespaces={other: DENY}, set=ours)
    told = finding(left, "policy.leftovers", f"Namespace/{empty}")
    assert told["status"] == "fail" and "hardening-default-deny" in told["evidence"]
    refused = run("network_policies", namespaces={empty: DENY}, set=f"second-{empty}")
    assert refused["failed"] and f"belongs to the set {ours}" in refused["msg"]
    gone = run("network_policies", namespaces={empty: DENY}, set=f"second-{empty}", state="absent")
    assert not gone["changed"] and "hardening-default-deny" in cluster.policies(empty)


def test_all_namespaces_are_probed_or_a_sample_speaks_for_the_others(
    cluster: Cluster, run: Callable[..., Result]
) -> None:
    names = sorted(cluster.namespace(f"many-{number}", team="many") for number in range(4))
    said = [{"selector": "team=many", **DENY}]
    assert not run("network_policies", selected=said)["failed"]
    seen = run("network_policies_info", selected=said, probe=True, probe_namespaces="all")
    ours = [each for each in seen["findings"] if each["control"] == "network.default_deny"]
    assert [each["subject"] for each in ours] == [f"Namespace/{name}" for name in names]
    assert {each["status"] for each in ours} == {"pass"}, ours
    assert all("tried from a pod" in each["evidence"] for each in ours)
    sampled = run("network_policies_info", selected=said, probe=True, probe_namespaces=1)
    told = {each["subject"]: each for each in sampled["findings"] if each["control"] == "network.default_deny"}
    assert {each["status"] for each in told.values()} == {"pass"}
    assert "tried from" in told[f"Namespace/{names[0]}"]["evidence"]
    assert (
        f"not probed itself; that the pod network enforces policies was tried in {names[0]}"
        in (told[f"Namespace/{names[1]}"]["evidence"])
    )


@pytest.mark.parametrize(
    ("chosen", "because"),
    [("some", "is not all"), (0, "is not all"), (["network-nowhere"], "no settings reach a namespace network-nowhere")],
)
def test_a_sample_that_means_nothing_is_refused(
    empty: str, run: Callable[..., Result], chosen: Any, because: str
) -> None:
    told = run("network_policies_info", namespaces={empty: DENY}, probe_namespaces=chosen)
    assert told["failed"] and because in told["msg"]


def test_without_a_probe_the_deny_is_unknown_and_nothing_is_written(empty: str, run: Callable[..., Result]) -> None:
    run("network_policies", namespaces={empty: DENY})
    with Writes() as written:
        seen = finding(run("network_policies_info", namespaces={empty: DENY}))
    assert (seen["status"], seen["proof"]) == ("unknown", "config")
    assert written == []


def test_check_mode_on_a_namespace_that_is_not_there_tells_what_to_expect(
    client: Client, run: Callable[..., Result]
) -> None:
    said = {"network-to-come": {**DENY, "create": True}}
    told = run("network_policies", namespaces=said, check=True)
    assert told["changed"] and not told["failed"]
    assert actions(told)["hardening-default-deny"] == "created"
    seen = finding(run("network_policies_info", namespaces=said, probe=True, check=True))
    assert (seen["status"], seen["would"]) == ("fail", "pass")
    assert client.get(NAMESPACE, "network-to-come") is None


def test_a_namespace_is_created_where_the_settings_say_so(cluster: Cluster, run: Callable[..., Result]) -> None:
    name = cluster.free_name("created")
    told = run("network_policies", namespaces={name: {**DENY, "create": True}})
    cluster.client.delete(NAMESPACE, name)
    assert not told["failed"] and actions(told)[name] == "created"
    assert actions(told)["hardening-default-deny"] == "created"


def test_a_namespace_that_is_misspelt_fails_and_the_others_are_done(empty: str, run: Callable[..., Result]) -> None:
    told = run("network_policies", namespaces={empty: DENY, f"{empty}y": DENY})
    assert told["failed"] and f"did you mean {empty}?" in told["msg"]
    assert actions(told)["hardening-default-deny"] == "created"
    check = run("network_policies", namespaces={f"{empty}y": DENY}, check=True)
    assert not check["failed"] and any("did you mean" in warning for warning in check["warnings"])


@pytest.mark.parametrize(
    ("options", "because"),
    [
        ({"namespaces": {"default": {"default_denny": ["ingress"]}}}, "did you mean default_deny"),
        ({"namespaces": {"default": {"default_deny": ["ingress"], "allow": [{"from": {}}]}}}, "to is missing"),
        ({"namespaces": {}, "set": "no/label"}, "cannot be a label"),
        ({"selected": [{"selector": "a=(b", "default_deny": ["ingress"]}]}, "is not a label selector"),
    ],
)
def test_bad_settings_fail_with_one_sentence(run: Callable[..., Result], options: dict[str, Any], because: str) -> None:
    told = run("network_policies", **options)
    assert told["failed"] and because in told["msg"]


def standing_behind(kind: str, cluster: Cluster, namespace: str) -> dict[str, Any] | None:
    """What makes a namespace's Service ``web`` something that others call."""
    service = {"namespace": namespace, "name": "web", "port": 8443}
    bundle = {"service": service}
    made: dict[str, Any] = {
        "webhook": {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": f"{namespace}.test"},
            "webhooks": [
                {
                    "name": "nothing.network.test",
                    "clientConfig": bundle,
                    "failurePolicy": "Ignore",
                    "sideEffects": "None",
                    "admissionReviewVersions": ["v1"],
                    "rules": [
                        {
                            "apiGroups": ["network.test"],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": ["nothings"],
                        }
                    ],
                }
            ],
        },
        "crd_conversion": {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.network.test"},
            "spec": {
                "group": "network.test",
                "scope": "Namespaced",
                "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
                "conversion": {
                    "strategy": "Webhook",
                    "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": bundle},
                },
                "versions": [
                    {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
                ],
            },
        },
        "ingress": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "i", "namespace": namespace},
            "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 8443}}}},
        },
    }
    return made.get(kind)


@pytest.mark.parametrize(
    ("risk", "allow_from"),
    [
        ("webhook", {"api_server": True}),
        ("crd_conversion", {"api_server": True}),
        ("ingress", {"namespace": "kube-system"}),
        ("load_balancer", {"any": True}),
        ("node_port", {"any": True}),
    ],
)
def test_a_deny_in_front_of_what_others_call_is_refused(
    cluster: Cluster, empty: str, run: Callable[..., Result], risk: str, allow_from: dict[str, Any]
) -> None:
    service_type = {"load_balancer": "LoadBalancer", "node_port": "NodePort"}.get(risk, "ClusterIP")
    cluster.service(empty, "web", 8443, type=service_type)
    behind = standing_behind(risk, cluster, empty)
    if behind:
        cluster.create(behind)
    told = run("network_policies", namespaces={empty: DENY})
    assert told["failed"] and f"accept_risks: [{risk}]" in told["msg"], told
    assert f"Service/{empty}/web" in finding(told)["evidence"] and "8443/TCP" in finding(told)["evidence"]
    assert cluster.policies(empty) == {}
    assert finding(run("network_policies_info", namespaces={empty: DENY}, probe=True))["status"] == "fail"
    check = run("network_policies", namespaces={empty: DENY}, check=True)
    assert not check["failed"] and finding(check)["would"] == "fail"

    accepted = run("network_policies", namespaces={empty: {**DENY, "accept_risks": [risk]}}, check=True)
    assert not accepted["findings"] and actions(accepted)["hardening-default-deny"] == "created"
    allowed = {**DENY, "allow": [flow(allow_from, app("web"), "8443/TCP")]}
    done = run("network_policies", namespaces={empty: allowed})
    assert not done["failed"] and actions(done)["hardening-default-deny"] == "created"


def test_a_deny_that_takes_dns_away_is_refused(empty: str, run: Callable[..., Result]) -> None:
    told = run("network_policies", namespaces={empty: {"default_deny": ["egress"]}})
    assert told["failed"] and "add dns: true" in told["msg"]
    taken = run("network_policies", namespaces={empty: {"default_deny": ["egress"], "accept_risks": ["dns"]}})
    assert not taken["failed"]


def test_defaults_never_reach_components_of_the_cluster(run: Callable[..., Result], empty: str) -> None:
    told = run("network_policies", default=DENY, exempt=["default", "shop", "neighbours", "pod-*"], check=True)
    reached = {each["namespace"] for each in told["objects"]}
    assert empty in reached
    assert not {name for name in reached if name.startswith("kube-") or name in ("default", "local-path-storage")}


def rules_of(role: str) -> list[dict[str, Any]]:
    shipped = yaml.safe_load((CHECKOUT / "playbooks/files/cluster_roles.yml").read_text())["items"]
    (rules,) = (each["rules"] for each in shipped if each["metadata"]["name"] == role)
    return list(rules)


def user(cluster: Cluster, rules: list[dict[str, Any]]) -> str:
    """A user with exactly these rules."""
    name = f"network-test-{digest(json.dumps(rules))}"
    api_group = "rbac.authorization.k8s.io"
    cluster.create(
        {"apiVersion": f"{api_group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{api_group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": api_group, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": api_group, "kind": "User", "name": name}],
        },
    )
    return name


def without(rules: list[dict[str, Any]], *resources: str) -> list[dict[str, Any]]:
    return [rule for rule in rules if not set(rule["resources"]) & set(resources)]


def test_the_shipped_role_for_enforcing_is_enough(cluster: Cluster, empty: str, run: Callable[..., Result]) -> None:
    who = user(cluster, rules_of("hardening-enforce"))
    told = run("network_policies", namespaces={empty: DENY}, impersonate_user=who)
    assert not told["failed"], told
    assert probed(run, empty, impersonate_user=who)["status"] == "pass"
    gone = run("network_policies", namespaces={empty: DENY}, impersonate_user=who, state="absent")
    assert not gone["failed"] and len(gone["objects"]) == 2


def test_the_shipped_role_for_auditing_looks_and_cannot_probe(
    cluster: Cluster, empty: str, run: Callable[..., Result]
) -> None:
    run("network_policies", namespaces={empty: DENY})
    who = user(cluster, rules_of("hardening-audit"))
    seen = run("network_policies_info", namespaces={empty: DENY}, impersonate_user=who)
    assert finding(seen)["status"] == "unknown" and finding(seen, "network.flows")["status"] == "pass"
    tried = probed(run, empty, impersonate_user=who)
    assert tried["status"] == "unknown"
    assert 'cannot create resource "pods"' in tried["evidence"]
    refused = run(
        "network_policies", namespaces={empty: {**DENY, "dns": False, "accept_risks": ["dns"]}}, impersonate_user=who
    )
    assert refused["failed"] and "networkpolicies" in refused["msg"]


@pytest.mark.parametrize(
    ("hidden", "risk"),
    [
        ("validatingwebhookconfigurations", "webhook"),
        ("apiservices", "aggregated_api"),
        ("customresourcedefinitions", "crd_conversion"),
        ("ingresses", "ingress"),
        ("services", "node_port"),
    ],
)
def test_what_may_not_be_read_refuses_by_its_permission(
    cluster: Cluster, empty: str, run: Callable[..., Result], hidden: str, risk: str
) -> None:
    who = user(cluster, without(rules_of("hardening-enforce"), hidden))
    told = run("network_policies", namespaces={empty: {**DENY, "accept_risks": ["dns"]}}, impersonate_user=who)
    assert told["failed"]
    assert f'cannot list resource "{hidden}"' in told["msg"] and f"accept_risks: [{risk}]" in told["msg"]


def test_policies_that_may_not_be_read_stop_the_task_and_are_unknown(
    cluster: Cluster, empty: str, run: Callable[..., Result]
) -> None:
    who = user(cluster, without(rules_of("hardening-enforce"), "networkpolicies"))
    told = run("network_policies", namespaces={empty: DENY}, impersonate_user=who)
    assert told["failed"] and 'cannot list resource "networkpolicies"' in told["msg"]
    seen = run("network_policies_info", namespaces={empty: DENY}, impersonate_user=who, probe=True)
    assert finding(seen)["status"] == "unknown"
    assert 'cannot list resource "networkpolicies"' in finding(seen)["evidence"]


def test_who_may_see_only_the_namespaces_that_are_named_is_served(
    cluster: Cluster, empty: str, run: Callable[..., Result]
) -> None:
    rules = without(rules_of("hardening-enforce"), "namespaces")
    who = user(cluster, [*rules, {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}])
    assert not run("network_policies", namespaces={empty: DENY}, impersonate_user=who)["failed"]
    told = run("network_policies", default=DENY, impersonate_user=who)
    assert told["failed"] and "namespaces" in told["msg"]


def play(kubeconfig: str, tmp_path: Path, tasks: list[dict[str, Any]], *options: str) -> tuple[int, str]:
    book = tmp_path / "play.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]))
    environment = {
        **os.environ,
        "KUBECONFIG": kubeconfig,
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".collections"),
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
    }
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(book), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout + done.stderr


def role(name: str, **variables: Any) -> dict[str, Any]:
    return {
        "ansible.builtin.include_role": {"name": f"hardening.kubernetes.{name}"},
        "vars": {f"{name}_{key}": value for key, value in variables.items()},
    }


def test_the_role_enforces_audits_and_removes(cluster: Cluster, empty: str, kubeconfig: str, tmp_path: Path) -> None:
    ours = {"namespaces": {empty: DENY}, "set": empty, "probe_image": IMAGE}
    shown = {"ansible.builtin.debug": {"var": "network_policies_findings"}}

    def include(*options: str, **more: Any) -> tuple[int, str]:
        return play(kubeconfig, tmp_path, [role("network_policies", **ours, **more), shown], *options)

    status, output = include(mode="audit", judge=False)
    assert status == 0 and '"status": "fail"' in output and cluster.policies(empty) == {}
    status, output = include("--check", "--diff")
    assert status == 0 and '"would": "pass"' in output and cluster.policies(empty) == {}
    status, output = include()
    assert status == 0 and '"status": "pass"' in output and "changed=1" in output, output
    status, output = include()
    assert status == 0 and "changed=0" in output, output
    status, output = include(mode="audit")
    assert status != 0 and "unknown network.default_deny" in output
    status, output = include(mode="audit", probe=True)
    assert status == 0 and "changed=0" in output, output
    status, output = include(state="absent")
    assert status == 0 and cluster.policies(empty) == {}, output
    status, output = include(state="absent")
    assert status == 0 and "changed=0" in output


def test_an_audit_in_check_mode_judges_what_is(cluster: Cluster, empty: str, kubeconfig: str, tmp_path: Path) -> None:
    audit = role("network_policies", namespaces={empty: DENY}, set=empty, mode="audit")
    status, output = play(kubeconfig, tmp_path, [audit], "--check")
    assert status != 0 and "fail network.default_deny" in output, output
    assert cluster.policies(empty) == {}


@pytest.mark.parametrize("name", ["network_policies", "pod_security"])
def test_an_audit_refuses_to_remove(kubeconfig: str, tmp_path: Path, name: str) -> None:
    status, output = play(kubeconfig, tmp_path, [role(name, state="absent", mode="audit")])
    assert status != 0 and "Set the mode to enforce" in output, output


def test_the_example_of_the_role_ends_green(cluster: Cluster, kubeconfig: str, tmp_path: Path) -> None:
    """As it stands in the README, in a namespace of its own that has the workloads it speaks of."""
    readme = (CHECKOUT / "roles/network_policies/README.md").read_text()
    (example,) = yaml.safe_load(readme.partition("```yaml\n")[2].partition("```")[0])
    (task,) = example["tasks"]
    told = task["vars"]["network_policies_namespaces"]
    (said,) = told.values()
    place = cluster.namespace("readme")
    task["vars"] |= {"network_policies_namespaces": {place: said}, "network_policies_set": place}
    for name in sorted({end["app"] for each in said["allow"] for end in (each["from"], each["to"])}):
        cluster.pod(place, name)
    status, output = play(kubeconfig, tmp_path, [task], "-e", f"network_policies_probe_image={IMAGE}")
    assert status == 0 and "changed=1" in output, output
    assert "hardening-default-deny" in cluster.policies(place)


def test_the_role_without_settings_judges_nothing_and_fails(kubeconfig: str, tmp_path: Path) -> None:
    status, output = play(kubeconfig, tmp_path, [role("network_policies", namespace={})])
    assert status != 0 and "No control was evaluated" in output


def test_the_role_goes_on_after_a_refusal_if_somebody_else_judges(
    cluster: Cluster, empty: str, kubeconfig: str, tmp_path: Path
) -> None:
    refused = {"namespaces": {empty: {"default_deny": ["egress"]}}}
    status, output = play(kubeconfig, tmp_path, [role("network_policies", **refused)])
    assert status != 0 and "add dns: true" in output
    shown = {"ansible.builtin.debug": {"msg": "{{ network_policies_findings | length }} finding"}}
    status, output = play(kubeconfig, tmp_path, [role("network_policies", **refused, judge=False), shown])
    assert status == 0 and "1 finding" in output, output
    assert cluster.policies(empty) == {}


def test_both_roles_on_one_namespace_leave_each_others_work_alone(
    cluster: Cluster, empty: str, kubeconfig: str, tmp_path: Path
) -> None:
    network = role("network_policies", namespaces={empty: DENY}, set=empty, probe_image=IMAGE)
    security = role("pod_security", namespaces={empty: {"enforce": "restricted"}})

    def level() -> Any:
        there = cluster.client.get(NAMESPACE, empty)
        assert there
        return there["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")

    for tasks in ([network, security], [security, network]):
        status, output = play(kubeconfig, tmp_path, tasks)
        assert status == 0, output
        assert level() == "restricted" and "hardening-default-deny" in cluster.policies(empty)
    gone = role("network_policies", namespaces={empty: DENY}, set=empty, state="absent")
    status, output = play(kubeconfig, tmp_path, [gone])
    assert status == 0 and level() == "restricted" and cluster.policies(empty) == {}, output
    status, output = play(kubeconfig, tmp_path, [network])
    gone = role("pod_security", namespaces={empty: {"enforce": "restricted"}}, state="absent")
    status, output = play(kubeconfig, tmp_path, [gone])
    assert status == 0 and level() is None and "hardening-default-deny" in cluster.policies(empty), output


@pytest.fixture(scope="module")
def plain_kubeconfig() -> Iterator[str]:
    """A cluster of its own whose pod network ignores NetworkPolicy."""
    name = "hardening-plain"
    testbed = [sys.executable, "-m", "tests.testbed"]
    made = subprocess.run(
        [*testbed, "up", "--cni", "plain", "--name", name], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    yield made.stdout.splitlines()[-1]
    subprocess.run([*testbed, "down", "--name", name], cwd=CHECKOUT, capture_output=True, check=True)


def test_a_pod_network_that_ignores_policies_fails_loudly(plain_kubeconfig: str, run: Callable[..., Result]) -> None:
    plain = Cluster(connect({"kubeconfig": plain_kubeconfig}), "plain")
    name = plain.namespace("shop")
    ours = {"namespaces": {name: DENY}, "kubeconfig": plain_kubeconfig}
    assert not run("network_policies", **ours)["failed"]
    seen = finding(run("network_policies_info", probe=True, probe_timeout=15, **ours))
    assert (seen["status"], seen["proof"]) == ("fail", "effect")
    assert f"NetworkPolicy/{name}/hardening-default-deny denies ingress" in seen["evidence"]
    assert "the pod network ignores NetworkPolicy" in seen["evidence"]
    plain.until(lambda: not probe_pods(plain, name))
