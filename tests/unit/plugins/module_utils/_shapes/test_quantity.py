# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts, quantity, written

QUANTITIES = {
    "500m": "0.5",
    "0.5": "500m",
    "1": "1000m",
    "1Gi": "1024Mi",
    "1k": "1000",
    "1e3": "1k",
    "1E": "1000P",
    "2.5Gi": "2560Mi",
    "100n": "0.1u",
    "1e-3": "1m",
    ".5": "500m",
    "5.": "5",
}
DIFFERENT = {"1Gi": "1G", "1": "2", "1m": "1M"}


@pytest.mark.parametrize(("one", "other"), QUANTITIES.items())
def test_quantities_that_amount_to_the_same(one: str, other: str) -> None:
    assert quantity(one) is not None
    assert quantity(one) == quantity(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.items())
def test_quantities_that_do_not(one: str, other: str) -> None:
    assert quantity(one) != quantity(other)


@pytest.mark.parametrize("text", ["", "a", "1X", "1 Gi", "--1", "1e99999999999", None])
def test_what_is_no_quantity(text: str | None) -> None:
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("4", "4"),
        ("0.5", "500m"),
        ("1E+3", "1000"),
        ("0.0001", "1m"),
        ("0", "0"),
        ("2097152", "2Mi"),
        ("1073741825", "1073741825"),
    ],
)
def test_amounts_are_written_as_quantities(amount: str, text: str) -> None:
    assert written(Decimal(amount)) == text


def test_a_resource_list_as_numbers() -> None:
    assert amounts({"cpu": "500m", "memory": "1Ki", "pods": 20, "wrong": "many"}) == {
        "cpu": Decimal("0.5"),
        "memory": Decimal(1024),
        "pods": Decimal(20),
    }
    assert amounts(None) == {}
