# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cluster, a namespace of the test's own in it, and tasks run by ansible-playbook as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._yaml import load_yaml

from tests.integration.plays import wait_until_known, write_kubeconfig

CHECKOUT = Path(__file__).resolve().parents[2]
NAMESPACE = KNOWN["v1", "Namespace"]
ADMIN_VARIABLES = ("K8S_AUTH_KUBECONFIG", "KUBECONFIG")


def object_of(kind: str, name: str, namespace: str = "", api_version: str = "v1", **content: Any) -> dict[str, Any]:
    """An object in its usual form."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **content.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


@dataclass(frozen=True, slots=True)
class Ansible:
    """Runs single tasks in a process and a folder of their own."""

    folder: Path
    kubeconfig: Path

    def task(
        self, module: str, *options: str, variables: Mapping[str, str] | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """The result of one task; ``output`` in it is everything that reached the terminal."""
        process = self.start(module, *options, variables=variables, **arguments)
        output, errors = process.communicate(timeout=600)
        assert "{" in output, f"no result: {output}{errors}"
        (task,) = json.loads(output[output.index("{") :])["plays"][0]["tasks"]
        return {**task["hosts"]["localhost"], "output": output + errors}

    def start(
        self, module: str, *options: str, variables: Mapping[str, str] | None = None, **arguments: Any
    ) -> subprocess.Popen[str]:
        """The running process of one task."""
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": [{f"hardening.kubernetes.{module}": arguments}]}]
        playbook = self.folder / f"{uuid.uuid4().hex[:8]}.yml"
        playbook.write_text(json.dumps(play))
        environment = {key: value for key, value in os.environ.items() if key not in ADMIN_VARIABLES}
        settings = {
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "K8S_AUTH_KUBECONFIG": str(self.kubeconfig),
        }
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", *options, str(playbook)],
            cwd=self.folder,
            env={**environment, **settings, **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="session")
def kubeconfig() -> Path:
    """The cluster under test; no user's KUBECONFIG is looked at, so that nobody's own cluster is tested by accident."""
    path = Path(os.environ.get("HARDENING_KUBECONFIG") or CHECKOUT / "build/clusters/hardening/kubeconfig")
    assert path.exists(), f"{path} does not exist: make a cluster by 'make cluster', or set HARDENING_KUBECONFIG."
    return path


@pytest.fixture(scope="session")
def client(kubeconfig: Path) -> Client:
    """Its administrator."""
    return connect({"kubeconfig": str(kubeconfig)})


@pytest.fixture
def ansible(tmp_path: Path, kubeconfig: Path) -> Ansible:
    return Ansible(tmp_path, kubeconfig)


@pytest.fixture
def namespace(client: Client) -> Iterator[str]:
    """A namespace of this test's own, removed afterwards."""
    name = f"engine-{uuid.uuid4().hex[:8]}"
    answer = client.create(object_of("Namespace", name))
    assert answer.ok, answer.message
    yield name
    client.delete(NAMESPACE, name)


@pytest.fixture
def server(kubeconfig: Path) -> dict[str, str]:
    """The URL and the certificate authority (base64 of PEM) of the cluster under test."""
    config = load_yaml(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    return {"url": cluster["server"], "ca": cluster["certificate-authority-data"]}


@pytest.fixture
def user(client: Client, namespace: str, server: dict[str, str], tmp_path: Path) -> Callable[..., Path]:
    """Makes a user who may do just this in the test's namespace, and returns its kubeconfig."""

    def make(*rules: dict[str, Any]) -> Path:
        name = f"user-{uuid.uuid4().hex[:8]}"
        group = "rbac.authorization.k8s.io"
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        role_ref = {"apiGroup": group, "kind": "Role", "name": name}
        for obj in (
            object_of("ServiceAccount", name, namespace),
            object_of("Role", name, namespace, f"{group}/v1", rules=list(rules)),
            object_of("RoleBinding", name, namespace, f"{group}/v1", roleRef=role_ref, subjects=[subject]),
        ):
            answer = client.create(obj)
            assert answer.ok, answer.message
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = KNOWN["v1", "ServiceAccount"].path(namespace, name, "token")
        token = client.checked(client.request("POST", path, body=request)).object["status"]["token"]
        path_of_config = write_kubeconfig(tmp_path / f"{name}.kubeconfig", server, {"token": token})
        wait_until_known(path_of_config, [*_questions(rules, namespace)])
        return path_of_config

    return make


def _questions(rules: Sequence[Mapping[str, Any]], namespace: str) -> Iterator[Question]:
    """Whether the user may do what the rules say, as far as they name no objects."""
    for rule in rules:
        for group, kind, verb in product(rule["apiGroups"], rule["resources"], rule["verbs"]):
            resource, _slash, subresource = kind.partition("/")
            names = rule.get("resourceNames", [""])
            yield from (Question(verb, group, resource, namespace, name, subresource) for name in names)
