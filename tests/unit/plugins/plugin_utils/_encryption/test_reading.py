# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unreachable
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._reading import read_all

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, place
from tests.unit.plugins.plugin_utils._encryption.fake_server import UNREADABLE, FakeServer
from tests.unit.plugins.plugin_utils._encryption.fake_store import Reply


@pytest.fixture
def server(api: FakeApi) -> FakeServer:
    return FakeServer(api)


def test_every_object_is_read_by_a_request_of_its_own_that_names_no_version(server: FakeServer, client: Client) -> None:
    server.fill(60)
    told = read_all(client, "secrets")
    assert (told.read, told.decrypted, told.unreadable, told.is_proved) == (60, 60, (), True)
    asked = [each for each in server.api.requests if place(each.path).name]
    assert len(asked) == 60
    assert all(not each.query and "PartialObjectMetadata" in each.headers["Accept"] for each in asked)


def test_what_the_server_did_not_read_out_of_etcd_proves_nothing(server: FakeServer, client: Client) -> None:
    server.fill(3)
    server.cached = {"secret-0001"}
    told = read_all(client, "secrets")
    assert (told.read, told.decrypted, told.is_proved) == (3, 2, False)


def test_values_that_the_server_could_not_decrypt_meanwhile_are_no_proof(server: FakeServer, client: Client) -> None:
    server.fill(3)
    served = server.intercept

    def fail_elsewhere(request: Request) -> Reply | None:
        server.errors += bool(place(request.path).name)
        return served(request)

    server.api.intercept = fail_elsewhere
    told = read_all(client, "secrets")
    assert (told.read, told.decrypted, told.errors, told.is_proved) == (3, 3, 3, False)


def test_an_object_that_is_deleted_meanwhile_needs_no_proof(server: FakeServer, client: Client) -> None:
    server.fill(3)
    served = server.intercept

    def delete(request: Request) -> Reply | None:
        if place(request.path).name == "secret-0001":
            server.api.objects.pop(request.path, None)
        return served(request)

    server.api.intercept = delete
    told = read_all(client, "secrets")
    assert (told.read, told.gone, told.is_proved) == (2, 1, True)


def test_objects_that_cannot_be_decrypted_are_told_with_the_reason(server: FakeServer, client: Client) -> None:
    server.fill(4)
    server.unreadable = {"secret-0001", "secret-0003"}
    told = read_all(client, "secrets")
    assert told.unreadable == (("shop/secret-0001", UNREADABLE), ("shop/secret-0003", UNREADABLE))
    assert (told.read, told.unreadable_count, told.is_proved) == (2, 2, False)
    assert len([each for each in server.api.requests if place(each.path).name]) == 4


def test_a_server_that_is_not_there_is_told(api: FakeApi, client: Client) -> None:
    api.server.shutdown()
    api.server.server_close()
    with pytest.raises(Unreachable):
        read_all(client, "secrets", patience_seconds=0)
