# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how a run is put back: each object's changes newest first, the last written object first.

So what closes goes before what opens, a quota before the LimitRange that it stands on, a binding before its role; and
what comes and goes within a run comes to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._content import Path, differences
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Change,
    Key,
    Object,
    Run,
    label_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._undo import CarriedOut, Refused, undone

_HELD_BY: Mapping[str, Collection[str]] = {"NetworkPolicy": ("NetworkPolicy",), "LimitRange": ("ResourceQuota",)}
"""By kind, what has to be put back before an object of it may be deleted: without the one the other closes too much."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to become of one object: ``live`` is how it is, ``wanted`` how it is to be, ``None`` for not there.

    ``refused`` says why it is left as it is, and ``paths`` what somebody else changed in it.
    """

    key: Key
    live: Object | None
    wanted: Object | None
    refused: str = ""
    paths: tuple[Path, ...] = ()
    stays: bool = False

    @property
    def label(self) -> str:
        """``Kind/namespace/name``."""
        return label_of(self.key)


def keys_of(run: Run, meant: Callable[[str], bool]) -> list[Key]:
    """The objects that the run wrote, in the order of their last write, in the namespaces that are meant.

    An object of the whole cluster is in none; a Namespace is in itself.
    """
    last = {change.key: None for change in reversed(run.changes)}
    return [key for key in reversed(last) if meant(key[3] if key[1] == "Namespace" else key[2])]


def steps(
    run: Run, keys: Sequence[Key], live: Mapping[Key, Object], carried_out: CarriedOut, unread: Mapping[Key, str]
) -> list[list[Step]]:
    """What to do, in batches of which each waits for the one before. ``unread`` says why an object is not known."""
    of_key: dict[Key, list[Change]] = {key: [] for key in keys}
    for change in run.changes:
        if change.key in of_key:
            of_key[change.key].append(change)
    batch = {key: of_key[key][-1].batch for key in keys}
    ordered = [_step(key, of_key[key], live.get(key), carried_out, unread.get(key, "")) for key in reversed(keys)]
    groups = [list(group) for _batch, group in groupby(ordered, key=lambda each: batch[each.key])]
    return _held(groups)


def _step(key: Key, changes: Sequence[Change], live: Object | None, carried_out: CarriedOut, unread: str) -> Step:
    if unread:
        return Step(key, None, None, unread)
    wanted = live
    try:
        for change in reversed(changes):
            wanted = undone(change, wanted, carried_out)
    except Refused as error:
        return Step(key, live, live, str(error), error.paths)
    stays = wanted is not None and key[1] == "Namespace" and any(each.before is None for each in changes)
    return Step(key, live, wanted, stays=stays)


def _held(groups: Iterable[Sequence[Step]]) -> list[list[Step]]:
    """The steps, less the deletions that have to wait for something that is left as it is."""
    staying: dict[tuple[str, str], Step] = {}
    result = []
    for group in groups:
        staying |= {(each.key[1], each.key[2]): each for each in group if each.refused}
        result.append([held(each, staying.get) for each in group])
    return result


def held(step: Step, staying: Callable[[tuple[str, str]], Step | None]) -> Step:
    """The step, refused where it deletes what something that stays needs; ``staying`` tells by kind and namespace."""
    if step.refused or step.wanted is not None or step.live is None:
        return step
    for kind in _HELD_BY.get(step.key[1], ()):
        if other := staying((kind, step.key[2])):
            why = f"It is left, since {other.label} could not be put back, which would close more without it."
            return replace(step, refused=why, wanted=step.live)
    return step


def changed_by(runs: Iterable[Run], step: Step) -> str:
    """The first of these runs that wrote what keeps the step from being done; empty where none did."""
    for run in runs:
        if run.reverted_by:
            continue
        for change in run.changes:
            if change.key == step.key and change.outcome != "refused" and _touches(change, step.paths):
                return run.name
    return ""


def _touches(change: Change, paths: Collection[Path]) -> bool:
    if change.before is None or change.after is None or not paths:
        return True
    written = differences(change.before, change.after)
    return any(one[: len(other)] == other or other[: len(one)] == one for one in written for other in paths)
