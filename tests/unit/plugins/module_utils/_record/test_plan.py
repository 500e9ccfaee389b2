# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._plan import (
    Step,
    changed_by,
    held,
    keys_of,
    steps,
)

from .objects import GITOPS, OURS, change, entry, obj, run, spec


def made(name: str, kind: str = "NetworkPolicy", **said: Any) -> dict[str, Any]:
    return obj({"a": 1}, entry(OURS, spec("a")), kind=kind, name=name, **said)


def planned(one: Any, *live: Any, **unread: str) -> list[list[Step]]:
    keys = keys_of(one, lambda _name: True)
    by_key = {
        (each["apiVersion"], each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in live
    }
    return steps(
        one, keys, by_key, lambda _change, _state: False, {key: unread[key[3]] for key in keys if key[3] in unread}
    )


def names(batches: list[list[Step]]) -> list[list[str]]:
    return [sorted(step.key[3] for step in batch) for batch in batches]


ALLOW, DENY = made("allow"), made("deny")
CLOSED = run(change(None, ALLOW, at="1", batch="1"), change(None, DENY, at="2", batch="2"))


def test_what_was_written_last_goes_first() -> None:
    batches = planned(CLOSED, ALLOW, DENY)
    assert names(batches) == [["deny"], ["allow"]]
    assert all(step.wanted is None and step.live for batch in batches for step in batch)


def test_what_comes_and_goes_within_a_run_comes_to_nothing() -> None:
    gate = made("gate")
    one = run(
        change(None, gate, at="1", batch="1"),
        change(None, ALLOW, at="2", batch="2"),
        change(gate, None, at="3", batch="3", deed="delete"),
    )
    (gates, _allows) = planned(one, ALLOW)
    assert (gates[0].live, gates[0].wanted) == (None, None)


def test_a_gate_that_a_killed_run_left_goes() -> None:
    gate = made("gate")
    one = run(change(None, gate, at="1", batch="1"), change(None, ALLOW, at="2", batch="2", outcome="refused"))
    assert [each.wanted for batch in planned(one, gate) for each in batch] == [None, None]


def test_several_writes_to_one_object_are_undone_one_by_one() -> None:
    first, second, third = (obj({"a": number}, entry(OURS, spec("a")), version=str(number)) for number in (1, 2, 3))
    one = run(change(first, second, at="1", batch="1"), change(second, third, at="2", batch="2"))
    ((step,),) = planned(one, third)
    assert step.wanted is not None and step.wanted["spec"] == {"a": 1}


def test_what_is_needed_by_something_that_stays_stays_too() -> None:
    changed = obj({"a": 2}, entry("else", spec("a")), name="deny")
    (denies, allows) = planned(CLOSED, ALLOW, changed)
    assert "spec.a changed since, by the field manager else" in denies[0].refused and denies[0].paths == (
        ("spec", "a"),
    )
    assert "since NetworkPolicy/shop/deny could not be put back" in allows[0].refused
    elsewhere = made("allow", namespace="other")
    one = run(change(None, elsewhere, at="1", batch="1"), change(None, DENY, at="2", batch="2"))
    (_denies, allows) = planned(one, elsewhere, changed)
    assert not allows[0].refused


def test_a_limit_range_waits_for_its_quota_and_not_the_other_way_round() -> None:
    quota, limits = made("q", "ResourceQuota"), made("l", "LimitRange")
    stays = Step(("v1", "ResourceQuota", "shop", "q"), quota, quota, "no")
    goes = Step(("v1", "LimitRange", "shop", "l"), limits, None)
    assert held(goes, {("ResourceQuota", "shop"): stays}.get).refused
    assert not held(Step(stays.key, quota, None), {("LimitRange", "shop"): goes}.get).refused
    assert not held(Step(goes.key, limits, limits), {("ResourceQuota", "shop"): stays}.get).refused


def test_an_object_that_cannot_be_read_is_left() -> None:
    (denies, _allows) = planned(CLOSED, ALLOW, DENY, deny="forbidden")
    assert denies[0].refused == "forbidden"


def test_a_limit_means_namespaces_and_what_is_in_them_and_nothing_of_the_cluster() -> None:
    objects = [
        made("shop", "Namespace"),
        made("deny"),
        made("deny", namespace="other"),
        made("view", "ClusterRole"),
    ]
    one = run(*(change(None, each, at=str(at), batch="1") for at, each in enumerate(objects)))
    assert [key[1] for key in keys_of(one, lambda name: name == "shop")] == ["Namespace", "NetworkPolicy"]
    assert len(keys_of(one, lambda _name: True)) == 4


def test_a_namespace_that_the_run_created_says_that_it_stays() -> None:
    namespace = obj(None, entry(OURS, {}), kind="Namespace", name="shop")
    ((step,),) = planned(run(change(None, namespace)), namespace)
    assert step.stays and step.wanted is not None
    ((other,),) = planned(run(change(namespace, namespace)), namespace)
    assert not other.stays


def test_who_of_the_later_runs_changed_it() -> None:
    before, after, later = (obj({"a": number}, entry(GITOPS, spec("a"))) for number in (1, 2, 3))
    step = Step(("v1", "NetworkPolicy", "shop", "a"), later, later, "changed", (("spec", "a"),))
    second = run(change(after, later), name="run-2")
    assert changed_by([second], step) == "run-2"
    elsewhere = run(change(obj({"b": 1}), obj({"b": 2})), name="run-3")
    assert changed_by([elsewhere], step) == ""
    assert changed_by([run(change(after, later, outcome="refused"), name="run-4")], step) == ""
    reverted = type(second)("run-5", {}, second.changes, None, "run-6")
    assert changed_by([reverted], step) == ""
    assert changed_by([run(change(None, later), name="run-7")], step) == "run-7"
    assert before
