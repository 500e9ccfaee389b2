# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run must be allowed to do, and the two ClusterRoles that bring it."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._break_glass._table import (
    BREAKABLE,
    BREAKABLE_GROUPS,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    AUDIT,
    BREAK_GLASS,
    ENCRYPTION,
    ENFORCE,
    NEEDS,
    SYSTEM,
    Mode,
    Permission,
    cluster_role_rules,
    missing_message,
    permissions,
    places,
    weaker_messages,
)

ALL = ("namespaces", "pod_security", "resource_limits", "network_policies", "rbac", "cluster_access", "probe")
WRITES = {"create", "update", "patch", "delete", "deletecollection", "bind", "escalate", "impersonate", "*"}


def granted(cluster_role: str) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in cluster_role_rules(cluster_role)
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for verb in rule["verbs"]
    }


def test_the_audit_role_writes_nothing_and_reads_no_secret() -> None:
    # A review is answered and not stored.
    reviews = {("authorization.k8s.io", "subjectaccessreviews", "create")}
    assert not {verb for _group, _resource, verb in granted(AUDIT) - reviews} & WRITES
    assert not {resource for _group, resource, _verb in granted(ENFORCE)} & {"secrets", "*"}


def test_the_enforce_role_holds_the_audit_role() -> None:
    assert granted(AUDIT) < granted(ENFORCE)


def test_the_role_for_an_emergency_takes_away_what_can_be_broken_and_makes_nothing() -> None:
    held = granted(BREAK_GLASS)
    kinds = {(KNOWN[kind].group, KNOWN[kind].plural) for kind in BREAKABLE}
    kinds |= {(group.partition("/")[0], "*") for group in BREAKABLE_GROUPS}
    namespaces = {("", "namespaces", verb) for verb in ("get", "list", "patch")}
    assert held == {(*kind, verb) for kind in kinds for verb in ("list", "delete")} | namespaces


@pytest.mark.parametrize(("mode", "cluster_role"), [("audit", AUDIT), ("enforce", ENFORCE)])
def test_each_role_brings_every_must_of_its_mode(mode: Mode, cluster_role: str) -> None:
    musts = {(each.group, each.resource, each.verb) for each in permissions(mode, ALL) if not each.otherwise}
    assert musts <= granted(cluster_role)


def test_the_enforce_role_brings_everything_and_nothing_else() -> None:
    wanted = {
        (each.group, each.resource, each.verb) for mode in ("audit", "enforce") for each in permissions(mode, ALL)
    }
    assert granted(ENFORCE) == wanted


def test_a_must_goes_before_a_weaker_proof_of_the_same_permission() -> None:
    weak = [each for each in permissions("audit", ALL) if (each.resource, each.verb) == ("namespaces", "patch")]
    must = [each for each in permissions("enforce", ALL) if (each.resource, each.verb) == ("namespaces", "patch")]
    assert [bool(each.otherwise) for each in (*weak, *must)] == [True, False]


def test_what_only_weakens_says_how() -> None:
    assert all(bool(need.otherwise) == bool(need.weakens) for need in NEEDS)


@pytest.mark.parametrize("part", ALL)
def test_a_part_asks_only_for_itself(part: str) -> None:
    asked = {(each.group, each.resource, each.verb) for each in permissions("enforce", [part])}
    assert asked == {
        (need.group, need.resource, verb)
        for need in NEEDS
        for verb in need.verbs
        if part in need.parts and need.must | need.weakens
    }


def test_one_message_lists_everything_that_is_missing() -> None:
    wanted = permissions("enforce", ["namespaces"])
    assert missing_message(wanted) == (
        "This user lacks 4 permissions that the run needs:\n"
        "  get, list namespaces [hardening-audit]\n"
        "  create, patch namespaces [hardening-enforce]\n"
        "Have an administrator run `ansible-playbook hardening.kubernetes.cluster_roles` "
        "and bind the ClusterRole hardening-enforce to this user."
    )


@pytest.mark.parametrize(
    ("resource", "verb", "expected"),
    [
        ("pods", "create", [("create", "a", ""), ("create", "b", "")]),
        ("pods/log", "get", [("get", "a", ""), ("get", "b", "")]),
        ("namespaces", "patch", [("patch", "", "a"), ("patch", "", "b")]),
        ("namespaces", "list", [("get", "", "a"), ("get", "", "b")]),
        ("namespaces", "create", []),
        ("apiservices", "list", []),
        ("services", "list", []),
    ],
)
def test_where_a_permission_may_be_had(resource: str, verb: str, expected: list[tuple[str, str, str]]) -> None:
    assert places(Permission(ENFORCE, "", resource, verb), ["a", "b"]) == expected


def test_where_reading_is_all_that_is_missing_the_audit_role_is_enough() -> None:
    (first, *_others) = permissions("audit", ["namespaces"])
    message = missing_message([first])
    assert message.startswith("This user lacks 1 permission that the run needs:\n")
    assert message.endswith("and bind the ClusterRole hardening-audit to this user.")


def test_what_cannot_be_proved_is_said_once_for_each_consequence() -> None:
    weak = [each for each in permissions("audit", ["probe"]) if each.otherwise]
    (message,) = weaker_messages(weak)
    assert message == (
        "Without create, delete, get, list pods [hardening-enforce]; get pods/log [hardening-enforce]; "
        "create, delete, list networkpolicies (networking.k8s.io) [hardening-enforce]: "
        "no connection can be tried: network.default_deny is unknown."
    )


def test_a_permission_that_two_parts_need_tells_what_both_lose() -> None:
    asked = permissions("audit", ["pod_security", "probe"])
    (create,) = [each for each in asked if (each.resource, each.verb) == ("pods", "create")]
    (listed,) = [each for each in asked if (each.resource, each.verb) == ("pods", "list")]
    assert "pod_security.enforced" in create.otherwise
    assert "network.default_deny" in create.otherwise
    assert listed.cluster_role == AUDIT


def test_what_reads_secrets_is_in_a_role_of_its_own_and_no_must_is_missing() -> None:
    brought = (
        {(ENCRYPTION, *each) for each in granted(ENCRYPTION)}
        | {(SYSTEM, *each) for each in granted(SYSTEM)}
        | {(AUDIT, *each) for each in granted(AUDIT)}
    )
    wanted = permissions("enforce", ["encryption_at_rest"])
    assert {(each.cluster_role, each.group, each.resource, each.verb) for each in wanted} <= brought
    assert {resource for _group, resource, _verb in granted(ENCRYPTION)} == {"secrets", "storageversionmigrations"}
    assert {each.namespace for each in wanted if each.cluster_role == SYSTEM} == {"kube-system"}
    assert {"nonResourceURLs": ["/metrics"], "verbs": ["get"]} in cluster_role_rules(ENCRYPTION)
    musts = {(each.resource, each.verb) for each in permissions("audit", ["encryption_at_rest"]) if not each.otherwise}
    assert musts == set()


def test_who_may_not_list_migrations_changes_keys_all_the_same() -> None:
    """Hardly any server has them, and a ClusterRole of before does not name them."""
    asked = [
        each for each in permissions("enforce", ["encryption_at_rest"]) if each.resource == "storageversionmigrations"
    ]
    assert {each.group for each in asked} == {"migration.k8s.io", "storagemigration.k8s.io"}
    (message,) = weaker_messages([each for each in asked if each.otherwise])
    assert message == (
        "Without list storageversionmigrations (migration.k8s.io) [hardening-encryption]; list "
        "storageversionmigrations (storagemigration.k8s.io) [hardening-encryption]: a migration of stored versions "
        "that gets in the way is not seen beforehand."
    )
    assert not [each for each in asked if not each.otherwise]


def test_nobody_who_changes_keys_has_to_list_webhooks() -> None:
    """What they refuse is found by dry runs."""
    for mode in ("audit", "enforce"):
        asked = {each.group for each in permissions(mode, ["encryption_at_rest"])}
        assert "admissionregistration.k8s.io" not in asked


def test_the_message_names_every_role_that_is_to_be_bound() -> None:
    wanted = permissions("enforce", ["namespaces", "encryption_at_rest"])
    assert missing_message([each for each in wanted if not each.otherwise]).endswith(
        "bind the ClusterRole hardening-enforce and hardening-encryption, "
        "and the Role hardening-kube-system in the namespace kube-system to this user."
    )


def test_secrets_in_some_namespaces_are_not_enough_to_change_a_key() -> None:
    assert places(Permission(ENCRYPTION, "", "secrets", "patch"), ["a", "b"]) == []
