# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a run must be allowed to do, and what becomes unprovable without it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Mode = Literal["audit", "enforce"]
Part = Literal["namespaces", "pod_security", "network_policies", "probe"]
"""What a run does: create namespaces, either role, and the network role's probe pods."""

AUDIT = "hardening-audit"
ENFORCE = "hardening-enforce"


@dataclass(frozen=True, slots=True)
class Need:
    """Permissions on one resource that parts of a run need.

    ``must`` names the modes that cannot work without; in the others the proof is weaker, and ``otherwise`` says how.
    A mode that is in neither ``must`` nor ``weakens`` does not need it. ``cluster_role`` is what brings it.
    """

    parts: frozenset[Part]
    group: str
    resource: str
    verbs: tuple[str, ...]
    cluster_role: str
    must: frozenset[Mode]
    weakens: frozenset[Mode] = frozenset()
    otherwise: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One permission: ``resource`` with its subresource as ``pods/log``; ``otherwise`` is empty where it is a must."""

    cluster_role: str
    group: str
    resource: str
    verb: str
    otherwise: str = ""


_BOTH: frozenset[Mode] = frozenset({"audit", "enforce"})
_ENFORCE: frozenset[Mode] = frozenset({"enforce"})
_AUDIT: frozenset[Mode] = frozenset({"audit"})
_NEVER: frozenset[Mode] = frozenset()


def _read(group: str, resources: str, parts: Iterable[Part], otherwise: str = "") -> list[Need]:
    must, weakens = (_NEVER, _BOTH) if otherwise else (_BOTH, _NEVER)
    return [
        Need(frozenset(parts), group, resource, ("get", "list"), AUDIT, must, weakens, otherwise)
        for resource in resources.split()
    ]


_RISKS = "whether a default deny cuts this off is not known, and such a deny is refused"
_UNREFUSED = "pod_security.enforced is unknown: no forbidden pod can be tried"
_UNPREVIEWED = "the server's own preview of the pods that break a level is missing"
_UNPROBED = "network.default_deny is unknown: no connection can be tried"

NEEDS: tuple[Need, ...] = (
    *_read("", "namespaces", ["namespaces", "pod_security", "network_policies"]),
    *_read("", "pods replicationcontrollers podtemplates", ["pod_security", "network_policies"]),
    *_read("apps", "deployments statefulsets daemonsets replicasets", ["pod_security", "network_policies"]),
    *_read("batch", "jobs cronjobs", ["pod_security", "network_policies"]),
    *_read("networking.k8s.io", "networkpolicies", ["network_policies"]),
    *_read("", "services", ["network_policies"]),
    *_read("discovery.k8s.io", "endpointslices", ["network_policies"]),
    *_read("networking.k8s.io", "ingresses", ["network_policies"], _RISKS),
    *_read(
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations mutatingwebhookconfigurations",
        ["network_policies"],
        _RISKS,
    ),
    *_read("apiregistration.k8s.io", "apiservices", ["network_policies"], _RISKS),
    *_read("apiextensions.k8s.io", "customresourcedefinitions", ["network_policies"], _RISKS),
    Need(frozenset({"namespaces"}), "", "namespaces", ("create", "patch"), ENFORCE, _ENFORCE),
    Need(frozenset({"pod_security"}), "", "namespaces", ("patch",), ENFORCE, _ENFORCE, _AUDIT, _UNPREVIEWED),
    Need(frozenset({"pod_security"}), "", "pods", ("create",), ENFORCE, _NEVER, _BOTH, _UNREFUSED),
    Need(
        frozenset({"network_policies"}),
        "networking.k8s.io",
        "networkpolicies",
        ("create", "patch", "delete"),
        ENFORCE,
        _ENFORCE,
    ),
    Need(frozenset({"probe"}), "", "pods", ("create", "delete"), ENFORCE, _NEVER, _BOTH, _UNPROBED),
    Need(frozenset({"probe"}), "", "pods/log", ("get",), ENFORCE, _NEVER, _BOTH, _UNPROBED),
)
"""Every permission that any run uses. The two ClusterRoles are made of exactly these."""


def permissions(mode: Mode, parts: Collection[str]) -> list[Permission]:
    """The permissions that a run of these parts needs, each once; a must goes before what only weakens a proof."""
    wanted: dict[tuple[str, str, str], Permission] = {}
    for need in NEEDS:
        if not need.parts & set(parts) or mode not in need.must | need.weakens:
            continue
        for verb in need.verbs:
            key = (need.group, need.resource, verb)
            said = Permission(need.cluster_role, *key, "" if mode in need.must else need.otherwise)
            if key not in wanted or not said.otherwise:
                wanted[key] = said
    return sorted(wanted.values())


def cluster_role_rules(cluster_role: str) -> list[dict[str, list[str]]]:
    """The rules of a shipped ClusterRole, one for each resource. ``hardening-enforce`` holds the other's too."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for need in NEEDS:
        if need.cluster_role == cluster_role or cluster_role == ENFORCE:
            verbs.setdefault((need.group, need.resource), set()).update(need.verbs)
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": sorted(verbs[group, resource])}
        for group, resource in sorted(verbs)
    ]


def missing_message(missing: Iterable[Permission]) -> str:
    """Everything that is missing, in one message, and which ClusterRole brings it."""
    lacking = sorted(missing)
    role = ENFORCE if any(each.cluster_role == ENFORCE for each in lacking) else AUDIT
    return (
        f"This user lacks {len(lacking)} {'permission' if len(lacking) == 1 else 'permissions'} that the run needs:\n"
        + "\n".join(f"  {line}" for line in _by_resource(lacking))
        + f"\nHave an administrator run `ansible-playbook hardening.kubernetes.cluster_roles` "
        f"and bind the ClusterRole {role} to this user."
    )


def weaker_messages(missing: Iterable[Permission]) -> list[str]:
    """A sentence for each resource that is out of reach and only weakens a proof."""
    by_consequence: Mapping[str, list[Permission]] = {}
    lacking = sorted(missing, key=lambda each: (each.otherwise, each))
    by_consequence = {said: list(those) for said, those in groupby(lacking, key=lambda each: each.otherwise)}
    return [f"Without {'; '.join(_by_resource(those))}: {said}." for said, those in sorted(by_consequence.items())]


def _by_resource(lacking: Iterable[Permission]) -> Iterator[str]:
    for (role, group, resource), those in groupby(
        lacking, key=lambda each: (each.cluster_role, each.group, each.resource)
    ):
        verbs = ", ".join(each.verb for each in those)
        yield f"{verbs} {resource}{f' ({group})' if group else ''} [{role}]"
