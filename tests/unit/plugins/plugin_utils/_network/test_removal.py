# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a removal of network policies looks for them, against a server that may refuse to list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._removal import to_clear

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        for name in ("one", "two", "ending"):
            server.store("namespaces", "", name)
            obj = server.store("networkpolicies", name, "deny", "apis/networking.k8s.io/v1")
            labels = {"hardening.kubernetes/set": "shop"}
            obj["metadata"] |= {"labels": labels, "managedFields": [{"manager": MANAGER}]}
        server.objects["/api/v1/namespaces/ending"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        yield server


@pytest.fixture
def client(api: FakeApi) -> Client:
    return connect({"host": api.url, "api_key": "good"})


def said(**more: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"namespaces": {}, "selected": [], "default": {}, "exempt": [], "only": []}
    return {**options, "set": "shop", "prune": True, **more}


def test_a_named_set_is_found_wherever_it_is_without_any_settings(client: Client) -> None:
    assert to_clear(client, said()) == (["one", "two"], "")
    assert to_clear(client, said(only=["t*"])) == (["two"], "")


@pytest.mark.parametrize("more", [{"prune": False}, {"set": "default"}])
def test_any_other_is_removed_where_the_options_reach(client: Client, more: dict[str, Any]) -> None:
    assert to_clear(client, said(**more)) == ([], "")
    assert to_clear(client, said(namespaces={"one": {}}, **more)) == (["one"], "")


def test_who_may_not_look_everywhere_removes_what_is_named_and_is_told(api: FakeApi, client: Client) -> None:
    api.forbidden = lambda _method, at: at.plural == "networkpolicies" and not at.namespace
    names, unseen = to_clear(client, said(namespaces={"one": {}}))
    assert names == ["one"] and unseen.startswith("What the set shop has in namespaces that are not named stays: ")
    with pytest.raises(HardeningError, match="Nothing was removed, since no namespace is named"):
        to_clear(client, said())
