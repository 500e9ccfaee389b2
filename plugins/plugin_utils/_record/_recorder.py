# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: records a run while it writes, ahead of each write, in a file and in the cluster."""

from __future__ import annotations

import datetime
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._recorder import Intent
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Change,
    Entry,
    Object,
    begun,
    ended,
    intended,
    run_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._pack import can_be_named
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import RECORD_NAMESPACE
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import (
    RecordFile,
    RecordInCluster,
    cluster_of,
    user_of,
)

DEFAULT_FOLDER = "hardening-runs"
RECORD_SPEC: dict[str, Any] = {"record": {"type": "str", "default": ""}}
"""The option of every module whose writes can be put back."""


def new_name() -> str:
    """A name for a run that begins now; two in the same second have different ones."""
    return f"run-{datetime.datetime.now(datetime.UTC):%Y%m%dt%H%M%Sz}-{secrets.token_hex(2)}"


def about_now(**more: str) -> dict[str, str]:
    """What a record says of a run that begins now."""
    return {"time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), **more}


def connect_recorded(arguments: Mapping[str, Any], *how: Any) -> Client:
    """A client whose writes are recorded where the option ``record`` says; further arguments are those of connect."""
    client = connect(arguments, *how)
    if file := arguments["record"]:
        client.recorder = RunRecorder(
            client, Path(file).expanduser().absolute(), {"policy": arguments.get("set") or ""}
        )
    return client


class RunRecorder:
    """The recorder of one task of a run. Several tasks may add to one record, one after another."""

    def __init__(self, client: Client, file: Path, about: Mapping[str, str]) -> None:
        """Take where to keep it, and what to tell of the run where no earlier task has. Raises HardeningError."""
        if not can_be_named(file.stem):
            raise HardeningError(
                f"record: the name of the file {file.name}, less its ending, is that of the run: make it of at most 47 "
                "lowercase letters, digits and dashes, with a letter or a digit at both ends."
            )
        self.name = file.stem
        self._about: dict[str, Any] = {**about_now(), **about}
        self._file, self._cluster = RecordFile(file), RecordInCluster(client, self.name)
        self._client = client
        self._begun = False
        self._unkept = {"file": "", "cluster": ""}
        self._changes: dict[Intent, str] = {}
        self._notes: list[Entry] = []
        self._lock = threading.Lock()

    def intend(self, intents: Sequence[Intent]) -> None:
        """Keep what is about to be written in both places. Raises :class:`HardeningError` where neither takes it."""
        batch = secrets.token_hex(4)
        changes = [
            Change(f"{batch}-{number}", batch, each.deed, each.manager, each.before, each.desired)
            for number, each in enumerate(intents)
        ]
        entries = [*self._begin(), *(intended(change, time.time()) for change in changes)]
        self._keep(entries, self._taken_notes())
        if all(self._unkept.values()):
            raise HardeningError(
                f"Nothing was written, since it could be recorded nowhere. {' '.join(self._unkept.values())} "
                "Name a folder for records that can be written with `-e records=FOLDER`."
            )
        self._changes |= {each: change.id for each, change in zip(intents, changes, strict=True)}

    def came(self, intent: Intent, after: Object | None, *, done: bool) -> None:
        """Note what came of a write, in the file at once: a killed run is to leave as little open as can be."""
        entry = ended(self._changes[intent], "done" if done else "refused", after if done else None)
        with self._lock:
            self._notes.append(entry)
            if not self._unkept["file"]:
                try:
                    self._file.append([entry], sync=False)
                except OSError as error:
                    self._cannot("file", self._file_trouble(error))

    def settle(self) -> None:
        """Keep what was noted in the cluster too."""
        if notes := self._taken_notes():
            self._keep_in_cluster(notes)
            self._changes.clear()

    @property
    def begun(self) -> bool:
        """Whether anything was recorded."""
        return self._begun

    def _begin(self) -> list[Entry]:
        """The first line, where no earlier task has written one."""
        if self._begun:
            return []
        who = {"user": user_of(self._client), "cluster": cluster_of(self._client), "server": self._client.server}
        self._about |= who
        if not self._file.file.exists():
            return [begun(self.name, self._about)]
        self._about |= {**run_of(self._file.read(), str(self._file.file)).about, **who}
        return [begun(self.name, who)]

    def _taken_notes(self) -> list[Entry]:
        with self._lock:
            notes, self._notes = self._notes, []
        return notes

    def _keep(self, entries: list[Entry], noted: Sequence[Entry] = ()) -> None:
        """Keep entries in both places; what was noted is in the file already."""
        if not self._unkept["file"]:
            try:
                self._file.append(entries)
            except OSError as error:
                self._cannot("file", self._file_trouble(error))
        self._keep_in_cluster([*noted, *entries])
        self._begun = True

    def _keep_in_cluster(self, entries: list[Entry]) -> None:
        if self._unkept["cluster"]:
            return
        try:
            if self._begun:
                self._cluster.append(entries)
            else:
                self._cluster.begin(self._about, [each for each in entries if "record_version" not in each])
        except HardeningError as error:
            self._cannot("cluster", f"The record cannot be kept in the namespace {RECORD_NAMESPACE}: {error}")

    def _file_trouble(self, error: OSError) -> str:
        return f"The record cannot be written to {self._file.file}: {error.strerror}."

    def _cannot(self, place: str, why: str) -> None:
        self._unkept[place] = why
        Display().warning(why)
