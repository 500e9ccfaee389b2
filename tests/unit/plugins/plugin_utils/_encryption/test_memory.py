# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key, Providers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory

OLD, NEW = Key("secretbox", "old", "1"), Key("secretbox", "new", "2")
LONG_AGO = 1000.0


def told(reloads: float, started: float = 1.0) -> Evidence:
    return Evidence("sha256:1", started_at=started, reload_success=reloads)


THEN, RELOADED = told(0), told(1)


def writing(before: Providers, loaded: Providers, then: Evidence = THEN, now: Evidence = RELOADED) -> float:
    """For how long a server writes so that was seen with another configuration long ago."""
    memory = Memory()
    memory.writing_for("cp1", before, then)
    memory.writing["cp1"] = replace(memory.writing["cp1"], since=memory.writing["cp1"].since - LONG_AGO)
    return memory.writing_for("cp1", loaded, now)


@pytest.mark.parametrize(
    ("before", "loaded"),
    [
        ({"secrets": (NEW, OLD)}, {"secrets": (NEW,)}),
        ({"secrets": (NEW,)}, {"secrets": (NEW, IDENTITY)}),
        ({"secrets": (IDENTITY, NEW)}, {}),
        ({"*.*": (NEW,)}, {"*.*": (NEW,), "secrets": (NEW, OLD)}),
    ],
)
def test_a_server_that_writes_as_before_has_done_so_all_the_while(before: Providers, loaded: Providers) -> None:
    assert writing(before, loaded) >= LONG_AGO


@pytest.mark.parametrize(
    ("before", "loaded"),
    [
        ({"secrets": (OLD, NEW)}, {"secrets": (NEW, OLD)}),
        ({"secrets": (NEW,)}, {"secrets": (NEW,), "configmaps": (NEW,)}),
        ({"*.*": (NEW,)}, {"secrets": (NEW,)}),
        ({"secrets": (NEW,)}, {}),
    ],
)
def test_a_server_that_writes_otherwise_has_only_begun(before: Providers, loaded: Providers) -> None:
    assert writing(before, loaded) < LONG_AGO


@pytest.mark.parametrize(
    ("then", "now"),
    [(told(3), told(3)), (told(3), told(0, started=2.0))],
)
def test_a_server_that_has_not_changed_has_written_so_all_the_while(then: Evidence, now: Evidence) -> None:
    assert writing({"secrets": (NEW,)}, {"secrets": (NEW,)}, then, now) >= LONG_AGO


@pytest.mark.parametrize(
    ("then", "now"),
    [(told(3), told(5)), (told(3), told(4)), (told(3), told(2, started=2.0))],
)
def test_a_server_that_has_reloaded_unseen_may_have_written_otherwise(then: Evidence, now: Evidence) -> None:
    assert writing({"secrets": (NEW,)}, {"secrets": (NEW,)}, then, now) < LONG_AGO
