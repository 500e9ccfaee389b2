# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import (
    TEMPLATE_PATHS,
    pod_template,
)

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web"}]}}


def _workload(api_version: str, kind: str) -> dict[str, Any]:
    workload: dict[str, Any] = {"apiVersion": api_version, "kind": kind}
    place = workload
    for key in TEMPLATE_PATHS[(api_version, kind)]:
        place[key] = {}
        place = place[key]
    place.update(TEMPLATE)
    workload["metadata"] = {"labels": {"app": "web"}} | {"name": "web", "namespace": "shop"}
    return workload


@pytest.mark.parametrize(("api_version", "kind"), TEMPLATE_PATHS)
def test_the_template_of_every_kind_is_found(api_version: str, kind: str) -> None:
    found = pod_template(_workload(api_version, kind))
    assert found is not None
    assert found.subject == f"{kind}/shop/web"
    assert found.labels == {"app": "web"}
    assert found.spec == TEMPLATE["spec"]


def test_a_kind_that_makes_no_pods_has_none() -> None:
    assert pod_template({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}) is None
