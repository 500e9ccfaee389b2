# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of keys while nothing is killed: no client may notice any of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.encryption.clusters import Cluster
from tests.encryption.invariants import is_encrypted, is_plain, key_of, no_key_is_told, nothing_is_lost
from tests.encryption.runs import Run, finish
from tests.encryption.storm import Storm, planned

SECRETS = int(os.environ.get("SECRETS") or 300)


def whole_life(cluster: Cluster, storm: Storm, folder: Path, rotations: int) -> None:
    """Enable, rotate, change the provider, disable."""
    keys: set[str] = set()

    def change(**arguments: str) -> Run:
        run = finish(cluster, folder, arguments)
        keys.update(*cluster.keys().values())
        no_key_is_told(keys, run.output)
        nothing_is_lost(cluster, storm)
        return run

    change(state="present")
    names = [is_encrypted(cluster, storm, "secretbox")]
    for _rotation in range(rotations):
        change(state="rotated")
        names.append(is_encrypted(cluster, storm, "secretbox"))
    change(state="rotated", provider="aescbc")
    names.append(is_encrypted(cluster, storm, "aescbc"))
    assert len(set(names)) == len(names) == len(keys)
    change(state="absent")
    is_plain(cluster, storm)


@pytest.mark.long
def test_a_whole_life_on_three_control_planes(three: Cluster, tmp_path: Path) -> None:
    with planned(Storm(three, base=SECRETS)) as storm:
        whole_life(three, storm, tmp_path, 2)


@pytest.mark.long
def test_a_whole_life_with_the_stock_api_server(three_stock: Cluster, tmp_path: Path) -> None:
    with planned(Storm(three_stock, base=SECRETS)) as storm:
        whole_life(three_stock, storm, tmp_path, 2)


def test_the_provider_is_changed_and_nobody_notices(encrypted: Cluster, tmp_path: Path) -> None:
    before, _name = key_of(encrypted) or ("", "")
    provider = "secretbox" if before == "aescbc" else "aescbc"
    with planned(Storm(encrypted, base=SECRETS)) as storm:
        finish(encrypted, tmp_path, {"state": "rotated", "provider": provider})
        name = is_encrypted(encrypted, storm, provider)
        again = finish(encrypted, tmp_path, {"state": "present", "provider": provider})
        assert "changed=0" in again.output
        assert is_encrypted(encrypted, storm, provider) == name
    storm.clear()
