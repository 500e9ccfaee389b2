# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold at the end of every command, and after every kill."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tests.encryption import etcd
from tests.encryption.clusters import STATE, Cluster
from tests.encryption.storm import Storm

PREFIX = re.compile(r"k8s:enc:(?P<provider>[a-z]+):v\d:(?P<name>[^:]*):")


def nothing_is_lost(cluster: Cluster, storm: Storm) -> None:
    """Every secret is readable at every server, and every node's file can read every value in etcd."""
    missing = storm.all_is_there()
    assert not missing, "\n".join(missing[:20])
    stored = {each for each in storm.prefixes() if each}
    for node in cluster.nodes:
        readable = {prefix_of(provider, name) for provider, name in readers(cluster.configuration(node))}
        assert stored <= readable, f"{node} could not read {stored - readable} after a restart"


def is_encrypted(cluster: Cluster, storm: Storm, provider: str) -> str:
    """Every value is written with one key of this provider, which alone is on every node; that key's name."""
    counted = storm.prefixes()
    assert len(counted) == 1, counted
    (prefix,) = counted
    found = PREFIX.fullmatch(prefix)
    assert found and found["provider"] == provider, counted
    for node in cluster.nodes:
        assert readers(cluster.configuration(node)) == [(provider, found["name"])], node
    assert len({repr(cluster.configuration(node)) for node in cluster.nodes}) == 1
    return found["name"]


def is_plain(cluster: Cluster, storm: Storm) -> None:
    """No value is encrypted, and no server is told of a configuration."""
    assert set(storm.prefixes()) == {""}
    assert [cluster.configuration(node) for node in cluster.nodes] == [None] * len(cluster.nodes)


def key_of(cluster: Cluster) -> tuple[str, str] | None:
    """Provider and name of the one key that encrypts every value and is on every node, where no run is unfinished."""
    cluster.start()
    written = [readers(cluster.configuration(node)) for node in cluster.nodes]
    if len(written[0]) != 1 or written != [written[0]] * len(written):
        return None
    if not all(cluster.holds(node, f"test -d {STATE} && ! test -e {STATE}/journal.json") for node in cluster.nodes):
        return None
    ((provider, name),) = written[0]
    return (provider, name) if set(histogram(cluster)) <= {prefix_of(provider, name)} else None


def readers(configuration: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Provider and name of all that a configuration reads secrets with, the writing one first."""
    entries = [each for each in (configuration or {}).get("resources", ()) if "secrets" in each["resources"]]
    return [
        (provider, key["name"])
        for entry in entries[:1]
        for said in entry["providers"]
        for provider, value in said.items()
        for key in ((value or {}).get("keys") or [{"name": ""}])
    ]


def prefix_of(provider: str, name: str) -> str:
    """What a value starts with that this key wrote."""
    return f"k8s:enc:{provider}:v1:{name}:" if provider != "identity" else ""


def no_key_is_told(keys: set[str], output: str) -> None:
    """None of these keys is in what a user saw."""
    assert not [key[:4] for key in keys if key in output]


def histogram(cluster: Cluster) -> Counter[str]:
    """How many secrets in etcd start with what."""
    return Counter(etcd.prefixes(cluster, "/registry/secrets/").values())
