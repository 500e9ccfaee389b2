# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before a key is dropped the vault shows it, and etcd forgets what it wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._drop import before_drop
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen

from tests.unit.plugins.plugin_utils._encryption.fake_walk import NEW, OLD, FakeNodes, context, on_node, seen

BYTES, OTHERS = KeyMaterial(bytes(range(32))), KeyMaterial(bytes(range(32, 64)))


@dataclass
class Vault:
    """One that has a key, and these bytes of it."""

    bytes: KeyMaterial

    def known(self) -> frozenset[Key]:
        return frozenset({NEW, OLD})

    def get(self, key: Key) -> KeyMaterial:
        assert key == OLD
        return self.bytes


def with_keys(client: Client) -> Seen:
    """A node that has both keys."""
    return replace(seen({"cp1": client}), on_node={"cp1": on_node("cp1", kept={OLD: BYTES, NEW: OTHERS})})


def test_etcd_forgets_once_for_all_servers_that_drop_a_key(client: Client) -> None:
    nodes = FakeNodes(compact=lambda _arguments: 7)
    run = context(client, nodes)
    before_drop(run, with_keys(client), {NEW})
    before_drop(run, with_keys(client), {NEW})
    assert nodes.asked == ["compact"]


def test_the_vault_shows_the_very_bytes_of_the_key_that_goes(client: Client) -> None:
    nodes = FakeNodes(compact=lambda _arguments: 7)
    run = context(client, nodes, escrow=Vault(BYTES))
    run.memory.escrow = frozenset({NEW, OLD})
    before_drop(run, with_keys(client), {NEW})
    assert nodes.asked == ["compact"]


def test_a_vault_that_has_other_bytes_keeps_the_key_from_being_dropped(client: Client) -> None:
    nodes = FakeNodes()
    run = context(client, nodes, escrow=Vault(OTHERS))
    run.memory.escrow = frozenset({NEW, OLD})
    with pytest.raises(HardeningError, match="other bytes for the secretbox key old"):
        before_drop(run, with_keys(client), {NEW})
    assert nodes.asked == []
    assert not run.memory.forgotten
