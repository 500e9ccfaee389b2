# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a small server has."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served, served_by

VERBS = ["create", "delete", "get", "list"]


def _resource(
    plural: str, singular: str, *short: str, scope: str = "Namespaced", sub: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "resource": plural,
        "singularResource": singular,
        "shortNames": list(short),
        "scope": scope,
        "verbs": VERBS,
        "subresources": [{"subresource": each} for each in sub],
    }


def _group(name: str, *resources: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "versions": [{"version": "v1", "resources": list(resources)}]}


@pytest.fixture
def served() -> Served:
    core = _group(
        "",
        _resource("pods", "pod", "po", sub=("log", "exec")),
        _resource("secrets", "secret"),
        _resource("events", "event", "ev"),
        _resource("nodes", "node", "no", scope="Cluster", sub=("proxy",)),
    )
    apps = _group("apps", _resource("deployments", "deployment", "deploy", sub=("scale",)))
    reviews = _group("authorization.k8s.io", _resource("selfsubjectaccessreviews", "", scope="Cluster"))
    return served_by(
        [{"items": [core]}, {"items": [apps, _group("events.k8s.io", _resource("events", "event")), reviews]}]
    )
