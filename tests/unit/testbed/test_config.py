# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.testbed import config, tables


def kind(
    nodes: int = 1, cni: tables.Cni = "enforcing", api_server: tables.ApiServer = "stock", **facts: bool
) -> dict[str, Any]:
    spec = tables.Spec("demo", nodes, cni, tables.kubernetes("1.36"), api_server)
    settings = {"published": False, "cgroup_v1": False, "lacks_capability": False, **facts}
    document: dict[str, Any] = json.loads(config.kind_config(spec, **settings))
    return document


def kubeadm(document: dict[str, Any], wanted: str) -> dict[str, Any]:
    patches = [json.loads(patch) for patch in document["kubeadmConfigPatches"]]
    return next((patch for patch in patches if patch["kind"] == wanted), {})


@pytest.mark.parametrize(
    ("published", "cni", "disabled"),
    [(False, "enforcing", True), (False, "plain", True), (True, "enforcing", False), (True, "plain", True)],
)
def test_kinds_own_network_serves_only_where_its_image_was_pulled(
    published: bool, cni: tables.Cni, disabled: bool
) -> None:
    assert kind(cni=cni, published=published)["networking"]["disableDefaultCNI"] is disabled


def test_every_node_is_a_control_plane() -> None:
    assert kind(nodes=3)["nodes"] == [{"role": "control-plane"}] * 3


def test_assembled_image_uses_the_tags_it_was_assembled_with() -> None:
    components = kubeadm(kind(), "ClusterConfiguration")
    assert components["etcd"]["local"]["imageTag"] == "3.6.8-0"
    assert components["dns"]["imageTag"] == tables.COREDNS
    assert kubeadm(kind(published=True), "ClusterConfiguration") == {}


def test_cgroup_v1_gets_the_other_driver() -> None:
    document = kind(cgroup_v1=True)
    kubelet = kubeadm(document, "KubeletConfiguration")
    assert (kubelet["cgroupDriver"], kubelet["failCgroupV1"]) == ("cgroupfs", False)
    assert sum("SystemdCgroup = false" in patch for patch in document["containerdConfigPatches"]) == 2


def test_servers_that_tests_kill_are_not_kept_waiting() -> None:
    kubelet = kubeadm(kind(api_server="fast"), "KubeletConfiguration")
    assert kubelet["featureGates"] == {"KubeletCrashLoopBackOffMax": True}
    assert kubelet["crashLoopBackOff"] == {"maxContainerRestartPeriod": "1s"}
    assert "crashLoopBackOff" not in kubeadm(kind(), "KubeletConfiguration")


def test_host_with_everything_is_not_patched() -> None:
    document = kind()
    assert document["containerdConfigPatches"] == []
    assert "cgroupDriver" not in kubeadm(document, "KubeletConfiguration")


def test_missing_capability_keeps_oom_scores_alone() -> None:
    patches = kind(lacks_capability=True)["containerdConfigPatches"]
    assert patches == ['[plugins."io.containerd.grpc.v1.cri"]\n  restrict_oom_score_adj = true\n']


def test_enforcing_network_uses_the_image_in_the_node() -> None:
    documents = yaml.safe_load(config.enforcing_network())["items"]
    pod = next(item for item in documents if item["kind"] == "DaemonSet")["spec"]["template"]["spec"]
    assert {c["image"] for c in pod["initContainers"] + pod["containers"]} == {tables.KUBE_ROUTER_IMAGE}
    written = next(item for item in documents if item["kind"] == "ConfigMap")["data"]["network.conflist"]
    assert json.loads(written)["plugins"][0]["bridge"] == "kube-bridge"


def test_plain_network_takes_the_nodes_range() -> None:
    ptp = json.loads(config.plain_network("10.244.1.0/24"))["plugins"][0]
    assert (ptp["type"], ptp["ipam"]["ranges"]) == ("ptp", [[{"subnet": "10.244.1.0/24"}]])


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (
            ["run", "--name", "demo-control-plane", "--detach"],
            "run --ip 10.213.0.11 --name demo-control-plane --detach",
        ),
        (["run", "--name", "other", "image"], "run --name other image"),
        (["ps"], "ps"),
    ],
)
def test_docker_front_pins_addresses_by_name(tmp_path: Path, arguments: list[str], wanted: str) -> None:
    real = tmp_path / "a folder" / "docker"
    real.parent.mkdir()
    real.write_text('#!/bin/sh\necho "$@"\n')
    front = tmp_path / "front"
    front.write_text(config.docker_front(str(real), {"demo-control-plane": "10.213.0.11"}))
    for program in (real, front):
        program.chmod(0o755)
    said = subprocess.run([front, *arguments], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == wanted
