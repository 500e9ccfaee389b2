# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what is to be written and removed, and in which order nothing breaks.

1. Whatever a denied direction would break refuses its namespace: nothing is written there.
2. A policy that opens a flow for a pod closes all else for that pod. So while a direction goes from open to denied, or
   back, gates stand in front of the pods that no other policy closes; they open nothing that was closed before.
3. What opens is written before what closes, last of it what selects every pod or opens nothing, and a namespace where
   something could not be opened is not closed.
4. What is no longer desired goes last: first what closes, then what opens, then the gates. So does what the set has in
   namespaces that no settings reach, where it prunes these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Facts, present
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._flows import mistyped
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gates import gates, is_gate, may_go
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import (
    API_VERSION,
    KIND,
    Desired,
    Policy,
    generate,
    unknown_ends,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._names import DENY_NAME
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    InForce,
    in_force,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._risks import breaks
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import (
    Direction,
    NetworkSettings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import reaches_everywhere


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one namespace, in the order of the fields.

    ``gates`` are there for the time of the rollout, and ``stale_gates`` are those that a run which crashed left; all
    of them go in the end. ``was_denied`` are the directions in which every pod was closed before, by whichever policy,
    and ``deny_stands`` is whether ``deny`` was already there as it should be.
    """

    gates: tuple[Policy, ...]
    allows: tuple[Policy, ...]
    deny: Policy | None
    stale_denies: tuple[Policy, ...]
    stale_allows: tuple[Policy, ...]
    stale_gates: tuple[Policy, ...] = ()
    was_denied: frozenset[Direction] = frozenset()
    deny_stands: bool = False

    @property
    def opening_allows(self) -> tuple[Policy, ...]:
        """Those that open something for some pods, or for pods that were closed: they open more than they close."""
        return tuple(policy for policy in self.allows if not self._closes(policy))

    @property
    def closing_allows(self) -> tuple[Policy, ...]:
        """Those that select every pod, or open nothing, where not every pod was closed: they close as a deny does."""
        return tuple(policy for policy in self.allows if self._closes(policy))

    def _closes(self, policy: Policy) -> bool:
        acting = in_force(policy)
        anew = acting.rules.keys() - self.was_denied
        return bool(anew) and (acting.selects_all or any(not acting.rules[direction] for direction in anew))


@dataclass(frozen=True, slots=True)
class Plan:
    """``desired`` of every namespace with settings, ``refused`` with the reasons, ``steps`` of all but the refused.

    A refused namespace has a step only where a gate of a run that crashed keeps a deny from acting: that is removed.
    """

    desired: Mapping[str, Desired]
    refused: Mapping[str, tuple[str, ...]]
    steps: Mapping[str, Step]


def plan(settings: Mapping[str, NetworkSettings], facts: Facts, set_name: str, prune: bool = False) -> Plan:
    """What to do so that every namespace has what its settings say, and with ``prune`` no other has any of the set."""
    desired = generate(settings, facts, set_name)
    refused = {
        namespace: reasons
        for namespace, said in settings.items()
        if (
            reasons := (
                *_of_another_set(namespace, desired[namespace], facts, set_name),
                *unknown_ends(said, facts),
                *mistyped(namespace, said, facts),
                *breaks(namespace, said, after(namespace, desired[namespace], facts, set_name), facts),
            )
        )
    }
    steps = (
        {
            namespace: _step(namespace, desired[namespace], facts, set_name)
            for namespace in settings
            if namespace not in refused
        }
        | {
            namespace: Step((), (), None, (), (), left)
            for namespace in refused
            if (left := _gates_before_a_deny(namespace, facts, set_name))
        }
        | _left_over_steps(facts, set_name, prune)
    )
    return Plan(desired, refused, steps)


def _left_over_steps(facts: Facts, set_name: str, prune: bool) -> dict[str, Step]:
    """Where nothing is pruned, a gate that a crashed run left is removed all the same."""
    if reaches_everywhere(set_name, prune):
        return plan_removal(facts.left_over, facts, set_name)
    return {
        namespace: Step((), (), None, (), (), left)
        for namespace, policies in facts.left_over.items()
        if (left := _gates_that_may_go(policies))
    }


def _gates_that_may_go(policies: Sequence[Mapping[str, Any]]) -> tuple[Policy, ...]:
    acting = [in_force(policy) for policy in policies]
    denied = _denied(acting)
    return tuple(
        _brief(policy)
        for policy, acts in zip(policies, acting, strict=True)
        if is_gate(acts.name) and may_go(acts, acting, denied)
    )


def limited(decided: Plan, only: Sequence[str]) -> Plan:
    """The plan as far as it is about the namespaces that a run is limited to; who else has settings stays known."""
    return replace(
        decided,
        refused={name: reasons for name, reasons in decided.refused.items() if is_meant(name, only)},
        steps={name: step for name, step in decided.steps.items() if is_meant(name, only)},
    )


def _of_another_set(namespace: str, desired: Desired, facts: Facts, set_name: str) -> Iterator[str]:
    """Two sets with one policy would write over each other, and the removal of one would take the other's."""
    names = {policy["metadata"]["name"] for policy in desired.policies}
    for policy in present(namespace, facts):
        if policy.name in names and policy.ours and policy.set_name != set_name:
            yield (
                f"{policy.told} belongs to the set {policy.set_name}, and this is the set {set_name}; "
                f"say all of it in one set, or remove the other first (state: absent, set: {policy.set_name})"
            )


def plan_removal(namespaces: Iterable[str], facts: Facts, set_name: str) -> dict[str, Step]:
    """What to do so that nothing of this set is left in these namespaces."""
    nothing = Desired(None, (), frozenset())
    return {namespace: _step(namespace, nothing, facts, set_name) for namespace in namespaces}


def after(namespace: str, desired: Desired, facts: Facts, set_name: str) -> list[InForce]:
    """The policies that will be in force once the desired ones are written and the stale ones gone."""
    foreign = [policy for policy in present(namespace, facts) if _remains(policy, set_name)]
    wanted = [in_force(policy) for policy in desired.policies]
    names = {policy.name for policy in wanted}
    return [policy for policy in foreign if policy.name not in names] + wanted


def stale(namespace: str, desired: Desired, facts: Facts, set_name: str) -> list[Policy]:
    """The policies of this set that a namespace has and should not have."""
    names = {policy["metadata"]["name"] for policy in desired.policies}
    return [
        reference(policy)
        for policy in facts.policies.get(namespace) or ()
        if _of_set(in_force(policy), set_name) and policy["metadata"]["name"] not in names
    ]


def _step(namespace: str, desired: Desired, facts: Facts, set_name: str) -> Step:
    leaving = {policy["metadata"]["name"]: policy for policy in stale(namespace, desired, facts, set_name)}
    now, deny = present(namespace, facts), desired.deny
    denied = in_force(deny).rules.keys() if deny else frozenset[Direction]()
    live = {policy["metadata"]["name"]: policy for policy in facts.policies.get(namespace) or ()}
    closing = {name for name in leaving if name == DENY_NAME or in_force(live[name]).opens_nothing}
    return Step(
        gates=gates(namespace, now, after(namespace, desired, facts, set_name), denied, set_name),
        allows=desired.allows,
        deny=deny,
        stale_denies=tuple(policy for name, policy in leaving.items() if name in closing),
        stale_allows=tuple(policy for name, policy in leaving.items() if name not in closing and not is_gate(name)),
        stale_gates=tuple(_brief(live[name]) for name in leaving if is_gate(name)),
        was_denied=frozenset(
            direction for policy in now if policy.selects_all and not is_gate(policy.name) for direction in policy.rules
        ),
        deny_stands=deny is not None and (live.get(DENY_NAME) or {}).get("spec") == deny["spec"],
    )


def _gates_before_a_deny(namespace: str, facts: Facts, set_name: str) -> tuple[Policy, ...]:
    """The gates of a run that crashed, as far as they keep open what our deny closes."""
    ours = [
        (policy, acting)
        for policy in facts.policies.get(namespace) or ()
        if _of_set(acting := in_force(policy), set_name)
    ]
    denied = _denied([acting for _policy, acting in ours])
    return tuple(_brief(policy) for policy, acting in ours if is_gate(acting.name) and acting.rules.keys() <= denied)


def _denied(ours: Iterable[InForce]) -> set[Direction]:
    return {
        direction for policy in ours if policy.name == DENY_NAME and policy.selects_all for direction in policy.rules
    }


def _of_set(policy: InForce, set_name: str) -> bool:
    return policy.ours and policy.set_name == set_name


def _remains(policy: InForce, set_name: str) -> bool:
    """Whether it is in force also without this set: it is another's, or another's too."""
    return policy.stays or not _of_set(policy, set_name)


def reference(policy: Mapping[str, Any]) -> Policy:
    """As much of a policy as its removal needs."""
    metadata = policy["metadata"]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }


def _brief(policy: Mapping[str, Any]) -> Policy:
    """Its reference, and what it does."""
    return {**reference(policy), "spec": policy["spec"]}
