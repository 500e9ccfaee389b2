# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in etcd, seen by etcd's own command line within its container, and by nothing of the collection's."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING, Any

from tests.testbed.errors import SetupError

if TYPE_CHECKING:
    from tests.encryption.clusters import Cluster

CERTIFICATES = "/etc/kubernetes/pki/etcd"
ETCDCTL = (
    f"nsenter --target $(pidof etcd) --mount -- etcdctl --cacert {CERTIFICATES}/ca.crt"
    f" --cert {CERTIFICATES}/server.crt --key {CERTIFICATES}/server.key"
)
ANSWER_SECONDS = 180
ENCRYPTED = re.compile(rb"k8s:enc:[a-z]+:v\d+:[^:]*:")


def run(cluster: Cluster, node: str, arguments: str, timeout: float = 120) -> str:
    """What etcdctl prints on a node."""
    return cluster.on(node, "sh", "-c", f"{ETCDCTL} {arguments}", timeout=timeout)


def anywhere(cluster: Cluster, arguments: str) -> str:
    """The same, on the first node that runs and whose etcd answers."""
    told: list[str] = []
    for node in cluster.nodes:
        try:
            return run(cluster, node, arguments)
        except SetupError as error:
            told.append(str(error))
    raise SetupError("\n".join(told))


def await_answers(cluster: Cluster) -> None:
    """Wait until etcd answers where it runs; it may have to choose a leader."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            anywhere(cluster, "get /registry/none")
        except SetupError:
            assert time.monotonic() < deadline, f"etcd of {cluster.name} does not answer"
            time.sleep(0.5)
        else:
            return


def statuses(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """By node, what its member says of itself; none of a member that does not answer."""

    def status(node: str) -> dict[str, Any]:
        try:
            (found,) = json.loads(run(cluster, node, "endpoint status -w json", timeout=15))
        except (SetupError, ValueError):
            return {}
        return dict(found["Status"])

    found = dict(zip(cluster.nodes, cluster.each(status), strict=True))
    return {node: each for node, each in found.items() if each}


def is_whole(cluster: Cluster) -> bool:
    """Whether every member answers and knows the same leader."""
    found = statuses(cluster)
    return len(found) == len(cluster.nodes) and len({each.get("leader", 0) for each in found.values()} - {0}) == 1


def leader(cluster: Cluster) -> str:
    """The node whose member leads."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        for node, found in statuses(cluster).items():
            if found.get("leader") == found["header"]["member_id"]:
                return node
        assert time.monotonic() < deadline, f"etcd of {cluster.name} has no leader"
        time.sleep(0.5)


def delete(cluster: Cluster, prefix: str) -> None:
    """Delete all keys that begin so."""
    anywhere(cluster, f"del --prefix {prefix}")


def prefixes(cluster: Cluster, prefix: str) -> dict[str, str]:
    """By key, what the value starts with as encryption marks it: ``k8s:enc:secretbox:v1:name:``, empty for plain text.

    The names of the keys in these tests hold no colon.
    """
    found = json.loads(anywhere(cluster, f"get --prefix {prefix} -w json"))
    return {
        base64.b64decode(each["key"]).decode(): _mark(base64.b64decode(each.get("value", "")))
        for each in found.get("kvs", ())
    }


def _mark(value: bytes) -> str:
    found = ENCRYPTED.match(value)
    assert found or not value.startswith(b"k8s:enc:"), value[:60]
    return found[0].decode() if found else ""
