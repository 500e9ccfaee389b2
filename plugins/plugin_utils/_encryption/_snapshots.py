# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: snapshots of etcd, each with the keys without which it cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    Snapshot,
    snapshots_bytes,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._files import replacing
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import SNAPSHOTS
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scan import etcds


def take_snapshot(context: Context, seen: Seen, mark: str = "") -> None:
    """Take one on the first node, and note it there with its keys; a ``mark`` tells it from another of the same run."""
    name = next(iter(seen.on_node))
    node = seen.on_node[name]
    path = f"{context.options.snapshot.rstrip('/')}/etcd-{context.run}{mark}.db"
    found = etcds(context, seen).snapshot(name, path)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    keys = _keys_in_use(seen)
    taken = Snapshot(name, found["path"], found["revision"], found["hash"], moment, keys)
    content = snapshots_bytes([*node.snapshots, taken])
    context.write({name: [replacing(node.files[SNAPSHOTS], content)]})
    context.memory.snapshots.append(taken)
    needed = ", ".join(f"{key} ({key.fingerprint})" if key.fingerprint else str(key) for key in keys) or "no key"
    context.tell(f"a snapshot of etcd is at {taken.path} on {name}, revision {taken.revision}; it needs {needed}")


def _keys_in_use(seen: Seen) -> tuple[Key, ...]:
    """All that a server reads: which of them wrote which value is nothing that a snapshot tells."""
    said = (keys for server in seen.facts.servers for keys in (server.loaded or {}).values())
    return tuple(sorted({key for keys in said for key in keys if key != IDENTITY}))
