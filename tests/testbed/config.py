# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents that a cluster is made from. Pure functions: facts in, JSON or text out."""

from __future__ import annotations

import json
import shlex
from typing import Any

from . import places
from .node import etcd_tag
from .tables import COREDNS, KUBE_ROUTER_IMAGE, ApiServer, Spec

CONTAINERD = 'plugins."io.containerd.grpc.v1.cri"'


def kubelet_patch(cgroup_v1: bool, api_server: ApiServer) -> dict[str, Any]:
    """What the kubelet is told; on cgroup v1 it neither finds systemd's driver nor starts without being told to.

    Servers that tests kill again and again would soon be kept waiting for five minutes.
    """
    patch: dict[str, Any] = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}
    if cgroup_v1:
        patch |= {"cgroupDriver": "cgroupfs", "failCgroupV1": False}
    if api_server == "fast":
        gates = {"KubeletCrashLoopBackOffMax": True}
        patch |= {"featureGates": gates, "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"}}
    return patch


def containerd_patches(cgroup_v1: bool, lacks_capability: bool) -> list[str]:
    """The changes to containerd's configuration that the host makes necessary."""
    patches = []
    if cgroup_v1:
        patches += [
            f"[{CONTAINERD}.containerd.runtimes.{runtime}.options]\n  SystemdCgroup = false\n"
            for runtime in ("runc", "test-handler")
        ]
    if lacks_capability:
        patches.append(f"[{CONTAINERD}]\n  restrict_oom_score_adj = true\n")
    return patches


def kind_config(spec: Spec, *, published: bool, cgroup_v1: bool, lacks_capability: bool) -> str:
    """kind's configuration as JSON, which is YAML too.

    A published image brings its own component images and a pod network that enforces NetworkPolicy.
    """
    components: dict[str, Any] = {
        "kind": "ClusterConfiguration",
        "etcd": {"local": {"imageTag": etcd_tag()}},
        "dns": {"imageTag": COREDNS},
    }
    patches = [kubelet_patch(cgroup_v1, spec.api_server), *([] if published else [components])]
    return json.dumps(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "networking": {"disableDefaultCNI": not published or spec.cni == "plain"},
            "nodes": [{"role": "control-plane"}] * spec.nodes,
            "kubeadmConfigPatches": [json.dumps(patch) for patch in patches],
            "containerdConfigPatches": containerd_patches(cgroup_v1, lacks_capability),
        },
        indent=1,
    )


def enforcing_network() -> str:
    """The manifests of kube-router."""
    return (places.MANIFESTS / "kube-router.yaml").read_text().replace("image: IMAGE", f"image: {KUBE_ROUTER_IMAGE}")


def plain_network(pod_cidr: str) -> str:
    """The CNI configuration of one node in a network that ignores NetworkPolicy."""
    return json.dumps(
        {
            "cniVersion": "1.0.0",
            "name": "plain",
            "plugins": [
                {
                    "type": "ptp",
                    "ipMasq": True,
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[{"subnet": pod_cidr}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        },
        indent=1,
    )


def docker_front(docker: str, table: dict[str, str]) -> str:
    """A `docker` for kind that pins the address of each container by name; kind has no setting for it."""
    cases = "\n".join(f"  'run --name {name}') address={address} ;;" for name, address in sorted(table.items()))
    real = shlex.quote(docker)
    return f"""#!/bin/sh
case "$1 $2 $3" in
{cases}
  *) exec {real} "$@" ;;
esac
shift
exec {real} run --ip "$address" "$@"
"""
