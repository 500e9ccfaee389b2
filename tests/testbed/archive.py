# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images written by hand: layers as tar files, and the archive that `docker load` and `ctr import` read."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a layer: a file by content or by source, a link by `link`, else a folder."""

    path: str
    content: bytes | None = None
    source: Path | None = None
    link: str | None = None
    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its name with tag, its layers (uncompressed tar files, lowest first) and its configuration."""

    name: str
    layers: Sequence[Path]
    config: dict[str, Any] = field(default_factory=dict)


def architecture() -> str:
    """This machine's architecture in the words of container images."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


def add(tar: tarfile.TarFile, entry: Entry) -> None:
    """Write one entry, owned by root and without a time, so that equal inputs give equal layers."""
    info = tarfile.TarInfo(entry.path.lstrip("/"))
    info.mode = entry.mode
    if entry.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        tar.addfile(info)
    elif entry.source is not None:
        info.size = entry.source.stat().st_size
        with entry.source.open("rb") as data:
            tar.addfile(info, data)
    elif entry.content is not None:
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))
    else:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)


def write_layer(path: Path, entries: Iterable[Entry]) -> Path:
    """A layer with these entries, in this order; a folder must come before what is in it."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            add(tar, entry)
    return path


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def write_images(path: Path, images: Sequence[Image]) -> Path:
    """One archive with several images; layers they share are in it once."""
    digests = {layer: file_digest(layer) for image in images for layer in image.layers}
    manifest = []
    configs = {}
    for image in images:
        document = {
            "architecture": architecture(),
            "os": "linux",
            "config": image.config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digests[layer]}" for layer in image.layers]},
        }
        content = json.dumps(document, sort_keys=True).encode()
        name = f"{hashlib.sha256(content).hexdigest()}.json"
        configs[name] = content
        layers = [f"{digests[layer]}/layer.tar" for layer in image.layers]
        manifest.append({"Config": name, "RepoTags": [image.name], "Layers": layers})
    by_digest = {digest: layer for layer, digest in digests.items()}
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for digest, layer in by_digest.items():
            add(tar, Entry(digest))
            add(tar, Entry(f"{digest}/layer.tar", source=layer, mode=0o644))
        for name, content in configs.items():
            add(tar, Entry(name, content=content, mode=0o644))
        add(tar, Entry("manifest.json", content=json.dumps(manifest).encode(), mode=0o644))
    return path
