# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._migrations import GROUPS, unended

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, group

PLURAL = "storageversionmigrations"


def store(api: FakeApi, at: str, name: str, resource: dict[str, str], *conditions: tuple[str, str]) -> None:
    """A migration of a group, with conditions: their type and status."""
    api.kinds = [group(each, v1beta1=["StorageVersionMigration"]) for each in GROUPS]
    told = {"conditions": [{"type": kind, "status": said} for kind, said in conditions]} if conditions else {}
    api.store(PLURAL, "", name, f"apis/{at}/v1beta1", spec={"resource": resource}, status=told)


@pytest.mark.parametrize("at", GROUPS)
def test_a_migration_counts_until_it_says_that_it_has_ended(api: FakeApi, client: Client, at: str) -> None:
    secrets = {"resource": "secrets"}
    store(api, at, "new", secrets)
    store(api, at, "running", secrets, ("Running", "True"), ("Succeeded", "False"))
    store(api, at, "done", secrets, ("Running", "False"), ("Succeeded", "True"))
    store(api, at, "failed", secrets, ("Failed", "True"))
    told = list(unended(client, {"secrets"}))
    assert told == [(f"{PLURAL}.{at}/new", "secrets"), (f"{PLURAL}.{at}/running", "secrets")]


def test_a_migration_of_another_resource_is_nobodys_business(api: FakeApi, client: Client) -> None:
    store(api, GROUPS[0], "widgets", {"group": "example.com", "resource": "widgets"})
    assert not list(unended(client, {"secrets", "widgets"}))
    assert list(unended(client, {"widgets.example.com"})) == [(f"{PLURAL}.{GROUPS[0]}/widgets", "widgets.example.com")]


def test_a_server_that_has_no_migrations_is_asked_for_no_more_than_that(api: FakeApi, client: Client) -> None:
    assert not list(unended(client, {"secrets"}))
    assert [each.path for each in api.requests] == ["/apis"]


def test_migrations_that_may_not_be_listed_are_not_taken_for_none(api: FakeApi, client: Client) -> None:
    store(api, GROUPS[0], "secrets", {"resource": "secrets"})
    api.forbidden = lambda _method, at: at.plural == PLURAL
    with pytest.raises(Forbidden):
        list(unended(client, {"secrets"}))
