# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._content import content
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Change
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._managers import REVERT_MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._undo import Refused, undone

from .objects import GITOPS, OURS, change, entry, labels, obj, spec

BEFORE = obj({"a": 1, "b": 2}, entry(GITOPS, spec("a", "b")))
AFTER = obj({"a": 9, "b": 2}, entry(GITOPS, spec("b")), entry(OURS, spec("a")), version="2")
MADE = obj({"a": 1}, entry(OURS, spec("a")))


def undo(one: Change, state: Any, carried_out: bool = False) -> Any:
    return undone(one, state, lambda _change, _state: carried_out)


def why(one: Change, state: Any, carried_out: bool = False) -> str:
    with pytest.raises(Refused) as caught:
        undo(one, state, carried_out)
    return str(caught.value)


def managers(told: Any) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in told["metadata"]["managedFields"]}


def test_an_update_is_set_back_and_its_fields_are_given_back() -> None:
    told = undo(change(BEFORE, AFTER), AFTER)
    assert content(told) == content(BEFORE)
    assert told["metadata"]["managedFields"] == BEFORE["metadata"]["managedFields"]


def test_what_others_changed_elsewhere_stays() -> None:
    live = obj({"a": 9, "b": 3, "c": 4}, entry(OURS, spec("a")), entry("else", spec("b", "c")), version="3")
    told = undo(change(BEFORE, AFTER), live)
    assert content(told)["spec"] == {"a": 1, "b": 3, "c": 4}
    assert managers(told) == {GITOPS: spec("a"), "else": spec("b", "c")}


def test_a_field_that_somebody_changed_since_is_theirs() -> None:
    live = obj({"a": 7, "b": 2}, entry("else", spec("a"), time="2027-02-02T00:00:00Z"), version="3")
    told = why(change(BEFORE, AFTER), live)
    assert told == "spec.a changed since, by the field manager else at 2027-02-02T00:00:00Z."


def test_a_field_that_somebody_set_to_the_same_is_theirs() -> None:
    live = obj({"a": 9, "b": 2}, entry(OURS, spec("a")), entry("else", spec("a")), version="3")
    assert why(change(BEFORE, AFTER), live).startswith("spec.a was set by the field manager else at")


def test_what_is_back_already_is_left_and_a_revert_that_was_killed_is_completed() -> None:
    assert content(undo(change(BEFORE, AFTER), BEFORE)) == content(BEFORE)
    half = obj({"a": 1, "b": 2}, entry(GITOPS, spec("b")), entry(REVERT_MANAGER, spec("a")), version="4")
    told = undo(change(BEFORE, AFTER), half)
    assert told["metadata"]["managedFields"] == BEFORE["metadata"]["managedFields"]


def test_what_was_deleted_or_made_anew_since_is_left() -> None:
    assert "deleted since" in why(change(BEFORE, AFTER), None)
    other = obj({"a": 9, "b": 5}, entry(GITOPS, spec("a", "b")), uid="2")
    assert "made anew since, by the field manager gitops" in why(change(BEFORE, AFTER), other)
    same = {**AFTER, "metadata": {**AFTER["metadata"], "uid": "2"}}
    assert content(undo(change(BEFORE, AFTER), same)) == content(BEFORE)


def test_an_adoption_takes_ownership_alone_and_gives_it_back() -> None:
    adopted = obj({"a": 1, "b": 2}, entry(GITOPS, spec("a", "b")), entry(OURS, spec("a")), version="2")
    told = undo(change(BEFORE, adopted), adopted)
    assert managers(told) == {GITOPS: spec("a", "b")}


def test_what_was_made_goes() -> None:
    assert undo(change(None, MADE), MADE) is None
    assert undo(change(None, MADE), None) is None


@pytest.mark.parametrize(
    ("live", "told"),
    [
        (obj({"a": 2}, entry(OURS, spec("a"))), "The run created it, and spec.a changed since, by the field manager"),
        (obj({"a": 1}, entry(OURS, spec("a")), entry("else", spec("a"))), "the field manager else at"),
        (obj({"a": 1}, entry(OURS, spec("a")), labels={"x": "y"}), "and metadata.labels.x changed since"),
    ],
)
def test_what_was_made_and_others_wrote_to_stays(live: Any, told: str) -> None:
    assert told in why(change(None, MADE), live)


def test_what_controllers_write_as_status_keeps_nothing() -> None:
    counted = obj({"a": 1}, entry(OURS, spec("a")), entry("controller", {"f:status": {}}, subresource="status"))
    assert undo(change(None, MADE), {**counted, "status": {"used": 1}}) is None


def test_a_namespace_stays_without_what_was_said_in_it() -> None:
    made = obj(
        None,
        entry(OURS, labels("mark")),
        kind="Namespace",
        labels={"mark": "x", "kubernetes.io/metadata.name": "a"},
    )
    live = {**made, "metadata": {**made["metadata"], "labels": {**made["metadata"]["labels"], "team": "web"}}}
    told = undo(change(None, made), live)
    assert told["metadata"]["labels"] == {"kubernetes.io/metadata.name": "a", "team": "web"}
    assert told["metadata"]["managedFields"] == []


def test_what_was_deleted_comes_back_with_its_owners() -> None:
    told = undo(change(BEFORE, None, deed="delete"), None)
    assert content(told) == content(BEFORE) and told["metadata"]["managedFields"] == [entry(GITOPS, spec("a", "b"))]
    assert "Something of this name is there again" in why(change(BEFORE, None, deed="delete"), MADE)
    back = obj({"a": 1, "b": 2}, entry(REVERT_MANAGER, spec("a", "b")), uid="2")
    assert managers(undo(change(BEFORE, None, deed="delete"), back)) == {GITOPS: spec("a", "b")}
    by_others = obj({"a": 1, "b": 2}, entry("else", spec("a", "b")), uid="2")
    assert managers(undo(change(BEFORE, None, deed="delete"), by_others)) == {"else": spec("a", "b")}


def test_what_was_refused_was_not_done() -> None:
    assert undo(change(BEFORE, None, outcome="refused"), BEFORE) is BEFORE


def test_what_was_read_by_its_metadata_is_compared_by_it() -> None:
    before = obj(None, entry(GITOPS, labels("l")), kind="Namespace", labels={"l": "1"})
    after = obj(None, entry(OURS, labels("l")), kind="Namespace", labels={"l": "2"}, version="2")
    live = {**after, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    told = undo(change(before, after), live)
    assert told["metadata"]["labels"] == {"l": "1"} and told["spec"] == live["spec"]


# Half a run: there is the intent alone.

UNKNOWN = change(BEFORE, None, desired=obj({"a": 9}), outcome="unknown")


def test_an_intent_that_was_never_carried_out_is_nothing() -> None:
    assert undo(UNKNOWN, BEFORE) is BEFORE
    counted = {**BEFORE, "status": {"used": 1}, "metadata": {**BEFORE["metadata"], "resourceVersion": "7"}}
    assert undo(UNKNOWN, counted) is counted
    assert undo(change(None, None, desired=MADE, outcome="unknown"), None) is None
    doomed = change(BEFORE, None, deed="delete", outcome="unknown")
    touched = obj({"a": 5}, entry("else", spec("a")))
    assert undo(doomed, touched) is touched


def test_an_intent_that_was_carried_out_is_undone() -> None:
    assert content(undo(UNKNOWN, AFTER, carried_out=True)) == content(BEFORE)
    assert undo(change(None, None, desired=MADE, outcome="unknown"), MADE, carried_out=True) is None
    doomed = change(BEFORE, None, deed="delete", outcome="unknown")
    assert content(undo(doomed, None, carried_out=True)) == content(BEFORE)


@pytest.mark.parametrize("live", [obj({"a": 7, "b": 2}, entry("else", spec("a"))), None])
def test_what_shows_neither_is_left(live: Any) -> None:
    assert "neither as it was nor as the run wanted it" in why(UNKNOWN, live)


def test_what_others_did_beside_a_write_of_which_nobody_knows_is_not_undone() -> None:
    live = obj({"a": 9, "b": 5}, entry("else", spec("b")), entry(OURS, spec("a")), version="3")
    assert "put it right by hand" in why(UNKNOWN, live, carried_out=True)
    made = obj({"a": 1}, entry(OURS, spec("a")), entry("else", spec("a")))
    assert "put it right by hand" in why(change(None, None, desired=MADE, outcome="unknown"), made, carried_out=True)


# Secrets

SECRET = {**obj(None, entry(OURS, {"f:data": {}}), kind="Secret"), "data": {"key": "djE="}}
KEPT = {**SECRET, "data": {"key": None}}


def test_a_secret_that_was_made_goes_and_any_other_change_is_left() -> None:
    assert undo(change(None, KEPT), SECRET) is None
    assert "values are never kept" in why(change(KEPT, KEPT), SECRET)
    assert "values are never kept" in why(change(KEPT, None, deed="delete"), None)
    unknown = change(KEPT, None, desired=KEPT, outcome="unknown")
    assert undo(unknown, SECRET) is SECRET
    touched = {**SECRET, "metadata": {**SECRET["metadata"], "resourceVersion": "2"}}
    assert "neither as it was" in why(unknown, touched)
