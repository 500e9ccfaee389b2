# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy says of access, in namespaces and in the whole cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import Path

Schema = dict[str, Any]
Wrong = Iterator[tuple[Path, str]]

_WHO = ("user", "group", "service_account")
_NOT_BY_NAME = ("create", "deletecollection")


def _words(description: str, example: list[str], **more: Any) -> Schema:
    return {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "words"},
        "description": description,
        "examples": [example],
        **more,
    }


def _word(description: str, example: str, form: str = "words") -> Schema:
    return {"type": "string", "format": form, "description": description, "examples": [example]}


def _subject(in_cluster: bool) -> Schema:
    home = "It has to be said here." if in_cluster else "Without it, that which the settings are of."
    return {
        "type": "object",
        "additionalProperties": False,
        "x-check": "access_subject_in_cluster" if in_cluster else "access_subject",
        "properties": {
            "user": _word("A user, by the name that the server knows.", "jane"),
            "groups": {
                **_words(
                    "The groups that the user is asked about as a member of; they get nothing by it.", ["developers"]
                ),
                "minItems": 0,
            },
            "group": _word("A group.", "developers"),
            "service_account": _word("A service account. One that does not exist is a failure.", "reporter"),
            "namespace": _word(f"The namespace of the service account. {home}", "production", "namespace-name"),
        },
    }


def _rule(in_cluster: bool) -> Schema:
    urls = _words("Paths of the API server that are no resources, with `verbs` alone beside them.", ["/metrics"])
    return {
        "api_groups": {
            "type": "array",
            "items": {"type": "string"},
            "description": 'API groups of the resources; `""` is the core group.',
            "examples": [["apps"]],
        },
        "resources": _words("Resources by their plural, subresources after a slash.", ["pods", "pods/log"]),
        "verbs": _words("Verbs of requests.", ["get", "list", "watch"]),
        "names": _words("Names of single objects that it is limited to.", ["settings"]),
        **({"urls": urls} if in_cluster else {}),
    }


def _definitions(in_cluster: bool) -> Schema:
    end = "_in_cluster" if in_cluster else ""
    rule, subject = _rule(in_cluster), {"$ref": f"#/$defs/access_subject{end}"}
    role = {
        **({} if in_cluster else {"role": _word("A Role of the namespace.", "pod-reader")}),
        "cluster_role": _word(
            "A ClusterRole, bound everywhere." if in_cluster else "A ClusterRole, bound in this namespace alone.",
            "view",
        ),
    }
    binding = "cluster_role_binding" if in_cluster else "role_binding"
    holder = "cluster_role" if in_cluster else "role"
    named = {binding: _word("A binding by its name.", "temporary-admin")}
    return {
        f"access_subject{end}": _subject(in_cluster),
        f"access_rule{end}": {
            "type": "object",
            "required": ["verbs"],
            "additionalProperties": False,
            "x-check": "access_rule",
            "properties": rule,
        },
        f"access_grant{end}": {
            "type": "object",
            "required": ["to"],
            "additionalProperties": False,
            "x-check": "access_grant_in_cluster" if in_cluster else "access_grant",
            "properties": {
                **role,
                "binding": _word(
                    "The name of the binding, for one that is there already. Its role cannot be changed. Without it, "
                    "the binding is made under a name of its own.",
                    "developers-view",
                ),
                "rules": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"$ref": f"#/$defs/access_rule{end}"},
                    "description": (
                        "The permissions of the role, which is then made. Without them, the role is there already. "
                        'Without `api_groups`, a resource is one of the core group (`""`).'
                    ),
                    "examples": [[{"resources": ["pods"], "verbs": ["get", "list"]}]],
                },
                "to": {
                    "type": "array",
                    "minItems": 1,
                    "items": subject,
                    "description": "Who gets it.",
                    "examples": [[{"group": "developers"}]],
                },
            },
        },
        f"access_must_not{end}": {
            "type": "object",
            "required": ["who", "verbs"],
            "additionalProperties": False,
            "x-check": "access_rule",
            "properties": {
                "who": {
                    **subject,
                    "description": "Who must not. Of a user without `groups` it is unknown what groups may bring.",
                    "examples": [{"user": "jane", "groups": ["developers"]}],
                },
                **rule,
            },
        },
        f"access_remove{end}": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "x-check": "access_named",
            "properties": {**named, holder: _word("A role by its name.", "old-admin")},
        },
        f"access_keep{end}": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {binding: _word("A binding by its name, or several by a glob.", "prometheus-*")},
        },
    }


def _access(in_cluster: bool) -> Schema:
    end, binding = ("_in_cluster", "cluster_role_binding") if in_cluster else ("", "role_binding")
    place = "the whole cluster" if in_cluster else "the namespace"
    role = "cluster_role" if in_cluster else "role"
    rules = [{"resources": ["pods"], "verbs": ["get", "list"]}]
    forbidden = {"who": {"group": "developers"}, "verbs": ["*"], "resources": ["secrets"]}
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "description": f"Who may do what in {place}. A foreign binding that is neither declared nor kept is a failure.",
        "examples": [{"grant": [{role: "pod-reader", "rules": rules, "to": [{"group": "developers"}]}]}],
        "properties": {
            "grant": {
                "type": "array",
                "x-check": "access_grants",
                "items": {"$ref": f"#/$defs/access_grant{end}"},
                "description": "What is given to whom.",
                "examples": [[{"cluster_role": "view", "to": [{"group": "developers"}]}]],
            },
            "must_not": {
                "type": "array",
                "items": {"$ref": f"#/$defs/access_must_not{end}"},
                "description": (
                    "What must not be possible, by whatever binding. Nothing is written for it. "
                    "Without `api_groups`, a resource is meant in whichever group has it; `*` is all that there is."
                    + (" It must not be possible in any single namespace either." if in_cluster else "")
                ),
                "examples": [[forbidden]],
            },
            "remove": {
                "type": "array",
                "items": {"$ref": f"#/$defs/access_remove{end}"},
                "description": "Foreign objects to take away.",
                "examples": [[{binding: "temporary-admin"}]],
            },
            "keep": {
                "type": "array",
                "items": {"$ref": f"#/$defs/access_keep{end}"},
                "description": "Foreign bindings that may stay, by name or glob.",
                "examples": [[{binding: "prometheus-*"}]],
            },
        },
    }


ACCESS = _access(False)
CLUSTER_ACCESS = _access(True)
ACCESS_DEFINITIONS: Schema = {**_definitions(False), **_definitions(True)}


def _one_of(said: Any, keys: tuple[str, ...]) -> Wrong:
    if isinstance(said, dict) and len(said.keys() & set(keys)) != 1:
        yield (), f"must have exactly one of {', '.join(keys)}"


def _check_subject(said: Any) -> Wrong:
    yield from _one_of(said, _WHO)
    for key, beside in (("groups", "user"), ("namespace", "service_account")):
        if isinstance(said, dict) and key in said and beside not in said:
            yield (key,), f"has no meaning without {beside}"


def _check_subject_in_cluster(said: Any) -> Wrong:
    yield from _check_subject(said)
    if isinstance(said, dict) and "service_account" in said and "namespace" not in said:
        yield (), "needs the namespace of the service account, like namespace: production"


def _check_grant(said: Any) -> Wrong:
    yield from _one_of(said, ("role", "cluster_role"))
    if isinstance(said, dict) and "cluster_role" in said and "rules" in said:
        yield ("rules",), "are of the whole cluster: give them below cluster, or name it role"


def _check_grant_in_cluster(said: Any) -> Wrong:
    yield from _one_of(said, ("cluster_role",))


def _check_grants(said: Any) -> Wrong:
    first: dict[str, tuple[int, Any]] = {}
    for at, grant in enumerate(said if isinstance(said, list) else ()):
        binding = grant.get("binding") if isinstance(grant, dict) else None
        if not isinstance(binding, str):
            continue
        role = (grant.get("role"), grant.get("cluster_role"))
        before, other = first.setdefault(binding, (at, role))
        if other != role:
            yield (at, "binding"), f"is that of grant[{before}] too, and a binding has one role"


def _check_rule(said: Any) -> Wrong:
    yield from _one_of(said, ("resources", "urls"))
    if not isinstance(said, dict):
        return
    for key in ("api_groups", "names"):
        if key in said and "urls" in said:
            yield (key,), "has no meaning beside urls"
    for at, each in enumerate(_texts(said.get("resources"))):
        name, dot, group = each.partition("/")[0].partition(".")
        if dot:
            yield ("resources", at), f"write it as api_groups: [{group}] and resources: [{name}]"
    if "names" in said and "who" not in said:
        for verb in _NOT_BY_NAME:
            if verb in _texts(said.get("verbs")):
                yield ("names",), f"cannot limit {verb}, whose requests have no name: give a rule of its own"


def _check_named(said: Any) -> Wrong:
    if isinstance(said, dict) and len(said) > 1:
        yield (), "names more than one object: give each an item of its own"


def _texts(said: Any) -> list[str]:
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []


ACCESS_CHECKS: Mapping[str, Callable[[Any], Wrong]] = {
    "access_subject": _check_subject,
    "access_subject_in_cluster": _check_subject_in_cluster,
    "access_grant": _check_grant,
    "access_grant_in_cluster": _check_grant_in_cluster,
    "access_grants": _check_grants,
    "access_rule": _check_rule,
    "access_named": _check_named,
}
"""Rules between several values, by their name in the schema; see ``_checks``."""
