# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bulk apply against a counting server: what is asked, what is written, and what each object's result says."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._definitions import read_definitions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult

from tests.unit.plugins.module_utils._kube.fake_api import CUT, FakeApi, Request, fake_api, status

MANAGER = "tests"
PRESENT = ApplyOptions(MANAGER)
ABSENT = ApplyOptions(MANAGER, state="absent")
CHECK = ApplyOptions(MANAGER, dry_run=True)
NETWORKING = "apis/networking.k8s.io/v1"


def policy(number: int, namespace: str = "a", **more: Any) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": f"app-{number}"}}, "policyTypes": ["Ingress"], **more}
    metadata = {"name": f"p{number}", "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def config_map(name: str, namespace: str = "a", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def actions(results: list[ObjectResult]) -> Counter[str]:
    return Counter(each.action for each in results)


@pytest.fixture
def client(api: FakeApi) -> Client:
    for name in "abcdefghij":
        api.store("namespaces", "", name)
    return connect({"host": api.url, "api_key": "good"})


def run(
    api: FakeApi, client: Client, objects: list[dict[str, Any]], options: ApplyOptions = PRESENT
) -> tuple[list[ObjectResult], Counter[str]]:
    api.requests.clear()
    return apply_objects(client, objects, options), api.counts()


def test_the_budget_of_an_apply_and_of_a_rerun(api: FakeApi, client: Client) -> None:
    objects = [policy(number, "abcdefghij"[number % 10]) for number in range(200)]
    results, counts = run(api, client, objects)
    assert actions(results) == {"created": 200} and counts == {"LIST": 1, "PATCH": 200}
    assert [each.name for each in results] == [f"p{number}" for number in range(200)]
    results, counts = run(api, client, objects)
    assert actions(results) == {"unchanged": 200} and counts == {"LIST": 1}
    objects[7] = policy(7, "h", policyTypes=["Egress"])
    results, counts = run(api, client, objects)
    assert actions(results) == {"updated": 1, "unchanged": 199} and counts == {"LIST": 1, "PATCH": 1}
    assert results[7].diff == {
        "before": {"spec": {"policyTypes": ["Ingress"]}},
        "after": {"spec": {"policyTypes": ["Egress"]}},
    }
    results, counts = run(api, client, objects, ABSENT)
    assert actions(results) == {"deleted": 200} and counts == {"LIST": 1, "DELETE": 200}
    results, counts = run(api, client, objects, ABSENT)
    assert actions(results) == {"unchanged": 200} and counts == {"LIST": 1}


def test_the_budget_for_a_few_objects(api: FakeApi, client: Client) -> None:
    objects = [policy(1), config_map("c"), namespace("new")]
    _results, counts = run(api, client, objects)
    assert counts == {"GET": 3, "PATCH": 3}
    _results, counts = run(api, client, objects)
    assert counts == {"GET": 3}


def test_the_budget_in_one_namespace(api: FakeApi, client: Client) -> None:
    _results, counts = run(api, client, [policy(number) for number in range(50)])
    assert counts == {"LIST": 1, "PATCH": 50}
    assert api.requests[0].path == "/apis/networking.k8s.io/v1/namespaces/a/networkpolicies"


def test_what_is_made_anew_comes_back_as_metadata_and_what_changes_as_a_whole(api: FakeApi, client: Client) -> None:
    run(api, client, [policy(1)])
    assert "as=PartialObjectMetadata" in api.requests[-1].headers["Accept"]
    results, _counts = run(api, client, [policy(1, policyTypes=["Egress"])])
    assert api.requests[-1].headers["Accept"] == "application/json" and results[0].action == "updated"


def test_the_budget_in_a_cluster_full_of_foreign_objects(api: FakeApi, client: Client) -> None:
    for number in range(3000):
        api.store("networkpolicies", f"foreign-{number % 300}", f"f{number}", NETWORKING)
    objects = [policy(number, "ab"[number % 2]) for number in range(40)]
    results, counts = run(api, client, objects)
    assert actions(results) == {"created": 40}
    assert counts == {"LIST": 3, "PATCH": 40}, "one list of the cluster tells how full it is, then one a namespace"
    results, counts = run(api, client, objects)
    assert actions(results) == {"unchanged": 40} and counts["PATCH"] == 0 and counts["LIST"] <= 3
    for number in range(3000):
        api.store("networkpolicies", "ab"[number % 2], f"f{number}", NETWORKING)
    results, counts = run(api, client, objects)
    assert actions(results) == {"unchanged": 40}
    assert counts == {"LIST": 3, "GET": 40}, "full namespaces: by name"


def test_secrets_are_only_asked_for_by_name(api: FakeApi, client: Client) -> None:
    objects = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"s{number}", "namespace": "a"}}
        for number in range(30)
    ]
    _results, counts = run(api, client, objects)
    assert counts == {"GET": 30, "PATCH": 30}


def test_namespaces_are_read_without_what_nobody_asked_for(api: FakeApi, client: Client) -> None:
    _results, counts = run(api, client, [namespace(name, team="x") for name in "abcdefghij"])
    assert counts == {"LIST": 1, "PATCH": 10}
    assert "PartialObjectMetadataList" in api.requests[0].headers["Accept"]


def test_with_less_permission_lists_become_smaller(api: FakeApi, client: Client) -> None:
    objects = [policy(number, "ab"[number % 2]) for number in range(40)]
    api.forbidden = lambda method, at: method == "GET" and not at.name and not at.namespace
    results, counts = run(api, client, objects)
    assert actions(results) == {"created": 40} and counts == {"LIST": 3, "PATCH": 40}
    api.forbidden = lambda method, at: method == "GET" and not at.name
    results, counts = run(api, client, objects)
    assert actions(results) == {"unchanged": 40} and counts == {"LIST": 3, "GET": 40}


def test_an_object_that_may_not_be_read_does_not_hide_the_others(api: FakeApi, client: Client) -> None:
    api.forbidden = lambda _method, at: at.name == "p1"
    results, _counts = run(api, client, [policy(number) for number in range(3)])
    assert [each.action for each in results] == ["created", "failed", "created"]
    assert "Grant this permission" in results[1].error


def test_an_etcd_that_is_full_is_told_with_what_to_do(api: FakeApi, client: Client) -> None:
    full = (500, {"message": "etcdserver: mvcc: database space exceeded"})
    api.intercept = lambda request: full if request.method == "PATCH" else None
    results, _counts = run(api, client, [policy(1)])
    assert results[0].error.endswith("raise --quota-backend-bytes, then disarm its alarm (etcdctl alarm disarm).")


def test_an_object_that_may_not_be_written_does_not_hide_the_others(api: FakeApi, client: Client) -> None:
    api.forbidden = lambda method, at: method == "PATCH" and at.name == "p1"
    results, _counts = run(api, client, [policy(number) for number in range(3)])
    assert [each.action for each in results] == ["created", "failed", "created"]
    assert results[1].error.startswith("The server refused (403): networkpolicies is forbidden")


def test_a_field_taken_out_is_taken_out(api: FakeApi, client: Client) -> None:
    run(api, client, [config_map("c", one="1", two="2")])
    results, counts = run(api, client, [config_map("c", one="1")])
    assert counts["PATCH"] == 1 and results[0].action == "updated"
    assert results[0].diff == {"before": {"data": {"two": "2"}}, "after": {"data": {}}}


def test_what_is_right_already_but_not_ours_is_adopted(api: FakeApi, client: Client) -> None:
    api.store("configmaps", "a", "c", apiVersion="v1", kind="ConfigMap", data={"one": "1"})
    results, _counts = run(api, client, [config_map("c", one="1")])
    assert (results[0].action, results[0].changed, results[0].diff) == ("adopted", True, {})
    results, _counts = run(api, client, [config_map("c", one="1")])
    assert results[0].action == "unchanged"


def test_a_write_that_changed_nothing_is_unchanged(api: FakeApi, client: Client) -> None:
    run(api, client, [config_map("c", one="1")])
    live = api.objects["/api/v1/namespaces/a/configmaps/c"]
    before = dict(live)
    api.intercept = lambda request: (200, before) if request.method == "PATCH" else None
    results, counts = run(api, client, [config_map("c", one="2")])
    assert counts["PATCH"] == 1 and results[0].action == "unchanged"


def conflict(manager: str = "kubectl", *fields: str) -> dict[str, Any]:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}" using v1', "field": f".data.{name}"}
        for name in fields
    ]
    return status(409, "Conflict", "Apply failed with conflicts", causes=causes)


def test_a_conflict_names_the_other_manager_and_what_it_owns(api: FakeApi, client: Client) -> None:
    api.conflict = conflict("kubectl", "one", "two")
    results, counts = run(api, client, [config_map("c", one="1")])
    assert results[0].error == (
        "The field manager 'kubectl' owns data.one, data.two and means another value: "
        "leave these fields to it, or take them over with force_conflicts: true."
    )
    assert counts["PATCH"] == 1


def test_taking_over_is_asked_for(api: FakeApi, client: Client) -> None:
    run(api, client, [config_map("c", one="1")], ApplyOptions(MANAGER, force=True))
    assert api.requests[-1].query == {"fieldManager": MANAGER, "fieldValidation": "Ignore", "force": "true"}


def test_a_lost_race_is_run_again(api: FakeApi, client: Client) -> None:
    races = iter([status(409, "AlreadyExists", "exists"), status(409, "Conflict", "changed")])
    api.intercept = lambda request: (409, next(races, None)) if request.method == "PATCH" else None
    results, counts = run(api, client, [config_map("c", one="1")])
    assert results[0].action == "created" and counts["PATCH"] == 3


def test_the_servers_warnings_are_in_the_result(api: FakeApi, client: Client) -> None:
    api.warnings = ['299 - "deprecated, really"']
    results, _counts = run(api, client, [config_map("c")])
    assert results[0].warnings == ("deprecated, really",)


def test_nothing_of_a_secret_is_in_its_result(api: FakeApi, client: Client) -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "a"},
        "stringData": {"p": "correct horse"},
    }
    api.warnings = ['299 - "correct horse is weak"']
    created, _counts = run(api, client, [obj])
    updated, _counts = run(api, client, [{**obj, "stringData": {"p": "battery staple"}}])
    api.intercept = lambda request: (
        (422, status(422, "Invalid", "no: Y29ycmVjdCBob3JzZQ== is bad")) if request.method == "PATCH" else None
    )
    failed, _counts = run(api, client, [obj])
    assert [created[0].action, updated[0].action, failed[0].action] == ["created", "updated", "failed"]
    for word in ("correct horse", "battery staple", "Y29ycmVjdCBob3JzZQ", "YmF0dGVyeSBzdGFwbGU"):
        assert word not in str([created, updated, failed])


def test_an_object_that_is_not_well_formed_does_not_hide_the_others(api: FakeApi, client: Client) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "a"}}
    bad = [
        {**secret, "stringData": ["correct horse"]},
        {**config_map("integer"), "data": {9000: "a"}},
        {**config_map("bytes"), "data": {"a": b"a"}},
    ]
    run(api, client, [config_map("integer", **{"9000": "a"})])
    results, _counts = run(api, client, [bad[0], config_map("first"), *bad[1:], config_map("last")])
    assert [each.action for each in results] == ["failed", "created", "failed", "failed", "created"]
    assert "cannot be worked on (TypeError" in results[2].error
    assert results[0].error == "stringData of a Secret is a map of names and texts: write it as one."
    assert "cannot be worked on (TypeError" in results[3].error
    assert "correct horse" not in str(results)
    assert actions(run(api, client, [bad[0]], ABSENT)[0]) == {"unchanged": 1}, "to remove it its shape does not matter"


def test_integer_keys_are_text_from_the_first_run_on(api: FakeApi, client: Client) -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: tcp, namespace: a}, data: {9000: shop/web}}"
    for action in ("created", "unchanged"):
        results, _counts = run(api, client, read_definitions(text, []))
        assert actions(results) == {action: 1}


def test_check_mode_writes_nothing(api: FakeApi, client: Client) -> None:
    before = dict(api.objects)
    results, _counts = run(api, client, [config_map("c"), namespace("new")], CHECK)
    assert actions(results) == {"created": 2} and all(each.verified for each in results)
    assert {each.query.get("dryRun") for each in api.requests if each.method == "PATCH"} == {"All"}
    assert api.objects == before
    run(api, client, [config_map("c", one="1")])
    results, _counts = run(api, client, [config_map("c", one="2")], CHECK)
    assert results[0].diff == {"before": {"data": {"one": "1"}}, "after": {"data": {"one": "2"}}}
    results, _counts = run(api, client, [config_map("c")], ApplyOptions(MANAGER, dry_run=True, state="absent"))
    assert results[0].action == "deleted" and "/api/v1/namespaces/a/configmaps/c" in api.objects


def test_check_mode_without_the_namespace_or_the_kind(api: FakeApi, client: Client) -> None:
    gadget = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g", "namespace": "a"}}
    results, _counts = run(api, client, [config_map("c", "new"), gadget], CHECK)
    assert [(each.action, each.verified) for each in results] == [("created", False)] * 2
    results, _counts = run(api, client, [config_map("c", "new"), gadget, namespace("other")])
    assert [each.action for each in results] == ["failed", "failed", "created"]
    assert results[0].error == "The namespace new does not exist: create it first."
    assert results[1].error.endswith(
        "has no kind Gadget in example.com/v1: install what defines it, or correct the name."
    )


def test_a_kind_mistyped_is_told_in_check_mode_too(api: FakeApi, client: Client) -> None:
    obj = {**policy(1), "kind": "NetworkPolcy"}
    results, _counts = run(api, client, [obj], CHECK)
    assert results[0].error.endswith("has no kind NetworkPolcy in networking.k8s.io/v1: did you mean NetworkPolicy?")


def test_removing_what_nobody_has_ever_heard_of(api: FakeApi, client: Client) -> None:
    gadget = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g", "namespace": "a"}}
    results, counts = run(api, client, [gadget, config_map("c", "nowhere")], ABSENT)
    assert actions(results) == {"unchanged": 2} and counts["DELETE"] == 0


def test_a_removal_whose_answer_was_lost_is_a_removal(api: FakeApi, client: Client, pauses: list[float]) -> None:
    api.store("configmaps", "a", "c")
    lost = iter([True])

    def carried_out_and_cut(request: Request) -> tuple[int, dict[str, Any]] | None:
        if request.method != "DELETE" or not next(lost, False):
            return None
        del api.objects[request.path]
        return CUT, {}

    api.intercept = carried_out_and_cut
    results, counts = run(api, client, [config_map("c")], ABSENT)
    assert actions(results) == {"deleted": 1} and counts["DELETE"] == 2 and len(pauses) == 1


def test_a_portal_in_the_servers_place_is_no_success(api: FakeApi, client: Client) -> None:
    api.intercept = lambda request: (200, {"page": "log in"}) if request.method in ("PATCH", "DELETE") else None
    api.store("configmaps", "a", "c")
    for options in (PRESENT, ABSENT):
        results, _counts = run(api, client, [config_map("c", one="1")], options)
        assert "is no Kubernetes API server" in results[0].error


def test_only_what_exists_is_written(api: FakeApi, client: Client) -> None:
    options = ApplyOptions(MANAGER, existing_only=True)
    results, counts = run(api, client, [namespace("a", team="x"), namespace("new", team="x")], options)
    assert [each.action for each in results] == ["updated", "failed"] and counts["PATCH"] == 1
    assert results[1].error == "It does not exist, and is not to be created."
    assert "/api/v1/namespaces/new" not in api.objects


def test_an_object_without_its_namespace(api: FakeApi, client: Client) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    results, counts = run(api, client, [obj, {**namespace("new"), "metadata": {"name": "new", "namespace": "ignored"}}])
    assert [each.action for each in results] == ["failed", "created"] and counts["PATCH"] == 1
    assert "needs a namespace" in results[0].error


def test_a_server_that_stays_away_fails_what_was_not_confirmed_and_a_rerun_completes() -> None:
    objects = [policy(number) for number in range(60)]
    with fake_api() as api:
        api.store("namespaces", "", "a")
        client = connect({"host": api.url, "api_key": "a"}, outage_seconds=0.5)
        seen = 0

        def cut(request: Any) -> None:
            nonlocal seen
            seen += request.method == "PATCH"
            if seen > 20:
                api.troubles.extend([None] * 1000)

        api.intercept = cut
        started = time.monotonic()
        results = apply_objects(client, objects, PRESENT)
        assert time.monotonic() - started < 20
        assert len(results) == 60 and 0 < actions(results)["failed"] < 60
        assert {each.error.split(" (")[0] for each in results if each.error} == {
            f"The server {api.url} went away and did not come back in time"
        }
        api.intercept = lambda _request: None
        api.troubles.clear()
        again = apply_objects(connect({"host": api.url, "api_key": "a"}), objects, PRESENT)
        assert actions(again)["failed"] == 0 and actions(again)["unchanged"] >= actions(results)["created"]


def test_a_server_that_is_not_there_at_the_start_is_one_error(pauses: list[float]) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        apply_objects(connect({"host": "https://127.0.0.1:1", "api_key": "a"}), [policy(1)], PRESENT)
    assert pauses == []


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.example.com"},
    "spec": {"group": "example.com", "names": {"kind": "Gadget", "plural": "gadgets"}},
}


def test_custom_resources_wait_for_their_definition(api: FakeApi, client: Client, pauses: list[float]) -> None:
    gadget = {
        "apiVersion": "example.com/v1",
        "kind": "Gadget",
        "metadata": {"name": "g", "namespace": "a"},
        "spec": {"on": True},
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.com"
    polls = 0

    def establish(request: Any) -> None:
        nonlocal polls
        polls += request.method == "GET" and request.path == path
        if polls == 4:
            api.objects[path]["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
            resources = [{"resource": "gadgets", "responseKind": {"kind": "Gadget"}, "scope": "Namespaced"}]
            api.kinds = [{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": resources}]}]

    api.intercept = establish
    results, _counts = run(api, client, [gadget, CRD])
    assert [each.action for each in results] == ["created", "created"]
    assert len(pauses) == 2


def test_waiting_names_what_each_object_waits_for(api: FakeApi, client: Client) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "a"},
        "spec": {"replicas": 2},
    }
    options = ApplyOptions(MANAGER, wait=True, wait_timeout=0.2)
    results, _counts = run(api, client, [deployment, config_map("c")], options)
    assert [each.action for each in results] == ["failed", "created"]
    assert results[0].error == "It was created, but after 0.2 s 0 of 2 replicas are updated and available."


def test_waiting_stops_where_it_cannot_help(api: FakeApi, client: Client, pauses: list[float]) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "a"}, "spec": {}}
    run(api, client, [job])
    failed = {"conditions": [{"type": "Failed", "status": "True", "message": "backoff limit"}]}
    api.objects["/apis/batch/v1/namespaces/a/jobs/j"]["status"] = failed
    results, _counts = run(api, client, [job], ApplyOptions(MANAGER, wait=True))
    assert results[0].error == "It is right, but it failed: backoff limit." and pauses == []


def test_a_token_that_expires_during_the_wait_loses_no_result(api: FakeApi, client: Client) -> None:
    def expire(request: Request) -> tuple[int, dict[str, Any]] | None:
        late = request.method == "GET" and api.counts()["PATCH"] == 2
        return (401, status(401, "Unauthorized", "Unauthorized")) if late else None

    api.intercept = expire
    results, _counts = run(api, client, [config_map("a"), config_map("b")], ApplyOptions(MANAGER, wait=True))
    assert [(each.action, each.changed) for each in results] == [("failed", True)] * 2
    begins = "It was created, but whether it is ready could not be asked: The server"
    assert all(each.error.startswith(begins) and "does not accept these credentials" in each.error for each in results)


def test_a_server_that_leaves_after_a_definition_loses_no_result(api: FakeApi, pauses: list[float]) -> None:
    api.store("namespaces", "", "a")
    gadget = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g", "namespace": "a"}}

    def leave(request: Request) -> tuple[int, dict[str, Any]] | None:
        return (CUT, {}) if request.method == "GET" and api.counts()["PATCH"] else None

    api.intercept = leave
    client = connect({"host": api.url, "api_key": "good"}, outage_seconds=0.1)
    results, _counts = run(api, client, [CRD, gadget, config_map("c")])
    assert [each.action for each in results] == ["failed", "failed", "created"]
    assert results[0].error.startswith("It was created, but whether it is ready could not be asked: The server")
    assert "went away" in results[1].error


def test_removal_of_a_kind_that_may_be_mistyped_warns(api: FakeApi, client: Client) -> None:
    mistyped = {**policy(1), "kind": "NetworkPolcy"}
    foreign = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g", "namespace": "a"}}
    results, _counts = run(api, client, [mistyped, foreign], ABSENT)
    assert [each.action for each in results] == ["unchanged", "unchanged"]
    assert "did you mean NetworkPolicy?" in results[0].warnings[0] and results[1].warnings == ()


def test_what_is_deleted_shows_in_the_diff_without_its_content(api: FakeApi, client: Client) -> None:
    run(api, client, [config_map("c", secret="hidden")])
    results, _counts = run(api, client, [config_map("c")], ABSENT)
    what = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "a"}}
    assert results[0].diff == {"before": what, "after": {}}


def test_waiting_for_removal(api: FakeApi, client: Client) -> None:
    run(api, client, [config_map("c")])
    results, _counts = run(api, client, [config_map("c")], ApplyOptions(MANAGER, state="absent", wait=True))
    assert results[0].action == "deleted"
    live = api.store("configmaps", "a", "held")
    live["metadata"]["finalizers"] = ["example.com/guard"]
    live["metadata"]["deletionTimestamp"] = "now"
    options = ApplyOptions(MANAGER, state="absent", wait=True, wait_timeout=0.1)
    results, counts = run(api, client, [config_map("held")], options)
    assert results[0].error == "It is right, but after 0.1 s it is still there, held by example.com/guard."
    assert counts["DELETE"] == 0


def test_progress_counts_all_objects(api: FakeApi, client: Client) -> None:
    told: list[tuple[int, int]] = []
    objects = [namespace("new"), *[config_map(f"c{number}", "new") for number in range(9)]]
    apply_objects(client, objects, PRESENT, lambda done, total: told.append((done, total)))
    assert told[-1] == (10, 10) and {total for _done, total in told} == {10}
    assert len(api.objects) > 10


SHOP = ApplyOptions(MANAGER, set_name="shop")
SHOP_ABSENT = ApplyOptions(MANAGER, set_name="shop", state="absent")


def marks(api: FakeApi, name: str) -> tuple[str | None, str | None]:
    metadata = api.objects[f"/api/v1/namespaces/a/configmaps/{name}"]["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    return labels.get("hardening.kubernetes/set"), annotations.get("hardening.kubernetes/origin")


def test_objects_of_a_set_are_marked_once_as_created_or_adopted(api: FakeApi, client: Client) -> None:
    api.store("configmaps", "a", "theirs", data={"one": "1"})
    objects = [config_map("ours", one="1"), config_map("theirs", one="1")]
    results, _counts = run(api, client, objects, SHOP)
    assert [each.action for each in results] == ["created", "updated"]
    assert marks(api, "ours") == ("shop", "created") and marks(api, "theirs") == ("shop", "adopted")
    results, counts = run(api, client, objects, SHOP)
    assert actions(results) == {"unchanged": 2} and counts["PATCH"] == 0
    run(api, client, [config_map("theirs", one="2")], SHOP)
    assert marks(api, "theirs") == ("shop", "adopted")
    run(api, client, [config_map("plain")])
    assert marks(api, "plain") == (None, None)


def test_objects_of_another_set_are_neither_written_nor_removed(api: FakeApi, client: Client) -> None:
    run(api, client, [config_map("c", one="1")], SHOP)
    before = dict(api.objects)
    other = ApplyOptions(MANAGER, set_name="other", force=True)
    results, counts = run(api, client, [config_map("c", one="2")], other)
    assert actions(results) == {"failed": 1} and counts["PATCH"] == 0
    assert results[0].error.startswith("It belongs to the set shop, and this is the set other")
    results, counts = run(api, client, [config_map("c")], ApplyOptions(MANAGER, set_name="other", state="absent"))
    assert actions(results) == {"unchanged": 1} and counts["DELETE"] == 0 and api.objects == before


def test_what_was_created_is_deleted_and_what_was_adopted_is_handed_back(api: FakeApi, client: Client) -> None:
    api.store("configmaps", "a", "theirs", data={"one": "1"})
    objects = [config_map("ours", one="1"), config_map("theirs", one="1")]
    run(api, client, objects, SHOP)
    managed = api.objects["/api/v1/namespaces/a/configmaps/theirs"]["metadata"]["managedFields"]
    managed.append({"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:one": {}}}})
    before = dict(api.objects)
    results, _counts = run(api, client, objects, ApplyOptions(MANAGER, set_name="shop", state="absent", dry_run=True))
    assert [each.action for each in results] == ["deleted", "updated"] and api.objects == before
    assert results[1].diff["before"]["metadata"]["labels"] == {"hardening.kubernetes/set": "shop"}
    results, counts = run(api, client, objects, SHOP_ABSENT)
    assert [each.action for each in results] == ["deleted", "updated"] and counts == {"GET": 2, "DELETE": 1, "PATCH": 1}
    assert marks(api, "theirs") == (None, None)
    results, counts = run(api, client, objects, SHOP_ABSENT)
    assert actions(results) == {"unchanged": 2} and counts == {"GET": 2}


def test_what_went_while_it_was_to_be_handed_back_is_not_made_anew(api: FakeApi, client: Client) -> None:
    api.store("configmaps", "a", "theirs", data={"one": "1"})
    run(api, client, [config_map("theirs", one="1")], SHOP)
    managed = api.objects["/api/v1/namespaces/a/configmaps/theirs"]["metadata"]["managedFields"]
    managed.append({"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:one": {}}}})
    api.conflict = status(409, "Conflict", "uid mismatch")
    results, _counts = run(api, client, [config_map("theirs")], SHOP_ABSENT)
    assert actions(results) == {"unchanged": 1}
