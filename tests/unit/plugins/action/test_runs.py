# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doors of records: bad input is one sentence, and a run that changes nothing leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import compare_runs, revert, run, runs_info
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import begun, intended
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import RecordFile

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, fake_api
from tests.unit.plugins.module_utils._record.objects import change, obj

from .conftest import Perform


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.chdir(tmp_path)
    with fake_api() as server:
        yield server


def act(perform: Perform, api: FakeApi, module: Any, **more: Any) -> dict[str, Any]:
    return perform(module, host=api.url, api_key="good", **more)


def test_a_run_begins_without_a_server_and_ends_without_a_trace(perform: Perform, api: FakeApi, tmp_path: Path) -> None:
    begun = act(perform, api, run, state="begun", about={"policy": "prod"})
    file = Path(begun["record"])
    assert file == tmp_path / f"hardening-runs/{begun['run']}.jsonl" and not begun["changed"]
    assert json.loads(file.read_text(encoding="utf-8"))["about"]["policy"] == "prod"
    ended = act(perform, api, run, state="ended", record=str(file), findings=[])
    assert (ended["kept"], ended["changed"]) == (False, False)
    assert not list(tmp_path.iterdir()) and not api.requests


def test_check_mode_begins_nothing(perform: Perform, api: FakeApi, tmp_path: Path) -> None:
    begun = act(perform, api, run, state="begun", check_mode=True)
    act(perform, api, run, state="ended", record=begun["record"], check_mode=True)
    assert not list(tmp_path.iterdir()) and not api.requests


def test_a_folder_that_cannot_be_made_is_a_warning(perform: Perform, api: FakeApi) -> None:
    begun = act(perform, api, run, state="begun", records="/proc/none")
    assert "The record cannot be written to /proc/none/run-" in begun["warnings"][0]
    assert begun["record"].startswith("/proc/none/run-") and not begun.get("failed")


@pytest.mark.parametrize(
    ("module", "arguments", "told"),
    [
        (run, {"state": "begun", "keep": 0}, "keep: at least one record has to be kept"),
        (revert, {"run": "latest", "only": ""}, "only: '' is neither the name of a namespace nor a glob"),
        (revert, {"run": "latest", "keep": 0}, "keep: at least one record has to be kept"),
        (revert, {"run": "latest"}, "There is no run that could be put back"),
        (revert, {"run": "run-1"}, "run: there is no record of a run run-1; there are none."),
        (revert, {"record": "absent.jsonl"}, "absent.jsonl cannot be read: No such file or directory."),
        (revert, {"record": "/proc/self/exe"}, "The record /proc/self/exe cannot be read: it is no text."),
        (compare_runs, {"from": "a", "to": "b"}, "run: there is no record of a run a"),
    ],
)
def test_bad_input_is_one_sentence(
    perform: Perform, api: FakeApi, module: Any, arguments: dict[str, Any], told: str
) -> None:
    result = act(perform, api, module, **arguments)
    assert result["failed"] and told in result["msg"]
    assert not [each for each in api.requests if each.method != "GET"]


def test_a_record_of_another_cluster_is_refused(perform: Perform, api: FakeApi, tmp_path: Path) -> None:
    about = {"cluster": "another", "server": "https://elsewhere"}
    RecordFile(tmp_path / "run-1.jsonl").append([begun("run-1", about), intended(change(None, obj({})), 1.0)])
    api.store("namespaces", "", "kube-system")
    told = act(perform, api, revert, record="run-1.jsonl")
    assert (
        told["failed"]
        and "The run run-1 wrote to another cluster, which it reached at https://elsewhere" in told["msg"]
    )
    assert not [each for each in api.requests if each.method != "GET"]


def test_where_records_may_not_be_read_that_is_said(perform: Perform, api: FakeApi) -> None:
    api.forbidden = lambda _method, at: at.plural == "configmaps"
    told = act(perform, api, runs_info)
    assert told["runs"] == [] and "The records in the cluster could not be read: The server" in told["warnings"][0]


def test_no_runs_are_an_empty_list(perform: Perform, api: FakeApi) -> None:
    assert act(perform, api, runs_info) == {"changed": False, "runs": []}
