# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the static pod manifest of a kube-apiserver, what it says and how encryption gets into it.

The flags are those of the kube-apiserver reference, 1.34 to 1.37. The file is mounted by its *directory*: a new file
that is renamed into place is another inode, which a mount of the file itself never shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._edits import append, parsed, put, remove
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._mounts import (
    Mount,
    Place,
    mounts_of,
    place_of,
    volume_and_mount,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

CONFIG_FLAG = "encryption-provider-config"
RELOAD_FLAG = "encryption-provider-config-automatic-reload"
RESTART_ANNOTATION = "hardening.kubernetes/encryption-configuration"

_WHAT = "The manifest of the kube-apiserver"
_BINARY = "kube-apiserver"
_RESTART = ("metadata", "annotations", RESTART_ANNOTATION)
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_SAFE_PATH = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._-]*){2,}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the configuration lies, on the node and in the container alike, and by which volume it gets in."""

    path: str = "/etc/kubernetes/encryption/configuration.json"
    volume: str = "hardening-encryption"
    automatic_reload: bool = True

    @property
    def directory(self) -> str:
        return str(PurePosixPath(self.path).parent)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says: every flag with its last value, in order, and what concerns encryption.

    ``path`` is the configuration's as the server sees it, empty where the flag is not set; ``place`` tells where on
    the node that is.
    """

    flags: tuple[tuple[str, str], ...]
    path: str
    automatic_reload: bool
    place: Place

    def flag(self, name: str, default: str = "") -> str:
        """The value of a flag; of those given twice the last, as the server takes it."""
        return dict(self.flags).get(name, default)


@dataclass(frozen=True, slots=True)
class _Server:
    """Where in the document the kube-apiserver's container and its flags are."""

    pod: dict[str, Any]
    index: int
    arguments: str
    values: tuple[str, ...]
    first: int

    @property
    def path(self) -> tuple[str | int, ...]:
        return "spec", "containers", self.index

    @property
    def container(self) -> dict[str, Any]:
        container: dict[str, Any] = self.pod["spec"]["containers"][self.index]
        return container

    def mounts(self) -> tuple[Mount, ...]:
        return mounts_of(self.pod["spec"], self.container, _WHAT)


def read_manifest(text: str) -> Manifest:
    """What a manifest says; raises :class:`HardeningError` on anything but the pod of one kube-apiserver."""
    server = _server(text)
    flags = _flags(server)
    path = dict(flags).get(CONFIG_FLAG, "")
    return Manifest(
        flags,
        path,
        dict(flags).get(RELOAD_FLAG, "false") in _TRUE,
        place_of(path, server.mounts()) if path else Place(),
    )


def user_of(text: str) -> int:
    """The user as whom the server of a manifest runs; root's 0 where it says nothing."""
    server = _server(text)
    spoken = [each.get("securityContext") or {} for each in (server.pod["spec"], server.container)]
    users = [each["runAsUser"] for each in spoken if each.get("runAsUser") is not None]
    return int(users[-1]) if users else 0


def place_in(text: str, path: str) -> Place:
    """Where on the node the server of a manifest finds what it sees at a path."""
    return place_of(path, _server(text).mounts())


def with_encryption(text: str, settings: Settings) -> str:
    """The manifest with the flags, and a mount of the configuration's directory where none shows it yet.

    The same text where it is all there. Raises :class:`HardeningError` where the flag points elsewhere, where the
    file itself is mounted or something else stands in the way, and where the text cannot be edited safely.
    """
    _refuse_unsafe(settings)
    server = _server(text)
    manifest = read_manifest(text)
    if manifest.path not in ("", settings.path):
        raise HardeningError(
            f"{_WHAT}: --{CONFIG_FLAG} points to {manifest.path} and not to {settings.path}; take it out first."
        )
    if not manifest.path and CONFIG_FLAG in dict(manifest.flags):
        raise HardeningError(f"{_WHAT}: --{CONFIG_FLAG} is given with no path; take it out.")
    edited = _with_mount(text, server, settings)
    if manifest.path != settings.path:
        edited = _with_flag(edited, f"--{CONFIG_FLAG}={settings.path}")
    if settings.automatic_reload and not manifest.automatic_reload:
        edited = _with_flag(_without_flag(edited, RELOAD_FLAG), f"--{RELOAD_FLAG}=true")
    return edited


def without_encryption(text: str, settings: Settings) -> str:
    """The manifest without the flags, and without our mount and volume; the same text where there are none.

    What :func:`with_encryption` has put in is taken out to the byte. A mount that was there before stays. Raises
    :class:`HardeningError` where the flag points elsewhere.
    """
    manifest = read_manifest(text)
    if manifest.path not in ("", settings.path):
        raise HardeningError(
            f"{_WHAT}: --{CONFIG_FLAG} points to {manifest.path} and not to {settings.path}; "
            "it is not ours to take out."
        )
    edited = _without_flag(_without_flag(text, RELOAD_FLAG), CONFIG_FLAG)
    server = _server(edited)
    volume, mount = volume_and_mount(settings.volume, settings.directory)
    _refuse_other_users(server, volume)
    for path, holder, ours in (
        ((*server.path, "volumeMounts"), server.container, mount),
        (("spec", "volumes"), server.pod["spec"], volume),
    ):
        there = holder.get(str(path[-1])) or []
        if ours in there:
            edited = remove(edited, (*path, there.index(ours)), _WHAT)
    return edited


def with_restart(text: str, mark: str) -> str:
    """The manifest with an annotation that makes the kubelet start the server anew, since the text differs.

    For a server that does not reload its configuration; ``mark`` is the hash of the bytes that it is to load.
    """
    if _annotations(text).get(RESTART_ANNOTATION) == mark:
        return text
    return put(without_restart(text), _RESTART, mark, _WHAT)


def without_restart(text: str) -> str:
    """The manifest without the annotation of :func:`with_restart`."""
    return remove(text, _RESTART, _WHAT) if RESTART_ANNOTATION in _annotations(text) else text


def _annotations(text: str) -> dict[str, Any]:
    annotations = (_server(text).pod.get("metadata") or {}).get("annotations") or {}
    return dict(annotations)


def _refuse_other_users(server: _Server, volume: dict[str, Any]) -> None:
    spec = server.pod["spec"]
    if volume not in (spec.get("volumes") or []):
        return
    others = [*(spec.get("initContainers") or []), *spec["containers"]]
    for container in others:
        mounted = [mount.volume for mount in mounts_of(spec, container, _WHAT)]
        if container is not server.container and volume["name"] in mounted:
            raise HardeningError(
                f"{_WHAT}: container {container.get('name')} mounts our volume {volume['name']} too; take that mount "
                "out first."
            )


def _refuse_unsafe(settings: Settings) -> None:
    if not _SAFE_PATH.fullmatch(settings.path):
        raise HardeningError(
            f"The path {settings.path!r} is not one for the configuration; it is absolute, in a directory of its own, "
            "of letters, digits, dots, dashes and underscores."
        )


def _with_mount(text: str, server: _Server, settings: Settings) -> str:
    place = place_of(settings.path, server.mounts())
    if place.kind == "file":
        raise HardeningError(
            f"{_WHAT}: {settings.path} is mounted as a file, which never shows a new one; mount its directory "
            f"{settings.directory} instead."
        )
    if place.kind == "directory" and place.node_path == settings.path:
        return text
    if place.kind != "none" and PurePosixPath(place.mount_path) == PurePosixPath(settings.directory):
        raise HardeningError(
            f"{_WHAT}: something other than {settings.directory} of the node is mounted there (volume "
            f"{place.volume}); choose another path."
        )
    taken = {str(each.get("name")) for each in server.pod["spec"].get("volumes") or []}
    taken |= {mount.volume for mount in server.mounts()}
    if settings.volume in taken:
        raise HardeningError(
            f"{_WHAT}: a volume {settings.volume} is there, and does not mount {settings.directory}; take it out."
        )
    volume, mount = volume_and_mount(settings.volume, settings.directory)
    return append(append(text, (*server.path, "volumeMounts"), mount, _WHAT), ("spec", "volumes"), volume, _WHAT)


def _with_flag(text: str, flag: str) -> str:
    server = _server(text)
    return append(text, (*server.path, server.arguments), flag, _WHAT)


def _without_flag(text: str, name: str) -> str:
    server = _server(text)
    given = [at for at, value in enumerate(server.values) if _name(value) == name]
    if not given:
        return text
    if len(given) > 1:
        raise HardeningError(f"{_WHAT}: --{name} is given {len(given)} times; leave one of them.")
    if "=" not in server.values[given[0]] and name != RELOAD_FLAG:
        raise HardeningError(f"{_WHAT}: write --{name} and its value as one argument, --{name}=value.")
    return remove(text, (*server.path, server.arguments, server.first + given[0]), _WHAT)


def _server(text: str) -> _Server:
    _node, pod = parsed(text, _WHAT)
    spec = pod.get("spec") if isinstance(pod, dict) and pod.get("kind") == "Pod" else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    if not isinstance(containers, list):
        raise HardeningError(f"{_WHAT}: this is not the manifest of a pod with containers.")
    found = [each for at, one in enumerate(containers) if (each := _as_server(pod, at, one)) is not None]
    if len(found) != 1:
        number = "no container" if not found else f"{len(found)} containers"
        raise HardeningError(f"{_WHAT}: {number} of this pod runs kube-apiserver, and there must be one.")
    return found[0]


def _as_server(pod: dict[str, Any], index: int, container: Any) -> _Server | None:
    if not isinstance(container, dict):
        return None
    command, arguments = (_words(container, key) for key in ("command", "args"))
    named = next((at for at, word in enumerate(command) if PurePosixPath(word).name == _BINARY), None)
    if named is None and command:
        if any(re.search(rf"{_BINARY}(\s|$)", word) for word in command + arguments):
            raise HardeningError(
                f"{_WHAT}: container {container.get('name')} runs kube-apiserver from a shell or another program's "
                "arguments, where no flag can be added safely; make it the command itself."
            )
        return None
    if named is None and container.get("name") != _BINARY:
        return None
    flags_in_command = () if named is None else command[named + 1 :]
    if arguments and flags_in_command:
        raise HardeningError(f"{_WHAT}: flags are given in command and in args; write all of them in one of the two.")
    if arguments or named is None:
        return _Server(pod, index, "args", arguments, 0)
    return _Server(pod, index, "command", flags_in_command, named + 1)


def _words(container: dict[str, Any], key: str) -> tuple[str, ...]:
    said = container.get(key)
    if said is None:
        return ()
    if not isinstance(said, list) or not all(isinstance(word, str) for word in said):
        raise HardeningError(f"{_WHAT}: {key} of container {container.get('name')} is not a list of texts.")
    return tuple(said)


def _flags(server: _Server) -> tuple[tuple[str, str], ...]:
    """Flags as pflag reads them: ``--name=value``, ``--name value``, and ``--name`` alone for one that is true."""
    flags: list[tuple[str, str]] = []
    for at, word in enumerate(server.values):
        if not word.startswith("--"):
            continue
        value, name = word.partition("=")[2], _name(word)
        following = server.values[at + 1] if at + 1 < len(server.values) else ""
        if "=" not in word:
            value = "true" if name == RELOAD_FLAG or following.startswith("--") or not following else following
        flags.append((name, value))
    return tuple(flags)


def _name(word: str) -> str:
    """The name of a flag; kube-apiserver takes underscores for dashes (WordSepNormalizeFunc of component-base)."""
    return word[2:].partition("=")[0].replace("_", "-") if word.startswith("--") else ""
