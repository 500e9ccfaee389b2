# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the steps that more than one rule of a walk takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Action,
    Key,
    Providers,
    Server,
    State,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import (
    Class,
    Standing,
    class_of,
    is_pending,
    writers_of,
)

_STATE_OF_PENDING: Mapping[Class, State] = {
    Class.OLD: State.READ_NEW,
    Class.READS_NEW: State.READ_NEW,
    Class.WRITES_NEW: State.WRITE_NEW,
    Class.OLD_DROPPED: State.DROP_OLD,
}


def keep(
    seen: Standing, missing: Callable[[Server], Collection[Key]], keys: Collection[Key], state: State, why: str
) -> Step | None:
    """Keep the keys that a node misses, and those of ``keys`` that the vault misses where there is one."""
    escrow = seen.facts.escrow
    on_nodes = {server.name: missing(server) for server in seen.facts.servers}
    in_vault = set(keys) - escrow if escrow is not None else set()
    wanted = tuple(sorted(in_vault.union(*on_nodes.values())))
    servers = tuple(name for name, keys in on_nodes.items() if keys)
    return Step(Action.KEEP_KEY, state, why, servers, keys=wanted) if wanted else None


def configure(seen: Standing, files: Mapping[str, Providers], state: State, why: str) -> Step | None:
    """Write all files at once where servers reload by themselves; else one, and only while no other is restarting."""
    named = [server for server in seen.facts.servers if server.name in files]
    at_once = [server.name for server in named if not _restarts(server, files[server.name])]
    waiting = [server for server in seen.pending() if server.name not in files and _keeps_writing(seen, server)]
    if not named:
        return None
    if not at_once and waiting:
        return load(seen, waiting)
    now = at_once or [named[0].name]
    return Step(Action.CONFIGURE, state, why, tuple(now), {name: files[name] for name in now})


def _restarts(server: Server, wanted: Providers) -> bool:
    """A flag that comes or goes needs a restart, and a server that is off needs nothing."""
    if server.state == "stopped":
        return False
    return not server.automatic_reload or not server.loaded or not wanted


def _keeps_writing(seen: Standing, server: Server) -> bool:
    """Whether a running server will write with the same keys once it has loaded its file: others need not be ready."""
    return server.state == "running" and writers_of(server.file or {}, seen.goal) == seen.writers(server)


def load(seen: Standing, servers: Iterable[Server]) -> Step:
    """See that these servers load what lies on their nodes."""
    named = tuple(server.name for server in servers if is_pending(server))
    furthest = min(class_of(server.file or {}, seen.goal) for server in seen.facts.servers if server.name in named)
    why = f"What lies on the node has yet to be loaded, and proved, by {', '.join(named)}."
    return Step(Action.LOAD, _STATE_OF_PENDING[furthest], why, named)
