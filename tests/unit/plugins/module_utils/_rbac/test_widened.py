# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which declared roles give more than is declared."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._widened import widened_findings

DECLARED = [
    {"resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
    {"resources": ["configmaps"], "verbs": ["get"], "names": ["settings"]},
    {"api_groups": ["apps"], "resources": ["*"], "verbs": ["*"]},
]
SHOP = parse_settings({"grant": [{"role": "reader", "rules": DECLARED, "to": [{"user": "jane"}]}]}, "shop")


def rule(verbs: list[str], resources: list[str], group: str = "", **more: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs, **more}


def told(*rules: dict[str, Any]) -> list[str]:
    live = {"kind": "Role", "metadata": {"name": "reader", "namespace": "shop"}, "rules": list(rules)}
    found = widened_findings([SHOP], {("Role", "shop", "reader"): live}, {}, preview=False)
    assert {(each.control, each.subject, each.status) for each in found} <= {
        ("access.undeclared", "Role/shop/reader", "fail")
    }
    return [each.evidence.partition(": ")[2] for each in found]


@pytest.mark.parametrize(
    "rules",
    [
        [rule(["list", "get"], ["pods/log"]), rule(["get"], ["pods"])],
        [rule(["get"], ["configmaps"], resourceNames=["settings"])],
        [rule(["delete"], ["deployments", "*"], "apps")],
        [],
    ],
)
def test_what_is_declared_in_whatever_form_is_no_concern(rules: list[dict[str, Any]]) -> None:
    assert told(*rules) == []


@pytest.mark.parametrize(
    ("more", "evidence"),
    [
        (rule(["get", "delete"], ["pods"]), "delete pods"),
        (rule(["*"], ["pods"]), "* pods"),
        (rule(["get"], ["configmaps"]), "get configmaps"),
        (rule(["get"], ["configmaps"], resourceNames=["keys"]), "get configmaps keys"),
        (rule(["get"], ["*"]), "get *"),
        (rule(["get", "list", "watch", "delete"], ["secrets"]), "get secrets, list secrets, watch secrets and 1 more"),
        ({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, "get /metrics"),
    ],
)
def test_what_somebody_else_put_into_a_declared_role_is_named(more: dict[str, Any], evidence: str) -> None:
    assert told(rule(["get"], ["pods"]), more) == [evidence]


def test_roles_that_are_not_seen_are_unknown_and_a_preview_expects_them_to_be_put_right() -> None:
    (unseen,) = widened_findings([SHOP], {}, {"Role": "no permission"}, preview=False)
    assert (unseen.status, unseen.proof) == ("unknown", "none")
    assert widened_findings([SHOP], {}, {}, preview=False) == []
    wide = {"rules": [rule(["*"], ["*"], "*")]}
    (previewed,) = widened_findings([SHOP], {("Role", "shop", "reader"): wide}, {}, preview=True)
    assert (previewed.status, previewed.would) == ("fail", "pass")
