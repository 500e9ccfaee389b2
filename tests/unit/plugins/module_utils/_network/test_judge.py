# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Listener, workloads_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._judge import (
    failed_writes,
    judge,
    refusals,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import plan
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe import Verdict
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult

BOTH = ["ingress", "egress"]
SAID = {"default_deny": BOTH, "dns": True, "allow": [{"from": {"app": "frontend"}, "to": {"app": "backend"}}]}
PASSED = Verdict("pass", "tried it")


def applied(shop: Any, said: dict[str, Any], **facts: Any) -> tuple[dict[str, Any], ...]:
    made = plan(shop.settings(said), shop.facts(**facts), "set").desired["shop"].policies
    return tuple(shop.policy(each["metadata"]["name"], each["spec"], set_name="set") for each in made)


def judged(
    shop: Any, said: dict[str, Any], *live: Any, probe: Any = PASSED, preview: Any = None, **facts: Any
) -> dict[str, Finding]:
    settings, known = shop.settings(said), shop.facts(policies={"shop": live}, **facts)
    probed = {"shop": probe} if probe else {}
    found = judge(settings, plan(settings, known, "set"), known, "set", probed, preview)
    assert all(each.subject == "Namespace/shop" for each in found)
    return {each.control.removeprefix("network."): each for each in found}


def test_a_deny_that_was_tried_passes_by_effect(shop: Any) -> None:
    finding = judged(shop, SAID, *applied(shop, SAID))["default_deny"]
    assert (finding.status, finding.proof, finding.would) == ("pass", "effect", None)
    assert finding.evidence == (
        "ingress and egress denied for every pod by NetworkPolicy/shop/hardening-default-deny; tried it"
    )


def test_a_deny_that_was_not_tried_is_unknown(shop: Any) -> None:
    finding = judged(shop, SAID, *applied(shop, SAID), probe=None)["default_deny"]
    assert (finding.status, finding.proof) == ("unknown", "config")
    assert "probe: true" in finding.remedy


@pytest.mark.parametrize("status", ["fail", "unknown"])
def test_a_probe_that_did_not_pass_is_the_verdict(shop: Any, status: Any) -> None:
    probe = Verdict(status, "saw this", "do that")
    finding = judged(shop, SAID, *applied(shop, SAID), probe=probe)["default_deny"]
    assert (finding.status, finding.remedy) == (status, "do that")
    assert "saw this" in finding.evidence


def test_no_deny_is_a_failure_even_if_a_probe_passed(shop: Any) -> None:
    finding = judged(shop, SAID)["default_deny"]
    assert finding.status == "fail"
    assert "no NetworkPolicy denies ingress for every pod: Deployment/shop/frontend" in finding.evidence


def test_a_deny_of_the_present_pods_alone_is_a_failure(shop: Any) -> None:
    live = [
        shop.policy(name, {"podSelector": {"matchLabels": {"app": name}}})
        for name in ("frontend", "backend", "postgres")
    ]
    finding = judged(shop, {"default_deny": ["ingress"]}, *live)["default_deny"]
    assert "no NetworkPolicy denies ingress for every pod: pods to come are open" in finding.evidence


def test_a_foreign_deny_of_every_pod_counts(shop: Any) -> None:
    theirs = shop.policy("theirs", {"podSelector": {}})
    finding = judged(shop, {"default_deny": ["ingress"]}, theirs)["default_deny"]
    assert finding.status == "pass" and "by NetworkPolicy/shop/theirs" in finding.evidence


FRONTEND = {"matchLabels": {"app": "frontend"}}


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"podSelector": {}, "ingress": [{}]}, "fail"),
        ({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}, "fail"),
        ({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}, "fail"),
        ({"podSelector": FRONTEND, "ingress": [{}]}, "fail"),
        ({"podSelector": {"matchLabels": {"app": "nobody"}}, "ingress": [{}]}, "pass"),
        ({"podSelector": FRONTEND, "ingress": [{"ports": [{"port": 8080}]}]}, "pass"),
        ({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}, "fail"),
        ({"podSelector": {}, "egress": []}, "pass"),
    ],
)
def test_a_foreign_policy_that_opens_everything_is_a_failure_that_names_it(
    shop: Any, spec: dict[str, Any], status: str
) -> None:
    finding = judged(shop, SAID, *applied(shop, SAID), shop.policy("theirs", spec))["default_deny"]
    assert finding.status == status
    opens = bool(spec.get("ingress") or spec.get("egress"))
    said = any(
        f"NetworkPolicy/shop/theirs{told}" in finding.evidence for told in (" opens", ", not of this set, opens")
    )
    assert said is opens
    assert ("NetworkPolicy/shop/theirs" in finding.remedy) is (status == "fail")


@pytest.mark.parametrize(
    ("unreadable", "spec", "status"),
    [
        ({}, {"podSelector": {"matchLabels": {"app": "nobody"}}, "egress": [{}]}, "pass"),
        ({"Pod": "no pods for you"}, {"podSelector": {"matchLabels": {"app": "nobody"}}, "egress": [{}]}, "unknown"),
        ({"CronJob": "no pods for you"}, {"podSelector": {"matchLabels": {"app": "a"}}, "egress": [{}]}, "unknown"),
        ({"Pod": "no pods for you"}, {"podSelector": FRONTEND, "egress": [{}]}, "fail"),
        ({"Pod": "no"}, {"podSelector": FRONTEND, "egress": [{"ports": [{"port": 8080}]}]}, "pass"),
        ({"Pod": "no"}, {"podSelector": FRONTEND, "ingress": [{}]}, "pass"),
    ],
)
def test_pods_that_nobody_could_see_may_be_open(
    shop: Any, unreadable: dict[str, str], spec: dict[str, Any], status: str
) -> None:
    said = {"default_deny": ["egress"], "dns": True}
    live = (*applied(shop, said), shop.policy("theirs", spec))
    finding = judged(shop, said, *live, unreadable=unreadable)["default_deny"]
    assert finding.status == status
    assert judged(shop, said, *live, unreadable=unreadable, preview=True)["default_deny"].would == status
    assert ("no pods for you" in finding.evidence) is (status == "unknown")
    probe = Verdict("fail", "stayed open")
    assert judged(shop, said, *live, unreadable=unreadable, probe=probe)["default_deny"].status == "fail"


def test_a_foreign_policy_that_opens_all_for_nobody_is_told_as_it_is(shop: Any) -> None:
    theirs = shop.policy("theirs", {"podSelector": {"matchLabels": {"app": "nobody"}}, "ingress": [{}]})
    finding = judged(shop, SAID, *applied(shop, SAID), theirs)["default_deny"]
    assert "theirs, not of this set, opens all ingress of pods with app=nobody" in finding.evidence


def test_our_own_flow_for_some_pods_is_as_declared_and_for_all_pods_is_not(shop: Any) -> None:
    some = {**SAID, "allow": [{"from": {"any": True}, "to": {"app": "frontend"}}]}
    every = {**SAID, "allow": [{"from": {"any": True}, "to": {}}]}
    assert judged(shop, some, *applied(shop, some))["default_deny"].status == "pass"
    assert judged(shop, every, *applied(shop, every))["default_deny"].status == "fail"


@pytest.mark.parametrize(
    ("name", "selector", "whom"),
    [
        ("hardening-rollout-gate", {}, "every pod"),
        ("hardening-rollout-gate-1234abcd", FRONTEND, "Deployment/shop/frontend"),
        ("hardening-rollout-gate-1234abcd", {"matchLabels": {"app": "nobody"}}, "pods with app=nobody"),
    ],
)
def test_the_gate_that_a_crash_left_is_a_failure(shop: Any, name: str, selector: Any, whom: str) -> None:
    gate = shop.policy(name, {"podSelector": selector, "ingress": [{}]}, set_name="set")
    finding = judged(shop, SAID, *applied(shop, SAID), gate)["default_deny"]
    assert finding.status == "fail" and f"{name} opens all ingress of {whom}" in finding.evidence


def test_pods_on_the_host_network_are_told(shop: Any) -> None:
    workloads = {"shop": (*shop.workloads(), *workloads_of([], [shop.deployment("agent", hostNetwork=True)]))}
    finding = judged(shop, SAID, *applied(shop, SAID), workloads=workloads)["default_deny"]
    assert finding.status == "pass"
    assert "not provable for Deployment/shop/agent" in finding.evidence


def test_settings_that_deny_nothing_are_not_applicable(shop: Any) -> None:
    assert {name: each.status for name, each in judged(shop, {"dns": False}).items()} == {
        "default_deny": "not_applicable"
    }


def test_policies_that_could_not_be_read_are_unknown(shop: Any) -> None:
    found = judged(shop, SAID, unreadable={"NetworkPolicy": "not allowed to list networkpolicies"})
    assert {each.status for each in found.values()} == {"unknown"}
    assert "not allowed to list networkpolicies" in found["default_deny"].evidence


def test_flows_pass_with_their_policies_in_place(shop: Any) -> None:
    finding = judged(shop, SAID, *applied(shop, SAID))["flows"]
    assert (finding.status, finding.proof) == ("pass", "config")


def test_a_policy_that_is_missing_changed_or_left_over_is_told(shop: Any) -> None:
    dns, egress, _ingress, deny = applied(shop, SAID)
    changed = {**egress, "spec": {**egress["spec"], "egress": [{}]}}
    left = shop.policy("hardening-allow-old", {"podSelector": {}}, set_name="set")
    finding = judged(shop, SAID, dns, changed, deny, left)["flows"]
    assert finding.status == "fail"
    assert f"{changed['metadata']['name']} says something else" in finding.evidence
    assert "-ingress is missing" in finding.evidence
    assert "hardening-allow-old is no longer in the settings" in finding.evidence


def test_a_flow_that_names_nobody_is_a_failure(shop: Any) -> None:
    said = {**SAID, "allow": [{"from": {"app": "fronted"}, "to": {"app": "backend"}}]}
    finding = judged(shop, said, *applied(shop, said), preview=True)["flows"]
    assert (finding.status, finding.would) == ("fail", "fail")
    assert "no workload has the labels of {app: fronted}" in finding.evidence


def test_flows_of_an_empty_namespace_are_unknown(shop: Any) -> None:
    finding = judged(shop, SAID, *applied(shop, SAID, workloads={}), workloads={})["flows"]
    assert (finding.status, finding.proof) == ("unknown", "none")


@pytest.mark.parametrize(("kind", "status"), [("Pod", "unknown"), ("Deployment", "unknown"), ("CronJob", "unknown")])
def test_a_workload_that_may_be_where_nobody_could_look_is_unknown(shop: Any, kind: str, status: str) -> None:
    said = {**SAID, "allow": [{"from": {"app": "hidden"}, "to": {"app": "backend"}}]}
    live = applied(shop, said)
    said |= {"accept_risks": ["node_port"]}
    assert judged(shop, said, *live, unreadable={kind: "no"})["flows"].status == status


TO_SERVER = {**SAID, "allow": [{"from": {"app": "backend"}, "to": {"api_server": True}}]}


def test_flows_to_the_api_server_name_where_it_is(shop: Any) -> None:
    finding = judged(shop, TO_SERVER, *applied(shop, TO_SERVER))["api_server_addresses"]
    assert (finding.status, finding.proof) == ("pass", "config")
    assert "172.18.0.2" in finding.evidence


@pytest.mark.parametrize(
    "moved",
    [
        Listener(("172.18.0.9",), ((6443, "TCP"),)),
        Listener(("172.18.0.2", "172.18.0.9"), ((6443, "TCP"),)),
        Listener(("172.18.0.2",), ((443, "TCP"),)),
    ],
)
def test_api_servers_that_moved_are_a_failure(shop: Any, moved: Listener) -> None:
    found = judged(shop, TO_SERVER, *applied(shop, TO_SERVER), api_servers=(moved,), preview=True)
    finding = found["api_server_addresses"]
    assert (finding.status, finding.would) == ("fail", "pass")
    assert "names 172.18.0.2" in finding.evidence and moved.addresses[-1] in finding.evidence
    assert found["flows"].status == "pass"


def test_a_default_deny_that_would_break_something_is_refused(shop: Any) -> None:
    said = {"default_deny": ["egress"]}
    finding = judged(shop, said, *applied(shop, said))["default_deny"]
    assert finding.status == "fail"
    assert finding.evidence.startswith("the default deny is refused, nothing is written: ")
    assert list(judged(shop, said)) == ["default_deny"]
    assert refusals(plan(shop.settings(said), shop.facts(), "set"), preview=False) == [finding]


@pytest.mark.parametrize(
    ("said", "live", "preview", "would"),
    [
        (SAID, (), True, "pass"),
        (SAID, (), False, "unknown"),
        (SAID, ({"podSelector": {}, "ingress": [{}]},), True, "fail"),
        ({"default_deny": ["egress"]}, (), True, "fail"),
    ],
)
def test_check_mode_tells_what_to_expect(shop: Any, said: Any, live: Any, preview: bool, would: str) -> None:
    theirs = [shop.policy("theirs", spec) for spec in live]
    finding = judged(shop, said, *theirs, probe=None, preview=preview)["default_deny"]
    assert (finding.status, finding.would) == ("fail", would)


def test_what_could_not_be_written_is_a_failure_by_namespace_and_control() -> None:
    def result(name: str, action: Any, error: str = "") -> ObjectResult:
        return ObjectResult("networking.k8s.io/v1", "NetworkPolicy", "shop", name, action, {}, error=error)

    found = failed_writes(
        [
            result("hardening-allow-dns", "created"),
            result("hardening-allow-a", "failed", "denied by a webhook."),
            result("hardening-allow-b", "failed", "denied too."),
            result("hardening-default-deny", "failed", "not written."),
        ]
    )
    assert [(each.control, each.subject, each.status) for each in found] == [
        ("network.default_deny", "Namespace/shop", "fail"),
        ("network.flows", "Namespace/shop", "fail"),
    ]
    assert "hardening-allow-a: denied by a webhook." in found[1].evidence
    assert "hardening-allow-b: denied too." in found[1].evidence


OTHER = (("shop", "CiliumNetworkPolicy/shop/theirs"), ("data", "CiliumNetworkPolicy/data/x"))


@pytest.mark.parametrize("others", [OTHER, (("", "AdminNetworkPolicy/all"),)])
def test_policies_of_another_engine_are_named_and_leave_the_verdict_open(shop: Any, others: Any) -> None:
    finding = judged(shop, SAID, *applied(shop, SAID), other_policies=others)["default_deny"]
    assert finding.status == "unknown"
    assert others[0][1] in finding.evidence and "data/x" not in finding.evidence
    failed = judged(shop, SAID, *applied(shop, SAID), other_policies=others, probe=Verdict("fail", "stayed open"))[
        "default_deny"
    ]
    assert failed.status == "fail"


@pytest.mark.parametrize(
    "facts",
    [
        {"other_policies": OTHER},
        {"unreadable": {"policies of other engines": "not allowed to list ciliumnetworkpolicies"}},
    ],
)
def test_check_mode_expects_no_pass_beside_policies_of_another_engine(shop: Any, facts: Any) -> None:
    finding = judged(shop, SAID, probe=None, preview=True, **facts)["default_deny"]
    assert (finding.status, finding.would) == ("fail", "unknown")


def test_policies_of_another_engine_elsewhere_say_nothing(shop: Any) -> None:
    assert judged(shop, SAID, *applied(shop, SAID), other_policies=OTHER[1:])["default_deny"].status == "pass"


def test_other_engines_that_may_not_be_seen_leave_the_verdict_open(shop: Any) -> None:
    unreadable = {"policies of other engines": "not allowed to list ciliumnetworkpolicies"}
    finding = judged(shop, SAID, *applied(shop, SAID), unreadable=unreadable)["default_deny"]
    assert finding.status == "unknown" and "not allowed to list ciliumnetworkpolicies" in finding.evidence


def left_over(
    shop: Any, set_name: str = "set", *, prune: bool = True, preview: bool | None = None, **facts: Any
) -> list[Finding]:
    settings, known = shop.settings({}), shop.facts(**facts)
    return [
        each
        for each in judge(settings, plan(settings, known, set_name), known, set_name, {}, preview, prune=prune)
        if each.status != "not_applicable"
    ]


def test_what_the_set_left_where_no_settings_reach_is_a_failure(shop: Any) -> None:
    deny = shop.policy("hardening-default-deny", {"podSelector": {}}, namespace="gone", set_name="set")
    (finding,) = left_over(shop, left_over={"gone": (deny,)})
    assert (finding.control, finding.subject, finding.status) == ("policy.leftovers", "Namespace/gone", "fail")
    assert "NetworkPolicy/gone/hardening-default-deny" in finding.evidence and finding.would is None
    (finding,) = left_over(shop, preview=False, left_over={"gone": (deny,)})
    assert finding.would == "pass"
    assert left_over(shop, prune=False, left_over={"gone": (deny,)}) == []
    (finding,) = left_over(shop)
    assert (finding.subject, finding.status) == ("Set/set", "pass")


def test_a_set_without_a_name_may_be_anybodys_and_has_left_nothing(shop: Any) -> None:
    deny = shop.policy("hardening-default-deny", {"podSelector": {}}, namespace="gone", set_name="default")
    assert left_over(shop, "default", left_over={"gone": (deny,)}) == []


def test_what_the_set_left_and_nobody_may_see_is_unknown(shop: Any) -> None:
    (finding,) = left_over(shop, unreadable={"policies of this set": "not allowed to list networkpolicies"})
    assert (finding.subject, finding.status) == ("Set/set", "unknown")
    assert "not allowed to list networkpolicies" in finding.evidence


def test_addresses_in_policies_that_could_not_be_read_are_unknown(shop: Any) -> None:
    said = {"default_deny": ["egress"], "dns": True, "allow": [{"from": {}, "to": {"api_server": True}}]}
    found = judged(shop, said, unreadable={"NetworkPolicy": "not allowed to list networkpolicies"})
    assert {each.status for each in found.values()} == {"unknown"} and "api_server_addresses" in found
    assert "not allowed to list networkpolicies" in found["api_server_addresses"].evidence


def test_a_flow_whose_denied_end_is_elsewhere_claims_no_addresses(shop: Any) -> None:
    said = {"default_deny": ["ingress"], "allow": [{"from": {"app": "frontend"}, "to": {"api_server": True}}]}
    assert "api_server_addresses" not in judged(shop, said, *applied(shop, said))


def test_foreign_policies_that_are_not_named_are_counted(shop: Any) -> None:
    some = {"podSelector": {"matchLabels": {"app": "frontend"}}, "ingress": [{"ports": [{"port": 1}]}]}
    theirs = [shop.policy(f"theirs-{number}", some) for number in range(8)]
    assert "and 3 more" in judged(shop, SAID, *applied(shop, SAID), *theirs)["default_deny"].evidence


def test_an_api_server_whose_node_is_there_stays_in_the_policies(shop: Any) -> None:
    said = {
        "default_deny": ["egress"],
        "dns": True,
        "allow": [{"from": {"app": "backend"}, "to": {"api_server": True}}],
    }
    both = (Listener(("172.18.0.2", "172.18.0.3"), ((6443, "TCP"),)),)
    one = (Listener(("172.18.0.2",), ((6443, "TCP"),)),)
    live = applied(shop, said, api_servers=both)
    nodes = ("172.18.0.2", "172.18.0.3", "172.18.0.4")
    away = judged(shop, said, *live, api_servers=one, node_addresses=nodes)["api_server_addresses"]
    assert away.status == "pass" and "172.18.0.3 stays in them" in away.evidence
    gone = judged(shop, said, *live, api_servers=one, node_addresses=nodes[:1])["api_server_addresses"]
    assert gone.status == "fail"


def test_a_limit_judges_no_other_namespace(shop: Any) -> None:
    settings, facts = shop.settings(SAID, data={"default_deny": BOTH}), shop.facts()
    decided = plan(settings, facts, "set")
    whole = judge(settings, decided, facts, "set", {})
    assert {each.subject for each in whole} == {"Namespace/shop", "Namespace/data"}
    part = judge(settings, decided, facts, "set", {}, only=["shop"])
    assert part == [each for each in whole if each.subject == "Namespace/shop"]
