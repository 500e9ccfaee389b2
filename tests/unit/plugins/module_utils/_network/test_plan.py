# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gates import GATE_NAME
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import Desired
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import (
    Step,
    after,
    limited,
    plan,
    plan_removal,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._selectors import told_selector

BOTH = ["ingress", "egress"]
SAID = {"default_deny": BOTH, "dns": True, "allow": [{"from": {"app": "frontend"}, "to": {"app": "backend"}}]}
DENY_BOTH = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def names(policies: tuple[dict[str, Any], ...]) -> list[str]:
    return [each["metadata"]["name"] for each in policies]


def step(shop: Any, said: dict[str, Any], *live: dict[str, Any]) -> Step:
    return plan(shop.settings(said), shop.facts(policies={"shop": live}), "set").steps["shop"]


def opened(done: Step) -> dict[str, list[str]]:
    """The directions that the gates open, by the pods that they select."""
    return {told_selector(gate["spec"]["podSelector"]): gate["spec"]["policyTypes"] for gate in done.gates}


def applied(shop: Any, said: dict[str, Any]) -> list[dict[str, Any]]:
    """The policies of these settings, as they are once written."""
    made = plan(shop.settings(said), shop.facts(), "set").desired["shop"].policies
    return [shop.policy(each["metadata"]["name"], each["spec"], set_name="set") for each in made]


def test_a_first_deny_gets_a_gate_that_keeps_both_directions_open(shop: Any) -> None:
    (gate,) = step(shop, SAID).gates
    assert gate["metadata"]["name"] == GATE_NAME
    assert gate["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}


def test_a_second_run_has_neither_a_gate_nor_anything_to_remove(shop: Any) -> None:
    again = step(shop, SAID, *applied(shop, SAID))
    assert again.gates == again.stale_denies == again.stale_allows == again.stale_gates == ()
    assert again.deny_stands
    assert names(again.allows)[0] == "hardening-allow-dns"


def test_only_a_direction_that_changes_gets_a_gate(shop: Any) -> None:
    before = applied(shop, {**SAID, "default_deny": ["ingress"]})
    assert opened(step(shop, SAID, *before)) == {"": ["Egress"]}
    assert opened(step(shop, {**SAID, "default_deny": ["ingress"]}, *applied(shop, SAID))) == {"": ["Egress"]}


@pytest.mark.parametrize(
    ("theirs", "gates"),
    [
        (
            {"podSelector": {"matchLabels": {"app": "postgres"}}},
            {"app notin (postgres)": ["Ingress"], "": ["Egress"]},
        ),
        (
            {"podSelector": {"matchLabels": {"app": "postgres", "tier": "db"}}, "policyTypes": ["Egress"]},
            {"": ["Ingress"], "app notin (postgres)": ["Egress"], "tier notin (db)": ["Egress"]},
        ),
        (DENY_BOTH, {}),
        ({"podSelector": {}, "policyTypes": ["Egress"]}, {"": ["Ingress"]}),
    ],
)
def test_a_gate_never_opens_what_a_foreign_policy_closes(shop: Any, theirs: dict[str, Any], gates: Any) -> None:
    assert opened(step(shop, SAID, shop.policy("theirs", theirs))) == gates


def test_a_gate_that_a_crash_left_goes_away(shop: Any) -> None:
    left = shop.policy(GATE_NAME, {"podSelector": {}, "ingress": [{}]}, set_name="set")
    done = step(shop, SAID, *applied(shop, SAID), left)
    assert done.gates == done.stale_allows == ()
    assert names(done.stale_gates) == [GATE_NAME]
    halfway = step(shop, SAID, left)
    assert opened(halfway) == {"": ["Ingress", "Egress"]} and names(halfway.stale_gates) == [GATE_NAME]


def test_what_is_no_longer_said_goes_and_nothing_else(shop: Any) -> None:
    old = applied(shop, {**SAID, "allow": [{"from": {"app": "frontend"}, "to": {"app": "postgres"}}]})
    others = [
        shop.policy("theirs", {"podSelector": {}}),
        shop.policy("hardening-allow-by-hand", {"podSelector": {}}),
        shop.policy("of-another-set", {"podSelector": {}}, set_name="other"),
    ]
    done = step(shop, SAID, *old, *others)
    assert [name.rsplit("-", 2)[0] for name in names(done.stale_allows)] == ["hardening-allow-frontend-to-postgres"] * 2
    assert done.stale_denies == ()


def test_a_deny_that_is_no_longer_said_goes_before_what_opens(shop: Any) -> None:
    done = step(shop, {"dns": True}, *applied(shop, SAID))
    assert names(done.stale_denies) == ["hardening-default-deny"]
    assert len(done.stale_allows) == 3
    assert done.gates and done.deny is None


def test_a_removal_takes_all_of_the_set_behind_a_gate(shop: Any) -> None:
    facts = shop.facts(policies={"shop": (*applied(shop, SAID), shop.policy("theirs", {"podSelector": {}}))})
    done = plan_removal(["shop", "data"], facts, "set")
    assert names(done["shop"].stale_denies) == ["hardening-default-deny"]
    assert len(done["shop"].stale_allows) == 3
    assert opened(done["shop"]) == {"": ["Egress"]}
    assert done["data"] == Step((), (), None, (), ())
    other = plan_removal(["shop"], facts, "other")["shop"]
    assert other.gates == other.stale_denies == other.stale_allows == ()


def test_a_refused_namespace_is_not_written_and_the_others_are(shop: Any) -> None:
    found = plan(shop.settings({"default_deny": ["egress"]}, data={"default_deny": ["ingress"]}), shop.facts(), "set")
    assert list(found.refused) == ["shop"]
    assert list(found.steps) == ["data"]


def test_no_gate_opens_what_our_own_allows_still_close(shop: Any) -> None:
    """Somebody deleted the deny alone."""
    allows = [each for each in applied(shop, SAID) if each["metadata"]["name"] != "hardening-default-deny"]
    assert opened(step(shop, SAID, *allows)) == {"app notin (backend)": ["Ingress"]}
    left = shop.policy(GATE_NAME, {"podSelector": {}, "ingress": [{}]}, set_name="set")
    again = step(shop, SAID, *allows, left)
    assert opened(again) == {"app notin (backend)": ["Ingress"]} and names(again.stale_gates) == [GATE_NAME]


def test_a_gate_that_a_crash_left_goes_from_a_refused_namespace_too(shop: Any) -> None:
    left = shop.policy(GATE_NAME, {"podSelector": {}, "egress": [{}]}, set_name="set")
    deny = shop.policy("hardening-default-deny", DENY_BOTH, set_name="set")
    settings = shop.settings({"default_deny": ["egress"]})
    found = plan(settings, shop.facts(policies={"shop": (deny, left)}), "set")
    assert "shop" in found.refused and names(found.steps["shop"].stale_gates) == [GATE_NAME]
    without = plan(settings, shop.facts(policies={"shop": (left,)}), "set")
    assert "shop" in without.refused and "shop" not in without.steps


@pytest.mark.parametrize(
    ("live", "denied"),
    [
        ([], set()),
        ([("theirs", {"podSelector": {}, "policyTypes": ["Egress"]}, "")], {"egress"}),
        ([("hardening-default-deny", DENY_BOTH, "set")], {"ingress", "egress"}),
        ([("theirs", {"podSelector": {"matchLabels": {"app": "a"}}}, "")], set()),
        ([(GATE_NAME, {"podSelector": {}, "ingress": [{}]}, "set")], set()),
    ],
)
def test_a_step_knows_what_was_closed_for_every_pod_before(shop: Any, live: list[Any], denied: set[str]) -> None:
    there = [shop.policy(name, spec, set_name=set_name) for name, spec, set_name in live]
    assert step(shop, SAID, *there).was_denied == denied


def test_a_policy_of_another_set_is_not_written_over(shop: Any) -> None:
    theirs = shop.policy("hardening-default-deny", DENY_BOTH, set_name="theirs")
    found = plan(shop.settings(SAID), shop.facts(policies={"shop": (theirs,)}), "set")
    (reason,) = found.refused["shop"]
    assert "NetworkPolicy/shop/hardening-default-deny belongs to the set theirs" in reason
    other = shop.policy("hardening-allow-x", {"podSelector": {}}, set_name="theirs")
    assert not plan(shop.settings(SAID), shop.facts(policies={"shop": (other,)}), "set").refused


@pytest.mark.parametrize(
    ("end", "meant"),
    [
        ({"app": "frontnd"}, "app: frontend"),
        ({"ap": "frontend"}, "app: frontend"),
        ({"namespace": "dta"}, "data"),
        ({"namespace": "data", "pods": {"app": "frontnd"}}, ""),
        ({"app": "reporter"}, ""),
        ({"namespace": "elsewhere-entirely"}, ""),
    ],
)
def test_a_mistyped_flow_stops_a_deny_that_is_new(shop: Any, end: dict[str, Any], meant: str) -> None:
    said = {"default_deny": ["ingress"], "allow": [{"from": end, "to": {"app": "backend"}}]}
    refused = plan(shop.settings(said), shop.facts(), "set").refused.get("shop", ())
    assert bool(refused) is bool(meant)
    assert not meant or f"did you mean {meant}?" in refused[0]
    deny = shop.policy("hardening-default-deny", {"podSelector": {}}, set_name="set")
    assert not plan(shop.settings(said), shop.facts(policies={"shop": (deny,)}), "set").refused


def test_a_gate_where_no_settings_reach_any_more_goes(shop: Any) -> None:
    left = shop.policy(GATE_NAME, {"podSelector": {}, "ingress": [{}]}, namespace="gone", set_name="set")
    deny = shop.policy("hardening-default-deny", {"podSelector": {}}, namespace="gone", set_name="set")
    steps = plan(shop.settings(SAID), shop.facts(left_over={"gone": (left, deny), "data": (deny,)}), "set").steps
    assert names(steps["gone"].stale_gates) == [GATE_NAME] and "data" not in steps


def test_what_the_set_has_where_no_settings_reach_is_pruned_in_the_safe_order(shop: Any) -> None:
    deny = shop.policy("hardening-default-deny", {"podSelector": {}}, namespace="gone", set_name="set")
    allow = shop.policy("hardening-allow-x", {"podSelector": {}, "ingress": [{}]}, namespace="gone", set_name="set")
    facts = shop.facts(left_over={"gone": (deny, allow)}, policies={"gone": (deny, allow)})
    step = plan(shop.settings(SAID), facts, "set", prune=True).steps["gone"]
    assert names(step.stale_denies) == ["hardening-default-deny"] and names(step.stale_allows) == ["hardening-allow-x"]
    assert step.gates and step.deny is None and not step.allows
    assert "gone" not in plan(shop.settings(SAID), facts, "set").steps
    assert "gone" not in plan(shop.settings(SAID), facts, "default", prune=True).steps


def test_a_deny_that_is_anothers_too_stays_closed_while_the_set_leaves(shop: Any) -> None:
    deny = shop.policy("hardening-default-deny", {"podSelector": {}}, set_name="set")
    deny["metadata"]["annotations"] = {"hardening.kubernetes/origin": "adopted"}
    deny["metadata"]["managedFields"] += [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]
    facts = shop.facts(policies={"shop": (deny,)})
    step = plan_removal(["shop"], facts, "set")["shop"]
    assert not step.gates and names(step.stale_denies) == ["hardening-default-deny"]
    assert after("shop", Desired(None, (), frozenset()), facts, "set")


def test_a_limit_keeps_what_the_settings_of_others_open(shop: Any) -> None:
    flow = {"from": {"app": "caller"}, "to": {"pods": {"app": "backend"}, "namespace": "shop"}, "ports": [8080]}
    settings = shop.settings(SAID, data={"default_deny": ["egress"], "allow": [flow], "accept_risks": ["dns"]})
    gate = shop.policy(GATE_NAME, {"podSelector": {}, "ingress": [{}]}, "gone", set_name="set")
    whole = plan(settings, shop.facts(left_over={"gone": (gate,)}), "set")
    assert whole.steps.keys() == {"shop", "data", "gone"}
    part = limited(whole, ["sho*"])
    assert part.steps == {"shop": whole.steps["shop"]}
    assert any("data-caller-to-backend" in name for name in names(part.steps["shop"].allows))
    assert limited(whole, []) == whole


def test_a_limit_refuses_nothing_elsewhere(shop: Any) -> None:
    settings = shop.settings(SAID, data={"default_deny": BOTH})
    whole = plan(settings, shop.facts(), "set")
    assert whole.refused.keys() == {"data"}
    assert not limited(whole, ["shop"]).refused
