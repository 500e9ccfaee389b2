# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: bindings that give access in the policy's namespaces, and that it does not declare.

What Kubernetes and its installer bind for themselves is told by the subjects, not by the names or labels of the
bindings, which anybody could give to a binding of his own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import binding_name, label
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import ALL, Served
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import AccessSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import (
    RBAC_GROUP,
    SERVICE_ACCOUNT_USER,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._cluster_components import (
    holds_cluster_components,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, judged

Object = Mapping[str, Any]

_OPEN_TO_OTHERS: tuple[tuple[str, str], ...] = (
    ("Group", "system:authenticated"),
    ("Group", "system:unauthenticated"),
    ("Group", "system:serviceaccounts"),
    ("Group", "system:serviceaccounts:*"),
    ("User", "system:anonymous"),
    ("User", "system:serviceaccount:*"),
)
"""Names of Kubernetes' own behind which others stand: everybody, or any workload."""

_COMPONENTS: tuple[tuple[str, str], ...] = (
    ("Group", "system:*"),
    ("User", "system:*"),
    ("Group", "kubeadm:cluster-admins"),
    ("User", "eks:*"),
    ("Group", "eks:*"),
)
"""Users and groups of the cluster itself and of its installer: only who holds the cluster can become one."""

_CHANGES = frozenset({"create", "update", "patch"})
_LEADS_INTO_NAMESPACES: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("", "users", frozenset({"impersonate"})),
    ("", "groups", frozenset({"impersonate"})),
    (RBAC_GROUP, "clusterroles", frozenset({"bind", "escalate"})),
    ("", "nodes/proxy", frozenset({"get", "create"})),
    ("", "namespaces", frozenset({"update", "patch", "delete", "deletecollection"})),
    ("", "persistentvolumes", _CHANGES),
    ("admissionregistration.k8s.io", "mutating*", _CHANGES),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", _CHANGES),
    ("apiregistration.k8s.io", "apiservices", _CHANGES),
    ("certificates.k8s.io", "signers", frozenset({"approve", "sign"})),
)
"""Resources of no namespace, as API group, glob and verbs, by which somebody comes to what is in all of them: by being
another user, by roles, into pods by way of their nodes, by reading and changing what others write."""

_CLIENTS_SIGNER = "kubernetes.io/kube-apiserver-client"
_ADMINISTRATORS = "administrators by certificate (system:masters, kubeadm:cluster-admins) are not judged"


@dataclass(frozen=True, slots=True)
class Bindings:
    """Live bindings, and why some could not be read: ``""`` for those of the cluster, a name for a namespace's."""

    of_namespaces: Mapping[str, Sequence[Object]]
    of_cluster: Sequence[Object]
    cluster_roles: Mapping[str, Object]
    unseen: Mapping[str, str]


def undeclared_findings(
    places: Sequence[AccessSettings],
    bindings: Bindings,
    served: Served | None,
    set_name: str,
    going: Collection[str] | None = None,
) -> list[Finding]:
    """``access.undeclared`` of every place, and of each binding that gives access there without being declared.

    ``going`` is for check mode: the labels of the bindings that the run being previewed would take away.
    """
    cluster = next((said for said in places if not said.namespace), AccessSettings(""))
    findings = [*_place(cluster, _giving(bindings, served), bindings, set_name, going)]
    for said in places:
        if said.namespace:
            findings += _place(said, bindings.of_namespaces.get(said.namespace, ()), bindings, set_name, going)
    return findings


def _giving(bindings: Bindings, served: Served | None) -> list[Object]:
    """The ClusterRoleBindings that give anything in namespaces; one whose role is not seen counts."""
    return [
        each
        for each in bindings.of_cluster
        if _gives(bindings.cluster_roles.get(each["roleRef"]["name"]), served) or not bindings.cluster_roles
    ]


def giving_to_others(bindings: Bindings, served: Served | None) -> list[Object]:
    """The ClusterRoleBindings that give anything in namespaces to others than components of the cluster."""
    return [each for each in _giving(bindings, served) if _others(each, ())]


def _gives(role: Object | None, served: Served | None) -> bool:
    """Whether a role reaches resources of namespaces; a role that is not there gives nothing."""
    return role is not None and any(
        _reaches(group, resource, served) or _leads_in(rule, group, resource)
        for rule in role.get("rules") or ()
        for group in rule.get("apiGroups") or ()
        for resource in rule.get("resources") or ()
    )


def _leads_in(rule: Object, group: str, resource: str) -> bool:
    names, verbs = rule.get("resourceNames") or (), {*(rule.get("verbs") or ())}
    if resource == "signers" and names and not any(each in (_CLIENTS_SIGNER, "kubernetes.io/*") for each in names):
        return False
    return any(
        group == known and fnmatchcase(resource, glob) and verbs & {*dangerous, ALL}
        for known, glob, dangerous in _LEADS_INTO_NAMESPACES
    )


def _reaches(group: str, resource: str, served: Served | None) -> bool:
    plural = resource.partition("/")[0]
    if served is None or ALL in (group, plural):
        return True
    found = served.by_plural.get((group, plural))
    return found is not None and found.namespaced


def _place(
    said: AccessSettings,
    live: Sequence[Object],
    bindings: Bindings,
    set_name: str,
    going: Collection[str] | None,
) -> Iterable[Finding]:
    subject = f"Namespace/{said.namespace}" if said.namespace else "Cluster/access"
    if said.namespace in bindings.unseen:
        yield judged(
            "access.undeclared",
            subject,
            "unknown",
            f"what gives access {said.where} is not seen: {bindings.unseen[said.namespace]}",
            "none",
            "Grant this permission, then check again.",
            None if going is None else "unknown",
        )
        return
    declared = _declared(said)
    own = {binding_name(grant, set_name) for grant in said.grants}
    foreign = 0
    for each in live:
        others = _others(each, declared)
        if not others or any(kept.is_meant(each["kind"], each["metadata"]["name"]) for kept in said.keep):
            continue
        foreign += 1
        yield _undeclared(said, each, others, each["metadata"]["name"] in own, going)
    if not foreign:
        kind = "RoleBindings" if said.namespace else "ClusterRoleBindings"
        yield judged(
            "access.undeclared",
            subject,
            "pass",
            f"each of {len(live)} {kind} that give access {said.where} is declared, kept, or of the cluster's own "
            f"components; {_ADMINISTRATORS}",
            "server",
            "",
            None if going is None else "pass",
        )


def _declared(said: AccessSettings) -> set[tuple[str, str, tuple[str, str, str]]]:
    return {(grant.kind, grant.name, who.key) for grant in said.grants for who in grant.to}


def _others(binding: Object, declared: Collection[tuple[str, str, tuple[str, str, str]]]) -> list[str]:
    """The subjects of a binding that are neither declared for its role nor components of the cluster."""
    role = binding["roleRef"]
    home = binding["metadata"].get("namespace", "")
    told = []
    for each in binding.get("subjects") or ():
        kind, name, namespace = each["kind"], each["name"], each.get("namespace", "")
        if kind == "ServiceAccount":
            namespace = namespace or home
        key = (kind, namespace if kind == "ServiceAccount" else "", name)
        if (role["kind"], role["name"], key) not in declared and not _is_component(kind, namespace, name):
            told.append(f"{kind} {namespace}/{name}" if kind == "ServiceAccount" else f"{kind} {name}")
    return told


def _is_component(kind: str, namespace: str, name: str) -> bool:
    if kind == "User" and name.startswith(SERVICE_ACCOUNT_USER):
        kind, namespace = "ServiceAccount", name.removeprefix(SERVICE_ACCOUNT_USER).partition(":")[0]
    if kind == "ServiceAccount":
        return holds_cluster_components(namespace)
    if any(kind == open_kind and fnmatchcase(name, glob) for open_kind, glob in _OPEN_TO_OTHERS):
        return False
    return any(kind == own_kind and fnmatchcase(name, glob) for own_kind, glob in _COMPONENTS)


def _undeclared(
    said: AccessSettings, binding: Object, others: Sequence[str], is_own: bool, going: Collection[str] | None
) -> Finding:
    role, name = binding["roleRef"], binding["metadata"]["name"]
    key = "role_binding" if said.namespace else "cluster_role_binding"
    remedy = (
        "Run in enforce mode, which puts its subjects right, with force_conflicts where another field manager set them."
        if is_own
        else f"Declare it below access.grant, take it away by remove: [{{{key}: {name}}}], "
        f"or let it be by keep: [{{{key}: {name}}}]."
    )
    goes = going is not None and label(binding) in going
    return judged(
        "access.undeclared",
        label(binding),
        "fail",
        f"it gives {', '.join(others)} the {role['kind']} {role['name']} {said.where}, which is not declared",
        "server",
        remedy,
        None if going is None else "pass" if goes else "fail",
    )
