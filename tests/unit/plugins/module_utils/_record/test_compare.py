# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._compare import compare, written

from .objects import change, obj, run

ONE, OTHER = obj({"a": 1}), obj({"a": 2}, name="b")


def found(**statuses: str) -> list[dict[str, str]]:
    return [{"control": "x.y", "subject": subject, "status": status} for subject, status in statuses.items()]


def test_what_a_run_did_in_all() -> None:
    gate = obj({}, name="gate")
    one = run(
        change(None, gate, at="1"),
        change(None, ONE, at="2"),
        change(ONE, obj({"a": 3}), at="3"),
        change(OTHER, None, at="4", deed="delete"),
        change(gate, None, at="5", deed="delete"),
        change(None, None, desired=obj(name="unwritten"), outcome="refused", at="6"),
        change(None, None, desired=obj(name="half"), outcome="unknown", at="7"),
    )
    assert {key[3]: action for key, action in written(one).items()} == {
        "a": "created",
        "b": "deleted",
        "half": "created",
    }


def test_what_two_runs_differ_in() -> None:
    first = replace(run(change(None, ONE), change(None, OTHER, at="2")), findings=found(shop="fail", lab="pass"))
    second = replace(run(change(None, ONE), name="run-2"), findings=found(shop="pass", lab="pass", new="pass"))
    assert compare(first, second) == {
        "judged": {"from": True, "to": True},
        "controls": [
            {"control": "x.y", "subject": "new", "from": "", "to": "pass"},
            {"control": "x.y", "subject": "shop", "from": "fail", "to": "pass"},
        ],
        "objects": [{"object": "NetworkPolicy/shop/b", "from": "created", "to": ""}],
    }


def test_of_a_run_that_came_to_no_findings_nothing_is_claimed() -> None:
    told = compare(run(), replace(run(), findings=found(shop="pass")))
    assert told == {"judged": {"from": False, "to": True}, "controls": [], "objects": []}
