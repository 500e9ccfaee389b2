# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._yaml import BadYaml, load_all_yaml, load_yaml

AS_KUBECTL_READS = {
    "on: 1": {"on": 1},
    "a: no": {"a": "no"},
    "a: Yes": {"a": "Yes"},
    "a: true": {"a": True},
    "a: False": {"a": False},
    "a: 2026-01-01": {"a": "2026-01-01"},
    "a: 2026-01-01T00:00:00Z": {"a": "2026-01-01T00:00:00Z"},
    "a: 12:30:45": {"a": "12:30:45"},
    "a: 0644": {"a": 0o644},
    "a: 1.5": {"a": 1.5},
    "a: -7": {"a": -7},
    "a: 0": {"a": 0},
    "a: ~": {"a": None},
    "a: 0x1F": {"a": 31},
    "a: 1.30": {"a": 1.3},
    "a: 10.0.0.0": {"a": "10.0.0.0"},
    "a: '1'": {"a": "1"},
    "9000: a": {"9000": "a"},
    "true: a": {"true": "a"},
    "~: a": {"null": "a"},
    "a: !!binary aGVs bG8=": {"a": "aGVsbG8="},
    "a: !!timestamp 2026-01-01": {"a": "2026-01-01"},
    "a: !!set {b: , c: }": {"a": ["b", "c"]},
    "a: &it [1, {b: 2}]\nc: *it": {"a": [1, {"b": 2}], "c": [1, {"b": 2}]},
    "one: &one {a: 1, b: 1}\ntwo: {b: 2, <<: *one}": {"one": {"a": 1, "b": 1}, "two": {"a": 1, "b": 2}},
    "a: {<<: [{b: 1}, {b: 2, c: 2}], d: 3}": {"a": {"b": 1, "c": 2, "d": 3}},
}


@pytest.mark.parametrize(("text", "value"), AS_KUBECTL_READS.items(), ids=AS_KUBECTL_READS)
def test_scalars_are_read_as_kubectl_reads_them(text: str, value: Any) -> None:
    read = load_yaml(text)
    assert read == value
    assert [type(each) for each in read.values()] == [type(each) for each in value.values()]


def test_documents_come_one_after_another_until_one_is_wrong() -> None:
    documents = load_all_yaml("a: 1\n---\nb: 2\n---\nc: [\n")
    assert (next(documents), next(documents)) == ({"a": 1}, {"b": 2})
    with pytest.raises(BadYaml) as caught:
        next(documents)
    assert caught.value.line == 6


MISTAKES = {
    "a: 1\nb:\n  c: 1\n  d: 1\n  c: 2\n": (5, "the key 'c' is there twice in one map"),
    "data: {a: '1'}\nmore: 1\ndata: {b: '2'}\n": (3, "the key 'data' is there twice in one map"),
    "9000: a\n'9000': b\n": (2, "the key '9000' is there twice in one map"),
    "a: &it\n  b: *it\n": (1, "this holds itself"),
    "a: 1\n? [b]\n: 2\n": (2, "a key is text, not a list or a map"),
    "a: 1\nb: {<<: 7}\n": (2, "<< takes a map or a list of maps"),
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.items(), ids=MISTAKES)
def test_what_yaml_allows_and_no_object_means_is_a_mistake(text: str, told: tuple[int, str]) -> None:
    with pytest.raises(BadYaml) as caught:
        load_yaml(text)
    assert (caught.value.line, str(caught.value)) == told


@pytest.mark.parametrize("text", ["a: \tb: c", "\x00", "!!python/object:os.system {}", "a: *nowhere", "a: 0b"])
def test_what_is_no_yaml_of_data_is_told_with_its_line(text: str) -> None:
    if text == "a: 0b":
        assert load_yaml(text) == {"a": "0b"}
        return
    with pytest.raises(BadYaml) as caught:
        load_yaml(text)
    assert caught.value.line >= 1


class Text(str):
    """As ansible-core 2.19 tags the strings of files and templates."""

    __slots__ = ("origin",)


class Map(dict):  # type: ignore[type-arg]
    """As ansible-core 2.19 hands over maps."""


def test_plain_data_is_of_exact_types() -> None:
    told = plain(
        Map({Text("a"): [Text("b"), 1, 2.5, True, None], 2: (Text("c"),), True: datetime.date(2026, 1, 2), None: b"hi"})
    )
    assert told == {"a": ["b", 1, 2.5, True, None], "2": ["c"], "true": "2026-01-02", "null": "aGk="}
    assert {type(told), *map(type, told), *map(type, told["a"]), *map(type, told["2"])} == {
        dict,
        str,
        int,
        float,
        bool,
        type(None),
    }
