# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: finds out who looks after a cluster's control plane."""

from __future__ import annotations

from urllib.parse import urlsplit

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._platforms import (
    Platform,
    Signs,
    platform_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

_CONFIG_MAP = KNOWN["v1", "ConfigMap"]
_KUBE_SYSTEM = "kube-system"
_KUBEADM = "kubeadm-config"


def platform(client: Client) -> Platform:
    """The platform of a cluster; what this user may not see is no sign of any."""
    return platform_of(
        Signs(
            version=str(client.request("GET", "/version").object.get("gitVersion", "")),
            host=urlsplit(client.server).hostname or "",
            labels=frozenset(_labels(client)),
            groups=frozenset(
                str(group.get("name")) for group in client.request("GET", "/apis").object.get("groups") or ()
            ),
            kubeadm=_is_kubeadm(client),
        )
    )


def _labels(client: Client) -> list[str]:
    """Those of one node: what names a platform is on all of them."""
    answer = client.request("GET", "/api/v1/nodes", query=(("limit", "1"),))
    nodes = answer.object.get("items") or () if answer.ok else ()
    return [label for node in nodes for label in node["metadata"].get("labels") or ()]


def _is_kubeadm(client: Client) -> bool:
    try:
        return client.get(_CONFIG_MAP, _KUBEADM, _KUBE_SYSTEM) is not None
    except Forbidden:
        return False
