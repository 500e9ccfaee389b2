# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    MOST_REMEMBERED,
    Journal,
    Remembered,
    Snapshot,
    history_bytes,
    is_overtaken,
    journal_bytes,
    keys_bytes,
    parse_history,
    parse_journal,
    parse_keys,
    parse_snapshots,
    snapshots_bytes,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Intent, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

MATERIAL = KeyMaterial(bytes(range(32)))
NEW = Key("secretbox", "new", MATERIAL.fingerprint)
OTHER = Key("secretbox", "other", "0")
PATHS = {"cp1": "/etc/kubernetes/enc/enc.yaml"}
WHERE = "the file on the node cp1"


def test_a_journal_says_what_was_begun() -> None:
    journal = Journal(
        Intent("rotate", {"secrets": NEW}, {"secrets": IDENTITY}), "run", "2026-11-22T12:00:00+00:00", PATHS
    )
    assert parse_journal(journal_bytes(journal), WHERE) == journal


def test_a_journal_has_no_key_material() -> None:
    journal = Journal(Intent("rotate", {"secrets": NEW}, {"secrets": IDENTITY}), "run", "")
    assert MATERIAL.base64().encode() not in journal_bytes(journal)


def test_the_key_file_gives_every_key_back() -> None:
    assert parse_keys(keys_bytes({NEW: MATERIAL}), WHERE) == {NEW: MATERIAL}


def test_a_key_that_does_not_have_its_fingerprint_is_damage() -> None:
    other = json.loads(keys_bytes({NEW: MATERIAL}))
    other["keys"][0]["secret"] = KeyMaterial(bytes(32)).base64()
    with pytest.raises(HardeningError, match="the node cp1 is damaged"):
        parse_keys(json.dumps(other).encode(), WHERE)


def test_the_history_says_what_a_hash_stands_for() -> None:
    history = {"sha256:1": Remembered({"secrets": (NEW, IDENTITY)}, "2026-11-22T12:00:00+00:00")}
    assert parse_history(history_bytes(history), WHERE) == history


def test_the_history_forgets_the_oldest() -> None:
    history = {f"sha256:{number}": Remembered({"secrets": (NEW,)}) for number in range(MOST_REMEMBERED + 1)}
    kept = parse_history(history_bytes(history), WHERE)
    assert list(kept) == list(history)[1:]


@pytest.mark.parametrize("parse", [parse_journal, parse_keys, parse_history, parse_snapshots])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"keys": [{}], "x": 1}', b"\xff"])
def test_a_file_that_was_damaged_says_what_to_do(parse: object, content: bytes) -> None:
    assert callable(parse)
    with pytest.raises(HardeningError, match=f"{WHERE} is damaged. Move it elsewhere"):
        parse(content, WHERE)


def test_a_snapshot_is_noted_with_its_keys() -> None:
    taken = Snapshot("cp1", "/var/backups/etcd.db", 911, "sha256:1", "2026-11-22T12:00:00+00:00", (NEW,))
    assert parse_snapshots(snapshots_bytes([taken]), WHERE) == (taken,)


@pytest.mark.parametrize(
    ("since", "keys", "overtaken"),
    [
        ("2026-11-23T12:00:00+00:00", (OTHER,), True),
        ("2026-11-23T12:00:00+00:00", (OTHER, NEW), False),
        ("2026-11-21T12:00:00+00:00", (OTHER,), False),
        ("", (OTHER,), False),
    ],
)
def test_a_journal_is_overtaken_by_what_was_written_since_for_other_keys(
    since: str, keys: tuple[Key, ...], overtaken: bool
) -> None:
    journal = Journal(Intent("rotate", {"secrets": NEW}, {"secrets": IDENTITY}), "run", "2026-11-22T12:00:00+00:00")
    assert is_overtaken(journal, {"sha256:1": Remembered({"secrets": keys}, since)}) == overtaken
