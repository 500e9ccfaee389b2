# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the resources that a server has, since it answers questions about any others as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access, in_group
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

ALL = "*"

_OF_AUTHORIZERS_ALONE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("", "users", ("impersonate",)),
    ("", "groups", ("impersonate",)),
    ("authentication.k8s.io", "uids", ("impersonate",)),
    ("certificates.k8s.io", "signers", ("approve", "attest", "sign")),
)
"""API group, plural and verbs of what no server has, and asks its authorizers about all the same."""


@dataclass(frozen=True, slots=True)
class ServedResource:
    """A resource in its group, by its plural; ``names`` are all by which kubectl takes it."""

    group: str
    plural: str
    namespaced: bool
    verbs: tuple[str, ...]
    subresources: frozenset[str]
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Served:
    """All resources in the server's order, which is that of kubectl's preference."""

    resources: tuple[ServedResource, ...]
    by_plural: Mapping[tuple[str, str], ServedResource] = field(default_factory=dict)

    def find(self, name: str, group: str | None) -> ServedResource | None:
        """The resource of this plural, singular or short name; without a group the first that has one."""
        if group is not None and (exact := self.by_plural.get((group, name))):
            return exact
        alike = (each for each in self.resources if group in (None, each.group))
        return next((each for each in alike if name.casefold() in each.names), None)

    def groups_of(self, plural: str) -> list[str]:
        """The groups that have a resource of this plural."""
        return [each.group for each in self.resources if each.plural == plural]


def served_by(answers: Iterable[Mapping[str, Any]]) -> Served:
    """What the ``APIGroupDiscoveryList`` objects (KEP-3352) of ``/api`` and ``/apis`` tell."""
    found: dict[tuple[str, str], ServedResource] = {}
    for each in (resource for answer in answers for resource in _resources(answer)):
        found.setdefault((each.group, each.plural), each)
    for group, plural, verbs in _OF_AUTHORIZERS_ALONE:
        found.setdefault((group, plural), ServedResource(group, plural, False, verbs, frozenset()))
    return Served(tuple(found.values()), found)


def _resources(answer: Mapping[str, Any]) -> Iterator[ServedResource]:
    for group in answer.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            for each in version.get("resources") or ():
                names = (each["resource"], each.get("singularResource") or "", *(each.get("shortNames") or ()))
                yield ServedResource(
                    group=name,
                    plural=each["resource"],
                    namespaced=each.get("scope") == "Namespaced",
                    verbs=tuple(each.get("verbs") or ()),
                    subresources=frozenset(sub["subresource"] for sub in each.get("subresources") or ()),
                    names=frozenset(word.casefold() for word in names if word),
                )


def completed(question: Access, served: Served) -> tuple[Access, str]:
    """The question with the group and the plural that were meant, and what is to be warned of, ``""`` if nothing."""
    if question.url or ALL in (question.resource, question.group):
        return question, ""
    found = served.find(question.resource, question.group)
    if found is None:
        return (question if question.group is not None else in_group(question, "", question.resource)), absent(
            question.resource, question.group, served
        )
    asked = in_group(question, found.group, found.plural)
    if question.subresource and question.subresource != ALL and question.subresource not in found.subresources:
        return asked, _no_subresource(found, question.subresource)
    if question.namespace and not found.namespaced:
        return asked, f"{found.plural} are in no namespace, so that the question is about the whole cluster"
    return asked, ""


def absent(resource: str, group: str | None, served: Served) -> str:
    """The words for a resource that the server does not have, with what was likely meant."""
    place = f" in the API group {group or 'core'}" if group is not None else ""
    elsewhere = served.groups_of(resource)
    near = did_you_mean(resource, {each.plural for each in served.resources if group in (None, each.group)})
    if elsewhere:
        hint = f"; there are {resource} in {' and '.join(each or 'core' for each in elsewhere)}"
    else:
        hint = f"; did you mean {near}?" if near else ""
    return f"the server has no resource {resource}{place}{hint}"


def _no_subresource(found: ServedResource, subresource: str) -> str:
    near = did_you_mean(subresource, found.subresources)
    hint = f"; did you mean {found.plural}/{near}?" if near else ""
    return f"the server has no subresource {found.plural}/{subresource}{hint}"
