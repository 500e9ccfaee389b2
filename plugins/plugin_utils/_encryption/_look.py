# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what lies on a control plane node, and which kube-apiserver runs there.

The bytes of the keys come with it. They stay in the memory of the action plugin, wrapped in what never prints them.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import (
    Configuration,
    parse_configuration,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import (
    CONFIG_FLAG,
    Manifest,
    Settings,
    read_manifest,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    History,
    Journal,
    Snapshot,
    parse_history,
    parse_journal,
    parse_keys,
    parse_snapshots,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._soundness import refuse_unsound
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._program import Call
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

STATE = "/etc/kubernetes/hardening"
JOURNAL, KEYS, HISTORY, SNAPSHOTS = (f"{STATE}/{name}.json" for name in ("journal", "keys", "history", "snapshots"))
BINARY = "kube-apiserver"
_RECORDS = (JOURNAL, KEYS, HISTORY, SNAPSHOTS)

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class File:
    """A file on a node; ``content`` is ``None`` where there is none, or where it is no regular file (``kind``)."""

    path: str
    content: bytes | None = field(default=None, repr=False)
    hash: str = ""
    mode: str = ""
    owner: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """A kube-apiserver that runs on the node; ``started`` in seconds since 1970 by the node's clock."""

    pid: int
    started: float
    arguments: tuple[str, ...]

    @property
    def configuration(self) -> str:
        """Where it was told that its encryption configuration lies; empty where it was told nothing."""
        return _flag(self.arguments, CONFIG_FLAG)


@dataclass(frozen=True, slots=True)
class OnNode:
    """All that a walk has to know of a node.

    ``skew`` are the seconds that the node's clock is ahead of ours for certain, 0 where its time may be ours. ``said``
    is what the manifest says, ``settings`` where the configuration lies or shall lie, and ``configured`` what the
    configuration says, ``None`` without one that the manifest points to. ``processes`` are those of the manifest,
    ``strangers`` other kube-apiservers that run on the node, of other clusters or of another manifest. ``trouble`` says
    why the configuration on the node cannot be used.
    """

    name: str
    hostname: str
    addresses: frozenset[str]
    skew: float
    manifest: File
    said: Manifest
    settings: Settings
    configuration: File
    configured: Configuration | None
    trouble: str
    beside_manifest: tuple[str, ...]
    processes: tuple[Process, ...]
    strangers: tuple[Process, ...]
    journal: Journal | None = None
    kept: Mapping[Key, KeyMaterial] = field(default_factory=dict)
    history: History = field(default_factory=dict)
    snapshots: tuple[Snapshot, ...] = ()
    files: Mapping[str, File] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where its API server says that it is to be reached, ``host:port``."""
        host = self.said.flag("advertise-address") or min(self.addresses, default=self.hostname)
        return f"{f'[{host}]' if ':' in host else host}:{self.said.flag('secure-port', '6443')}"

    @property
    def hints(self) -> frozenset[str]:
        """All by which others may name its API server."""
        return self.addresses | {self.hostname, self.said.flag("advertise-address", self.hostname)}


def look(
    nodes: Nodes, names: Sequence[str], manifest: str, expected: Mapping[str, str]
) -> dict[str, OnNode | NodeError]:
    """What lies on each node, or why it could not be asked.

    ``expected`` is, by node, where its configuration was found last: what is read there at once needs no second
    question. Raises HardeningError where a node has no manifest of a kube-apiserver, or one that cannot be read.
    """
    calls: dict[str, list[Call]] = {
        name: [
            ("about", {}),
            ("read", {"paths": [manifest, *_RECORDS, expected.get(name, Settings().path)]}),
            ("names", {"directory": str(PurePosixPath(manifest).parent)}),
            ("processes", {"binary": BINARY}),
        ]
        for name in names
    }
    before = time.time()
    answers = nodes.ask_each(calls, "_files")
    asked = before, time.time()
    reached = {name: each for name, each in answers.items() if not isinstance(each, NodeError)}
    said = {name: _manifest(name, _file(manifest, answer[1])) for name, answer in reached.items()}
    settings = {name: _settings(each) for name, each in said.items()}
    files = _configurations(nodes, reached, {name: each.path for name, each in settings.items()})
    seen: dict[str, OnNode | NodeError] = {name: each for name, each in answers.items() if isinstance(each, NodeError)}
    for name, file in files.items():
        if isinstance(file, NodeError):
            seen[name] = file
        else:
            seen[name] = _on_node(name, reached[name], asked, manifest, said[name], settings[name], file)
    return {name: seen[name] for name in names}


def _configurations(
    nodes: Nodes, reached: Mapping[str, Sequence[Any]], paths: Mapping[str, str]
) -> dict[str, File | NodeError]:
    """The configuration of each node, where its manifest says that it lies; asked for where it is elsewhere."""
    read = {name: answer[1] for name, answer in reached.items()}
    elsewhere = {name: [("read", {"paths": [path]})] for name, path in paths.items() if path not in read[name]}
    answers = nodes.ask_each(elsewhere, "_files")
    found: dict[str, File | NodeError] = {}
    for name, path in paths.items():
        answer = answers.get(name, [read[name]])
        found[name] = answer if isinstance(answer, NodeError) else _file(path, answer[0])
    return found


def _on_node(
    name: str,
    answer: Sequence[Any],
    asked: tuple[float, float],
    manifest: str,
    said: Manifest,
    settings: Settings,
    file: File,
) -> OnNode:
    about, files, beside, processes = answer
    configured, trouble = _configured(name, said, file)
    running = [Process(each["pid"], each["started"], tuple(each["arguments"])) for each in processes]
    return OnNode(
        name,
        hostname=about["hostname"],
        addresses=frozenset(about["addresses"]),
        skew=_skew(about["time"], *asked),
        manifest=_file(manifest, files),
        said=said,
        settings=settings,
        configuration=file,
        configured=configured,
        trouble=trouble,
        beside_manifest=tuple(each for each in beside or () if each != PurePosixPath(manifest).name),
        processes=tuple(each for each in running if _is_of(said, each.arguments)),
        strangers=tuple(each for each in running if not _is_of(said, each.arguments)),
        journal=_parsed(name, _file(JOURNAL, files), parse_journal, None),
        kept=_parsed(name, _file(KEYS, files), parse_keys, {}),
        history=_parsed(name, _file(HISTORY, files), parse_history, {}),
        snapshots=_parsed(name, _file(SNAPSHOTS, files), parse_snapshots, ()),
        files={path: _file(path, files) for path in _RECORDS},
    )


def _skew(told: float, before: float, after: float) -> float:
    """How far a node's time is from when we asked: at which moment in between a slow node looked is not known."""
    return max(0.0, told - after) or min(0.0, told - before)


def _file(path: str, files: Mapping[str, Any]) -> File:
    found = files[path]
    if found is None:
        return File(path)
    content = found.get("content")
    return File(
        path,
        None if content is None else base64.b64decode(content),
        found.get("hash", ""),
        found.get("mode", ""),
        found.get("owner", 0),
        found.get("kind", ""),
    )


def _manifest(name: str, file: File) -> Manifest:
    if file.content is None:
        raise HardeningError(
            f"The node {name} has no {file.path}, so no kube-apiserver runs there as kubeadm sets it up. Name the "
            "control plane nodes alone, once they have joined; a role or a task names another path by manifest."
        )
    try:
        return read_manifest(file.content.decode())
    except (HardeningError, UnicodeDecodeError) as error:
        raise HardeningError(f"{file.path} on the node {name} cannot be read: {error}") from None


def _settings(said: Manifest) -> Settings:
    """Where a configuration lies that is there; else where ours shall lie."""
    if not said.path:
        return Settings()
    return Settings(said.place.node_path or said.path, automatic_reload=said.automatic_reload)


def _configured(name: str, said: Manifest, file: File) -> tuple[Configuration | None, str]:
    if not said.path:
        return None, ""
    if said.place.kind != "directory":
        return None, (
            f"--{CONFIG_FLAG}={said.path} is {_PLACES[said.place.kind]}; mount its directory from the node, so that "
            "a file that is renamed into it is seen"
        )
    if said.place.node_path != said.path:
        return None, f"{said.path} is {said.place.node_path} on the node; mount it there under the same path"
    if file.content is None:
        return None, f"there is no file {file.path} on the node {name}"
    try:
        configured = parse_configuration(file.content.decode(), file.path)
        refuse_unsound(configured)
    except HardeningError as error:
        return None, str(error)
    except UnicodeDecodeError:
        return None, f"{file.path} is not UTF-8"
    return configured, ""


_PLACES = {
    "none": "not mounted into the server",
    "file": "mounted as a file, which never shows a new one",
    "other": "mounted from something other than the node",
}


def _parsed(name: str, file: File, parse: Callable[[bytes, str], Parsed], absent: Parsed) -> Parsed:
    return absent if file.content is None else parse(file.content, f"{file.path} on the node {name}")


def _is_of(said: Manifest, arguments: Sequence[str]) -> bool:
    """Whether a process is of this manifest; a node may run other clusters' API servers in pods."""
    return all(_flag(arguments, name) == said.flag(name) for name in ("advertise-address", "secure-port"))


def _flag(arguments: Sequence[str], name: str) -> str:
    """The last value of a flag, given with ``=`` or as the next argument."""
    value = ""
    for at, argument in enumerate(arguments):
        if argument.startswith(f"--{name}="):
            value = argument.partition("=")[2]
        elif argument == f"--{name}" and at + 1 < len(arguments):
            value = arguments[at + 1]
    return value
