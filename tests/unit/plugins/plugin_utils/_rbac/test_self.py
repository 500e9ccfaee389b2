# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a run takes itself for before it takes bindings away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._self import stood_on

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api

GOING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "foreign", "namespace": "shop"},
}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


def test_what_the_user_stands_on_is_named(api: FakeApi) -> None:
    api.intercept = _as_jane
    live = api.store("rolebindings", "shop", "foreign", "apis/rbac.authorization.k8s.io/v1")
    client = connect({"host": api.url, "api_key": "good"})
    live["subjects"] = [{"kind": "User", "name": "bob"}]
    assert stood_on(client, [GOING]) == {}
    live["subjects"] = [{"kind": "Group", "name": "admins"}]
    assert "gives jane, who runs this, its own access" in stood_on(client, [GOING])["RoleBinding/shop/foreign"]


def test_whoever_is_not_told_who_he_is_takes_nothing_away(api: FakeApi) -> None:
    api.intercept = lambda request: (403, {"kind": "Status", "message": "No."}) if _is_review(request) else None
    with pytest.raises(KubeError, match="refused"):
        stood_on(connect({"host": api.url, "api_key": "good"}), [GOING])


def _is_review(request: Request) -> bool:
    return request.path.endswith("/selfsubjectreviews")


def _as_jane(request: Request) -> tuple[int, dict[str, Any]] | None:
    if not _is_review(request):
        return None
    return 201, {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "jane", "groups": ["admins"]}}}
