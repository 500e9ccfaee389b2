# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: quantities, amounts of a resource as Kubernetes writes them (resource.Quantity)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|(m|u|n|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?")
_FACTORS: Mapping[str, Decimal] = {
    **{suffix: Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{suffix + "i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}

LARGEST = Decimal(2**63 - 1)
"""No quantity is counted beyond this, nor in thousandths of it."""


def quantity(value: Any) -> Decimal | None:
    """What a quantity amounts to; ``None`` for what is none."""
    return _amount(str(value))


# The same few quantities stand in every namespace.
@lru_cache(maxsize=4096)
def _amount(text: str) -> Decimal | None:
    match = _QUANTITY.fullmatch(text)
    if not match:
        return None
    number, exponent, suffix = match.groups()
    try:
        return Decimal(number) * (Decimal(10) ** int(exponent) if exponent else _FACTORS.get(suffix, Decimal(1)))
    except ArithmeticError:  # an exponent beyond all that can be counted
        return None


def amounts(said: Mapping[str, Any] | None) -> dict[str, Decimal]:
    """A ResourceList as numbers; what is no quantity is left out."""
    found = {name: quantity(value) for name, value in (said or {}).items()}
    return {name: amount for name, amount in found.items() if amount is not None}


def written(amount: Decimal) -> str:
    """A quantity that amounts to this: in thousandths where it is not whole, in Mi or more where it is of these."""
    if amount != amount.to_integral_value():
        return f"{int((amount * 1000).to_integral_value(rounding='ROUND_CEILING'))}m"
    whole = int(amount)
    for power in (6, 5, 4, 3, 2):
        if whole and whole % 1024**power == 0:
            return f"{whole // 1024**power}{'KMGTPE'[power - 1]}i"
    return str(whole)
