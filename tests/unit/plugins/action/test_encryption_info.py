# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of a platform that runs its API servers in its own way, what can be proved is proved, and the rest is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import encryption_info
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api

from .conftest import Perform


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        yield server


class Reached(HardeningError):
    """A look at the nodes has begun."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The manifests that were asked for; no node is reached."""
    manifests: list[str] = []

    def gatherer(_client: Any, _nodes: Any, manifest: str) -> None:
        manifests.append(manifest)
        raise Reached("here")

    monkeypatch.setattr(encryption_info, "Gatherer", gatherer)
    monkeypatch.setattr(encryption_info, "Nodes", lambda *_: SimpleNamespace(close=lambda: None))
    return manifests


def of_version(api: FakeApi, version: str) -> None:
    def intercept(request: Request) -> tuple[int, dict[str, Any]] | None:
        return (200, {"gitVersion": version}) if request.path == "/version" else None

    api.intercept = intercept
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    secrets = {"resource": "secrets", "scope": "Namespaced", "verbs": verbs, "responseKind": {"kind": "Secret"}}
    api.kinds = [{"metadata": {}, "versions": [{"version": "v1", "resources": [secrets]}]}]


def test_on_k3s_all_is_unknown_with_its_own_command_also_with_nodes(
    perform: Perform, api: FakeApi, asked: list[str]
) -> None:
    of_version(api, "v1.34.1+k3s1")
    told = perform(encryption_info, host=api.url, api_key="good", nodes=["cp1"])
    assert not told.get("failed"), told
    assert told["platform"] == "k3s" and not asked
    assert {each["status"] for each in told["findings"]} == {"unknown"}
    assert all("k3s secrets-encrypt status" in each["remedy"] for each in told["findings"])


@pytest.mark.parametrize(
    ("version", "named", "manifest"),
    [
        ("v1.34.1+rke2r1", {}, "/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml"),
        ("v1.34.1+rke2r1", {"manifest": "/srv/kube-apiserver.yaml"}, "/srv/kube-apiserver.yaml"),
        ("v1.34.1+k3s1", {"manifest": "/srv/kube-apiserver.yaml"}, "/srv/kube-apiserver.yaml"),
        ("v1.34.1", {}, "/etc/kubernetes/manifests/kube-apiserver.yaml"),
    ],
)
def test_a_manifest_is_looked_for_where_the_platform_has_it(
    perform: Perform, api: FakeApi, asked: list[str], version: str, named: dict[str, str], manifest: str
) -> None:
    of_version(api, version)
    perform(encryption_info, host=api.url, api_key="good", nodes=["cp1"], **named)
    assert asked == [manifest]
