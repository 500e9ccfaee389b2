# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All resources encrypted, and not Secrets alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.encryption import everything
from tests.encryption.clusters import Cluster
from tests.encryption.runs import finish

CRD = everything.GADGETS["metadata"]["name"]


@pytest.mark.long
def test_all_there_is_gets_a_key_and_another_one_and_is_decrypted(one: Cluster, tmp_path: Path) -> None:
    (node,) = one.nodes
    one.kubectl("create", "--filename", "-", text=json.dumps(everything.GADGETS))
    one.kubectl("wait", "--for", "condition=Established", f"crd/{CRD}")
    one.kubectl("create", "--filename", "-", text=json.dumps(everything.GADGET))
    one.kubectl("create", "secret", "generic", "one", "--from-literal=content=foo")
    try:
        finish(one, tmp_path, {"state": "present", "resources": ["*.*"], "scrub": False})
        first = key_of_all(one)
        assert not everything.unreadable(one, node)
        finish(one, tmp_path, {"state": "rotated", "scrub": False})
        assert key_of_all(one) != first
        assert not everything.unreadable(one, node)
    finally:
        # What stays encrypted, no other test of this cluster would remove.
        finish(one, tmp_path, {"state": "absent", "scrub": False})
        one.kubectl("delete", "crd", CRD)
    assert one.configuration(node) is None
    assert everything.prefixes(one) == {""}
    assert not everything.unreadable(one, node)


def key_of_all(cluster: Cluster) -> str:
    """The name of the one key that the server has, under which every value in etcd is."""
    (said,) = (cluster.configuration(cluster.nodes[0]) or {})["resources"]
    (provider,) = said["providers"]
    (name,) = (each["name"] for each in provider["secretbox"]["keys"])
    assert said["resources"] == ["*.*"]
    assert everything.prefixes(cluster) == {f"k8s:enc:secretbox:v1:{name}:"}
    return str(name)
