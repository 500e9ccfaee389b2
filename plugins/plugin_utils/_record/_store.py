# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: where records are kept, a file on the controller and ConfigMaps in the cluster."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer, Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._refusals import missing_namespace, refusal
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._compare import written
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Entry,
    Run,
    begun,
    entries_of,
    lines_of,
    run_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._pack import (
    RUN_LABEL,
    about_of,
    config_map,
    entries_in,
    pieces,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import (
    RECORD_LABEL,
    RECORD_NAMESPACE,
)

MANAGER = "hardening.kubernetes/record"
_CONFIG_MAP = KNOWN["v1", "ConfigMap"]
_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

Object = dict[str, Any]


def user_of(client: Client) -> str:
    """Who the server takes us for; empty where it does not say."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        told = client.request("POST", _REVIEWS, body=review, repeatable=True).object
    except KubeError:
        return ""
    return str(((told.get("status") or {}).get("userInfo") or {}).get("username", ""))


def cluster_of(client: Client) -> str:
    """What tells a cluster from others, by whichever name it is reached; empty where it may not be known."""
    try:
        found = client.get(KNOWN["v1", "Namespace"], "kube-system", metadata_only=True)
    except KubeError:
        return ""
    return str(found["metadata"].get("uid", "")) if found else ""


class RecordFile:
    """The file of a record: lines that are added, for its owner alone to read."""

    def __init__(self, file: Path) -> None:
        """Take where it is, or is to be."""
        self.file = file
        self._mended = False

    def append(self, entries: Sequence[Entry], *, sync: bool = True) -> None:
        """Add lines; with ``sync`` they are on the disk when this returns. Raises ``OSError``."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "rb+", buffering=0) as stream:
            if not self._mended:
                _without_cut_line(stream.fileno(), self.file)
                self._mended = True
            stream.write(lines_of(entries).encode(errors="backslashreplace"))
            if sync:
                os.fsync(stream.fileno())

    def read(self) -> list[Entry]:
        """Its entries; raises :class:`HardeningError` where it is no record, or cannot be read."""
        try:
            return entries_of(self.file.read_text(encoding="utf-8"), str(self.file))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise HardeningError(f"The record {self.file} cannot be read: {why}.") from error


def _without_cut_line(descriptor: int, file: Path) -> None:
    """Drop what a killed run had written of a line, so that the next one begins anew."""
    text = file.read_bytes()
    if text and not text.endswith(b"\n"):
        os.ftruncate(descriptor, text.rfind(b"\n") + 1)


class RecordInCluster:
    """The ConfigMaps of a record; what comes later is in one of its own, until all is put together at the end."""

    def __init__(self, client: Client, run: str) -> None:
        """Take the cluster, and the name of the run."""
        self._client = client
        self._run = run

    def begin(self, about: Object, entries: Sequence[Entry]) -> None:
        """The first entries of this process. Another one may have begun the record. Raises :class:`HardeningError`."""
        run = run_of([begun(self._run, about), *entries], self._run)
        first, *others = list(pieces(entries))
        main = config_map(self._run, self._run, [begun(self._run, about), *first], about_of(run, len(written(run))))
        if not self._create(main):
            others = [first, *others]
        for each in others:
            self.append(each)

    def append(self, entries: Sequence[Entry]) -> None:
        """Further entries. Raises :class:`HardeningError`."""
        for piece in pieces(entries):
            self._create(config_map(f"{self._run}-{time.time_ns():x}", self._run, piece))

    def entries(self) -> list[Entry]:
        """All that there is of it; empty where there is nothing. Raises :class:`HardeningError`."""
        found = self._config_maps()
        return entries_in(found, self._run) if found else []

    def put_together(self, more: Sequence[Entry]) -> None:
        """Bring all that there is, and ``more``, into as few ConfigMaps as hold it. Raises :class:`HardeningError`."""
        found = self._config_maps()
        if not found:
            return
        entries = [*entries_in(found, self._run), *more]
        run = run_of(entries, self._run)
        head = begun(run.name, run.about)
        body = [each for each in entries if "record_version" not in each]
        first, *others = list(pieces([head, *body]))
        parts = [config_map(f"{self._run}-{number}", self._run, each) for number, each in enumerate(others, 2)]
        for each in (*parts, config_map(self._run, self._run, first, about_of(run, len(written(run))))):
            checked(self._client.apply(each, manager=MANAGER, force=True))
        kept = {self._run, *(each["metadata"]["name"] for each in parts)}
        for each in found:
            if each["metadata"]["name"] not in kept:
                self._client.delete(_CONFIG_MAP, each["metadata"]["name"], RECORD_NAMESPACE)

    def remove(self) -> None:
        """Take all of it away."""
        for each in self._config_maps():
            self._client.delete(_CONFIG_MAP, each["metadata"]["name"], RECORD_NAMESPACE)

    def _config_maps(self) -> list[Object]:
        return self._client.list(_CONFIG_MAP, RECORD_NAMESPACE, label_selector=f"{RUN_LABEL}={self._run}")

    def _create(self, told: Object) -> bool:
        """Write a new ConfigMap; ``False`` where there is one of that name."""
        answer = in_namespace(self._client, lambda: self._client.create(told, manager=MANAGER))
        if answer.reason == "AlreadyExists":
            return False
        checked(answer)
        return True


def in_namespace(client: Client, write: Callable[[], Answer]) -> Answer:
    """A write into the namespace of the records, which is made where it is missing. Raises :class:`HardeningError`."""
    answer = write()
    if not missing_namespace(answer):
        return answer
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": RECORD_NAMESPACE}}
    made = client.create(namespace, manager=MANAGER)
    if made.reason != "AlreadyExists":
        checked(made)
    return write()


def checked(answer: Answer) -> None:
    """Raise :class:`HardeningError` for a refusal."""
    if not answer.ok:
        raise HardeningError(refusal(answer))


def runs_in_cluster(client: Client) -> list[Object]:
    """The ConfigMaps by which runs are found, newest first. Raises :class:`HardeningError`."""
    found = client.list(_CONFIG_MAP, RECORD_NAMESPACE, label_selector=f"{RECORD_LABEL}=run")
    return sorted(found, key=_begun_at, reverse=True)


def _begun_at(told: Object) -> tuple[str, str]:
    said = told.get("data") or {}
    return str(said.get("time") or told["metadata"].get("creationTimestamp")), told["metadata"]["name"]


def check_keep(keep: int) -> None:
    """Refuse to keep nothing: the record of the very run would go. Raises :class:`HardeningError`."""
    if keep < 1:
        raise HardeningError("keep: at least one record has to be kept; give a number above 0.")


def drop_old(client: Client, keep: int) -> list[str]:
    """Remove all records but the newest; the names of the runs whose record went."""
    old = [each["metadata"]["name"] for each in runs_in_cluster(client)[keep:]]
    for name in old:
        RecordInCluster(client, name).remove()
    return old


def end(reach: Callable[[], Client], file: Path, more: Sequence[Entry], keep: int) -> Object:
    """Complete the record of a run, and remove those of older ones; a run that wrote nothing leaves none.

    What there is of it, as ``kept``, ``dropped`` and ``warnings``: nothing fails by it, since the run itself is done.
    """
    here = RecordFile(file)
    told: Object = {"kept": True, "dropped": []}
    try:
        if file.exists():
            if not run_of(here.read(), str(file)).changes:
                _forget(file)
                return {"kept": False, "dropped": []}
            if more:
                here.append(more)
        client = reach()
        RecordInCluster(client, file.stem).put_together(more)
        told["dropped"] = drop_old(client, keep)
    except OSError as error:
        told["warnings"] = [f"The record cannot be completed in {file}: {error.strerror}."]
    except HardeningError as error:
        told["warnings"] = [f"The record of the run {file.stem} could not be completed: {error}"]
    return told


def _forget(file: Path) -> None:
    """Remove the file, and the folder where it is empty by it."""
    file.unlink()
    with contextlib.suppress(OSError):
        file.parent.rmdir()


def mark(client: Client, run: Run, place: Path, entry: Entry) -> list[str]:
    """Add to the record of a run that it was put back; ``place`` is its file, or the folder that may have it.

    What went wrong, in a sentence each.
    """
    file = place if place.suffix == ".jsonl" else place / f"{run.name}.jsonl"
    troubles = []
    try:
        if file.exists():
            RecordFile(file).append([entry])
    except OSError as error:
        troubles.append(f"The record {file} does not say that the run was put back: {error.strerror}.")
    try:
        RecordInCluster(client, run.name).put_together([entry])
    except HardeningError as error:
        troubles.append(f"The record in the cluster does not say that the run was put back: {error}")
    return troubles
