# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy that was changed in fifty ways leaves the cluster as if its last version had been the first.

The seed is drawn and printed, or taken from HARDENING_SEED, which may also be several: `HARDENING_SEED=1,2,3`.
"""

from __future__ import annotations

import json
import os
import random
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.integration.any_policy import KINDS, TEAMS, Names, Policy, history
from tests.integration.plays import NAMESPACE, Object, content, make_namespaces, remove_namespaces, said_by
from tests.integration.test_harden_cluster import HARDEN, REMOVE, Run, play

SEEDS = (os.environ.get("HARDENING_SEED") or "any").split(",")
API = "rbac.authorization.k8s.io/v1"
OF_THE_CLUSTER = (KNOWN[API, "ClusterRole"], KNOWN[API, "ClusterRoleBinding"])
CHANGES, VERSIONS = 50, 3
OURS = "hardening.kubernetes/"
"""How our field managers begin. Who made a namespace by hand stays among its managers, and is not compared."""


class World:
    """The namespaces of one test, and all that policies put into them and beside them."""

    def __init__(self, client: Client, kubeconfig: Path, folder: Path) -> None:
        """Take where it is."""
        name = f"any-{uuid.uuid4().hex[:6]}"
        self.names = Names(name, tuple(f"{name}-{letter}" for letter in "abc"), (f"{name}-new", f"{name}-newer"))
        self._client, self._kubeconfig, self._folder = client, kubeconfig, folder

    def make(self, by_hand: Iterable[str] = ()) -> None:
        """The namespaces that stand before any policy, and these others."""
        for name, team in zip(self.names.standing, (*TEAMS, ""), strict=True):
            make_namespaces(self._client, name, labels={"team": team} if team else {})
        make_namespaces(self._client, *by_hand)

    def remove(self) -> None:
        remove_namespaces(self._client, [*self.names.standing, *self.names.coming])

    def play(self, playbook: str, policy: Policy) -> Run:
        """The playbook, which has to do everything, whatever its verdict is on what it cannot try here."""
        done = play(playbook, self._kubeconfig, self._folder, "-e", "probe=false", policy=json.dumps(policy, indent=1))
        assert playbook == REMOVE or (done.report and not done.report["errors"]), done.output
        assert playbook == HARDEN or done.status == 0, done.output
        return done

    def content(self) -> dict[str, Object]:
        """All that is in the namespaces, and what bears the name of the test beside them."""
        inside = {name: content(self._client, name, OURS) for name in (*self.names.standing, *self.names.coming)}
        beside = [each for resource in OF_THE_CLUSTER for each in self._client.list(resource)]
        return inside | {
            f"{each['kind']}/{each['metadata']['name']}": said_by(each, OURS)
            for each in beside
            if self.names.name in json.dumps(each["metadata"].get("labels") or {}) + each["metadata"]["name"]
        }


@pytest.fixture
def world(client: Client, kubeconfig: Path, tmp_path: Path) -> Iterator[World]:
    made = World(client, kubeconfig, tmp_path)
    yield made
    for name in (*made.names.standing, *made.names.coming):
        client.delete(NAMESPACE, name)
    for resource in OF_THE_CLUSTER:
        for each in client.list(resource, metadata_only=True):
            if made.names.name in each["metadata"]["name"]:
                client.delete(resource, each["metadata"]["name"])


def hold_equal(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Fail with what is not equal."""
    keys = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    assert not keys, json.dumps({key: [before.get(key), after.get(key)] for key in keys}, indent=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_policy_changed_in_fifty_ways_equals_its_last_version_applied_afresh(world: World, seed: str) -> None:
    # Drawn here and not above, where each of several workers would draw another one.
    seed = str(random.SystemRandom().randrange(10**6)) if seed == "any" else seed
    print(f"HARDENING_SEED={seed}")
    past = history(random.Random(seed), world.names, CHANGES, VERSIONS)
    assert len(past.kinds) >= CHANGES and set(past.kinds) == KINDS.keys()
    existing, created = past.made()
    world.make()
    untouched = world.content()
    for version in past.versions:
        world.play(HARDEN, version)
    changed = world.content()
    again = world.play(HARDEN, past.versions[-1])
    assert again.changed == 0, again.output
    hold_equal(changed, world.content())

    world.play(REMOVE, past.versions[-1])
    left = world.content()
    hold_equal(*({name: seen[name] for name in world.names.standing} for seen in (untouched, left)))
    assert left.keys() == untouched.keys(), "of the whole cluster's access nothing is left"
    world.remove()
    world.make(by_hand=existing - created)
    world.play(HARDEN, past.versions[-1])
    hold_equal(changed, world.content())
