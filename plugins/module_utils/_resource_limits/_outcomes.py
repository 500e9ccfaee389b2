# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the answers to probes show of a quota and of a LimitRange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import Amounts
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._limit_probes import (
    Breaking,
    Saying,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._quota_probes import Probe
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Status
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import LIMITS_NAME, QUOTA_NAME
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import written

IN_A_ROW = 3
"""How often an effect has to be seen before it counts, with nothing in between that speaks against it."""

_WORST_FIRST: tuple[Status, ...] = ("fail", "unknown", "pass")
_SWITCH_ON = (
    "Take {} out of --disable-admission-plugins of this API server, and see whether its AdmissionConfiguration exempts "
    "anything from it."
)
_MAY_CREATE = (
    "Let this user create {} in the namespace: those of this check are dry runs, nothing is stored, "
    "and RBAC has no smaller permission for it."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one round of probes showed at one API server.

    ``lasting``: asking again cannot change it. ``aside``: somebody else answered first, which speaks neither for nor
    against what was seen before.
    """

    status: Status
    evidence: str
    proof: Proof = "effect"
    remedy: str = ""
    lasting: bool = False
    aside: bool = False


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The one of a round that decides."""
    return min(outcomes, key=lambda each: (_WORST_FIRST.index(each.status), each.aside))


def is_settled(outcomes: Sequence[Outcome]) -> bool:
    """Whether there is nothing more to ask: seen often enough, or it cannot change."""
    seen = 0
    for each in reversed(outcomes):
        if each.lasting and each is outcomes[-1]:
            return True
        if each.status == "pass":
            seen += 1
        elif not each.aside:
            break
    return seen >= IN_A_ROW


def end(by_server: Mapping[str, Sequence[Outcome]]) -> Outcome:
    """What all rounds at all API servers come to: the worst that any of them showed in the end."""
    ends = {server: _end(outcomes) for server, outcomes in by_server.items()}
    server, decides = min(ends.items(), key=lambda each: _WORST_FIRST.index(each[1].status))
    if decides.status == "pass":
        where = f" at each of {len(ends)} API servers" if len(ends) > 1 else ""
        times = "" if decides.lasting else f", {IN_A_ROW} times in a row{where}"
        return replace(decides, evidence=decides.evidence + times)
    asked = len(by_server[server])
    where = f" at {server}" if len(ends) > 1 else ""
    return replace(decides, evidence=decides.evidence + where + (f" (asked {asked} times)" if asked > 1 else ""))


def _end(outcomes: Sequence[Outcome]) -> Outcome:
    last = outcomes[-1]
    if is_settled(outcomes) and not last.lasting:
        return next((each for each in reversed(outcomes) if each.status == "pass"), last)
    if last.status == "pass":
        said = f"the answers changed while being asked; the last one: {last.evidence}"
        return replace(last, status="unknown", evidence=said, remedy="Run again; if it stays so, see who answers.")
    return last


def exceeding_outcome(probe: Probe, hard: Amounts, answer: Reply, less: bool, quota: str = QUOTA_NAME) -> Outcome:
    """Judge the answer to a pod that exceeds this quota; ``less``: it was let in, but asks for less than was sent."""
    asked = ", ".join(probe.exceeds)
    if answer.kind == "exceeded" and answer.quota == quota:
        unmet = [name for name in probe.exceeds if name not in answer.requested or answer.limited[name] != hard[name]]
        if not unmet:
            said = f"a pod that asks for more of {asked} is refused with: exceeded quota: {quota}"
            return Outcome("pass", said)
        said = f"a pod that asks for more of {asked} is refused, but not for {', '.join(unmet)}: {answer.reason}"
        return Outcome("unknown", said, "none", "Run again: the server may not have seen the quota's last change.")
    if answer.kind == "admitted" and less:
        said = f"a webhook changed the pod that asks for more of {asked} on its way in, so that it fits"
        return Outcome("unknown", said, "none", "Exempt pods named hardening-probe-… from the mutating webhook.")
    if answer.kind == "admitted":
        said = f"a pod that asks for more of {asked} is let in although the ResourceQuota {quota} is there"
        return Outcome("fail", said, remedy=_SWITCH_ON.format("ResourceQuota"))
    return _not_said("the quota", answer, "pods")


def fitting_outcome(answer: Reply, quota: str = QUOTA_NAME) -> Outcome:
    """Judge the answer to a pod that fits: it may be refused by other quotas, but not by this one."""
    if answer.kind == "admitted":
        return Outcome("pass", "one that fits is let in")
    if answer.kind == "exceeded" and answer.quota != quota:
        return Outcome("pass", f"one that fits is refused by {answer.by} alone")
    if answer.kind == "exceeded":
        said = f"a pod that should fit is refused too: {answer.reason}"
        return Outcome("unknown", said, remedy="Run again: what is used may just have grown.")
    return _not_said("the quota", answer, "pods")


def breaking_outcome(probe: Breaking, answer: Reply, has_others: bool, limit_range: str = LIMITS_NAME) -> Outcome:
    """Judge the answer to what breaks this LimitRange; ``has_others``: there are further ones in the namespace."""
    bounds = ", ".join(
        f"{each.what} {each.resource} per {each.kind} {written(each.amount)}" for each in sorted(probe.breaks)
    )
    what = "claim" if probe.obj["kind"] == "PersistentVolumeClaim" else "pod"
    if answer.kind == "limited":
        unmet = [each for each in sorted(probe.breaks) if each not in answer.bounds]
        if not unmet:
            return Outcome("pass", f"a {what} beyond {bounds} is refused with these words")
        missing = ", ".join(f"{each.what} {each.resource} per {each.kind} {written(each.amount)}" for each in unmet)
        said = f"a {what} beyond {bounds} is refused, but not for {missing}: {answer.reason}"
        if has_others:
            return Outcome("unknown", f"{said}; another LimitRange answered first", "none", "Run again.", aside=True)
        return Outcome("fail", said, remedy=_SWITCH_ON.format("LimitRanger"))
    if answer.kind == "admitted" or answer.kind == "exceeded":
        said = f"a {what} beyond {bounds} gets past the LimitRange {limit_range}"
        return Outcome("fail", said, remedy=_SWITCH_ON.format("LimitRanger"))
    return _not_said("the LimitRange", answer, f"{'persistentvolumeclaims' if what == 'claim' else 'pods'}")


def saying_outcome(probe: Saying, kept: Mapping[str, object], answer: Reply) -> Outcome:
    """Judge a pod that says nothing; ``kept`` is the pod that the server would keep."""
    if answer.kind == "admitted":
        missing = probe.missing_in(kept)
        if not missing:
            return Outcome("pass", "a pod that says nothing gets the defaults")
        said = f"a pod that says nothing does not get the defaults: {missing}"
        return Outcome("fail", said, remedy=_SWITCH_ON.format("LimitRanger"))
    if answer.kind == "limited":
        said = f"a pod that says nothing is refused by a LimitRange: {answer.reason}"
        return Outcome("fail", said, remedy="Let the defaults and the bounds of all LimitRanges here go together.")
    return _not_said("the LimitRange", answer, "pods")


def rival_outcome(rivals: Sequence[str]) -> Outcome:
    """For defaults of which a pod may or may not get ours, so that no probe can tell."""
    said = f"which default a pod gets is up to chance: {'; '.join(rivals)}"
    return Outcome("fail", said, "config", "Take the defaults out of the other LimitRange.", lasting=True)


def untried_outcome(untried: Mapping[str, str]) -> Outcome:
    """For a quota that no pod which may be tried can exceed, although a larger one could."""
    said = "; ".join(f"{name}: {why}" for name, why in sorted(untried.items()))
    remedy = "Let a container ask for more, or less be asked for in all, or accept this unknown by name."
    return Outcome("unknown", f"it was not tried to exceed the quota: {said}", "server", remedy, lasting=True)


def nothing_to_break() -> Outcome:
    """For limits that no pod can break and that have no defaults."""
    said = "these limits have no default, and no bound that anything could break"
    return Outcome("unknown", said, "config", "Give the limits a default, or a bound above 0.", lasting=True)


def _not_said(what: str, answer: Reply, plural: str) -> Outcome:
    """For an answer that says nothing of what is asked for."""
    if answer.kind == "not_permitted":
        said = f"what {what} does could not be tried: {answer.reason}"
        return Outcome("unknown", said, "config", _MAY_CREATE.format(plural), lasting=True)
    if answer.kind == "status_unknown":
        said = f"nobody has counted for the quota yet: {answer.reason}"
        return Outcome("unknown", said, "none", "Run again; if it stays so, see whether kube-controller-manager runs.")
    return Outcome(
        "unknown",
        f"{answer.by} answered in place of {what}: {answer.reason}",
        "none",
        f"See to it that {answer.by} lets pods named hardening-probe-… pass, or accept this unknown by name.",
        aside=answer.kind == "exceeded",
    )
