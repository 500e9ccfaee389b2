# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else on the way: a second run, a run that slept, and a server that was off meanwhile."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.encryption.clusters import MANIFEST, READY_SECONDS, RUNS_AS_SAVED, SAVED, STATE, Cluster
from tests.encryption.invariants import is_encrypted, key_of, nothing_is_lost
from tests.encryption.runs import Run, finish
from tests.encryption.storm import Storm, planned, rough
from tests.encryption.tasks import results

ROTATED = {"state": "rotated", "most_per_second": 30, "scrub": False}
AWAY = "/kind/away.yaml"


@pytest.mark.long
def test_of_two_runs_the_second_refuses(encrypted: Cluster, tmp_path: Path) -> None:
    with planned(Storm(encrypted, base=60, changes=20)) as storm:
        first = Run(encrypted, tmp_path, ROTATED)
        assert first.reaches("4 of 8, reencrypt"), first.output
        second = Run(encrypted, tmp_path, ROTATED)
        assert second.end() != 0
        assert str(first.process.pid) in second.output or "another run" in second.output.lower(), second.output
        assert not first.has_ended, "the second was to be refused while the first goes on"
        assert first.end() == 0, first.output
        assert key_of(encrypted)
        nothing_is_lost(encrypted, storm)
    storm.clear()


@pytest.mark.long
def test_a_run_that_slept_while_another_finished_changes_nothing(encrypted: Cluster, tmp_path: Path) -> None:
    with planned(Storm(encrypted, base=60, changes=20)) as storm:
        first = Run(encrypted, tmp_path, ROTATED)
        assert first.reaches("4 of 8, reencrypt"), first.output
        first.freeze()
        other = finish(encrypted, tmp_path, ROTATED)
        assert "still lives, which holds the Lease" in other.output
        provider, name = key_of(encrypted) or ("", "")
        assert is_encrypted(encrypted, storm, provider) == name
        before = files(encrypted)
        first.thaw()
        assert first.end() != 0, first.output
        assert files(encrypted) == before
        assert is_encrypted(encrypted, storm, provider) == name
    storm.clear()


@pytest.mark.long
def test_a_node_that_was_off_during_a_rotation_reads_all_that_was_written(encrypted: Cluster, tmp_path: Path) -> None:
    away = encrypted.nodes[2]
    with rough(Storm(encrypted, base=60, changes=20)) as storm:
        before = key_of(encrypted)
        encrypted.engine.docker("kill", away)
        refused = Run(encrypted, tmp_path, ROTATED)
        assert refused.end() != 0 and away in refused.output, refused.output
        encrypted.start()
        nothing_is_lost(encrypted, storm)
        finish(encrypted, tmp_path, ROTATED)
        assert key_of(encrypted) not in (None, before)
    storm.clear()


@pytest.mark.long
def test_a_server_that_comes_back_with_its_old_file_is_found(encrypted: Cluster, tmp_path: Path) -> None:
    """Its node is put back from a backup of before a rotation, so it reads nothing and would write what none reads."""
    late = encrypted.nodes[-1]
    storm = Storm(encrypted, base=60)
    storm.prepare()
    retired = key_of(encrypted)
    path = encrypted.configuration_path(late)
    old = encrypted.on(late, "cat", path)
    finish(encrypted, tmp_path, ROTATED)
    assert key_of(encrypted) not in (None, retired)
    with stopped(encrypted, late):
        encrypted.write(late, path, old)
    faults = storm.all_is_there()
    assert {each.partition(":")[0] for each in faults} == {encrypted.addresses[late]}, faults[:5]
    (told,) = results(encrypted, tmp_path, [{}], module="hardening.kubernetes.encryption_info")
    (found,) = (each for each in told["findings"] if each["subject"] == f"APIServer/{late}")
    assert found["status"] == "fail" and "it cannot read" in found["evidence"], found
    # A server that has missed a key for long asks only every minute or so for what it could not read, and may be ready
    # later than a run waits for it.
    finish(encrypted, tmp_path, {"state": "present", "scrub": False}, times=2)
    nothing_is_lost(encrypted, storm)
    # Two keys of one provider wrote, and nothing says that it is the older one that is wrong: it may be a third.
    assert key_of(encrypted) not in (None, retired)
    storm.clear()


@pytest.mark.long
def test_a_server_that_lost_its_flags_gets_them_back(encrypted: Cluster, tmp_path: Path) -> None:
    """As an upgrade with a ClusterConfiguration of before leaves it: it cannot read what it has to, nor is it ready."""
    late = encrypted.nodes[-1]
    storm = Storm(encrypted, base=60)
    storm.prepare()
    before = key_of(encrypted)
    encrypted.on(late, "cp", f"{SAVED}/kube-apiserver.yaml", "/etc/kubernetes/.back.yaml")
    encrypted.on(late, "mv", "/etc/kubernetes/.back.yaml", MANIFEST)
    _await(lambda: encrypted.holds(late, RUNS_AS_SAVED), "the API server did not restart without its flags")
    assert storm.all_is_there(), "the server was to be unable to read"
    finish(encrypted, tmp_path, {"state": "present"})
    nothing_is_lost(encrypted, storm)
    assert key_of(encrypted) == before
    storm.clear()


@contextmanager
def stopped(cluster: Cluster, node: str) -> Iterator[None]:
    """A node's API server does not run until the end of the block; then it answers again, be it ready or not."""
    cluster.on(node, "mv", MANIFEST, AWAY)
    try:
        _await(lambda: not cluster.holds(node, "pidof kube-apiserver"), f"the API server of {node} did not stop")
        yield
    finally:
        cluster.on(node, "cp", "-p", AWAY, "/etc/kubernetes/.back.yaml")
        cluster.on(node, "mv", "/etc/kubernetes/.back.yaml", MANIFEST)
    answers = f"curl --silent --insecure --max-time 5 https://{cluster.addresses[node]}:6443/readyz"
    _await(lambda: cluster.holds(node, answers), f"the API server of {node} did not start")


def _await(is_so: Callable[[], bool], told: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, told
        time.sleep(0.5)


def files(cluster: Cluster) -> dict[str, str]:
    """What lies on each node, as a hash over all that a walk may write, but for the locks."""
    script = f"find {MANIFEST} {STATE} -type f ! -name 'lock*' -exec sha256sum {{}} + | sort"
    told = dict(zip(cluster.nodes, cluster.each(lambda node: cluster.on(node, "sh", "-c", script)), strict=True))
    return {node: hashlib.sha256(each.encode()).hexdigest() for node, each in told.items()}
