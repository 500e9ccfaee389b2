# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: from the text of policy files to what each role is to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source, read
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._merge import merge
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import PolicyError
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._validate import mistakes_in, plain_data
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import marked_namespace

SECTIONS: Mapping[str, str] = {
    "rbac": "access",
    "pod_security": "pod_security",
    "resource_limits": "resources",
    "network_policies": "network",
}
"""Which section of a policy each role gets."""

ON_VIOLATION = "fail"
"""What happens where a new level, quota or limit would refuse what runs, and a policy says nothing about it."""


def load(sources: Sequence[Source]) -> dict[str, Any]:
    """The policy that the files make together, for each role; raises :class:`PolicyError` with every mistake.

    The shape is that of :func:`for_roles`.
    """
    documents = [read(source) for source in sources]
    merged, contradictions = merge([document for document, _mistakes in documents])
    unread = [mistake for _document, mistakes in documents for mistake in mistakes]
    data = plain_data(merged)
    mistakes = [*unread, *contradictions]
    # What could not be read is missing, and would be told a second time as missing.
    if all(document.entries for document, _mistakes in documents):
        mistakes += mistakes_in(data)
    if mistakes:
        raise PolicyError(mistakes)
    return for_roles(data.value)


def for_roles(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A valid policy as the variables of the roles.

    ``name``; ``create``: the namespaces to create; ``pod_security``: ``namespaces``, ``selected``, ``default``,
    ``exempt``, ``on_violation``; ``resources``: the same five; ``network``: the first four and ``probe``; ``access``:
    the first four and ``cluster``; ``encryption``: what ``cluster.encryption`` says; ``waivers``; ``accept_unknown``.
    """
    cluster = policy.get("cluster", {})
    return {
        "name": policy["name"],
        "create": [name for name, said in policy.get("namespaces", {}).items() if said.get("create")],
        "pod_security": {
            **_settings(policy, "pod_security"),
            "on_violation": cluster.get("pod_security", {}).get("on_violation", ON_VIOLATION),
        },
        "resources": {
            **_settings(policy, "resources"),
            "on_violation": cluster.get("resources", {}).get("on_violation", ON_VIOLATION),
        },
        "network": {**_settings(policy, "network"), "probe": cluster.get("network", {}).get("probe", {})},
        "access": {**_settings(policy, "access"), "cluster": cluster.get("access", {})},
        "encryption": cluster.get("encryption", {}),
        "waivers": policy.get("waivers", []),
        "accept_unknown": policy.get("accept_unknown", []),
    }


def namespace_objects(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The Namespace objects behind ``create`` of :func:`for_roles`, with the marks that say whose they are."""
    return [marked_namespace(name, policy["name"]) for name in policy["create"]]


def parts(policy: Mapping[str, Any], only: Sequence[str] = ()) -> list[str]:
    """What a run of this policy (as :func:`for_roles` gives it) does: create namespaces, the roles.

    ``only`` are names and globs that the run is limited to.
    """
    return [
        *(["namespaces"] if any(is_meant(name, only) for name in policy["create"]) else []),
        *(part for part, section in SECTIONS.items() if _says_anything(policy[section], only)),
        # What is encrypted is so in the whole cluster, or not at all.
        *(["encryption_at_rest"] if policy["encryption"] and not only else []),
    ]


def named(policy: Mapping[str, Any], only: Sequence[str] = ()) -> list[str]:
    """The namespaces that a policy reaches, where it names them all; empty where selectors or defaults reach others.

    ``only`` as for :func:`parts`.
    """
    sections = [policy[section] for section in SECTIONS.values()]
    if any(section["selected"] or section["default"] for section in sections):
        return []
    return sorted({name for section in sections for name in section["namespaces"] if is_meant(name, only)})


def _says_anything(section: Mapping[str, Any], only: Sequence[str]) -> bool:
    settings = {name: said for name, said in section["namespaces"].items() if is_meant(name, only)}
    named_settings = [said for said in settings.values() if said.keys() - {"create"}]
    of_cluster = section.get("cluster") and not only
    return bool(named_settings or section["selected"] or section["default"] or of_cluster)


def _settings(policy: Mapping[str, Any], section: str) -> dict[str, Any]:
    defaults = policy.get("defaults", {})
    return {
        "namespaces": {
            name: {**({"create": True} if said.get("create") else {}), **said.get(section, {})}
            for name, said in policy.get("namespaces", {}).items()
            if said.get("create") or section in said
        },
        "selected": [
            {"selector": said["selector"], **said[section]} for said in policy.get("selected", []) if section in said
        ],
        "default": defaults.get(section, {}),
        "exempt": defaults.get("exempt", []),
    }
