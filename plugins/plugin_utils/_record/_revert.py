# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: puts a run back: looks at what there is, plans, and writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._changes import diff
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer, Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._live import LiveReader
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import already_right
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._recorder import Intent
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._refusals import is_lost_race, refusal
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._content import content, merge_patch
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Change, Key, Object, Run
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._managers import (
    REVERT_MANAGER,
    managed,
    same_owners,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._plan import Step, held, keys_of, steps
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import Action, ObjectResult

_TRIES = 4
_RACE = "Somebody else wrote to it at the same moment: run this again."

Progress = Callable[[int, int], None]


def look(client: Client, run: Run, meant: Callable[[str], bool]) -> list[list[Step]]:
    """What is to become of everything that the run wrote, in the order in which it is to."""
    keys = keys_of(run, meant)
    resources = {key: client.resource(key[0], key[1]) for key in keys}
    unread = {key: f"The server has no kind {key[1]} in {key[0]} any more." for key in keys if not resources[key]}
    wanted: dict[Resource, list[tuple[str, str]]] = {}
    for key, resource in resources.items():
        if resource:
            wanted.setdefault(resource, []).append((key[2], key[3]))
    live: dict[Key, Object] = {}

    def found(resource: Resource, place: tuple[str, str], obj: Object) -> None:
        live[resource.api_version, resource.kind, *place] = obj

    reader = LiveReader(client, found)
    reader.read(wanted)
    unread |= {(each.api_version, each.kind, *place): str(error) for (each, place), error in reader.failed.items()}
    return steps(run, keys, live, _carried_out, unread)


def _carried_out(change: Change, state: Object | None) -> bool:
    if change.deed == "delete" or state is None:
        return change.deed == "delete" and state is None
    if change.deed == "revert":
        return content(change.desired) == content(state)
    return already_right(change.desired, state, change.manager)


def carry_out(
    client: Client, batches: Sequence[Sequence[Step]], progress: Progress, *, dry_run: bool
) -> list[ObjectResult]:
    """Put everything back, each batch at once. What cannot be put back keeps nothing else back but what needs it."""
    return _Revert(client, progress, sum(map(len, batches)), dry_run).results(batches)


class _Revert:
    def __init__(self, client: Client, progress: Progress, total: int, dry_run: bool) -> None:
        self._client, self._progress, self._total, self._dry_run = client, progress, total, dry_run
        self._recorder = None if dry_run else client.recorder
        self._done: list[ObjectResult] = []
        self._staying: dict[tuple[str, str], Step] = {}

    def results(self, batches: Sequence[Sequence[Step]]) -> list[ObjectResult]:
        for batch in batches:
            todo = [held(each, self._staying.get) for each in batch]
            self._batch(todo)
        if self._recorder:
            self._recorder.settle()
        return self._done

    def _batch(self, batch: Sequence[Step]) -> None:
        intents = {step.key: _intent(step) for step in batch if not step.refused and _differs(step)}
        try:
            if self._recorder and intents:
                self._recorder.intend([*intents.values()])
        except HardeningError as error:
            why = str(error)
            results = [_result(step, "failed", error=step.refused or why) for step in batch]
        else:
            before = len(self._done)
            results = self._client.parallel(
                lambda step: self._safely(step, intents.get(step.key)),
                batch,
                lambda done, _of: self._progress(before + done, self._total),
            )
        for step, result in zip(batch, results, strict=True):
            if result.error:
                self._staying.setdefault((step.key[1], step.key[2]), step)
        self._done += results

    def _safely(self, step: Step, intent: Intent | None) -> ObjectResult:
        if step.refused:
            return _result(step, "failed", error=step.refused)
        if intent is None:
            return _result(step, "unchanged")
        try:
            return self._write(step, intent)
        except KubeError as error:
            return _result(step, "failed", error=str(error))

    def _write(self, step: Step, intent: Intent) -> ObjectResult:
        action, answer = self._content(step)
        for _try in range(_TRIES):
            fresh = self._fresh(step) if is_lost_race(answer) else None
            if fresh is None or step.live is None or not _is_same(step.live, fresh):
                break
            # What was written is its status alone, which controllers do at any time.
            step = replace(step, live=fresh)
            action, answer = self._content(step)
        if not answer.ok:
            self._came(intent, None, answer)
            return _result(step, "failed", answer, error=_RACE if is_lost_race(answer) else refusal(answer))
        if step.wanted is None or self._dry_run:
            self._came(intent, None, answer)
            return _result(step, action, answer)
        owned = self._owned(step, step.wanted, answer)
        if not owned.ok:
            why = f"It is as it was, but the field managers could not be put back: {refusal(owned)} Run this again."
            return _result(step, "failed", answer, error=why)
        self._came(intent, owned.object, owned)
        return _result(step, action, answer)

    def _content(self, step: Step) -> tuple[Action, Answer]:
        live, wanted = step.live, step.wanted
        if wanted is None:
            return "deleted", self._deleted(step)
        if live is None:
            return "created", self._client.create(_anew(wanted), manager=REVERT_MANAGER, dry_run=self._dry_run)
        patch = merge_patch(content(live), content(wanted))
        if not patch:
            return "updated", Answer(200, live)
        return "updated", self._client.merge(live, patch, manager=REVERT_MANAGER, dry_run=self._dry_run)

    def _deleted(self, step: Step) -> Answer:
        resource = self._client.resource(step.key[0], step.key[1])
        if step.live is None or resource is None:
            return Answer(200, {})
        metadata = step.live["metadata"]
        uid, version = str(metadata["uid"]), str(metadata["resourceVersion"])
        return self._client.delete(resource, step.key[3], step.key[2], dry_run=self._dry_run, uid=uid, version=version)

    def _owned(self, step: Step, wanted: Object, answer: Answer) -> Answer:
        """Give what everybody owned back to them; nobody but the server's own controllers write in between."""
        fresh = answer.object
        known = {each.get("manager") for each in (*managed(step.live), *managed(wanted))} | {REVERT_MANAGER}
        for _try in range(_TRIES):
            entries = [*managed(wanted), *(each for each in _others(fresh) if _is_new(each, known))]
            patch = {"metadata": {"managedFields": entries or [{}]}}
            answer = self._client.merge(fresh, patch, manager=REVERT_MANAGER)
            if not is_lost_race(answer):
                break
            fresh = self._fresh(step) or fresh
        return answer

    def _fresh(self, step: Step) -> Object | None:
        resource = self._client.resource(step.key[0], step.key[1])
        return self._client.get(resource, step.key[3], step.key[2]) if resource else None

    def _came(self, intent: Intent, after: Object | None, answer: Answer) -> None:
        if self._recorder and (answer.ok or not answer.repeated):
            self._recorder.came(intent, after, done=answer.ok)


def _is_same(one: Object, other: Object) -> bool:
    return content(one) == content(other) and same_owners(one, other)


def _others(obj: Object) -> list[dict[str, Any]]:
    return list(obj["metadata"].get("managedFields") or ())


def _is_new(entry: dict[str, Any], known: set[Any]) -> bool:
    return bool(entry.get("subresource")) or entry.get("manager") not in known


def _differs(step: Step) -> bool:
    """Whether anything is to be written, were it only who owns what."""
    live, wanted = step.live, step.wanted
    if live is None or wanted is None:
        return live is not wanted
    return bool(merge_patch(content(live), content(wanted))) or not same_owners(live, wanted)


def _intent(step: Step) -> Intent:
    place = {"name": step.key[3], **({"namespace": step.key[2]} if step.key[2] else {})}
    named = {"apiVersion": step.key[0], "kind": step.key[1], "metadata": place}
    if step.wanted is None:
        return Intent("delete", REVERT_MANAGER, step.live, named)
    return Intent("revert", REVERT_MANAGER, step.live, step.wanted)


def _anew(wanted: Object) -> Object:
    """What to create: its content, and where it belongs."""
    said = content(wanted)
    metadata = {key: wanted["metadata"][key] for key in ("name", "namespace") if wanted["metadata"].get(key)}
    kind = {key: wanted[key] for key in ("apiVersion", "kind")}
    return {**kind, **said, "metadata": {**said.get("metadata", {}), **metadata}}


def _result(step: Step, action: Action, answer: Answer | None = None, *, error: str = "") -> ObjectResult:
    changes = diff(step.live, step.wanted) if action not in ("unchanged", "failed") else {}
    warnings = answer.warnings if answer else ()
    if step.stays and not error:
        warnings = (
            *warnings,
            f"It stays, with all that is in it: `kubectl delete namespace {step.key[3]}` removes it.",
        )
    return ObjectResult(step.key[0], step.key[1], step.key[2], step.key[3], action, changes, warnings, error)


def flat(batches: Sequence[Sequence[Step]]) -> list[Step]:
    """All steps in their order."""
    return list(chain(*batches))
