# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps before a key is dropped: what must be so, and that nothing is dropped where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Action, State, Step
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _carry_out
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._carry_out import carry_out
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._files import Writing
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._reading import Read

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, place
from tests.unit.plugins.plugin_utils._encryption.fake_server import FakeServer
from tests.unit.plugins.plugin_utils._encryption.fake_store import Reply
from tests.unit.plugins.plugin_utils._encryption.fake_walk import CORE, NEW, FakeNodes, context, seen

LIST = Step(Action.LIST, State.VERIFY, "", ("cp1",))
PROVED = {("cp1", "sha256:1", 1_000)}


@pytest.fixture
def server(api: FakeApi) -> FakeServer:
    api.kinds = [CORE]
    made = FakeServer(api)
    made.fill(3)
    return made


def failing_elsewhere(server: FakeServer) -> None:
    """From now on the server meets a value that it cannot decrypt whenever it reads an object."""
    served = server.intercept

    def intercept(request: Request) -> Reply | None:
        server.errors += bool(place(request.path).name)
        return served(request)

    server.api.intercept = intercept


def test_a_server_that_reads_everything_out_of_etcd_may_drop_a_key(server: FakeServer, client: Client) -> None:
    run = context(client)
    carry_out(run, seen({"cp1": client}), LIST)
    assert run.memory.listed == PROVED


def refused(run: Context, client: Client) -> str:
    with pytest.raises(HardeningError) as raised:
        carry_out(run, seen({"cp1": client}), LIST)
    assert not run.memory.listed
    return str(raised.value)


def test_a_server_that_cannot_read_an_object_drops_nothing(server: FakeServer, client: Client) -> None:
    server.unreadable = {"secret-0001"}
    told = refused(context(client), client)
    assert "cannot read 1 objects of secrets: shop/secret-0001" in told
    assert "Nothing more is dropped" in told


def test_a_server_that_answers_without_looking_into_etcd_drops_nothing(server: FakeServer, client: Client) -> None:
    server.cached = {"secret-0001"}
    assert "decrypted only 2 values" in refused(context(client), client)


def test_a_server_that_was_started_anew_meanwhile_is_asked_again(server: FakeServer, client: Client) -> None:
    server.cached = {"secret-0001"}
    run = context(client)
    carry_out(run, seen({"cp1": client}, {"cp1": Evidence("sha256:1", started_at=999)}), LIST)
    assert not run.memory.listed


def test_a_value_that_cannot_be_decrypted_is_doubted_once_and_then_refused(server: FakeServer, client: Client) -> None:
    failing_elsewhere(server)
    run = context(client)
    carry_out(run, seen({"cp1": client}), LIST)
    assert not run.memory.listed
    assert "3 values could not be decrypted" in refused(run, client)


def test_a_server_that_is_well_the_second_time_may_drop_a_key(server: FakeServer, client: Client) -> None:
    run = context(client)
    run.memory.doubted.add("cp1")
    carry_out(run, seen({"cp1": client}), LIST)
    assert run.memory.listed == PROVED


def test_objects_that_were_not_tried_are_not_taken_for_read(
    server: FakeServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_carry_out, "read_all", lambda *_arguments: Read(read=1, left=2, decrypted=1))
    assert "so 2 were not tried" in refused(context(client), client)


@pytest.mark.parametrize(
    ("state", "asked"),
    [(State.DROP_OLD, ["compact", "keep", "write"]), (State.WRITE_NEW, ["keep", "write"])],
    ids=["a key is dropped", "a key is added"],
)
def test_former_revisions_are_forgotten_before_a_key_is_dropped(
    client: Client, monkeypatch: pytest.MonkeyPatch, state: State, asked: list[str]
) -> None:
    def configuring(*_arguments: Any) -> Writing:
        return Writing([], [{"path": "/configuration"}], restarts=False)

    monkeypatch.setattr(_carry_out, "configuring", configuring)
    monkeypatch.setattr(_carry_out, "update_kubeadm", lambda *_arguments, **_options: None)
    nodes = FakeNodes(compact=lambda _arguments: 7)
    step = Step(Action.CONFIGURE, state, "", ("cp1",), {"cp1": {"secrets": (NEW,)}})
    carry_out(context(client, nodes), seen({"cp1": client}), step)
    assert nodes.asked == asked
