# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the NetworkPolicies that settings declare in Kubernetes' own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Facts, present
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    InForce,
    in_force,
    selects,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import (
    DIRECTIONS,
    Direction,
    NetworkSettings,
)


def declared(namespace: str, said: NetworkSettings) -> dict[str, InForce]:
    """The declared policies of a namespace by name, as they act once written."""
    return {name: _acting(namespace, name, said) for name in said.policies}


def _acting(namespace: str, name: str, said: NetworkSettings) -> InForce:
    return in_force({"metadata": {"name": name, "namespace": namespace}, "spec": said.policies[name]})


def is_declared(policy: InForce, said: NetworkSettings) -> bool:
    """Whether a policy in force does what the settings of its namespace declare under its name."""
    if policy.name not in said.policies:
        return False
    wanted = _acting(policy.namespace, policy.name, said)
    return all(_same(policy, wanted, direction) for direction in DIRECTIONS)


def _same(policy: InForce, wanted: InForce, direction: Direction) -> bool:
    return policy.selector == wanted.selector and policy.rules.get(direction) == wanted.rules.get(direction)


def with_declared(namespace: str, settings: Mapping[str, NetworkSettings], facts: Facts) -> list[InForce]:
    """The policies in force in a namespace, with those that its settings declare in place of what has their names."""
    wanted = declared(namespace, settings.get(namespace, NetworkSettings()))
    return [policy for policy in present(namespace, facts) if policy.name not in wanted] + list(wanted.values())


def closed_anew(namespace: str, said: NetworkSettings, facts: Facts) -> tuple[Direction, ...]:
    """The directions that no default deny is about, and in which declared policies may close what is open now."""
    there = {policy.name: policy for policy in present(namespace, facts)}
    new = {
        direction
        for name, wanted in declared(namespace, said).items()
        for direction in wanted.rules
        if name not in there or not _same(there[name], wanted, direction)
    }
    return tuple(direction for direction in DIRECTIONS if direction in new and direction not in said.deny)


def selecting_nobody(namespace: str, said: NetworkSettings, facts: Facts) -> Iterator[str]:
    """The declared policies that no workload is under, in words."""
    workloads = facts.workloads.get(namespace) or ()
    for policy in declared(namespace, said).values():
        if not policy.selects_all and not any(selects(policy.selector, each.labels) for each in workloads):
            yield f"{policy.told} selects no workload that is there"
