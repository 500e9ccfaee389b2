# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the namespaces that hold the cluster's own components."""

from __future__ import annotations

from fnmatch import fnmatchcase

COMPONENT_NAMESPACES: tuple[str, ...] = (
    "kube-*",
    "openshift*",
    "local-path-storage",
    "gatekeeper-system",
    "kyverno",
    "istio-system",
    "cilium*",
    "calico-*",
    "tigera-operator",
    "cert-manager",
    "trivy-system",
    "gke-*",
    "gmp-*",
    "azure-*",
    "calico-system",
    "amazon-*",
    "cattle-*",
    "*gpu-operator",
    "ingress-nginx",
    "linkerd*",
    "longhorn-system",
    "metallb-system",
    "rook-ceph",
    "hardening-kubernetes",
    "hardening-system",
)
"""Globs. What a policy says of every namespace never reaches these: they serve the whole cluster, and a default that
fits an application can take the cluster down. A policy that names one of them means it."""


def holds_cluster_components(namespace: str) -> bool:
    """Whether a namespace belongs to the cluster itself, so that no default may reach it."""
    return any(fnmatchcase(namespace, glob) for glob in COMPONENT_NAMESPACES)
