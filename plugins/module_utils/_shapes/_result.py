# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the result that every changing module returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding

Action = Literal["created", "updated", "adopted", "deleted", "unchanged", "failed"]
ACTIONS: tuple[Action, ...] = get_args(Action)
_NAMED_AT_MOST = 3
_NO_CHANGE: frozenset[Action] = frozenset({"unchanged", "failed"})
_WHOLE: frozenset[Action] = frozenset({"created", "deleted"})


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What was done to one object, or in check mode would be.

    ``diff`` is ``{"before": dict, "after": dict}`` with only what the user means; empty where nothing changed.
    ``warnings`` are the server's own ``Warning`` headers. ``error`` is set if and only if ``action`` is ``failed``.
    ``verified`` is ``False`` where check mode could not ask the server, as for an object of a kind that is not
    installed yet.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    action: Action
    diff: dict[str, Any]
    warnings: tuple[str, ...] = ()
    error: str = ""
    verified: bool = True

    @property
    def changed(self) -> bool:
        """Whether the object is, or would be, another than before; also where it was written and then failed."""
        return self.action not in _NO_CHANGE or bool(self.diff)

    @property
    def label(self) -> str:
        """``Kind/namespace/name``, or ``Kind/name`` for an object of the whole cluster."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)

    def to_dict(self) -> dict[str, Any]:
        """The shape that results carry."""
        told: dict[str, Any] = {
            "api_version": self.api_version,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "action": self.action,
            "diff": self.diff,
            "warnings": list(self.warnings),
        }
        if self.error:
            told["error"] = self.error
        if not self.verified:
            told["verified"] = "unknown"
        return told


def in_short(objects: Iterable[ObjectResult]) -> list[ObjectResult]:
    """The same without the diffs of objects that came or went as a whole.

    Ansible copies a task's result several times, and thousands of whole objects in it take as long as writing them.
    """
    return [replace(each, diff={}) if each.action in _WHOLE else each for each in objects]


def result(objects: Iterable[ObjectResult], findings: Iterable[Finding] = ()) -> dict[str, Any]:
    """The result of a changing module: ``changed``, ``objects``, ``findings``, ``summary``, ``warnings``.

    ``summary`` counts the objects by action. With a failed object it also carries ``failed: True`` and a ``msg``
    that tells each reason once, with the failed objects that it is the reason of, or the first few of them.
    """
    done = list(objects)
    counts = Counter(each.action for each in done)
    told: dict[str, Any] = {
        "changed": any(each.changed for each in done),
        "objects": [each.to_dict() for each in done],
        "findings": [each.to_dict() for each in findings],
        "summary": {action: counts[action] for action in ACTIONS},
    }
    warnings = [f"{each.label}: {warning}" for each in done for warning in each.warnings]
    if warnings:
        told["warnings"] = warnings
    failed = [each for each in done if each.action == "failed"]
    if failed:
        told["failed"] = True
        told["msg"] = _failure_message(failed, len(done))
    return told


def _failure_message(failed: list[ObjectResult], total: int) -> str:
    """Each reason once: an outage fails thousands of objects with one and the same."""
    groups: dict[str, list[str]] = {}
    for each in failed:
        groups.setdefault(each.error, []).append(each.label)
    lines = [_failures_of_one_reason(error, labels) for error, labels in groups.items()]
    return f"{len(failed)} of {total} objects failed:\n" + "\n".join(lines)


def _failures_of_one_reason(error: str, labels: list[str]) -> str:
    if len(labels) == 1:
        return f"{labels[0]}: {error}"
    more = len(labels) - _NAMED_AT_MOST
    named = ", ".join(labels[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    return f"{error} ({len(labels)} objects: {named})"


def diff_of(objects: Iterable[ObjectResult]) -> list[dict[str, Any]]:
    """Ansible's ``diff`` list, one entry an object that changes, in the order of the objects."""
    return [
        {"before_header": each.label, "after_header": each.label, **each.diff}
        for each in objects
        if each.changed and each.diff
    ]
