# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import (
    objects as objects_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import Running
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._look import look, misfit
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import (
    SETTINGS_SPEC,
    Place,
    read,
    read_arguments,
    to_clear,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._rollout import carry_out

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api, place, status

SETTINGS = {"quota": {"requests.cpu": "4"}, "limits": {"container": {"max": {"cpu": "2"}, "min": {"cpu": "1m"}}}}
WORDS = 'pods "hardening-probe-x" is forbidden: '
EXCEEDED = (
    "exceeded quota: hardening-quota, requested: requests.cpu=4001m, used: requests.cpu=0, limited: requests.cpu=4"
)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


@pytest.fixture
def client(api: FakeApi) -> Client:
    return connect({"host": api.url, "api_key": "good"})


def said(**options: Any) -> dict[str, Any]:
    defaults = {name: spec["default"] for name, spec in SETTINGS_SPEC.items()}
    return read_arguments({**defaults, "timeout": 0.2, **options})


def in_force(api: FakeApi, name: str) -> None:
    """A namespace with what the settings ask for, as a server keeps it."""
    api.store("namespaces", "", name)
    default = {"cpu": "2"}
    item = {"type": "Container", **SETTINGS["limits"]["container"], "default": default, "defaultRequest": default}
    api.store("limitranges", name, "hardening-limits", spec={"limits": [item]})
    hard = SETTINGS["quota"]
    counted = {"hard": hard, "used": {"requests.cpu": "0"}}
    api.store("resourcequotas", name, "hardening-quota", spec={"hard": hard}, status=counted)


def enforce(api: FakeApi) -> None:
    """Refuse every probe that exceeds a quota: in each namespace all but the second pod that is submitted."""
    submitted: Counter[str] = Counter()

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        at = place(request.path)
        if request.method != "POST" or at.plural != "pods":
            return None
        submitted[at.namespace] += 1
        return None if submitted[at.namespace] == 2 else (403, status(403, "Forbidden", WORDS + EXCEEDED))

    api.intercept = intercept


def test_the_budget_of_a_look_at_many_namespaces(api: FakeApi, client: Client) -> None:
    names = [f"shop-{i}" for i in range(50)]
    for name in names:
        in_force(api, name)
    enforce(api)
    wanted = read(client, said(namespaces={name: {"quota": SETTINGS["quota"]} for name in names}))
    found = look(client, wanted.places, 0.2, lambda _done, _total: None)
    assert {each.control: each.status for each in found["shop-0"]} == {
        "resources.quota": "pass",
        "resources.quota_counted": "not_applicable",
        "resources.running_fit": "not_applicable",
    }, found["shop-0"]
    # Read once each: namespaces, LimitRanges, quotas, the API servers' addresses, pods and eight kinds of workloads.
    # Submitted are a pod that exceeds the quota three times, and once one that fits.
    assert api.counts() == {"LIST": 13, "POST": len(names) * 4}
    assert all(each.query["dryRun"] == "All" for each in api.requests if each.method == "POST")


def test_each_quota_and_limit_range_is_judged_by_its_name(api: FakeApi, client: Client) -> None:
    in_force(api, "shop")
    scoped = {"hard": {"pods": "5"}, "scopes": ["NotTerminating"]}
    api.store("resourcequotas", "shop", "later", spec=scoped, status={"hard": {"pods": "5"}, "used": {"pods": "0"}})
    enforce(api)
    limits = {"pod": {"max": {"cpu": "8"}}}
    settings = {"quota": SETTINGS["quota"], "quotas": {"later": scoped}, "limit_ranges": {"none": limits}}
    wanted = read(client, said(namespaces={"shop": settings}))
    found = look(client, wanted.places, 0.2, lambda _done, _total: None)["shop"]
    told = {(each.control, each.subject): each.status for each in found}
    assert told["resources.quota", "Namespace/shop"] == "pass"
    assert told["resources.quota_counted", "ResourceQuota/shop/later"] == "pass"
    assert told["resources.limits", "LimitRange/shop/none"] == "fail"
    assert ("resources.quota", "ResourceQuota/shop/later") not in told


def objects(name: str) -> list[dict[str, Any]]:
    return sorted(objects_of(name, SETTINGS), key=lambda each: str(each["kind"]), reverse=True)


def written(api: FakeApi, method: str) -> list[str]:
    return [place(each.path).plural for each in api.requests if each.method == method]


def test_a_limit_range_is_there_before_a_quota_and_goes_after_it(api: FakeApi, client: Client) -> None:
    api.store("namespaces", "", "shop")
    options = ApplyOptions(MANAGER, set_name="mine")
    done = carry_out(client, objects("shop"), [], options, lambda _done, _total: None)
    assert [(each.kind, each.action) for each in done] == [("LimitRange", "created"), ("ResourceQuota", "created")]
    assert written(api, "PATCH") == ["limitranges", "resourcequotas"]
    done = carry_out(client, [], objects("shop"), options, lambda _done, _total: None)
    assert [(each.kind, each.action) for each in done] == [("ResourceQuota", "deleted"), ("LimitRange", "deleted")]
    assert written(api, "DELETE") == ["resourcequotas", "limitranges"]


def test_without_its_limit_range_a_quota_is_not_set(api: FakeApi, client: Client) -> None:
    api.store("namespaces", "", "shop")
    api.forbidden = lambda method, at: method == "PATCH" and at.plural == "limitranges"
    done = carry_out(client, objects("shop"), [], ApplyOptions(MANAGER), lambda _done, _total: None)
    assert [each.action for each in done] == ["failed", "failed"]
    assert "the LimitRange that goes before it could not be set" in done[1].error
    assert "resourcequotas" not in written(api, "PATCH")


def test_a_limit_range_stays_where_its_quota_could_not_go(api: FakeApi, client: Client) -> None:
    options = ApplyOptions(MANAGER)
    api.store("namespaces", "", "shop")
    carry_out(client, objects("shop"), [], options, lambda _done, _total: None)
    api.forbidden = lambda method, at: method == "DELETE" and at.plural == "resourcequotas"
    done = carry_out(client, [], objects("shop"), options, lambda _done, _total: None)
    assert [each.action for each in done] == ["failed", "failed"]
    assert written(api, "DELETE") == ["resourcequotas"]


def test_what_may_not_be_read_is_unknown(api: FakeApi, client: Client) -> None:
    in_force(api, "shop")
    api.forbidden = lambda method, at: method == "GET" and at.plural == "resourcequotas"
    wanted = read(client, said(namespaces={"shop": SETTINGS}))
    found = look(client, wanted.places, 0.2, lambda _done, _total: None)["shop"]
    assert {each.status for each in found} == {"unknown"}
    assert all("resourcequotas" in each.evidence for each in found)
    with pytest.raises(HardeningError, match="Nothing was removed"):
        to_clear(client, said(namespaces={"shop": SETTINGS}))


def test_only_what_fitted_before_speaks_against_new_settings() -> None:
    pod = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "3"}}}]},
    }
    running = Running(pods=[pod])
    here = Place.of("shop", {"quota": {"requests.cpu": "2"}}, False)
    tight = misfit(here, running, {}).beyond(misfit(here, running, {}, kept=True))
    assert tight.refused.keys() == {"Pod/shop/web"}
    assert tight.overdrawn == {
        "ResourceQuota/shop/hardening-quota": ["3 of requests.cpu is used, and the quota hardening-quota allows 2"]
    }
    here.live["ResourceQuota"] = objects_of("shop", {"quota": {"requests.cpu": "1"}})
    looser = misfit(here, running, {}).beyond(misfit(here, running, {}, kept=True))
    assert (looser.refused, looser.overdrawn) == ({}, {})


def test_what_leaves_is_not_counted_upon() -> None:
    here = Place.of("shop", {"quota": {"requests.cpu": "2"}}, False)
    here.live["LimitRange"] = objects_of("shop", {"limits": SETTINGS["limits"]})
    assert here.limits()
    here.leaving = frozenset({("LimitRange", "hardening-limits")})
    assert here.limits() == []
    assert here.limits(kept=True)
