# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetworkPolicies in Kubernetes' own words: written, ordered and judged as what they are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import workloads_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._judge import judge, refusals
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import Plan, Step, plan, plan_removal
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._selectors import told_selector
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding

WEB: dict[str, Any] = {"matchLabels": {"app": "frontend"}}
DATABASE: dict[str, Any] = {"matchLabels": {"app": "postgres"}}
TO_WEB: dict[str, Any] = {"podSelector": WEB, "ingress": [{"ports": [{"port": 8080}]}]}
CLOSED: dict[str, Any] = {"podSelector": DATABASE, "policyTypes": ["Ingress"]}
ALL_CLOSED: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress"]}
OPEN: dict[str, Any] = {"podSelector": DATABASE, "policyTypes": ["Ingress"], "ingress": [{}]}


def names(policies: tuple[dict[str, Any], ...]) -> list[str]:
    return [each["metadata"]["name"] for each in policies]


def planned(shop: Any, said: dict[str, Any], *live: dict[str, Any]) -> Plan:
    return plan(shop.settings(said), shop.facts(policies={"shop": live}), "set")


def step(shop: Any, policies: dict[str, Any], *live: dict[str, Any], **said: Any) -> Step:
    return planned(shop, {"policies": policies, **said}, *live).steps["shop"]


def gates(done: Step) -> set[str]:
    return {told_selector(gate["spec"]["podSelector"]) for gate in done.gates}


def found(shop: Any, said: dict[str, Any], *live: dict[str, Any], **facts: Any) -> dict[str, Finding]:
    settings, known = shop.settings(said), shop.facts(policies={"shop": live}, **facts)
    findings = judge(settings, plan(settings, known, "set"), known, "set", {})
    return {each.control.removeprefix("network."): each for each in findings}


def test_a_policy_is_written_as_it_is_said_with_our_mark(shop: Any) -> None:
    (policy,) = planned(shop, {"policies": {"to-web": TO_WEB}}).desired["shop"].policies
    assert policy["metadata"] == {"name": "to-web", "namespace": "shop", "labels": {"hardening.kubernetes/set": "set"}}
    assert policy["spec"] == {
        "podSelector": WEB,
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": 8080, "protocol": "TCP"}]}],
    }


@pytest.mark.parametrize(
    ("policies", "because"),
    [
        (["a"], "is not a mapping of names"),
        ({"hardening-default-deny": ALL_CLOSED}, "names that begin with hardening- are those of"),
        ({"web": {**TO_WEB, "ingres": []}}, r"policies\.web\.ingres: there is no such field"),
        (
            {"web": {"podSelector": {}, "ingress": [{"ports": [{"port": "80"}]}]}},
            r"web\.ingress\[0\]\.ports\[0\]\.port",
        ),
    ],
)
def test_what_no_server_would_take_is_refused_before_anything_is_written(
    shop: Any, policies: Any, because: str
) -> None:
    with pytest.raises(HardeningError, match=because):
        shop.settings({"policies": policies})


def test_what_closes_comes_after_what_opens(shop: Any) -> None:
    done = step(shop, {"a-deny": ALL_CLOSED, "b-close": CLOSED, "c-open": TO_WEB})
    assert names(done.opening_allows) == ["c-open"]
    assert names(done.closing_allows) == ["a-deny", "b-close"]
    assert done.deny is None


def test_pods_that_are_open_keep_a_gate_until_all_policies_are_there(shop: Any) -> None:
    assert gates(step(shop, {"web": TO_WEB, "more": {**TO_WEB, "ingress": [{"ports": [{"port": 9}]}]}})) == {""}
    there = shop.policy("theirs", CLOSED)
    assert gates(step(shop, {"web": TO_WEB}, there)) == {"app notin (postgres)"}


def test_policies_that_are_there_as_they_are_said_need_no_gate(shop: Any) -> None:
    live = [shop.policy("db", CLOSED), shop.policy("web", {**TO_WEB, "policyTypes": ["Ingress"]})]
    done = step(shop, {"db": CLOSED, "web": TO_WEB}, *live)
    assert done.gates == done.stale_allows == done.stale_denies == ()


def test_a_policy_for_other_pods_than_before_has_gates_for_both(shop: Any) -> None:
    live = shop.policy("one", CLOSED, set_name="set")
    done = step(shop, {"one": {**CLOSED, "podSelector": WEB}}, live)
    assert gates(done) == {"app notin (postgres)", "app notin (frontend)"}


def test_what_is_no_longer_declared_goes_with_what_closes_first(shop: Any) -> None:
    live = [shop.policy("web", TO_WEB, set_name="set"), shop.policy("deny", ALL_CLOSED, set_name="set")]
    done = plan_removal(["shop"], shop.facts(policies={"shop": tuple(live)}), "set")["shop"]
    assert names(done.stale_denies) == ["deny"]
    assert names(done.stale_allows) == ["web"]
    assert gates(done) == {""}


def test_a_policy_of_another_set_is_refused_as_what_it_is(shop: Any) -> None:
    done = planned(shop, {"policies": {"web": TO_WEB}}, shop.policy("web", TO_WEB, set_name="other"))
    assert "shop" not in done.steps
    (finding,) = refusals(done, False)
    assert finding.control == "network.flows"
    assert finding.evidence.startswith("the NetworkPolicies are refused, nothing is written: NetworkPolicy/shop/web")


def test_declared_policies_alone_are_judged_by_being_in_place(shop: Any) -> None:
    said = {"policies": {"web": TO_WEB}}
    there = shop.policy("web", {**TO_WEB, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 8080}]}]})
    assert found(shop, said, there)["default_deny"].status == "not_applicable"
    assert found(shop, said, there)["flows"].status == "pass"
    missing = found(shop, said)["flows"]
    assert (missing.status, missing.evidence) == ("fail", "NetworkPolicy/shop/web is missing")
    other = found(shop, said, shop.policy("web", CLOSED))["flows"]
    assert (other.status, "says something else" in other.evidence) == ("fail", True)


def test_a_policy_for_nobody_is_told(shop: Any) -> None:
    spec = {**CLOSED, "podSelector": {"matchLabels": {"app": "gone"}}}
    finding = found(shop, {"policies": {"gone": spec}}, shop.policy("gone", spec))["flows"]
    assert finding.status == "pass"
    assert "NetworkPolicy/shop/gone selects no workload that is there" in finding.evidence


def test_a_declared_allow_is_nobody_elses(shop: Any) -> None:
    said = {"default_deny": ["ingress"], "policies": {"db": OPEN}}
    deny = shop.policy("hardening-default-deny", ALL_CLOSED, set_name="set")
    mine = found(shop, said, deny, shop.policy("db", OPEN))["default_deny"]
    assert mine.status == "unknown"
    assert "not of this set" not in mine.evidence
    foreign = found(shop, {"default_deny": ["ingress"]}, deny, shop.policy("db", OPEN))["default_deny"]
    assert foreign.status == "fail"
    assert "opens all ingress of Deployment/shop/postgres" in foreign.evidence


def test_a_policy_of_the_same_name_that_opens_something_else_is_a_foreign_one(shop: Any) -> None:
    said = {"default_deny": ["ingress"], "policies": {"db": CLOSED}}
    deny = shop.policy("hardening-default-deny", ALL_CLOSED, set_name="set")
    finding = found(shop, said, deny, shop.policy("db", OPEN))["default_deny"]
    assert finding.status == "fail"


def test_a_declared_policy_that_opens_everything_to_every_pod_is_no_default_deny(shop: Any) -> None:
    said = {"default_deny": ["ingress"], "policies": {"all": {**OPEN, "podSelector": {}}}}
    deny = shop.policy("hardening-default-deny", ALL_CLOSED, set_name="set")
    finding = found(shop, said, deny, shop.policy("all", {**OPEN, "podSelector": {}}))["default_deny"]
    assert (finding.status, "opens all ingress of every pod" in finding.evidence) == ("fail", True)


def test_a_flow_is_open_at_an_end_that_a_declared_policy_opens(shop: Any) -> None:
    flow = {"from": {"app": "backend"}, "to": {"pods": {"app": "postgres"}, "namespace": "data"}, "ports": [5432]}
    said = {"default_deny": ["egress"], "accept_risks": ["dns"], "allow": [flow]}
    database = shop.deployment("postgres", ("db", 5432, "TCP"), namespace="data")
    from_shop = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}
    opened = {"podSelector": DATABASE, "ingress": [{"from": [from_shop]}]}
    closed = shop.policy("db", CLOSED, namespace="data")
    facts = shop.facts(policies={"data": (closed,)}, workloads=workloads(shop, database))
    for policies, wrong in (({}, True), ({"db": opened}, False), ({"also": opened}, False)):
        settings = shop.settings(said, data={"policies": policies})
        findings = judge(settings, plan(settings, facts, "set"), facts, "set", {})
        (flows,) = (each for each in findings if (each.control, each.subject) == ("network.flows", "Namespace/shop"))
        assert ("is closed by NetworkPolicy/data/db" in flows.evidence) is wrong


def workloads(shop: Any, *more: dict[str, Any]) -> dict[str, Any]:
    return {"shop": shop.workloads(), "data": workloads_of([], list(more))}
