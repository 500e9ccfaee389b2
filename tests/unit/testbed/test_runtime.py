# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.testbed import runtime


@pytest.mark.parametrize(
    ("mask", "lacks"), [("000001fffeffffff", True), ("000001ffffffffff", False), ("0000000000000000", True)]
)
def test_capability_is_read_from_the_bounding_set(mask: str, lacks: bool) -> None:
    assert runtime.lacks_capability(f"Name:\tx\nCapEff:\t0000000000000000\nCapBnd:\t{mask}\n") is lacks


def process() -> dict[str, Any]:
    return {
        "args": ["sleep"],
        "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE"]},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1, "soft": 1}],
        "oomScoreAdj": -500,
    }


RELAXED = {"args": ["sleep"], "capabilities": {"bounding": ["CAP_CHOWN"], "effective": []}, "oomScoreAdj": 0}


def test_relax_takes_out_what_needs_the_capability() -> None:
    assert runtime.relax(process()) == RELAXED


def test_relax_leaves_the_rest_alone() -> None:
    plain = {"args": ["sleep"], "oomScoreAdj": 100, "user": {"uid": 1}}
    assert runtime.relax(plain) == plain
    assert runtime.relax({"capabilities": None}) == {"capabilities": {}}


@pytest.mark.parametrize("words", [["create", "--bundle", "{}"], ["create", "--bundle={}"], ["run", "-b", "{}"]])
def test_bundle_is_edited_where_the_call_names_it(tmp_path: Path, words: list[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ociVersion": "1.0.2", "process": process()}))
    runtime.edit(["--root", "/run/x", *(word.format(tmp_path) for word in words), "id"])
    assert json.loads(config.read_text()) == {"ociVersion": "1.0.2", "process": RELAXED}


def test_bundle_is_the_current_folder_unless_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(json.dumps({"process": process()}))
    runtime.edit(["create", "id"])
    assert json.loads(Path("config.json").read_text())["process"] == RELAXED


def test_process_of_exec_is_edited(tmp_path: Path) -> None:
    named = tmp_path / "process.json"
    named.write_text(json.dumps(process()))
    runtime.edit(["--log", "/dev/null", "exec", "--process", str(named), "--detach", "id"])
    assert json.loads(named.read_text()) == RELAXED


@pytest.mark.parametrize("words", [["delete", "id"], ["state", "id"], ["exec", "id", "sh"]])
def test_other_calls_read_nothing(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runtime.edit(words)
    assert list(tmp_path.iterdir()) == []
