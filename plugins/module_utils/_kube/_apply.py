# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: brings many objects into a cluster, or out of it, writing only what is not right yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._changes import diff, without_secrets
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer, Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._live import Key, LiveReader
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._order import CRD, defined_kind, ranked
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import already_right, owned_fields
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._recorder import Intent
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._refusals import (
    is_built_in,
    is_lost_race,
    missing_namespace,
    refusal,
    unknown_kind,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._rewrites import as_kept
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._wait import is_gone, is_ready, wait_for
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import Action, ObjectResult
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    leaving,
    marked,
    of_another_set,
    origin,
)

Progress = Callable[[int, int], None]

_RACE_TRIES = 4
_ONLY_METADATA = frozenset(("apiVersion", "kind", "metadata"))


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply. ``wait_timeout`` is in seconds, for all objects together.

    With ``set_name`` objects get the marks of that set, those of another set are refused, and what goes is deleted or
    handed back as ``_shapes._set`` says; with ``state`` absent, what is not the set's stays untouched.
    """

    manager: str
    dry_run: bool = False
    force: bool = False
    state: Literal["present", "absent"] = "present"
    wait: bool = False
    wait_timeout: float = 120
    existing_only: bool = False
    set_name: str = ""


@dataclass(slots=True)
class _Work:
    """One object on its way: as desired, where it belongs, how it is, and, in the end, its result."""

    desired: dict[str, Any]
    resource: Resource | None = None
    live: dict[str, Any] | None = None
    right: bool = False
    result: ObjectResult | None = None
    intent: Intent | None = None

    @property
    def key(self) -> Key:
        metadata = self.desired["metadata"]
        return metadata.get("namespace", ""), metadata["name"]

    def ends(
        self,
        action: Action,
        changes: dict[str, Any] | None = None,
        warnings: tuple[str, ...] = (),
        *,
        error: str = "",
        verified: bool = True,
    ) -> None:
        namespace, name = self.key
        told = tuple(without_secrets(warning, self.desired, self.live) for warning in warnings)
        why = without_secrets(error, self.desired, self.live)
        kind, version = self.desired["kind"], self.desired["apiVersion"]
        self.result = ObjectResult(version, kind, namespace, name, action, changes or {}, told, why, verified)
        self.live = self.intent = None


def apply_objects(
    client: Client,
    objects: Sequence[Mapping[str, Any]],
    options: ApplyOptions,
    progress: Progress | None = None,
) -> list[ObjectResult]:
    """Apply the objects, or with ``state`` absent delete them; one result each, in the order of the objects.

    Each has ``apiVersion``, ``kind`` and ``metadata.name``. Whatever happens to one of them stands in its result, and
    the others go on. Raises KubeError only where nothing can be done at all, before anything was written. The client's
    recorder, where it has one, hears of each write before it goes out.
    """
    return _Run(client, options, progress).results(objects)


class _Run:
    def __init__(self, client: Client, options: ApplyOptions, progress: Progress | None) -> None:
        self._client = client
        self._options = options
        self._progress = progress
        self._done = 0
        self._total = 0
        self._recorder = None if options.dry_run else client.recorder
        self._metadata_only: frozenset[Resource] = frozenset()

    def results(self, objects: Sequence[Mapping[str, Any]]) -> list[ObjectResult]:
        works = [self._work(obj) for obj in objects]
        self._total = len(works)
        present = self._options.state == "present"
        self._find_resources(works)
        self._read(works)
        for positions in ranked((work.desired for work in works), backwards=not present):
            self._write([works[position] for position in positions], works)
        if self._recorder:
            self._recorder.settle()
        if self._options.wait and not self._options.dry_run:
            self._wait([work for work in works if _is_done(work)], self._options.wait_timeout)
        return [work.result for work in works if work.result is not None]

    def _work(self, obj: Mapping[str, Any]) -> _Work:
        wanted = dict(obj) if self._options.state == "present" else {key: obj[key] for key in _ONLY_METADATA}
        work = _Work(wanted)
        try:
            work.desired = as_kept(wanted)
        except Exception as error:
            work.ends("failed", error=_trouble(error))
        return work

    def _find_resources(self, works: Sequence[_Work]) -> None:
        for work in works:
            work.resource = self._client.resource(work.desired["apiVersion"], work.desired["kind"])
            if work.resource and not work.result:
                self._place(work, work.resource)

    def _place(self, work: _Work, resource: Resource) -> None:
        """A namespace where the kind wants one, and none where it does not."""
        metadata = work.desired["metadata"]
        if not resource.namespaced:
            metadata.pop("namespace", None)
        elif not metadata.get("namespace"):
            work.ends("failed", error="It needs a namespace: write one in it, or give the option namespace.")

    def _read(self, works: Sequence[_Work]) -> None:
        """How the objects are now: kept only for those that are not right."""
        by_key = {(work.resource, work.key): work for work in works if work.resource and not work.result}
        wanted: dict[Resource, list[Key]] = {}
        richer: set[Resource] = set()
        for (resource, key), work in by_key.items():
            if resource:
                wanted.setdefault(resource, []).append(key)
                if not work.desired.keys() <= _ONLY_METADATA:
                    richer.add(resource)

        def found(resource: Resource, key: Key, live: dict[str, Any]) -> None:
            self._saw(by_key[resource, key], live)

        reader = LiveReader(self._client, found)
        if self._options.state == "absent":
            # What is deleted is recorded as a whole, to be made anew.
            richer = set(wanted) if self._recorder else set()
        self._metadata_only = frozenset(wanted) - richer
        reader.read(wanted, self._metadata_only)
        for wrong, error in reader.failed.items():
            by_key[wrong].ends("failed", error=str(error))
        for work in works:
            if work.live is None and not work.right and not work.result:
                self._mark(work, None)

    def _mark(self, work: _Work, live: dict[str, Any] | None) -> None:
        set_name = self._options.set_name
        if set_name and self._options.state == "present":
            work.desired = marked(work.desired, set_name, origin(live, set_name))

    def _saw(self, work: _Work, live: dict[str, Any]) -> None:
        other = of_another_set(live, self._options.set_name) if self._options.set_name else ""
        if other and self._options.state == "present":
            work.ends("failed", error=other)
            return
        try:
            self._mark(work, live)
            work.right = self._options.state == "present" and already_right(work.desired, live, self._options.manager)
        except Exception as error:
            work.live = live
            work.ends("failed", error=_trouble(error))
            return
        if not work.right:
            work.live = live

    def _write(self, works: Sequence[_Work], all_works: Sequence[_Work]) -> None:
        present = self._options.state == "present"
        open_works = []
        for work in works:
            if work.result:
                continue
            if work.right or (not present and work.live is None):
                work.ends("unchanged", warnings=() if work.resource else self._maybe_mistyped(work))
            else:
                open_works.append(work)
        self._done += len(works) - len(open_works)
        open_works = self._recorded(open_works)
        self._client.parallel(self._safely(self._apply if present else self._delete), open_works, self._further())
        self._done += len(open_works)
        if present and not self._options.dry_run:
            self._settle_kinds(open_works, all_works)

    def _recorded(self, works: Sequence[_Work]) -> list[_Work]:
        """What may be written: with a recorder, what that has kept before."""
        if not self._recorder:
            return list(works)
        for work in works:
            work.intent = self._intent(work)
        try:
            intents = [work.intent for work in works if work.intent]
            if intents:
                self._recorder.intend(intents)
        except HardeningError as error:
            for work in works:
                work.ends("failed", error=str(error))
        return [work for work in works if not work.result]

    def _intent(self, work: _Work) -> Intent | None:
        """What is about to be written; ``None`` for an object that no request will go out for."""
        options, before, desired = self._options, work.live, work.desired
        if work.resource is None or (options.state == "present" and options.existing_only and before is None):
            return None
        if options.state == "present":
            return Intent("apply", options.manager, before, desired)
        if before is None or "deletionTimestamp" in before["metadata"]:
            return None
        way = leaving(before, options.set_name, options.manager) if options.set_name else "delete"
        if way == "hand_back":
            return Intent("apply", options.manager, before, {**desired, "metadata": _place_of(desired)})
        return Intent("delete", options.manager, before, desired) if way == "delete" else None

    def _came(self, work: _Work, answer: Answer, after: dict[str, Any] | None, *, done: bool) -> None:
        """Tell the recorder. A refusal of what an earlier try may have done already tells nothing."""
        if self._recorder and work.intent and (done or not answer.repeated):
            self._recorder.came(work.intent, after, done=done)

    def _further(self) -> Progress | None:
        """Progress over all ranks, out of the progress within one."""
        progress, before, total = self._progress, self._done, self._total
        return (lambda done, _of: progress(before + done, total)) if progress else None

    @staticmethod
    def _safely(write: Callable[[_Work], None]) -> Callable[[_Work], None]:
        """One object's trouble, whatever it is, becomes its result."""

        def safe(work: _Work) -> None:
            try:
                write(work)
            except Exception as error:
                work.ends("failed", error=_trouble(error))

        return safe

    def _apply(self, work: _Work) -> None:
        if work.resource is None:
            self._without_kind(work)
            return
        if self._options.existing_only and work.live is None:
            work.ends("failed", error="It does not exist, and is not to be created.")
            return
        self._judge(work, self._sent(work))

    def _sent(self, work: _Work) -> Answer:
        options = self._options
        body = work.desired
        if options.existing_only and work.live is not None:
            # With its uid the server refuses to create it anew, should it have gone since.
            body = {**body, "metadata": {**body["metadata"], "uid": work.live["metadata"]["uid"]}}
        # Of what was not there before nobody looks at more, unless it is to be recorded.
        metadata_only = work.live is None and self._recorder is None
        for _try in range(_RACE_TRIES):
            answer = self._client.apply(
                body,
                manager=options.manager,
                dry_run=options.dry_run,
                force=options.force,
                metadata_only=metadata_only,
            )
            if not is_lost_race(answer):
                break
        return answer

    def _without_kind(self, work: _Work) -> None:
        version, kind = work.desired["apiVersion"], work.desired["kind"]
        if self._options.dry_run and not self._options.existing_only and not is_built_in(version):
            work.ends("created", diff(None, work.desired), verified=False)
            return
        work.ends("failed", error=unknown_kind(version, kind, self._client.server))

    def _maybe_mistyped(self, work: _Work) -> tuple[str, ...]:
        """What is not there needs no removal; but where nobody can add kinds, one that is not there may be mistyped."""
        version, kind = _kind(work)
        return (unknown_kind(version, kind, self._client.server),) if is_built_in(version) else ()

    def _judge(self, work: _Work, answer: Answer) -> None:
        before, after = work.live, answer.object
        trimmed = {key: after[key] for key in _ONLY_METADATA if key in after}
        self._came(work, answer, trimmed if work.resource in self._metadata_only else after, done=answer.ok)
        if not answer.ok:
            if self._options.dry_run and before is None and missing_namespace(answer):
                work.ends("created", diff(None, work.desired), answer.warnings, verified=False)
            elif self._options.existing_only and is_lost_race(answer):
                work.ends("failed", error="It was deleted meanwhile, and is not to be created anew.")
            else:
                work.ends("failed", warnings=answer.warnings, error=refusal(answer))
        elif before is None:
            work.ends("created", diff(None, work.desired), answer.warnings)
        else:
            self._compare(work, before, after, answer.warnings)

    def _compare(self, work: _Work, before: dict[str, Any], after: dict[str, Any], warnings: tuple[str, ...]) -> None:
        """What the write did, by what the server returned."""
        if not self._options.dry_run and _version(before) == _version(after):
            work.ends("unchanged", warnings=warnings)
            return
        if work.resource in self._metadata_only:
            after = {key: after[key] for key in _ONLY_METADATA}
        changes = diff(before, after)
        manager = self._options.manager
        if changes:
            work.ends("updated", changes, warnings)
        elif owned_fields(before, manager) != owned_fields(after, manager):
            work.ends("adopted", warnings=warnings)
        else:
            work.ends("unchanged", warnings=warnings)

    def _delete(self, work: _Work) -> None:
        if work.resource is None or work.live is None or "deletionTimestamp" in work.live["metadata"]:
            work.ends("unchanged")
            return
        namespace, name = work.key
        uid = work.live["metadata"]["uid"]
        if self._options.set_name:
            way = leaving(work.live, self._options.set_name, self._options.manager)
            if way == "keep":
                work.ends("unchanged")
                return
            if way == "hand_back":
                self._hand_back(work, uid)
                return
        answer = self._client.delete(work.resource, name, namespace, dry_run=self._options.dry_run, uid=uid)
        self._came(work, answer, None, done=answer.ok)
        if answer.ok or (answer.status == 404 and answer.repeated):
            # What it is, not what was in it: that may be a secret, and the reading may have been of metadata alone.
            what = {**{key: work.desired[key] for key in ("apiVersion", "kind")}, "metadata": _named(namespace, name)}
            work.ends("deleted", {"before": what, "after": {}}, answer.warnings)
        elif answer.status == 404:
            work.ends("unchanged")
        else:
            work.ends("failed", warnings=answer.warnings, error=refusal(answer))

    def _hand_back(self, work: _Work, uid: str) -> None:
        """Apply nothing: the server takes away what no other manager owns, and our name from the rest."""
        body = {**work.desired, "metadata": {**_place_of(work.desired), "uid": uid}}
        answer = self._client.apply(body, manager=self._options.manager, dry_run=self._options.dry_run)
        if is_lost_race(answer):
            # Its uid is another's by now: ours has gone.
            work.ends("unchanged")
        else:
            self._judge(work, answer)

    def _settle_kinds(self, written: Sequence[_Work], works: Sequence[_Work]) -> None:
        """After CustomResourceDefinitions: once the server serves their kinds, find the objects' resources."""
        crds = [work for work in written if _kind(work) == CRD and _is_done(work)]
        if not crds:
            return
        self._wait(crds, self._options.wait_timeout)
        defined = {defined_kind(work.desired) for work in crds}
        self._client.forget_kinds()
        waiting = [work for work in works if work.resource is None and not work.result]
        for work in waiting:
            version, kind = _kind(work)
            if (version.rpartition("/")[0], kind) in defined:
                try:
                    self._find_resources([work])
                except KubeError as error:
                    work.ends("failed", error=str(error))

    def _wait(self, works: Sequence[_Work], seconds: float) -> None:
        """Whatever comes between, what was written keeps its result."""
        present = self._options.state == "present"
        by_key = {(work.resource, work.key): work for work in works if work.resource}
        awaited = [(resource, key) for resource, key in by_key if resource]
        try:
            late = wait_for(self._client, awaited, is_ready if present else is_gone, seconds, self._progress)
        except KubeError as error:
            unknown = f"whether it is {'ready' if present else 'gone'} could not be asked: {error}".rstrip(".")
            late = dict.fromkeys(awaited, unknown)
        for each, why in late.items():
            work = by_key[each]
            done = work.result
            said = f"It was {done.action}, but {why}." if done and done.changed else f"It is right, but {why}."
            work.ends("failed", done.diff if done else {}, done.warnings if done else (), error=said)


def _place_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    return {key: obj["metadata"][key] for key in ("name", "namespace") if key in obj["metadata"]}


def _named(namespace: str, name: str) -> dict[str, str]:
    return {"name": name, **({"namespace": namespace} if namespace else {})}


def _kind(work: _Work) -> tuple[str, str]:
    return work.desired["apiVersion"], work.desired["kind"]


def _trouble(error: Exception) -> str:
    """The sentence for the user; what nobody foresaw must not hide what becomes of the other objects."""
    if isinstance(error, HardeningError):
        return str(error)
    return (
        f"This object cannot be worked on ({type(error).__name__}: {error}): check that it is well formed, "
        "and if it is, report a bug of hardening.kubernetes."
    )


def _version(obj: Mapping[str, Any]) -> str:
    return str((obj.get("metadata") or {}).get("resourceVersion", ""))


def _is_done(work: _Work) -> bool:
    return work.result is not None and work.result.action != "failed"
