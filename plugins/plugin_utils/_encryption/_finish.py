# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the end of a walk: what kubeadm will write next time, keys that are kept elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption import _kubeadm
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import keys_bytes
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key, Step
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import final
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._escrow import refuse_lost
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._files import replacing
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import JOURNAL, KEYS, File, OnNode
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._program import Call
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError

_CONFIG_MAP = KNOWN["v1", "ConfigMap"]
_NAMESPACE, _NAME, _KEY = "kube-system", "kubeadm-config", "ClusterConfiguration"
_MANAGER = "hardening.kubernetes/encryption_at_rest"
_TRIES = 3


def finish(context: Context, seen: Seen, step: Step) -> None:
    """Bring kubeadm's configuration up to date, forget what is kept elsewhere, and close the journal, which is last."""
    encrypts = bool(final(context.goal))
    if context.options.escrow:
        refuse_lost(context.options.escrow, _to_forget(seen, step))
    settings = {name: _settings(node) for name, node in seen.on_node.items()}
    update_kubeadm(context, next(iter(settings.values())), encrypts)
    left = {} if encrypts else _left(context, seen, settings)
    files = {
        name: [*_forgotten(node, step), *left.get(name, ()), replacing(node.files[JOURNAL], None)]
        for name, node in seen.on_node.items()
    }
    context.write({name: [each for each in said if each["replaces"]] for name, said in files.items()})


def _settings(node: OnNode) -> Settings:
    """Where the configuration was when the walk began."""
    path = node.journal.paths.get(node.name) if node.journal else None
    return replace(node.settings, path=path or node.settings.path)


def _left(context: Context, seen: Seen, settings: Mapping[str, Settings]) -> dict[str, list[dict[str, Any]]]:
    """The configurations that no server is told to read any more."""
    calls: dict[str, list[Call]] = {
        name: [("read", {"paths": [settings[name].path]})] for name, node in seen.on_node.items() if not node.said.path
    }
    left = {}
    for name, answer in context.nodes.ask_each(calls, "_files").items():
        if isinstance(answer, NodeError):
            raise answer
        found = answer[0][settings[name].path]
        left[name] = [replacing(File(settings[name].path, hash=found["hash"]), None)] if found else []
    return left


def _to_forget(seen: Seen, step: Step) -> dict[Key, KeyMaterial]:
    return {key: node.kept[key] for node in seen.on_node.values() for key in step.keys if key in node.kept}


def _forgotten(node: OnNode, step: Step) -> list[dict[str, Any]]:
    """The key file without the keys that the vault has and no server needs."""
    kept = {key: material for key, material in node.kept.items() if key not in step.keys}
    return [] if kept == node.kept else [replacing(node.files[KEYS], keys_bytes(kept) if kept else None)]


def update_kubeadm(context: Context, settings: Settings, encrypts: bool) -> None:
    """Have kubeadm write the flags at its next upgrade or join, or no longer."""
    context.fence()
    for _try in range(_TRIES):
        found, text = cluster_configuration(context.client)
        if not text:
            context.tell(
                f"there is no {_KEY} in {_NAMESPACE}/{_NAME}: what sets up the control plane has to keep the flags"
            )
            return
        edit = _kubeadm.with_encryption if encrypts else _kubeadm.without_encryption
        edited = edit(text, settings)
        if edited == text or _written(context.client, found, edited):
            return
    raise HardeningError(
        f"The ConfigMap {_NAMESPACE}/{_NAME} was changed by others each time that it was about to be brought up to "
        "date. All else is done: run the same command again."
    )


def cluster_configuration(client: Client) -> tuple[dict[str, Any], str]:
    """kubeadm's ConfigMap and the text in it; empty where there is none."""
    found = client.get(_CONFIG_MAP, _NAME, _NAMESPACE) or {}
    return found, str((found.get("data") or {}).get(_KEY) or "")


def _written(client: Client, found: dict[str, Any], text: str) -> bool:
    """Whether the ConfigMap took it; not where somebody else has changed it meanwhile."""
    answer = client.merge(found, {"data": {_KEY: text}}, manager=_MANAGER)
    if answer.status == 409:
        return False
    client.checked(answer, "ConfigMap")
    return True
