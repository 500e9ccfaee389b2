# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._counts import (
    counted_by,
    names_to_count,
    used,
)


def claim(size: str, storage_class: str = "", allocated: str = "", annotated: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {"resources": {"requests": {"storage": size}}}
    if storage_class:
        spec["storageClassName"] = storage_class
    status = {"allocatedResources": {"storage": allocated}} if allocated else {}
    annotations = {"volume.beta.kubernetes.io/storage-class": annotated} if annotated else {}
    return {"metadata": {"name": "data", "annotations": annotations}, "spec": spec, "status": status}


def service(kind: str, *node_ports: int) -> dict[str, Any]:
    ports = [{"port": 80, **({"nodePort": port} if port else {})} for port in node_ports]
    return {"metadata": {"name": "web"}, "spec": {"type": kind, "ports": ports}}


CLAIMS = [claim("1Gi", "gold"), claim("2Gi", "silver", allocated="3Gi"), claim("1Gi", annotated="gold")]
SERVICES = [service("ClusterIP", 0), service("NodePort", 30000, 30001), service("LoadBalancer", 0, 30002)]


@pytest.mark.parametrize(
    ("name", "objects", "amount"),
    [
        ("requests.storage", CLAIMS, 5 * 2**30),
        ("persistentvolumeclaims", CLAIMS, 3),
        ("gold.storageclass.storage.k8s.io/requests.storage", CLAIMS, 2 * 2**30),
        ("gold.storageclass.storage.k8s.io/persistentvolumeclaims", CLAIMS, 2),
        ("services", SERVICES, 3),
        ("services.nodeports", SERVICES, 3),
        ("services.loadbalancers", SERVICES, 1),
        ("count/widgets.example.com", [{}, {}], 2),
        ("secrets", [], 0),
    ],
)
def test_objects_use_what_the_server_would_count(name: str, objects: list[dict[str, Any]], amount: int) -> None:
    counted = counted_by(name)
    assert counted is not None
    assert used(counted, objects) == Decimal(amount)


@pytest.mark.parametrize(
    ("name", "group", "plural"),
    [
        ("count/widgets.example.com", "example.com", "widgets"),
        ("count/configmaps", "", "configmaps"),
        ("gold.storageclass.storage.k8s.io/requests.storage", "", "persistentvolumeclaims"),
    ],
)
def test_a_name_tells_whose_objects_count(name: str, group: str, plural: str) -> None:
    counted = counted_by(name)
    assert counted is not None
    assert (counted.group, counted.plural) == (group, plural)


@pytest.mark.parametrize("name", ["pods", "cpu", "requests.memory", "gold.storageclass.storage.k8s.io/limits.cpu"])
def test_what_pods_use_and_what_nobody_knows_is_not_counted_here(name: str) -> None:
    assert counted_by(name) is None


def test_only_quotas_that_everything_falls_under_are_counted_for() -> None:
    plain = {"spec": {"hard": {"services": "2", "pods": "3"}}}
    scoped = {"spec": {"hard": {"secrets": "2"}, "scopes": ["BestEffort"]}}
    assert names_to_count([plain, scoped]) == ["services"]
