# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A shop in plain data: three Deployments in one namespace, the cluster's DNS and API server beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Dns,
    Facts,
    Listener,
    workloads_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import (
    NetworkSettings,
    parse_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

NAME_LABEL = "kubernetes.io/metadata.name"
DNS_PORTS = ((53, "TCP"), (53, "UDP"))
Object = dict[str, Any]


class Shop:
    """Makes the facts and settings that the tests speak of."""

    @staticmethod
    def deployment(name: str, *ports: tuple[str, int, str], namespace: str = "shop", **spec: Any) -> Object:
        declared = [{"name": port, "containerPort": number, "protocol": protocol} for port, number, protocol in ports]
        template = {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "c", "ports": declared}], **spec},
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"template": template},
        }

    @staticmethod
    def service(name: str, *ports: Object, namespace: str = "shop", **spec: Any) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"app": name}, "ports": list(ports), **spec},
        }

    @staticmethod
    def policy(name: str, spec: Object, namespace: str = "shop", set_name: str = "") -> Object:
        """A NetworkPolicy as the server keeps it; of a set of ours where one is named."""
        metadata: Object = {"name": name, "namespace": namespace, "managedFields": [{"manager": "kubectl"}]}
        if set_name:
            metadata |= {"labels": {"hardening.kubernetes/set": set_name}, "managedFields": [{"manager": MANAGER}]}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}

    def workloads(self) -> tuple[PodTemplate, ...]:
        return workloads_of(
            [],
            [
                self.deployment("frontend", ("http", 8080, "TCP")),
                self.deployment("backend", ("http", 8080, "TCP"), ("metrics", 9090, "TCP")),
                self.deployment("postgres", ("postgres", 5432, "TCP")),
            ],
        )

    def facts(self, **more: Any) -> Facts:
        names = ("shop", "data", "kube-system")
        bare = Facts(
            namespaces={name: {NAME_LABEL: name} for name in names},
            workloads={"shop": self.workloads()},
            dns=Dns(
                "kube-system", {"k8s-app": "kube-dns"}, ((53, "TCP"), (53, "UDP")), ("10.244.0.2",), ("10.96.0.10",)
            ),
            api_servers=(Listener(("172.18.0.2",), ((6443, "TCP"),)),),
        )
        return replace(bare, **more)

    @staticmethod
    def settings(said: Object, **others: Object) -> dict[str, NetworkSettings]:
        return {name: parse_settings(each, name) for name, each in {"shop": said, **others}.items()}


@pytest.fixture
def shop() -> Shop:
    return Shop()
