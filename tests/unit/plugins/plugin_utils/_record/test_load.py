# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which record is meant, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Entry,
    begun,
    ended,
    intended,
    reverted,
    run_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._pack import (
    about_of,
    config_map,
    entries_in,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._load import Records
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import RecordFile

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api
from tests.unit.plugins.module_utils._record.objects import change, obj

MAPS = "/api/v1/namespaces/hardening-kubernetes/configmaps"
MADE = obj({"a": 1})


def entries(name: str, day: int, *, outcome: bool = True, **about: str) -> list[Entry]:
    told = [begun(name, {"time": f"2027-03-{day:02}T00:00:00+00:00", **about}), intended(change(None, MADE), 1.0)]
    return [*told, ended("1", "done", MADE)] if outcome else told


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


@pytest.fixture
def cluster(api: FakeApi) -> list[dict[str, Any]]:
    """The ConfigMaps that the server has; it selects by labels as a server does."""
    maps: list[dict[str, Any]] = []

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        if request.path != MAPS:
            return None
        key, value = request.query["labelSelector"].split("=")
        found = [each for each in maps if each["metadata"]["labels"].get(key) == value]
        return 200, {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": found}

    api.intercept = intercept
    return maps


@pytest.fixture
def records(api: FakeApi, cluster: list[dict[str, Any]], tmp_path: Path) -> Records:
    """Two runs: one in the cluster, then one in the folder."""
    told = entries("run-old", 1, user="jane")
    cluster.append(config_map("run-old", "run-old", told, about_of(run_of(told, "x"), 1)))
    RecordFile(tmp_path / "run-new.jsonl").append(entries("run-new", 2))
    (tmp_path / "notes.jsonl").write_text("these are no records\n", encoding="utf-8")
    (tmp_path / "empty.jsonl").touch()
    return Records(client_of(api), tmp_path)


def client_of(api: FakeApi) -> Client:
    return connect({"host": api.url, "api_key": "good"})


def test_all_are_listed_newest_first(records: Records) -> None:
    new, old = records.listed()
    assert (new.name, new.in_cluster, Path(new.file).name) == ("run-new", False, "run-new.jsonl")
    assert (old.name, old.in_cluster, old.file, old.told["user"]) == ("run-old", True, "", "jane")


def test_latest_is_neither_a_revert_nor_reverted(
    api: FakeApi, records: Records, cluster: list[Any], tmp_path: Path
) -> None:
    def latest() -> str:
        return Records(client_of(api), tmp_path).run("latest").name

    assert records.run("latest").name == latest() == "run-new"
    RecordFile(tmp_path / "run-back.jsonl").append(entries("run-back", 3, reverts="run-new"))
    RecordFile(tmp_path / "run-new.jsonl").append([reverted("run-back")])
    assert latest() == "run-old"
    cluster[0]["data"]["reverted_by"] = "run-x"
    with pytest.raises(HardeningError, match="There is no run that could be put back, neither in the cluster nor in"):
        latest()


def test_each_copy_completes_the_other(records: Records, cluster: list[Any], tmp_path: Path) -> None:
    cluster.append(config_map("run-half", "run-half", entries("run-half", 4, outcome=False), {"time": "x"}))
    assert records.run("run-half").changes[0].outcome == "unknown"
    RecordFile(tmp_path / "run-half.jsonl").append(entries("run-half", 4))
    assert records.run("run-half").changes[0].outcome == "done"
    assert records.of_file(tmp_path / "run-half.jsonl").changes[0].outcome == "done"
    assert len(entries_in(cluster[1:], "run-half")) == 2


def test_the_runs_after_one(records: Records, tmp_path: Path) -> None:
    assert [each.name for each in records.after(records.run("run-old"))] == ["run-new"]
    assert not list(records.after(records.run("run-new")))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("run-odl", "run: there is no record of a run run-odl; did you mean run-old?"),
        ("zzz", "run: there is no record of a run zzz; there are run-new, run-old."),
    ],
)
def test_a_name_that_nobody_knows_is_one_sentence(records: Records, name: str, told: str) -> None:
    with pytest.raises(HardeningError) as caught:
        records.run(name)
    assert str(caught.value) == told


def test_a_cluster_that_shows_none_hides_no_file(api: FakeApi, tmp_path: Path) -> None:
    RecordFile(tmp_path / "run-new.jsonl").append(entries("run-new", 2))
    api.forbidden = lambda _method, at: at.plural == "configmaps"
    records = Records(client_of(api), tmp_path)
    assert records.run("latest").name == "run-new" and "configmaps is forbidden" in records.unseen
    with pytest.raises(HardeningError, match="Those in the cluster could not be read: The server"):
        records.run("zzz")


def test_a_damaged_copy_in_the_cluster_is_none_where_there_is_a_file(
    records: Records, cluster: list[Any], tmp_path: Path
) -> None:
    cluster[0]["binaryData"]["record.jsonl.gz"] = "broken"
    with pytest.raises(HardeningError, match="The ConfigMap hardening-kubernetes/run-old is damaged"):
        records.run("run-old")
    RecordFile(tmp_path / "run-old.jsonl").append(entries("run-old", 1))
    assert records.run("run-old").changes


@pytest.mark.parametrize("text", ["", "\x00", '{"a": 1}\n'])
def test_a_file_that_is_no_record_is_one_sentence(records: Records, tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.jsonl"
    with pytest.raises(HardeningError, match="other.jsonl cannot be read: No such file or directory"):
        records.of_file(file)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(HardeningError, match=r"other.jsonl is (no record of a run|damaged in line 1)"):
        records.of_file(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(HardeningError, match="it is no text"):
        records.of_file(file)
