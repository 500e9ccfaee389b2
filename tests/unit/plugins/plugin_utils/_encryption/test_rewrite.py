# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _crew
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._crew import Limits
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import (
    MOST_LISTED,
    refused_rewrites,
    rewrite,
)

from tests.unit.plugins.module_utils._kube.fake_api import CUT, FakeApi, Request, fake_api, status
from tests.unit.plugins.plugin_utils._encryption.fake_store import FakeStore, Reply


@pytest.fixture
def store(api: FakeApi) -> FakeStore:
    made = FakeStore(api)
    api.intercept = made.intercept
    return made


def test_every_stale_object_is_written_by_a_patch_of_uid_and_version_alone(store: FakeStore, client: Client) -> None:
    store.fill(3)
    before = {path: obj["metadata"] for path, obj in store.api.objects.items()}
    told = rewrite([client], "secrets")
    assert (told.done, told.unchanged, told.gone, told.conflicts, told.stuck) == (3, 0, 0, 0, ())
    assert not store.stale
    sent = [{"metadata": {"uid": each["uid"], "resourceVersion": each["resourceVersion"]}} for each in before.values()]
    assert sorted(store.patches, key=str) == sorted(sent, key=str)
    patches = [each for each in store.api.requests if each.method == "PATCH"]
    assert {each.query["fieldManager"] for each in patches} == {"hardening.kubernetes/encryption"}
    assert {each.headers["Content-Type"] for each in patches} == {"application/merge-patch+json"}
    assert all("PartialObjectMetadata" in each.headers["Accept"] for each in store.api.requests)


def test_objects_that_the_key_wrote_before_are_told_apart(store: FakeStore, client: Client) -> None:
    store.fill(5)
    store.stale.discard(store.path(2))
    told = rewrite([client], "secrets")
    assert (told.done, told.unchanged) == (5, 1)


def test_nothing_is_asked_more_than_once(store: FakeStore, client: Client) -> None:
    store.fill(1_200)
    told = rewrite([client], "secrets")
    assert (told.done, told.unchanged) == (1_200, 0)
    assert store.api.counts() == {"LIST": 4, "PATCH": 1_200}


def test_no_more_than_two_pages_are_kept(store: FakeStore, client: Client) -> None:
    store.fill(3_000)
    patched = listed = most = 0

    def count(request: Request) -> None:
        nonlocal patched, listed, most
        if request.method == "PATCH":
            patched += 1
        else:
            most = max(most, listed - patched)
            listed += int(request.query["limit"])

    store.meanwhile = count
    assert rewrite([client], "secrets").done == 3_000
    assert most <= 520


def test_an_object_that_is_deleted_meanwhile_is_gone(store: FakeStore, client: Client) -> None:
    store.fill(3)

    def delete(request: Request) -> None:
        if request.method == "PATCH":
            store.api.objects.pop(store.path(1), None)

    store.meanwhile = delete
    told = rewrite([client], "secrets", Limits(workers=1))
    assert (told.done, told.gone, told.stuck) == (2, 1, ())


def test_an_object_that_somebody_else_writes_meanwhile_is_tried_again_in_its_new_version(
    store: FakeStore, client: Client
) -> None:
    store.fill(2)

    def write(request: Request) -> None:
        if request.method == "PATCH" and request.path == store.path(1) and store.path(1) in store.stale:
            store.write(request.path)
            store.stale.add(request.path)
            store.meanwhile = lambda _request: None

    store.meanwhile = write
    told = rewrite([client], "secrets")
    assert (told.done, told.unchanged, told.conflicts) == (2, 0, 1)
    assert not store.stale


def test_an_object_that_is_made_anew_under_its_name_is_another_one(store: FakeStore, client: Client) -> None:
    store.fill(1)

    def make_anew(request: Request) -> None:
        if request.method == "PATCH":
            store.api.store("secrets", "shop", "secret-000000")

    store.meanwhile = make_anew
    told = rewrite([client], "secrets")
    assert (told.done, told.gone, told.conflicts) == (0, 1, 1)
    assert len(store.patches) == 1


def test_an_object_that_is_written_all_the_time_has_the_new_key_by_that(store: FakeStore, client: Client) -> None:
    store.fill(1)

    def write(request: Request) -> None:
        if request.method == "PATCH":
            store.write(request.path)

    store.meanwhile = write
    told = rewrite([client], "secrets")
    assert (told.done, told.conflicts, told.stuck) == (1, 5, ())


def test_an_object_that_the_server_refuses_to_write_is_told_with_the_reason(store: FakeStore, client: Client) -> None:
    store.fill(4)
    why = 'admission webhook "freeze.example.org" denied the request:\n  secrets are frozen'

    def refuse(request: Request) -> Reply | None:
        if request.method == "PATCH" and request.path in (store.path(1), store.path(3)):
            return 403, status(403, "Forbidden", why)
        return None

    store.meanwhile = refuse
    told = rewrite([client], "secrets")
    assert told.done == 2
    reason = 'admission webhook "freeze.example.org" denied the request: secrets are frozen'
    assert told.stuck == (("shop/secret-000001", reason), ("shop/secret-000003", reason))
    assert told.stuck_count == 2


def test_of_very_many_that_are_refused_some_are_named(store: FakeStore, client: Client) -> None:
    store.fill(MOST_LISTED + 5)
    store.meanwhile = lambda request: (422, status(422, "Invalid", "x" * 1_000)) if request.method == "PATCH" else None
    told = rewrite([client], "secrets")
    assert (told.done, told.stuck_count, len(told.stuck)) == (0, MOST_LISTED + 5, MOST_LISTED)
    assert max(len(why) for _name, why in told.stuck) < 500


def test_pages_go_on_where_they_were_after_their_snapshot_was_compacted(store: FakeStore, client: Client) -> None:
    store.fill(1_300)
    store.expire_after = 2
    told = rewrite([client], "secrets")
    assert told.done == 1_300
    assert not store.stale
    assert store.api.counts()["PATCH"] == 1_300


def test_annotations_of_many_kilobytes_make_pages_smaller(store: FakeStore, client: Client) -> None:
    store.fill(120)
    for obj in store.api.objects.values():
        obj["metadata"]["annotations"] = {"note": "x" * 200_000}
    assert rewrite([client], "secrets").done == 120
    assert [each.query["limit"] for each in store.api.requests if each.method == "GET"] == [
        "50",
        "20",
        "20",
        "20",
        "20",
    ]


def test_cluster_scoped_objects_are_named_without_a_namespace(store: FakeStore, client: Client) -> None:
    store.api.store("namespaces", "", "shop")
    store.meanwhile = lambda request: (422, status(422, "Invalid", "no")) if request.method == "PATCH" else None
    assert rewrite([client], "namespaces").stuck == (("shop", "no"),)


def test_without_permission_to_list_it_says_what_is_missing(store: FakeStore, client: Client) -> None:
    store.api.forbidden = lambda _method, at: at.plural == "secrets"
    with pytest.raises(Forbidden, match="Grant this permission"):
        rewrite([client], "secrets")


def test_a_resource_that_is_not_served_is_told(client: Client) -> None:
    with pytest.raises(HardeningError, match="has no resource sekrets"):
        rewrite([client], "sekrets")


def test_of_several_servers_each_gets_its_share(store: FakeStore, client: Client) -> None:
    with fake_api() as other:
        other.objects, there = store.api.objects, FakeStore(other)
        other.intercept, there.stale = there.intercept, store.stale
        store.fill(200)
        told = rewrite([client, connect({"host": other.url, "api_key": "anything"})], "secrets")
        assert told.done == 200
        assert min(len(store.patches), len(there.patches)) >= 60


@pytest.fixture
def impatient(api: FakeApi) -> Client:
    """Gives up at once, as one does that has others beside it."""
    return connect({"host": api.url, "api_key": "anything"}, outage_seconds=0)


def test_a_server_that_goes_away_in_the_middle_is_replaced_by_another(store: FakeStore, impatient: Client) -> None:
    with fake_api() as other:
        other.objects, there = store.api.objects, FakeStore(other)
        other.intercept, there.stale = there.intercept, store.stale
        store.fill(300)
        cut = 0

        def leave(request: Request) -> Reply | None:
            nonlocal cut
            cut += request.method == "PATCH"
            return (CUT, {}) if cut > 40 else None

        store.meanwhile = leave
        told = rewrite([impatient, connect({"host": other.url, "api_key": "anything"}, outage_seconds=0)], "secrets")
        assert (told.done, told.stuck) == (300, ())
        assert not store.stale


def test_where_no_server_answers_any_more_it_gives_up(
    store: FakeStore, impatient: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    store.fill(40)
    store.meanwhile = lambda request: (CUT, {}) if request.method == "PATCH" else None
    with pytest.raises(Unreachable, match="did not come back"):
        rewrite([impatient], "secrets", patience_seconds=0.2)


class Lost(HardeningError):
    """This run's Lease is another's now."""


def test_a_run_that_may_change_nothing_any_more_stops(store: FakeStore, client: Client) -> None:
    store.fill(500)

    def still_allowed() -> None:
        if len(store.patches) >= 20:
            raise Lost("lost")

    def dawdle(request: Request) -> None:
        if len(store.patches) == 20:
            time.sleep(1.1)

    store.meanwhile = dawdle
    with pytest.raises(Lost):
        rewrite([client], "secrets", Limits(workers=4), still_allowed=still_allowed)
    assert 20 <= len(store.patches) <= 24


def test_it_is_asked_about_once_a_second_whether_it_may_go_on(store: FakeStore, client: Client) -> None:
    store.fill(300)
    asked = 0

    def still_allowed() -> None:
        nonlocal asked
        asked += 1

    started = time.monotonic()
    rewrite([client], "secrets", still_allowed=still_allowed)
    assert 1 <= asked <= 1 + (time.monotonic() - started)


def test_progress_tells_how_many_of_how_many(store: FakeStore, client: Client) -> None:
    store.fill(700)
    told: list[tuple[int, int]] = []
    rewrite([client], "secrets", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (700, 700)
    assert {total for _done, total in told} == {700}
    assert [done for done, _total in told] == sorted(done for done, _total in told)


def test_a_server_without_room_is_asked_again_after_the_time_that_it_says(store: FakeStore, client: Client) -> None:
    store.fill(60)
    busy = iter([(429, {"Retry-After": "1"})] * 8)

    def refuse(request: Request) -> None:
        if request.method == "PATCH" and len(store.patches) >= 10:
            store.api.troubles.extend(busy)

    store.meanwhile = refuse
    started = time.monotonic()
    told = rewrite([client], "secrets")
    assert (told.done, told.unchanged, told.stuck) == (60, 0, ())
    assert time.monotonic() - started >= 1
    assert store.api.counts()["PATCH"] == 68


def test_a_server_that_fails_for_a_moment_is_asked_again(store: FakeStore, client: Client) -> None:
    store.fill(20)
    failing = iter([(500, {}), (503, {"Retry-After": "1"}), (504, {})])

    def fail(request: Request) -> None:
        if request.method == "PATCH" and len(store.patches) >= 10:
            store.api.troubles.extend(failing)

    store.meanwhile = fail
    told = rewrite([client], "secrets")
    assert (told.done, told.stuck, told.left) == (20, (), 0)


def test_where_everything_fails_for_a_minute_no_more_is_tried(
    store: FakeStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_crew, "_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(_crew, "_HOPELESS_SECONDS", 0.5)
    store.fill(2_000)
    why = 'failed calling webhook "freeze.example.org": connection refused'

    def fail(request: Request) -> Reply | None:
        fails = request.method == "PATCH" and len(store.patches) >= 30
        return (500, status(500, "InternalError", why)) if fails else None

    store.meanwhile = fail
    told = rewrite([client], "secrets")
    assert 30 <= told.done < 2_000
    assert told.stuck_count and told.left and told.done + told.stuck_count + told.left == 2_000
    assert {reason for _name, reason in told.stuck} == {why}


def test_no_more_requests_are_started_in_a_second_than_is_allowed(store: FakeStore, client: Client) -> None:
    store.fill(40)
    started = time.monotonic()
    assert rewrite([client], "secrets", Limits(most_per_second=50)).done == 40
    assert time.monotonic() - started >= 0.75


def test_a_resource_without_objects_is_refused_nothing(store: FakeStore, client: Client) -> None:
    """A server says ``null`` for no items of a list of metadata."""
    none = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "items": None}
    store.meanwhile = lambda request: (200, none) if request.method == "GET" else None
    assert list(refused_rewrites(client, "secrets")) == []


def test_what_would_refuse_a_rewrite_is_told_before_anything_is_rewritten(store: FakeStore, client: Client) -> None:
    store.fill(1)
    why = 'admission webhook "freeze.example.org" denied the request'
    store.meanwhile = lambda request: (403, status(403, "Forbidden", why)) if request.method == "PATCH" else None
    (told,) = refused_rewrites(client, "secrets")
    assert why in told
    (patch,) = (each for each in store.api.requests if each.method == "PATCH")
    assert patch.query["dryRun"] == "All"
