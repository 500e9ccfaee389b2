# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._labelling import (
    expected,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import labels
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._look import look, see

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api, place, status

SETTINGS = {"enforce": "restricted"}
ENOUGH = 3


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


@pytest.fixture
def client(api: FakeApi) -> Client:
    return connect({"host": api.url, "api_key": "good"})


def enforce(api: FakeApi) -> None:
    """Refuse every probe that breaks the level: in each namespace all but the second pod that is submitted."""
    submitted: Counter[str] = Counter()

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        at = place(request.path)
        if request.method != "POST" or at.plural != "pods":
            return None
        submitted[at.namespace] += 1
        if submitted[at.namespace] == 2:
            return None
        words = 'pods "hardening-probe-" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
        return 403, status(403, "Forbidden", words)

    api.intercept = intercept


def seen(client: Client, names: list[str]) -> dict[str, list[Finding]]:
    options = {"namespaces": dict.fromkeys(names, SETTINGS), "selected": [], "default": {}, "exempt": [], "only": []}
    found = see(client, options)
    return look(client, found.live, found.resolution, 0.2, lambda _done, _total: None)


def slices(api: FakeApi, *addresses: str, port: int = 1) -> None:
    api.store(
        "endpointslices",
        "default",
        "kubernetes",
        "apis/discovery.k8s.io/v1",
        endpoints=[{"addresses": [address]} for address in addresses],
        ports=[{"name": "https", "port": port}],
    )


@pytest.mark.parametrize("foreign", [0, 300])
def test_the_budget_of_a_look_at_many_namespaces(api: FakeApi, client: Client, foreign: int) -> None:
    names = [f"shop-{i}" for i in range(50)]
    for name in names:
        stored = api.store("namespaces", "", name)
        stored["metadata"]["labels"] = labels(SETTINGS)
    for i in range(foreign):
        api.store("namespaces", "", f"foreign-{i}")
        api.store("pods", f"foreign-{i}", "pod", spec={"containers": []})
    enforce(api)
    findings = seen(client, names)
    assert {finding.status for each in findings.values() for finding in each} == {"pass", "not_applicable"}
    # Read once each: the server's version, namespaces, the API servers' addresses, pods and eight kinds of workloads.
    # Submitted are a pod that breaks the level three times and one that it allows once.
    assert api.counts() == {"LIST": 12, "POST": len(names) * (ENOUGH + 1)}
    assert all(each.query["dryRun"] == "All" for each in api.requests if each.method == "POST")


def test_nothing_passes_while_an_api_server_could_not_be_asked(api: FakeApi, client: Client) -> None:
    api.store("namespaces", "", "shop")["metadata"]["labels"] = labels(SETTINGS)
    slices(api, "127.0.0.1", "127.0.0.2")
    enforce(api)
    enforced = seen(client, ["shop"])["shop"][0]
    assert (enforced.status, bool(enforced.remedy)) == ("unknown", True)
    assert enforced.evidence.endswith(
        "not reachable from here at their own address, and so not asked: https://127.0.0.1:1, https://127.0.0.2:1"
    )


def test_a_lone_api_server_is_asked_as_it_is_configured(api: FakeApi, client: Client) -> None:
    api.store("namespaces", "", "shop")["metadata"]["labels"] = labels(SETTINGS)
    slices(api, "127.0.0.1")
    enforce(api)
    assert seen(client, ["shop"])["shop"][0].evidence.endswith("3 times in a row")


def test_what_may_not_be_read_is_told_and_nothing_passes_for_it(api: FakeApi, client: Client) -> None:
    api.store("namespaces", "", "shop")["metadata"]["labels"] = labels(SETTINGS)
    api.forbidden = lambda method, at: (
        method == "GET" and (at.plural in {"endpointslices", "cronjobs"} or (at.plural == "namespaces" and not at.name))
    )
    enforce(api)
    enforced, comply = seen(client, ["shop"])["shop"]
    assert enforced.status == "pass"
    assert "own addresses may not be read (list endpointslices in default)" in enforced.evidence
    assert (comply.status, "may not list cronjobs" in comply.evidence) == ("unknown", True)


def test_answers_that_change_are_asked_about_until_the_time_is_up(api: FakeApi, client: Client) -> None:
    api.store("namespaces", "", "shop")["metadata"]["labels"] = labels(SETTINGS)
    enforced = seen(client, ["shop"])["shop"][0]
    assert enforced.status == "fail"
    assert api.counts()["POST"] >= 2
    assert f"(asked {api.counts()['POST']} times)" in enforced.evidence


def answer_patches(api: FakeApi, wanted: str, *, plugin_on: bool = True) -> None:
    """Refuse a level that there is not, if the plugin is on, and every pod as a violation of ``wanted``, if any."""

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        at = place(request.path)
        if request.method == "PATCH" and plugin_on and not any(each.method == "PATCH" for each in api.requests[:-1]):
            return 422, status(422, "Invalid", "Invalid value: must be one of privileged, baseline, restricted")
        if request.method == "POST" and at.plural == "pods" and wanted:
            words = f'pods "hardening-probe-" is forbidden: violates PodSecurity "{wanted}": hostPID=true'
            return 403, status(403, "Forbidden", words)
        return None

    api.intercept = intercept


def run_one(api: FakeApi, **labels: str) -> None:
    api.store("namespaces", "", "shop")["metadata"]["labels"] = labels
    api.store("pods", "shop", "web", spec={"containers": [{"name": "web"}]})


def test_what_runs_is_compliant_by_the_servers_preview(api: FakeApi, client: Client) -> None:
    run_one(api)
    answer_patches(api, "")
    _enforced, comply = seen(client, ["shop"])["shop"]
    assert comply.status == "pass"


def test_an_exempt_namespace_is_neither_compliant_nor_mended_by_labels(api: FakeApi, client: Client) -> None:
    run_one(api)
    answer_patches(api, "")
    api.warnings = ['299 - "namespace \\"shop\\" is exempt from Pod Security, and the policy will be ignored"']
    enforced, comply = seen(client, ["shop"])["shop"]
    assert (enforced.status, comply.status) == ("fail", "unknown")
    assert "is exempt from Pod Security" in enforced.evidence
    assert "AdmissionConfiguration" in enforced.remedy
    assert expected(enforced, labels_would_be_set=True).would == "fail"


def test_a_plugin_that_is_off_previews_nothing(api: FakeApi, client: Client) -> None:
    run_one(api)
    answer_patches(api, "", plugin_on=False)
    enforced, comply = seen(client, ["shop"])["shop"]
    assert (enforced.status, comply.status) == ("fail", "unknown")
    assert "PodSecurity is off" in comply.evidence
    assert expected(enforced, labels_would_be_set=True).would == "fail"


def test_the_servers_own_default_counts_for_what_is_enforced_now(api: FakeApi, client: Client) -> None:
    run_one(api)
    answer_patches(api, "restricted:latest")
    options = {"namespaces": {"shop": {"enforce": "baseline"}}, "selected": [], "default": {}, "exempt": [], "only": []}
    found = see(client, options)
    look(client, found.live, found.resolution, 0.2, lambda _done, _total: None)
    # restricted:latest to baseline:latest is no change that the server would look at pods for.
    assert api.bodies[-1]["metadata"]["labels"] == {**labels({"enforce": "baseline", "version": "v1.36"})}


def test_a_running_pod_that_is_changed_when_submitted_again_is_not_called_compliant(
    api: FakeApi, client: Client
) -> None:
    run_one(api, **labels({"enforce": "restricted", "version": "v1.30"}))
    refused = 0

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        nonlocal refused
        if request.method == "PATCH":
            return 422, status(422, "Invalid", "Invalid value: must be one of privileged, baseline, restricted")
        if request.method != "POST" or place(request.path).plural != "pods":
            return None
        refused += 1
        if refused in (1, 3, 4):
            words = 'pods "hardening-probe-" is forbidden: violates PodSecurity "restricted:v1.30": runAsNonRoot'
            return 403, status(403, "Forbidden", words)
        mended = {"containers": [{"name": "web", "securityContext": {"privileged": False}}]}
        return 201, {"kind": "Pod", "metadata": {"name": "x"}, "spec": mended}

    api.intercept = intercept
    options = {
        "namespaces": {"shop": {"enforce": "restricted", "version": "v1.30"}},
        "selected": [],
        "default": {},
        "exempt": [],
        "only": [],
    }
    found = see(client, options)
    enforced, comply = look(client, found.live, found.resolution, 0.2, lambda _done, _total: None)["shop"]
    assert enforced.status == "pass", enforced
    assert comply.status == "unknown"
    assert "is changed by a mutating webhook or policy" in comply.evidence
