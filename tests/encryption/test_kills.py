# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever takes part in a change of keys is killed: nothing is lost, and the same command finishes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.encryption.clusters import Cluster
from tests.encryption.invariants import key_of
from tests.encryption.kills import KILLS, Moment, Walk, random_walk
from tests.encryption.storm import Storm, rough

BASE = 150
SLOWLY = 60
"""How many objects are rewritten in a second, so that there is a middle of it."""

POINTS = {
    "the journal is written": Moment(words="1 of 8, begin", seconds=0.2),
    "the key is on one node of three": Moment(words="1 of 8, keep_key", seconds=0.3),
    "the key is on every node": Moment(words="2 of 8, configure"),
    "a file is written, and not yet renamed": Moment(words="2 of 8, configure", seconds=0.2),
    "the file is there, and not yet loaded": Moment(words="2 of 8, configure", seconds=1.0),
    "one server reads the new key": Moment(words="2 of 8, configure", seconds=2.0),
    "one server is about to write with it": Moment(words="3 of 8, configure", seconds=0.3),
    "one server writes with it": Moment(words="3 of 8, configure", seconds=2.0),
    "the first object is written with it": Moment(words="3 of 8, try", seconds=0.1),
    "all write with it, and old requests go on": Moment(words="3 of 8, settle", seconds=1.0),
    "nothing is rewritten yet": Moment(words="4 of 8, reencrypt"),
    "half is rewritten": Moment(words="4 of 8, reencrypt", seconds=0.6 * BASE / SLOWLY),
    "nearly all is rewritten": Moment(words="4 of 8, reencrypt", seconds=BASE / SLOWLY),
    "etcd is scanned": Moment(words="5 of 8, scan"),
    "servers list everything": Moment(words="5 of 8, list", seconds=0.1),
    "all is verified": Moment(words="6 of 8, configure"),
    "one server of three has dropped the key": Moment(words="6 of 8, configure", seconds=1.0),
    "servers drop the key": Moment(words="6 of 8, configure", seconds=2.0),
    "etcd is compacted": Moment(words="is compacted to revision"),
    "etcd is defragmented": Moment(words="is defragmented in"),
    "the journal is closed": Moment(words="8 of 8, finish"),
}


CLEANING = {"etcd is compacted", "etcd is defragmented"}
EVERY_THIRD = {f"from the {word} on": [*POINTS][first::3] for first, word in enumerate(("first", "second", "third"))}
"""The same points in three rotations, each time with some way between them."""


def rotated(*points: str) -> dict[str, Any]:
    """A rotation; etcd, whose members rest for half a minute after each other, is cleaned only where that matters."""
    return {"state": "rotated", "most_per_second": SLOWLY, "scrub": not CLEANING.isdisjoint(points)}


@pytest.mark.long
@pytest.mark.parametrize("kind", KILLS)
@pytest.mark.parametrize("which", EVERY_THIRD)
def test_a_kill_at_every_third_point(encrypted: Cluster, tmp_path: Path, which: str, kind: str) -> None:
    points = EVERY_THIRD[which]
    with rough(Storm(encrypted, base=BASE, changes=20)) as storm:
        walk = Walk(encrypted, storm, tmp_path, random.Random(f"{which} {kind}"))
        walk.provider, walk.key = key_of(encrypted) or ("", "")
        killed = walk.change(rotated(*points), [(POINTS[point], kind) for point in points])
        assert killed == len(points), f"the rotation was done before the kill while {points[killed]}"
    storm.clear()


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS)
def test_a_change_is_undone_when(encrypted: Cluster, tmp_path: Path, point: str) -> None:
    with rough(Storm(encrypted, base=BASE, changes=20)) as storm:
        walk = Walk(encrypted, storm, tmp_path, random.Random(point))
        walk.provider, walk.key = key_of(encrypted) or ("", "")
        assert walk.roll_back(rotated(point), POINTS[point]), f"the rotation was done before the kill while {point}"
    storm.clear()


FIRST = {
    "the first server restarts": Moment(words="2 of 8, configure", seconds=2),
    "the flag is there, and its server not": Moment(words="starts anew", seconds=0.3),
    "half is rewritten": Moment(words="4 of 8, reencrypt", seconds=0.6 * BASE / SLOWLY),
    "plain text is no longer read": Moment(words="6 of 8, configure", seconds=0.3),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", KILLS)
@pytest.mark.parametrize("point", FIRST)
def test_a_kill_while_it_is_first_enabled_and_disabled(one: Cluster, tmp_path: Path, point: str, kind: str) -> None:
    with rough(Storm(one, base=BASE, changes=20)) as storm:
        walk = Walk(one, storm, tmp_path, random.Random(f"{point} {kind}"))
        for state in ("present", "absent"):
            arguments = {"state": state, "most_per_second": SLOWLY, "scrub": False}
            assert walk.change(arguments, [(FIRST[point], kind)]), "the run ended before the kill"


def test_a_random_walk(as_left: Cluster, tmp_path: Path, seed: int) -> None:
    with rough(Storm(as_left, base=60, changes=10, reads=4)) as storm:
        random_walk(as_left, storm, tmp_path, seed)
    storm.clear()
