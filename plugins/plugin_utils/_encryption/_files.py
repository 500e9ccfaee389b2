# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which files a step writes on a node, in their order, each naming what it replaces."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption import _manifest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import (
    Ring,
    hash_of,
    render,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    Remembered,
    history_bytes,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Providers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import HISTORY, STATE, File, OnNode

_PRIVATE = "0600"


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written on a node; ``restarts`` where the manifest is among it, which starts the API server anew.

    ``before`` is written ahead and stays, also where the rest is put back: what a server has loaded must be known.
    """

    before: list[dict[str, Any]] = field(repr=False)
    files: list[dict[str, Any]] = field(repr=False)
    restarts: bool


def replacing(file: File, content: bytes | None, mode: str = _PRIVATE) -> dict[str, Any]:
    """A file as the program on the node takes it: ``None`` removes it. Nothing is done where another one lies there."""
    encoded = None if content is None else base64.b64encode(content).decode("ascii")
    return {"path": file.path, "content": encoded, "replaces": file.hash or None, "mode": mode}


def configuring(node: OnNode, wanted: Providers, ring: Ring) -> Writing:
    """The files that make a server read and write so: what it says is remembered before it lies there."""
    present = node.manifest.content or b""
    manifest = _manifest_for(node, present.decode(), wanted, ring).encode()
    before, files = [], []
    if wanted:
        content = render(wanted, ring)
        history = dict(node.history)
        if node.configured:
            history.setdefault(node.configuration.hash, Remembered(node.configured.providers))
        history[hash_of(content)] = Remembered(wanted, datetime.now(UTC).isoformat(timespec="seconds"))
        before.append(replacing(node.files[HISTORY], history_bytes(history)))
        if hash_of(content) != node.configuration.hash:
            files.append(replacing(node.configuration, content))
    if manifest == present:
        return Writing(before, files, restarts=False)
    files.append(replacing(node.manifest, manifest, node.manifest.mode or _PRIVATE))
    return Writing(before, files, restarts=True)


def _manifest_for(node: OnNode, text: str, wanted: Providers, ring: Ring) -> str:
    if not wanted:
        return _manifest.without_encryption(_manifest.without_restart(text), node.settings)
    edited = _manifest.with_encryption(text, node.settings)
    if node.settings.automatic_reload:
        return edited
    return _manifest.with_restart(edited, hash_of(render(wanted, ring)))


def backup_of(node: OnNode) -> Mapping[str, Any]:
    """A copy of the manifest that is about to be replaced, where no kubelet takes it for a pod."""
    number = node.manifest.hash.partition(":")[2][:12]
    name = f"{PurePosixPath(node.manifest.path).stem}-{number}.yaml"
    return replacing(File(f"{STATE}/manifests/{name}"), node.manifest.content)
