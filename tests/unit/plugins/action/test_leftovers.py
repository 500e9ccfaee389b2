# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a set left of a part of which nothing is said any more: an audit may not pass over it."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import rbac_info, resource_limits_info

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api

from .conftest import Perform

RBAC = "apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        server.store("namespaces", "", "shop")
        yield server


@pytest.mark.parametrize(
    ("module", "part", "plural", "root"),
    [
        (rbac_info, "rbac", "rolebindings", RBAC),
        (resource_limits_info, "resource_limits", "resourcequotas", "api/v1"),
    ],
)
def test_what_a_set_left_is_found_though_nothing_is_said(
    perform: Perform, api: FakeApi, module: ModuleType, part: str, plural: str, root: str
) -> None:
    def found() -> set[tuple[str, str, str]]:
        told = perform(module, host=api.url, api_key="good", set="prod")
        return {(each["control"], each["subject"], each["status"]) for each in told["findings"]}

    assert found() == {("policy.leftovers", "Set/prod", "pass")}
    live = api.store(plural, "shop", "left", root)
    live["metadata"] |= {
        "labels": {"hardening.kubernetes/set": "prod"},
        "managedFields": [{"manager": f"hardening.kubernetes/{part}"}],
    }
    assert found() == {("policy.leftovers", "Namespace/shop", "fail")}
    api.forbidden = lambda _method, at: at.plural == plural
    assert found() == {("policy.leftovers", "Set/prod", "unknown")}
    assert perform(module, host=api.url, api_key="good")["findings"] == []


def test_a_limit_to_namespaces_forgets_nothing_that_is_said_of_the_cluster(perform: Perform, api: FakeApi) -> None:
    for name, user in (("kept", "bob"), ("granted", "jane"), ("foreign", "mallory")):
        subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
        role = {"kind": "ClusterRole", "name": "admin"}
        api.store("clusterrolebindings", "", name, RBAC, roleRef=role, subjects=[subject])
    api.store("clusterroles", "", "admin", RBAC, rules=[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])
    told = perform(
        rbac_info,
        host=api.url,
        api_key="good",
        namespaces={"shop": {"keep": [{"role_binding": "legacy"}]}},
        cluster={
            "grant": [{"cluster_role": "admin", "to": [{"user": "jane"}]}],
            "keep": [{"cluster_role_binding": "kept"}],
        },
        only=["shop"],
        timeout=0,
    )
    failing = [(each["control"], each["subject"]) for each in told["findings"] if each["status"] == "fail"]
    assert failing == [("access.undeclared", "ClusterRoleBinding/foreign")]
