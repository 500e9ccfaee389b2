# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The section ``access`` of a policy, and the mistakes in it."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import load
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import PolicyError

HEAD = "policy_version: 1\nname: shop\n"


def test_every_place_has_its_own_access() -> None:
    policy = load(
        [
            Source(
                "policy.yml",
                HEAD
                + """
namespaces:
  shop:
    access:
      grant:
        - {role: reader, rules: [{api_groups: ["", apps], resources: [pods/log], verbs: [get]}], to: [{user: 5}]}
      must_not: [{who: {service_account: default}, verbs: ["*"], resources: [secrets]}]
      remove: [{role_binding: temporary}, {role: old}]
defaults: {access: {must_not: [{who: {group: developers}, verbs: [get], resources: [secrets]}]}}
cluster:
  access:
    grant: [{cluster_role: metrics, rules: [{urls: [/metrics], verbs: [get]}], to: [{user: jane, groups: []}]}]
    keep: [{cluster_role_binding: "prometheus-*"}]
""",
            )
        ]
    )
    access = policy["access"]
    assert access["namespaces"]["shop"]["grant"][0]["to"] == [{"user": "5"}]
    assert access["namespaces"]["shop"]["grant"][0]["rules"][0]["api_groups"] == ["", "apps"]
    assert access["default"]["must_not"][0]["who"] == {"group": "developers"}
    assert access["cluster"]["grant"][0]["to"] == [{"user": "jane", "groups": []}]
    assert access["cluster"]["keep"] == [{"cluster_role_binding": "prometheus-*"}]


def test_grants_of_several_files_add_up() -> None:
    both = [
        Source(name, f"{HEAD}namespaces: {{shop: {{access: {{grant: [{{role: {name}, to: [{{user: jane}}]}}]}}}}}}\n")
        for name in ("one", "two")
    ]
    grants = load(both)["access"]["namespaces"]["shop"]["grant"]
    assert [each["role"] for each in grants] == ["one", "two"]


@pytest.mark.parametrize(
    ("place", "said", "told"),
    [
        ("shop", "{grants: []}", "Did you mean grant?"),
        (
            "shop",
            "{grant: [{role: a, binding: x, to: [{user: b}]}, {cluster_role: a, binding: x, to: [{user: b}]}]}",
            "grant[1].binding: is that of grant[0] too, and a binding has one role",
        ),
        ("shop", "{grant: [{role: a}]}", "to is missing"),
        ("shop", "{grant: [{to: [{user: a}]}]}", "must have exactly one of role, cluster_role"),
        ("shop", "{grant: [{role: a, to: [{}]}]}", "must have exactly one of user, group, service_account"),
        ("shop", "{grant: [{role: a, to: [{group: a, groups: [b]}]}]}", "has no meaning without user"),
        (
            "shop",
            "{grant: [{cluster_role: a, rules: [{resources: [pods], verbs: [get]}], to: [{user: a}]}]}",
            "give them below cluster",
        ),
        (
            "shop",
            "{grant: [{role: a, rules: [{resources: [deployments.apps], verbs: [get]}], to: [{user: a}]}]}",
            "write it as api_groups: [apps] and resources: [deployments]",
        ),
        (
            "shop",
            "{grant: [{role: a, rules: [{resources: [pods], verbs: [create], names: [x]}], to: [{user: a}]}]}",
            "cannot limit create",
        ),
        ("shop", "{grant: [{role: a, rules: [{urls: [/x], verbs: [get]}], to: [{user: a}]}]}", "there is no such key"),
        ("shop", "{must_not: [{verbs: [get], resources: [pods]}]}", "who is missing"),
        ("shop", "{remove: [{role: a, role_binding: b}]}", "names more than one object"),
        ("shop", "{remove: [{cluster_role_binding: b}]}", "Did you mean role_binding?"),
        ("cluster", "{grant: [{role: a, to: [{user: a}]}]}", "there is no such key"),
        ("cluster", "{grant: [{cluster_role: a, to: [{service_account: a}]}]}", "needs the namespace"),
    ],
)
def test_a_mistake_is_told(place: str, said: str, told: str) -> None:
    text = f"namespaces: {{shop: {{access: {said}}}}}" if place == "shop" else f"cluster: {{access: {said}}}"
    with pytest.raises(PolicyError) as error:
        load([Source("policy.yml", f"{HEAD}{text}\n")])
    assert told in str(error.value)
    assert "policy.yml:3" in str(error.value)
