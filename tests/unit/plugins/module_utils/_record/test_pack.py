# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import gzip
import random

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Damaged,
    begun,
    ended,
    intended,
    lines_of,
    run_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._pack import (
    about_of,
    can_be_named,
    config_map,
    entries_in,
    pieces,
)

from .objects import change, obj

HEAD = begun("run-1", {"time": "now", "policy": "prod", "user": "jane"})
BODY = [intended(change(None, obj({"a": 1})), 1.0), ended("1", "done", obj({"a": 1}))]


def test_what_is_packed_is_read_back_however_it_lies() -> None:
    main = config_map("run-1", "run-1", [HEAD, *BODY[:1]], {"time": "now"})
    part = config_map("run-1-18f", "run-1", BODY[1:])
    for maps in ([main, part], [part, main]):
        run = run_of(entries_in(maps, "run-1"), "x")
        assert (run.name, run.changes[0].outcome) == ("run-1", "done")


def test_the_one_by_which_a_run_is_found_says_what_it_is() -> None:
    main = config_map("run-1", "run-1", [HEAD], about_of(run_of([HEAD, *BODY], "x"), 1))
    assert main["metadata"]["labels"] == {"hardening.kubernetes/record": "run", "hardening.kubernetes/run": "run-1"}
    assert main["data"] == {"time": "now", "user": "jane", "policy": "prod", "objects": "1"}
    part = config_map("run-1-2", "run-1", BODY)
    assert part["metadata"]["labels"]["hardening.kubernetes/record"] == "run-part" and part["data"] == {}


def test_a_long_record_is_split_so_that_each_part_can_be_stored() -> None:
    noise = random.Random(0)
    entries = [ended(str(at), "done", obj({"a": noise.randbytes(3000).hex()})) for at in range(600)]
    parts = list(pieces(entries))
    assert len(parts) > 1 and [each for part in parts for each in part] == entries
    for part in parts:
        assert len(config_map("x", "x", part)["binaryData"]["record.jsonl.gz"]) < 1_000_000
    assert list(pieces([])) == [[]]


@pytest.mark.parametrize("broken", ["", "!!!", base64.b64encode(b"no gzip").decode(), None])
def test_a_damaged_one_is_one_sentence(broken: str | None) -> None:
    main = config_map("run-1", "run-1", [HEAD])
    main["binaryData"] = {"record.jsonl.gz": broken}
    with pytest.raises(Damaged, match="The ConfigMap hardening-kubernetes/run-1 is damaged"):
        entries_in([main], "run-1")
    cut = base64.b64encode(gzip.compress(lines_of([HEAD]).encode())[:-5]).decode()
    main["binaryData"] = {"record.jsonl.gz": cut}
    with pytest.raises(Damaged, match="is damaged"):
        entries_in([main], "run-1")
    with pytest.raises(Damaged, match="is damaged"):
        entries_in([{"metadata": {"name": "run-1"}}], "run-1")


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("run-20270301t101500z-3fa2", True),
        ("a", True),
        ("a" * 47, True),
        ("a" * 48, False),
        ("Run", False),
        ("a.b", False),
        ("-a", False),
        ("", False),
    ],
)
def test_the_name_of_a_run_is_that_of_a_config_map(name: str, good: bool) -> None:
    assert can_be_named(name) is good
