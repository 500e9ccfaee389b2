# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what keeps pods open while their policies come and go one after another.

A policy that opens a flow for a pod closes all else for that pod. So pods that are open before a rollout or after it
have a gate in front of them, which opens everything, while it is under way. Pods that some policy closes before and
after it need none, and get none, since it would open them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import API_VERSION, KIND, Policy
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import InForce, Selector
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._selectors import selecting_none_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import DIRECTIONS, Direction
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import SET_LABEL

GATE_NAME = "hardening-rollout-gate"
_HASH_LENGTH = 8


def is_gate(name: str) -> bool:
    """Whether a policy of ours with this name is a gate."""
    return name == GATE_NAME or name.startswith(f"{GATE_NAME}-")


def gates(
    namespace: str,
    before: Sequence[InForce],
    then: Sequence[InForce],
    denied: Collection[Direction],
    set_name: str,
) -> tuple[Policy, ...]:
    """The gates of a rollout in a namespace.

    ``before`` are the policies in force now and ``then`` those after it. ``denied`` are the directions that it denies.
    Where policies come that select pods, those that are open now have a gate; where some go, those that will be open.
    The gates of a run that crashed stay as wide as they are: they are why their pods are open now.
    """
    standing = {policy.name: policy.rules.keys() for policy in before if is_gate(policy.name)}
    wanted: dict[str, tuple[Selector, set[Direction]]] = {}
    for direction in DIRECTIONS:
        now, later = (
            {each.name: each.selector for each in policies if direction in each.rules and not is_gate(each.name)}
            for policies in (before, then)
        )
        closed = []
        if direction in denied or _come(now, later):
            closed.append(now)
        if _come(later, now):
            closed.append(later)
        for selector in (selector for each in closed for selector in selecting_none_of(each.values())):
            wanted.setdefault(_name(selector), (selector, set()))[1].add(direction)
    return tuple(
        _gate(namespace, name, selector, directions | standing.get(name, set()), set_name)
        for name, (selector, directions) in wanted.items()
    )


def _come(before: Mapping[str, Selector], then: Mapping[str, Selector]) -> bool:
    """Whether there is a policy then that there was not before, or not for these pods."""
    return any(name not in before or before[name] != selector for name, selector in then.items())


def may_go(gate: InForce, others: Iterable[InForce], denied: Collection[Direction]) -> bool:
    """Whether a gate that a run left can go without closing what nothing else denies."""
    named = {direction for policy in others if not is_gate(policy.name) for direction in policy.rules}
    return all(direction in denied or direction not in named for direction in gate.rules)


def _name(selector: Selector) -> str:
    """One for each selector, so that no gate ever replaces another one that stands."""
    if not selector:
        return GATE_NAME
    return f"{GATE_NAME}-{hashlib.sha256(json.dumps(selector, sort_keys=True).encode()).hexdigest()[:_HASH_LENGTH]}"


def _gate(namespace: str, name: str, selector: Selector, directions: Collection[Direction], set_name: str) -> Policy:
    ordered = [direction for direction in DIRECTIONS if direction in directions]
    spec: Mapping[str, object] = {
        "podSelector": dict(selector),
        "policyTypes": [direction.capitalize() for direction in ordered],
        **{direction: [{}] for direction in ordered},
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace, "labels": {SET_LABEL: set_name}},
        "spec": spec,
    }
