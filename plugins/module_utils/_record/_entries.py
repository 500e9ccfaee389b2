# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a run did, as entries of a record: lines that are only ever added.

A killed run leaves the lines that it had written. An intent without an outcome was about to be carried out, and may
have been. The same entries may come from two copies, of which each may lack some.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

RECORD_VERSION = 1

Object = dict[str, Any]
Entry = dict[str, Any]
Deed = Literal["apply", "delete", "revert"]
Outcome = Literal["done", "refused", "unknown"]
Key = tuple[str, str, str, str]
"""API version, kind, namespace (empty for an object of the whole cluster) and name."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_FIELDS = ("data", "stringData")
_FINDING = ("control", "subject", "status")


class Damaged(HardeningError):
    """A record that cannot be read."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write to one object, or the intent of one.

    ``before`` and ``after`` are the object as the server had it, ``None`` where it was not there; ``desired`` is what
    was sent. Changes of one ``batch`` went out together.
    """

    id: str
    batch: str
    deed: Deed
    manager: str
    before: Object | None
    desired: Object
    outcome: Outcome = "unknown"
    after: Object | None = None

    @property
    def key(self) -> Key:
        """Which object it is."""
        return key_of(self.desired)


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its name, what is told about it, what it changed in order, and what its verdict stood on.

    ``findings`` are ``None`` where the run never came to any.
    """

    name: str
    about: Mapping[str, Any] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    findings: Sequence[Mapping[str, str]] | None = None
    reverted_by: str = ""

    @property
    def time(self) -> str:
        """When it began, in UTC."""
        return str(self.about.get("time", ""))

    @property
    def reverts(self) -> str:
        """The run that this one put back; empty for a run that put back none."""
        return str(self.about.get("reverts", ""))


def key_of(obj: Mapping[str, Any]) -> Key:
    """Which object this is."""
    metadata = obj["metadata"]
    return str(obj["apiVersion"]), str(obj["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])


def label_of(key: Key) -> str:
    """``Kind/namespace/name``, or ``Kind/name`` for an object of the whole cluster."""
    return "/".join(part for part in key[1:] if part)


def begun(name: str, about: Mapping[str, Any]) -> Entry:
    """The first line: what the record is of."""
    return {"record_version": RECORD_VERSION, "run": name, "about": dict(about)}


def intended(change: Change, at: float) -> Entry:
    """The line that goes ahead of a write; ``at`` is the time in seconds, by which batches are put in order."""
    return {
        "intent": change.id,
        "batch": change.batch,
        "at": at,
        "deed": change.deed,
        "manager": change.manager,
        "before": without_secrets(change.before),
        "desired": without_secrets(change.desired),
    }


def ended(change_id: str, outcome: Outcome, after: Object | None) -> Entry:
    """The line that follows a write."""
    return {"outcome": change_id, "came": outcome, "after": without_secrets(after)}


def judged(findings: Iterable[Mapping[str, Any]]) -> Entry:
    """The line with what the run found."""
    return {"findings": [{key: str(each.get(key, "")) for key in _FINDING} for each in findings]}


def reverted(by: str) -> Entry:
    """The line that says by which run this one was put back."""
    return {"reverted_by": by}


def lines_of(entries: Iterable[Entry]) -> str:
    """Entries as lines of JSON."""
    return "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":"), default=str) + "\n" for each in entries)


def entries_of(text: str, source: str) -> list[Entry]:
    """The entries of a text. A last line that was cut off is left out: the run was killed while it wrote it.

    Raises :class:`Damaged` for anything else that is no record; ``source`` names the text.
    """
    lines = text.split("\n")
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            if number == len(lines) and entries:
                break
            raise Damaged(_damaged(source, number)) from error
        if not isinstance(entry, dict):
            raise Damaged(_damaged(source, number))
        entries.append(entry)
    if not entries or "record_version" not in entries[0]:
        raise Damaged(f"{source} is no record of a run: name one that a run of this collection wrote.")
    if entries[0]["record_version"] != RECORD_VERSION:
        raise Damaged(
            f"{source} is a record of version {entries[0]['record_version']}, and this is version {RECORD_VERSION} of "
            "it: use the version of the collection that wrote it."
        )
    return entries


def _damaged(source: str, number: int) -> str:
    return (
        f"{source} is damaged in line {number}, so that nothing was put back by it: take the copy of the record that "
        "lies in the cluster, with `-e run=NAME`, or the file, with `-e record=FILE`, whichever this is not."
    )


def run_of(entries: Iterable[Entry], source: str) -> Run:
    """The run that entries tell of; each counts once, however many copies they come from. Raises :class:`Damaged`."""
    name, about, reverted_by = "", dict[str, Any](), ""
    findings: Sequence[Mapping[str, str]] | None = None
    intents: dict[str, Entry] = {}
    outcomes: dict[str, Entry] = {}
    try:
        for entry in entries:
            if "intent" in entry:
                intents.setdefault(entry["intent"], entry)
            elif "outcome" in entry:
                outcomes[entry["outcome"]] = entry
            elif "findings" in entry:
                findings = [dict(each) for each in entry["findings"]]
            elif "reverted_by" in entry:
                reverted_by = str(entry["reverted_by"])
            elif "record_version" in entry:
                name, about = entry["run"], {**about, **{k: v for k, v in entry["about"].items() if v}}
        ordered = sorted(intents.values(), key=lambda each: each["at"])
        changes = [_change(each, outcomes.get(each["intent"])) for each in ordered]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Damaged(f"{source} is no record of a run: what it holds has another form ({error}).") from error
    return Run(name, about, changes, findings, reverted_by)


def _change(intent: Entry, outcome: Entry | None) -> Change:
    came: Outcome = outcome["came"] if outcome else "unknown"
    after = outcome["after"] if outcome else None
    if intent["deed"] not in get_args(Deed) or came not in get_args(Outcome):
        raise ValueError(intent["deed"], came)
    for obj in (intent["before"], intent["desired"], after):
        if obj is not None:
            key_of(obj)
    return Change(
        str(intent["intent"]),
        str(intent["batch"]),
        intent["deed"],
        str(intent["manager"]),
        intent["before"],
        intent["desired"],
        came,
        after,
    )


def without_secrets(obj: Object | None) -> Object | None:
    """The object as it may be kept: of a Secret the keys and no value, nor kubectl's copy of them."""
    if obj is None or not is_secret(obj):
        return obj
    metadata = dict(obj.get("metadata") or {})
    annotations = metadata.get("annotations") or {}
    if _LAST_APPLIED in annotations:
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    kept = {key: value for key, value in obj.items() if key not in _SECRET_FIELDS}
    return {**kept, "metadata": metadata, **dict(_keys_only(obj))}


def _keys_only(obj: Object) -> Iterator[tuple[str, Any]]:
    for name in _SECRET_FIELDS:
        values = obj.get(name)
        if values is not None:
            yield name, dict.fromkeys(values) if isinstance(values, Mapping) else None


def is_secret(obj: Mapping[str, Any]) -> bool:
    """Whether its values are never kept."""
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"
