# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a run that is being previewed would change in the servers' answers.

A rule allows a request as the RBAC authorizer has it: a resource without a slash means no subresource of it, ``*``
means all of them, ``*/log`` this subresource of every resource; a URL that ends in ``*`` means all that begin so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._demands import Cluster, rule_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import ALL
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import AccessSettings, Grant, Rule
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import Subject


@dataclass(frozen=True, slots=True)
class ToCome:
    """``places`` as they will be, with the roles that ``cluster`` has; ``going``: labels of bindings that will not."""

    places: Sequence[AccessSettings]
    cluster: Cluster
    going: Collection[str]

    def granted(self, question: Access) -> str:
        """The grant that will allow a question, in words; empty where none does."""
        for said in self.places:
            if said.namespace not in ("", question.namespace):
                continue
            for grant in said.grants:
                reached = any(_is_meant(each, question.who) for each in grant.to)
                if reached and any(allows(rule, question) for rule in self._rules(said, grant)):
                    return f"the grant of {grant.kind} {grant.name} {said.where}"
        return ""

    def _rules(self, said: AccessSettings, grant: Grant) -> Iterable[Rule]:
        if grant.rules is not None:
            return grant.rules
        place = said.namespace if grant.kind == "Role" else ""
        role = self.cluster.roles.get((grant.kind, place, grant.name)) or {}
        return [rule_of(each) for each in role.get("rules") or ()]


def _is_meant(subject: Subject, who: Subject | None) -> bool:
    if who is None:
        return False
    return subject.name in who.assumed_groups if subject.kind == "Group" else subject.user == who.user


def allows(rule: Rule, question: Access) -> bool:
    """Whether a rule allows what is asked, whoever asks."""
    if not {question.verb, ALL} & set(rule.verbs):
        return False
    if question.url:
        return any(_begins(question.url, url) for url in rule.urls)
    resources = {ALL, question.resource}
    if question.subresource:
        resources = {ALL, f"{question.resource}/{question.subresource}", f"*/{question.subresource}"}
    return (
        bool({question.group, ALL} & set(rule.groups))
        and bool(resources & set(rule.resources))
        and (not rule.names or question.name in rule.names)
    )


def _begins(url: str, said: str) -> bool:
    return url == said or (said.endswith(ALL) and url.startswith(said.rstrip(ALL)))
