# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: reads what runs in namespaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import WORKLOAD_KINDS

Object = dict[str, Any]

_POD = ("v1", "Pod")
_FEW_NAMESPACES = 8


@dataclass(slots=True)
class Running:
    """What runs in one namespace; ``not_seen`` says what could not be listed."""

    pods: list[Object] = field(default_factory=list)
    workloads: list[Object] = field(default_factory=list)
    not_seen: str = ""

    @property
    def all(self) -> tuple[list[Object], list[Object]]:
        """Pods and workloads."""
        return self.pods, self.workloads


def running_in(client: Client, names: Collection[str]) -> defaultdict[str, Running]:
    """What runs in these namespaces: one list a kind where that may be had and they are many, else one a namespace."""
    found: defaultdict[str, Running] = defaultdict(Running)
    wanted = set(names)
    kinds = [_POD, *WORKLOAD_KINDS]
    if len(wanted) > _FEW_NAMESPACES:
        everywhere = client.parallel(lambda kind: _listed(client, kind, ""), kinds)
        barred = [kind for kind, objects in zip(kinds, everywhere, strict=True) if objects is None]
    else:
        everywhere, barred = [], kinds
    asked = [(kind, name) for kind in barred for name in sorted(wanted)]
    one_by_one = client.parallel(lambda each: _listed(client, *each), asked)
    for (kind, name), objects in zip(asked, one_by_one, strict=True):
        if objects is None:
            here = found[name]
            here.not_seen = ", ".join(filter(None, (here.not_seen, f"may not list {KNOWN[kind].plural}")))
    for objects in (*everywhere, *one_by_one):
        for each in objects or ():
            here = found[each["metadata"]["namespace"]]
            (here.pods if each["kind"] == "Pod" else here.workloads).append(each)
    return found


def _listed(client: Client, kind: tuple[str, str], namespace: str) -> list[Object] | None:
    try:
        return client.list(KNOWN[kind], namespace)
    except Forbidden:
        return None
