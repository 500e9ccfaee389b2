# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Damaged,
    begun,
    ended,
    entries_of,
    intended,
    judged,
    lines_of,
    reverted,
    run_of,
)

from .objects import change, obj

BEFORE, AFTER = obj({"a": 1}), obj({"a": 2}, version="2")
FINDING = {"control": "network.default_deny", "subject": "Namespace/shop", "status": "pass", "evidence": "seen"}
ENTRIES = [
    begun("run-1", {"time": "2027-03-01T10:00:00+00:00", "policy": "prod"}),
    intended(change(BEFORE, AFTER), 5.0),
    ended("1", "done", AFTER),
    judged([FINDING]),
    reverted("run-2"),
]


def test_a_run_is_read_back() -> None:
    run = run_of(entries_of(lines_of(ENTRIES), "file"), "file")
    assert (run.name, run.time, run.about["policy"], run.reverted_by) == (
        "run-1",
        "2027-03-01T10:00:00+00:00",
        "prod",
        "run-2",
    )
    assert run.changes == [change(BEFORE, AFTER)]
    assert run.findings == [{key: FINDING[key] for key in ("control", "subject", "status")}]


def test_two_copies_are_one_run_in_the_order_of_its_writes() -> None:
    second = change(None, BEFORE, at="2", batch="2")
    here = [ENTRIES[0], intended(second, 9.0), ended("2", "done", BEFORE)]
    there = [ENTRIES[0], *ENTRIES[1:3], intended(second, 9.0)]
    assert run_of([*here, *there], "x").changes == [change(BEFORE, AFTER), second]


def test_an_intent_alone_is_unknown() -> None:
    (one,) = run_of(ENTRIES[:2], "file").changes
    assert (one.outcome, one.after) == ("unknown", None)


def test_a_line_that_was_cut_off_is_left_out() -> None:
    text = lines_of(ENTRIES)
    for length in range(len(lines_of(ENTRIES[:2])), len(text)):
        assert len(run_of(entries_of(text[:length], "file"), "file").changes) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "file is no record of a run"),
        ("{", "file is damaged in line 1"),
        ("[]\n", "file is damaged in line 1"),
        ('{"a": 1}\n', "file is no record of a run"),
        ("\x00\n", "file is damaged in line 1"),
        (lines_of(ENTRIES[:1]) + "{\n" + lines_of(ENTRIES[1:]), "file is damaged in line 2"),
        ('{"record_version": 2}\n', "is a record of version 2, and this is version 1"),
    ],
)
def test_what_is_no_record_is_one_sentence(text: str, told: str) -> None:
    with pytest.raises(Damaged, match=told):
        entries_of(text, "file")


@pytest.mark.parametrize(
    "entry",
    [
        {"record_version": 1},
        {"intent": "1"},
        {**intended(change(BEFORE, AFTER), 1), "deed": "explode"},
        {**intended(change(BEFORE, AFTER), 1), "before": {"kind": "Pod"}},
        {**intended(change(BEFORE, AFTER), 1), "at": None},
        {"findings": 1},
    ],
)
def test_what_has_another_form_is_one_sentence(entry: Any) -> None:
    second = intended(change(BEFORE, AFTER, at="2"), 2.0)
    with pytest.raises(Damaged, match="is no record of a run: what it holds has another form"):
        run_of([entry, second], "file")


def test_no_value_of_a_secret_is_kept() -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0", "mine": "x"}
    secret = {
        **obj(None, kind="Secret", annotations=annotations),
        "data": {"key": "c2VjcmV0"},
        "stringData": {"other": "c2VjcmV0"},
    }
    told = lines_of([intended(change(secret, None, desired=secret), 1.0), ended("1", "done", secret)])
    assert "c2VjcmV0" not in told
    (intent, _outcome) = (json.loads(line) for line in told.splitlines())
    assert intent["before"]["data"] == {"key": None} and intent["desired"]["stringData"] == {"other": None}
    assert intent["before"]["metadata"]["annotations"] == {"mine": "x"}
    odd = {**secret, "data": "c2VjcmV0"}
    assert "c2VjcmV0" not in lines_of([ended("1", "done", odd)])
