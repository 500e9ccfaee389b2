# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Facts
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._mentions import mentions
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

SERVICES: dict[str, Any] = {"shop": {"backend": {}, "db": {}, "true": {}}, "data": {"db": {}, "kafka": {}}}
FACTS = Facts(namespaces={"shop": {}, "data": {}}, services=SERVICES)


def found(**container: Any) -> set[tuple[str, str, str, int | None]]:
    workload = PodTemplate("Deployment", "shop", "web", {}, {"containers": [container]})
    return {(each.where, each.namespace, each.service, each.port) for each in mentions(workload, FACTS)}


@pytest.mark.parametrize(
    ("value", "called"),
    [
        ("http://backend", {("shop", "backend", None)}),
        ("http://backend:8080/path", {("shop", "backend", 8080)}),
        ("postgres://user:secret@db.data:5432/shop?sslmode=off", {("data", "db", 5432)}),
        ("kafka.data.svc.cluster.local:9092,db.data.svc:5432", {("data", "kafka", 9092), ("data", "db", 5432)}),
        ("pod-0.kafka.data.svc.cluster.local", {("data", "kafka", None)}),
        ("backend:8080", {("shop", "backend", 8080)}),
        ("--to=backend:8080", {("shop", "backend", 8080)}),
        ("backend", set()),
        ("the backend is good", set()),
        ("http://example.com/backend", set()),
        ("backend.example.com:443", set()),
        ("my-backend:8080", set()),
        ("db.elsewhere:5432", set()),
        ("kafka:9092", set()),
        ("", set()),
    ],
)
def test_services_are_found_by_their_names_in_the_clusters_dns(value: str, called: set[Any]) -> None:
    told = found(env=[{"name": "CONFIG", "value": value}])
    assert {(namespace, service, port) for _where, namespace, service, port in told if port} == {
        each for each in called if each[2]
    }
    assert {each[1:3] for each in told} == {each[:2] for each in called}
    assert {each[0] for each in told} <= {"the environment variable CONFIG"}
    assert {each[1:3] for each in found(args=["--x", value])} == {each[:2] for each in called}


@pytest.mark.parametrize("name", ["BACKEND_HOST", "backend_url", "UPSTREAMS", "DB_SERVICE"])
def test_a_bare_name_counts_in_a_variable_for_one(name: str) -> None:
    assert found(env=[{"name": name, "value": "backend"}]) == {
        (f"the environment variable {name}", "shop", "backend", None)
    }
    assert found(env=[{"name": "ROLE", "value": "backend"}]) == set()


def test_what_comes_from_secrets_and_other_objects_is_not_looked_at() -> None:
    assert found(env=[{"name": "DB_HOST", "valueFrom": {"secretKeyRef": {"name": "db", "key": "host"}}}]) == set()
