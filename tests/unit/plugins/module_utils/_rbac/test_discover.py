# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy would say of live roles and bindings."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._discover import of_cluster, of_namespace
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import binding_name, objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._undeclared import Bindings

GROUP = "rbac.authorization.k8s.io"
JANE = {"apiGroup": GROUP, "kind": "User", "name": "jane"}
BOT = {"kind": "ServiceAccount", "name": "bot", "namespace": "shop"}
OPS = {"apiGroup": GROUP, "kind": "Group", "name": "ops"}
READ = {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["list", "get"]}


def binding(name: str, role: str, *subjects: dict[str, Any], kind: str = "Role", **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "shop", **metadata},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
        "subjects": list(subjects),
    }


def role(name: str, *rules: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"kind": "Role", "metadata": {"name": name, "namespace": "shop", **metadata}, "rules": list(rules)}


def test_what_is_said_makes_the_very_objects_that_there_are() -> None:
    narrow = {"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["get"], "resourceNames": ["web"]}
    far = {"kind": "ServiceAccount", "name": "bot", "namespace": "tools"}
    bindings = [
        binding("z", "reader", BOT),
        binding("old:readers", "reader", OPS, JANE, far),
        binding("viewers", "view", JANE, kind="ClusterRole"),
    ]
    roles = [role("reader", READ, narrow)]
    found = of_namespace("shop", bindings, roles, "policy")
    assert found.settings == {
        "grant": [
            {
                "role": "reader",
                "binding": "old:readers",
                "rules": [
                    {"resources": ["pods", "pods/log"], "verbs": ["list", "get"]},
                    {"api_groups": ["", "apps"], "resources": ["*"], "verbs": ["get"], "names": ["web"]},
                ],
                "to": [{"group": "ops"}, {"user": "jane"}, {"service_account": "bot", "namespace": "tools"}],
            },
            {"cluster_role": "view", "binding": "viewers", "to": [{"user": "jane"}]},
            {"role": "reader", "binding": "z", "to": [{"service_account": "bot"}]},
        ]
    }
    assert found.comments == []
    made = objects(parse_settings(found.settings, "shop"), "policy")
    content = [(each["kind"], each["metadata"], each.get("rules"), each.get("subjects")) for each in made]
    assert sorted(content, key=str) == sorted(
        [(each["kind"], each["metadata"], each.get("rules"), each.get("subjects")) for each in [*bindings, *roles]],
        key=str,
    )


def test_a_binding_that_the_policy_made_needs_no_name() -> None:
    grant = parse_settings({"grant": [{"cluster_role": "view", "to": [{"user": "jane"}]}]}, "shop").grants[0]
    own = binding(binding_name(grant, "policy"), "view", JANE, kind="ClusterRole")
    said = {"grant": [{"cluster_role": "view", "to": [{"user": "jane"}]}]}
    assert of_namespace("shop", [own], [], "policy").settings == said


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (binding("odd", "gone", JANE), "there is no Role gone"),
        (binding("odd", "gone", JANE, kind="ClusterRole"), "there is no ClusterRole gone"),
        (binding("odd", "reader"), "it gives nobody anything"),
        (binding("odd", "reader", JANE, JANE), "who its subjects are"),
        (binding("odd", "reader", {**JANE, "apiGroup": "example.com"}), "who its subjects are"),
        (binding("odd", "reader", JANE, labels={"hardening.kubernetes/set": "b"}), "it belongs to the set b"),
    ],
)
def test_what_a_policy_cannot_say_is_kept_with_the_reason(live: dict[str, Any], why: str) -> None:
    found = of_namespace("shop", [live], [role("reader", READ)], "policy", {"view"})
    assert found.settings == {"grant": [], "keep": [{"role_binding": "odd"}]}
    assert any(why in each for each in found.comments), found.comments


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (
            [{"apiGroups": [""], "resources": ["pods"], "verbs": ["create"], "resourceNames": ["a"]}],
            "cannot be limited",
        ),
        ([{"apiGroups": ["apps"], "resources": ["deployments.apps"], "verbs": ["get"]}], "write 'deployments.apps'"),
        ([], "it has no rules"),
    ],
)
def test_a_role_that_a_policy_cannot_say_stays_without_rules(rules: list[dict[str, Any]], why: str) -> None:
    found = of_namespace("shop", [binding("b", "odd", JANE)], [role("odd", *rules)], "policy")
    assert found.settings == {"grant": [{"role": "odd", "binding": "b", "to": [{"user": "jane"}]}]}
    assert why in found.comments[0]


def test_the_owner_is_told_what_reaches_far_who_else_keeps_it_and_what_is_left_out() -> None:
    everybody = {"apiGroup": GROUP, "kind": "Group", "name": "system:authenticated"}
    helm = {"annotations": {"meta.helm.sh/release-name": "app"}}
    bindings = [
        binding("admins", "cluster-admin", BOT, kind="ClusterRole"),
        binding("all", "view", everybody, kind="ClusterRole", **helm),
    ]
    going = {"kind": "Role", "metadata": {"name": "going", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    found = of_namespace("shop", bindings, [role("idle", READ), going], "policy")
    all_powers = "RoleBinding admins gives ClusterRole cluster-admin, all powers, to ServiceAccount shop/bot"
    assert found.comments == [
        f"{all_powers}: see whether less would do.",
        "RoleBinding all gives ClusterRole view to everybody who is logged in: see whether that is meant.",
        "Role idle is bound to nobody, and is left out.",
        "Kept by others as well, who have to change what is to change here: RoleBinding all (Helm).",
    ]


def test_foreign_bindings_of_the_cluster_are_kept_each_by_its_name(served: Served) -> None:
    def bound(name: str, to: str, subject: dict[str, Any]) -> dict[str, Any]:
        return {**binding(name, to, subject, kind="ClusterRole"), "kind": "ClusterRoleBinding"}

    roles = {
        "cluster-admin": {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]},
        "health": {"rules": [{"nonResourceURLs": ["/healthz"], "verbs": ["get"]}]},
    }
    masters = {**OPS, "name": "system:masters"}
    # Its name and label are those of Kubernetes' own, and anybody may have given it those.
    hidden = bound("system:hidden", "cluster-admin", JANE)
    hidden["metadata"]["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    live = [
        bound("cluster-admin", "cluster-admin", masters),
        bound("health", "health", JANE),
        bound("tool[1]*", "cluster-admin", BOT),
        hidden,
    ]
    found = of_cluster(Bindings({}, live, roles, {}), served)
    keep = [{"cluster_role_binding": "system:hidden"}, {"cluster_role_binding": "tool[[]1][*]"}]
    assert found.settings == {"keep": keep}
    assert [each.partition(" gives")[0] for each in found.comments] == [
        "ClusterRoleBinding system:hidden",
        "ClusterRoleBinding tool[1]*",
    ]
    said = parse_settings(found.settings, "")
    assert [each.is_meant("ClusterRoleBinding", "tool[1]*") for each in said.keep] == [False, True]
    assert not any(each.is_meant("ClusterRoleBinding", "tool1") for each in said.keep)


def test_where_nobody_has_access_that_is_said() -> None:
    found = of_namespace("shop", [], [], "policy")
    assert found.settings == {"grant": []} and "one that comes will be a failure" in found.comments[0]
