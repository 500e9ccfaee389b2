# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real API server: every way in, and every way in which it can be barred."""

from __future__ import annotations

import json
import select
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    Forbidden,
    Unauthorized,
    Unreachable,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, discovered
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._yaml import load_yaml

from tests.integration.conftest import Ansible, object_of, write_kubeconfig

CONFIG_MAP = KNOWN["v1", "ConfigMap"]
READ = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}


def test_the_server_tells_its_version(client: Client) -> None:
    assert client.version() >= (1, 34)


def test_the_table_of_kinds_is_what_the_server_says(client: Client) -> None:
    served = [each for root in ("/api", "/apis") for each in discovered(client.discovery(root))]
    said = {(each.api_version, each.kind): each for each in served}
    assert {key: said.get(key) for key in KNOWN} == dict(KNOWN)


def test_objects_come_and_go(client: Client, namespace: str) -> None:
    obj = object_of("ConfigMap", "a", namespace, data={"a": "1"})
    assert client.create(obj, dry_run=True).ok and client.get(CONFIG_MAP, "a", namespace) is None
    assert client.create(obj).status == 201
    again = client.create(obj)
    assert (again.status, again.reason) == (409, "AlreadyExists")
    live = client.get(CONFIG_MAP, "a", namespace)
    assert live is not None and live["data"] == {"a": "1"}
    listed = client.list(CONFIG_MAP, namespace, field_selector="metadata.name=a", metadata_only=True)
    assert [(each["kind"], "data" in each) for each in listed] == [("ConfigMap", False)]
    assert client.delete(CONFIG_MAP, "a", namespace, uid="another").status == 409
    assert client.delete(CONFIG_MAP, "a", namespace, uid=live["metadata"]["uid"]).ok
    assert client.get(CONFIG_MAP, "a", namespace) is None


def test_a_field_that_does_not_exist_is_refused(client: Client, namespace: str) -> None:
    answer = client.create(object_of("ConfigMap", "a", namespace, dta={}))
    assert answer.status == 400 and 'unknown field "dta"' in answer.message


def test_pod_security_warnings_arrive_whole(client: Client, namespace: str) -> None:
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    assert client.apply(object_of("Namespace", namespace, metadata={"labels": labels}), manager="tests").ok
    pod = {"serviceAccountName": "default", "containers": [{"name": "main", "image": "hardening.local/toolbox:1"}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    deadline = time.monotonic() + 30
    warnings: tuple[str, ...] = ()
    # Admission learns of a namespace's labels a moment after they are stored.
    while not warnings and time.monotonic() < deadline:
        warnings = client.create(object_of("Deployment", "a", namespace, "apps/v1", spec=spec), dry_run=True).warnings
    (warning,) = warnings
    assert warning.startswith('would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false')
    assert "runAsNonRoot != true" in warning and warning.endswith('"RuntimeDefault" or "Localhost")')


def test_a_token_may_do_what_it_may(client: Client, user: Callable[..., Path], namespace: str) -> None:
    assert client.create(object_of("ConfigMap", "settings", namespace)).ok
    asking = connect({"kubeconfig": str(user(READ))})
    assert asking.allowed(
        [
            Question("get", "", "configmaps", namespace),
            Question("get", "", "secrets", namespace),
            Question("get", "", "configmaps"),
        ]
    ) == [True, False, False]
    assert asking.list(CONFIG_MAP, namespace)
    with pytest.raises(Forbidden, match="refused .403.: configmaps is forbidden: User .* Grant this permission"):
        asking.list(CONFIG_MAP)


def test_a_token_that_is_none(server: dict[str, str], tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "config", server, {"token": "expired"})
    with pytest.raises(Unauthorized, match="does not accept these credentials .401., maybe expired"):
        connect({"kubeconfig": str(config)}).version()


def test_another_certificate_authority(server: dict[str, str], tmp_path: Path, kubeconfig: Path) -> None:
    user = load_yaml(kubeconfig.read_text())["users"][0]["user"]
    other = {**server, "ca": user["client-certificate-data"]}
    config = write_kubeconfig(tmp_path / "config", other, user)
    with pytest.raises(Unreachable, match="is not to be trusted"):
        connect({"kubeconfig": str(config)}).version()
    assert connect({"kubeconfig": str(config), "validate_certs": False}).version()


def test_acting_as_somebody_else(kubeconfig: Path, namespace: str) -> None:
    acting = connect({"kubeconfig": str(kubeconfig), "impersonate_user": "jane", "impersonate_groups": ["a", "b"]})
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    told = acting.checked(acting.request("POST", path, body=review)).object["status"]["userInfo"]
    assert (told["username"], told["groups"]) == ("jane", ["a", "b", "system:authenticated"])
    with pytest.raises(Forbidden, match='User "jane" cannot list'):
        acting.list(CONFIG_MAP, namespace)


def test_an_exec_plugin(
    client: Client, user: Callable[..., Path], namespace: str, server: dict[str, str], tmp_path: Path
) -> None:
    assert client.create(object_of("ConfigMap", "settings", namespace)).ok
    token = load_yaml(user(READ).read_text())["users"][0]["user"]["token"]
    version = "client.authentication.k8s.io/v1"
    credential = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": token}}
    script = tmp_path / "plugin"
    script.write_text(f"#!{sys.executable}\nprint({json.dumps(credential)!r})\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    config = write_kubeconfig(tmp_path / "config", server, {"exec": {"apiVersion": version, "command": "./plugin"}})
    assert connect({"kubeconfig": str(config)}).list(CONFIG_MAP, namespace)


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """An HTTP proxy that knows CONNECT alone, and what it was asked."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=tunnel, args=(accepted, asked), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    listener.close()


def tunnel(accepted: socket.socket, asked: list[str]) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += accepted.recv(4096)
    asked.append(head.decode())
    host, _colon, port = head.split()[1].decode().rpartition(":")
    with accepted, socket.create_connection((host, int(port))) as onward:
        accepted.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ends = {accepted: onward, onward: accepted}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)


def test_through_a_proxy(kubeconfig: Path, proxy: tuple[str, list[str]]) -> None:
    url, asked = proxy
    given = {"kubeconfig": str(kubeconfig), "proxy": url, "proxy_headers": {"proxy_basic_auth": "jane:secret"}}
    assert connect(given).version()
    assert asked[0].startswith("CONNECT ") and "Basic amFuZTpzZWNyZXQ=" in asked[0]
    assert connect({**given, "no_proxy": "*"}).version() and len(asked) == 1


BARRED: dict[str, tuple[dict[str, Any], str]] = {
    "no kubeconfig": (
        {"kubeconfig": "/nowhere/config"},
        "The kubeconfig /nowhere/config does not exist: give the path",
    ),
    "a wrong context": ({"context": "kind-hardning"}, "There is no context 'kind-hardning' in the kubeconfig"),
    "nobody there": (
        {"host": "https://127.0.0.1:1"},
        "The server https://127.0.0.1:1 cannot be reached (Connection refused): check",
    ),
    "a wrong token": ({"api_key": "no"}, "does not accept these credentials (401)"),
    "no authority": ({"ca_cert": "/nowhere"}, "The ca_cert file /nowhere cannot be read"),
}


@pytest.mark.parametrize(("arguments", "words"), BARRED.values(), ids=BARRED)
def test_a_task_that_is_barred_says_so_in_one_sentence(ansible: Ansible, arguments: dict[str, Any], words: str) -> None:
    config_map = object_of("ConfigMap", "a", "default")
    result = ansible.task("apply", definition=config_map, **arguments)
    assert result["failed"] and words in result["msg"]
    assert len(result["msg"].splitlines()) == 1 and "Traceback" not in result["output"]
