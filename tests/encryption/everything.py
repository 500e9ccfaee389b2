# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that an API server keeps in etcd, of whatever resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.encryption import etcd
from tests.encryption.clusters import Cluster
from tests.encryption.door import Door

NEVER_ENCRYPTED = ("/registry/ranges/", "/registry/masterleases/", "/registry/peerserverleases/")
"""What servers keep for themselves, which no configuration means."""
GADGETS: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}},
            }
        ],
    },
}
GADGET: dict[str, Any] = {
    "apiVersion": "example.org/v1",
    "kind": "Gadget",
    "metadata": {"name": "first", "namespace": "default"},
    "spec": {},
}


def prefixes(cluster: Cluster) -> set[str]:
    """What all values in etcd begin with that can be encrypted."""
    found = etcd.prefixes(cluster, "/registry/")
    return {prefix for key, prefix in found.items() if not key.startswith(NEVER_ENCRYPTED)}


def unreadable(cluster: Cluster, node: str) -> list[str]:
    """The objects that a node's API server does not give out of etcd, and why.

    Each is asked for alone: a list may come out of the server's memory.
    """
    door = Door(cluster.addresses[node], cluster.context())
    answers = ((path, door.ask("GET", path)) for path in _paths(door))
    return [f"{path}: {answer.status} {answer.told}" for path, answer in answers if answer.status not in (200, 404)]


def _paths(door: Door) -> Iterator[str]:
    """Of every object of every resource that is stored."""
    groups = door.ask("GET", "/apis").body["groups"]
    for version in ("/api/v1", *(f"/apis/{each['preferredVersion']['groupVersion']}" for each in groups)):
        for kind in door.ask("GET", version).body["resources"]:
            if {"get", "list", "patch"} <= {*kind["verbs"]} and "/" not in kind["name"]:
                answer = door.ask("GET", f"{version}/{kind['name']}")
                assert answer.status == 200, f"{kind['name']}: {answer.told}"
                for each in answer.body["items"] or ():
                    namespace = each["metadata"].get("namespace")
                    within = f"namespaces/{namespace}/" if namespace else ""
                    yield f"{version}/{within}{kind['name']}/{quote(each['metadata']['name'])}"
