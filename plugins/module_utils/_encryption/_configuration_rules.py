# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what an API server refuses in an EncryptionConfiguration, before it has to.

A bad file would be passed over by a running server, which keeps the former, and keep one that restarts from starting.
The rules are those of ``apiserver/pkg/apis/apiserver/validation/validation_encryption.go`` and, for what masks what, of
``apiserver/pkg/server/options/encryptionconfig/config.go``, 1.34 to 1.37. Decoding there is not strict: fields that are
not known are passed over, so they are told and not refused. No message repeats what stands where a key should be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KEY_LENGTHS, parse_material
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import (
    canonical,
    mask_of,
    overlap_of,
    trouble_with,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

KIND = "EncryptionConfiguration"
API_VERSION = "apiserver.config.k8s.io/v1"
KEYED = tuple(KEY_LENGTHS)
PROVIDERS = (*KEYED, "kms", "identity")

_FIELDS: dict[str, tuple[str, ...]] = {
    "": ("kind", "apiVersion", "resources"),
    "entry": ("resources", "providers"),
    "kms": ("apiVersion", "name", "endpoint", "timeout", "cachesize"),
    "keys": ("keys",),
    "key": ("name", "secret"),
    "identity": (),
}
_DURATION = re.compile(r"\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+")
_LARGEST_CACHE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class KmsPlugin:
    """A KMS plugin as a configuration names it; empty fields are left to the server's defaults (3 s, 1000 keys)."""

    name: str
    version: str
    endpoint: str
    timeout: str = ""
    cache_size: int | None = None

    @property
    def provider(self) -> str:
        """As the walk names it."""
        return f"kms_{self.version}"

    @classmethod
    def from_entry(cls, said: Mapping[str, Any]) -> KmsPlugin:
        """From the ``kms`` of a provider; a version that is not said is v1 (``SetDefaults_KMSConfiguration``)."""
        return cls(
            said["name"],
            said.get("apiVersion") or "v1",
            said["endpoint"],
            said.get("timeout") or "",
            said.get("cachesize"),
        )

    def to_entry(self) -> dict[str, Any]:
        """The ``kms`` of a provider."""
        said = {"apiVersion": self.version, "name": self.name, "endpoint": self.endpoint}
        timeout = {"timeout": self.timeout} if self.timeout else {}
        return said | timeout | ({} if self.cache_size is None else {"cachesize": self.cache_size})


class _Notes:
    """What is found on the way: mistakes, and fields that the server passes over."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []
        self.ignored: list[str] = []
        self.plugins: set[str] = set()

    def mistake(self, where: str, what: str) -> None:
        self.mistakes.append(f"{where}: {what}" if where else what)

    def map(self, said: Any, where: str, fields: tuple[str, ...]) -> Mapping[str, Any]:
        """The map that is said, without what the server passes over; empty where it is none."""
        if not isinstance(said, dict):
            self.mistake(where, "this is not a map")
            return {}
        self.ignored += [f"{where}.{key}".removeprefix(".") for key in said if key not in fields]
        return {key: value for key, value in said.items() if key in fields}

    def list(self, said: Any, where: str, of: str) -> list[Any]:
        """The list that is said; empty, which is a mistake, where it is none."""
        if isinstance(said, list) and said:
            return said
        self.mistake(where, f"there are no {of}" if said is None or said == [] else "this is not a list")
        return []

    def text(self, said: Any, where: str) -> str:
        """The text that is said; empty, which is a mistake, where it is none."""
        if isinstance(said, str) and said:
            return said
        self.mistake(where, "this is missing" if said is None or said == "" else "this is not text; put it in quotes")
        return ""


def mistakes_of(document: Any) -> tuple[list[str], list[str]]:
    """What an API server refuses in a configuration, and the fields that it passes over."""
    notes = _Notes()
    if not isinstance(document, dict):
        return ["it is not a map"], []
    if (document.get("apiVersion"), document.get("kind")) != (API_VERSION, KIND):
        return [f"it is not of kind {KIND}, version {API_VERSION}"], []
    said = notes.map(document, "", _FIELDS[""])
    earlier: list[str] = []
    for at, entry in enumerate(notes.list(said.get("resources"), "resources", "resources")):
        where = f"resources[{at}]"
        entry = notes.map(entry, where, _FIELDS["entry"])
        _resources(notes, entry.get("resources"), f"{where}.resources", earlier)
        for number, provider in enumerate(notes.list(entry.get("providers"), f"{where}.providers", "providers")):
            _provider(notes, provider, f"{where}.providers[{number}]")
    return notes.mistakes, notes.ignored


def _resources(notes: _Notes, said: Any, where: str, earlier: list[str]) -> None:
    given = [notes.text(name, f"{where}[{at}]") for at, name in enumerate(notes.list(said, where, "resources"))]
    names = [canonical(name) for name in given if name]
    for name in names:
        if trouble := trouble_with(name):
            notes.mistake(where, f"{name}: {trouble}")
        elif mask := mask_of(name, earlier):
            notes.mistake(where, f"{name} is masked by {mask} of an earlier entry; let the narrower one come first")
    if overlap := overlap_of(names):
        notes.mistake(where, overlap)
    earlier += names


def _provider(notes: _Notes, said: Any, where: str) -> None:
    entry = notes.map(said, where, PROVIDERS)
    given = [name for name in PROVIDERS if entry.get(name) is not None]
    if len(given) != 1 and isinstance(said, dict):
        notes.mistake(where, _not_one(given, said))
    for name in given[:1]:
        check = _kms if name == "kms" else _identity if name == "identity" else _keys
        check(notes, entry[name], where, name)


def _not_one(given: list[str], said: Iterable[str]) -> str:
    if given:
        return f"{' and '.join(given)} are in one element of the list; give each its own"
    empty = next((name for name in said if name in PROVIDERS), "")
    if empty:
        return f"{empty} is empty; write {empty}: {{}}" if empty == "identity" else f"{empty} is empty"
    unknown = next(iter(said), "")
    meant = did_you_mean(str(unknown), PROVIDERS)
    hint = f"; did you mean {meant}?" if meant else f", only {', '.join(PROVIDERS)}"
    return f"there is no provider {unknown}{hint}" if unknown else f"there is no provider; write {', '.join(PROVIDERS)}"


def _identity(notes: _Notes, said: Any, where: str, name: str) -> None:
    notes.map(said, f"{where}.{name}", _FIELDS["identity"])


def _keys(notes: _Notes, said: Any, where: str, name: str) -> None:
    where = f"{where}.{name}"
    keys = notes.map(said, where, _FIELDS["keys"]).get("keys")
    for at, key in enumerate(notes.list(keys, f"{where}.keys", "keys")):
        one = notes.map(key, f"{where}.keys[{at}]", _FIELDS["key"])
        notes.text(one.get("name"), f"{where}.keys[{at}].name")
        try:
            parse_material(one.get("secret"), name, f"{where}.keys[{at}].secret")
        except HardeningError as error:
            notes.mistakes.append(str(error).removesuffix("."))


def _kms(notes: _Notes, said: Any, where: str, name: str) -> None:
    where = f"{where}.{name}"
    plugin = notes.map(said, where, _FIELDS["kms"])
    if not isinstance(said, dict):
        return
    plugin_name = notes.text(plugin.get("name"), f"{where}.name")
    for trouble in troubles_with_plugin(plugin):
        notes.mistake(where, trouble)
    if plugin_name in notes.plugins:
        notes.mistake(where, f"there are two KMS plugins {plugin_name}; each needs a name of its own, in all entries")
    notes.plugins.add(plugin_name)


def troubles_with_plugin(plugin: Mapping[str, Any]) -> Iterator[str]:
    """What an API server refuses in the ``kms`` of a provider, which is a map."""
    version, timeout, size = plugin.get("apiVersion") or "v1", plugin.get("timeout"), plugin.get("cachesize")
    if version not in ("v1", "v2"):
        yield "apiVersion is neither v1 nor v2"
    if version != "v1" and ":" in str(plugin.get("name")):
        yield "the name of a plugin of v2 may hold no colon"
    if not str(plugin.get("endpoint")).startswith("unix:"):
        yield "endpoint is not a socket, like unix:///var/run/kms.sock"
    if timeout is not None and not _is_positive(timeout):
        yield "timeout is not a positive duration, like 3s"
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or abs(size) > _LARGEST_CACHE):
        yield "cachesize is not a number"
    elif size is not None and version != "v1":
        yield "cachesize is only for v1"
    elif size == 0:
        yield "cachesize is 0; leave it out, or write -1 for no cache"


def _is_positive(said: Any) -> bool:
    return isinstance(said, str) and bool(_DURATION.fullmatch(said)) and bool(re.search(r"[1-9]", said))
