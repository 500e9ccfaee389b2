# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the beginning of a walk: what is there, what speaks against it, and what shall be."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._goals import goal_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    is_overtaken,
    journal_bytes,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._carry_out import scan_now
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._files import replacing
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import JOURNAL, OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._preflight import (
    hindrances,
    obstacles,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._walk import PATIENCE_SECONDS

_LOOK_AGAIN_SECONDS = 2.0


def run_name() -> str:
    """A name for a run that no other has: its moment, and four random bytes."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def tidy(context: Context) -> None:
    """Clear away what a killed run left on the nodes, when its watchers there have ended, too."""
    seen = context.gatherer.seen(context.memory)
    while waiting := [name for name in seen.on_node if _is_watched(context, name)]:
        context.guard.check()
        context.waiting(f"waiting for the API server {', '.join(waiting)}, which a former run has started anew")
        time.sleep(_LOOK_AGAIN_SECONDS)
    context.on_nodes("sweep", {name: {"directories": _folders(context, node)} for name, node in seen.on_node.items()})
    _refuse_overtaken(seen)
    _spread_journal(context, seen)


def _folders(context: Context, node: OnNode) -> list[str]:
    """Where this or a former run may have left a temporary file."""
    before = node.journal.paths.get(node.name, "") if node.journal else ""
    paths = (node.settings.directory, str(PurePosixPath(before).parent) if before else "", context.options.snapshot)
    return list(dict.fromkeys(filter(None, paths)))


def _refuse_overtaken(seen: Seen) -> None:
    """A journal from long ago, as a repaired node brings it back, would lead everything back to a retired key."""
    for name, node in seen.on_node.items():
        if node.journal and any(is_overtaken(node.journal, each.history) for each in seen.on_node.values()):
            raise HardeningError(
                f"{JOURNAL} on the node {name} speaks of a change of {node.journal.began} that others have overtaken "
                "since. Nothing was touched: remove that file, and run again."
            )


def _spread_journal(context: Context, seen: Seen) -> None:
    """A journal that a killed run has brought to some nodes only, or taken from some, is on all or none."""
    journals = [node.journal for node in seen.on_node.values() if node.journal]
    if journals:
        content = journal_bytes(max(journals, key=lambda each: each.began))
        context.write(
            {
                name: [replacing(node.files[JOURNAL], content)]
                for name, node in seen.on_node.items()
                if node.files[JOURNAL].content != content
            }
        )


def _is_watched(context: Context, name: str) -> bool:
    told = context.nodes.ask(name, "_files", [("watched", {})])[0]
    return bool(told) and told["state"] == "waiting"


def begin(context: Context) -> tuple[Context, Seen]:
    """The goal, and the facts that it was made from, with a scan of etcd and with what speaks against any change."""
    memory = context.memory
    seen = context.gatherer.seen_patiently(memory, PATIENCE_SECONDS, context.waiting)
    if context.options.escrow:
        memory.escrow = context.options.escrow.known()
    wanted, made = context.options.wanted(seen.facts)
    goal = goal_of(wanted, seen.facts)
    memory.fresh = {key: material for key, material in made.items() if key in goal.write.values()}
    begun = replace(context, goal=goal)
    scan_now(begun, seen)
    memory.obstacles = tuple(obstacles(begun, seen))
    memory.hindrances = tuple(hindrances(begun, seen))
    return begun, begun.gatherer.seen(memory)
