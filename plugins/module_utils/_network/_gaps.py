# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the policies in force leave open that a default deny should close."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._breadth import opens_everything
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import WORKLOAD_KINDS
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._declared import is_declared
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Facts,
    end_of,
    present,
    selected_by,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._flows import host_network_note
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gates import is_gate
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import InForce, isolating, selects
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._selectors import told_selector
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import NetworkSettings

_NAMED_AT_MOST = 5
ENFORCE = "Run network_policies with these settings in enforce mode."


def closed_by_config(namespace: str, said: NetworkSettings, facts: Facts, set_name: str) -> tuple[list[str], list[str]]:
    """What keeps the policies in force from being the default deny that is wanted, and what else there is to say."""
    return deny_gaps(namespace, said, present(namespace, facts), facts, set_name)


def deny_gaps(
    namespace: str, said: NetworkSettings, policies: Sequence[InForce], facts: Facts, set_name: str
) -> tuple[list[str], list[str]]:
    """What keeps policies from being the default deny that is wanted, and what else there is to say."""
    gaps: list[str] = []
    notes: list[str] = []
    workloads = facts.workloads.get(namespace) or ()
    for direction in said.deny:
        if not any(policy.selects_all and direction in policy.rules for policy in policies):
            bare = [each.subject for each in workloads if not isolating(policies, direction, end_of(each, facts))]
            who = f"{some(bare)} {'is' if len(bare) == 1 else 'are'} open" if bare else "pods to come are open"
            gaps.append(f"no NetworkPolicy denies {direction} for every pod: {who}")
        for policy in policies:
            rules = policy.rules.get(direction) or ()
            if not rules:
                continue
            mine = _is_mine(policy, said, set_name)
            reached = _reached(policy, facts)
            opens_all = opens_everything(rules, facts.namespaces)
            if opens_all and (policy.selects_all or is_gate(policy.name) or (reached and not mine)):
                whom = "every pod" if policy.selects_all else some(reached) or f"pods with {_selected(policy)}"
                gaps.append(f"{policy.told} opens all {direction} of {whom}")
            elif not mine:
                what = f"all {direction} of pods with {_selected(policy)}" if opens_all else f"some {direction}"
                notes.append(f"{policy.told}, not of this set, opens {what}")
    note = host_network_note(workloads)
    more = len(notes) - _NAMED_AT_MOST
    counted = [f"and {more} more policies not of this set that open something"] if more > 0 else []
    return gaps, [*notes[:_NAMED_AT_MOST], *counted, *([note] if note else [])]


def blind_spots(said: NetworkSettings, policies: Sequence[InForce], facts: Facts, set_name: str) -> list[str]:
    """The policies of others that open everything for pods of which nobody could see whether there are any."""
    unread = next((facts.unreadable[kind] for kind in ("Pod", *WORKLOAD_KINDS) if kind in facts.unreadable), "")
    if not unread:
        return []
    return [
        f"could not look whether {policy.told}, which opens all {direction} of pods with {_selected(policy)}, "
        f"reaches any: {unread}"
        for policy in policies
        for direction in said.deny
        if not policy.selects_all
        and not _is_mine(policy, said, set_name)
        and opens_everything(policy.rules.get(direction) or (), facts.namespaces)
    ]


def _is_mine(policy: InForce, said: NetworkSettings, set_name: str) -> bool:
    """Whether it is this set's, or does what is declared under its name, though nobody has marked it yet."""
    return (policy.ours and policy.set_name == set_name) or is_declared(policy, said)


def _selected(policy: InForce) -> str:
    return told_selector(policy.selector)


def denying(said: NetworkSettings, policies: Sequence[InForce]) -> str:
    """The policies that close every pod; only those that open nothing themselves, where there are such."""
    closing = [policy for policy in policies if policy.selects_all and not set(policy.rules).isdisjoint(said.deny)]
    silent = [policy for policy in closing if not any(policy.rules[direction] for direction in policy.rules)]
    return some([policy.told for policy in silent or closing])


def _reached(policy: InForce, facts: Facts) -> list[str]:
    there = selected_by(facts.workloads.get(policy.namespace) or (), {})
    return [each.subject for each in there if selects(policy.selector, each.labels)]


def remedy_of(gaps: Sequence[str]) -> str:
    """What to do about gaps."""
    foreign = [gap.split(" opens ")[0] for gap in gaps if " opens " in gap]
    if foreign:
        return f"Delete or narrow {some(foreign)}, or waive this with a reason."
    return ENFORCE


def some(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(names[:_NAMED_AT_MOST])
    return shown + (f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else "")
