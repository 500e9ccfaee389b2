# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: declared roles that give more than is declared.

That a grant is allowed does not show it, and neither do the bindings: somebody else changed the role behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._demands import Object, RoleKey, rule_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import label_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import AccessSettings, Rule
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._to_come import allows
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged

_NAMED_AT_MOST = 3
_WRITE = (
    "Run in enforce mode, which puts its rules right, with force_conflicts where another field manager set them, or "
    "declare these too."
)


def widened_findings(
    places: Iterable[AccessSettings], roles: Mapping[RoleKey, Object], unseen: Mapping[str, str], preview: bool
) -> list[Finding]:
    """``access.undeclared`` of each role with rules of its own that has more of them than are declared.

    ``unseen`` says of a kind why not all roles of it could be read. A role that is not there gives nothing.
    """
    found = []
    for said in places:
        for grant in {(each.kind, each.name): each for each in said.grants if each.rules is not None}.values():
            live = roles.get((grant.kind, said.namespace, grant.name))
            subject = label_of(grant.kind, said.namespace, grant.name)
            if live is None and grant.kind in unseen:
                evidence = f"whether it gives more than is declared is not seen: {unseen[grant.kind]}"
                remedy = "Grant this permission, then check again."
                found.append(_finding(subject, "unknown", evidence, remedy, "unknown" if preview else None))
            elif more := _undeclared(live or {}, grant.rules or ()):
                evidence = f"it gives more than is declared: {_told(more)}"
                found.append(_finding(subject, "fail", evidence, _WRITE, "pass" if preview else None))
    return found


def _finding(subject: str, status: Status, evidence: str, remedy: str, would: Status | None) -> Finding:
    proof: Proof = "none" if status == "unknown" else "server"
    return judged("access.undeclared", subject, status, evidence, proof, remedy, would)


def _undeclared(live: Object, declared: Sequence[Rule]) -> list[Access]:
    pieces = (piece for each in live.get("rules") or () for piece in _pieces(rule_of(each)))
    return [piece for piece in dict.fromkeys(pieces) if not any(allows(rule, piece) for rule in declared)]


def _pieces(rule: Rule) -> Iterator[Access]:
    """A rule as single permissions; a wildcard in it is one, which only the same wildcard declares."""
    for url, verb in product(rule.urls, rule.verbs):
        yield Access(None, verb, url=url)
    for group, resource, verb, name in product(rule.groups, rule.resources, rule.verbs, rule.names or ("",)):
        plural, _slash, subresource = resource.partition("/")
        yield Access(None, verb, plural, group, subresource, name)


def _told(more: Sequence[Access]) -> str:
    left = len(more) - _NAMED_AT_MOST
    return ", ".join(map(str, more[:_NAMED_AT_MOST])) + (f" and {left} more" if left > 0 else "")
