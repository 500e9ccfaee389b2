# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key, Providers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Memory

OLD, NEW = Key("secretbox", "old", "1"), Key("secretbox", "new", "2")
LONG_AGO = 1000.0


def writing(before: Providers, loaded: Providers) -> float:
    """For how long a server writes so that was seen with another configuration long ago."""
    memory = Memory()
    memory.writing_for("cp1", before)
    memory.writing["cp1"] = before, memory.writing["cp1"][1] - LONG_AGO
    return memory.writing_for("cp1", loaded)


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
