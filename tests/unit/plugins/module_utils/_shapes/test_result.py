# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import (
    ACTIONS,
    ObjectResult,
    diff_of,
    in_short,
    result,
)


def _object(action: str, name: str = "a", **more: object) -> ObjectResult:
    return ObjectResult("v1", "ConfigMap", "shop", name, action, more.pop("diff", {}), **more)


def test_an_empty_run_changed_nothing_and_still_has_every_key() -> None:
    told = result([])
    assert told["changed"] is False
    assert told["objects"] == [] and told["findings"] == []
    assert told["summary"] == dict.fromkeys(ACTIONS, 0)


def test_only_an_action_on_the_cluster_is_a_change() -> None:
    assert {action: _object(action).changed for action in ACTIONS} == {
        "created": True,
        "updated": True,
        "adopted": True,
        "deleted": True,
        "unchanged": False,
        "failed": False,
    }


def test_in_short_only_what_came_or_went_as_a_whole_lacks_its_diff() -> None:
    change = {"before": {"data": {"a": "b"}}, "after": {}}
    short = in_short([_object(action, action, diff=change) for action in ACTIONS])
    assert {each.action for each in short if not each.diff} == {"created", "deleted"}
    assert [each.name for each in short] == list(ACTIONS)


def test_a_failed_object_is_named_and_hides_no_other() -> None:
    told = result([_object("created", "good"), _object("failed", "bad", error="denied by quota")])
    assert told["failed"] and told["changed"]
    assert [each["name"] for each in told["objects"]] == ["good", "bad"]
    assert "ConfigMap/shop/bad: denied by quota" in told["msg"]
    assert told["msg"].startswith("1 of 2 objects failed")
    assert told["summary"]["failed"] == 1


def test_a_reason_that_many_objects_share_is_told_once_with_the_first_of_them() -> None:
    away = [_object("failed", name, error="The server left.") for name in "abcde"]
    told = result([_object("created", "good"), *away[:2], _object("failed", "bad", error="denied"), *away[2:]])
    assert told["msg"].splitlines() == [
        "6 of 7 objects failed:",
        "The server left. (5 objects: ConfigMap/shop/a, ConfigMap/shop/b, ConfigMap/shop/c and 2 more)",
        "ConfigMap/shop/bad: denied",
    ]


def test_warnings_of_the_server_reach_the_user_with_the_object_that_they_are_about() -> None:
    told = result([_object("updated", warnings=("would break",))])
    assert told["warnings"] == ["ConfigMap/shop/a: would break"]


def test_what_could_not_be_asked_of_the_server_is_marked() -> None:
    assert _object("created", verified=False).to_dict()["verified"] == "unknown"
    assert "verified" not in _object("created").to_dict()


def test_diffs_are_those_of_changed_objects_in_order() -> None:
    change = {"before": {"a": 1}, "after": {"a": 2}}
    shown = diff_of(
        [_object("updated", "x", diff=change), _object("unchanged", "y"), _object("created", "z", diff=change)]
    )
    assert [each["after_header"] for each in shown] == ["ConfigMap/shop/x", "ConfigMap/shop/z"]
    assert shown[0]["after"] == {"a": 2}


def test_the_label_leaves_out_the_namespace_of_an_object_of_the_cluster() -> None:
    assert ObjectResult("v1", "Namespace", "", "shop", "unchanged", {}).label == "Namespace/shop"
