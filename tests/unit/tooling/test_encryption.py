# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from tests.tooling.encryption import PARTS, command


def test_every_test_runs_in_just_one_part() -> None:
    chosen_by = {part: words[words.index("-m") + 1] for part in PARTS for words in [command(part, Path("results"))]}
    assert chosen_by == {"one": "one_node", "three": "not one_node"}
