# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a walk leaves on every node, for the run that comes after it.

The journal says what was begun, by names of keys. The key file has the bytes of the keys that are in no configuration
yet, or not any more. The history says, by the hash that an API server reports, what each configuration that lay on the
node said: a server may still have loaded one that is on no node any more. Only the key file holds key material.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Intent, Key, Providers
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

Kept = Mapping[Key, KeyMaterial]

MOST_REMEMBERED = 50
"""How many configurations the history of a node holds; a server is never more than two behind its node."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a configuration said that lay on the node, and since when (UTC, ISO 8601; empty where that is not known)."""

    providers: Providers
    since: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot of etcd on a node, and the keys without which it cannot be read; ``taken`` in UTC, ISO 8601."""

    node: str
    path: str
    revision: int
    hash: str
    taken: str
    keys: tuple[Key, ...]


History = Mapping[str, Remembered]


@dataclass(frozen=True, slots=True)
class Journal:
    """A walk that was begun and not finished: by which run, and since when (UTC, ISO 8601).

    ``paths`` is where each server's configuration was then: at the end of a walk no flag may tell it any more.
    """

    intent: Intent
    run: str
    began: str
    paths: Mapping[str, str] = field(default_factory=dict)


def is_overtaken(journal: Journal, history: History) -> bool:
    """Whether a configuration was written after a walk began that knows nothing of the walk's keys: another one's."""
    ours = set(journal.intent.write.values())
    return any(
        each.since > journal.began and not any(ours.intersection(keys) for keys in each.providers.values())
        for each in history.values()
    )


def journal_bytes(journal: Journal) -> bytes:
    """The file ``journal.json``."""
    intent = journal.intent
    return _bytes(
        {
            "run": journal.run,
            "began": journal.began,
            "paths": dict(journal.paths),
            "asked": intent.asked,
            "write": {resource: key.told for resource, key in sorted(intent.write.items())},
            "former": {resource: key.told for resource, key in sorted(intent.former.items())},
        }
    )


def parse_journal(content: bytes, where: str) -> Journal:
    """What a ``journal.json`` says; raises :class:`HardeningError` on one that was damaged."""
    said = _read(content, where)
    try:
        write, former = ({resource: _key(key) for resource, key in said[name].items()} for name in ("write", "former"))
        return Journal(Intent(said["asked"], write, former), said["run"], said["began"], dict(said["paths"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(where) from None


def keys_bytes(kept: Kept) -> bytes:
    """The file ``keys.json``, which holds key material."""
    return _bytes({"keys": [{**key.told, "secret": kept[key].base64()} for key in sorted(kept)]})


def parse_keys(content: bytes, where: str) -> dict[Key, KeyMaterial]:
    """What a ``keys.json`` holds; raises :class:`HardeningError`, without key material, on one that was damaged."""
    said = _read(content, where)
    try:
        kept = {_key(each): KeyMaterial(base64.b64decode(each["secret"], validate=True)) for each in said["keys"]}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(where) from None
    if any(material.fingerprint != key.fingerprint for key, material in kept.items()):
        raise _damaged(where)
    return kept


def history_bytes(history: History) -> bytes:
    """The file ``history.json``; the oldest are forgotten."""
    remembered = list(history.items())[-MOST_REMEMBERED:]
    return _bytes(
        {found: {"since": each.since, "providers": _providers_said(each.providers)} for found, each in remembered}
    )


def parse_history(content: bytes, where: str) -> dict[str, Remembered]:
    """What a ``history.json`` says; raises :class:`HardeningError` on one that was damaged."""
    said = _read(content, where)
    try:
        return {found: Remembered(_providers(each["providers"]), str(each["since"])) for found, each in said.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(where) from None


def snapshots_bytes(snapshots: Iterable[Snapshot]) -> bytes:
    """The file ``snapshots.json``."""
    return _bytes({"snapshots": [{**asdict(each), "keys": [key.told for key in each.keys]} for each in snapshots]})


def parse_snapshots(content: bytes, where: str) -> tuple[Snapshot, ...]:
    """What a ``snapshots.json`` says; raises :class:`HardeningError` on one that was damaged."""
    said = _read(content, where)
    try:
        return tuple(
            Snapshot(**{**each, "keys": tuple(_key(key) for key in each["keys"])}) for each in said["snapshots"]
        )
    except (KeyError, TypeError, ValueError):
        raise _damaged(where) from None


def _providers_said(providers: Providers) -> dict[str, Any]:
    return {resource: [key.told for key in keys] for resource, keys in providers.items()}


def _providers(said: Mapping[str, Any]) -> dict[str, tuple[Key, ...]]:
    return {resource: tuple(_key(key) for key in keys) for resource, keys in said.items()}


def _key(said: Mapping[str, str]) -> Key:
    return Key(str(said["provider"]), str(said["name"]), str(said["fingerprint"]))


def _bytes(document: Any) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()


def _read(content: bytes, where: str) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        raise _damaged(where) from None
    if not isinstance(said, dict):
        raise _damaged(where)
    return said


def _damaged(where: str) -> HardeningError:
    return HardeningError(
        f"{where} is damaged. Move it elsewhere, do not delete it (keys in it may be the only copies of those that old "
        "backups need), and run again: what it said is read anew from the servers, the other nodes and the vault."
    )
