# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what lies beside an API server's manifest, where the kubelet takes each file for a pod."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import BINARY, OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._program import Call
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

_MANIFESTS = (".yaml", ".yml", ".json")
_NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError)


def foreign_files(nodes: Nodes, on_node: Mapping[str, OnNode]) -> Iterator[str]:
    """What must not lie there, one sentence each."""
    # The kubelet leaves out hidden files.
    beside = {
        name: [each for each in node.beside_manifest if not each.startswith(".")] for name, node in on_node.items()
    }
    for name, files in beside.items():
        if foreign := [each for each in files if not each.endswith(_MANIFESTS)]:
            yield (
                f"Beside the manifests on the node {name} lies {', '.join(foreign)}, and the kubelet takes every file "
                "there for a pod: move it elsewhere."
            )
    calls: dict[str, list[Call]] = {
        name: [("read", {"paths": [str(_folder(on_node[name]) / each) for each in files if each.endswith(_MANIFESTS)]})]
        for name, files in beside.items()
    }
    for name, answer in nodes.ask_each(calls, "_files").items():
        if isinstance(answer, NodeError):
            yield f"What lies beside the manifests could not be read: {answer}"
            continue
        for path, found in answer[0].items():
            if why := _second(path, found or {"kind": "gone"}):
                yield (
                    f"Beside {PurePosixPath(on_node[name].manifest.path).name} on the node {name} lies "
                    f"{PurePosixPath(path).name}, which {why}: the kubelet may run either, and a change is made in one "
                    "of them. Move it elsewhere, out of that folder."
                )


def _folder(node: OnNode) -> PurePosixPath:
    return PurePosixPath(node.manifest.path).parent


def _second(path: str, found: Mapping[str, Any]) -> str:
    """Why a file may be the manifest of a second kube-apiserver; empty where it is none."""
    if found["kind"] not in ("file", "link"):
        return ""
    try:
        return "runs a kube-apiserver too" if _is_server(_document(found)) else ""
    except ValueError:
        names = (PurePosixPath(each).name for each in (path, found.get("target", "")))
        return "has the name of a kube-apiserver and cannot be read" if any(BINARY in each for each in names) else ""


def _document(found: Mapping[str, Any]) -> Any:
    """The first document of a file, of which the kubelet takes no other. Raises ValueError where it has none."""
    # A link comes without what it leads to.
    if "content" not in found:
        raise ValueError
    try:
        return next(yaml.safe_load_all(base64.b64decode(found["content"])), None)
    except _NOT_YAML:
        raise ValueError from None


def _is_server(document: Any) -> bool:
    pod = _map(document)
    if pod.get("kind") != "Pod":
        return False
    spec = _map(pod.get("spec"))
    containers = [*_list(spec.get("containers")), *_list(spec.get("initContainers"))]
    return _map(pod.get("metadata")).get("name") == BINARY or any(_runs_server(_map(each)) for each in containers)


def _runs_server(container: Mapping[str, Any]) -> bool:
    """By how its command begins; without one that is the image's, and the container's name has to do."""
    words = _list(container.get("command"))[:1] or [container.get("name"), *_list(container.get("args"))[:1]]
    return any(PurePosixPath(str(each)).name == BINARY for each in words)


def _map(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, dict) else {}


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []
