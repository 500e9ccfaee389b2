# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._answers import Bound, Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._limit_probes import (
    Breaking,
    Saying,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._outcomes import (
    Outcome,
    breaking_outcome,
    end,
    exceeding_outcome,
    fitting_outcome,
    is_settled,
    saying_outcome,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._quota_probes import Probe

NAME = "hardening-quota"
HARD = {"requests.cpu": Decimal(4), "pods": Decimal(9)}
CPU = {"requests.cpu": Decimal(5)}
PROBE = Probe(({"cpu": Decimal(5)},), ("requests.cpu",))
BOUND = Bound("Container", "maximum", "cpu", Decimal(2))
BREAKING = Breaking({"kind": "Pod"}, frozenset({BOUND}))
BARRED = Reply("not_permitted", "RBAC", 'User "jane" cannot create resource "pods"')
WEBHOOK = Reply("other", "the admission webhook w", "no")
PASS, FAIL = Outcome("pass", "seen"), Outcome("fail", "not seen")
ASIDE, UNKNOWN = Outcome("unknown", "another", aside=True), Outcome("unknown", "nobody")
LASTING = Outcome("unknown", "never", lasting=True)


def exceeded(quota: str = NAME, limited: int = 4, **more: Any) -> Reply:
    return Reply(
        "exceeded", f"the ResourceQuota {quota}", "words", quota, CPU, {}, {"requests.cpu": Decimal(limited)}, **more
    )


@pytest.mark.parametrize(
    ("answer", "less", "status", "told"),
    [
        (exceeded(), False, "pass", "exceeded quota: hardening-quota"),
        (exceeded(limited=3), False, "unknown", "not for requests.cpu"),
        (exceeded("hardening-quota-2"), False, "unknown", "the ResourceQuota hardening-quota-2 answered"),
        (Reply("admitted"), False, "fail", "is let in although the ResourceQuota hardening-quota is there"),
        (Reply("admitted"), True, "unknown", "a webhook changed the pod"),
        (Reply("status_unknown", "the ResourceQuota q", "words"), False, "unknown", "nobody has counted"),
        (Reply("failed", "the ResourceQuota q", "must specify"), False, "unknown", "the ResourceQuota q answered"),
        (Reply("limited", "a LimitRange of the namespace", "words"), False, "unknown", "a LimitRange of the namespace"),
        (WEBHOOK, False, "unknown", "the admission webhook w answered in place of the quota"),
        (BARRED, False, "unknown", "could not be tried"),
    ],
)
def test_only_a_refusal_by_our_quota_for_what_it_allows_is_proof(
    answer: Reply, less: bool, status: str, told: str
) -> None:
    outcome = exceeding_outcome(PROBE, HARD, answer, less)
    assert outcome.status == status
    assert told in outcome.evidence


def test_every_resource_that_is_exceeded_must_be_told() -> None:
    both = Probe(PROBE.containers, ("pods", "requests.cpu"))
    outcome = exceeding_outcome(both, HARD, exceeded(), False)
    assert (outcome.status, "not for pods" in outcome.evidence) == ("unknown", True)


@pytest.mark.parametrize(
    ("answer", "status"),
    [(Reply("admitted"), "pass"), (exceeded("other"), "pass"), (exceeded(), "unknown"), (WEBHOOK, "unknown")],
)
def test_a_pod_that_fits_is_not_refused_by_our_quota(answer: Reply, status: str) -> None:
    assert fitting_outcome(answer).status == status


@pytest.mark.parametrize(
    ("answer", "others", "status", "aside"),
    [
        (Reply("limited", bounds=frozenset({BOUND})), False, "pass", False),
        (Reply("limited", bounds=frozenset()), False, "fail", False),
        (Reply("limited", bounds=frozenset({Bound("Container", "maximum", "cpu", Decimal(1))})), True, "unknown", True),
        (Reply("admitted"), False, "fail", False),
        (exceeded("other"), False, "fail", False),
        (WEBHOOK, False, "unknown", False),
    ],
)
def test_only_the_words_of_the_limit_ranger_for_our_bounds_are_proof(
    answer: Reply, others: bool, status: str, aside: bool
) -> None:
    outcome = breaking_outcome(BREAKING, answer, others)
    assert (outcome.status, outcome.aside) == (status, aside)


@pytest.mark.parametrize(
    ("answer", "got", "status"),
    [
        (Reply("admitted"), "500m", "pass"),
        (Reply("admitted"), "1", "fail"),
        (Reply("limited", reason="minimum"), "500m", "fail"),
        (exceeded("other"), "500m", "unknown"),
    ],
)
def test_a_pod_that_says_nothing_gets_the_defaults(answer: Reply, got: str, status: str) -> None:
    kept = {"spec": {"containers": [{"resources": {"limits": {"cpu": got}}}]}}
    assert saying_outcome(Saying({}, {}, {"cpu": Decimal("0.5")}), kept, answer).status == status


@pytest.mark.parametrize(
    ("outcomes", "settled", "status"),
    [
        ([PASS, PASS], False, "unknown"),
        ([PASS, PASS, PASS], True, "pass"),
        ([FAIL, PASS, PASS, PASS], True, "pass"),
        ([PASS, ASIDE, PASS, ASIDE, PASS], True, "pass"),
        ([PASS, PASS, FAIL, PASS], False, "unknown"),
        ([PASS, PASS, UNKNOWN, PASS], False, "unknown"),
        ([PASS, PASS, PASS, FAIL], False, "fail"),
        ([PASS, PASS, ASIDE], False, "unknown"),
        ([FAIL], False, "fail"),
        ([PASS, LASTING], True, "unknown"),
    ],
)
def test_an_effect_has_to_be_seen_several_times(outcomes: list[Outcome], settled: bool, status: str) -> None:
    assert is_settled(outcomes) is settled
    assert end({"a": outcomes}).status == status


def test_the_worst_api_server_decides() -> None:
    told = end({"https://a": [PASS] * 3, "https://b": [FAIL, FAIL]})
    assert (told.status, told.evidence) == ("fail", "not seen at https://b (asked 2 times)")
    assert end({"a": [PASS] * 3, "b": [PASS] * 3}).evidence == "seen, 3 times in a row at each of 2 API servers"
