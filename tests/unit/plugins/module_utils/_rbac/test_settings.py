# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy says of access, and what it cannot say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import objects, to_remove
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

PODS = {"resources": ["pods"], "verbs": ["get", "list"]}
JANE = {"user": "jane"}
RBAC = "rbac.authorization.k8s.io"


def test_a_role_with_rules_is_made_and_bound() -> None:
    said = {"grant": [{"role": "reader", "rules": [PODS], "to": [{"service_account": "bot"}, JANE]}]}
    role, binding = objects(parse_settings(said, "shop"), "policy")
    assert role == {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "reader", "namespace": "shop"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
    }
    assert binding["kind"] == "RoleBinding"
    assert binding["roleRef"] == {"apiGroup": RBAC, "kind": "Role", "name": "reader"}
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "bot", "namespace": "shop"},
        {"apiGroup": RBAC, "kind": "User", "name": "jane"},
    ]


def test_a_binding_has_another_name_for_another_role_or_set() -> None:
    def names(grant: dict[str, Any], set_name: str = "policy") -> set[str]:
        return {each["metadata"]["name"] for each in objects(parse_settings({"grant": [grant]}, "shop"), set_name)}

    one, two = names({"role": "view", "to": [JANE]}), names({"cluster_role": "view", "to": [JANE]})
    assert one != two
    assert one == names({"role": "view", "to": [{"group": "developers"}]})
    assert one != names({"role": "view", "to": [JANE]}, "other")


def test_grants_of_one_role_have_one_binding() -> None:
    said = {"grant": [{"cluster_role": "view", "to": [JANE]}, {"cluster_role": "view", "to": [JANE, {"group": "ops"}]}]}
    (binding,) = objects(parse_settings(said, "shop"), "policy")
    assert [each["name"] for each in binding["subjects"]] == ["ops", "jane"]


def test_a_binding_that_is_named_keeps_its_name_and_the_order_of_its_subjects() -> None:
    said = {
        "grant": [
            {"role": "reader", "binding": "old:readers", "rules": [PODS], "to": [JANE, {"group": "ops"}]},
            {"role": "reader", "binding": "more", "to": [{"user": "joe"}]},
            {"role": "reader", "to": [{"user": "joe"}]},
        ]
    }
    settings = parse_settings(said, "shop")
    role, *bindings = objects(settings, "policy")
    assert role["kind"] == "Role" and [each.rules is not None for each in settings.grants] == [True] * 3
    named = {each["metadata"]["name"]: [who["name"] for who in each["subjects"]] for each in bindings}
    (own,) = named.keys() - {"old:readers", "more"}
    assert named == {"old:readers": ["jane", "ops"], "more": ["joe"], own: ["joe"]}
    twice = {"grant": [{"role": "reader", "to": [JANE]}, {"cluster_role": "view", "binding": own, "to": [JANE]}]}
    with pytest.raises(HardeningError, match=f"Two grants in shop have the binding {own}"):
        objects(parse_settings(twice, "shop"), "policy")


def test_access_to_the_cluster_is_given_by_the_clusters_own_kinds() -> None:
    rules = [{"urls": ["/metrics"], "verbs": ["get"]}]
    role, binding = objects(
        parse_settings({"grant": [{"cluster_role": "metrics", "rules": rules, "to": [JANE]}]}, ""), "policy"
    )
    assert (role["kind"], binding["kind"]) == ("ClusterRole", "ClusterRoleBinding")
    assert role["rules"] == [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]
    assert "namespace" not in binding["metadata"]


def test_what_is_to_go_is_named_and_never_what_is_granted() -> None:
    said = parse_settings({"remove": [{"role_binding": "temporary-admin"}]}, "shop")
    assert [(each["kind"], each["metadata"]) for each in to_remove(said, "policy")] == [
        ("RoleBinding", {"name": "temporary-admin", "namespace": "shop"})
    ]
    grant = {"role": "reader", "rules": [PODS], "to": [JANE]}
    both = parse_settings({"grant": [grant], "remove": [{"role": "reader"}]}, "shop")
    with pytest.raises(HardeningError, match="take one out"):
        to_remove(both, "policy")


@pytest.mark.parametrize(
    ("namespace", "said", "told"),
    [
        ("shop", {"grants": []}, "namespaces.shop.grants: there is no such key; did you mean grant?"),
        ("shop", {"grant": {}}, ""),
        ("shop", {"grant": ["reader"]}, "grant[0]: 'reader' is no mapping"),
        ("shop", {"grant": [{"to": [JANE]}]}, "either a role or a cluster_role"),
        ("shop", {"grant": [{"role": "a/b", "to": [JANE]}]}, "cannot be a name"),
        ("shop", {"grant": [{"role": "a"}]}, "grant[0].to: nobody is named"),
        ("shop", {"grant": [{"role": "a", "rules": [], "to": [JANE]}]}, "rules: there are none"),
        ("shop", {"grant": [{"cluster_role": "a", "rules": [PODS], "to": [JANE]}]}, "give its rules below cluster"),
        ("", {"grant": [{"role": "a", "to": [JANE]}]}, "cluster.grant[0].role: a Role is in a namespace"),
        ("", {"grant": [{"cluster_role": "a", "to": [{"service_account": "bot"}]}]}, "needs its namespace"),
        (
            "shop",
            {"grant": [{"role": "a", "rules": [{"urls": ["/x"], "verbs": ["get"]}], "to": [JANE]}]},
            "URLs are of the whole cluster",
        ),
        (
            "shop",
            {"grant": [{"role": "a", "rules": [{**PODS, "verbs": ["create"], "names": ["x"]}], "to": [JANE]}]},
            "create cannot be limited by names",
        ),
        (
            "shop",
            {"grant": [{"role": "a", "rules": [{**PODS, "resources": ["deployments.apps"]}], "to": [JANE]}]},
            "write 'deployments.apps' as api_groups: [apps] and resources: [deployments]",
        ),
        (
            "shop",
            {
                "grant": [
                    {"role": "a", "rules": [PODS], "to": [JANE]},
                    {"role": "a", "rules": [{**PODS, "verbs": ["*"]}], "to": [JANE]},
                ]
            },
            "two different sets of rules",
        ),
        ("shop", {"must_not": [PODS]}, "must_not[0]: who is missing"),
        ("shop", {"must_not": [{"who": JANE, "verbs": ["get"]}]}, "give either resources or urls"),
        ("shop", {"must_not": [{"who": JANE, "resources": ["pods"]}]}, "verbs: None is no list of words"),
        ("shop", {"remove": [{"cluster_role_binding": "x"}]}, "did you mean role_binding?"),
        ("shop", {"remove": [{"role": "x", "role_binding": "x"}]}, "name one object"),
    ],
)
def test_what_cannot_be_meant_is_told(namespace: str, said: dict[str, Any], told: str) -> None:
    if not told:
        assert parse_settings(said, namespace).grants == ()
        return
    with pytest.raises(HardeningError) as error:
        parse_settings(said, namespace)
    assert told in str(error.value)
