# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may never happen to a cluster whose keys are changed.

Each invariant says by node which keys are in danger there, and nothing that happens may add one. So a cluster that is
sound stays so, and one that somebody left half way becomes no worse.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tests.unit.plugins.module_utils._encryption.cluster import NONE, Cluster, Letters, Node, reads, writes


def may_be_stored(cluster: Cluster) -> Letters:
    """The keys of all values in etcd, now and after any write that a server may do as things lie."""
    writing = (_writing(node.file, node.loaded) for node in cluster.nodes)
    return cluster.stored.union(cluster.flying, *writing)


def unreadable(cluster: Cluster, stored: Letters) -> tuple[Letters, ...]:
    """I1: no value in etcd is encrypted with a key that some server cannot read."""
    return tuple(stored - _reading(node.file, node.loaded) for node in cluster.nodes)


def in_too_few_places(cluster: Cluster, stored: Letters) -> tuple[Letters, ...]:
    """I3: no key is used for writing before the vault has it, and every node in its configuration or its key file."""
    used = stored - {"I"}
    on_nodes = (used - reads(node.file) - node.kept for node in cluster.nodes)
    return (*on_nodes, NONE if cluster.vault is None else used - cluster.vault)


def dropped_in_use(stored: Letters, old: Node, new: Node) -> bool:
    """I2: no key leaves any configuration while a value may be encrypted with it."""
    return old.file != new.file and any((reads(each) - reads(new.file)) & stored for each in old.possible())


def watch(before: Cluster) -> Callable[[Cluster], list[str]]:
    """Tells of what comes next which invariants are broken by it."""
    stored = may_be_stored(before)
    dangers = unreadable(before, stored), in_too_few_places(before, stored)

    def broken(after: Cluster) -> list[str]:
        pairs = zip(before.nodes, after.nodes, strict=True)
        stored_then = may_be_stored(after)
        found = {
            "I1": _adds(dangers[0], unreadable(after, stored_then)),
            "I2": any(dropped_in_use(stored, old, new) for old, new in pairs),
            "I3": _adds(dangers[1], in_too_few_places(after, stored_then)),
        }
        return [invariant for invariant, is_broken in found.items() if is_broken]

    return broken


def _adds(before: tuple[Letters, ...], after: tuple[Letters, ...]) -> bool:
    return any(new - old for old, new in zip(before, after, strict=True))


@cache
def _writing(file: str, loaded: str | None) -> Letters:
    return frozenset(writes(each) for each in Node(file, loaded).possible())


@cache
def _reading(file: str, loaded: str | None) -> Letters:
    """What the server reads, whichever of the two it runs with."""
    return frozenset.intersection(*map(reads, Node(file, loaded).possible()))
