# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which questions show that a grant is in force, or that nothing forbidden is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._demands import Cluster, Demand, demands
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._judge import Answers, judge, subject_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access, Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._to_come import ToCome

JANE = {"user": "jane", "groups": []}
PODS = {"resources": ["pods", "pods/log"], "verbs": ["get", "list"]}


def demand(said: dict[str, Any], cluster: Cluster, namespace: str = "shop") -> Demand:
    (one,) = demands(parse_settings(said, namespace), "policy", cluster)
    return one


def finding(one: Demand, allowed: Any, **more: Any) -> Any:
    replies = {each: allowed(each) for each in one.questions}
    return judge(one, Answers({"https://one": replies}, **more))


def yes(_question: Access) -> Reply:
    return Reply(allowed=True)


def no(_question: Access) -> Reply:
    return Reply()


def test_every_permission_of_a_role_that_is_made_is_asked_for_every_subject(served: Served) -> None:
    said = {"grant": [{"role": "a", "rules": [{**PODS, "names": ["x", "y"]}], "to": [JANE, {"group": "ops"}]}]}
    one = demand(said, Cluster(served))
    assert len(one.questions) == 2 * 2 * 2 * 2
    assert {each.namespace for each in one.questions} == {"shop"}
    assert {(each.resource, each.subresource) for each in one.questions} == {("pods", ""), ("pods", "log")}
    assert finding(one, yes).status == "pass"


def test_a_permission_that_is_not_there_fails_and_is_named(served: Served) -> None:
    one = demand({"grant": [{"role": "a", "rules": [PODS], "to": [JANE]}]}, Cluster(served))
    seen = finding(one, lambda question: Reply(allowed=question.verb == "get"))
    assert seen.status == "fail"
    assert "User jane may not list pods in shop" in seen.evidence


def test_rules_about_what_the_server_does_not_have_fail_though_they_are_granted(served: Served) -> None:
    rules = [{"resources": ["deployments"], "verbs": ["get"]}]
    one = demand({"grant": [{"role": "a", "rules": rules, "to": [JANE]}]}, Cluster(served))
    seen = finding(one, yes)
    assert seen.status == "fail"
    assert "no resource deployments in the API group core; there are deployments in apps" in seen.evidence


def test_of_several_groups_and_resources_each_has_to_find_one_of_the_others(served: Served) -> None:
    def seen(groups: list[str], resources: list[str]) -> Any:
        rules = [{"api_groups": groups, "resources": resources, "verbs": ["get"]}]
        return finding(demand({"grant": [{"role": "a", "rules": rules, "to": [JANE]}]}, Cluster(served)), yes)

    assert seen(["", "apps"], ["pods", "deployments", "pods/log"]).status == "pass"
    assert "no resource pod " in seen(["", "apps"], ["pod", "deployments"]).evidence
    assert "in the API group extensions" in seen(["apps", "extensions"], ["deployments"]).evidence
    assert "no subresource pods/lgo" in seen([""], ["pods", "pods/lgo"]).evidence


def test_where_resources_may_not_be_listed_nothing_passes() -> None:
    said = {"grant": [{"role": "a", "rules": [PODS], "to": [JANE]}]}
    assert finding(demand(said, Cluster(None)), yes).status == "unknown"
    forbidden = {"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}]}
    assert finding(demand(forbidden, Cluster(None)), no).status == "unknown"


def test_of_a_foreign_role_one_resource_of_each_rule_is_asked(served: Served) -> None:
    rules = [
        {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "list"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]
    cluster = Cluster(served, {("ClusterRole", "", "view"): {"rules": rules}})
    one = demand({"grant": [{"cluster_role": "view", "to": [JANE]}]}, cluster)
    assert [str(each) for each in one.questions] == ["get pods in shop", "list pods in shop"]
    assert "one resource of each rule" in finding(one, yes).evidence


def test_a_role_that_is_not_there_fails_and_one_that_is_not_seen_is_unknown(served: Served) -> None:
    said = {"grant": [{"cluster_role": "viw", "to": [JANE]}]}
    missing = demand(said, Cluster(served, {("ClusterRole", "", "view"): {}}))
    assert finding(missing, yes).status == "fail"
    assert "did you mean view?" in finding(missing, yes).evidence
    unseen = demand(said, Cluster(served, unseen={"ClusterRole": "no permission"}))
    assert (finding(unseen, yes).status, finding(unseen, yes).proof) == ("unknown", "none")


def test_a_wildcard_that_must_not_be_had_is_asked_piece_by_piece(served: Served) -> None:
    said = {"must_not": [{"who": JANE, "verbs": ["*"], "resources": ["secrets"]}]}
    verbs = {each.verb for each in demand(said, Cluster(served)).questions}
    assert {"get", "watch", "create", "patch", "deletecollection"} <= verbs
    assert "*" not in verbs
    everything = demand({"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["*"]}]}, Cluster(served))
    assert {("pods", "exec"), ("secrets", ""), ("deployments", "scale")} <= {
        (each.resource, each.subresource) for each in everything.questions
    }


def test_what_must_not_be_had_is_asked_in_each_group_that_has_it(served: Served) -> None:
    said = {"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["events", "deployments"]}]}
    assert {(each.group, each.resource) for each in demand(said, Cluster(served)).questions} == {
        ("", "events"),
        ("events.k8s.io", "events"),
        ("apps", "deployments"),
    }


def test_an_object_that_a_role_names_is_asked_about_by_its_name(served: Served) -> None:
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["db"], "verbs": ["get"]}
    roles = {
        ("Role", "shop", "a"): {"rules": [rule]},
        ("Role", "other", "b"): {"rules": [{**rule, "resourceNames": ["x"]}]},
    }
    said = {"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}]}
    one = demand(said, Cluster(served, roles))
    assert [each.name for each in one.questions] == ["", "db"]
    assert finding(one, lambda question: Reply(allowed=question.name == "db")).status == "fail"


def test_a_wildcard_of_urls_is_asked_by_each_that_roles_name(served: Served) -> None:
    roles = {
        ("ClusterRole", "", "debugger"): {"rules": [{"nonResourceURLs": ["/debug/pprof", "/x"], "verbs": ["get"]}]}
    }
    said = {"must_not": [{"who": JANE, "verbs": ["get"], "urls": ["/debug/*"]}]}
    one = demand(said, Cluster(served, roles), namespace="")
    assert [each.url for each in one.questions] == ["/debug/*", "/debug/pprof"]
    assert demand(said, Cluster(served, unseen={"ClusterRole": "no permission"}), namespace="").unseen


def test_a_wildcard_of_verbs_is_asked_by_each_that_roles_say_as_well(served: Served) -> None:
    rule = {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["commandeer", "*"]}
    said = {"must_not": [{"who": JANE, "verbs": ["*"], "resources": ["nodes"]}]}
    one = demand(said, Cluster(served, {("ClusterRole", "", "x"): {"rules": [rule]}}))
    asked = {each.verb for each in one.questions}
    assert {"get", "deletecollection", "commandeer"} <= asked
    assert "*" not in asked


def test_what_only_authorizers_know_can_be_granted_and_forbidden(served: Served) -> None:
    rule = {"verbs": ["impersonate"], "resources": ["users"]}
    granted = {"grant": [{"cluster_role": "a", "rules": [rule], "to": [JANE]}]}
    assert demand(granted, Cluster(served), namespace="").wrong == ()
    denied = demand({"must_not": [{"who": JANE, **rule}]}, Cluster(served), namespace="")
    assert finding(denied, no).status == "pass"


def test_what_is_in_no_namespace_is_asked_about_once(served: Served) -> None:
    said = {"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["nodes"]}]}
    for namespace in ("", "shop"):
        one = demand(said, Cluster(served, namespaces=["shop", "web"]), namespace=namespace)
        assert [each.namespace for each in one.questions] == [""]


def test_a_wildcard_of_subresources_gives_nothing(served: Served) -> None:
    rules = [{"resources": ["pods/*", "secrets"], "verbs": ["get"]}]
    one = demand({"grant": [{"role": "a", "rules": rules, "to": [JANE]}]}, Cluster(served))
    assert one.wrong == ("pods/* gives nothing: name the subresources, like pods/log",)


def test_what_is_forbidden_in_the_cluster_is_forbidden_in_each_namespace(served: Served) -> None:
    said = {"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}]}
    one = demand(said, Cluster(served, namespaces=["shop", "web"]), namespace="")
    assert [each.namespace for each in one.questions] == ["", "shop", "web"]
    unseen = demand(said, Cluster(served, unseen={"namespaces": "no permission"}), namespace="")
    assert finding(unseen, no).status == "unknown"


@pytest.mark.parametrize(
    ("who", "status"),
    [(JANE, "pass"), ({"user": "jane"}, "unknown"), ({"group": "ops"}, "pass"), ({"service_account": "bot"}, "pass")],
)
def test_a_denial_passes_only_where_no_other_group_may_bring_more(
    served: Served, who: dict[str, Any], status: str
) -> None:
    said = {"must_not": [{"who": who, "verbs": ["get"], "resources": ["secrets"]}]}
    seen = finding(demand(said, Cluster(served)), no)
    assert seen.status == status
    assert "system:masters" in seen.evidence
    assert "system:authenticated" in seen.evidence


def test_a_forbidden_thing_that_is_allowed_fails_in_the_servers_words(served: Served) -> None:
    said = {"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}]}
    reason = 'RBAC: allowed by RoleBinding "leak/shop" of Role "r" to User "jane"'
    one = demand(said, Cluster(served))
    replies = {each: Reply(allowed=True, reason=reason) for each in one.questions}
    answers = Answers({"https://one": replies})
    seen = judge(one, answers, ToCome([], Cluster(served), {"RoleBinding/shop/leak"}))
    assert (seen.status, seen.would) == ("fail", "pass")
    assert "User jane may get secrets in shop" in seen.evidence
    assert "leak/shop" in seen.evidence
    assert judge(one, answers, ToCome([], Cluster(served), set())).would == "fail"


@pytest.mark.parametrize(
    ("rule", "to", "would"),
    [
        ({"resources": ["secrets"], "verbs": ["get"]}, JANE, "fail"),
        ({"resources": ["*"], "verbs": ["*"], "api_groups": ["*"]}, {"group": "system:authenticated"}, "fail"),
        ({"resources": ["secrets"], "verbs": ["get"], "names": ["db"]}, JANE, "pass"),
        ({"resources": ["secrets"], "verbs": ["list"]}, JANE, "pass"),
        ({"resources": ["secrets"], "verbs": ["get"], "api_groups": ["apps"]}, JANE, "pass"),
        ({"resources": ["secrets/status"], "verbs": ["get"]}, JANE, "pass"),
        ({"resources": ["secrets"], "verbs": ["get"]}, {"user": "bob"}, "pass"),
    ],
)
def test_a_preview_tells_of_a_grant_that_gives_what_is_forbidden(
    served: Served, rule: dict[str, Any], to: dict[str, Any], would: str
) -> None:
    grant = {"role": "a", "rules": [rule], "to": [to]}
    shop = parse_settings({"grant": [grant]}, "shop")
    one = demand({"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}]}, Cluster(served))
    answers = Answers({"https://one": {each: Reply() for each in one.questions}})
    seen = judge(one, answers, ToCome([shop], Cluster(served), set()))
    assert (seen.status, seen.would) == ("pass", would)
    assert ("the grant of Role a in shop will allow User jane to get secrets" in seen.evidence) is (would == "fail")


def test_what_nobody_can_have_is_no_proof_of_a_denial(served: Served) -> None:
    said = {"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secretz"]}]}
    seen = finding(demand(said, Cluster(served)), no)
    assert seen.status == "unknown"
    assert "did you mean secrets?" in seen.evidence


def test_a_question_without_an_answer_is_unknown(served: Served) -> None:
    one = demand({"grant": [{"role": "a", "rules": [PODS], "to": [JANE]}]}, Cluster(served))
    seen = finding(one, lambda _question: Reply(error="may not ask"))
    assert (seen.status, seen.proof) == ("unknown", "none")
    assert "may not ask" in seen.evidence


def test_a_server_that_was_not_asked_leaves_it_unknown(served: Served) -> None:
    one = demand({"grant": [{"role": "a", "rules": [PODS], "to": [JANE]}]}, Cluster(served))
    assert finding(one, yes, missed="https://two").status == "unknown"


def test_one_server_that_says_otherwise_is_named(served: Served) -> None:
    one = demand({"must_not": [{"who": JANE, "verbs": ["get"], "resources": ["secrets"]}]}, Cluster(served))
    by_server = {
        "https://one": {each: Reply() for each in one.questions},
        "https://two": {each: Reply(allowed=True) for each in one.questions},
    }
    seen = judge(one, Answers(by_server))
    assert seen.status == "fail"
    assert "at https://two" in seen.evidence


def test_service_accounts_that_are_missing_are_told() -> None:
    said = parse_settings({"grant": [{"role": "a", "to": [{"service_account": "reporter"}]}]}, "shop")
    there, missing, unseen = (
        subject_findings([said], accounts, "no permission", preview=False)[0]
        for accounts in ({"shop": {"reporter"}}, {"shop": {"reportr"}}, {})
    )
    assert [each.status for each in (there, missing, unseen)] == ["pass", "fail", "unknown"]
    assert missing.subject == "ServiceAccount/shop/reporter"
    assert "did you mean reportr?" in missing.evidence
