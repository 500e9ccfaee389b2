# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: reads the objects that a user wants applied, and tells all their mistakes at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._yaml import BadYaml, load_all_yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

_SUFFIXES = (".yml", ".yaml", ".json")


class BadDefinitions(HardeningError):
    """What is wrong with the input, a line for each mistake."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        """Take the mistakes, each with its place."""
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(f"{count} in the objects to apply; nothing was done.\n" + "\n".join(mistakes))


@dataclass(frozen=True, slots=True)
class _Found:
    """One document, or a mistake in its stead, and where it stands."""

    where: str
    content: Any = None
    mistake: str = ""


def read_definitions(definition: Any, sources: Iterable[Path], namespace: str = "") -> list[dict[str, Any]]:
    """All objects of a definition (map, list or YAML text) and of files and folders, as plain data.

    Lists (``kind: List`` and its like) are unfolded; an object of a kind that is not known to have no namespace gets
    ``namespace`` where it names none. Raises :class:`BadDefinitions`.
    """
    objects: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    places: dict[tuple[str, str, str, str], str] = {}
    mistakes = []
    for found in _all(definition, sources):
        wrong = found.mistake or _mistake(found.content)
        if wrong:
            mistakes.append(f"{found.where}: {wrong}")
            continue
        obj = _placed(found.content, namespace)
        key = _key(obj)
        if key in objects:
            mistakes.append(f"{found.where}: {_label(key)} is there already, as {places[key]}: take one of them out.")
        objects[key], places[key] = obj, found.where
    if mistakes:
        raise BadDefinitions(mistakes)
    return list(objects.values())


def _all(definition: Any, sources: Iterable[Path]) -> Iterator[_Found]:
    if isinstance(definition, str):
        yield from _documents(str(definition), "definition")
    elif isinstance(definition, Mapping):
        yield from _unfolded(plain(definition), "definition")
    elif definition is not None:
        for number, each in enumerate(definition, 1):
            where = f"definition, item {number}"
            yield from _documents(str(each), where) if isinstance(each, str) else _unfolded(plain(each), where)
    for source in sources:
        yield from _from_source(source)


def _from_source(source: Path) -> Iterator[_Found]:
    if source.is_dir():
        files = sorted(each for each in source.rglob("*") if each.suffix in _SUFFIXES and each.is_file())
        if not files:
            yield _Found(str(source), mistake=f"the folder holds no file that ends in {', '.join(_SUFFIXES)}.")
        for file in files:
            yield from _from_source(file)
        return
    try:
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError:
        yield _Found(str(source), mistake="there is no such file or folder.")
    except UnicodeDecodeError:
        yield _Found(str(source), mistake="the file is not UTF-8 text.")
    except OSError as error:
        yield _Found(str(source), mistake=f"the file cannot be read: {error.strerror}.")
    else:
        yield from _documents(text, str(source))


def _documents(text: str, where: str) -> Iterator[_Found]:
    documents = load_all_yaml(text)
    number = 0
    while True:
        try:
            document = next(documents, _END)
        except BadYaml as error:
            yield _Found(f"{where}, line {error.line}", mistake=f"this is not YAML: {error}.")
            return
        if document is _END:
            return
        number += 1
        if document is not None:
            yield from _unfolded(document, f"{where}, document {number}")


_END = object()


def _unfolded(document: Any, where: str) -> Iterator[_Found]:
    """The document, or the items of a list of objects."""
    items = document.get("items") if isinstance(document, dict) else None
    if isinstance(items, list) and str(document.get("kind", "")).endswith("List"):
        for number, item in enumerate(items, 1):
            yield from _unfolded(_with_kind(item, document), f"{where}, item {number}")
    else:
        yield _Found(where, document)


def _with_kind(item: Any, of: Mapping[str, Any]) -> Any:
    """Items of a typed list, like ``ConfigMapList``, may leave out what the list says already."""
    kind = str(of["kind"]).removesuffix("List")
    if not kind or not isinstance(item, dict) or "kind" in item:
        return item
    return {"apiVersion": of.get("apiVersion"), "kind": kind, **item}


def _mistake(obj: Any) -> str:
    """What an object lacks, all in one line; empty where nothing is wrong."""
    if not isinstance(obj, dict):
        return f"an object is a map, this is {_article(obj)}."
    metadata = obj.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        return f"metadata is a map, this is {_article(metadata)}."
    names = {**{key: obj.get(key) for key in ("apiVersion", "kind")}, "metadata.name": (metadata or {}).get("name")}
    namespace = (metadata or {}).get("namespace")
    missing = [key for key, value in names.items() if value in (None, "")]
    present = {key: value for key, value in names.items() if key not in missing}
    if namespace is not None:
        present["metadata.namespace"] = namespace
    wrong = [f"{key} is text, this is {value!r}" for key, value in present.items() if not isinstance(value, str)]
    if "metadata.name" in missing and (metadata or {}).get("generateName"):
        missing.remove("metadata.name")
        wrong.append("generateName makes another object in each run: give a name instead")
    parts = [f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    return "; ".join([*parts, *wrong]) + "." if parts or wrong else ""


def _article(value: Any) -> str:
    return {list: "a list", str: "text", dict: "a map", type(None): "nothing"}.get(type(value), f"{value!r}")


def _placed(obj: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The object in the default namespace, if it wants one and names none."""
    known = KNOWN.get((obj["apiVersion"], obj["kind"]))
    if not namespace or obj["metadata"].get("namespace") or (known and not known.namespaced):
        return obj
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def _key(obj: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What makes an object the same as another: the group but not the version, the kind, and the names."""
    group = obj["apiVersion"].rpartition("/")[0]
    return group, obj["kind"], obj["metadata"].get("namespace") or "", obj["metadata"]["name"]


def _label(key: tuple[str, str, str, str]) -> str:
    return "/".join(part for part in key[1:] if part)
