# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Beside an API server's manifest nothing may lie that is a second one, or no manifest at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._beside import foreign_files
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

from tests.unit.plugins.module_utils._encryption.manifests import KUBEADM

FOLDER = "/etc/kubernetes/manifests"


def pod(command: str) -> str:
    """A pod that is called second, as its container is."""
    return KUBEADM.replace("name: kube-apiserver\n", "name: second\n").replace("- kube-apiserver\n", f"- {command}\n")


def file(text: str) -> dict[str, Any]:
    return {"kind": "file", "content": base64.b64encode(text.encode()).decode()}


def told(by_node: Mapping[str, Mapping[str, Any] | NodeError]) -> list[str]:
    """What is told of nodes, by name what ``read`` says of the files there, or why it says nothing."""
    asked = []

    def ask_each(calls: Any, program: str) -> dict[str, Any]:
        asked.append(program)
        answers: dict[str, Any] = {}
        for name, [(operation, arguments)] in calls.items():
            assert operation == "read"
            found = by_node[name]
            answers[name] = found
            if not isinstance(found, NodeError):
                answers[name] = [{path: found[path.removeprefix(f"{FOLDER}/")] for path in arguments["paths"]}]
        return answers

    on_node = {
        name: SimpleNamespace(
            manifest=SimpleNamespace(path=f"{FOLDER}/kube-apiserver.yaml"),
            beside_manifest=("etcd.yaml",) if isinstance(found, NodeError) else (*found,),
        )
        for name, found in by_node.items()
    }
    sentences = list(
        foreign_files(cast(Nodes, SimpleNamespace(ask_each=ask_each)), cast(Mapping[str, OnNode], on_node))
    )
    assert asked == ["_files"], "one round for all nodes"
    return sentences


@pytest.mark.parametrize(
    "text",
    [
        KUBEADM,
        json.dumps({"kind": "Pod", "metadata": {"name": "kube-apiserver"}}),
        pod("kube-apiserver"),
        pod("/usr/local/bin/kube-apiserver"),
        pod("kube-apiserver").replace("containers:", "initContainers:"),
        "kind: Pod\nspec: {containers: [{name: kube-apiserver}]}",
        "kind: Pod\nspec: {containers: [{name: a, args: [kube-apiserver]}]}",
        f"{KUBEADM}---\nkind: ConfigMap\n",
        KUBEADM.replace("kind: Pod", "kind: Service\nkind: Pod"),
    ],
)
def test_a_second_server_is_told(text: str) -> None:
    (sentence,) = told({"cp1": {"etcd.yaml": file(pod("etcd")), "old.json": file(text)}, "cp2": {}})
    assert sentence == (
        "Beside kube-apiserver.yaml on the node cp1 lies old.json, which runs a kube-apiserver too: the kubelet may "
        "run either, and a change is made in one of them. Move it elsewhere, out of that folder."
    )


@pytest.mark.parametrize(
    "text",
    [
        pod("etcd"),
        pod("kube-apiserver-proxy"),
        KUBEADM.replace("kind: Pod", "kind: Service"),
        "[kube-apiserver]",
        "kind: Pod\nmetadata: kube-apiserver\nspec: {containers: {name: kube-apiserver}}",
        "kind: Pod\nspec: {containers: [kube-apiserver, {command: kube-apiserver}]}",
        "",
        "{",
        "date: 2026-99-99",
        "\x00",
    ],
)
def test_what_is_no_server_is_nobodys_business(text: str) -> None:
    assert told({"cp1": {"other.yaml": file(text)}}) == []


@pytest.mark.parametrize(
    "found",
    [file("{"), {"kind": "link", "target": "/root/a.yaml"}],
)
def test_what_cannot_be_read_is_judged_by_its_name(found: dict[str, Any]) -> None:
    assert told({"cp1": {"other.yaml": found}}) == []
    (sentence,) = told({"cp1": {"kube-apiserver-old.yaml": found}})
    assert "lies kube-apiserver-old.yaml, which has the name of a kube-apiserver and cannot be read" in sentence


def test_what_a_link_leads_to_counts_by_its_name() -> None:
    (sentence,) = told({"cp1": {"a.yaml": {"kind": "link", "target": "/root/kube-apiserver-old.yaml"}}})
    assert "lies a.yaml, which has the name of a kube-apiserver" in sentence


def test_what_the_kubelet_takes_for_no_pod_is_not_told() -> None:
    assert told({"cp1": {"kube-apiserver.d.yaml": {"kind": "directory"}, "kube-apiserver-gone.yaml": None}}) == []
    assert told({"cp1": {".kube-apiserver.yaml": file(KUBEADM), ".swp": None}}) == []


def test_what_is_no_manifest_by_its_name_is_told() -> None:
    (sentence,) = told({"cp1": {"kube-apiserver.yaml.bak": None, "notes": None}, "cp2": {}})
    assert sentence == (
        "Beside the manifests on the node cp1 lies kube-apiserver.yaml.bak, notes, and the kubelet takes every file "
        "there for a pod: move it elsewhere."
    )


def test_a_node_that_does_not_show_its_files_is_told() -> None:
    (sentence,) = told({"cp1": NodeError("cp1", "it is off."), "cp2": {}})
    assert sentence == "What lies beside the manifests could not be read: cp1: it is off."
