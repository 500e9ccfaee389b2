# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what etcd holds, asked on a node with the certificate of that node's API server.

No value leaves the node: what comes back are prefixes, counts, names of keys and how the members are.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Manifest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._prefixes import Place, places_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import breadth
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import PREFIXES, Histogram
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._unreadable import says_unreadable
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._node._etcd import PLAIN, UNRECOGNISED
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import count_at
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused, Nodes

PROGRAM = "_etcd"
NOT_TO_BE_LOOKED_INTO = frozenset({"gateway_off", "auth_on"})
"""Refusals that stay until somebody changes how etcd is started or guarded: what it holds is unknown then."""

_NO_NODE = "No control plane node answers that could ask etcd."
_SCAN_SECONDS = 900.0
_SNAPSHOT_SECONDS = 3600.0
_STATUS_SECONDS = 30.0
_MOST_SCANS = 3
_GONE = 410
_KMS_V2 = PREFIXES["kms_v2"].partition("{")[0]


class Unserved(HardeningError):
    """Values in etcd whose resource no API server serves, at least not yet."""


@dataclass(frozen=True, slots=True)
class Etcd:
    """How the API server of a node reaches etcd; the paths are those on its node, where kubeadm mounts them alike.

    ``elsewhere`` are the endpoints of those resources that ``--etcd-servers-overrides`` keeps apart.
    """

    endpoints: tuple[str, ...]
    ca: str = ""
    certificate: str = ""
    key: str = ""
    prefix: str = "/registry"
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, said: Manifest) -> Etcd:
        """What the flags of a kube-apiserver say."""
        return cls(
            _listed(said.flag("etcd-servers"), ","),
            said.flag("etcd-cafile"),
            said.flag("etcd-certfile"),
            said.flag("etcd-keyfile"),
            said.flag("etcd-prefix") or "/registry",
            _overrides(said.flag("etcd-servers-overrides")),
        )

    def reach(self, endpoints: Sequence[str] = ()) -> dict[str, Any]:
        """As every operation of the program takes it."""
        return {
            "endpoints": list(endpoints or self.endpoints),
            "ca": self.ca,
            "certificate": self.certificate,
            "key": self.key,
        }

    def holding(self, resource: str) -> tuple[str, ...]:
        """The endpoints behind which the values of a resource are."""
        return self.elsewhere.get(resource, self.endpoints)


@dataclass(frozen=True, slots=True)
class Etcds:
    """etcd as it can be asked on every control plane node, by node."""

    nodes: Nodes
    by_node: Mapping[str, Etcd]

    @classmethod
    def of(cls, nodes: Nodes, on_node: Mapping[str, OnNode]) -> Etcds:
        return cls(nodes, {name: Etcd.of(node.said) for name, node in on_node.items()})

    @property
    def prefix(self) -> str:
        """Below which key the servers keep everything."""
        for etcd in self.by_node.values():
            return etcd.prefix
        raise HardeningError(_NO_NODE)

    def ask(self, operation: str, timeout: float, **arguments: Any) -> Any:
        """The result of an operation on the first node that reaches etcd."""
        return self.ask_of(lambda etcd: etcd.endpoints, operation, timeout, **arguments)

    def ask_of(
        self, endpoints: Callable[[Etcd], Sequence[str]], operation: str, timeout: float, **arguments: Any
    ) -> Any:
        """The same, at the endpoints that a function of each node's :class:`Etcd` names."""
        troubles: list[NodeError] = []
        for name, etcd in self.by_node.items():
            try:
                return self.at(name, endpoints(etcd), operation, timeout, **arguments)
            except NodeRefused as error:
                if error.kind != "unreachable":
                    raise
                troubles.append(error)
            except NodeError as error:
                troubles.append(error)
        raise troubles[0] if troubles else HardeningError(_NO_NODE)

    def at(self, node: str, endpoints: Sequence[str], operation: str, timeout: float, **arguments: Any) -> Any:
        """The result of an operation on this node."""
        call = operation, {"etcd": self.by_node[node].reach(endpoints), **arguments}
        return self.nodes.ask(node, PROGRAM, [call], timeout=timeout)[0]

    def servers(self) -> frozenset[str]:
        """The addresses of the API servers that have said in etcd, within the last 15 seconds, that they run."""
        return frozenset(self.ask("servers", _STATUS_SECONDS, etcd_prefix=self.prefix))

    def prefix_at(self, key: str, known: Iterable[str]) -> str | None:
        """What the value of a key starts with, ``""`` for plain text; ``None`` where there is no such key."""
        found: str | None = self.ask("prefix_at", _STATUS_SECONDS, key=key, prefixes=sorted(known))
        return found

    def snapshot(self, node: str, path: str) -> dict[str, Any]:
        """A snapshot in a new file on a node, 0600: {path, node, revision, bytes, hash}."""
        endpoints = self.by_node[node].endpoints
        return {"node": node, "path": path, **self.at(node, endpoints, "snapshot", _SNAPSHOT_SECONDS, path=path)}


@dataclass(frozen=True, slots=True)
class Scan:
    """What the values in etcd begin with, at one revision, by name of the goal.

    ``bytes`` is the size of all values. ``began`` is when the scan began (``time.monotonic``). ``counted`` is how many
    objects the API counts at the same revision; names of which no API server can read all values are missing there.
    ``undated`` are names and prefixes of a KMS v2 plugin of which it was
    not known with which of its keys it writes now.
    """

    counts: Mapping[str, Mapping[str, int]]
    counted: Mapping[str, int]
    outdated: Mapping[str, int]
    bytes: int
    revision: int
    began: float
    undated: frozenset[tuple[str, str]] = frozenset()

    @property
    def histogram(self) -> Histogram:
        """As a walk is decided from it, of the age that it has now."""
        return Histogram(
            self.counts, self.counted, time.monotonic() - self.began, self.outdated, revision=self.revision
        )


def scan(
    etcds: Etcds,
    clients: Sequence[Client],
    served: Iterable[str],
    names: Collection[str],
    known: Iterable[str],
    kms: Mapping[str, str] | None = None,
) -> Scan:
    """Look at every value of what the names mean, and have the API count its objects at the same revision.

    ``clients`` reach the API servers, of which one that cannot read every value cannot count, and the next is asked.
    ``known`` are the prefixes of all keys that anything names. ``kms`` is, by prefix of a KMS v2 plugin, the
    ``sha256:…`` of the id of the key that it writes with now; values under another id are ``outdated``.

    Raises NodeError where etcd cannot be looked into (kinds ``NOT_TO_BE_LOOKED_INTO``), and KubeError.
    """
    places = places_of(served, names, etcds.prefix)
    known = frozenset(known)
    for again in range(_MOST_SCANS, 0, -1):
        began = time.monotonic()
        try:
            found = [_scanned(etcds, apart, known, kms or {}) for apart in _apart(etcds, places)]
            counted = _counted(clients, names, found)
        except (KubeError, NodeRefused) as error:
            if again == 1 or not _is_compacted(error):
                raise
        else:
            return _together(names, found, counted, began)
    raise AssertionError


@dataclass(frozen=True, slots=True)
class _Found:
    """What a scan of some places found, which are behind the same endpoints and so have one revision."""

    places: tuple[Place, ...]
    revision: int
    counts: Mapping[str, Mapping[str, int]]
    bytes: Mapping[str, int]
    outdated: Mapping[str, int]
    undated: frozenset[tuple[str, str]]

    def is_plain(self, place: Place) -> bool:
        return self.counts[place.directory].keys() <= {PLAIN}


def _apart(etcds: Etcds, places: Iterable[Place]) -> list[tuple[Place, ...]]:
    """The places by where their values are: all in one etcd, unless ``--etcd-servers-overrides`` says otherwise."""
    by_endpoints: dict[tuple[str, ...], list[Place]] = {}
    first = next(iter(etcds.by_node.values()), Etcd(()))
    for place in places:
        by_endpoints.setdefault(first.holding(place.resource), []).append(place)
    return [tuple(each) for each in by_endpoints.values()]


def _scanned(etcds: Etcds, places: tuple[Place, ...], known: Collection[str], kms: Mapping[str, str]) -> _Found:
    rest = [_whole(etcds.prefix)] if any(breadth(place.name) for place in places) else []
    found = etcds.ask_of(
        lambda etcd: etcd.holding(places[0].resource),
        "scan",
        _SCAN_SECONDS,
        directories=[*(place.directory for place in places), *rest],
        prefixes=sorted(known),
        kms=sorted(prefix for prefix in {*known, *kms} if prefix.startswith(_KMS_V2)),
    )
    for directory in (*rest, *(place.directory for place in places if not place.is_served)):
        _refuse_strays(found["counts"][directory])
    sizes = {place.directory: found["bytes"][place.directory] for place in places}
    by_place = {place: found["key_ids"].get(place.directory, {}) for place in places}
    outdated = {place.directory: _outdated(ids, kms) for place, ids in by_place.items()}
    undated = frozenset((place.name, prefix) for place, ids in by_place.items() for prefix in ids.keys() - kms.keys())
    return _Found(places, found["revision"], found["counts"], sizes, outdated, undated)


def _whole(prefix: str) -> str:
    """The directory with all that the API servers have."""
    return "/".join(("", *filter(None, prefix.split("/")), ""))


def _refuse_strays(rest: Mapping[str, int]) -> None:
    """What no server serves now can be meant all the same: its values cannot be rewritten, or counted."""
    strays = {prefix: number for prefix, number in rest.items() if prefix not in (PLAIN, UNRECOGNISED)}
    if strays:
        told = ", ".join(f"{number} with «{prefix}»" for prefix, number in sorted(strays.items()))
        raise Unserved(
            f"etcd holds encrypted values of resources that no API server serves now: {told}. They could not be read "
            "any more once their key is dropped: have their API served (--runtime-config, the versions of a "
            "CustomResourceDefinition), and run again."
        )


def _outdated(key_ids: Mapping[str, Mapping[str, int]], kms: Mapping[str, str]) -> int:
    return sum(
        number
        for prefix, by_id in key_ids.items()
        for key_id, number in by_id.items()
        if prefix in kms and f"sha256:{sha256(key_id.encode()).hexdigest()}" != kms[prefix]
    )


def _counted(clients: Sequence[Client], names: Iterable[str], found: Iterable[_Found]) -> dict[str, int]:
    """By name of the goal, how many objects the API counts at the revision of the scan, where a server can."""
    wanted = [(each, place) for each in found for place in each.places if place.is_served]
    numbers: dict[str, list[int | None]] = {name: [] for name in names}
    for (_each, place), number in zip(
        wanted, clients[0].parallel(lambda of: _count(clients, *of), wanted), strict=True
    ):
        numbers[place.name].append(number)
    return {name: sum(filter(None, counts)) for name, counts in numbers.items() if None not in counts}


def _count(clients: Sequence[Client], found: _Found, place: Place) -> int | None:
    """None where every server cannot read one of the values: which key it lacks is what the user has to hear."""
    for client in clients:
        try:
            return count_at(client, place.resource, found.revision)
        except KubeError as error:
            if found.is_plain(place) or not says_unreadable(str(error)):
                raise
    return None


def _together(names: Iterable[str], found: Sequence[_Found], counted: Mapping[str, int], began: float) -> Scan:
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    outdated: Counter[str] = Counter()
    for each in found:
        for place in each.places:
            counts[place.name].update(each.counts[place.directory])
            outdated[place.name] += each.outdated.get(place.directory, 0)
    return Scan(
        {name: dict(counter) for name, counter in counts.items()},
        counted,
        {name: number for name, number in outdated.items() if number},
        sum(sum(each.bytes.values()) for each in found),
        max((each.revision for each in found), default=0),
        began,
        frozenset().union(*(each.undated for each in found)),
    )


def _is_compacted(error: KubeError | NodeRefused) -> bool:
    return error.status == _GONE if isinstance(error, KubeError) else error.kind == "compacted"


def _listed(text: str, separator: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(separator) if each.strip())


def _overrides(text: str) -> dict[str, tuple[str, ...]]:
    """By resource the endpoints, of ``group/resource#server;server,…`` (``--etcd-servers-overrides``)."""
    return dict(map(_override, _listed(text, ",")))


def _override(text: str) -> tuple[str, tuple[str, ...]]:
    of, _hash, endpoints = text.partition("#")
    group, _slash, resource = of.partition("/")
    return f"{resource}.{group}" if group else resource, _listed(endpoints, ";")
