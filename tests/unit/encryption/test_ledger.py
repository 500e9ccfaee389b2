# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest

from tests.encryption.ledger import ABSENT, Ledger


@pytest.fixture
def ledger() -> Ledger:
    """With a secret that was made, and changed once."""
    ledger = Ledger("three")
    for generation in (1, 2):
        ledger.begin("jane", generation)
        ledger.done("jane")
    return ledger


def sees(ledger: Ledger, generation: int, since: float) -> bool:
    found = ledger.content("jane", generation) if generation else None
    return ledger.is_right("jane", found, since, time.monotonic())


def test_what_was_replaced_before_a_read_began_is_wrong(ledger: Ledger) -> None:
    since = time.monotonic()
    assert [each for each in (ABSENT, 1, 2, 3) if sees(ledger, each, since)] == [2]
    assert ledger.certain(since, time.monotonic()) == {"jane"}


def test_while_a_write_goes_on_both_are_right(ledger: Ledger) -> None:
    ledger.begin("jane", 3)
    since = time.monotonic()
    assert [each for each in (1, 2, 3) if sees(ledger, each, since)] == [2, 3]
    ledger.done("jane")
    assert [each for each in (1, 2, 3) if sees(ledger, each, since)] == [2, 3], "the read began before the write ended"
    assert [each for each in (1, 2, 3) if sees(ledger, each, time.monotonic())] == [3]


def test_a_write_whose_answer_was_lost_stays_in_doubt_and_a_refused_one_does_not(ledger: Ledger) -> None:
    ledger.begin("jane", ABSENT)
    assert sees(ledger, ABSENT, time.monotonic()) and sees(ledger, 2, time.monotonic())
    assert not ledger.certain(time.monotonic(), time.monotonic())
    ledger.refused("jane")
    assert sees(ledger, 2, time.monotonic()) and not sees(ledger, ABSENT, time.monotonic())


def test_a_deleted_secret_is_wrong_when_it_is_seen_again(ledger: Ledger) -> None:
    ledger.begin("jane", ABSENT)
    ledger.done("jane")
    assert [each for each in (ABSENT, 1, 2) if sees(ledger, each, time.monotonic())] == [ABSENT]


def test_contents_differ_by_secret_and_generation() -> None:
    one, other = Ledger("one"), Ledger("other")
    made = [each.content(name, number) for each in (one, other) for name in ("a", "b") for number in (1, 2)]
    assert len(set(made)) == len(made)


def test_of_what_is_gone_the_last_is_looked_for(ledger: Ledger) -> None:
    for name in ("three", "john"):
        for generation in (1, ABSENT):
            ledger.begin(name, generation)
            ledger.done(name)
    ledger.begin("case", 1)
    assert ledger.names(1) == ["case", "jane", "john"]
    assert ledger.names(0) == ["case", "jane"]
