# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what two runs differ in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Key, Run, label_of

_ACTIONS: Mapping[tuple[bool, bool], str] = {
    (False, True): "created",
    (True, False): "deleted",
    (True, True): "updated",
}


def compare(one: Run, other: Run) -> dict[str, Any]:
    """The controls whose status is another, the objects that one of the runs wrote and the other did not.

    ``judged`` tells for each run whether it came to findings; where one did not, nothing is said of controls.
    """
    first, second = written(one), written(other)
    both = one.findings is not None and other.findings is not None
    return {
        "judged": {"from": one.findings is not None, "to": other.findings is not None},
        "controls": _controls(one, other) if both else [],
        "objects": [
            {"object": label_of(key), "from": first.get(key, ""), "to": second.get(key, "")}
            for key in sorted({*first, *second})
            if first.get(key) != second.get(key)
        ],
    }


def written(run: Run) -> dict[Key, str]:
    """What the run did to each object in all; what came and went within it is left out."""
    before: dict[Key, bool] = {}
    after: dict[Key, bool] = {}
    for change in run.changes:
        if change.outcome == "refused":
            continue
        before.setdefault(change.key, change.before is not None)
        after[change.key] = change.after is not None if change.outcome == "done" else change.deed != "delete"
    return {key: _ACTIONS[before[key], there] for key, there in after.items() if (before[key], there) in _ACTIONS}


def _controls(one: Run, other: Run) -> list[dict[str, str]]:
    first, second = _statuses(one), _statuses(other)
    return [
        {"control": control, "subject": subject, "from": first.get(at, ""), "to": second.get(at, "")}
        for at in sorted({*first, *second})
        for control, subject in (at,)
        if first.get(at) != second.get(at)
    ]


def _statuses(run: Run) -> dict[tuple[str, str], str]:
    return {(each["control"], each["subject"]): each["status"] for each in run.findings or ()}
