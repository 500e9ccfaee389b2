# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._break_glass import closing
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gates import GATE_NAME

ALL: dict[str, Any] = {}
DB: dict[str, Any] = {"matchLabels": {"app": "db"}}
DB_PRIMARY: dict[str, Any] = {"matchLabels": {"app": "db", "role": "primary"}}
IN, BOTH = ["Ingress"], ["Ingress", "Egress"]


def policy(
    name: str, selector: dict[str, Any], types: list[str], namespace: str = "shop", **rules: Any
) -> dict[str, Any]:
    spec = {"podSelector": selector, "policyTypes": types, **rules}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


DENY = policy("deny", ALL, BOTH)
ALLOW = policy("allow", DB, IN, ingress=[{"from": [{"podSelector": {}}]}])
GATE = policy(GATE_NAME, ALL, BOTH, ingress=[{}], egress=[{}])


def names(ranks: list[list[Any]]) -> list[list[str]]:
    return [[each["metadata"]["name"] for each in rank] for rank in ranks]


def test_what_opens_nothing_goes_first_and_what_opens_everything_last() -> None:
    assert names(closing([GATE, ALLOW, DENY], [])) == [["deny"], ["allow"], [GATE_NAME]]


def test_an_allow_alone_closes_what_it_does_not_name() -> None:
    assert names(closing([ALLOW], [])) == [[], ["allow"], []]


@pytest.mark.parametrize(
    ("foreign", "stays"),
    [
        (policy("theirs", ALL, BOTH), {"deny", "allow"}),
        (policy("theirs", ALL, IN), {"allow"}),
        (policy("theirs", DB, IN), {"allow"}),
        (policy("theirs", DB_PRIMARY, IN), set()),
        (policy("theirs", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, BOTH), set()),
        (policy("theirs", ALL, ["Egress"]), set()),
        (policy("theirs", ALL, BOTH, "elsewhere"), set()),
    ],
)
def test_what_a_foreign_policy_closes_anyway_stays_open(foreign: dict[str, Any], stays: set[str]) -> None:
    gone = {each["metadata"]["name"] for rank in closing([DENY, ALLOW], [foreign]) for each in rank}
    assert gone == {"deny", "allow"} - stays


def test_what_was_adopted_and_is_anothers_too_was_there_before_and_stays() -> None:
    marks = {"labels": {"hardening.kubernetes/set": "s"}, "annotations": {"hardening.kubernetes/origin": "adopted"}}
    managers = [
        {"manager": "hardening.kubernetes/network_policies", "fieldsV1": {"f:spec": {}}},
        {"manager": "kubectl", "fieldsV1": {"f:spec": {}}},
    ]
    adopted = {**DENY, "metadata": {**DENY["metadata"], **marks, "managedFields": managers}}
    assert names(closing([adopted, ALLOW], [])) == [[], [], []]


def test_several_foreign_policies_add_up() -> None:
    foreign = [policy("in", ALL, IN), policy("out", ALL, ["Egress"])]
    assert closing([DENY], foreign) == [[], [], []]
