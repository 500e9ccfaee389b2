# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a cluster's encryption is judged by, and what is demanded of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import Snapshot
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Facts,
    Goal,
    Key,
    Providers,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._soundness import Remark
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import possible, standing

Upgrade = Literal["kept", "lost", "not_kubeadm", "unseen"]


@dataclass(frozen=True, slots=True)
class Demanded:
    """What shall be: ``provider`` is secretbox, aescbc, aesgcm or kms, empty for any that is strong enough.

    ``age_days`` is how old the writing key may become, 0 for any age. ``plain_text``: servers may read plain text too.
    """

    resources: tuple[str, ...]
    provider: str = ""
    age_days: int = 0
    plain_text: bool = False


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A file or directory on a node: ``mode`` as ``0600``, ``owner`` by number, ``kind`` ``file`` or ``directory``."""

    path: str
    mode: str
    owner: int
    kind: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """The facts, and what was seen besides; each mapping is by name of the server, and lacks what could not be seen.

    ``remarks`` are those on the node's configuration, empty where there is none. ``files`` are those with keys, and
    their directories. ``since`` is when a key was first seen, for keys whose name does not tell. ``upgrade`` says
    whether kubeadm's ClusterConfiguration keeps the encryption, and ``upgrade_told`` why not, or why it is not known.
    ``vault_trouble`` says why the vault that is named could not be looked into, ``untold`` why nobody tells which API
    servers there are. ``aesgcm_writes`` is how many values the servers have written with aesgcm since they started.
    """

    facts: Facts
    now: datetime
    remarks: Mapping[str, tuple[Remark, ...]] = field(default_factory=dict)
    files: Mapping[str, tuple[NodeFile, ...]] = field(default_factory=dict)
    since: Mapping[Key, datetime] = field(default_factory=dict)
    snapshots: tuple[Snapshot, ...] = ()
    upgrade: Upgrade = "unseen"
    upgrade_told: str = ""
    vault_trouble: str = ""
    untold: str = ""
    aesgcm_writes: int = 0

    @property
    def configured(self) -> frozenset[str]:
        """Every resource that a server's configuration names."""
        return frozenset(each for server in self.facts.servers for said in possible(server) for each in said)

    @property
    def known(self) -> Mapping[str, Key]:
        """Every key that a server, a node or the vault has, by its prefix."""
        return standing(self.facts, Goal({})).known

    def loaded(self) -> Iterator[tuple[Server, Providers]]:
        """The servers of which is proved what they have loaded."""
        for server in self.facts.servers:
            if server.state == "running" and server.loaded is not None:
                yield server, server.loaded

    def unproved(self) -> list[str]:
        """The servers of which it is not."""
        proved = {server.name for server, _loaded in self.loaded()}
        return [server.name for server in self.facts.servers if server.name not in proved]

    def writers(self, resource: str) -> frozenset[Key]:
        """The keys that the servers write a resource with."""
        return frozenset(keys_of(loaded, resource)[0] for _server, loaded in self.loaded())
