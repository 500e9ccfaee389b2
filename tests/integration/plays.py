# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to run what is under test: tasks in this process, where one each would only cost time, and roles as users do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unauthorized
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

CHECKOUT = Path(__file__).resolve().parents[2]
PLUGINS = "ansible_collections.hardening.kubernetes.plugins"
NO_CONNECTION = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
NAMESPACE = KNOWN["v1", "Namespace"]
WRITTEN_TO = tuple(
    KNOWN[kind]
    for kind in (
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("v1", "ResourceQuota"),
        ("v1", "LimitRange"),
        ("v1", "ServiceAccount"),
        ("v1", "ConfigMap"),
    )
)
"""The kinds of objects in a namespace that a role could write to."""

SAFE_SPEC: dict[str, Any] = {
    "terminationGracePeriodSeconds": 0,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "main",
            "image": "hardening.local/toolbox:1",
            "command": ["sleep", "3600"],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
"""A pod that the restricted level lets in, and that says nothing of resources."""

Object = dict[str, Any]
Result = dict[str, Any]
Finding = dict[str, Any]


def wait_until(holds: Callable[[], Any], seconds: float = 120, what: str = "it") -> Any:
    """Ask until there is an answer that holds, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds:g} s"
        time.sleep(0.1)
    return found


def make_namespaces(client: Client, *names: str, **metadata: Any) -> None:
    """Make them all, and wait for what the cluster itself puts into each."""
    for name in names:
        answer = client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **metadata}})
        assert answer.ok, answer.message
    for name in names:
        wait_until(lambda name=name: client.get(KNOWN["v1", "ServiceAccount"], "default", name), what=f"{name}/default")
        wait_until(lambda name=name: client.get(KNOWN["v1", "ConfigMap"], "kube-root-ca.crt", name), what=name)


def remove_namespaces(client: Client, names: Iterable[str]) -> None:
    """Delete them all, and wait until they are gone."""
    going = [*names]
    for name in going:
        client.delete(NAMESPACE, name)
    wait_until(lambda: not any(client.get(NAMESPACE, name) for name in going), 180, "that namespaces go")


def content(client: Client, namespace: str, managers: str = "") -> dict[str, Object]:
    """A namespace and all that a role could write to in it, each as :func:`said_by` tells it."""
    live = client.get(NAMESPACE, namespace)
    inside = [each for resource in WRITTEN_TO for each in client.list(resource, namespace)]
    found = [*([live] if live else []), *inside]
    return {f"{each['kind']}/{each['metadata']['name']}": said_by(each, managers) for each in found}


def said_by(obj: Object, managers: str = "") -> Object:
    """What an object says, without the server's own, and what of it each manager owns whose name begins so."""
    metadata = obj["metadata"]
    owned = sorted(
        (entry["manager"], entry["operation"], json.dumps(entry["fieldsV1"], sort_keys=True))
        for entry in metadata.get("managedFields", ())
        if entry["manager"].startswith(managers) and entry.get("subresource") != "status"
    )
    said = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {**said, "metadata": {key: metadata.get(key) for key in ("labels", "annotations")}, "owned": owned}


def wait_until_known(kubeconfig: Path, rights: Sequence[Question]) -> None:
    """Until the server knows a new user and its rights: where many objects come and go, its caches lag by seconds."""
    deadline = time.monotonic() + 120
    client = connect({"kubeconfig": str(kubeconfig)})
    while True:
        try:
            if all(client.allowed(rights)):
                return
        except Unauthorized:
            client = connect({"kubeconfig": str(kubeconfig)})
        assert time.monotonic() < deadline, f"the user of {kubeconfig} never got its rights"
        time.sleep(0.5)


def run_task(kubeconfig: Path, action: str, check: bool, arguments: dict[str, Any]) -> Result:
    """The result of one task, as a worker of ansible-playbook gets it."""
    task = Task()
    task.action = f"hardening.kubernetes.{action}"
    task.args = {"kubeconfig": str(kubeconfig), **arguments}
    task.check_mode, task.diff = check, True
    loader = DataLoader()
    plugin = import_module(f"{PLUGINS}.action.{action}").ActionModule
    told = plugin(task, NO_CONNECTION, None, loader, Templar(loader), None).run(task_vars={})
    return {"failed": False, **json.loads(json.dumps(told))}


def run_role(
    kubeconfig: Path, folder: Path, role: str, check: bool, variables: dict[str, Any]
) -> tuple[int, str, list[Finding]]:
    """Exit status and output of ansible-playbook with a role, and the findings that the role set as a fact."""
    itself = {
        "ansible.builtin.include_role": {"name": f"hardening.kubernetes.{role}"},
        "vars": {f"{role}_{key}": value for key, value in variables.items()},
    }
    tell = {"ansible.builtin.debug": {"msg": f"{{{{ {role}_findings | default([]) | to_json }}}}"}}
    tasks = [{"block": [itself], "always": [tell]}]
    file = folder / "playbook.json"
    file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), *(["--check"] if check else []), "--diff", file],
        cwd=CHECKOUT,
        env={**os.environ, "K8S_AUTH_KUBECONFIG": str(kubeconfig), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith('    "msg": ')]
    assert told, output
    return done.returncode, output, json.loads(json.loads(told[-1].removeprefix('    "msg": ')))


def may(client: Client, user: str, verb: str, resource: str, namespace: str) -> bool:
    """What the server that the client talks to answers, asked by nothing of the collection's own."""
    attributes = {"verb": verb, "resource": resource, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(client.checked(client.request("POST", path, body=review)).object["status"].get("allowed"))


def write_kubeconfig(path: Path, server: Mapping[str, str], user: Mapping[str, Any], **cluster: Any) -> Path:
    """A kubeconfig of one context, called ``tests``."""
    reached = {"server": server["url"], "certificate-authority-data": server["ca"], **cluster}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "tests",
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "clusters": [{"name": "tests", "cluster": reached}],
        "users": [{"name": "tests", "user": dict(user)}],
    }
    path.write_text(json.dumps(config))
    return path
