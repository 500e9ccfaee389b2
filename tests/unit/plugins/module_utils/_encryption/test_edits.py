# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is put into YAML and taken out again leaves no trace, in every style that it may be written in."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._edits import append, put, remove
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._yaml import read
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

ITEM: dict[str, Any] = {"name": "ours", "hostPath": {"path": "/a/b", "type": "Directory"}, "readOnly": True}
LISTS = (
    "list:\n- a\n- b\n",
    "list:\n- a\n- b",
    "list:\n    - a # why\n    - b # because\n# the end\nother: 1\n",
    "list:\n-   a\n\n\n-   b\n\n\n# c\n\nother: 1\n",
    "list:\r\n- a\r\n- b\r\nother: 1\r\n",
    "list: [a, b]\n",
    "list: [a, b,]\n",
    "list: [ a , b ] # c\nother: 1",
    "list: [\n  a, # first\n  b # second\n]\n",
    "list: [\"a\", 'b']\n",
    "list: []\nother: 1\n",
    "list: [ ]\n",
    "other: 1\n",
    "other: 1",
    "# only\nother: 1 # one\n# end\n",
    '{"list": ["a", "b"]}',
    '{"other": 1}',
    '{\n  "list": [\n    "a",\n    "b"\n  ],\n  "other": 1\n}\n',
    "{list: [a], other: 1}\n",
    "---\nlist:\n- a\n...\n",
    "list:\n- a: 1\n  b:\n  - c\n  - {d: e}\n# f\n",
    'list:\n- "a\n  b"\n- plain\n  text\n',
    "\ufefflist:\n- a\n",
)


@pytest.mark.parametrize("text", LISTS)
@pytest.mark.parametrize("item", [ITEM, "--flag=/a/b", "true", "3", "a: b"])
def test_an_item_that_is_put_in_and_taken_out_leaves_no_trace(text: str, item: Any) -> None:
    before = yaml.safe_load(text)
    edited = append(text, ("list",), item, "text")
    assert yaml.safe_load(edited) == {**before, "list": [*before.get("list", []), item]}
    assert remove(edited, ("list", len(before.get("list", []))), "text") == text


@pytest.mark.parametrize("text", LISTS)
def test_several_items_go_in_any_order(text: str) -> None:
    edited = append(append(text, ("list",), "one", "text"), ("list",), ITEM, "text")
    position = len(yaml.safe_load(text).get("list", []))
    assert remove(remove(edited, ("list", position), "text"), ("list", position), "text") == text
    assert remove(remove(edited, ("list", position + 1), "text"), ("list", position), "text") == text


@pytest.mark.parametrize("text", [each for each in LISTS if "other" in each])
def test_a_key_in_maps_that_are_missing(text: str) -> None:
    edited = put(text, ("new", "inner", "key"), "true", "text")
    assert yaml.safe_load(edited) == {**yaml.safe_load(text), "new": {"inner": {"key": "true"}}}
    again = put(edited, ("new", "inner", "next"), [1, True, {}], "text")
    assert yaml.safe_load(again)["new"]["inner"] == {"key": "true", "next": [1, True, {}]}
    assert remove(remove(again, ("new", "inner", "next"), "text"), ("new", "inner", "key"), "text") == text


@pytest.mark.parametrize("text", LISTS)
def test_all_other_lines_stay(text: str) -> None:
    edited = append(text, ("list",), ITEM, "text")
    at = next((at for at, (old, new) in enumerate(zip(text, edited, strict=False)) if old != new), len(text))
    assert edited.startswith(text[:at]) and edited.endswith(text[at:])


def test_what_was_there_is_taken_out_too() -> None:
    assert remove("list:\n- a # gone\n- b\n", ("list", 0), "text") == "list:\n- b\n"
    assert remove("list: [a, b]\n", ("list", 0), "text") == "list: [b]\n"
    assert remove("a: 1\nb: 2\n", ("a",), "text") == "b: 2\n"
    assert remove("a: 1\nlist:\n- x\n", ("list", 0), "text") == "a: 1\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("list:\nother: 1\n", "take that line out"),
        ("list: text\n", "take that line out"),
        ("{list: []}\n", "take it out"),
        ("list:\n- |\n  text\n", "several lines"),
        ("list:\n- a: >-\n    text\n", "several lines"),
        ("list: &anchor\n- a\ncopy: *anchor\n", "line 3: an alias"),
        ("list: [a]\nlist: [b]\n", "line 2: a key is there twice"),
        ("list:\n\t- a\n", "line 2: a tab stands here"),
        ("list:\n-\ta\n", "line 2: a tab stands here"),
        ("list:\n- a\t# tab\n", "line 2: a tab stands here"),
        ("list: [a\n", "this is not YAML"),
        ("list: [a]\n---\nlist: [b]\n", "a second document"),
        ("", "it is empty"),
        ("# nothing\n", "it is empty"),
        ("list: [\x00]", "characters that YAML does not allow"),
        ("? [a]\n: b\n", "a key is not a word"),
        ("list: !!int text\n", "cannot be read"),
        ("list: !!bool text\n", "cannot be read"),
        ("list: !!timestamp text\n", "cannot be read"),
        ("list: !!set [a]\n", "this is not YAML"),
        ("[" * 2000, "this is not YAML|cannot be read"),
        ("list: !unknown [a]\n", "this is not YAML"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, told: str) -> None:
    with pytest.raises(HardeningError, match=told) as refused:
        append(text, ("list",), "ours", "the file")
    assert str(refused.value).startswith("the file: ")


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        ("a: 1\n", ("b",), "there is no b"),
        ("a: [1]\n", ("a", 3), r"there is no a\[3\]"),
        ("a: 1\n", ("a",), "nothing would be left"),
        ("- a: 1\n  b: 2\n", (0, "a"), "does not begin its line"),
        ("a: [1, # one\n  2]\n", ("a", 1), "a comment stands in the way"),
        ("a:\n- x\n- |\n  text\n", ("a", 1), "several lines"),
        ("a: [1 , ]\n", ("a", 0), "cannot be edited without touching other lines"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(text: str, path: tuple[str | int, ...], told: str) -> None:
    with pytest.raises(HardeningError, match=told):
        remove(text, path, "the file")


@pytest.mark.parametrize("text", ["key: s3cr3t: x\n", "key: 's3cr3t\n", "key: *s3cr3t\n", "key: !s3cr3t x\n"])
def test_no_message_repeats_the_text(text: str) -> None:
    with pytest.raises(HardeningError) as refused:
        read(text, "the file")
    error: BaseException | None = refused.value
    while error is not None:
        assert "s3cr3t" not in str(error)
        error = error.__cause__ or error.__context__


def test_dates_stay_text() -> None:
    assert read("a: 2026-11-22\n", "the file")[1] == {"a": "2026-11-22"}
