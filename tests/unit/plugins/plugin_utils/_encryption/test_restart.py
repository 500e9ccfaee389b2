# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server is restarted only when load balancers know that the one before is back."""

from __future__ import annotations

import time

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._restart import let_balancers_notice

from tests.unit.plugins.plugin_utils._encryption.fake_walk import context, seen


class Clock:
    def __init__(self) -> None:
        self.now = 5_000.0
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made.monotonic)
    monkeypatch.setattr(time, "sleep", made.sleep)
    return made


def waited(client: Client, clock: Clock, age: float, ready_for: float | None) -> float:
    """How long another server waits for one of that age that was first seen ready so many seconds ago."""
    run = context(client)
    told = {"cp1": Evidence("sha256:1", started_at=1_000, answered_at=1_000 + age)}
    if ready_for is not None:
        run.memory.note_ready("cp1", told["cp1"])
        clock.now += ready_for
    clock.slept = 0
    let_balancers_notice(run, seen({"cp1": client}, told), "cp2")
    return clock.slept


@pytest.mark.parametrize(
    ("age", "ready_for", "waits"),
    [
        (40, 3, 27),
        (40, 31, 0),
        (40, None, 30),
        (10_000, 1, 0),
        (200, 1, 10),
    ],
    ids=["just ready", "ready for long", "never seen ready", "as old as the hills", "older than a start takes"],
)
def test_it_counts_from_when_the_server_was_ready(
    client: Client, clock: Clock, age: float, ready_for: float | None, waits: float
) -> None:
    assert waited(client, clock, age, ready_for) == pytest.approx(waits)


def test_with_one_server_there_is_nothing_to_wait_for(client: Client, clock: Clock) -> None:
    let_balancers_notice(context(client), seen({"cp1": client}), "cp1")
    assert clock.slept == 0


def test_another_process_has_to_be_ready_anew(client: Client, clock: Clock) -> None:
    run = context(client)
    run.memory.note_ready("cp1", Evidence("sha256:1", started_at=900, answered_at=990))
    clock.now += 20
    anew = Evidence("sha256:1", started_at=1_000, answered_at=1_010)
    run.memory.note_ready("cp1", anew)
    clock.now += 5
    clock.slept = 0
    let_balancers_notice(run, seen({"cp1": client}, {"cp1": anew}), "cp2")
    assert clock.slept == pytest.approx(25)


def test_a_server_that_was_not_ready_once_has_to_be_ready_anew(client: Client, clock: Clock) -> None:
    run = context(client)
    told = Evidence("sha256:1", started_at=1_000, answered_at=1_040)
    run.memory.note_ready("cp1", told)
    run.memory.note_ready("cp1", Evidence("sha256:1", started_at=1_000, answered_at=1_041, ready=False))
    clock.now += 60
    run.memory.note_ready("cp1", told)
    let_balancers_notice(run, seen({"cp1": client}, {"cp1": told}), "cp2")
    assert clock.slept == pytest.approx(30)
