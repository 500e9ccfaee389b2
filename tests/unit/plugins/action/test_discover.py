# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of the file that discovery writes, and of a server that says little."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import discover

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api

from .conftest import Perform

DISCOVERY = {"kind": "APIGroupDiscoveryList", "items": []}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        if request.path in ("/api", "/apis"):
            return 200, DISCOVERY
        return (200, {"major": "1", "minor": "36"}) if request.path == "/version" else None

    with fake_api() as server:
        for name in ("shop", "kube-system"):
            server.store("namespaces", "", name)
        server.intercept = intercept
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.yml"


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(perform: Perform, api: FakeApi, file: Path) -> None:
    file.write_text("mine")
    told = perform(discover, host=api.url, api_key="good", path=str(file))
    assert told["failed"] and told["msg"].startswith(f"{file} is there already and was left as it is")
    assert not api.requests
    previewed = perform(discover, True, host=api.url, api_key="good", path=str(file), force=True)
    assert previewed["changed"] and file.read_text() == "mine" and "\n  shop:\n" in previewed["text"]
    told = perform(discover, host=api.url, api_key="good", path=str(file), force=True)
    assert (told["changed"], told["namespaces"], told["left_out"]) == (True, ["shop"], ["kube-system"])
    assert file.read_text() == previewed["text"]
    assert not perform(discover, host=api.url, api_key="good", path=str(file), force=True)["changed"]
    assert {each.method for each in api.requests} <= {"GET", "PATCH"}
    assert all(each.query["dryRun"] == "All" for each in api.requests if each.method == "PATCH")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"name": "Production"}, "name: 'Production' cannot be the name of a policy"),
        ({"only": [""]}, "only: '' is neither the name of a namespace nor a glob"),
        ({"only": ["shpo"]}, "only: there is no namespace shpo; did you mean shop?"),
        ({"path": "/nowhere/policy.yml"}, "/nowhere/policy.yml cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_meant_is_told(
    perform: Perform, api: FakeApi, file: Path, arguments: dict[str, Any], told: str
) -> None:
    seen = perform(discover, host=api.url, api_key="good", **{"path": str(file), **arguments})
    assert seen["failed"] and told in seen["msg"]
    assert not file.exists()


def test_what_may_not_be_read_is_said_where_it_would_stand(perform: Perform, api: FakeApi, file: Path) -> None:
    readable = {"namespaces", "resourcequotas", "limitranges"}
    api.store("resourcequotas", "shop", "team", spec={"hard": {"pods": "5"}})
    api.store("namespaces", "", "empty")
    api.forbidden = lambda method, at: method == "PATCH" or at.plural not in readable
    told = perform(discover, host=api.url, api_key="good", path=str(file))
    assert not told.get("failed"), told
    text = file.read_text()
    assert told["warnings"] == told["unseen"] and len(told["unseen"]) >= 4
    for what in (
        "    # access: Who has access here could not be read",
        "    resources: {quotas: {team: {hard: {pods: '5'}}}}",
        "NetworkPolicies could not be read",
        "\n  # empty: nothing is said of it.\n",
        "\n# cluster.access: ClusterRoleBindings could not be read",
    ):
        assert what in text, text


def test_whoever_may_read_nothing_gets_no_file(perform: Perform, api: FakeApi, file: Path) -> None:
    api.forbidden = lambda method, at: method == "PATCH" or at.plural != "namespaces"
    told = perform(discover, host=api.url, api_key="good", path=str(file))
    assert told["failed"] and told["msg"].startswith("Nothing of the cluster could be read")
    assert not file.exists()


def test_a_component_of_the_cluster_is_looked_at_only_by_its_name(perform: Perform, api: FakeApi, file: Path) -> None:
    arguments = {"host": api.url, "api_key": "good", "path": str(file)}
    assert perform(discover, True, **arguments, only=["kube-*"])["left_out"] == ["kube-system"]
    assert perform(discover, True, **arguments, only=["kube-system"])["namespaces"] == ["kube-system"]
