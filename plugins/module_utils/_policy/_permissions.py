# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a run must be allowed to do, and what becomes unprovable without it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import RECORD_NAMESPACE

Mode = Literal["audit", "enforce"]
Part = Literal[
    "namespaces",
    "pod_security",
    "resource_limits",
    "network_policies",
    "rbac",
    "cluster_access",
    "probe",
    "record",
    "encryption_at_rest",
]
"""What a run does: create namespaces, any of the roles, access to the whole cluster, the network role's probe pods, and
the record in the cluster by which it can be put back."""

AUDIT = "hardening-audit"
ENFORCE = "hardening-enforce"
RECORDS = "hardening-records"
"""The Role, in the namespace of the records alone, that goes with it."""
BREAK_GLASS = "hardening-break-glass"
"""The ClusterRole for an emergency, which brings nothing of the other two but what it takes."""
ENCRYPTION = "hardening-encryption"
"""The ClusterRole that goes with one of the first two for encryption at rest: who counts Secrets, or has them written
anew, can read them."""
SYSTEM = "hardening-kube-system"
"""The Role that goes with that, in the namespace kube-system alone."""
METRICS = "/metrics"
"""Where an API server says what it has loaded."""


@dataclass(frozen=True, slots=True)
class Need:
    """Permissions on one resource that parts of a run need.

    ``must`` names the modes that cannot work without, ``weakens`` those in which the proof is weaker without, and
    ``otherwise`` says how. ``cluster_role`` is what brings it, a ClusterRole, or where there is a ``namespace`` a Role
    in that. ``name``: the only object that is meant.
    """

    parts: frozenset[Part]
    group: str
    resource: str
    verbs: tuple[str, ...]
    cluster_role: str
    must: frozenset[Mode]
    weakens: frozenset[Mode] = frozenset()
    otherwise: str = ""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One permission: ``resource`` with its subresource as ``pods/log``; ``otherwise`` is empty where it is a must."""

    cluster_role: str
    group: str
    resource: str
    verb: str
    otherwise: str = ""
    namespace: str = ""
    name: str = ""


_BOTH: frozenset[Mode] = frozenset({"audit", "enforce"})
_ENFORCE: frozenset[Mode] = frozenset({"enforce"})
_AUDIT: frozenset[Mode] = frozenset({"audit"})
_NEVER: frozenset[Mode] = frozenset()


_ROLES: frozenset[Part] = frozenset({"pod_security", "network_policies"})
_POD_SECURITY: frozenset[Part] = frozenset({"pod_security"})
_LIMITS: frozenset[Part] = frozenset({"resource_limits"})
_NETWORK: frozenset[Part] = frozenset({"network_policies"})
_RBAC: frozenset[Part] = frozenset({"rbac"})
_CLUSTER_ACCESS: frozenset[Part] = frozenset({"cluster_access"})
_PROBE: frozenset[Part] = frozenset({"probe"})
_NAMESPACES: frozenset[Part] = frozenset({"namespaces"})
_RECORD: frozenset[Part] = frozenset({"record"})
_ENCRYPTED: frozenset[Part] = frozenset({"encryption_at_rest"})

_UNSEEN = "what runs is not seen: whether it complies, and what a default deny would cut off, is unknown"
_RISKS = "what a default deny cuts off is not fully known, and such a deny is refused"
_ADDRESSES = "where DNS and the API servers listen is not known: no flow to them can be made or judged"
_OTHERS = "policies of other engines are not seen: where such an engine is installed, network.default_deny is unknown"
_ROUTES = "routes of the Gateway API or of OpenShift are not seen: where there are such, a deny of ingress is refused"
_UNJUDGED = "the policies in force are not seen: network.default_deny is unknown"
_UNREFUSED = "no forbidden pod can be tried: pod_security.enforced is unknown"
_UNPREVIEWED = "the server's own preview of the pods that break a level is missing"
_UNFITTED = "what runs is not seen: whether it fits into quotas and limits, resources.running_fit, is unknown"
_UNREAD = "quotas and limits are not seen: resources.quota, resources.quota_counted and resources.limits are unknown"
_UNEXCEEDED = "no pod can be tried: resources.quota, resources.limits and resources.running_fit are unknown"
_UNCLAIMED = "no claim can be tried: resources.limits is unknown where it limits claims"
_UNADDRESSED = "the API servers' own addresses are not known, and only one of them is asked"
_UNBOUND = "roles and bindings are not seen: access.undeclared is unknown"
_UNKNOWN_ROLES = "ClusterRoles are not seen: access.denied, and access.granted of those, are unknown"
_UNKNOWN_ACCOUNTS = "service accounts are not seen: access.subjects is unknown"
_UNASKED = "nobody's access can be asked: access.granted and access.denied are unknown"
_UNGRANTED = "what this user does not hold itself it cannot grant, and such a grant is refused"
_UNRECORDED = "the run is not recorded in the cluster, and can be put back by its file alone"
_UNPROBED = "no connection can be tried: network.default_deny is unknown"
_UNCOUNTED = "what lies in etcd cannot be compared with what the API counts: encryption.at_rest is unknown"
_UNFOUND = "it is not known whether all API servers were asked: encryption.servers is unknown"
_UNKEPT = "whether an upgrade keeps the encryption, encryption.upgrade, is unknown"
_UNSEEN_MIGRATIONS = "a migration of stored versions that gets in the way is not seen beforehand"


_GATEWAY_ROUTES = "httproutes grpcroutes tlsroutes tcproutes udproutes"
_OF_THE_WHOLE_CLUSTER = frozenset(
    {
        *_GATEWAY_ROUTES.split(),
        "apiservices",
        "clusterrolebindings",
        "clusterroles",
        "subjectaccessreviews",
        "customresourcedefinitions",
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
        # Namespaced, but what is read of them lies in other namespaces: those of DNS and of the API server.
        "endpointslices",
        "services",
        # Who may have only some Secrets written anew cannot change a key.
        "secrets",
        "storageversionmigrations",
    }
)


_AUTHORIZATION = "rbac.authorization.k8s.io"
_SYSTEM_NAMESPACE = "kube-system"
_KUBEADM = "kubeadm-config"


def _read(group: str, resources: str, parts: frozenset[Part], otherwise: str) -> list[Need]:
    return [Need(parts, group, resource, ("list",), AUDIT, _NEVER, _BOTH, otherwise) for resource in resources.split()]


NEEDS: tuple[Need, ...] = (
    Need(_ROLES | _LIMITS | _RBAC | _NAMESPACES, "", "namespaces", ("get", "list"), AUDIT, _BOTH),
    *_read("", "pods replicationcontrollers podtemplates", _ROLES, _UNSEEN),
    *_read("apps", "deployments statefulsets daemonsets replicasets", _ROLES, _UNSEEN),
    *_read("batch", "jobs cronjobs", _ROLES, _UNSEEN),
    *_read("", "pods replicationcontrollers podtemplates", _LIMITS, _UNFITTED),
    *_read("apps", "deployments statefulsets daemonsets replicasets", _LIMITS, _UNFITTED),
    *_read("batch", "jobs cronjobs", _LIMITS, _UNFITTED),
    *_read("discovery.k8s.io", "endpointslices", _LIMITS, _UNADDRESSED),
    Need(_LIMITS, "", "limitranges", ("get", "list"), AUDIT, _ENFORCE, _AUDIT, _UNREAD),
    Need(_LIMITS, "", "resourcequotas", ("get", "list"), AUDIT, _ENFORCE, _AUDIT, _UNREAD),
    Need(_NETWORK, "networking.k8s.io", "networkpolicies", ("get", "list"), AUDIT, _ENFORCE, _AUDIT, _UNJUDGED),
    *_read("", "nodes", _NETWORK, _RISKS),
    *_read("cilium.io", "ciliumnetworkpolicies ciliumclusterwidenetworkpolicies", _NETWORK, _OTHERS),
    *_read("projectcalico.org", "networkpolicies globalnetworkpolicies", _NETWORK, _OTHERS),
    *_read("crd.projectcalico.org", "networkpolicies globalnetworkpolicies", _NETWORK, _OTHERS),
    *_read(
        "policy.networking.k8s.io",
        "adminnetworkpolicies baselineadminnetworkpolicies clusternetworkpolicies",
        _NETWORK,
        _OTHERS,
    ),
    Need(_NETWORK, "", "services", ("get", "list"), AUDIT, _NEVER, _BOTH, _ADDRESSES),
    *_read("discovery.k8s.io", "endpointslices", _ROLES, _ADDRESSES),
    *_read("networking.k8s.io", "ingresses", _NETWORK, _RISKS),
    *_read("gateway.networking.k8s.io", _GATEWAY_ROUTES, _NETWORK, _ROUTES),
    *_read("route.openshift.io", "routes", _NETWORK, _ROUTES),
    *_read("admissionregistration.k8s.io", "validatingwebhookconfigurations", _NETWORK, _RISKS),
    *_read("admissionregistration.k8s.io", "mutatingwebhookconfigurations", _NETWORK, _RISKS),
    *_read("apiregistration.k8s.io", "apiservices", _NETWORK, _RISKS),
    *_read("apiextensions.k8s.io", "customresourcedefinitions", _NETWORK, _RISKS),
    *_read("", "serviceaccounts", _RBAC, _UNKNOWN_ACCOUNTS),
    *_read("discovery.k8s.io", "endpointslices", _RBAC, _UNADDRESSED),
    Need(_RBAC, "authorization.k8s.io", "subjectaccessreviews", ("create",), AUDIT, _NEVER, _BOTH, _UNASKED),
    Need(_RBAC, _AUTHORIZATION, "roles", ("get", "list"), AUDIT, _ENFORCE, _AUDIT, _UNBOUND),
    Need(_RBAC, _AUTHORIZATION, "rolebindings", ("get", "list"), AUDIT, _ENFORCE, _AUDIT, _UNBOUND),
    *_read(_AUTHORIZATION, "clusterroles", _RBAC, _UNKNOWN_ROLES),
    *_read(_AUTHORIZATION, "clusterrolebindings", _RBAC, _UNBOUND),
    Need(_CLUSTER_ACCESS, _AUTHORIZATION, "clusterroles", ("get", "list"), AUDIT, _ENFORCE),
    Need(_CLUSTER_ACCESS, _AUTHORIZATION, "clusterrolebindings", ("get", "list"), AUDIT, _ENFORCE),
    Need(_NAMESPACES, "", "namespaces", ("create", "patch"), ENFORCE, _ENFORCE),
    # Dry runs need the permission of the real thing.
    Need(_POD_SECURITY, "", "namespaces", ("patch",), ENFORCE, _ENFORCE, _AUDIT, _UNPREVIEWED),
    Need(_POD_SECURITY, "", "pods", ("create",), ENFORCE, _NEVER, _BOTH, _UNREFUSED),
    Need(_LIMITS, "", "pods", ("create",), ENFORCE, _NEVER, _BOTH, _UNEXCEEDED),
    Need(_LIMITS, "", "persistentvolumeclaims", ("create",), ENFORCE, _NEVER, _BOTH, _UNCLAIMED),
    Need(_LIMITS, "", "limitranges", ("create", "patch", "delete"), ENFORCE, _ENFORCE),
    Need(_LIMITS, "", "resourcequotas", ("create", "patch", "delete"), ENFORCE, _ENFORCE),
    Need(_NETWORK, "networking.k8s.io", "networkpolicies", ("create", "patch", "delete"), ENFORCE, _ENFORCE),
    Need(_RBAC, _AUTHORIZATION, "roles", ("create", "patch", "delete"), ENFORCE, _ENFORCE),
    Need(_RBAC, _AUTHORIZATION, "rolebindings", ("create", "patch", "delete"), ENFORCE, _ENFORCE),
    Need(_RBAC, _AUTHORIZATION, "roles", ("escalate", "bind"), ENFORCE, _NEVER, _ENFORCE, _UNGRANTED),
    Need(_RBAC, _AUTHORIZATION, "clusterroles", ("bind",), ENFORCE, _NEVER, _ENFORCE, _UNGRANTED),
    Need(_CLUSTER_ACCESS, _AUTHORIZATION, "clusterroles", ("create", "patch", "delete"), ENFORCE, _ENFORCE),
    Need(_CLUSTER_ACCESS, _AUTHORIZATION, "clusterrolebindings", ("create", "patch", "delete"), ENFORCE, _ENFORCE),
    Need(_CLUSTER_ACCESS, _AUTHORIZATION, "clusterroles", ("escalate", "bind"), ENFORCE, _NEVER, _ENFORCE, _UNGRANTED),
    Need(_PROBE, "", "pods", ("get", "list", "create", "delete"), ENFORCE, _NEVER, _BOTH, _UNPROBED),
    Need(_PROBE, "", "pods/log", ("get",), ENFORCE, _NEVER, _BOTH, _UNPROBED),
    Need(
        _PROBE, "networking.k8s.io", "networkpolicies", ("list", "create", "delete"), ENFORCE, _NEVER, _BOTH, _UNPROBED
    ),
    Need(
        _RECORD,
        "",
        "configmaps",
        ("get", "list", "create", "patch", "delete"),
        RECORDS,
        _NEVER,
        _ENFORCE,
        _UNRECORDED,
        RECORD_NAMESPACE,
    ),
    Need(_ENCRYPTED, "", "secrets", ("list",), ENCRYPTION, _ENFORCE, _AUDIT, _UNCOUNTED),
    Need(_ENCRYPTED, "", "secrets", ("get", "create", "patch", "delete"), ENCRYPTION, _ENFORCE),
    Need(_ENCRYPTED, "apiregistration.k8s.io", "apiservices", ("list",), AUDIT, _ENFORCE, _AUDIT, _UNCOUNTED),
    Need(_ENCRYPTED, "discovery.k8s.io", "endpointslices", ("list",), AUDIT, _ENFORCE, _AUDIT, _UNFOUND),
    Need(_ENCRYPTED, "coordination.k8s.io", "leases", ("list",), SYSTEM, _ENFORCE, _AUDIT, _UNFOUND, _SYSTEM_NAMESPACE),
    Need(
        _ENCRYPTED,
        "coordination.k8s.io",
        "leases",
        ("create",),
        SYSTEM,
        _ENFORCE,
        namespace=_SYSTEM_NAMESPACE,
    ),
    Need(
        _ENCRYPTED,
        "coordination.k8s.io",
        "leases",
        ("get", "patch"),
        SYSTEM,
        _ENFORCE,
        namespace=_SYSTEM_NAMESPACE,
        name="hardening-encryption",
    ),
    Need(_ENCRYPTED, "", "configmaps", ("get",), SYSTEM, _ENFORCE, _AUDIT, _UNKEPT, _SYSTEM_NAMESPACE, _KUBEADM),
    Need(_ENCRYPTED, "", "configmaps", ("patch",), SYSTEM, _ENFORCE, namespace=_SYSTEM_NAMESPACE, name=_KUBEADM),
    # No musts, since hardly any server has them: where one has, the walk itself does not go on without having looked.
    *(
        Need(_ENCRYPTED, group, "storageversionmigrations", ("list",), ENCRYPTION, _NEVER, _ENFORCE, _UNSEEN_MIGRATIONS)
        for group in ("migration.k8s.io", "storagemigration.k8s.io")
    ),
)
"""Every permission that any run uses. The ClusterRoles, and the Roles beside them, are made of exactly these."""


BREAKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("", "namespaces", ("get", "list", "patch")),
    ("networking.k8s.io", "networkpolicies", ("list", "delete")),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings", ("list", "delete")),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations", ("list", "delete")),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", ("list", "delete")),
    # Gatekeeper makes a resource of each ConstraintTemplate, so that nobody knows their names beforehand.
    ("constraints.gatekeeper.sh", "*", ("list", "delete")),
)
"""What a broken glass takes: to see what of ours denies, and to take it away."""


def permissions(mode: Mode, parts: Collection[str]) -> list[Permission]:
    """The permissions that a run of these parts needs, each once; a must goes before what only weakens a proof."""
    wanted: dict[tuple[str, str, str, str, str], Permission] = {}
    for need in NEEDS:
        if not need.parts & set(parts) or mode not in need.must | need.weakens:
            continue
        for verb in need.verbs:
            where = (need.namespace, need.name)
            key = (need.group, need.resource, verb, *where)
            said = Permission(need.cluster_role, *key[:3], "" if mode in need.must else need.otherwise, *where)
            wanted[key] = _either(wanted[key], said) if key in wanted else said
    return sorted(wanted.values())


def _either(first: Permission, second: Permission) -> Permission:
    """What a permission means that two needs share: a must, or else the loss of both; the lesser role brings it."""
    losses = list(dict.fromkeys([first.otherwise, second.otherwise]))
    lesser = min(first.cluster_role, second.cluster_role, key=(AUDIT, ENFORCE).index)
    return replace(first, cluster_role=lesser, otherwise="; ".join(losses) if all(losses) else "")


def places(permission: Permission, namespaces: Collection[str]) -> list[tuple[str, str, str]]:
    """Where a permission may be had in these namespaces alone, as verb, namespace and name of the object.

    Empty where it is good for nothing but in the whole cluster. Whoever may get each namespace need not list them.
    """
    if permission.resource == "namespaces":
        verb = "get" if permission.verb == "list" else permission.verb
        return [] if verb == "create" else [(verb, "", name) for name in namespaces]
    if permission.namespace or permission.resource in _OF_THE_WHOLE_CLUSTER:
        return []
    return [(permission.verb, name, "") for name in namespaces]


def cluster_role_rules(cluster_role: str) -> list[dict[str, list[str]]]:
    """The rules of a shipped role, one for each resource. ``hardening-enforce`` holds the audit's too."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    broken = ((*what, "") for what in BREAKS)
    for group, resource, some, name in broken if cluster_role == BREAK_GLASS else _needed(cluster_role):
        verbs.setdefault((group, resource, name), set()).update(some)
    rules = [
        {"apiGroups": [group], "resources": [resource], **({"resourceNames": [name]} if name else {})}
        | {"verbs": sorted(verbs[group, resource, name])}
        for group, resource, name in sorted(verbs)
    ]
    return [*rules, {"nonResourceURLs": [METRICS], "verbs": ["get"]}] if cluster_role == ENCRYPTION else rules


def _needed(cluster_role: str) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    for need in NEEDS:
        if need.cluster_role == cluster_role or (cluster_role == ENFORCE and need.cluster_role == AUDIT):
            yield need.group, need.resource, need.verbs, need.name


def missing_message(missing: Iterable[Permission]) -> str:
    """Everything that is missing, in one message, and which ClusterRole brings it."""
    lacking = sorted(missing)
    needed = {each.cluster_role for each in lacking}
    # What enforces has the audit's rules as well.
    named = [
        role for role in (AUDIT, ENFORCE, ENCRYPTION) if role in needed and not (role == AUDIT and ENFORCE in needed)
    ]
    bind = [f"the ClusterRole {' and '.join(named)}"] if named else []
    bind += [f"the Role {SYSTEM} in the namespace {_SYSTEM_NAMESPACE}"] if SYSTEM in needed else []
    return (
        f"This user lacks {len(lacking)} {'permission' if len(lacking) == 1 else 'permissions'} that the run needs:\n"
        + "\n".join(f"  {line}" for line in _by_resource(lacking))
        + f"\nHave an administrator run `ansible-playbook hardening.kubernetes.cluster_roles` "
        f"and bind {', and '.join(bind)} to this user."
    )


def weaker_messages(missing: Iterable[Permission]) -> list[str]:
    """A sentence for each thing that cannot be proved, and the permissions without which it cannot."""
    lacking = sorted(missing, key=lambda each: (each.otherwise, each))
    return [
        f"Without {'; '.join(_by_resource(those))}: {otherwise}."
        for otherwise, those in groupby(lacking, key=lambda each: each.otherwise)
    ]


def _by_resource(lacking: Iterable[Permission]) -> Iterator[str]:
    def place(each: Permission) -> tuple[str, ...]:
        return each.cluster_role, each.group, each.resource, each.namespace, each.name

    for (role, group, resource, namespace, name), those in groupby(sorted(lacking, key=place), place):
        verbs = ", ".join(each.verb for each in those)
        where = f" in the namespace {namespace}" if namespace else ""
        yield f"{verbs} {resource}{f' {name}' if name else ''}{f' ({group})' if group else ''}{where} [{role}]"
