# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a walk asks etcd."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import standing
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _etcd
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._kms import kms_of, refuse_undated

_MOST_LOOKS = 4
_LOOK_AGAIN_SECONDS = 5.0
"""A CustomResourceDefinition is in discovery some seconds after its first objects may be in etcd."""


def scanned(context: Context, seen: Seen) -> _etcd.Scan:
    """The histogram of every resource of the goal, with the size of all values. Raises HardeningError without one."""
    known = standing(seen.facts, context.goal).known
    kms = kms_of(seen.told.values())
    clients = [*seen.clients.values()] or [context.client]
    for again in range(_MOST_LOOKS, 0, -1):
        context.look_at_resources(seen)
        try:
            found = _etcd.scan(etcds(context, seen), clients, context.memory.served, context.goal.write, known, kms)
        except _etcd.Unserved:
            if again == 1:
                raise
        else:
            refuse_undated(found, context.goal.write.items())
            return found
        context.waiting("waiting for the API servers to serve a resource that is new in etcd")
        time.sleep(_LOOK_AGAIN_SECONDS)
    raise AssertionError


def prefix_at(context: Context, seen: Seen, key: str, known: Iterable[str]) -> str | None:
    """What the value of one key of etcd starts with; ``None`` where there is no such key."""
    return etcds(context, seen).prefix_at(key, known)


def etcds(context: Context, seen: Seen) -> _etcd.Etcds:
    """etcd as it can be asked on each node that answers."""
    return _etcd.Etcds.of(context.nodes, seen.on_node)
