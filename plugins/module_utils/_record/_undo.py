# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: takes one change of a run back from the object as it is now, or says why not.

1. What the change altered is put back where it still is as the change left it. What others did elsewhere in the object
   stays.
2. What somebody changed since, or confirmed in a field manager of their own, is theirs: the object is left as it is.
3. A change of which only the intent is recorded happened, or did not, as the object itself shows. What shows neither is
   left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._content import (
    Path,
    at,
    content,
    differences,
    set_back,
    shown,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Change,
    Object,
    is_secret,
    without_secrets,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._managers import (
    REVERT_MANAGER,
    managed,
    owned_by,
    owners,
    owns,
    restored,
    same_owners,
)

CarriedOut = Callable[[Change, "Object | None"], bool]
"""Whether an object is as a change of which only the intent is recorded would have left it."""

_NAMED_AT_MOST = 3
_METADATA_ALONE = frozenset(("apiVersion", "kind", "metadata"))
_SECRET = "It is a Secret, whose values are never kept, so that what the run changed in it stays: put it right by hand."


class Refused(Exception):
    """An object that is left as it is; ``paths`` are what somebody else changed, where it is that."""

    def __init__(self, why: str, paths: Iterable[Path] = ()) -> None:
        """Take the sentence for the user."""
        super().__init__(why)
        self.paths = tuple(paths)


def undone(change: Change, state: Object | None, carried_out: CarriedOut) -> Object | None:
    """The object without the change, with its ``managedFields``; raises :class:`Refused`."""
    seen = without_secrets(state)
    happened = _as_it_happened(change, seen, carried_out)
    if happened is None:
        return state
    if is_secret(change.desired) and happened.before is not None:
        raise Refused(_SECRET)
    state = seen
    if happened.after is None:
        return _brought_back(happened, state)
    if happened.before is None:
        return _taken_away(happened, state)
    return _set_back(happened, happened.before, happened.after, state)


def _as_it_happened(change: Change, state: Object | None, carried_out: CarriedOut) -> Change | None:
    """The change with its outcome; ``None`` where nothing came of it."""
    if change.outcome != "unknown":
        return change if change.outcome == "done" and (change.before or change.after) is not None else None
    if _equal(change.before, state) or (change.deed == "delete" and _is_same(change.before, state)):
        return None
    if not carried_out(change, state) or not _is_ours_alone(change, state):
        raise Refused(
            "The run was ended while it wrote this object, which is now neither as it was nor as the run wanted it: "
            "compare it with the record and put it right by hand, or run harden_cluster again."
        )
    return Change(
        change.id, change.batch, change.deed, change.manager, change.before, change.desired, "done", deepcopy(state)
    )


def _equal(one: Object | None, other: Object | None) -> bool:
    """Whether nothing was written to an object, nor to whom it belongs."""
    if one is None or other is None:
        return one is other
    if is_secret(one):
        return _version(one) == _version(other)
    return not _altered(one, other) and same_owners(one, other)


def _is_same(one: Object | None, other: Object | None) -> bool:
    return one is not None and other is not None and _uid(one) == _uid(other)


def _is_ours_alone(change: Change, state: Object | None) -> bool:
    """Whether all that is different from before is what the change itself may have altered."""
    if state is None:
        return True
    if change.before is None:
        return not [each for each in managed(state) if each.get("manager") not in (change.manager, REVERT_MANAGER)]
    fields = owned_by(change.before, change.manager) | owned_by(state, change.manager) | owned_by(state, REVERT_MANAGER)
    return change.deed == "revert" or all(owns(fields, path) for path in _altered(change.before, state))


def _altered(before: Object, after: Object) -> dict[Path, tuple[Any, Any]]:
    """The differences, in the parts that both were read with: some are read by their metadata alone."""
    found = differences(before, after)
    if any(each.keys() <= _METADATA_ALONE for each in (before, after)):
        return {path: both for path, both in found.items() if path[0] == "metadata"}
    return found


def _brought_back(change: Change, state: Object | None) -> Object | None:
    """An object that the run deleted, as it was."""
    before = change.before
    if before is None:
        return state
    owned_before = {**before, "metadata": {**before["metadata"], "managedFields": managed(before)}}
    if state is None:
        return owned_before
    if _altered(before, state):
        raise Refused(f"Something of this name is there again{_by(state, ())}: it is left as it is.")
    return _with_managers(state, managed(before) if owned_by(state, REVERT_MANAGER) else managed(state))


def _taken_away(change: Change, state: Object | None) -> Object | None:
    """An object that the run created, gone; a namespace stays, without the marks."""
    after = change.after
    if state is None or after is None:
        return None
    if change.key[1] == "Namespace":
        return _set_back(change, _bare(after, change.manager), after, state)
    if altered := _altered(after, state):
        raise Refused(f"The run created it, and {shown_all(altered)} changed since{_by(state, altered)}.", altered)
    others = _newcomers(change, after, state, None)
    if others:
        raise Refused(f"The run created it, and the field manager {_told(others[0])} has written to it since.")
    return None


def _set_back(change: Change, before: Object, after: Object, state: Object | None) -> Object:
    if state is None:
        raise Refused("It was deleted since, so that there is nothing to put back.")
    altered = _altered(before, after)
    present = content(state)
    here = {path: at(present, path) for path in altered}
    wrong = [path for path, value in here.items() if value not in altered[path]]
    if _uid(state) not in (_uid(before), _uid(after)) and _altered(after, state) and _altered(before, state):
        raise Refused(f"It was deleted and made anew since{_by(state, ())}: it is left as it is.", altered)
    if wrong:
        raise Refused(f"{shown_all(wrong)} changed since{_by(state, wrong)}.", wrong)
    left = [path for path, value in here.items() if value == altered[path][1]]
    for path in left:
        if others := _newcomers(change, after, state, path):
            raise Refused(
                f"{shown(path)} was set by the field manager {_told(others[0])} too since, to what the run set it to.",
                [path],
            )
    kept: Object = {key: value for key, value in state.items() if key in ("apiVersion", "kind", "status")}
    fresh = {**kept, **set_back({**present, "metadata": state["metadata"]}, content(before), left)}
    return _with_managers(fresh, restored(before, after, state))


def _newcomers(change: Change, after: Object, state: Object, path: Path | None) -> list[dict[str, Any]]:
    """Who owns the path, or any content at all, that did not when the run had written it."""
    known = {REVERT_MANAGER, change.manager}
    known |= {each["manager"] for each in (managed(after) if path is None else owners(after, path))}
    now = managed(state) if path is None else owners(state, path)
    return [each for each in now if each.get("manager") not in known]


def _bare(after: Object, manager: str) -> Object:
    """A namespace as if the run had only made it: without what the manager said in it."""
    fields = owned_by(after, manager)
    metadata: Object = dict(after["metadata"])
    for part in ("labels", "annotations"):
        said = metadata.pop(part, None) or {}
        left = {key: value for key, value in said.items() if ("f:metadata", f"f:{part}", f"f:{key}") not in fields}
        if left:
            metadata[part] = left
    metadata["managedFields"] = [each for each in managed(after) if each.get("manager") != manager]
    return {**after, "metadata": metadata}


def _with_managers(obj: Object, entries: list[dict[str, Any]]) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "managedFields": entries}}


def _uid(obj: Object) -> str:
    return str(obj["metadata"].get("uid", ""))


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _by(state: Object, paths: Iterable[Path]) -> str:
    """Who wrote it, and when, as far as the object itself tells."""
    wanted = list(paths)
    found = [each for path in wanted for each in owners(state, path)] if wanted else managed(state)
    latest = max(found, key=lambda each: str(each.get("time", "")), default=None)
    return f", by the field manager {_told(latest)}" if latest else ""


def _told(entry: dict[str, Any]) -> str:
    when = f" at {entry['time']}" if entry.get("time") else ""
    return f"{entry.get('manager')}{when}"


def shown_all(paths: Iterable[Path]) -> str:
    """Some paths as a sentence names them."""
    told = [shown(path) for path in paths]
    more = len(told) - _NAMED_AT_MOST
    return ", ".join(told[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
