# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: finds what a removal of NetworkPolicies is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._sets import find_set
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Facts
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import is_ours
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import reaches_everywhere
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._reader import Reader, by_namespace
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import (
    has_settings,
    live_namespaces,
    resolved,
)

_NETWORK_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]


def to_clear(client: Client, said: Mapping[str, Any]) -> tuple[list[str], str]:
    """The namespaces that a removal is about, and what is to be said if it cannot see all of them.

    A set that has a name is looked for in the whole cluster, so that no settings are needed; without the permission,
    and without a name, the options tell. Raises HardeningError where nobody tells.
    """
    unseen = ""
    if reaches_everywhere(said["set"], said["prune"]):
        found = find_set(client, [_NETWORK_POLICY], said["set"])
        if not found.unseen:
            there = {each["metadata"]["namespace"] for each in found.objects if _is_to_clear(each, said)}
            return sorted(there - _ending(client)), ""
        unseen = f"What the set {said['set']} has in namespaces that are not named stays: {found.why_unseen}"
        if not has_settings(said):
            raise HardeningError(f"Nothing was removed, since no namespace is named. {unseen}")
    named = [name for name in said["namespaces"] if is_meant(name, said["only"])]
    return sorted({*named, *resolved(live_namespaces(client, said)[0], said).settings}), unseen


def _is_to_clear(policy: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    metadata = policy["metadata"]
    return is_ours(policy) and "deletionTimestamp" not in metadata and is_meant(metadata["namespace"], said["only"])


def _ending(client: Client) -> set[str]:
    """Namespaces whose end takes their policies with it, as far as they may be seen; nothing can be written there."""
    try:
        live = client.list(KNOWN["v1", "Namespace"], metadata_only=True)
    except Forbidden:
        return set()
    return {each["metadata"]["name"] for each in live if "deletionTimestamp" in each["metadata"]}


def policies_of(client: Client, namespaces: Iterable[str]) -> Facts:
    """Nothing but the NetworkPolicies of namespaces, which is all that a removal needs to know."""
    found = Reader(client, sorted(set(namespaces)))
    policies = by_namespace(found.everywhere("NetworkPolicy"))
    found.must_have("NetworkPolicy")
    return Facts(namespaces={}, policies={name: tuple(each) for name, each in policies.items()})
