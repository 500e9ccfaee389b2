# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command that is refused, or only looks, must leave as it was."""

from __future__ import annotations

from tests.encryption import etcd
from tests.encryption.clusters import Cluster

LEFT = """
find /etc/kubernetes -type f ! -path '*/hardening/lock*' -printf '%M %u %s %T@ %p\\n' | sort
find /etc/kubernetes -type f ! -path '*/hardening/lock*' -exec sha256sum {} + | sort
find /etc/kubernetes/hardening -mindepth 1 ! -name 'lock*' 2>/dev/null
pidof kube-apiserver
"""
"""All that a walk may touch on a node but its own lock: files with their dates, and the process of the server."""


def left(cluster: Cluster) -> tuple[str, dict[str, str], str]:
    """Files, processes, values and kubeadm's configuration, of a cluster with one node."""
    version = "jsonpath={.metadata.resourceVersion}"
    kubeadm = cluster.kubectl("get", "configmap", "kubeadm-config", "-n", "kube-system", "-o", version)
    return cluster.on(cluster.nodes[0], "sh", "-c", LEFT), etcd.prefixes(cluster, "/registry/secrets/"), kubeadm
