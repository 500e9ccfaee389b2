# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes are recorded ahead of themselves, in two places, of which one is enough and none is too few."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Run, begun, judged, run_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._pack import entries_in
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._load import Records
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import RunRecorder
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import (
    RecordFile,
    RecordInCluster,
    end,
    mark,
)

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Place, Request, fake_api, place, status

MANAGER = "hardening.kubernetes/test"
RECORDS = "/api/v1/namespaces/hardening-kubernetes"
WRITES = ("PATCH", "DELETE")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        server.store("namespaces", "", "shop")
        server.intercept = stored(server)
        yield server


def stored(api: FakeApi) -> Any:
    """A server that keeps what is created, if there is a namespace for it."""

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        at, body = place(request.path), api.bodies[-1]
        if request.method != "POST" or api.forbidden("POST", at):
            return None
        if at.plural == "selfsubjectreviews":
            return 201, {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "jane"}}}
        path = f"{request.path}/{body['metadata']['name']}"
        if path in api.objects:
            return 409, status(409, "AlreadyExists", "already exists")
        if at.namespace and f"/api/v1/namespaces/{at.namespace}" not in api.objects:
            return 404, status(404, "NotFound", f'namespaces "{at.namespace}" not found')
        made = api.store(at.plural, at.namespace, body["metadata"]["name"])
        made |= {**body, "metadata": {**body["metadata"], **made["metadata"]}}
        return 201, made

    return intercept


@pytest.fixture
def client(api: FakeApi) -> Client:
    return connect({"host": api.url, "api_key": "good"})


def limits(name: str, cpu: str = "1") -> dict[str, Any]:
    spec = {"limits": [{"type": "Container", "max": {"cpu": cpu}}]}
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec}


def quota(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "1"}}}


def apply(client: Client, file: Path, *objects: dict[str, Any], **options: Any) -> list[ObjectResult]:
    client.recorder = RunRecorder(client, file, {"policy": "prod"})
    return apply_objects(client, objects, ApplyOptions(MANAGER, **options))


def here(file: Path) -> Run:
    return run_of(RecordFile(file).read(), "file")


def there(api: FakeApi, run: str = "run-1") -> Run:
    maps = [obj for path, obj in api.objects.items() if path.startswith(f"{RECORDS}/configmaps/")]
    assert {each["metadata"]["labels"]["hardening.kubernetes/run"] for each in maps} == {run}
    return run_of(entries_in(maps, run), "cluster")


def test_every_write_is_recorded_before_it_goes_out(api: FakeApi, client: Client, tmp_path: Path) -> None:
    file, first = tmp_path / "runs/run-1.jsonl", api.intercept
    known: list[set[str]] = []

    def intercept(request: Request) -> Any:
        if request.method in WRITES and place(request.path).namespace == "shop":
            known.append({change.key[3] for change in here(file).changes})
            assert known[-1] == {change.key[3] for change in there(api).changes}
        return first(request)

    api.intercept = intercept
    done = apply(client, file, quota("q"), limits("l"))
    assert [each.action for each in done] == ["created", "created"]
    assert known == [{"l"}, {"l", "q"}], "rank by rank, ahead of each"
    for run in (here(file), there(api)):
        assert (run.name, run.about["user"], run.about["policy"]) == ("run-1", "jane", "prod")
        assert [(each.key[3], each.outcome, each.before) for each in run.changes] == [
            ("l", "done", None),
            ("q", "done", None),
        ]
        assert run.changes[0].after is not None and run.changes[0].after["metadata"]["managedFields"]
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_changes_nothing_records_nothing_and_asks_nothing(api: FakeApi, client: Client, tmp_path: Path) -> None:
    apply_objects(client, [limits("l")], ApplyOptions(MANAGER))
    api.requests.clear()
    apply(client, tmp_path / "run-1.jsonl", limits("l"))
    apply(client, tmp_path / "run-1.jsonl", limits("other"), dry_run=True)
    assert not list(tmp_path.iterdir()) and f"{RECORDS}" not in api.objects
    assert {each.method for each in api.requests if "dryRun" not in each.query} == {"GET"}


def test_several_tasks_add_to_one_record(api: FakeApi, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "run-1.jsonl"
    apply(client, file, limits("l"))
    apply(client, file, limits("l", cpu="2"))
    apply(client, file, limits("l"), state="absent")
    for run in (here(file), there(api)):
        assert [each.deed for each in run.changes] == ["apply", "apply", "delete"]
        assert run.changes[2].before is not None and run.changes[2].before["spec"]["limits"][0]["max"] == {"cpu": "2"}


def test_a_refusal_is_recorded_as_one(api: FakeApi, client: Client, tmp_path: Path) -> None:
    api.forbidden = lambda method, at: method == "PATCH" and at.plural == "limitranges"
    (result,) = apply(client, tmp_path / "run-1.jsonl", limits("l"))
    assert result.action == "failed"
    (change,) = here(tmp_path / "run-1.jsonl").changes
    assert (change.outcome, change.after) == ("refused", None)


def test_where_the_cluster_takes_no_record_the_file_is_enough(
    api: FakeApi, client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.forbidden = lambda _method, at: at.plural == "configmaps" or at == Place("api/v1", "", "namespaces", "")
    (result,) = apply(client, tmp_path / "run-1.jsonl", limits("l"))
    assert result.action == "created" and here(tmp_path / "run-1.jsonl").changes
    told = " ".join(capsys.readouterr().err.split())
    assert "The record cannot be kept in the namespace hardening-kubernetes:" in told


def test_where_no_file_can_be_written_the_cluster_is_enough(
    api: FakeApi, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    (result,) = apply(client, Path("/proc/none/run-1.jsonl"), limits("l"))
    assert result.action == "created" and there(api).changes
    assert "The record cannot be written to /proc/none/run-1.jsonl" in " ".join(capsys.readouterr().err.split())


def test_what_can_be_recorded_nowhere_is_not_written(api: FakeApi, client: Client) -> None:
    api.forbidden = lambda _method, at: at.plural == "configmaps" or at == Place("api/v1", "", "namespaces", "")
    before = dict(api.objects)
    results = apply(client, Path("/proc/none/run-1.jsonl"), quota("q"), limits("l"))
    assert {each.action for each in results} == {"failed"}
    assert all("Nothing was written, since it could be recorded nowhere." in each.error for each in results)
    assert api.objects == before


def test_a_damaged_record_is_not_added_to(api: FakeApi, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "run-1.jsonl"
    file.write_text("what is this\nand this\n", encoding="utf-8")
    (result,) = apply(client, file, limits("l"))
    assert result.action == "failed" and "is damaged in line 1" in result.error
    assert file.read_text(encoding="utf-8") == "what is this\nand this\n"


def test_a_name_that_no_config_map_can_have_is_refused(client: Client, tmp_path: Path) -> None:
    with pytest.raises(HardeningError, match="record: the name of the file My Run.jsonl"):
        RunRecorder(client, tmp_path / "My Run.jsonl", {})


def test_a_line_that_a_killed_run_cut_off_goes_before_the_next(tmp_path: Path) -> None:
    file = tmp_path / "run-1.jsonl"
    RecordFile(file).append([begun("run-1", {})])
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"inten')
    RecordFile(file).append([judged([])])
    assert here(file).findings == []


def test_in_the_end_a_record_is_one_config_map(api: FakeApi, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "run-1.jsonl"
    apply(client, file, limits("l"))
    apply(client, file, quota("q"))
    finding = {"control": "x.y", "subject": "Namespace/shop", "status": "pass", "evidence": "seen"}
    told = end(lambda: client, file, [judged([finding])], 20)
    assert told == {"kept": True, "dropped": []}
    (path,) = [path for path in api.objects if path.startswith(f"{RECORDS}/configmaps/")]
    assert path.endswith("/run-1") and api.objects[path]["data"]["objects"] == "2"
    for run in (here(file), there(api)):
        assert [each.outcome for each in run.changes] == ["done", "done"]
        assert run.findings == [{"control": "x.y", "subject": "Namespace/shop", "status": "pass"}]
    assert mark(client, here(file), file, {"reverted_by": "run-9"}) == []
    assert here(file).reverted_by == there(api).reverted_by == api.objects[path]["data"]["reverted_by"] == "run-9"


def test_a_run_that_wrote_nothing_leaves_nothing_and_asks_nobody(tmp_path: Path) -> None:
    file = tmp_path / "runs/run-1.jsonl"
    RecordFile(file).append([begun("run-1", {})])

    def reach() -> Client:
        raise AssertionError

    assert end(reach, file, [], 20) == {"kept": False, "dropped": []}
    assert not list(tmp_path.iterdir())


def test_the_oldest_records_in_the_cluster_go(
    api: FakeApi, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = api.intercept

    def selecting(request: Request) -> Any:
        if request.method == "GET" and request.path == f"{RECORDS}/configmaps":
            key, value = request.query["labelSelector"].split("=")
            items = [obj for path, obj in api.objects.items() if path.startswith(f"{RECORDS}/configmaps/")]
            found = [each for each in items if each["metadata"]["labels"].get(key) == value]
            return 200, {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": found}
        return first(request)

    api.intercept = selecting
    for number in range(4):
        about = {"time": f"2020-03-0{number + 1}T00:00:00+00:00"}
        record = RecordInCluster(client, f"run-{number}")
        record.begin(about, [])
        record.append([judged([])])
    file = tmp_path / "run-4.jsonl"
    apply(client, file, limits("l"))
    assert end(lambda: client, file, [], 3)["dropped"] == ["run-1", "run-0"]
    left = {path.rpartition("/")[2][:5] for path in api.objects if path.startswith(f"{RECORDS}/configmaps/")}
    assert left == {"run-2", "run-3", "run-4"}
    assert [each.name for each in Records(client, tmp_path).listed()] == ["run-4", "run-3", "run-2"]


def test_trouble_at_the_end_is_a_warning(api: FakeApi, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "run-1.jsonl"
    apply(client, file, limits("l"))
    api.forbidden = lambda _method, at: at.plural == "configmaps"
    (warning,) = end(lambda: client, file, [], 20)["warnings"]
    assert warning.startswith("The record of the run run-1 could not be completed: The server")
