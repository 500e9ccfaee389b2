# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy would say of the access that there is, so that applying it changes nothing.

A binding becomes a grant that names it, and its Role comes with its rules. Each is made from what was written and held
against the live object; what comes out otherwise is not declared, but kept, and a comment says why.
"""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import binding_name, objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import (
    ANONYMOUS,
    AUTHENTICATED,
    RBAC_GROUP,
    SERVICE_ACCOUNTS,
    UNAUTHENTICATED,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._undeclared import Bindings, giving_to_others
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._keepers import keepers_comments
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import set_of

Object = Mapping[str, Any]
Said = dict[str, Any]

_ALL_POWERS = "cluster-admin"
_MANY = {
    ("Group", AUTHENTICATED): "everybody who is logged in",
    ("Group", UNAUTHENTICATED): "everybody, logged in or not",
    ("User", ANONYMOUS): "everybody, logged in or not",
    ("Group", SERVICE_ACCOUNTS): "every workload of the cluster",
}
_RULE_KEYS = (
    ("api_groups", "apiGroups"),
    ("resources", "resources"),
    ("verbs", "verbs"),
    ("names", "resourceNames"),
)


@dataclass(slots=True)
class Discovered:
    """What a policy would say below ``access`` of one place, and sentences for its owner."""

    settings: Said = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


def of_namespace(
    namespace: str,
    bindings: Sequence[Object],
    roles: Sequence[Object],
    set_name: str,
    cluster_roles: Collection[str] | None = None,
) -> Discovered:
    """The access that RoleBindings give in a namespace.

    ``roles`` are all of its Roles, ``cluster_roles`` the names of all ClusterRoles, ``None`` where they are not known.
    """
    there = sorted((each for each in bindings if _stays(each)), key=_name)
    by_name = {_name(each): each for each in roles if _stays(each)}
    told: list[str] = []
    grants: list[Said] = []
    keep: list[Said] = []
    ruled: set[str] = set()
    for binding in there:
        role_names = {"Role": by_name.keys(), "ClusterRole": cluster_roles}[binding["roleRef"]["kind"]]
        grant, why = _grant(namespace, binding, role_names, set_name)
        if why:
            keep.append({"role_binding": glob.escape(_name(binding))})
            told.append(f"RoleBinding {_name(binding)} is kept, not declared: {why}.")
            continue
        role = grant.get("role", "")
        if role and role not in ruled:
            ruled.add(role)
            rules, why = _rules(namespace, by_name[role], grant, set_name)
            told += [f"Role {role} stays as it is and is not declared: {why}."] if why else []
            grant = {**_head(grant), **({"rules": rules} if rules else {}), "to": grant["to"]}
        grants.append(grant)
        told += _far_reaching(binding)
    bound = {each["roleRef"]["name"] for each in there if each["roleRef"]["kind"] == "Role"}
    told += [f"Role {name} is bound to nobody, and is left out." for name in sorted(by_name.keys() - bound)]
    declared = [each for each in there if {"role_binding": glob.escape(_name(each))} not in keep]
    told += keepers_comments([*(by_name[name] for name in sorted(ruled)), *declared])
    if not there:
        told.append("No RoleBinding gives access here: one that comes will be a failure.")
    return Discovered({"grant": grants, **({"keep": keep} if keep else {})}, told)


def of_cluster(bindings: Bindings, served: Served | None) -> Discovered:
    """The ClusterRoleBindings that are not the cluster's own, each kept by its name, so that a new one is found."""
    foreign = sorted((each for each in giving_to_others(bindings, served) if _stays(each)), key=_name)
    told = [sentence for each in foreign for sentence in _far_reaching(each)]
    return Discovered({"keep": [{"cluster_role_binding": glob.escape(_name(each))} for each in foreign]}, told)


def _stays(obj: Object) -> bool:
    return "deletionTimestamp" not in obj["metadata"]


def _grant(namespace: str, binding: Object, roles: Collection[str] | None, set_name: str) -> tuple[Said, str]:
    """A grant without rules that means this very binding, or why there is none."""
    ref = binding["roleRef"]
    if set_of(binding) not in ("", set_name):
        return {}, f"it belongs to the set {set_of(binding)}"
    if roles is not None and ref["name"] not in roles:
        return {}, f"there is no {ref['kind']} {ref['name']}, which it is to give"
    subjects = [_subject(each, namespace) for each in binding.get("subjects") or ()]
    if not subjects:
        return {}, "it gives nobody anything"
    key = "role" if ref["kind"] == "Role" else "cluster_role"
    grant: Said = {key: ref["name"], "binding": _name(binding), "to": subjects}
    try:
        said = parse_settings({"grant": [grant]}, namespace)
        # The name that a policy of this name gives it by itself need not be said.
        if binding_name(replace(said.grants[0], binding=""), set_name) == _name(binding):
            return {key: ref["name"], "to": subjects}, ""
        (made,) = objects(said, set_name)
    except HardeningError as error:
        return {}, f"a policy cannot say it ({error})"
    if _of_binding(made) != _of_binding(binding):
        return {}, "a policy cannot say who its subjects are"
    return grant, ""


def _rules(namespace: str, role: Object, grant: Said, set_name: str) -> tuple[list[Said], str]:
    """The rules of a Role as a policy says them, or why it cannot."""
    if set_of(role) not in ("", set_name):
        return [], f"it belongs to the set {set_of(role)}"
    live = [_without_empty(rule) for rule in role.get("rules") or ()]
    if not live:
        return [], "it has no rules"
    rules = [_rule(each) for each in live]
    try:
        made = objects(parse_settings({"grant": [{**grant, "rules": rules}]}, namespace), set_name)[0]
    except HardeningError as error:
        return [], f"a policy cannot say its rules ({error})"
    return (rules, "") if made["rules"] == live else ([], "a policy cannot say its rules")


def _rule(live: Object) -> Said:
    said = {ours: list(live[theirs]) for ours, theirs in _RULE_KEYS if theirs in live}
    if said.get("api_groups") == [""]:
        del said["api_groups"]
    return said


def _subject(live: Object, namespace: str) -> Said:
    if live["kind"] != "ServiceAccount":
        return {live["kind"].lower(): live["name"]}
    home = live.get("namespace", "")
    return {"service_account": live["name"], **({"namespace": home} if home != namespace else {})}


def _head(grant: Said) -> Said:
    return {key: value for key, value in grant.items() if key != "to"}


def _of_binding(binding: Object) -> Any:
    """What a binding says, with nothing in it that a server adds or leaves out."""
    subjects = [
        (each["kind"], each.get("apiGroup") or _GROUP_OF.get(each["kind"], ""), each.get("namespace", ""), each["name"])
        for each in binding.get("subjects") or ()
    ]
    return binding["roleRef"]["kind"], binding["roleRef"]["name"], subjects


_GROUP_OF = {"User": RBAC_GROUP, "Group": RBAC_GROUP}


def _without_empty(rule: Object) -> dict[str, list[str]]:
    return {key: list(value) for key, value in rule.items() if value}


def _far_reaching(binding: Object) -> Iterable[str]:
    """What an owner may want to tighten first."""
    many = [_MANY[key] for each in binding.get("subjects") or () if (key := (each["kind"], each["name"])) in _MANY]
    told = f"{binding['kind']} {_name(binding)} gives {binding['roleRef']['kind']} {binding['roleRef']['name']}"
    if many:
        yield f"{told} to {' and '.join(dict.fromkeys(many))}: see whether that is meant."
    elif binding["roleRef"]["name"] == _ALL_POWERS:
        who = ", ".join(f"{each['kind']} {_subject_name(each)}" for each in binding.get("subjects") or ())
        yield f"{told}, all powers, to {who}: see whether less would do."


def _subject_name(subject: Object) -> str:
    return "/".join(filter(None, (subject.get("namespace", ""), subject["name"])))


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])
