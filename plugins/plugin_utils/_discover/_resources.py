# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: discovers quotas and limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits import _discover as resource_limits
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._part import Part
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._reading import (
    read_in_each,
    unseen_sentences,
)

Object = dict[str, Any]

_KINDS = (KNOWN["v1", "ResourceQuota"], KNOWN["v1", "LimitRange"])


def resources_settings(client: Client, namespaces: Sequence[Object], set_name: str) -> Part:
    """The section ``resources``: every ResourceQuota and LimitRange, under the name that it has."""
    names = [each["metadata"]["name"] for each in namespaces]
    quotas, limit_ranges = (read_in_each(client, resource, names) for resource in _KINDS)
    unseen = {**quotas.unseen, **limit_ranges.unseen}
    comments = {name: [f"Quotas and limits could not be read: {why}"] for name, why in unseen.items()}
    settings = {}
    for name in names:
        if name not in unseen:
            found = resource_limits.of_namespace(name, quotas.objects[name], limit_ranges.objects[name], set_name)
            settings[name], comments[name] = found.settings, found.comments
    return Part(
        {name: said for name, said in settings.items() if said},
        comments=comments,
        unseen=unseen_sentences("Quotas and limits of", unseen),
    )
