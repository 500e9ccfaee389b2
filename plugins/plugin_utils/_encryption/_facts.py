# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the facts that a walk is decided from, read anew before each step.

What a server has loaded is what it says itself, at its own address, by the hash of the bytes; what these bytes say is
known from the file on its node, or from the history of files that lay there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import KmsPlugin
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._grace import grace_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Facts,
    Histogram,
    Key,
    Providers,
    Server,
    ServerState,
    is_too_old,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence, evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import OnNode, look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory, Proved
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import registered
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

QUICK_SECONDS = 3.0
"""How long a client of these may wait for a server that left: it is looked at again, with everything else."""
_LOOK_AGAIN_SECONDS = 2.0
_ETCD_SECONDS = 180.0
_ETCD_CHECKS = frozenset({"etcd", "etcd-readiness"})
"""What of an API server's ``/readyz`` fails where etcd elects a leader, or is slow."""
_HASH_SECONDS = 5.0
"""A server that starts anew between two questions may seem to have loaded what nobody knows."""
_SAME_START_SECONDS = 3.0
"""By how much two accounts of when a process was started may differ: the kernel tells its own in whole seconds."""
_INVENTORY = "The list of nodes"


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts, and by name of the server what they come from.

    ``clients`` reach each server at its own address; servers that do not answer are missing there and in ``told``.
    ``untold`` says why no server tells which others there are, empty where one does.
    """

    facts: Facts
    on_node: Mapping[str, OnNode]
    clients: Mapping[str, Client]
    told: Mapping[str, Evidence]
    untold: str = ""

    @property
    def ring(self) -> dict[Key, KeyMaterial | KmsPlugin]:
        """The bytes of all keys and the endpoints of all KMS plugins that lie on any node."""
        ring: dict[Key, KeyMaterial | KmsPlugin] = {}
        for each in self.on_node.values():
            ring |= {**each.kept, **(each.configured.ring if each.configured else {})}
        return ring

    def proved(self, name: str) -> Proved:
        """What a proof by this server is good for: it ends with the next file or process."""
        told = self.told[name]
        return name, told.loaded or "", told.started_at


class Gatherer:
    """Reads the facts; keeps the connections to the servers and how they were last seen."""

    def __init__(self, client: Client, nodes: Nodes, manifest: str) -> None:
        """Take a client that gives up soon, the nodes, and where the API server's manifest lies on them."""
        self._client = client
        self._nodes = nodes
        self._manifest = manifest
        self._clients: dict[str, Client] = {}
        self._paths: dict[str, str] = {}

    def seen(self, memory: Memory) -> Seen:
        """All facts as they are now."""
        found = look(self._nodes, self._nodes.names, self._manifest, self._paths)
        on_node = {name: each for name, each in found.items() if not isinstance(each, NodeError)}
        self._paths |= {name: each.settings.path for name, each in on_node.items()}
        clients = {name: self._at(each) for name, each in on_node.items()}
        answers = self._client.parallel(lambda name: _ask(clients[name]), on_node)
        told = _told_apart(dict(zip(on_node, answers, strict=True)))
        servers = tuple(
            _unreached(name, each) if isinstance(each, NodeError) else _server(each, told[name], memory)
            for name, each in found.items()
        )
        heard = {name: each for name, each in told.items() if isinstance(each, Evidence)}
        sources, untold = _sources(servers, on_node, [clients[name] for name in heard])
        journals = [each.journal for each in on_node.values() if each.journal]
        facts = Facts(
            servers,
            histogram=_aged(memory),
            unscannable=memory.unscannable,
            available=frozenset(memory.fresh).union(memory.escrow or ()),
            escrow=memory.escrow,
            grace=grace_of(each.said for each in on_node.values()),
            rounds=memory.rounds,
            stuck=memory.stuck,
            scrubbed=memory.scrubbed,
            sources=sources,
            hindrances=memory.hindrances,
            obstacles=(*memory.obstacles, *([untold] if untold else [])),
            intent=max(journals, key=lambda each: each.began).intent if journals else None,
        )
        return Seen(facts, on_node, {name: clients[name] for name in heard}, heard, untold)

    def seen_patiently(self, memory: Memory, seconds: float, waiting: Callable[[str], None]) -> Seen:
        """The facts, once every server answers; after so many seconds as they are, and then no more of that server.

        A server that says it only waits for etcd gets more of them: no step of a walk brings that about.
        """
        began = time.monotonic()
        while True:
            seen = self.seen(memory)
            missing = _missing(seen)
            if not missing.keys() - memory.waited_for:
                return seen
            if time.monotonic() >= began + _patience(seen, seconds):
                memory.waited_for |= missing.keys()
                return seen
            for name, why in missing.items():
                waiting(f"waiting for the API server {name} ({why})" if name else f"waiting: {why}")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _at(self, node: OnNode) -> Client:
        if node.name not in self._clients:
            self._clients[node.name] = self._client.at(f"https://{node.address}")
        return self._clients[node.name]


def _sources(
    servers: Iterable[Server], on_node: Mapping[str, OnNode], answering: Iterable[Client]
) -> tuple[dict[str, frozenset[str]], str]:
    """Who knows which servers, and why nobody could be asked; any server that answers will do.

    The cluster forgets one that does not answer or is not ready, so of these nobody has to know. Where none answers,
    nothing is done anyway.
    """
    names = {hint: node.name for node in on_node.values() for hint in node.hints}
    silent = {each.name for each in servers if each.state != "running" or not each.ready}
    sources = {_INVENTORY: frozenset(each.name for each in servers)}
    untold = ""
    for client in answering:
        try:
            said = registered(client)
        except KubeError as error:
            untold = f"Which API servers there are could not be asked: {error}"
            continue
        told = {source: frozenset(names.get(each, each) for each in known) | silent for source, known in said.items()}
        return sources | told, ""
    return sources, untold


def _patience(seen: Seen, seconds: float) -> float:
    """The seconds that are given to what is missing now."""
    silent = [each for each in seen.facts.servers if each.state != "running" or not each.ready]
    if silent and all(_ETCD_CHECKS.issuperset(each.unready) and each.unready for each in silent):
        return max(seconds, _ETCD_SECONDS)
    if silent or seen.untold or len(set(seen.facts.sources.values())) > 1:
        return seconds
    # Only the hash of what a server has loaded, which a look or two clear up.
    return min(seconds, _HASH_SECONDS)


def _missing(seen: Seen) -> dict[str, str]:
    """The servers that are not what they should be and may yet become it: one that was killed is back soon."""
    silent = {
        each.name: each.trouble or (_not_ready(each) if each.state == "running" else each.state)
        for each in seen.facts.servers
        if each.state != "running" or each.loaded is None or not each.ready
    }
    sources = seen.facts.sources
    known = frozenset[str]().union(*sources.values())
    unknown = {name: f"{source} does not know it" for source, said in sources.items() for name in known - said}
    return {**({"": seen.untold} if seen.untold else {}), **unknown, **silent}


def _not_ready(server: Server) -> str:
    return f"it is not ready, by {', '.join(server.unready)}" if server.unready else "it is not ready"


def _ask(client: Client) -> Evidence | KubeError:
    try:
        return evidence(client)
    except KubeError as error:
        return error


def _unreached(name: str, error: NodeError) -> Server:
    return Server(name, None, {}, "unanswered", str(error))


def _server(node: OnNode, told: Evidence | KubeError, memory: Memory) -> Server:
    file = None if node.trouble else _file(node)
    kept = frozenset(node.kept)
    state, trouble = _state(node, told)
    if state != "running" or isinstance(told, KubeError):
        memory.writing.pop(node.name, None)
        memory.ready.pop(node.name, None)
        return Server(node.name, None, file, state, trouble, node.settings.automatic_reload, kept)
    memory.note_ready(node.name, told)
    loaded = _loaded(node, told)
    if loaded is None:
        loaded_said = f"it says that it has loaded {told.loaded or 'nothing that it names'}"
        trouble = trouble or (f"{told.version} does not say it" if is_too_old(told.version) else loaded_said)
        memory.writing.pop(node.name, None)
    seen_for = 0.0 if loaded is None else memory.writing_for(node.name, loaded, told)
    proof = (node.name, told.loaded or "", told.started_at)
    return Server(
        node.name,
        loaded,
        file,
        "running",
        node.trouble or trouble,
        node.settings.automatic_reload,
        kept,
        writes_for=max(told.unchanged_for, seen_for),
        ready=told.ready,
        unready=told.unready,
        canary=proof in memory.tried,
        listed=proof in memory.listed,
        version=told.version,
    )


def _file(node: OnNode) -> Providers:
    return node.configured.providers if node.configured else {}


def _state(node: OnNode, told: Evidence | KubeError) -> tuple[ServerState, str]:
    if not node.processes and node.strangers:
        numbers = ", ".join(str(each.pid) for each in node.strangers)
        return "unanswered", f"no kube-apiserver on its node has the address and port of its manifest, only {numbers}"
    if not node.processes:
        return "stopped", "no kube-apiserver runs on its node"
    if isinstance(told, KubeError):
        return "unanswered", str(told)
    if len(node.processes) > 1:
        return "unanswered", f"{len(node.processes)} of its processes run, of which one is ending"
    if abs(told.started_at - node.processes[0].started) > _SAME_START_SECONDS:
        return "unanswered", f"what answers at {node.address} is another process than the one on its node"
    return "running", ""


def _told_apart(told: Mapping[str, Evidence | KubeError]) -> dict[str, Evidence | KubeError]:
    """What the servers say; two that give the same identity are one, and what balances between them proves nothing."""
    identities = Counter(each.identity for each in told.values() if isinstance(each, Evidence) and each.identity)
    return {
        name: KubeError("the same API server answers at the addresses of several nodes")
        if isinstance(each, Evidence) and identities[each.identity] > 1
        else each
        for name, each in told.items()
    }


def _loaded(node: OnNode, told: Evidence) -> Providers | None:
    """What the running process reads and writes with; ``None`` where it cannot be told."""
    if not any(process.configuration for process in node.processes):
        return {}
    if told.loaded and told.loaded == node.configuration.hash and node.configured:
        return node.configured.providers
    remembered = node.history.get(told.loaded or "")
    return remembered.providers if remembered else None


def _aged(memory: Memory) -> Histogram | None:
    if memory.histogram is None:
        return None
    of = memory.histogram
    return replace(of, age=time.monotonic() - memory.scanned, took=memory.scan_took)
