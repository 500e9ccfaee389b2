# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import pod_security, pod_security_info
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import PREVIEW_MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER, MARK
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import labels

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api, place, status

BASELINE = {"enforce": "baseline"}
SPEC = {"containers": [{"name": "report", "image": "report:1"}]}
WARN = {"pod-security.kubernetes.io/warn": "baseline", "pod-security.kubernetes.io/warn-version": "latest"}
WARNING = '299 - "would violate PodSecurity \\"baseline:latest\\": host namespaces (hostPID=true)"'

Perform = Callable[..., dict[str, Any]]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


@pytest.fixture
def run(api: FakeApi, perform: Perform) -> Perform:
    """Run a module against the fake server."""
    return lambda module, check=False, **arguments: perform(module, check, host=api.url, api_key="good", **arguments)


def namespace(api: FakeApi, name: str, said: dict[str, str], manager: str, cron_job: bool = False) -> None:
    metadata = api.store("namespaces", "", name)["metadata"]
    owned = {"f:metadata": {"f:labels": {f"f:{key}": {} for key in said}}}
    entry = {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": owned}
    metadata.update(labels=said, managedFields=[entry] if said else [])
    if cron_job:
        template = {"jobTemplate": {"spec": {"template": {"spec": SPEC}}}}
        api.store("cronjobs", name, "report", "apis/batch/v1", spec=template)


def _refuse_no_level(api: FakeApi, request: Request) -> tuple[int, dict[str, Any] | None] | None:
    if request.method == "PATCH" and "hardening-probe" in api.bodies[-1]["metadata"].get("labels", {}).values():
        return 422, status(422, "Invalid", "Invalid value: must be one of privileged, baseline, restricted")
    return None


def writes(api: FakeApi) -> list[tuple[str, str, dict[str, str]]]:
    """What was stored: namespaces, field managers and labels."""
    return [
        (place(each.path).name, each.query["fieldManager"], body["metadata"].get("labels", {}))
        for each, body in zip(api.requests, api.bodies, strict=True)
        if each.method == "PATCH" and not each.query.get("dryRun")
    ]


def would(told: dict[str, Any], control: str) -> list[tuple[str, str]]:
    return [(each["status"], each["would"]) for each in told["findings"] if each["control"] == control]


def test_check_mode_does_not_promise_what_templates_decide(api: FakeApi, run: Perform) -> None:
    namespace(api, "shop", {}, "", cron_job=True)
    api.intercept = lambda request: _refuse_no_level(api, request)
    told = run(pod_security, check=True, namespaces={"shop": BASELINE})
    assert would(told, "pod_security.enforced") == [("fail", "unknown")]
    assert would(told, "pod_security.running_comply") == [("unknown", "unknown")]
    (shop,) = told["objects"]
    assert (shop["action"], shop["verified"]) == ("updated", "unknown")
    assert any("pod templates without pods decide it: shop" in each for each in told["warnings"])
    told = run(pod_security_info, check=True, namespaces={"shop": {**BASELINE, "audit": "baseline"}}, timeout=0)
    assert would(told, "pod_security.enforced") == [("fail", "unknown")]
    assert would(told, "pod_security.reported") == [("fail", "unknown")]
    told = run(pod_security_info, check=True, namespaces={"shop": BASELINE}, timeout=0, on_violation="warn")
    assert would(told, "pod_security.enforced") == [("fail", "pass")]
    assert writes(api) == []


def test_check_mode_holds_back_what_the_server_would_refuse_already(api: FakeApi, run: Perform) -> None:
    namespace(api, "shop", WARN, "kubectl-label", cron_job=True)
    api.warnings = [WARNING]
    told = run(pod_security, check=True, namespaces={"shop": BASELINE})
    assert would(told, "pod_security.enforced") == [("fail", "fail")]
    (shop,) = told["objects"]
    assert (shop["action"], "verified" in shop) == ("unchanged", False)
    assert writes(api) == []


def test_the_label_that_a_killed_run_left_goes_where_nothing_else_changes(api: FakeApi, run: Perform) -> None:
    namespace(api, "shop", WARN, PREVIEW_MANAGER)
    settings = {"namespaces": {"shop": {"audit": "baseline"}}}
    preview = run(pod_security, check=True, **settings)
    assert (preview["changed"], writes(api)) == (True, [])
    told = run(pod_security, **settings)
    assert told["changed"]
    assert writes(api)[0] == ("shop", PREVIEW_MANAGER, {})


def test_the_label_that_a_killed_run_left_goes_where_the_namespace_is_held_back(api: FakeApi, run: Perform) -> None:
    namespace(api, "shop", WARN, PREVIEW_MANAGER, cron_job=True)
    api.warnings = [WARNING]
    told = run(pod_security, namespaces={"shop": BASELINE})
    assert (told["failed"], told["changed"]) == (True, True)
    assert writes(api) == [("shop", PREVIEW_MANAGER, said) for said in ({}, WARN, {})]


@pytest.mark.parametrize(
    "arguments", [{"namespaces": {"shop": {}}}, {"set": "production"}], ids=["named", "of a named set"]
)
def test_a_removal_takes_the_label_that_a_killed_run_left(
    api: FakeApi, run: Perform, arguments: dict[str, Any]
) -> None:
    namespace(api, "shop", WARN, PREVIEW_MANAGER)
    told = run(pod_security, state="absent", **arguments)
    assert (told["changed"], writes(api)) == (True, [("shop", PREVIEW_MANAGER, {})])


def test_a_label_of_the_moment_stays_on_namespaces_that_are_not_meant(api: FakeApi, run: Perform) -> None:
    namespace(api, "other", WARN, PREVIEW_MANAGER)
    namespace(api, "shop", labels(BASELINE), MANAGER)
    run(pod_security, namespaces={"shop": BASELINE})
    run(pod_security, state="absent", set="production", only=["shop"])
    assert not [each for each in writes(api) if each[0] == "other"]


@pytest.mark.parametrize("stored", [1, 3])
def test_what_was_written_is_told_when_the_token_expires_in_between(api: FakeApi, run: Perform, stored: int) -> None:
    namespace(api, "shop", {}, "")
    namespace(api, "former", {**labels(BASELINE), MARK: "production"}, MANAGER)

    def intercept(_request: Request) -> tuple[int, dict[str, Any] | None] | None:
        if len(writes(api)) > stored:
            return 401, status(401, "Unauthorized", "the token has expired")
        return None

    api.intercept = intercept
    wanted = {"shop": BASELINE, "new": {**BASELINE, "create": True}}
    told = run(pod_security, namespaces=wanted, set="production", on_violation="warn")
    # In this order: the new namespace is made, both are labelled, and the former one's labels are taken back.
    assert (told["failed"], told["changed"]) == (True, True)
    actions = {each["name"]: each["action"] for each in told["objects"]}
    if stored == 1:
        assert actions == {"former": "failed", "new": "failed", "shop": "failed"}
        assert "The namespace was created, but not labelled" in told["msg"]
    else:
        assert actions == {"former": "failed", "new": "created", "shop": "updated"}
