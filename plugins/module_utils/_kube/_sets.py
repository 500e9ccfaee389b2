# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: finds everything of a set in a cluster, by one request for each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, NotFound
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import SET_LABEL

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SetInCluster:
    """The live objects that carry a set's label, and of each kind that may not be listed why, in one sentence.

    Of an object there is its metadata alone, which tells name, marks and field managers.
    """

    objects: Sequence[Object]
    unseen: Mapping[str, str]

    @property
    def why_unseen(self) -> str:
        """All that could not be seen in one text; empty where everything was."""
        return " ".join(dict.fromkeys(self.unseen.values()))


def find_set(client: Client, resources: Sequence[Resource], set_name: str, label: str = SET_LABEL) -> SetInCluster:
    """Look for the objects of a set in the whole cluster; a kind that the server does not have has none."""
    unseen: dict[str, str] = {}

    def listed(resource: Resource) -> list[Object]:
        try:
            return client.list(resource, label_selector=f"{label}={set_name}", metadata_only=True)
        except NotFound:
            return []
        except Forbidden as error:
            unseen[resource.kind] = str(error)
            return []

    pages = client.parallel(listed, resources)
    return SetInCluster([each for page in pages for each in page], unseen)
