# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: brings the encryption configuration to nodes that are about to join a control plane."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import KmsPlugin
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._kubeadm import (
    read_cluster_configuration,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    History,
    Kept,
    history_bytes,
    keys_bytes,
    parse_history,
    parse_keys,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._finish import cluster_configuration
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._guard import LOCK_SECONDS
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import (
    BINARY,
    HISTORY,
    JOURNAL,
    KEYS,
    OnNode,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._program import Call
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

Name = TypeVar("Name")
Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class Brought:
    """What every node of a control plane has: the configuration, and what it keeps and remembers besides.

    ``hash`` is the configuration's, empty where nothing is encrypted. No key leaves this process but to a node.
    """

    path: str = ""
    content: bytes = field(default=b"", repr=False)
    hash: str = ""
    kept: Kept = field(default_factory=dict)
    history: History = field(default_factory=dict)
    plugins: tuple[KmsPlugin, ...] = ()

    @property
    def paths(self) -> list[str]:
        """The files that a node gets; none where nothing is encrypted."""
        return [self.path, KEYS, HISTORY] if self.hash else []

    def files(self, node: str, present: Mapping[str, Mapping[str, Any] | None]) -> dict[str, bytes]:
        """The files of one node, by path.

        It may have been in the control plane before, and hold the last copy of a key that some backup needs, so what
        it keeps and remembers is added to. Raises HardeningError where that cannot be read.
        """
        if not self.hash:
            return {}
        kept = _there(present[KEYS], parse_keys, f"{KEYS} on the node {node}") | dict(self.kept)
        history = _there(present[HISTORY], parse_history, f"{HISTORY} on the node {node}") | dict(self.history)
        files = {self.path: self.content}
        files |= {KEYS: keys_bytes(kept)} if kept else {}
        return files | ({HISTORY: history_bytes(history)} if history else {})


def _there(
    found: Mapping[str, Any] | None, parse: Callable[[bytes, str], dict[Name, Said]], where: str
) -> dict[Name, Said]:
    content = _content(found)
    return {} if content is None else parse(content, where)


def brought_by(seen: Seen) -> Brought:
    """What a node needs to join, from those that are there. Empty where nothing is encrypted.

    Raises HardeningError where it is not certain that they all have the same, and will go on having it.
    """
    refused = list(_refusals(seen))
    if refused:
        raise HardeningError(f"No node was prepared. {' '.join(refused)}")
    node = next(iter(seen.on_node.values()))
    if not node.configured or node.configuration.content is None:
        return Brought()
    return Brought(
        node.settings.path,
        node.configuration.content,
        node.configuration.hash,
        {key: material for each in seen.on_node.values() for key, material in each.kept.items()},
        {found: said for each in seen.on_node.values() for found, said in each.history.items()},
        tuple(each for each in node.configured.ring.values() if isinstance(each, KmsPlugin)),
    )


def _refusals(seen: Seen) -> Iterator[str]:
    if seen.facts.intent:
        yield "A change of keys has begun and not finished: finish it, or roll it back, then prepare the node."
    for server in seen.facts.servers:
        if server.state != "running" or server.loaded is None:
            yield (
                f"What the API server {server.name} has loaded is not known ({server.trouble or server.state}): make "
                "it answer, or take its node out of those that are there if it is the one that joins again."
            )
        elif server.loaded != server.file:
            yield f"The API server {server.name} has loaded something else than what lies on its node: wait a minute."
    hashes = {node.configuration.hash if node.configured else "" for node in seen.on_node.values()}
    if len(hashes) > 1:
        yield "The configurations of the nodes differ: run harden_cluster, or the role encryption_at_rest, first."
    if not seen.facts.servers:
        yield "No control plane node was named from which the configuration could be taken."


def refuse_without_flag(client: Client, node: OnNode) -> None:
    """Raise HardeningError where kubeadm would start the node's API server without the configuration."""
    _found, text = cluster_configuration(client)
    if text and not read_cluster_configuration(text).keeps(node.settings):
        raise HardeningError(
            "No node was prepared. kubeadm's ClusterConfiguration does not have the flags and the mount of the "
            f"encryption configuration {node.settings.path}, so the API server of a node that joins would not read "
            "what is encrypted: run harden_cluster, or the role encryption_at_rest, first."
        )


def due(nodes: Nodes, joining: Sequence[str], brought: Brought) -> dict[str, list[dict[str, Any]]]:
    """By node, what :func:`lacking` says of it.

    Raises HardeningError where a node cannot be asked, or runs an API server already.
    """
    calls: list[Call] = [("read", {"paths": [*brought.paths, JOURNAL]}), ("processes", {"binary": BINARY})]
    wanted = {}
    for name, answer in nodes.ask_each(dict.fromkeys(joining, calls), "_files").items():
        if isinstance(answer, NodeError):
            raise answer
        present, processes = answer
        if processes:
            raise HardeningError(
                f"An API server runs on {name} already, so it does not need to be prepared: name it among the nodes "
                "that are there, and run the role encryption_at_rest."
            )
        wanted[name] = lacking(name, present, brought)
    return wanted


def lacking(node: str, present: Mapping[str, Mapping[str, Any] | None], brought: Brought) -> list[dict[str, Any]]:
    """The files that a node lacks or has otherwise, as the program that writes them takes them.

    A journal goes: it would speak of a change that the others have finished without this node.
    """
    files: dict[str, bytes | None] = {**brought.files(node, present), JOURNAL: None}
    return [
        _replacing(path, present[path], content)
        for path, content in files.items()
        if not _is_there(present[path], content)
    ]


def _replacing(path: str, found: Mapping[str, Any] | None, content: bytes | None) -> dict[str, Any]:
    encoded = None if content is None else base64.b64encode(content).decode("ascii")
    return {"path": path, "content": encoded, "replaces": (found or {}).get("hash"), "mode": "0600"}


def _is_there(found: Mapping[str, Any] | None, content: bytes | None) -> bool:
    if found is None or content is None:
        return found is None and content is None
    return _content(found) == content and found["mode"] == "0600" and found["owner"] == 0


def _content(found: Mapping[str, Any] | None) -> bytes | None:
    said = (found or {}).get("content")
    return None if said is None else base64.b64decode(said)


def write(nodes: Nodes, run: str, files: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the files of each node; raises HardeningError where one refuses."""
    keep: Call = ("keep", {"run": run, "seconds": LOCK_SECONDS})
    calls: dict[str, list[Call]] = {
        name: [keep, ("write", {"run": run, "files": each})] for name, each in files.items() if each
    }
    for answer in nodes.ask_each(calls, "_files").values():
        if isinstance(answer, NodeError):
            raise answer
