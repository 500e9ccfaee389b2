# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To go back, or to end encryption, no new key is needed: whatever writes now, nobody has to name a provider."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._goals import goal_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Facts,
    Intent,
    Key,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._options import (
    OPTIONS_SPEC,
    read_options,
)

OLD, NEW = Key("aescbc", "old", "1"), Key("secretbox", "new", "2")
SPENT = Key("aesgcm", "spent", "3")


def asked(state: str) -> Any:
    said = {name: spec.get("default") for name, spec in OPTIONS_SPEC.items()}
    return read_options({**said, "nodes": ["cp1"], "state": state})


def facts(*writing: Key, intent: Intent | None = None) -> Facts:
    every = (*writing, OLD, NEW)
    files = [{"secrets": tuple(dict.fromkeys((key, *every)))} for key in writing]
    return Facts(tuple(Server(f"cp{n}", file, file) for n, file in enumerate(files)), intent=intent)


def test_a_rollback_between_providers_that_was_killed_is_finished() -> None:
    begun = Intent("roll_back", {"secrets": OLD}, {"secrets": NEW})
    seen = facts(OLD, NEW, intent=begun)
    wanted, _made = asked("rolled_back").wanted(seen)
    assert goal_of(wanted, seen).write == {"secrets": OLD}


@pytest.mark.parametrize("writing", [(SPENT,), (OLD, NEW)])
def test_encryption_is_ended_whatever_writes(writing: tuple[Key, ...]) -> None:
    seen = facts(*writing)
    wanted, _made = asked("absent").wanted(seen)
    assert goal_of(wanted, seen).write == {"secrets": IDENTITY}
