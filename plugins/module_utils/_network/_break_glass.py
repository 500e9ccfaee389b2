# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which NetworkPolicies of ours stand in somebody's way.

Any policy that selects a pod closes what it does not name, so one that opens flows is in the way as well as a deny.
Not so where a foreign policy closes the same pods anyway: there it only opens, and would be missed. Nor so where the
policy is another's too: it was there before it was adopted, and closed what it closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gates import is_gate
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import Policy
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import InForce, Selector, in_force


def closing(ours: Sequence[Policy], others: Iterable[Policy]) -> list[list[Policy]]:
    """Those of our policies that close anything, in the order in which they go: each rank may go at once.

    ``others`` are all policies that stay. First goes what opens nothing, then what opens flows, last the gate of a
    rollout, which opens everything.
    """
    staying: dict[str, list[InForce]] = {}
    adopted = [policy for policy in ours if in_force(policy).stays]
    for policy in (*others, *adopted):
        acting = in_force(policy)
        staying.setdefault(acting.namespace, []).append(acting)
    ranks: list[list[Policy]] = [[], [], []]
    for policy in ours:
        acting = in_force(policy)
        if not acting.stays and _closes(acting, staying.get(acting.namespace, ())):
            ranks[_rank(acting)].append(policy)
    return ranks


def _closes(policy: InForce, staying: Iterable[InForce]) -> bool:
    """Whether it closes a direction for a pod that no policy that stays closes."""
    closed = {
        direction for other in staying if _selects_all_of(other.selector, policy.selector) for direction in other.rules
    }
    return not policy.rules.keys() <= closed


def _selects_all_of(wide: Selector, narrow: Selector) -> bool:
    """Whether a selector surely selects every pod that another one does."""
    if wide == narrow:
        return True
    wanted, given = (each.get("matchLabels") or {} for each in (wide, narrow))
    return not wide.get("matchExpressions") and wanted.items() <= given.items()


def _rank(policy: InForce) -> int:
    if is_gate(policy.name):
        return 2
    return 0 if policy.opens_nothing else 1
