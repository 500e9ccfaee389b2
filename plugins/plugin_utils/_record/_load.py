# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: finds the record of a run, in the cluster, in a folder of the controller, or in both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    KubeError,
    Unauthorized,
    Unreachable,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._compare import written
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Run, run_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._pack import about_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import (
    RecordFile,
    RecordInCluster,
    runs_in_cluster,
)

LATEST = "latest"
_SHOWN_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """A run as lists show it: ``told`` has ``time``, ``user``, ``policy``, ``objects``, ``reverts``, ``reverted_by``.

    ``file`` is empty where there is none in the folder, ``in_cluster`` whether the cluster has a record of it.
    """

    name: str
    told: dict[str, str]
    file: str
    in_cluster: bool

    @property
    def can_be_latest(self) -> bool:
        """Whether ``latest`` may mean it: it put back nothing itself, and was not put back."""
        return not self.told.get("reverts") and not self.told.get("reverted_by")


class Records:
    """All records that can be found."""

    def __init__(self, client: Client, folder: Path) -> None:
        """Take the cluster and the folder."""
        self._client = client
        self._folder = folder
        self._listed: list[Listed] | None = None
        self.unseen = ""
        """Why the records in the cluster are not known; empty where they are."""

    def listed(self) -> list[Listed]:
        """Every run, newest first, as they are when it is first asked. A file that is no record is passed over."""
        if self._listed is None:
            found = {each["metadata"]["name"]: dict(each.get("data") or {}) for each in self._in_cluster()}
            told = {**dict(self._here(found)), **found}
            runs = [Listed(name, said, self._known_file(name), name in found) for name, said in told.items()]
            self._listed = sorted(runs, key=lambda each: (each.told.get("time", ""), each.name), reverse=True)
        return self._listed

    def run(self, name: str) -> Run:
        """The run of this name, or the latest that can be put back; raises :class:`HardeningError`."""
        listed = self.listed()
        wanted = next((each.name for each in listed if name == LATEST and each.can_be_latest), name)
        if wanted not in {each.name for each in listed}:
            raise HardeningError(self._unknown(name, [each.name for each in listed]))
        return self._read(wanted)

    def of_file(self, file: Path) -> Run:
        """The run that a file tells of, completed by what the cluster knows of it; raises :class:`HardeningError`."""
        return self._both(run_of(RecordFile(file).read(), str(file)).name, file)

    def after(self, run: Run) -> Iterator[Run]:
        """The runs that began later, oldest first, as far as they can be read."""
        for each in reversed(self.listed()):
            if each.told.get("time", "") >= run.time and each.name != run.name:
                try:
                    yield self._read(each.name)
                except HardeningError:
                    continue

    def _read(self, name: str) -> Run:
        file = self._known_file(name)
        return self._both(name, Path(file) if file else None)

    def _both(self, name: str, file: Path | None) -> Run:
        here = RecordFile(file).read() if file else []
        try:
            there = RecordInCluster(self._client, name).entries()
        except (Unauthorized, Unreachable):
            raise
        except HardeningError:
            if not file:
                raise
            there = []
        return run_of([*here, *there], str(file or f"the record of the run {name}"))

    def _in_cluster(self) -> list[dict[str, Any]]:
        try:
            return runs_in_cluster(self._client)
        except (Unauthorized, Unreachable):
            raise
        except KubeError as error:
            self.unseen = str(error)
            return []

    def _here(self, known: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
        """The runs of which the folder alone has a record."""
        for file in sorted(self._folder.glob("*.jsonl")):
            if file.stem in known:
                continue
            try:
                run = run_of(RecordFile(file).read(), str(file))
            except HardeningError:
                continue
            if run.name == file.stem and run.changes:
                yield run.name, about_of(run, len(written(run)))

    def _known_file(self, name: str) -> str:
        file = self._folder / f"{name}.jsonl"
        return str(file) if file.exists() else ""

    def _unknown(self, name: str, known: Iterable[str]) -> str:
        names = list(known)
        unseen = f" Those in the cluster could not be read: {self.unseen}" if self.unseen else ""
        if name == LATEST:
            return f"There is no run that could be put back, neither in the cluster nor in {self._folder}.{unseen}"
        close = did_you_mean(name, names)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(names[:_SHOWN_AT_MOST]) or 'none'}."
        return f"run: there is no record of a run {name}; {hint}{unseen}"
