# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: discovers who has access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac import _discover as rbac
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._undeclared import Bindings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._part import Part
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._reading import (
    read_in_each,
    unseen_sentences,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._ask import served
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import RBAC

Object = dict[str, Any]

_NOT_DECLARED = "Who has access here could not be read, so that nothing is declared"


def access_settings(client: Client, namespaces: Sequence[Object], set_name: str) -> Part:
    """The section ``access``: every RoleBinding as a grant, every foreign ClusterRoleBinding as one that is kept."""
    names = [each["metadata"]["name"] for each in namespaces]
    bindings, roles = (read_in_each(client, RBAC[kind], names) for kind in ("RoleBinding", "Role"))
    cluster_roles, of_roles = _listed(client, "ClusterRole")
    unseen = {**roles.unseen, **bindings.unseen}
    comments = {name: [f"{_NOT_DECLARED}: {why}"] for name, why in unseen.items()}
    settings = {}
    known = None if of_roles else {each["metadata"]["name"]: each for each in cluster_roles}
    for name in names:
        if name not in unseen:
            found = rbac.of_namespace(name, bindings.objects[name], roles.objects[name], set_name, known)
            settings[name], comments[name] = found.settings, found.comments
    of_all, of_bindings = _listed(client, "ClusterRoleBinding")
    if of_bindings:
        of_bindings = f"ClusterRoleBindings could not be read, so that none is kept: {of_bindings}"
        cluster = rbac.Discovered({}, [of_bindings])
    else:
        cluster = rbac.of_cluster(Bindings({}, of_all, known or {}, {}), _served(client))
    if of_roles:
        of_roles = f"ClusterRoles could not be read, so that every foreign ClusterRoleBinding is kept: {of_roles}"
    comments[""] = cluster.comments
    sentences = [*unseen_sentences("Access in", unseen), *filter(None, [of_bindings, of_roles])]
    return Part(settings, cluster.settings, comments, sentences)


def _listed(client: Client, kind: str) -> tuple[list[Object], str]:
    """All objects of a kind of the whole cluster, or why they may not be listed."""
    try:
        return client.list(RBAC[kind]), ""
    except Forbidden as error:
        return [], str(error)


def _served(client: Client) -> Served | None:
    try:
        return served(client)
    except Forbidden:
        return None
