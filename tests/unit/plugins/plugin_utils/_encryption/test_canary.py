# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one server writes with a new key is tried before the others write with it, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Goal
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._canary import (
    NAME,
    NAMESPACE,
    canary_questions,
    try_canary,
)

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api
from tests.unit.plugins.plugin_utils._encryption.fake_store import Reply
from tests.unit.plugins.plugin_utils._encryption.fake_walk import NEW, OLD, FakeNodes, context, seen

PATH = f"/api/v1/namespaces/{NAMESPACE}/secrets/{NAME}"


class Store:
    """A server that keeps what is made through it; others read what it shows them."""

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.made = 0
        api.intercept = self.intercept
        api.store("namespaces", "", NAMESPACE)

    def intercept(self, request: Request) -> Reply | None:
        if request.method != "POST":
            return None
        self.made += 1
        body = self.api.bodies[-1]
        self.api.store("secrets", NAMESPACE, NAME, apiVersion="v1", kind="Secret")
        live = self.api.objects[PATH]
        live["metadata"] |= {"annotations": body["metadata"]["annotations"]}
        return 201, live

    @property
    def is_clean(self) -> bool:
        return PATH not in self.api.objects


@pytest.fixture
def store(api: FakeApi) -> Store:
    return Store(api)


@pytest.fixture
def other() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


def at(api: FakeApi) -> Client:
    return connect({"host": api.url, "api_key": "anything"})


def nodes(prefix: str) -> FakeNodes:
    return FakeNodes(prefix_at=lambda _arguments: prefix)


def test_it_is_written_read_looked_up_in_etcd_and_taken_away(store: Store, client: Client, other: FakeApi) -> None:
    other.objects = store.api.objects
    asked = nodes(NEW.prefix)
    try_canary(context(client, asked), seen({"cp1": client, "cp2": at(other)}), "cp1")
    assert store.made == 1
    assert asked.asked == ["prefix_at"]
    assert [each.path for each in other.requests if each.method == "GET"] == [PATH]
    assert store.is_clean


@pytest.mark.parametrize("prefix", [OLD.prefix, ""])
def test_a_server_that_does_not_write_with_the_new_key_is_told(store: Store, client: Client, prefix: str) -> None:
    with pytest.raises(HardeningError, match=f"and not with «{NEW.prefix}»"):
        try_canary(context(client, nodes(prefix)), seen({"cp1": client}), "cp1")
    assert store.is_clean


def test_a_server_that_does_not_read_it_is_told(store: Store, client: Client, other: FakeApi) -> None:
    with pytest.raises(HardeningError, match="The API server cp2 does not read what cp1 has written"):
        try_canary(context(client, nodes(NEW.prefix)), seen({"cp1": client, "cp2": at(other)}), "cp1")
    assert store.is_clean


def test_where_nothing_can_be_tried_nothing_is_made(store: Store, client: Client) -> None:
    goal = Goal({"deployments.apps": NEW})
    try_canary(replace(context(client), goal=goal), seen({"cp1": client}), "cp1")
    assert store.made == 0
    assert canary_questions(goal) == []


def test_what_is_asked_for_is_what_is_tried() -> None:
    asked = canary_questions(Goal({"configmaps": NEW}))
    assert [(each.verb, each.resource, each.namespace) for each in asked] == [
        ("create", "configmaps", NAMESPACE),
        ("delete", "configmaps", NAMESPACE),
    ]
