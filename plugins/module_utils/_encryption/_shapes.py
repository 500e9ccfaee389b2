# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what is known of a cluster's encryption at rest, what is wanted, and what to do next.

No key material is in any of these shapes: a key is its provider, its name and its fingerprint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Literal

PREFIXES: Mapping[str, str] = {
    "aescbc": "k8s:enc:aescbc:v1:{}:",
    "aesgcm": "k8s:enc:aesgcm:v1:{}:",
    "secretbox": "k8s:enc:secretbox:v1:{}:",
    "kms_v1": "k8s:enc:kms:v1:{}:",
    "kms_v2": "k8s:enc:kms:v2:{}:",
    "identity": "",
}
"""What a value in etcd starts with, by provider: ``apiserver/pkg/server/options/encryptionconfig/config.go``."""

FIRST_THAT_TELLS = (1, 34)
"""The first version of API servers that say by themselves which configuration they have loaded."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_MATERIAL_ELSEWHERE = frozenset({"identity", "kms_v1", "kms_v2"})


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A key of an EncryptionConfiguration, a KMS plugin by its name, or ``identity``, which writes plain text."""

    provider: str
    name: str = ""
    fingerprint: str = ""

    @property
    def prefix(self) -> str:
        """With what every value starts that this key wrote. A name may hold colons, so it is compared as a whole."""
        return PREFIXES[self.provider].format(self.name)

    @property
    def has_material(self) -> bool:
        """Whether there are bytes to keep: a KMS keeps its own, and ``identity`` has none."""
        return self.provider not in _MATERIAL_ELSEWHERE

    @property
    def told(self) -> dict[str, str]:
        """As results and records name it."""
        return {"provider": self.provider, "name": self.name, "fingerprint": self.fingerprint}

    def __str__(self) -> str:
        return f"{self.provider} key {self.name}" if self.has_material else f"{self.provider} {self.name}".strip()


IDENTITY = Key("identity")

Providers = Mapping[str, tuple[Key, ...]]
"""An EncryptionConfiguration: by resource, the keys in the order of its ``providers``; the first one writes, and all
read. The resources are those of its ``resources``, such as ``secrets`` or ``*.apps``, of which the narrowest counts.
Empty is an API server without ``--encryption-provider-config``."""

ServerState = Literal["running", "stopped", "unanswered"]


@dataclass(frozen=True, slots=True)
class Server:
    """A kube-apiserver, its node's file, and what was proved of the process that runs now.

    ``loaded`` is what it says itself that it has loaded (``apiserver_encryption_config_controller_last_config_info``),
    ``None`` where these bytes are not known to us; ``file`` is what lies on its node, ``None`` where it could not be
    read or is unsound. ``trouble`` says why either is ``None``, or why the server could not be asked. ``kept`` are the
    keys in the node's key file. ``writes_for`` are the seconds since it certainly writes with its present first keys.
    ``ready`` is what its ``/readyz`` says: one that cannot read its own Secrets, as those of bootstrap tokens, is not.
    ``unready`` are the checks in it that fail, as ``etcd``.
    ``canary``: an object was written through it, read through every other server, and seen in etcd under the right
    prefix. ``listed``: since it loaded what it has, it has answered a LIST of every object. ``version`` is its own,
    like ``v1.34.1``, empty where it is not known.
    """

    name: str
    loaded: Providers | None
    file: Providers | None
    state: ServerState = "running"
    trouble: str = ""
    automatic_reload: bool = True
    kept: frozenset[Key] = frozenset()
    writes_for: float = 0
    ready: bool = True
    unready: tuple[str, ...] = ()
    canary: bool = False
    listed: bool = False
    version: str = ""

    @property
    def is_too_old(self) -> bool:
        """Whether it cannot say what it has loaded."""
        return is_too_old(self.version)


def is_too_old(version: str) -> bool:
    """Whether API servers of a version do not say what they have loaded; of one that is not known nothing is said."""
    said = _VERSION.match(version)
    return said is not None and (int(said[1]), int(said[2])) < FIRST_THAT_TELLS


@dataclass(frozen=True, slots=True)
class Histogram:
    """A scan of etcd at one revision: by resource, how many values start with which prefix; ``""`` is plain text.

    The resources are those of the goal, and a value counts for the narrowest of them.
    ``age`` are the seconds since the scan began, ``took`` how long it was, ``counted`` is how many objects the API
    counts at the same revision. ``outdated`` counts values that have the right prefix and were written under a former
    key of the KMS (its keyID). ``revision`` is etcd's, at which all this was counted.
    """

    counts: Mapping[str, Mapping[str, int]]
    counted: Mapping[str, int]
    age: float = 0
    outdated: Mapping[str, int] = field(default_factory=dict)
    took: float = 0
    revision: int = 0


Asked = Literal["enable", "rotate", "disable", "roll_back"]


@dataclass(frozen=True, slots=True)
class Intent:
    """The journal of a run that has not finished: what it was asked for, by resource to which key and from which."""

    asked: Asked
    write: Mapping[str, Key]
    former: Mapping[str, Key]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides the next step. ``servers`` stand in the order in which they are to be changed.

    ``histogram`` is ``None`` while etcd has not been scanned since something was written, and ``unscannable`` says why
    it cannot be. ``available`` are keys whose material this run can get, apart from the nodes' files. ``escrow`` are
    those that the operator's vault has, ``None`` where there is no vault. ``grace`` are the seconds after which no
    request of an API server with a former configuration can still write: its ``--request-timeout`` and
    ``--shutdown-delay-duration``, and twice the former's default where they are not known. ``rounds`` counts how often
    the run has gone through the objects, ``stuck`` lists those that could not be rewritten. ``scrubbed``: etcd was
    compacted and defragmented after the last of them. ``sources`` are the names of the servers by
    each source that knows them. ``obstacles`` are what else the preflight found, one sentence each;
    ``hindrances`` are those that do not keep a server from being given a key that it lacks now.
    """

    servers: tuple[Server, ...]
    histogram: Histogram | None = None
    unscannable: str = ""
    available: frozenset[Key] = frozenset()
    escrow: frozenset[Key] | None = None
    grace: float = 120
    rounds: int = 0
    stuck: tuple[str, ...] = ()
    scrubbed: bool = False
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    hindrances: tuple[str, ...] = ()
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What a walk was asked for, and by resource the key that shall have written every value.

    It names every resource that any server's configuration names. ``keeps`` are keys that shall be read in the end,
    too. With ``scrub``, old bytes are removed from etcd.
    """

    write: Mapping[str, Key]
    asked: Asked = "enable"
    keeps: tuple[Key, ...] = ()
    scrub: bool = True


class State(IntEnum):
    """Where a walk stands."""

    PREFLIGHT = 0
    PLAN = 1
    READ_NEW = 2
    WRITE_NEW = 3
    REENCRYPT = 4
    VERIFY = 5
    DROP_OLD = 6
    SCRUB = 7
    DONE = 8


class Action(Enum):
    """What is to be done now. Each may be done again, and be cut off anywhere.

    ``BEGIN``: write the journal to every node. ``KEEP_KEY``: put the keys into the nodes' key files and the vault, and
    read their fingerprints back. ``CONFIGURE``: write the servers' files, in any order or all at once. ``LOAD``: see
    that the servers load their files, restarting those one at a time that do not reload by themselves. ``TRY``: write
    the canary through the server. ``SETTLE``: wait. ``SCAN``: make the histogram anew. ``REENCRYPT``: rewrite what the
    new key did not write; the histogram is no longer known then. ``LIST``: list all through the servers. ``SCRUB``:
    compact and defragment etcd. ``FINISH``: update kubeadm's ClusterConfiguration, remove the keys that are named from
    the nodes' key files, close the journal.
    """

    REFUSE = "refuse"
    BEGIN = "begin"
    KEEP_KEY = "keep_key"
    CONFIGURE = "configure"
    LOAD = "load"
    TRY = "try"
    SETTLE = "settle"
    SCAN = "scan"
    REENCRYPT = "reencrypt"
    LIST = "list"
    SCRUB = "scrub"
    FINISH = "finish"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to do, and ``why``: what it waits for, or why it is refused, in one or two sentences.

    ``files`` has the new file by server for ``CONFIGURE``, ``keys`` what to keep for ``KEEP_KEY``, ``objects`` how
    many there are to rewrite for ``REENCRYPT``, ``seconds`` how long to wait for ``SETTLE``.
    """

    action: Action
    state: State
    why: str
    servers: tuple[str, ...] = ()
    files: Mapping[str, Providers] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()
    objects: int = 0
    seconds: float = 0
