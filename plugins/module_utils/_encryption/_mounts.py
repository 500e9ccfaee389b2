# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a container sees of the node's files, by the volumes and mounts of its pod."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

Kind = Literal["none", "directory", "file", "other"]

_FILES = frozenset({"File", "FileOrCreate", "Socket", "CharDevice", "BlockDevice"})


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount of a container; ``host_path`` is empty where the volume is not the node's."""

    volume: str
    path: str
    host_path: str
    is_file: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file of a container comes from.

    ``none``: no mount shows it. ``directory``: a directory of the node does, and a file renamed into it is seen.
    ``file``: that file alone is mounted. ``other``: something that is not the node's.
    ``node_path`` is the file's path on the node, where there is one.
    """

    kind: Kind = "none"
    node_path: str = ""
    volume: str = ""
    mount_path: str = ""


def mounts_of(spec: Mapping[str, Any], container: Mapping[str, Any], what: str) -> tuple[Mount, ...]:
    """The mounts of a container; raises :class:`HardeningError`, beginning with ``what``, on what are no mounts."""
    volumes = {str(volume.get("name")): volume for volume in _maps(spec, "volumes", what)}
    return tuple(_mount(mount, volumes) for mount in _maps(container, "volumeMounts", what))


def place_of(path: str, mounts: Iterable[Mount]) -> Place:
    """Where the file at a path of a container comes from: the mount nearest above it decides."""
    file = PurePosixPath(path)
    above = [mount for mount in mounts if PurePosixPath(mount.path) in (file, *file.parents)]
    if not above:
        return Place()
    mount = max(above, key=lambda each: len(PurePosixPath(each.path).parts))
    if not mount.host_path:
        return Place("other", "", mount.volume, mount.path)
    is_file = mount.is_file or PurePosixPath(mount.path) == file
    node_path = PurePosixPath(mount.host_path) / file.relative_to(mount.path)
    return Place("file" if is_file else "directory", str(node_path), mount.volume, mount.path)


def volume_and_mount(name: str, directory: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our volume and its mount: a directory of the node at the same path, which the server can only read."""
    volume = {"hostPath": {"path": directory, "type": "Directory"}, "name": name}
    return volume, {"mountPath": directory, "name": name, "readOnly": True}


def _mount(mount: dict[str, Any], volumes: Mapping[str, dict[str, Any]]) -> Mount:
    name = str(mount.get("name"))
    host = volumes.get(name, {}).get("hostPath")
    host = host if isinstance(host, dict) else {}
    inner = mount.get("subPath") or mount.get("subPathExpr") or ""
    host_path = str(host.get("path") or "")
    return Mount(
        name,
        str(mount.get("mountPath")),
        str(PurePosixPath(host_path) / str(inner)) if host_path else "",
        host.get("type") in _FILES or bool(inner),
    )


def _maps(holder: Mapping[str, Any], key: str, what: str) -> list[dict[str, Any]]:
    said = holder.get(key) or []
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        raise HardeningError(f"{what}: {key} is not a list of maps.")
    return said
