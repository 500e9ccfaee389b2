# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_running import running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_templates import template_findings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_trials import Place

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api, place, status

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


def look(api: FakeApi) -> list[Finding]:
    client = connect({"host": api.url, "api_key": "good"})
    shop = Place.of({"metadata": {"name": "shop"}}, {"enforce": "baseline"})
    assert shop
    return template_findings(client, [shop], running_in(client, ["shop"]), lambda _done, _total: None)["shop"]


def warn_labels(api: FakeApi) -> list[dict[str, Any]]:
    patches = [(each, body) for each, body in zip(api.requests, api.bodies, strict=True) if each.method == "PATCH"]
    assert {each.query["fieldManager"] for each, _body in patches} == {"hardening.kubernetes/pod_security-preview"}
    return [body["metadata"].get("labels", {}) for _each, body in patches]


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
    api.conflict = status(409, "Conflict", "conflict with kubectl: .metadata.labels.warn")
    (finding,) = look(api)
    assert finding.status == "unknown"
    assert "the pod templates could not be judged: the label warn could not be set" in finding.evidence


def test_what_may_not_be_listed_is_unknown(api: FakeApi) -> None:
    api.forbidden = lambda method, at: method == "GET" and at.plural == "cronjobs"
    (finding,) = look(api)
    assert (finding.status, "may not list cronjobs" in finding.evidence) == ("unknown", True)
    assert not any(each.method == "PATCH" for each in api.requests)
