# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._grace import grace_of, seconds_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Manifest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._mounts import Place


def manifest(**flags: str) -> Manifest:
    return Manifest(tuple((name.replace("_", "-"), value) for name, value in flags.items()), "", False, Place())


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("1m0s", 60), ("90s", 90), ("1h", 3600), ("500ms", 0.5), ("1.5m", 90), ("0", 0), ("0s", 0)],
)
def test_durations_are_read_as_go_writes_them(duration: str, seconds: float) -> None:
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["", "60", "one minute", "-1s", "1m 2s"])
def test_what_is_no_duration_counts_for_twice_the_default(duration: str) -> None:
    assert seconds_of(duration) == 120


def test_the_slowest_server_counts() -> None:
    slow = manifest(request_timeout="2m0s", shutdown_delay_duration="20s")
    assert grace_of([manifest(), slow]) == 140


def test_a_server_that_says_nothing_has_the_default() -> None:
    assert grace_of([manifest()]) == 60


def test_no_server_at_all_is_not_no_grace() -> None:
    assert grace_of([]) == 120
