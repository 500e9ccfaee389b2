# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the questions that show whether a grant is in force, and whether nothing forbidden is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import binding_label
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import (
    ALL,
    Served,
    ServedResource,
    absent,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import (
    AccessSettings,
    Grant,
    MustNot,
    Rule,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import Subject
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Object = Mapping[str, Any]
RoleKey = tuple[str, str, str]

_CORE = ("",)
_UNLISTED = "whether the server has these resources is not known, since they may not be listed"
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is known of a cluster's roles, without which some questions cannot be put.

    ``roles`` maps kind, namespace and name to the live object. ``unseen`` says of a kind why it could not be read, and
    of ``resources`` and ``namespaces`` the same.
    """

    served: Served | None
    roles: Mapping[RoleKey, Object] = field(default_factory=dict)
    namespaces: Sequence[str] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)

    def once_written(self, objects: Iterable[Object]) -> Cluster:
        """The same with the roles among these objects that are not there yet."""
        coming = {
            (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
            for each in objects
            if "rules" in each
        }
        return replace(self, roles={**coming, **self.roles})


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be ``pass``: all of the questions are allowed (``access.granted``), or none is (``access.denied``).

    ``about`` says who is to have what. ``wrong`` is what cannot be right however they are answered, ``unseen`` what
    could not be looked at, ``note`` what the evidence has to say besides.
    """

    control: Literal["access.granted", "access.denied"]
    subject: str
    about: str
    questions: tuple[Access, ...]
    wrong: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    note: str = ""


def demands(said: AccessSettings, set_name: str, cluster: Cluster) -> list[Demand]:
    """Everything that a place asks for."""
    granted = [_granted(said, grant, set_name, cluster) for grant in said.grants]
    by_subject: dict[Subject, list[MustNot]] = {}
    for each in said.must_not:
        by_subject.setdefault(each.who, []).append(each)
    return [*granted, *(_denied(said, who, rules, cluster) for who, rules in by_subject.items())]


def _granted(said: AccessSettings, grant: Grant, set_name: str, cluster: Cluster) -> Demand:
    wrong: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    note = ""
    if grant.rules is not None:
        asked = grant.rules
        wrong = tuple(_not_served(grant.rules, cluster.served)) if cluster.served else ()
        unseen = () if cluster.served else (_UNLISTED,)
    else:
        rules, wrong, unseen = _live_rules(said, grant, cluster)
        asked = tuple(_first_of_each(rules))
        note = "asked for one resource of each rule of the role" if rules else ""
    return Demand(
        "access.granted",
        binding_label(grant, said.namespace, set_name),
        f"{_listed(map(str, grant.to))} with {grant.kind} {grant.name} {said.where}",
        tuple(_questions(grant.to, asked, said.namespace)),
        wrong,
        unseen,
        note,
    )


def _live_rules(
    said: AccessSettings, grant: Grant, cluster: Cluster
) -> tuple[tuple[Rule, ...], tuple[str, ...], tuple[str, ...]]:
    """The rules of a role that somebody else makes, and what is wrong with it, or why it is not seen."""
    place = said.namespace if grant.kind == "Role" else ""
    live = cluster.roles.get((grant.kind, place, grant.name))
    if live is not None:
        rules = tuple(rule_of(each) for each in live.get("rules") or ())
        kept = tuple(rule for rule in rules if rule.resources or not said.namespace)
        return kept, () if kept else (f"{grant.kind} {grant.name} has no rule that gives anything {said.where}",), ()
    if grant.kind in cluster.unseen:
        return (), (), (cluster.unseen[grant.kind],)
    names = [name for kind, namespace, name in cluster.roles if (kind, namespace) == (grant.kind, place)]
    near = did_you_mean(grant.name, names)
    hint = f"; did you mean {near}?" if near else ""
    return (), (f"there is no {grant.kind} {grant.name}{hint}",), ()


def rule_of(live: Object) -> Rule:
    """A rule of a live role."""
    return Rule(
        verbs=tuple(live.get("verbs") or ()),
        resources=tuple(live.get("resources") or ()),
        groups=tuple(live.get("apiGroups") or ()),
        names=tuple(live.get("resourceNames") or ()),
        urls=tuple(live.get("nonResourceURLs") or ()),
    )


def _first_of_each(rules: Iterable[Rule]) -> Iterator[Rule]:
    for rule in rules:
        yield Rule(rule.verbs, rule.resources[:1], rule.groups[:1], rule.names[:1], rule.urls[:1])


def _not_served(rules: Iterable[Rule], served: Served) -> Iterator[str]:
    """A permission on what is not there is granted without an objection, and gives nothing.

    Of several groups and several resources, each group has to have one of them, and each of them a group.
    """
    for rule in rules:
        # Of one resource RBAC knows no wildcard: only pods/log, or */log (rbac/v1 ResourceMatches).
        wild = [each for each in rule.resources if each.endswith(f"/{ALL}")]
        yield from (f"{each} gives nothing: name the subresources, like pods/log" for each in wild)
        pairs = list(product(rule.groups, (each for each in rule.resources if each not in wild)))
        there = [pair for pair in pairs if _is_served(*pair, served)]
        groups, resources = {group for group, _resource in there}, {resource for _group, resource in there}
        for group, resource in pairs:
            if group in groups and resource in resources:
                continue
            plural = resource.partition("/")[0]
            has_plural = (group, plural) in served.by_plural
            yield f"the server has no subresource {resource}" if has_plural else absent(plural, group, served)


def _is_served(group: str, resource: str, served: Served) -> bool:
    plural, _slash, subresource = resource.partition("/")
    found = served.by_plural.get((group, plural))
    return ALL in (group, plural) or bool(found and (subresource in ("", ALL) or subresource in found.subresources))


def _questions(who: Iterable[Subject], rules: Iterable[Rule], namespace: str) -> Iterator[Access]:
    for subject, rule in product(who, rules):
        for url, verb in product(rule.urls, rule.verbs):
            yield Access(subject, verb, url=url)
        for group, resource, verb, name in product(rule.groups, rule.resources, rule.verbs, rule.names or ("",)):
            plural, _slash, subresource = resource.partition("/")
            yield Access(subject, verb, plural, group, subresource, name, namespace)


def _denied(said: AccessSettings, who: Subject, forbidden: Iterable[MustNot], cluster: Cluster) -> Demand:
    questions: list[Access] = []
    wrong: list[str] = []
    unseen: list[str] = []
    for each in forbidden:
        rule = each.rule
        if rule.urls:
            verbs = ("get", "post", "put", "delete", "patch", "head", "options") if ALL in rule.verbs else rule.verbs
            questions += _questions([who], [Rule(verbs, urls=tuple(_urls(rule.urls, cluster, unseen)))], "")
            continue
        expanded, missing = _expanded(rule, cluster)
        wrong += missing
        for place in _places(said, cluster, unseen):
            for one in expanded:
                questions += _anywhere(who, one, place if _is_in_namespaces(one, cluster) else "", cluster, unseen)
    return Demand(
        "access.denied",
        _subject_of(said, who),
        f"{who} {said.where}",
        tuple(dict.fromkeys(questions)),
        tuple(dict.fromkeys(wrong)),
        tuple(dict.fromkeys(unseen)),
        note=f"asked as a member of {_listed(who.assumed_groups)}",
    )


def _urls(said: Iterable[str], cluster: Cluster, unseen: list[str]) -> Iterator[str]:
    """The URLs, and of one that ends in ``*`` also each that a role names below it: that alone may be allowed."""
    for url in said:
        yield url
        if url.endswith(ALL):
            unseen += [cluster.unseen[kind] for kind in ("ClusterRole",) if kind in cluster.unseen]
            yield from sorted(
                named
                for role in cluster.roles.values()
                for rule in role.get("rules") or ()
                for named in rule.get("nonResourceURLs") or ()
                if named.startswith(url.removesuffix(ALL))
            )


def _is_in_namespaces(rule: Rule, cluster: Cluster) -> bool:
    """Whether requests for it name a namespace; else one in which a binding allows it shows nothing."""
    found = cluster.served and cluster.served.by_plural.get((rule.groups[0], rule.resources[0].partition("/")[0]))
    return not found or found.namespaced or found.plural == "namespaces"


def _places(said: AccessSettings, cluster: Cluster, unseen: list[str]) -> list[str]:
    """Where something is forbidden: what is forbidden in the cluster may not be had in one namespace either."""
    if said.namespace:
        return [said.namespace]
    if "namespaces" in cluster.unseen:
        unseen.append(cluster.unseen["namespaces"])
    return ["", *cluster.namespaces]


def _expanded(rule: Rule, cluster: Cluster) -> tuple[list[Rule], list[str]]:
    """The rule without wildcards and with its API groups, and what of it the server does not have.

    A wildcard is allowed only to whoever has all of it, so that asking for it would show nothing.
    """
    served = cluster.served
    if served is None:
        return [Rule(rule.verbs, rule.resources, rule.groups or _CORE, rule.names)], [_UNLISTED]
    expanded, missing = [], []
    for resource in rule.resources:
        plural, _slash, subresource = resource.partition("/")
        found = [
            each
            for each in served.resources
            if plural in (ALL, each.plural) and (not rule.groups or ALL in rule.groups or each.group in rule.groups)
        ]
        if not found:
            missing.append(absent(plural, rule.groups[0] if len(rule.groups) == 1 else None, served))
        for each in found:
            verbs = rule.verbs
            if ALL in verbs:
                verbs = tuple(dict.fromkeys([*_VERBS, *each.verbs, *sorted(_verbs_in_roles(each, cluster))]))
            subresources = sorted(each.subresources) if subresource == ALL else [subresource]
            names = [f"{each.plural}/{sub}" if sub else each.plural for sub in subresources]
            if plural == ALL and not subresource:
                names += [f"{each.plural}/{sub}" for sub in sorted(each.subresources)]
            if names:
                expanded.append(Rule(verbs, tuple(names), (each.group,), rule.names))
    return expanded, missing


def _verbs_in_roles(resource: ServedResource, cluster: Cluster) -> set[str]:
    """The verbs of a resource that roles say, since an authorizer takes any, like bind and impersonate."""
    return {
        verb
        for role in cluster.roles.values()
        for each in role.get("rules") or ()
        if resource.group in (each.get("apiGroups") or ())
        and resource.plural in (said.partition("/")[0] for said in each.get("resources") or ())
        for verb in each.get("verbs") or ()
    } - {ALL}


def _anywhere(who: Subject, rule: Rule, namespace: str, cluster: Cluster, unseen: list[str]) -> Iterator[Access]:
    """The questions of a rule, also about each object that a role names: that alone may be allowed."""
    names = rule.names
    if not names:
        names = ("", *sorted(_named_in_roles(rule, namespace, cluster)))
        unseen += [cluster.unseen[kind] for kind in ("Role", "ClusterRole") if kind in cluster.unseen]
    yield from _questions([who], [Rule(rule.verbs, rule.resources, rule.groups, names)], namespace)


def _named_in_roles(rule: Rule, namespace: str, cluster: Cluster) -> set[str]:
    resources = {*rule.resources, *(f"*/{each.partition('/')[2]}" for each in rule.resources if "/" in each), ALL}
    return {
        name
        for (_kind, place, _name), role in cluster.roles.items()
        if place in ("", namespace)
        for each in role.get("rules") or ()
        if {*rule.groups, ALL} & {*(each.get("apiGroups") or ())} and resources & {*(each.get("resources") or ())}
        for name in each.get("resourceNames") or ()
    }


def _subject_of(said: AccessSettings, who: Subject) -> str:
    """``Kind/namespace/name``: the namespace is the one in which something is forbidden."""
    name = f"{who.namespace}:{who.name}" if who.namespace and who.namespace != said.namespace else who.name
    return "/".join(part for part in (who.kind, said.namespace, name) if part)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
