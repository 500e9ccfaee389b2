# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which bindings give access without being declared, and which are the cluster's own."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._undeclared import (
    Bindings,
    undeclared_findings,
)

EVERYTHING = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
NO_NAMESPACES = {
    "rules": [
        {"nonResourceURLs": ["/version"], "verbs": ["get"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]},
    ]
}
ROLES = {"cluster-admin": EVERYTHING, "system:basic-user": NO_NAMESPACES}


def binding(
    name: str, kind: str, subject: str, role: str = "cluster-admin", namespace: str = "", sa_namespace: str = "x"
) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    who = {"kind": kind, "name": subject, **({"namespace": sa_namespace} if kind == "ServiceAccount" else {})}
    return {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, **place, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": [who],
    }


def failing(served: Served, said: list[Any], of_cluster: Any = (), of_shop: Any = ()) -> list[str]:
    bindings = Bindings({"shop": list(of_shop)}, list(of_cluster), ROLES, {})
    return [each.subject for each in undeclared_findings(said, bindings, served, "policy") if each.status == "fail"]


@pytest.mark.parametrize(
    ("kind", "name", "own"),
    [
        ("Group", "system:masters", True),
        ("Group", "system:nodes", True),
        ("User", "system:kube-scheduler", True),
        ("Group", "kubeadm:cluster-admins", True),
        ("User", "system:serviceaccount:kube-system:coredns", True),
        ("User", "system:serviceaccount:shop:bot", False),
        ("Group", "system:authenticated", False),
        ("Group", "system:serviceaccounts:kube-system", False),
        ("User", "system:anonymous", False),
        ("User", "jane", False),
    ],
)
def test_the_clusters_own_components_are_told_by_their_names_alone(
    served: Served, kind: str, name: str, own: bool
) -> None:
    shop = parse_settings({}, "shop")
    expected = [] if own else ["ClusterRoleBinding/kubeadm:x"]
    assert failing(served, [shop], [binding("kubeadm:x", kind, name)]) == expected


def test_a_service_account_of_a_component_is_its_own(served: Served) -> None:
    shop = parse_settings({}, "shop")
    own = binding("a", "ServiceAccount", "coredns", sa_namespace="kube-system")
    other = binding("b", "ServiceAccount", "argocd", sa_namespace="argocd")
    assert failing(served, [shop], [own, other]) == ["ClusterRoleBinding/b"]


def test_what_gives_nothing_in_namespaces_is_no_concern(served: Served) -> None:
    everybody = binding("system:basic-user", "Group", "system:authenticated", "system:basic-user")
    assert failing(served, [parse_settings({}, "shop")], [everybody]) == []


@pytest.mark.parametrize(
    ("group", "resource", "verbs", "names", "leads_in"),
    [
        ("", "users", ["impersonate"], [], True),
        ("", "nodes/proxy", ["get"], [], True),
        ("", "nodes", ["get", "list"], [], False),
        ("", "namespaces", ["get", "list", "watch"], [], False),
        ("", "namespaces", ["*"], [], True),
        ("rbac.authorization.k8s.io", "clusterroles", ["get", "list"], [], False),
        ("rbac.authorization.k8s.io", "clusterroles", ["bind"], [], True),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings", ["create"], [], True),
        ("certificates.k8s.io", "signers", ["approve"], ["kubernetes.io/kubelet-serving"], False),
        ("certificates.k8s.io", "signers", ["approve"], ["kubernetes.io/kube-apiserver-client"], True),
    ],
)
def test_what_leads_into_all_namespaces_from_outside_is_told(
    served: Served, group: str, resource: str, verbs: list[str], names: list[str], leads_in: bool
) -> None:
    rule = {"apiGroups": [group], "resources": [resource], "verbs": verbs, "resourceNames": names}
    bindings = Bindings({"shop": []}, [binding("b", "User", "mallory", "far")], {"far": {"rules": [rule]}}, {})
    findings = undeclared_findings([parse_settings({}, "shop")], bindings, served, "policy")
    failing = [each.subject for each in findings if each.status == "fail"]
    assert failing == (["ClusterRoleBinding/b"] if leads_in else [])


def test_a_foreign_binding_in_the_namespace_is_named(served: Served) -> None:
    foreign = binding("temporary-admin", "User", "bob", namespace="shop")
    shop = parse_settings({"remove": [{"role_binding": "temporary-admin"}]}, "shop")
    bindings = Bindings({"shop": [foreign]}, [], ROLES, {})
    findings = undeclared_findings([shop], bindings, served, "policy", going={"RoleBinding/shop/temporary-admin"})
    (bad,) = (each for each in findings if each.status == "fail")
    assert bad.subject == "RoleBinding/shop/temporary-admin"
    assert "User bob the ClusterRole cluster-admin" in bad.evidence
    assert "remove: [{role_binding: temporary-admin}]" in bad.remedy
    assert bad.would == "pass"


def test_what_is_declared_or_kept_passes_whoever_made_it(served: Served) -> None:
    foreign = [binding("a", "User", "jane", "edit", "shop"), binding("legacy-1", "User", "bob", "edit", "shop")]
    said = {"grant": [{"cluster_role": "edit", "to": [{"user": "jane"}]}], "keep": [{"role_binding": "legacy-*"}]}
    assert failing(served, [parse_settings(said, "shop")], of_shop=foreign) == []


def test_a_subject_that_was_added_to_our_own_binding_is_told(served: Served) -> None:
    said = parse_settings({"grant": [{"cluster_role": "edit", "to": [{"user": "jane"}]}]}, "shop")
    (ours,) = objects(said, "policy")
    assert failing(served, [said], of_shop=[ours]) == []
    tampered = {**ours, "subjects": [*ours["subjects"], {"kind": "User", "name": "mallory"}]}
    assert failing(served, [said], of_shop=[tampered]) == [f"RoleBinding/shop/{ours['metadata']['name']}"]


def test_bindings_that_may_not_be_read_are_unknown(served: Served) -> None:
    bindings = Bindings({}, [], ROLES, {"shop": "no permission", "": "no permission"})
    findings = undeclared_findings([parse_settings({}, "shop")], bindings, served, "policy")
    assert {(each.status, each.proof) for each in findings} == {("unknown", "none")}


def test_where_roles_are_not_seen_every_foreign_binding_counts(served: Served) -> None:
    bindings = Bindings({"shop": []}, [binding("b", "User", "jane", "anything")], {}, {})
    findings = undeclared_findings([parse_settings({}, "shop")], bindings, served, "policy")
    assert [each.subject for each in findings if each.status == "fail"] == ["ClusterRoleBinding/b"]
