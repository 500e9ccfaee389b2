# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the result says of a walk: what etcd held before and after, and what was done in how long; never a key."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._foresee import Foreseen
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import Snapshot
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Action,
    Facts,
    Histogram,
    Key,
    Server,
    State,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.modules import encryption
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _carry_out, _telling
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import Rewritten
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._telling import (
    Account,
    foreseen_result,
)

OLD, NEW = Key("secretbox", "k0", "0000"), Key("secretbox", "k1", "1111")
FIRST = Histogram({"secrets": {OLD.prefix: 3, "": 1}}, {"secrets": 4}, revision=7)
LAST = Histogram({"secrets": {NEW.prefix: 5}}, {"secrets": 5}, outdated={"secrets": 1}, revision=9)
BEFORE = {"revision": 7, "histogram": {"secrets": {OLD.prefix: 3, "": 1}}, "outdated": {}, "counted": {"secrets": 4}}
AFTER = {
    "revision": 9,
    "histogram": {"secrets": {NEW.prefix: 5}},
    "outdated": {"secrets": 1},
    "counted": {"secrets": 5},
}
NOTHING: dict[str, Any] = {"revision": 0, "histogram": {}, "outdated": {}, "counted": {}}
BEGIN = Step(Action.BEGIN, State.PLAN, "")
REWRITE = Step(Action.REENCRYPT, State.REENCRYPT, "", objects=4)
SCAN = Step(Action.SCAN, State.VERIFY, "")
DONE = Step(Action.DONE, State.DONE, "")


def seen(histogram: Histogram | None) -> Seen:
    providers = {"secrets": (NEW,)}
    facts = Facts((Server("cp1", providers, providers),), histogram)
    return Seen(facts, {}, {}, {"cp1": Evidence("sha256:1", started_at=1.0)})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that shows what its one element says."""
    now = [100.0]
    monkeypatch.setattr(_telling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def walked(clock: list[float], memory: Memory) -> Account:
    """A walk of four steps, of which the first begins after two seconds and each takes three."""
    account = Account(memory)
    clock[0] += 2
    for step, histogram in ((BEGIN, FIRST), (REWRITE, FIRST), (REWRITE, None), (SCAN, None), (DONE, LAST)):
        account.add(step, seen(histogram))
        clock[0] += 3
    return account


def test_the_result_has_what_etcd_held_before_and_after(clock: list[float]) -> None:
    result = walked(clock, Memory()).result()
    assert (result["before"], result["after"]) == (BEFORE, AFTER)


def test_it_has_how_many_objects_were_rewritten_and_not_how_many_there_were_to_rewrite(clock: list[float]) -> None:
    assert walked(clock, Memory(rewritten=5)).result()["objects"] == 5


def test_only_what_was_written_anew_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_carry_out, "rewrite", lambda *_: Rewritten(done=5, unchanged=2, gone=1, seconds=1.0))
    options = SimpleNamespace(workers=1, most_per_second=0)
    guard = SimpleNamespace(check=lambda: None)
    context = SimpleNamespace(options=options, guard=guard, memory=Memory(), tell=print, waiting=print)
    for resource in ("secrets", "configmaps"):
        _carry_out.rewritten(cast(Any, context), seen(None), resource)
    assert context.memory.rewritten == 6


def test_it_has_the_seconds_of_each_state(clock: list[float]) -> None:
    seconds = walked(clock, Memory()).result()["seconds"]
    assert list(seconds.items()) == [("preflight", 2), ("plan", 3), ("reencrypt", 6), ("verify", 3), ("done", 3)]


def test_it_has_the_snapshots_with_their_keys() -> None:
    taken = Snapshot("cp1", "/var/backups/etcd.db", 7, "sha256:7", "2026-11-22T12:00:00+00:00", (OLD,))
    (told,) = Account(Memory(snapshots=[taken])).result()["snapshots"]
    keys = [{"provider": "secretbox", "name": "k0", "fingerprint": "0000"}]
    assert told == {"node": "cp1", "path": "/var/backups/etcd.db", "revision": 7, "keys": keys}


def test_a_walk_that_fails_tells_how_far_it_came(clock: list[float]) -> None:
    account = Account(Memory(rewritten=2))
    account.add(BEGIN, seen(FIRST))
    account.add(REWRITE, seen(None))
    clock[0] += 8
    result = account.failed(HardeningError("a webhook refuses it"))
    assert result["failed"] and result["refused"] == result["msg"] == "a webhook refuses it"
    assert (result["before"], result["after"], result["objects"]) == (BEFORE, BEFORE, 2)
    assert result["seconds"]["reencrypt"] == 8
    assert Account(Memory()).failed(HardeningError("no"))["before"] == NOTHING


def test_check_mode_tells_what_there_is_and_what_would_be_rewritten() -> None:
    result = foreseen_result(Foreseen((BEGIN, REWRITE, DONE)), seen(FIRST).facts)
    assert (result["before"], result["after"], result["objects"]) == (BEFORE, NOTHING, 4)
    assert result["seconds"] == {} and result["snapshots"] == []


def test_all_that_is_returned_is_documented(clock: list[float]) -> None:
    documented = yaml.safe_load(encryption.RETURN)
    taken = Snapshot("cp1", "/var/backups/etcd.db", 7, "sha256:7", "", (OLD,))
    result = walked(clock, Memory(snapshots=[taken])).result()
    # What every task has is not documented anew.
    assert documented.keys() == result.keys() - {"changed"}
    assert documented.keys() == foreseen_result(Foreseen((DONE,)), Facts(())).keys() - {"changed"}
    assert documented["before"]["contains"].keys() == result["before"].keys()
    assert documented["after"]["sample"].keys() == result["after"].keys()
    for name in ("snapshots", "servers", "keys"):
        assert documented[name]["contains"].keys() == result[name][0].keys()
