# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane node that is rebuilt gets its files before it joins again, and starts with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.encryption.clusters import STATE, Cluster
from tests.encryption.invariants import no_key_is_told
from tests.encryption.runs import finish, playbook


def prepare(cluster: Cluster, node: str) -> str:
    """The playbook as a user runs it; what it prints."""
    done = playbook(cluster, "prepare_control_plane", "-e", f"joining={node}", "-vvv")
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def leave(cluster: Cluster, node: str) -> None:
    """Take a node out of the cluster and make it as good as new."""
    path = cluster.configuration_path(node)
    cluster.on(node, "kubeadm", "reset", "--force", timeout=300)
    cluster.on(node, "rm", "-rf", str(Path(path).parent), STATE)
    cluster.kubectl("delete", "node", node)


def join(cluster: Cluster, node: str) -> None:
    """Have it join as kubeadm's documentation says."""
    first = cluster.nodes[0]
    key = cluster.on(first, "kubeadm", "init", "phase", "upload-certs", "--upload-certs").split()[-1]
    command = cluster.on(first, "kubeadm", "token", "create", "--print-join-command").split()
    own = ["--control-plane", "--certificate-key", key, "--apiserver-advertise-address", cluster.addresses[node]]
    cluster.on(node, *command, *own, "--ignore-preflight-errors=all", timeout=600)


@pytest.mark.long
def test_a_node_that_is_rebuilt_joins_again_with_what_all_others_have(encrypted: Cluster, tmp_path: Path) -> None:
    *others, rebuilt = encrypted.nodes
    keys = set().union(*encrypted.keys().values())
    leave(encrypted, rebuilt)
    try:
        told = prepare(encrypted, rebuilt)
        no_key_is_told(keys, told)
        assert "changed=1" in told
        assert "changed=0" in prepare(encrypted, rebuilt)
        modes = encrypted.on(rebuilt, "sh", "-c", f"stat -c '%a %U' {STATE} {STATE}/keys.json").split()
        assert modes == ["700", "root", "600", "root"]
    finally:
        join(encrypted, rebuilt)
    encrypted.start()
    assert encrypted.configuration(rebuilt) == encrypted.configuration(others[0])
    # What it has loaded is proved at its own address, and there is nothing left to do.
    assert "changed=0" in finish(encrypted, tmp_path, {"state": "present"}).output
