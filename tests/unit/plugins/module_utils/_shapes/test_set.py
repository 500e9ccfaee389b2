# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    ORIGIN,
    SET_LABEL,
    check_set_name,
    is_of_set,
    leaving,
    left_over,
    leftover_findings,
    marked,
    marked_namespace,
    of_another_set,
    origin,
    reaches_everywhere,
)

OURS, THEIRS = "hardening.kubernetes/tests", "kubectl"
CONTENT = {"f:metadata": {}, "f:spec": {}}


def live(
    set_name: str = "", mark: str = "", managers: dict[str, Any] | None = None, name: str = "x", **more: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "a", **more}
    if set_name:
        metadata["labels"] = {SET_LABEL: set_name}
    if mark:
        metadata["annotations"] = {ORIGIN: mark}
    if managers:
        metadata["managedFields"] = [
            {"manager": manager, "operation": "Apply", "fieldsV1": fields} for manager, fields in managers.items()
        ]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def test_an_object_gets_both_marks_and_keeps_its_own_labels() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {"team": "a"}}}
    metadata = marked(obj, "shop", "adopted")["metadata"]
    assert metadata["labels"] == {"team": "a", SET_LABEL: "shop"} and metadata["annotations"] == {ORIGIN: "adopted"}
    assert obj["metadata"] == {"name": "x", "labels": {"team": "a"}}
    assert marked_namespace("new", "shop")["metadata"] == {
        "name": "new",
        "labels": {SET_LABEL: "shop"},
        "annotations": {ORIGIN: "created"},
    }


@pytest.mark.parametrize(
    ("found", "mark"),
    [
        (None, "created"),
        (live(), "adopted"),
        (live(mark="created"), "adopted"),
        (live("shop", "created"), "created"),
        (live("shop", "adopted"), "adopted"),
        (live("shop"), "adopted"),
    ],
)
def test_the_first_run_decides_whether_an_object_was_created(found: dict[str, Any] | None, mark: str) -> None:
    assert origin(found, "shop") == mark


def test_an_object_of_another_set_is_refused_and_the_sentence_says_what_to_do() -> None:
    assert of_another_set(live(), "shop") == of_another_set(live("shop"), "shop") == ""
    assert of_another_set(live("other"), "shop") == (
        "It belongs to the set other, and this is the set shop: say all of it in one of them, "
        "or remove the other first (state: absent, set: other)."
    )


@pytest.mark.parametrize(
    ("found", "way"),
    [
        (live("shop", "created", {OURS: CONTENT}), "delete"),
        (live("shop", "created", {OURS: CONTENT, THEIRS: CONTENT}), "delete"),
        (live("shop", "adopted", {OURS: CONTENT, THEIRS: CONTENT}), "hand_back"),
        (live("shop", "", {OURS: CONTENT, THEIRS: CONTENT}), "hand_back"),
        (live("shop", "", {OURS: CONTENT}), "delete"),
        (live("shop", "adopted", {OURS: CONTENT, THEIRS: {"f:metadata": {}}}), "delete"),
        (live("shop", "adopted", {OURS: CONTENT}), "delete"),
        (live("other", "created", {OURS: CONTENT}), "keep"),
        (live("", "created", {OURS: CONTENT}), "keep"),
        (live("shop", "created", {THEIRS: CONTENT}), "keep"),
    ],
)
def test_what_becomes_of_an_object_that_the_set_leaves(found: dict[str, Any], way: str) -> None:
    assert leaving(found, "shop", OURS) == way


def test_what_reports_the_status_of_an_object_owns_none_of_its_content() -> None:
    found = live("shop", "adopted", {OURS: CONTENT})
    found["metadata"]["managedFields"].append(
        {"manager": "controller", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}
    )
    assert leaving(found, "shop", OURS) == "delete"


def test_what_is_left_over_is_of_the_set_not_wanted_and_not_going_already() -> None:
    listed = [
        live("shop", name="wanted"),
        live("shop", name="left"),
        live("other", name="others"),
        live("shop", name="copied", managers={THEIRS: CONTENT}),
        live("shop", name="going", deletionTimestamp="2026-01-01T00:00:00Z"),
    ]
    wanted = [live(name="wanted")]
    assert left_over(listed, wanted, "shop", OURS) == [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left", "namespace": "a"}}
    ]
    assert is_of_set(listed[0], "shop", OURS) and not is_of_set(listed[3], "shop", OURS)


def test_only_a_named_set_that_prunes_reaches_everywhere() -> None:
    assert reaches_everywhere("shop") and not reaches_everywhere("shop", False) and not reaches_everywhere("default")


@pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 64, "a/b"])
def test_a_name_that_cannot_be_a_label_is_refused(name: str) -> None:
    with pytest.raises(HardeningError, match="cannot be a label"):
        check_set_name(name)
    check_set_name("a" * 63)


def test_leftovers_are_failures_that_name_what_is_there_and_expected_to_go() -> None:
    told = {"Namespace/b": ["ConfigMap/b/x"], "Namespace/a": [f"ConfigMap/a/{name}" for name in "stuv"]}
    first, second = leftover_findings("shop", told, "", "ConfigMaps", preview=True)
    assert (first.control, first.subject, first.status, first.would) == (
        "policy.leftovers",
        "Namespace/a",
        "fail",
        "pass",
    )
    assert first.evidence == (
        "ConfigMap/a/s, ConfigMap/a/t, ConfigMap/a/u and 1 more are of the set shop, though nothing names them any more"
    )
    assert second.evidence == "ConfigMap/b/x is of the set shop, though nothing names it any more"
    assert second.remedy and leftover_findings("shop", told, "", "ConfigMaps")[0].would is None


def test_who_could_not_look_never_passes() -> None:
    (unseen,) = leftover_findings("shop", {}, "The server refused.", "ConfigMaps")
    assert unseen.status == "unknown" and "so none is pruned: The server refused." in unseen.evidence
    (part,) = leftover_findings("shop", {}, "", "ConfigMaps", only=["web", "team-*"])
    assert part.evidence.endswith("but those that are named in web, team-*; nobody looked elsewhere")
    (clean,) = leftover_findings("shop", {}, "", "ConfigMaps")
    assert (clean.status, clean.subject) == ("pass", "Set/shop")
