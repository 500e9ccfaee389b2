# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from math import inf

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._pace import SLOW_SECONDS, Pace

SOON, SLOW = SLOW_SECONDS / 100, SLOW_SECONDS * 2


def eased(pace: Pace, times: int) -> Pace:
    """After so many slow answers, each a while after the one before."""
    for each in range(times):
        pace = pace.answered(10.0 * each, SLOW)
    return pace


def rounds(pace: Pace, number: int) -> Pace:
    """After so many rounds in which every request that may be under way was answered soon."""
    for _round in range(number):
        for _request in range(int(pace.width)):
            pace = pace.answered(1000, SOON)
    return pace


def test_it_starts_with_all_that_is_allowed() -> None:
    pace = Pace(16)
    assert pace.wait(0, 15) == 0
    assert pace.wait(0, 16) == inf
    assert pace.answered(0, SOON) == pace


def test_a_slow_answer_halves_what_is_under_way() -> None:
    pace = eased(Pace(16), 1)
    assert pace.wait(1, 7) == 0
    assert pace.wait(1, 8) == inf


def test_slow_answers_to_what_was_under_way_together_count_once() -> None:
    pace = Pace(16)
    for each in range(16):
        pace = pace.answered(100 + each / 100, SLOW)
    assert pace.width == 8


def test_one_request_may_always_be_under_way() -> None:
    pace = eased(Pace(16), 10)
    assert pace.width == 1
    assert pace.wait(1000, 0) == 0


def test_each_round_of_soon_answers_allows_one_more_up_to_the_most() -> None:
    pace = eased(Pace(16), 1)
    assert 8.9 < rounds(pace, 1).width <= 9
    assert 11.5 < rounds(pace, 4).width <= 12
    assert rounds(pace, 20).width == 16


def test_a_busy_server_is_left_alone_for_as_long_as_it_says() -> None:
    pace = Pace(16).refused(100, 7)
    assert pace.wait(101, 0) == 6
    assert pace.wait(107, 0) == 0
    assert pace.width == 8


def test_a_shorter_pause_does_not_end_a_longer_one_and_none_lasts_for_ever() -> None:
    assert Pace(16).refused(100, 7).refused(101, 1).wait(101, 0) == 6
    assert Pace(16).refused(100, 100_000).wait(100, 0) == 120


@pytest.mark.parametrize("per_second", [1, 50, 0.5])
def test_no_more_are_started_in_a_second_than_is_allowed(per_second: float) -> None:
    pace, now, started = Pace(16, per_second), 100.0, 0
    while now < 200:
        pause = pace.wait(now, 0)
        if pause:
            now += pause
        else:
            pace = pace.started(now)
            started += 1
    assert per_second * 99 <= started <= per_second * 101 + 1


def test_time_that_was_not_used_is_not_made_up_for() -> None:
    pace = Pace(16, 10).started(0).started(50)
    assert pace.wait(50, 0) == pytest.approx(0.1)
