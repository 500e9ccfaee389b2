# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._running import (
    no_preview_finding,
    preview_findings,
    running_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    PodGroup,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import Submission

WANTED = Standard("restricted")
ADMITTED = Reply("admitted")
REFUSED = Reply("violates", WANTED, "Pod Security", "runAsNonRoot != true")
QUOTA = Reply("other", by="the ResourceQuota small", reason="exceeded quota: small")
BARRED = Reply("not_permitted", by="RBAC", reason='pods is forbidden: User "jane" cannot create resource "pods"')


POD = Submission("Deployment/shop/web", "shop", {}, {}, pods=3, first="web-1")
TEMPLATE = Submission("Deployment/shop/web", "shop", {}, {})
CRON = Submission("CronJob/shop/report", "shop", {}, {})


def test_all_let_in_passes_by_the_servers_word() -> None:
    (finding,) = running_findings("shop", WANTED, [(POD, ADMITTED), (TEMPLATE, ADMITTED), (CRON, ADMITTED)], True, "")
    assert (finding.subject, finding.status, finding.proof) == ("Namespace/shop", "pass", "server")
    assert "3 running pods and 2 pod templates" in finding.evidence


def test_let_in_means_nothing_where_the_server_was_not_seen_to_enforce() -> None:
    (finding,) = running_findings("shop", WANTED, [(POD, ADMITTED)], False, "")
    assert finding.status == "unknown"
    assert "not seen to judge" in finding.evidence


def test_a_refused_workload_is_named_once_with_the_reasons() -> None:
    (finding,) = running_findings("shop", WANTED, [(POD, REFUSED), (TEMPLATE, REFUSED), (CRON, ADMITTED)], True, "")
    assert (finding.subject, finding.status, finding.proof) == ("Deployment/shop/web", "fail", "server")
    assert finding.evidence == (
        "restricted:latest: running pod web-1 and 2 more would be refused: runAsNonRoot != true; "
        "the pod template would be refused: runAsNonRoot != true"
    )


def test_a_warning_of_the_level_counts_as_its_refusal() -> None:
    (finding,) = running_findings("shop", WANTED, [(CRON, Reply("warned", WANTED, "", "privileged"))], True, "")
    assert (finding.subject, finding.status) == ("CronJob/shop/report", "fail")


def test_who_answered_instead_makes_it_unknown_by_name() -> None:
    failed, unknown = running_findings("shop", WANTED, [(CRON, QUOTA), (POD, REFUSED)], True, "")
    assert (failed.subject, failed.status) == ("Deployment/shop/web", "fail")
    assert (unknown.subject, unknown.status) == ("CronJob/shop/report", "unknown")
    assert "the ResourceQuota small answered" in unknown.evidence


def test_what_may_not_be_asked_or_listed_is_unknown() -> None:
    barred, not_seen = running_findings("shop", WANTED, [(POD, BARRED), (CRON, BARRED)], True, "may not list jobs")
    assert {barred.status, not_seen.status} == {"unknown"}
    assert "jane" in barred.evidence and "create pods" in barred.remedy
    assert "may not list jobs" in not_seen.evidence


def test_nothing_listed_because_nothing_may_be_is_not_nothing_there() -> None:
    (finding,) = running_findings("shop", WANTED, [], True, "may not list pods")
    assert finding.status == "unknown"


def test_an_empty_namespace_has_nothing_to_comply() -> None:
    (finding,) = running_findings("shop", WANTED, [], True, "")
    assert finding.status == "not_applicable"
    (finding,) = preview_findings("shop", WANTED, ExistingPods(False, (), "", ()), {}, [], 0)
    assert finding.status == "not_applicable"


def test_the_preview_names_the_workloads_of_the_pods_that_would_be_refused() -> None:
    existing = ExistingPods(True, (PodGroup("web-1", 2, "privileged"), PodGroup("bare", 0, "host namespaces")), "", ())
    web, bare = preview_findings("shop", WANTED, existing, {"web-1": "Deployment/shop/web"}, [], 4)
    assert (web.subject, web.status, web.proof) == ("Deployment/shop/web", "fail", "server")
    assert web.evidence == "restricted:latest: running pod web-1 and 2 more would be refused: privileged"
    assert bare.subject == "Pod/shop/bare"


def test_the_preview_passes_only_if_all_was_judged() -> None:
    fine = ExistingPods(False, (), "", ())
    (finding,) = preview_findings("shop", WANTED, fine, {}, [], 4)
    assert (finding.status, finding.proof) == ("pass", "server")
    (cut,) = preview_findings("shop", WANTED, ExistingPods(False, (), "only checked", ()), {}, [], 4)
    assert (cut.status, "only checked" in cut.evidence) == ("unknown", True)
    (unasked,) = preview_findings("shop", WANTED, fine, {}, ["CronJob/shop/report"], 4)
    assert (unasked.status, "CronJob/shop/report" in unasked.evidence) == ("unknown", True)
    (unlisted,) = preview_findings("shop", WANTED, fine, {}, [], 0, "may not list pods")
    assert unlisted.status == "unknown"
    (nameless,) = preview_findings("shop", WANTED, ExistingPods(True, (), "", ()), {}, [], 4)
    assert (nameless.subject, nameless.status) == ("Namespace/shop", "fail")
    assert no_preview_finding("shop", "why", "remedy").status == "unknown"
