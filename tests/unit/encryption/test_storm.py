# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections import Counter

import pytest

from tests.encryption.storm import KINDS, LEAST_WRITTEN, Outage, Seen

ENOUGH = round(LEAST_WRITTEN * 50 * 100)
"""Writes in 100 s, of 50 a second that were asked for."""


def seen(writes: int, *outages: tuple[float, float], **counts: int) -> Seen:
    each = {**dict.fromkeys(KINDS, 1), "changes": writes - 2, **counts}
    return Seen(Counter(each), outages=[Outage("192.0.2.1", since, until, "refused") for since, until in outages])


@pytest.mark.parametrize("kind", KINDS)
def test_a_storm_in_which_something_never_happens_is_none(kind: str) -> None:
    assert seen(2 * ENOUGH).calm(50, 100) == []
    assert seen(2 * ENOUGH, **{kind: 0}).calm(50, 100)[0] == f"the storm did not come: no {kind} in 100 s"


def test_a_storm_that_hardly_writes_is_none() -> None:
    assert seen(ENOUGH).calm(50, 100) == []
    assert "writes in 100 s, asked for 50 a second" in seen(ENOUGH - 1).calm(50, 100)[0]


def test_while_a_server_refuses_nothing_has_to_be_written() -> None:
    """However many readers tell of it, and although one outage follows another."""
    outages = ((1000.0, 1020.0), (1010.0, 1030.0), (1012.0, 1013.0), (1050.0, 1060.0))
    assert seen(1, *outages).refused_seconds == 40
    assert seen(round(0.6 * ENOUGH), *outages).calm(50, 100) == []
    assert seen(round(0.6 * ENOUGH) - 1, *outages).calm(50, 100)
