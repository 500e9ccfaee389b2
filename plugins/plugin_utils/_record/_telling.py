# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the terminal says of a run that is put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Run
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._weaker import Weaker

_MOST_LINES = 50


def announced(run: Run, losses: Sequence[Weaker], check_mode: bool) -> Iterator[str]:
    """What is about to be put back, and what becomes weaker by it."""
    yield f"The run {run.name}{_of(run)}: what it replaced {'would be' if check_mode else 'is'} put back."
    if run.reverted_by:
        yield f"It was put back before, by the run {run.reverted_by}."
    if losses:
        yield "Weaker by it:"
    yield from _some(f"  {each}" for each in losses)


def _of(run: Run) -> str:
    told = [f"of {run.time}" if run.time else "", f"by {run.about['user']}" if run.about.get("user") else ""]
    return "".join(f" {each}" for each in told if each)


def ended(told: Mapping[str, Any], check_mode: bool) -> Iterator[str]:
    """What came of it, and the way back."""
    changed = sum(1 for each in told["objects"] if each["action"] not in ("unchanged", "failed"))
    failed = told["summary"]["failed"]
    yield (
        f"{changed} {'would be' if check_mode else 'were'} put back, {told['summary']['unchanged']} were as before, "
        f"{failed} are left as they are."
    )
    if changed and not check_mode:
        yield "Whoever runs harden_cluster with the same policy again puts all of it back into force."
        if told["run"]:
            yield "To take this revert back in its turn:"
            yield f"  ansible-playbook hardening.kubernetes.revert_cluster -e run={told['run']}"


def _some(lines: Iterable[str]) -> Iterator[str]:
    said = list(lines)
    yield from said[:_MOST_LINES]
    if len(said) > _MOST_LINES:
        yield f"  and {len(said) - _MOST_LINES} more"
