# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._definitions import (
    BadDefinitions,
    read_definitions,
)

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}}
TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n"


@pytest.mark.parametrize(
    "definition",
    [
        CONFIG_MAP,
        [CONFIG_MAP],
        TEXT,
        [TEXT],
        f"---\n{TEXT}---\n",
        {"apiVersion": "v1", "kind": "List", "items": [CONFIG_MAP]},
        {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": CONFIG_MAP["metadata"]}]},
    ],
)
def test_objects_come_in_many_forms(definition: Any) -> None:
    assert read_definitions(definition, []) == [CONFIG_MAP]


def test_files_and_folders_are_read_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.yaml", "a.yml", "deep/c.yml", "ignored.txt"):
        (folder / name).write_text(TEXT.replace("name: a", f"name: {Path(name).stem}"))
    (folder / "d.json").write_text('{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "d"}}')
    assert [each["metadata"]["name"] for each in read_definitions(None, [folder])] == ["a", "b", "d", "c"]


def test_the_default_namespace_is_for_those_that_want_one_and_name_none() -> None:
    kinds = [("v1", "Namespace"), ("v1", "Secret"), ("example.com/v1", "Gadget")]
    given = [{"apiVersion": version, "kind": kind, "metadata": {"name": "a"}} for version, kind in kinds]
    read = read_definitions([*given, CONFIG_MAP], [], "shop")
    assert [each["metadata"].get("namespace", "") for each in read] == ["", "shop", "shop", "b"]


MISTAKES = {
    "a: 1": "apiVersion and kind and metadata.name are missing",
    "[1]": "an object is a map, this is a list",
    "text": "an object is a map, this is text",
    "{apiVersion: v1, kind: Pod, metadata: [a]}": "metadata is a map, this is a list",
    "{apiVersion: v1, kind: Pod, metadata: {name: 1}}": "metadata.name is text, this is 1",
    "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 5}}": "metadata.namespace is text, this is 5",
    "{apiVersion: v1, kind: Pod, metadata: {name: a, name: b}}": "the key 'name' is there twice",
    "{apiVersion: 1, kind: Pod, metadata: {name: a}}": "apiVersion is text, this is 1",
    "{apiVersion: v1, kind: Pod, metadata: {generateName: a-}}": "give a name instead",
    "{apiVersion: v1, kind: Pod, metadata: }": "metadata.name is missing",
    "a: [": "this is not YAML",
    "{apiVersion: v1, kind: List, items: [7]}": "item 1: an object is a map, this is 7",
}


@pytest.mark.parametrize(("text", "words"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(BadDefinitions) as caught:
        read_definitions(text, [])
    assert words in str(caught.value) and "definition, " in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(f"{TEXT}---\nkind: Pod\n---\n{TEXT}---\na: [\n")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe")
    (tmp_path / "empty").mkdir()
    sources = [tmp_path / "one.yml", tmp_path / "nowhere.yml", tmp_path / "empty", tmp_path / "binary.yml"]
    with pytest.raises(BadDefinitions) as caught:
        read_definitions([CONFIG_MAP, "- 1"], sources)
    lines = str(caught.value).splitlines()
    assert lines[0] == "8 mistakes in the objects to apply; nothing was done."
    assert lines[1:] == [
        "definition, item 2, document 1: an object is a map, this is a list.",
        f"{sources[0]}, document 1: ConfigMap/b/a is there already, as definition, item 1: take one of them out.",
        f"{sources[0]}, document 2: apiVersion and metadata.name are missing.",
        f"{sources[0]}, document 3: ConfigMap/b/a is there already, as {sources[0]}, document 1: take one of them out.",
        f"{sources[0]}, line 12: this is not YAML: did not find expected node content.",
        f"{sources[1]}: there is no such file or folder.",
        f"{sources[2]}: the folder holds no file that ends in .yml, .yaml, .json.",
        f"{sources[3]}: the file is not UTF-8 text.",
    ]


def test_the_version_does_not_make_another_object() -> None:
    one = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "namespace": "b"},
    }
    with pytest.raises(BadDefinitions, match="is there already"):
        read_definitions([one, {**one, "apiVersion": "autoscaling/v2"}], [])
