# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the roles and bindings that settings mean.

A binding's role cannot be changed (RoleBinding.roleRef). A binding is therefore named after its set and its role, so
that another role has another binding, which is there before the old one goes. Where a grant names its binding, that
one is meant and stays in the order in which its subjects are said; with another role it has to be made anew by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import AccessSettings, Grant
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import RBAC_GROUP, Subject
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

API_VERSION = f"{RBAC_GROUP}/v1"
MANAGER = "hardening.kubernetes/rbac"

Object = dict[str, Any]
_HASH_DIGITS = 8


def objects(said: AccessSettings, set_name: str) -> list[Object]:
    """The objects of a place, roles before bindings; raises HardeningError where two grants mean one binding."""
    roles = {(grant.kind, grant.name): _role(grant, said.namespace) for grant in said.grants if grant.rules}
    bindings: dict[str, Object] = {}
    for grant in said.grants:
        binding = _binding(grant, said.namespace, set_name)
        if bindings.setdefault(binding["metadata"]["name"], binding) is not binding:
            raise HardeningError(
                f"Two grants {said.where} have the binding {binding['metadata']['name']}: "
                "leave binding out of the one that names it, or name another."
            )
    return [*roles.values(), *bindings.values()]


def to_remove(said: AccessSettings, set_name: str) -> list[Object]:
    """The foreign objects that the settings name, by name alone; raises HardeningError for one that is granted too."""
    wanted = {(each["kind"], each["metadata"]["name"]) for each in objects(said, set_name)}
    for each in said.remove:
        if (each.kind, each.name) in wanted:
            raise HardeningError(f"{each.kind} {each.name} is granted {said.where} and to be removed: take one out.")
    return [
        {"apiVersion": API_VERSION, "kind": each.kind, "metadata": _metadata(each.name, said.namespace)}
        for each in said.remove
    ]


def binding_kind(namespace: str) -> str:
    """The kind of binding that gives access in a namespace, or with none everywhere."""
    return "RoleBinding" if namespace else "ClusterRoleBinding"


def binding_name(grant: Grant, set_name: str) -> str:
    """The name that the grant says, else one that no other role and no other set leads to."""
    if grant.binding:
        return grant.binding
    told = f"{set_name}\0{grant.kind}\0{grant.name}"
    return f"{grant.name}-{hashlib.sha256(told.encode()).hexdigest()[:_HASH_DIGITS]}"


def binding_label(grant: Grant, namespace: str, set_name: str) -> str:
    """``Kind/namespace/name`` of a grant's binding."""
    return label_of(binding_kind(namespace), namespace, binding_name(grant, set_name))


def label_of(kind: str, namespace: str, name: str) -> str:
    """``Kind/namespace/name``, or ``Kind/name`` for an object of the whole cluster."""
    return "/".join(part for part in (kind, namespace, name) if part)


def label(obj: Mapping[str, Any]) -> str:
    """The same of an object."""
    return label_of(obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def _role(grant: Grant, namespace: str) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": grant.kind,
        "metadata": _metadata(grant.name, namespace),
        "rules": [rule.object for rule in grant.rules or ()],
    }


def _binding(grant: Grant, namespace: str, set_name: str) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": binding_kind(namespace),
        "metadata": _metadata(binding_name(grant, set_name), namespace),
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": grant.kind, "name": grant.name},
        "subjects": [subject.bound for subject in _in_order(grant)],
    }


def _in_order(grant: Grant) -> list[Subject]:
    """A binding that was there before keeps its order."""
    return list(grant.to) if grant.binding else sorted(grant.to, key=lambda each: each.key)


def _metadata(name: str, namespace: str) -> Object:
    return {"name": name, **({"namespace": namespace} if namespace else {})}
