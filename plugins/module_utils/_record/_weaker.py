# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which controls become weaker where an object becomes another, or goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Object, key_of, label_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts

_PREFIX = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
_NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Weaker:
    """A control that holds less than before: of which subject, from what to what."""

    control: str
    subject: str
    was: str
    becomes: str

    def __str__(self) -> str:
        """As a line tells it."""
        return f"{self.control} {self.subject}: {self.was} → {self.becomes}"

    def to_dict(self) -> dict[str, str]:
        """The shape that results carry."""
        return {"control": self.control, "subject": self.subject, "was": self.was, "becomes": self.becomes}


_Rule = Callable[[Object, Object], Iterator[tuple[str, str, str]]]


def weaker(live: Object | None, wanted: Object | None) -> list[Weaker]:
    """What becomes weaker where a live object becomes what is wanted; ``None`` for not there."""
    known = live or wanted
    if known is None or known["kind"] not in _RULES:
        return []
    subject = _subject(known)
    return [
        Weaker(control, subject, was, becomes)
        for control, was, becomes in _RULES[known["kind"]](live or {}, wanted or {})
    ]


def _subject(obj: Object) -> str:
    key = key_of(obj)
    if obj["kind"] in ("NetworkPolicy", "ResourceQuota", "LimitRange"):
        return f"Namespace/{key[2]}"
    return label_of(key)


def _pod_security(live: Object, wanted: Object) -> Iterator[tuple[str, str, str]]:
    now, then = _labels(live), _labels(wanted)
    for mode, control in (
        ("enforce", "pod_security.enforced"),
        ("audit", "pod_security.reported"),
        ("warn", "pod_security.reported"),
    ):
        was, becomes = now.get(_PREFIX + mode, ""), then.get(_PREFIX + mode, "")
        if _level(becomes) < _level(was):
            yield control, f"{mode} {was}", f"{mode} {becomes or _NONE}"


def _level(name: str) -> int:
    return _LEVELS.index(name) if name in _LEVELS else 0


def _network(live: Object, wanted: Object) -> Iterator[tuple[str, str, str]]:
    """Policies add up: one that goes no longer closes, and what one comes to allow is open."""
    name = (live or wanted)["metadata"]["name"]
    was, becomes = _denied(live), _denied(wanted)
    for direction in sorted(was - becomes):
        yield "network.default_deny", f"{name} denies {direction}", f"{direction} is not denied by it"
    for direction in ("ingress", "egress"):
        before, after = ((each.get("spec") or {}).get(direction) or [] for each in (live, wanted))
        more = [rule for rule in after if rule not in before]
        if more:
            yield "network.default_deny", f"{len(before)} rules of {name} for {direction}", f"{len(more)} others"


def _denied(policy: Object) -> set[str]:
    """The directions in which a policy closes everything for the pods that it selects."""
    spec = policy.get("spec") or {}
    return {each for each in map(str.lower, spec.get("policyTypes") or ()) if not spec.get(each)}


def _quota(live: Object, wanted: Object) -> Iterator[tuple[str, str, str]]:
    now, then = (((each.get("spec") or {}).get("hard")) or {} for each in (live, wanted))
    less, more = amounts(now), amounts(then)
    for name in now:
        if name not in then:
            yield "resources.quota", f"{name} {now[name]}", f"{name} without limit"
        elif name in less and name in more and more[name] > less[name]:
            yield "resources.quota", f"{name} {now[name]}", f"{name} {then[name]}"


def _limits(live: Object, wanted: Object) -> Iterator[tuple[str, str, str]]:
    now, then = (((each.get("spec") or {}).get("limits")) or [] for each in (live, wanted))
    if now and now != then:
        yield "resources.limits", f"{len(now)} limits", f"{len(then)} others" if then else _NONE


def _rules(live: Object, wanted: Object) -> Iterator[tuple[str, str, str]]:
    now, then = (each.get("rules") or [] for each in (live, wanted))
    more = [rule for rule in then if rule not in now]
    if more:
        yield "access.denied", f"{len(now)} rules", f"{len(more)} others"


def _binding(live: Object, wanted: Object) -> Iterator[tuple[str, str, str]]:
    now, then = _bound(live), _bound(wanted)
    for who in sorted(then - now):
        role = (wanted.get("roleRef") or {}).get("name", "")
        yield "access.undeclared", f"{who} is not bound by it", f"{who} has the role {role}"


def _bound(binding: Object) -> set[str]:
    return {
        f"{each.get('kind')} {'/'.join(filter(None, (each.get('namespace'), each.get('name'))))}"
        for each in binding.get("subjects") or ()
    }


def _labels(obj: Object) -> Mapping[str, Any]:
    return (obj.get("metadata") or {}).get("labels") or {}


_RULES: Mapping[str, _Rule] = {
    "Namespace": _pod_security,
    "NetworkPolicy": _network,
    "ResourceQuota": _quota,
    "LimitRange": _limits,
    "Role": _rules,
    "ClusterRole": _rules,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
"""By kind, what makes a control weaker: the control, what was, what becomes of it."""
