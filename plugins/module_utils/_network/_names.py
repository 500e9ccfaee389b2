# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the names of the NetworkPolicies that are made from settings."""

from __future__ import annotations

import hashlib
import re

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import (
    Addresses,
    Anyone,
    ApiServer,
    Flow,
    Peer,
    Pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import OWN_PREFIX

DENY_NAME = f"{OWN_PREFIX}default-deny"
DNS_NAME = f"{OWN_PREFIX}allow-dns"

_LONGEST_PART = 40
_HASH_LENGTH = 8


def allow_name(flow: Flow, namespace: str, direction: Direction) -> str:
    """The name of the policy that opens one side of a flow in a namespace."""
    source, target = (_slug(end, namespace) for end in (flow.source, flow.target))
    return f"{OWN_PREFIX}allow-{source}-to-{target}-{_hash(flow)}-{direction}"


def _hash(flow: Flow) -> str:
    """Of the flow as a policy writes it, which stays what it is when addresses behind it move."""
    return hashlib.sha256(str(flow).encode()).hexdigest()[:_HASH_LENGTH]


def _slug(peer: Peer, namespace: str) -> str:
    match peer:
        case Anyone():
            text = "anyone"
        case ApiServer():
            text = "api-server"
        case Addresses(cidr, _):
            text = cidr
        case Pods(labels, _, None):
            values = "-".join(value for _key, value in labels) or "all-pods"
            text = values if peer.namespace == namespace else f"{peer.namespace}-{values}"
        case Pods(labels, _, namespaces):
            text = "-".join(value for _key, value in (*(namespaces or ()), *labels)) or "all-namespaces"
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:_LONGEST_PART].strip("-") or "pods"
