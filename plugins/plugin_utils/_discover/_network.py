# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: discovers the NetworkPolicies in force, and the flows that could be said instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._discover import of_namespaces
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import LEFT_OVER, OTHER_POLICIES
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import DIRECTIONS, NetworkSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import UNNAMED_SET
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._part import Part
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._read import facts_of

Object = dict[str, Any]

_POLICY = "NetworkPolicy"
_OF_A_RUN = {"set": UNNAMED_SET, "only": (), "prune": False}
_NOT_ASKED = frozenset({LEFT_OVER, OTHER_POLICIES})


def network_settings(client: Client, namespaces: Sequence[Object], set_name: str = "") -> Part:
    """The section ``network``: every NetworkPolicy, under the name that it has; flows are comments.

    Who calls may be in any namespace, so that all of those that may be seen are read.
    """
    chosen = [str(each["metadata"]["name"]) for each in namespaces]
    labels = _labels(client, namespaces)
    # What a deny of everything would depend on is what there is to know.
    settings = dict.fromkeys(labels, NetworkSettings(deny=DIRECTIONS))
    facts = facts_of(client, settings, labels, _OF_A_RUN, ())
    unseen = [why for kind, why in sorted(facts.unreadable.items()) if kind not in _NOT_ASKED]
    if _POLICY in facts.unreadable:
        why = facts.unreadable[_POLICY]
        comments = {name: [f"NetworkPolicies could not be read, and none is said: {why}"] for name in chosen}
        return Part(comments=comments, unseen=unseen)
    found = of_namespaces(chosen, facts, set_name)
    return Part(
        settings={name: each.settings for name, each in found.items() if each.settings},
        comments={name: each.comments for name, each in found.items() if each.comments},
        unseen=unseen,
    )


def _labels(client: Client, namespaces: Sequence[Object]) -> dict[str, Mapping[str, str]]:
    try:
        there = client.list(KNOWN["v1", "Namespace"], metadata_only=True)
    except Forbidden:
        there = []
    metadata = [each["metadata"] for each in (*there, *namespaces)]
    return {each["name"]: each.get("labels") or {} for each in metadata}
