# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy says of access, in one namespace or in the whole cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import (
    Subject,
    parse_subject,
    text,
    texts,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

RoleKind = Literal["Role", "ClusterRole"]
Kind = Literal["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"]

_CORE = ("",)
_NOT_BY_NAME = frozenset({"create", "deletecollection"})
_ROLE_KEYS: Mapping[str, RoleKind] = {"role": "Role", "cluster_role": "ClusterRole"}
IN_NAMESPACE: Mapping[str, Kind] = {"role_binding": "RoleBinding", "role": "Role"}
IN_CLUSTER: Mapping[str, Kind] = {"cluster_role_binding": "ClusterRoleBinding", "cluster_role": "ClusterRole"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as RBAC has it (PolicyRule): verbs on resources of API groups, or on URLs."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def object(self) -> dict[str, list[str]]:
        """The item of a role's ``rules``."""
        told = {
            "apiGroups": self.groups,
            "resources": self.resources,
            "resourceNames": self.names,
            "nonResourceURLs": self.urls,
            "verbs": self.verbs,
        }
        return {key: list(value) for key, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Grant:
    """Subjects that get a role. ``rules`` is ``None`` for a role that somebody else makes.

    ``binding`` is the name of the binding where somebody gave it one; empty where it is made of set and role.
    """

    kind: RoleKind
    name: str
    to: tuple[Subject, ...]
    rules: tuple[Rule, ...] | None = None
    binding: str = ""


@dataclass(frozen=True, slots=True)
class MustNot:
    """What a subject must not be able to do; ``groups`` empty: the resources in whichever API group has them."""

    who: Subject
    rule: Rule


@dataclass(frozen=True, slots=True)
class Named:
    """A foreign object, by name; of what is kept, a glob."""

    kind: Kind
    name: str

    def is_meant(self, kind: str, name: str) -> bool:
        """Whether it means this object."""
        return self.kind == kind and fnmatchcase(name, self.name)


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Everything that is said of one place: ``namespace`` is empty for the whole cluster."""

    namespace: str
    grants: tuple[Grant, ...] = ()
    must_not: tuple[MustNot, ...] = ()
    remove: tuple[Named, ...] = ()
    keep: tuple[Named, ...] = ()

    @property
    def where(self) -> str:
        """``in production``, ``in the whole cluster``."""
        return f"in {self.namespace}" if self.namespace else "in the whole cluster"


_SECTIONS = ("grant", "must_not", "remove", "keep")


def parse_settings(said: Mapping[str, Any], namespace: str) -> AccessSettings:
    """The settings of a namespace, or with none of the cluster; raises :class:`HardeningError` on the first mistake."""
    where = f"namespaces.{namespace}" if namespace else "cluster"
    _only(said, _SECTIONS, where)
    known = IN_NAMESPACE if namespace else IN_CLUSTER
    return AccessSettings(
        namespace,
        grants=_joined([_grant(*each, namespace) for each in _items(said, "grant", where)], where),
        must_not=tuple(_must_not(*each, namespace) for each in _items(said, "must_not", where)),
        remove=tuple(_named(*each, known) for each in _items(said, "remove", where)),
        keep=tuple(_named(*each, known) for each in _items(said, "keep", where)),
    )


def _items(said: Mapping[str, Any], section: str, where: str) -> Iterable[tuple[Mapping[str, Any], str]]:
    items = said.get(section) or []
    if not isinstance(items, list):
        raise HardeningError(f"{where}.{section}: {items!r} is no list.")
    for at, each in enumerate(items):
        path = f"{where}.{section}[{at}]"
        if not isinstance(each, Mapping):
            raise HardeningError(f"{path}: {each!r} is no mapping.")
        yield each, path


def _only(said: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    for key in said:
        if key not in allowed:
            meant = did_you_mean(key, allowed)
            hint = f"; did you mean {meant}?" if meant else f"; allowed: {', '.join(allowed)}."
            raise HardeningError(f"{where}.{key}: there is no such key{hint}")


def _grant(said: Mapping[str, Any], where: str, namespace: str) -> Grant:
    _only(said, ("role", "cluster_role", "binding", "rules", "to"), where)
    keys = [key for key in _ROLE_KEYS if key in said]
    if len(keys) != 1:
        raise HardeningError(f"{where}: a grant names either a role or a cluster_role.")
    kind = _ROLE_KEYS[keys[0]]
    if kind == "Role" and not namespace:
        raise HardeningError(f"{where}.role: a Role is in a namespace; in the whole cluster, grant a cluster_role.")
    rules = None
    if "rules" in said:
        if kind == "ClusterRole" and namespace:
            raise HardeningError(
                f"{where}.rules: a ClusterRole is of the whole cluster: give its rules below cluster, or name it role."
            )
        rules = tuple(_rule(each, path, namespace) for each, path in _items(said, "rules", where))
        if not rules:
            raise HardeningError(f"{where}.rules: there are none; leave the key out for a role that is there already.")
    subjects = [parse_subject(each, path, namespace) for each, path in _items(said, "to", where)]
    if not subjects:
        raise HardeningError(f"{where}.to: nobody is named, like to: [{{group: developers}}].")
    name = _object_name(said[keys[0]], f"{where}.{keys[0]}")
    binding = _object_name(said["binding"], f"{where}.binding") if "binding" in said else ""
    return Grant(kind, name, tuple(_once(subjects)), rules, binding)


def _once(subjects: Iterable[Subject]) -> list[Subject]:
    return list({subject.key: subject for subject in subjects}.values())


def _joined(grants: list[Grant], where: str) -> tuple[Grant, ...]:
    """One grant for each binding. A role has one binding, and besides it those that are named."""
    joined: dict[tuple[str, str, str], Grant] = {}
    rules: dict[tuple[str, str], tuple[Rule, ...]] = {}
    role_of: dict[str, tuple[str, str]] = {}
    for grant in grants:
        role = (grant.kind, grant.name)
        if grant.rules and rules.setdefault(role, grant.rules) != grant.rules:
            raise HardeningError(f"{where}.grant: the {grant.kind} {grant.name} gets two different sets of rules.")
        if grant.binding and role_of.setdefault(grant.binding, role) != role:
            raise HardeningError(
                f"{where}.grant: two grants name the binding {grant.binding}, and a binding has one role."
            )
        key = (*role, grant.binding)
        before = joined.get(key, replace(grant, to=()))
        joined[key] = replace(before, to=tuple(_once([*before.to, *grant.to])))
    return tuple(replace(grant, rules=rules.get((grant.kind, grant.name))) for grant in joined.values())


def _rule(said: Mapping[str, Any], where: str, namespace: str) -> Rule:
    _only(said, ("api_groups", "resources", "verbs", "names", "urls"), where)
    rule = _what(said, where)
    if rule.urls and namespace:
        raise HardeningError(f"{where}.urls: URLs are of the whole cluster: give this rule below cluster.")
    if rule.names and (unlimited := _NOT_BY_NAME & set(rule.verbs)):
        raise HardeningError(
            f"{where}.names: {' and '.join(sorted(unlimited))} cannot be limited by names, "
            "since the request has none: give a rule of its own."
        )
    return rule if rule.urls or rule.groups else replace(rule, groups=_CORE)


def _must_not(said: Mapping[str, Any], where: str, namespace: str) -> MustNot:
    _only(said, ("who", "api_groups", "resources", "verbs", "names", "urls"), where)
    if "who" not in said:
        raise HardeningError(f"{where}: who is missing, like who: {{user: jane}}.")
    return MustNot(parse_subject(said["who"], f"{where}.who", namespace), _what(said, where))


def _what(said: Mapping[str, Any], where: str) -> Rule:
    if ("resources" in said) == ("urls" in said):
        raise HardeningError(f"{where}: give either resources or urls.")
    verbs = texts(said.get("verbs"), f"{where}.verbs")
    if "urls" in said:
        for key in ("api_groups", "names"):
            if key in said:
                raise HardeningError(f"{where}.{key}: has no meaning beside urls.")
        return Rule(verbs, urls=texts(said["urls"], f"{where}.urls"))
    resources = texts(said["resources"], f"{where}.resources")
    dotted = next((each for each in resources if "." in each.partition("/")[0]), "")
    if dotted:
        name, _dot, group = dotted.partition("/")[0].partition(".")
        raise HardeningError(f"{where}.resources: write {dotted!r} as api_groups: [{group}] and resources: [{name}].")
    groups = said.get("api_groups", [])
    if not isinstance(groups, list) or not all(isinstance(each, str) for each in groups):
        raise HardeningError(f'{where}.api_groups: {groups!r} is no list of API groups, like ["", apps].')
    names = texts(said["names"], f"{where}.names") if "names" in said else ()
    return Rule(verbs, resources, tuple(groups), names)


def _named(said: Mapping[str, Any], where: str, known: Mapping[str, Kind]) -> Named:
    _only(said, known, where)
    if len(said) != 1:
        raise HardeningError(f"{where}: name one object, like {{{next(iter(known))}: NAME}}.")
    ((key, name),) = said.items()
    return Named(known[key], _object_name(name, f"{where}.{key}"))


def _object_name(said: Any, where: str) -> str:
    """RBAC's names are segments of a path (ValidateRBACName)."""
    name = text(said, where)
    if name in (".", "..") or "/" in name or "%" in name:
        raise HardeningError(f"{where}: {name!r} cannot be a name: it may hold neither / nor %.")
    return name
