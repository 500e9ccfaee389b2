# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation done by hand, in the right order or a wrong one: what the storm must find faultless, and what not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.encryption import etcd
from tests.encryption.clusters import MANIFEST, Cluster
from tests.encryption.door import Door

FOLDER = "/etc/kubernetes/by-hand"
FILE = f"{FOLDER}/encryption.json"
LOADED = re.compile(rb'last_config_info\{[^}]*hash="sha256:([0-9a-f]{64})"')
LOAD_SECONDS = 150
IDENTITY: dict[str, Any] = {"identity": {}}


@dataclass(slots=True)
class ByHand:
    """Writes configurations on nodes, and says what the servers have loaded."""

    cluster: Cluster
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)

    def key(self, name: str) -> dict[str, Any]:
        """A provider with a key of this name, the same every time."""
        if name not in self.keys:
            secret = base64.b64encode(os.urandom(32)).decode()
            self.keys[name] = {"secretbox": {"keys": [{"name": name, "secret": secret}]}}
        return self.keys[name]

    def write(
        self, providers: Sequence[str], nodes: Iterable[str] | None = None, resources: Sequence[str] = ("secrets",)
    ) -> str:
        """Write a configuration with these keys, of which ``-`` is plain text; what its hash is."""
        said = [IDENTITY if each == "-" else self.key(each) for each in providers]
        document = {
            "kind": "EncryptionConfiguration",
            "apiVersion": "apiserver.config.k8s.io/v1",
            "resources": [{"resources": [*resources], "providers": said}],
        }
        text = json.dumps(document)
        self.cluster.each(lambda node: self.cluster.write(node, FILE, text), nodes)
        return hashlib.sha256(text.encode()).hexdigest()

    def load(
        self, providers: Sequence[str], nodes: Iterable[str] | None = None, resources: Sequence[str] = ("secrets",)
    ) -> None:
        """The same, and wait until the servers of these nodes have loaded it."""
        named = [*(self.cluster.nodes if nodes is None else nodes)]
        wanted = self.write(providers, named, resources)
        deadline = time.monotonic() + LOAD_SECONDS
        while left := [node for node in named if self.loaded(node) != wanted]:
            assert time.monotonic() < deadline, f"{left} did not load the configuration"
            time.sleep(0.3)

    def loaded(self, node: str) -> str:
        """The hash of what the node's server has loaded; empty where it cannot be asked."""
        status, text = Door(self.cluster.addresses[node], self.cluster.context()).raw("GET", "/metrics")
        found = LOADED.search(text) if status == 200 else None
        return found[1].decode() if found else ""

    def enable(self, node: str, *, reloads: bool = True) -> None:
        """Have a node's server read the file that is there, and unless told otherwise look for a new one."""
        manifest = yaml.safe_load(self.cluster.on(node, "cat", MANIFEST))
        spec = manifest["spec"]
        command = spec["containers"][0]["command"]
        command.append(f"--encryption-provider-config={FILE}")
        if reloads:
            command.append("--encryption-provider-config-automatic-reload=true")
        spec["containers"][0]["volumeMounts"].append({"name": "by-hand", "mountPath": FOLDER, "readOnly": True})
        spec["volumes"].append({"name": "by-hand", "hostPath": {"path": FOLDER, "type": "Directory"}})
        self.cluster.write(node, MANIFEST, yaml.safe_dump(manifest))
        self._await_flag(node)

    def rewrite(self) -> None:
        """Have all secrets written anew."""
        door = Door(self.cluster.addresses[self.cluster.nodes[0]], self.cluster.context())
        for key in etcd.prefixes(self.cluster, "/registry/secrets/"):
            _registry, _secrets, namespace, name = key.strip("/").split("/")
            path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
            answer = door.ask("PATCH", path, {}, "application/merge-patch+json")
            assert answer.status in (200, 404), answer.told

    def _await_flag(self, node: str) -> None:
        deadline = time.monotonic() + LOAD_SECONDS
        look = f'pid=$(pidof kube-apiserver) && grep -q -a -e {FILE} "/proc/$pid/cmdline"'
        while not (self.cluster.holds(node, look) and self.cluster.is_ready(node)):
            assert time.monotonic() < deadline, f"{node} did not restart"
            time.sleep(0.5)
