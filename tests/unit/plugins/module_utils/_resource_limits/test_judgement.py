# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits import _judgement as judgement
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._fit import Template
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._outcomes import Outcome

SEEN = Outcome("pass", "seen")
WEB = Template("Deployment/shop/web", "shop", {}, {})


def test_server_proof_alone_never_passes_for_what_a_pod_can_exceed() -> None:
    weak = judgement.effect_finding(judgement.QUOTA, "Namespace/shop", Outcome("pass", "status.hard", "server"), [], "")
    assert (weak.status, "needs proof by effect" in weak.evidence) == ("unknown", True)
    assert judgement.effect_finding(judgement.QUOTA, "Namespace/shop", SEEN, [], "").status == "pass"


def test_nothing_passes_while_an_api_server_was_not_asked() -> None:
    found = judgement.effect_finding(judgement.LIMITS, "Namespace/shop", SEEN, [], "https://b")
    assert (found.status, "not asked: https://b" in found.evidence) == ("unknown", True)


def test_what_is_counted_says_why_and_passes_by_the_servers_word() -> None:
    counted = {"pods": "a pod is only one of them", "services": "it is no resource of containers"}
    found = judgement.counted_finding("Namespace/shop", counted, [], ["requests.cpu"])
    assert (found.status, found.proof) == ("pass", "server")
    assert "pods (a pod is only one of them); services (it is no resource of containers)" in found.evidence
    assert "by effect, see resources.quota: requests.cpu" in found.evidence
    assert judgement.counted_finding("Namespace/shop", counted, ["pods"], []).status == "unknown"
    assert judgement.counted_finding("Namespace/shop", {}, [], ["cpu"]).status == "not_applicable"


def test_only_what_is_refused_for_itself_does_not_fit() -> None:
    room = Reply("exceeded", "q", "words", "q", {"cpu": Decimal(1)}, {"cpu": Decimal(4)}, {"cpu": Decimal(4)})
    alone = Reply("exceeded", "q", "words", "q", {"cpu": Decimal(5)}, {"cpu": Decimal(0)}, {"cpu": Decimal(4)})
    assert judgement.refusal_of(room) == ""
    assert judgement.refusal_of(alone) == "one alone asks for more cpu than q allows: words"
    assert judgement.refusal_of(Reply("failed", quota="q", reason="must specify")) == "failed quota: q: must specify"
    assert judgement.refusal_of(Reply("limited", reason="maximum")) == "maximum"


def test_what_runs_is_judged_one_by_one() -> None:
    other = Template("Deployment/shop/other", "shop", {}, {})
    answers = [(WEB, Reply("limited", reason="maximum")), (other, Reply("other", "Pod Security", "no"))]
    found = judgement.fit_findings("shop", answers, {}, {"ResourceQuota/shop/q": ["too much"]}, "", 1)
    assert {(each.subject, each.status) for each in found} == {
        ("Deployment/shop/web", "fail"),
        ("ResourceQuota/shop/q", "fail"),
        ("Deployment/shop/other", "unknown"),
    }


def test_what_could_not_be_seen_or_asked_is_unknown() -> None:
    (found,) = judgement.fit_findings("shop", [], {}, {}, "may not list pods", 0)
    assert (found.status, "may not list pods" in found.evidence) == ("unknown", True)
    (found,) = judgement.fit_findings("shop", [(WEB, Reply("not_permitted", reason="RBAC"))], {}, {}, "", 0)
    assert (found.status, "create pods" in found.remedy) == ("unknown", True)


def test_before_the_settings_are_in_force_nothing_passes_by_what_objects_say() -> None:
    (found,) = judgement.preview_findings("shop", {}, {}, 3, "")
    assert (found.status, found.proof) == ("unknown", "config")
    assert judgement.expected(found, held=False).would == "pass"
    (found,) = judgement.preview_findings("shop", {}, {}, 0, "")
    assert found.status == "not_applicable"


def test_in_check_mode_what_is_missing_will_be_there_unless_it_is_held_back() -> None:
    missing = judgement.absent_finding(
        judgement.QUOTA, "Namespace/shop", "ResourceQuota hardening-quota", False, ["ResourceQuota foreign"]
    )
    assert "there is no ResourceQuota hardening-quota; in force is ResourceQuota foreign" in missing.evidence
    assert judgement.expected(missing, held=False).would == "pass"
    assert judgement.expected(missing, held=True).would == "fail"
    by_effect = judgement.effect_finding(judgement.QUOTA, "Namespace/shop", Outcome("fail", "let in"), [], "")
    assert judgement.expected(by_effect, held=False).would == "fail"
    misfit = judgement.preview_findings("shop", {"Deployment/shop/web": ["maximum"]}, {}, 1, "")[0]
    assert judgement.expected(misfit, held=True).would == "fail"
