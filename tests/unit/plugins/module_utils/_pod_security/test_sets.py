# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import (
    MANAGER,
    MARK,
    labels_told,
    left_over,
    marked_labels,
    refused,
    to_clear,
)

ENFORCE = "pod-security.kubernetes.io/enforce"


def namespaces(**marks: str | None) -> dict[str, dict[str, Any]]:
    """Namespaces with our labels of this set; ``None`` for one that somebody else labelled."""
    return {
        name: {
            "metadata": {
                "name": name,
                "labels": {ENFORCE: "baseline", **({MARK: mark} if mark else {})},
                "managedFields": [{"manager": "kubectl" if mark is None else MANAGER}],
            }
        }
        for name, mark in marks.items()
    }


def test_the_labels_say_whose_they_are() -> None:
    assert marked_labels({"enforce": "baseline"}, "shop") == {
        ENFORCE: "baseline",
        f"{ENFORCE}-version": "latest",
        MARK: "shop",
    }


def test_a_namespace_whose_labels_are_another_sets_is_refused() -> None:
    live = namespaces(ours="shop", theirs="other", unmarked="", foreign=None)
    told = refused(live, [*live, "not-there-yet"], "shop")
    assert told.keys() == {"theirs"}
    assert told["theirs"].startswith("Its Pod Security labels belong to the set other, and this is the set shop: ")


def test_what_is_left_over_is_of_the_set_and_gets_no_settings() -> None:
    live = namespaces(named="shop", left="shop", theirs="other", unmarked="", ending="shop")
    live["ending"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert left_over(live, ["named"], "shop", []) == ["left"]
    assert left_over(live, ["named"], "shop", ["n*"]) == []


def test_a_copied_mark_without_our_field_manager_is_nobodys() -> None:
    live = namespaces(copied="shop")
    live["copied"]["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    assert left_over(live, [], "shop", []) == to_clear(live, ["copied"], "shop", [], everywhere=True) == []


def test_a_removal_takes_what_is_the_sets_everywhere_or_where_it_is_told() -> None:
    live = namespaces(named="shop", left="shop", theirs="other", unmarked="", elsewhere="")
    named = ["named", "theirs", "unmarked", "not-there"]
    assert to_clear(live, named, "shop", [], everywhere=True) == ["left", "named", "unmarked"]
    assert to_clear(live, named, "shop", [], everywhere=False) == ["named", "unmarked"]
    assert to_clear(live, named, "shop", ["named"], everywhere=True) == ["named"]


def test_labels_are_told_as_they_are_and_the_mark_where_nothing_else_is_left() -> None:
    found = namespaces(ours="shop")["ours"]
    assert labels_told(found) == [f"{ENFORCE}=baseline"]
    del found["metadata"]["labels"][ENFORCE]
    assert labels_told(found) == [f"{MARK}=shop"]
