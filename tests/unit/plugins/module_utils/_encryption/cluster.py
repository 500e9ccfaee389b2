# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose keys are changed, small enough to go through every state that it can get into.

A key is a letter, a configuration the letters that it reads, the writing one first, and ``""`` an API server without
the flag, which is ``I``, identity. Between any two things that a walk does, a server may load its file, stop or start,
writers write with whatever their server has loaded, and the run may be killed, after which it knows only what it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from typing import NamedTuple

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Action,
    Facts,
    Goal,
    Histogram,
    Intent,
    Key,
    Providers,
    Server,
    Step,
)

Letters = frozenset[str]

KEYS = {"I": IDENTITY, **{letter: Key("secretbox", letter, f"fingerprint of {letter}") for letter in "ABC"}}
LETTERS = {key: letter for letter, key in KEYS.items()}
RESOURCE = "secrets"
NONE: Letters = frozenset()
GRACE = 100
SCANNED_BEFORE = 10


class Node(NamedTuple):
    """An API server and its node. ``loaded`` is ``None`` while it is off, ``decided`` what is about to be written."""

    file: str
    loaded: str | None
    kept: Letters = NONE
    decided: str | None = None
    settled: bool = False
    canary: bool = False
    listed: bool = False

    def possible(self) -> tuple[str, ...]:
        """The configurations with which it may answer, now or later."""
        return (self.file,) if self.loaded is None else (self.file, self.loaded)


class Cluster(NamedTuple):
    """All there is. ``flying`` are the keys of writes that a server with a former configuration has yet to finish.

    ``scan`` is what the run saw in etcd, ``conclusive`` whether that was after every former write. ``vault`` are the
    keys that the operator's vault has, ``None`` where there is none.
    """

    nodes: tuple[Node, ...]
    stored: Letters
    flying: Letters = NONE
    scan: Letters | None = None
    conclusive: bool = False
    vault: Letters | None = None


@cache
def reads(configuration: str) -> Letters:
    return frozenset(configuration or "I")


def writes(configuration: str) -> str:
    return (configuration or "I")[0]


def subsets(letters: str) -> list[Letters]:
    return [frozenset(each) for size in range(len(letters) + 1) for each in combinations(letters, size)]


def configurations(letters: str) -> list[str]:
    """Every configuration of these keys."""
    made = [first + "".join(sorted(others)) for first in letters for others in subsets(letters) if first not in others]
    return [*made, ""] if "I" in letters else made


# What may happen without the walk.


def set_node(cluster: Cluster, place: int, node: Node) -> Cluster:
    nodes = cluster.nodes
    return cluster._replace(nodes=(*nodes[:place], node, *nodes[place + 1 :]))


def load(cluster: Cluster, place: int) -> Cluster:
    """A server loads its file, or starts with it."""
    node = cluster.nodes[place]
    same = node.loaded is not None and writes(node.loaded) == writes(node.file)
    loaded = node._replace(loaded=node.file, settled=node.settled and same, canary=False, listed=False)
    after = set_node(cluster, place, loaded)
    if same:
        return after
    flying = cluster.flying if node.loaded is None else cluster.flying | {writes(node.loaded)}
    return after._replace(flying=flying, conclusive=False)


def stop(cluster: Cluster, place: int) -> Cluster:
    node = cluster.nodes[place]
    after = set_node(cluster, place, node._replace(loaded=None, settled=False, canary=False, listed=False))
    return after._replace(flying=cluster.flying | {writes(node.loaded or "")}, conclusive=False)


def kill(cluster: Cluster) -> Cluster:
    """The run is killed: the next one knows nothing but what it can see."""
    nodes = tuple(node._replace(decided=None, settled=False, canary=False, listed=False) for node in cluster.nodes)
    return cluster._replace(nodes=nodes, scan=None, conclusive=False)


def happenings(cluster: Cluster, may_stop: bool) -> Iterator[Cluster]:
    """What servers do by themselves."""
    for place, node in enumerate(cluster.nodes):
        if node.loaded != node.file:
            yield load(cluster, place)
        if may_stop and node.loaded is not None:
            yield stop(cluster, place)


# What the walk does. A step comes to several clusters where it can be cut off half way, or where writers interfere.


def carried_out(cluster: Cluster, step: Step) -> list[Cluster]:
    """What may come of a step; the last one is where most of it was done."""
    return _DOING[step.action](cluster, step)


def write_decided(cluster: Cluster) -> list[Cluster]:
    """One of the files that were decided is written."""
    return [
        set_node(cluster, place, node._replace(file=node.decided, decided=None))
        for place, node in enumerate(cluster.nodes)
        if node.decided is not None
    ]


def _decide(cluster: Cluster, step: Step) -> list[Cluster]:
    nodes = list(cluster.nodes)
    for name, providers in step.files.items():
        nodes[int(name)] = nodes[int(name)]._replace(decided=letters_of(providers))
    return [cluster._replace(nodes=tuple(nodes))]


def _load(cluster: Cluster, step: Step) -> list[Cluster]:
    return [load(cluster, int(name)) for name in step.servers]


def _keep(cluster: Cluster, step: Step) -> list[Cluster]:
    keys = frozenset(LETTERS[key] for key in step.keys)
    nodes = {int(name): cluster.nodes[int(name)] for name in step.servers}
    on_one = [set_node(cluster, place, node._replace(kept=node.kept | keys)) for place, node in nodes.items()]
    if cluster.vault is None or keys <= cluster.vault:
        return on_one
    return [*on_one, cluster._replace(vault=cluster.vault | keys)]


def _try(cluster: Cluster, step: Step) -> list[Cluster]:
    place = int(step.servers[0])
    return [set_node(cluster, place, cluster.nodes[place]._replace(canary=True))]


def _settle(cluster: Cluster, _step: Step) -> list[Cluster]:
    nodes = tuple(node._replace(settled=True) for node in cluster.nodes)
    return [each._replace(nodes=nodes, flying=NONE) for each in _written(cluster)]


def _scan(cluster: Cluster, _step: Step) -> list[Cluster]:
    conclusive = all(node.settled for node in cluster.nodes)
    return [each._replace(scan=each.stored, conclusive=conclusive) for each in _written(cluster)]


def _written(cluster: Cluster) -> list[Cluster]:
    """Writers had, or had not, written with each key that a server writes with, before this is looked at."""
    loaded = {writes(node.loaded) for node in cluster.nodes if node.loaded is not None}
    added = subsets("".join(sorted((loaded | cluster.flying) - cluster.stored)))
    return [cluster._replace(stored=cluster.stored | each) for each in added]


def _reencrypt(cluster: Cluster, _step: Step) -> list[Cluster]:
    """Cut off half way, or all of it; a server rewrites with its own key."""
    writing = frozenset(writes(node.loaded) for node in cluster.nodes if node.loaded is not None)
    begun = cluster._replace(scan=None, conclusive=False)
    return [begun._replace(stored=cluster.stored | writing), begun._replace(stored=writing)]


def _list(cluster: Cluster, _step: Step) -> list[Cluster]:
    """Only a server that reads everything answers a LIST."""
    nodes = tuple(node._replace(listed=cluster.stored <= reads(node.loaded or "")) for node in cluster.nodes)
    return [cluster._replace(nodes=nodes)]


_DOING: dict[Action, Callable[[Cluster, Step], list[Cluster]]] = {
    Action.CONFIGURE: _decide,
    Action.LOAD: _load,
    Action.KEEP_KEY: _keep,
    Action.TRY: _try,
    Action.SETTLE: _settle,
    Action.SCAN: _scan,
    Action.REENCRYPT: _reencrypt,
    Action.LIST: _list,
}


# What the walk is told.


@cache
def providers_of(configuration: str) -> Providers:
    return {RESOURCE: tuple(KEYS[letter] for letter in configuration)} if configuration else {}


def letters_of(providers: Providers) -> str:
    """The order among the keys that only read does not matter, so that fewer clusters differ."""
    keys = [LETTERS[key] for key in providers.get(RESOURCE, ())]
    return "".join((*keys[:1], *sorted(keys[1:])))


@cache
def _server(name: int, node: Node, automatic_reload: bool) -> Server:
    return Server(
        name=str(name),
        loaded=None if node.loaded is None else providers_of(node.loaded),
        file=providers_of(node.file),
        automatic_reload=automatic_reload,
        state="stopped" if node.loaded is None else "running",
        kept=frozenset(KEYS[letter] for letter in node.kept),
        writes_for=GRACE + 2 * SCANNED_BEFORE if node.settled else 0,
        canary=node.canary,
        listed=node.listed,
    )


@cache
def _histogram(scan: Letters, conclusive: bool) -> Histogram:
    counts = {KEYS[letter].prefix: 1 for letter in scan}
    return Histogram({RESOURCE: counts}, {RESOURCE: len(scan)}, SCANNED_BEFORE if conclusive else 3 * SCANNED_BEFORE)


def facts_of(
    cluster: Cluster, goal: Goal, obtainable: str = "", begin_with: int = 0, automatic_reload: bool = True
) -> Facts:
    """What the run sees. ``obtainable`` are keys that it can get from elsewhere, ``begin_with`` the first in order."""
    servers = [_server(place, node, automatic_reload) for place, node in enumerate(cluster.nodes)]
    return Facts(
        servers=(*servers[begin_with:], *servers[:begin_with]),
        histogram=None if cluster.scan is None else _histogram(cluster.scan, cluster.conclusive),
        available=frozenset(KEYS[letter] for letter in obtainable),
        escrow=None if cluster.vault is None else frozenset(KEYS[letter] for letter in cluster.vault),
        grace=GRACE,
        scrubbed=True,
        intent=Intent("rotate", goal.write, {}),
    )


def canonical(cluster: Cluster) -> Cluster:
    """The same for clusters that differ only in the names of their nodes."""
    return cluster._replace(nodes=tuple(sorted(cluster.nodes, key=_sorting)))


@cache
def _sorting(node: Node) -> tuple[str, ...]:
    return tuple(str(sorted(each) if isinstance(each, frozenset) else each) for each in node)
