# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import FORMER_WARN
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._templates import (
    Templates,
    judge_templates,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._trials import Place

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api, place, status

NAMESPACE = KNOWN["v1", "Namespace"]
SPEC = {"containers": [{"name": "report", "image": "report:1"}]}
WARNING = '299 - "would violate PodSecurity \\"baseline:latest\\": host namespaces (hostPID=true)"'


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        server.store("namespaces", "", "shop")["metadata"]["labels"] = {}
        server.store(
            "cronjobs",
            "shop",
            "report",
            "apis/batch/v1",
            spec={"jobTemplate": {"spec": {"template": {"spec": SPEC}}}},
        )
        yield server


def judge(api: FakeApi, may_write: bool = True) -> Templates:
    client = connect({"host": api.url, "api_key": "good"})
    live = {"shop": client.get(NAMESPACE, "shop") or {}}
    shop = Place.of(live["shop"], {"enforce": "baseline"})
    assert shop
    return judge_templates(client, [shop], live, running_in(client, ["shop"]), may_write, lambda _done, _total: None)


def look(api: FakeApi) -> list[Finding]:
    return judge(api).against["shop"]


def label(api: FakeApi, manager: str, **said: str) -> None:
    labels = {f"pod-security.kubernetes.io/{key.replace('_', '-')}": value for key, value in said.items()}
    metadata = api.objects["/api/v1/namespaces/shop"]["metadata"]
    metadata["labels"] = labels
    owned = {"f:metadata": {"f:labels": {f"f:{key}": {} for key in labels}}}
    metadata["managedFields"] = [
        {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": owned}
    ]


def patches(api: FakeApi) -> list[tuple[str, dict[str, Any]]]:
    """The field managers of what was written, and its metadata but for the name."""
    return [
        (each.query["fieldManager"], {key: body["metadata"].get(key, {}) for key in ("labels", "annotations")})
        for each, body in zip(api.requests, api.bodies, strict=True)
        if each.method == "PATCH"
    ]


def warn_labels(api: FakeApi) -> list[dict[str, Any]]:
    written = patches(api)
    assert {manager for manager, _said in written} == {"hardening.kubernetes/pod_security-preview"}
    return [said["labels"] for _manager, said in written]


LABELS = {"pod-security.kubernetes.io/warn": "baseline", "pod-security.kubernetes.io/warn-version": "latest"}


def test_a_template_that_would_be_refused_is_found_under_a_label_of_the_moment(api: FakeApi) -> None:
    api.warnings = [WARNING]
    (finding,) = look(api)
    assert (finding.status, finding.subject) == ("fail", "CronJob/shop/report")
    assert warn_labels(api) == [LABELS, {}]


def test_a_template_that_complies_is_no_hindrance(api: FakeApi) -> None:
    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        probes = sum(each.method == "POST" for each in api.requests)
        if request.method == "POST" and place(request.path).plural == "pods" and probes <= 3:
            words = 'pods "x" is forbidden: violates PodSecurity "baseline:latest": hostPID=true'
            return 403, status(403, "Forbidden", words)
        return None

    api.intercept = intercept
    assert look(api) == []
    assert warn_labels(api) == [LABELS, {}]


def test_a_label_of_others_is_left_alone(api: FakeApi) -> None:
    label(api, "kubectl-label", warn="privileged", warn_version="latest")
    (finding,) = look(api)
    assert finding.status == "unknown"
    assert "the label warn belongs to kubectl-label" in finding.evidence
    # The generic advice of a conflict, force_conflicts, would not help.
    assert (
        finding.remedy
        == "Set warn to baseline:latest there (kubectl label) before this run, or say on_violation: warn."
    )
    assert patches(api) == []


def test_a_refused_label_is_unknown(api: FakeApi) -> None:
    api.conflict = status(409, "Conflict", "conflict with kubectl: .metadata.labels.warn")
    (finding,) = look(api)
    assert finding.status == "unknown"
    assert "the label warn, set for a moment, could not be set" in finding.evidence
    assert len(patches(api)) == 4, "tried again as after a lost race, and nothing taken back that was not set"


def test_a_label_of_our_own_is_written_over_and_restored(api: FakeApi) -> None:
    label(api, MANAGER, enforce="privileged", enforce_version="latest", warn="restricted", warn_version="v1.30")
    before = dict(api.objects["/api/v1/namespaces/shop"]["metadata"]["labels"])
    api.warnings = [WARNING]
    (finding,) = look(api)
    assert finding.status == "fail"
    former = '{"pod-security.kubernetes.io/warn": "restricted", "pod-security.kubernetes.io/warn-version": "v1.30"}'
    assert patches(api) == [
        (MANAGER, {"labels": {**before, **LABELS}, "annotations": {FORMER_WARN: former}}),
        (MANAGER, {"labels": before, "annotations": {}}),
    ]


def test_a_server_that_leaves_in_between_makes_it_unknown(api: FakeApi) -> None:
    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        if request.method == "POST":
            return 401, status(401, "Unauthorized", "the token has expired")
        return None

    api.intercept = intercept
    (finding,) = look(api)
    assert (finding.status, "could not be judged" in finding.evidence) == ("unknown", True)
    assert warn_labels(api) == [LABELS, {}]


def test_where_nothing_may_be_written_the_template_is_unasked(api: FakeApi) -> None:
    templates = judge(api, may_write=False)
    assert templates.against == {"shop": []}
    (finding,) = templates.unasked["shop"]
    assert (finding.status, "CronJob/shop/report" in finding.evidence) == ("unknown", True)
    assert not {each.method for each in api.requests} - {"GET"}


def test_where_nothing_may_be_written_a_warning_of_the_level_is_enough(api: FakeApi) -> None:
    label(api, "kubectl-label", warn="baseline", warn_version="latest")
    api.warnings = [WARNING]
    templates = judge(api, may_write=False)
    assert ([each.status for each in templates.against["shop"]], templates.unasked) == (["fail"], {})
    assert patches(api) == []


def test_where_nothing_may_be_written_a_label_of_others_is_known_to_stand_in_the_way(api: FakeApi) -> None:
    label(api, "kubectl-label", warn="privileged", warn_version="latest")
    templates = judge(api, may_write=False)
    assert ([each.status for each in templates.against["shop"]], templates.unasked) == (["unknown"], {})


def test_what_may_not_be_listed_is_unknown(api: FakeApi) -> None:
    api.forbidden = lambda method, at: method == "GET" and at.plural == "cronjobs"
    (finding,) = look(api)
    assert (finding.status, "may not list cronjobs" in finding.evidence) == ("unknown", True)
    assert not any(each.method == "PATCH" for each in api.requests)
