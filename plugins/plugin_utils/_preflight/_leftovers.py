# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy's set has in a cluster of which the policy says nothing any more.

What a role prunes by itself is not looked for again: here is whether the parts that the policy no longer has left
anything, and which namespaces still are marked as created.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._sets import find_set
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import left_over
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    NAMESPACE_MANAGER,
    SET_LABEL,
    is_of_set,
    leftover_findings,
    reaches_everywhere,
)

Object = dict[str, Any]
Live = Sequence[Mapping[str, Any]]

KINDS: Mapping[str, tuple[Resource, ...]] = {
    "network_policies": (KNOWN["networking.k8s.io/v1", "NetworkPolicy"],),
    "resource_limits": (KNOWN["v1", "LimitRange"], KNOWN["v1", "ResourceQuota"]),
    "rbac": tuple(
        KNOWN["rbac.authorization.k8s.io/v1", kind]
        for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    ),
}
"""What each part makes that carries the label of its set; the part's field manager is named after it."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """``parts`` that the policy does not have and the set does; ``created`` namespaces, as much as handing back needs.

    ``unseen`` are sentences about what could not be looked for.
    """

    parts: list[str]
    created: list[Object]
    unseen: list[str]


def leftovers(
    client: Client, policy: Mapping[str, Any], parts: Collection[str], only: Sequence[str], live: Live, unlisted: str
) -> Leftovers:
    """What the set of a policy has, beside the ``parts`` of a run that is limited to ``only``.

    ``live`` are Namespace objects, ``unlisted`` says why these are not all, empty where they are.
    """
    set_name = policy["name"]
    if not reaches_everywhere(set_name):
        return Leftovers([], [], [])
    namespaces = {str(each["metadata"]["name"]): each for each in live}
    found: list[str] = []
    unseen: list[str] = []
    if "pod_security" not in parts:
        if left_over(namespaces, (), set_name, only):
            found.append("pod_security")
        if unlisted:
            unseen.append(_unseen(set_name, "pod_security", unlisted))
    for part, kinds in KINDS.items():
        if part in parts:
            continue
        there = find_set(client, kinds, set_name)
        if any(_is_left(each, set_name, part, only) for each in there.objects):
            found.append(part)
        if there.unseen:
            unseen.append(_unseen(set_name, part, there.why_unseen))
    return Leftovers(found, _created(namespaces, set_name, only), unseen)


def created_findings(left: Leftovers, policy: Mapping[str, Any]) -> list[Finding]:
    """A failure for each namespace that is marked as created by a policy that does not create it any more."""
    set_name = policy["name"]
    names = [each["metadata"]["name"] for each in left.created if each["metadata"]["name"] not in policy["create"]]
    told = {f"Namespace/{name}": [f"{SET_LABEL}={set_name}"] for name in names}
    return leftover_findings(set_name, told, "", "namespaces") if told else []


def _created(namespaces: Mapping[str, Mapping[str, Any]], set_name: str, only: Sequence[str]) -> list[Object]:
    return [
        # With its uid nothing is made anew, should it have gone since.
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": namespace["metadata"]["uid"]}}
        for name, namespace in sorted(namespaces.items())
        if is_of_set(namespace, set_name, NAMESPACE_MANAGER)
        and is_meant(name, only)
        and "deletionTimestamp" not in namespace["metadata"]
    ]


def _is_left(obj: Object, set_name: str, part: str, only: Sequence[str]) -> bool:
    metadata = obj["metadata"]
    return (
        is_of_set(obj, set_name, f"hardening.kubernetes/{part}")
        and (is_meant(metadata["namespace"], only) if metadata.get("namespace") else not only)
        and "deletionTimestamp" not in metadata
    )


def _unseen(set_name: str, part: str, why: str) -> str:
    return f"what the set {set_name} left of {part} is not known, and stays: {why}"
