# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: walks a cluster to a goal, one step after the other, each decided from fresh facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Action, Step
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._walk import next_step
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._carry_out import carry_out
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen

PATIENCE_SECONDS = 60.0
"""How long a server may be silent before it counts: one that is killed is back after some seconds."""
_MOST_TIMES = 5
_MOST_SCANS = 5

_REPEATED = (Action.SCAN, Action.SETTLE, Action.LOAD, Action.REENCRYPT)


def walk(context: Context) -> Iterator[tuple[Step, Seen]]:
    """Carry out one step after the other; each is given out, with what it was decided from, before it is begun.

    Ends with ``DONE``. Raises HardeningError where a step is refused or fails: nothing is lost by that, and the same
    command goes on from there.
    """
    times: Counter[tuple[object, ...]] = Counter()
    repeated = 0
    while True:
        seen = context.gatherer.seen_patiently(context.memory, PATIENCE_SECONDS, context.waiting)
        context.guard.ask_these(seen.clients.values())
        step = next_step(seen.facts, context.goal)
        yield step, seen
        if step.action is Action.DONE:
            return
        if step.action is Action.REFUSE:
            raise HardeningError(step.why)
        repeated = repeated + 1 if step.action is Action.SCAN else 0
        if repeated > _MOST_SCANS:
            raise HardeningError(
                f"etcd was scanned {_MOST_SCANS} times in a row, and each scan was too old before the nodes had been "
                "looked at again. Every value can be read. See why the connections to the nodes are so slow, and run "
                "the same command again."
            )
        same = (step.action, step.servers, repr(step.files), step.keys)
        times[same] += 1
        if times[same] > _MOST_TIMES and step.action not in _REPEATED:
            raise HardeningError(
                f"The step {step.action.value} was done {_MOST_TIMES} times, and the servers do not show it: "
                f"{step.why} Nothing is lost; something else may change the same files. Find out what does, and run "
                "again."
            )
        carry_out(context, seen, step)
