# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._cluster_components import (
    holds_cluster_components,
)


@pytest.mark.parametrize("namespace", ["kube-system", "kube-node-lease", "openshift", "openshift-dns", "istio-system"])
def test_component_namespaces_are_known(namespace: str) -> None:
    assert holds_cluster_components(namespace)


@pytest.mark.parametrize(
    "namespace",
    [
        "metallb-system",
        "longhorn-system",
        "rook-ceph",
        "cattle-system",
        "cattle-fleet-system",
        "linkerd",
        "linkerd-viz",
        "gpu-operator",
        "nvidia-gpu-operator",
        "ingress-nginx",
    ],
)
def test_namespaces_of_well_known_operators_are_known(namespace: str) -> None:
    assert holds_cluster_components(namespace)


@pytest.mark.parametrize("namespace", ["default", "production", "my-kube-system", "kubernetes-demo"])
def test_application_namespaces_are_not_taken_for_them(namespace: str) -> None:
    assert not holds_cluster_components(namespace)
