# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: looks at a cluster's encryption at rest, at its nodes, its servers and its etcd."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._foresee import foresee
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._goals import Wanted, goal_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import (
    Demanded,
    Inspected,
    NodeFile,
    Upgrade,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._kubeadm import (
    read_cluster_configuration,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Facts, Goal, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._soundness import Remark, remarks_on
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import possible, standing
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._escrow import Escrow
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import Etcds, scan
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Gatherer, Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._finish import cluster_configuration
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._kms import kms_of, refuse_undated
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import KEYS, STATE, File, OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

_PROVIDERS = {"": "secretbox", "kms": "kms_v2"}
_AESGCM = "k8s:enc:aesgcm:"
_NEW = "new"
"""What stands for a key that is not made yet."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a cluster takes: ``client`` waits for a server that left, ``gatherer`` does not."""

    client: Client
    nodes: Nodes
    gatherer: Gatherer
    served: Collection[str]
    escrow: Escrow | None = None

    def inspected(self, demanded: Demanded) -> tuple[Inspected, Seen]:
        """Everything that the findings are made from, and the facts as they were gathered.

        What cannot be looked at is missing there. Raises HardeningError where a node is not one of a control plane.
        """
        seen = self.gatherer.seen(Memory())
        facts, vault_trouble = self._with_vault(seen.facts)
        facts = self._with_scan(facts, seen, demanded)
        upgrade, upgrade_told = self._upgrade(seen)
        found = Inspected(
            facts,
            datetime.now(UTC),
            remarks={name: _remarks(node) for name, node in seen.on_node.items() if not node.trouble},
            files=self._files(seen.on_node),
            since=dict(_since(seen.on_node)),
            snapshots=tuple(dict.fromkeys(each for node in seen.on_node.values() for each in node.snapshots)),
            upgrade=upgrade,
            upgrade_told=upgrade_told,
            vault_trouble=vault_trouble,
            untold=seen.untold,
            aesgcm_writes=_aesgcm_writes(seen),
        )
        return found, seen

    def _with_vault(self, facts: Facts) -> tuple[Facts, str]:
        if self.escrow is None:
            return facts, ""
        try:
            return replace(facts, escrow=self.escrow.known()), ""
        except HardeningError as error:
            return facts, str(error)

    def _with_scan(self, facts: Facts, seen: Seen, demanded: Demanded) -> Facts:
        """The facts with a histogram of all that is demanded or configured, or with why there is none."""
        in_force = [said for server in facts.servers for said in possible(server)]
        configured = {name for said in in_force for name in said}
        known = standing(facts, Goal({})).known
        clients = [*seen.clients.values()] or [self.client]
        try:
            etcds = Etcds.of(self.nodes, seen.on_node)
            kms = kms_of(seen.told.values())
            found = scan(etcds, clients, self.served, configured.union(demanded.resources), known, kms)
            refuse_undated(found, [(name, keys[0]) for said in in_force for name, keys in said.items() if keys])
        except HardeningError as error:
            return replace(facts, unscannable=str(error))
        return replace(facts, histogram=found.histogram)

    def _files(self, on_node: Mapping[str, OnNode]) -> dict[str, tuple[NodeFile, ...]]:
        """The files with keys, and the directories that they are in, of each node that shows them."""
        calls = {name: [("read", {"paths": [node.settings.directory, STATE]})] for name, node in on_node.items()}
        files = {}
        for name, answer in self.nodes.ask_each(calls, "_files").items():
            if isinstance(answer, NodeError):
                continue
            node = on_node[name]
            directories = {path: each for path, each in answer[0].items() if each and _is_ours(path, node)}
            files[name] = (
                *(NodeFile(path, each["mode"], each["owner"], each["kind"]) for path, each in directories.items()),
                *(NodeFile(file.path, file.mode, file.owner, file.kind) for file in _with_keys(node) if file.kind),
            )
        return files

    def _upgrade(self, seen: Seen) -> tuple[Upgrade, str]:
        try:
            _found, text = cluster_configuration(self.client)
            if not text:
                return "not_kubeadm", ""
            settings = next((node.settings for node in seen.on_node.values() if node.configured), Settings())
            kept = read_cluster_configuration(text).keeps(settings)
        except HardeningError as error:
            return "unseen", str(error)
        return ("kept", "") if kept else ("lost", "apiServer.extraArgs or extraVolumes lack it")


def _aesgcm_writes(seen: Seen) -> int:
    """Since the servers started; what was written before nobody counts."""
    by_prefix = (written for told in seen.told.values() for written in told.to_storage.values())
    return int(sum(number for each in by_prefix for prefix, number in each.items() if prefix.startswith(_AESGCM)))


def _is_ours(path: str, node: OnNode) -> bool:
    """A directory counts where it holds keys: that of the configuration, and ours once there is anything in it."""
    return bool(node.configured) if path == node.settings.directory else True


def _with_keys(node: OnNode) -> Iterator[File]:
    if node.configured:
        yield node.configuration
    yield node.files[KEYS]


def _remarks(node: OnNode) -> tuple[Remark, ...]:
    return remarks_on(node.configured) if node.configured else ()


def _since(on_node: Mapping[str, OnNode]) -> Iterator[tuple[Key, datetime]]:
    """When each key was first seen on a node; the earliest comes last, and counts in a mapping."""
    moments = [
        (datetime.fromisoformat(each.since), key)
        for node in on_node.values()
        for each in node.history.values()
        for keys in each.providers.values()
        for key in keys
        if each.since
    ]
    for moment, key in sorted(moments, reverse=True):
        yield key, moment


def foreseen(facts: Facts, demanded: Demanded) -> tuple[bool, bool]:
    """Whether the role, asked for the same, would be refused, and whether it would make a new key."""
    new = _new_key(facts, demanded)
    keeps = (IDENTITY,) if demanded.plain_text else ()
    facts = replace(facts, available=facts.available | {new})
    try:
        goal = goal_of(Wanted("enable", demanded.resources, new, keeps), facts)
    except HardeningError:
        return True, False
    return bool(foresee(facts, goal).refused), new.fingerprint == _NEW and new in goal.write.values()


def _new_key(facts: Facts, demanded: Demanded) -> Key:
    """What the role would take where a new key is needed; of the provider that writes, unless another is demanded."""
    said = [providers for server in facts.servers for providers in possible(server)]
    writing = {keys_of(each, resource)[0] for each in said for resource in demanded.resources} - {IDENTITY}
    providers = {key.provider for key in writing}
    wanted = _PROVIDERS.get(demanded.provider, demanded.provider)
    if not demanded.provider and len(providers) == 1:
        wanted = min(providers)
    plugins = sorted(key for key in writing if key.provider == wanted and not key.has_material)
    return plugins[0] if plugins else Key(wanted, _NEW, _NEW)
