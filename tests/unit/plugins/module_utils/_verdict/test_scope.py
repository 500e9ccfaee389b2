# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._scope import Scope


@pytest.mark.parametrize(
    ("scope", "limited", "notes", "properties"),
    [
        (Scope(), False, [], {}),
        (
            Scope(("shop", "team-*")),
            True,
            ["limited to shop, team-*: nothing else was touched or judged"],
            {"only": "shop, team-*"},
        ),
        (Scope((), ("shop",)), False, ["canary: shop"], {"canary": "shop"}),
        (
            Scope((), ("shop",), "canary"),
            True,
            ["stopped at the canary shop: no other namespace was touched"],
            {"canary": "shop"},
        ),
    ],
)
def test_words(scope: Scope, limited: bool, notes: list[str], properties: dict[str, str]) -> None:
    assert (scope.limited, list(scope.notes()), scope.properties()) == (limited, notes, properties)
    assert bool(list(scope.remedies())) is (scope.stage == "canary")
    assert scope.to_dict() == {
        "only": list(scope.only),
        "canary": list(scope.canary),
        "stopped_at_canary": scope.stage == "canary",
    }


def test_many_names_stay_readable() -> None:
    (note,) = Scope(tuple(f"team-{number}" for number in range(13))).notes()
    assert "team-9 and 3 more:" in note
