# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the end of a walk: what kubeadm will write next time, keys that are kept elsewhere."""

from __future__ import annotations

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
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import JOURNAL, KEYS, OnNode

_CONFIG_MAP = KNOWN["v1", "ConfigMap"]
_NAMESPACE, _NAME, _KEY = "kube-system", "kubeadm-config", "ClusterConfiguration"
_MANAGER = "hardening.kubernetes/encryption_at_rest"
_TRIES = 3


def finish(context: Context, seen: Seen, step: Step) -> None:
    """Bring kubeadm's configuration up to date, forget what is kept elsewhere, and close the journal, which is last."""
    encrypts = bool(final(context.goal))
    if context.options.escrow:
        refuse_lost(context.options.escrow, _to_forget(seen, step))
    update_kubeadm(context, next(iter(seen.on_node.values())).settings, encrypts)
    files = {}
    for name, node in seen.on_node.items():
        files[name] = [*_forgotten(node, step, encrypts), replacing(node.files[JOURNAL], None)]
    context.write({name: [each for each in said if each["replaces"]] for name, said in files.items()})


def _to_forget(seen: Seen, step: Step) -> dict[Key, KeyMaterial]:
    return {key: node.kept[key] for node in seen.on_node.values() for key in step.keys if key in node.kept}


def _forgotten(node: OnNode, step: Step, encrypts: bool) -> list[dict[str, Any]]:
    """The keys that the vault has and no server needs, and a configuration that no server is told to read any more."""
    kept = {key: material for key, material in node.kept.items() if key not in step.keys}
    files = []
    if kept != node.kept:
        files.append(replacing(node.files[KEYS], keys_bytes(kept) if kept else None))
    if not encrypts and not node.said.path:
        files.append(replacing(node.configuration, None))
    return files


def update_kubeadm(context: Context, settings: Settings, encrypts: bool) -> None:
    """Have kubeadm write the flags at its next upgrade or join, or no longer."""
    for _try in range(_TRIES):
        found = context.client.get(_CONFIG_MAP, _NAME, _NAMESPACE)
        text = ((found or {}).get("data") or {}).get(_KEY)
        if found is None or not text:
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


def _written(client: Client, found: dict[str, Any], text: str) -> bool:
    """Whether the ConfigMap took it; not where somebody else has changed it meanwhile."""
    answer = client.merge(found, {"data": {_KEY: text}}, manager=_MANAGER)
    if answer.status == 409:
        return False
    client.checked(answer, "ConfigMap")
    return True
