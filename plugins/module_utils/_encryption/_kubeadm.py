# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: kubeadm's ClusterConfiguration, so that an upgrade and a new node keep the encryption.

kubeadm writes the kube-apiserver's manifest anew from the ConfigMap ``kube-system/kubeadm-config``, key
``ClusterConfiguration``, at every upgrade and join. Its form is that of ``cmd/kubeadm/app/apis/kubeadm/v1beta3`` and
``v1beta4``: in v1beta3 ``extraArgs`` is a map, in v1beta4 a list of names and values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._edits import append, parsed, put, remove
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import (
    CONFIG_FLAG,
    RELOAD_FLAG,
    Settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

Form = Literal["map", "list"]

FORM_OF_ARGUMENTS: dict[str, Form] = {"kubeadm.k8s.io/v1beta3": "map", "kubeadm.k8s.io/v1beta4": "list"}

_CERTIFICATES = "/etc/kubernetes/pki"
_MOUNTED_BY_KUBEADM = (
    "/etc/ssl/certs",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
)
"""What kubeadm mounts beside its certificates where a node has it: ``app/phases/controlplane/volumes.go``."""
_WHAT = "kubeadm's ClusterConfiguration"
_ARGUMENTS = ("apiServer", "extraArgs")
_VOLUMES = ("apiServer", "extraVolumes")


@dataclass(frozen=True, slots=True)
class ClusterConfiguration:
    """What a ClusterConfiguration says of the kube-apiserver.

    ``arguments`` are in order, and in v1beta4 the same name can be there twice; ``volumes`` are as they are written.
    ``certificates`` is the directory that kubeadm mounts by itself.
    """

    form: Form
    kubernetes_version: str
    arguments: tuple[tuple[str, str], ...]
    volumes: tuple[Mapping[str, Any], ...]
    certificates: str = _CERTIFICATES

    def argument(self, name: str) -> str:
        """The value of an argument, of several the last, ``""`` where there is none."""
        return dict(self.arguments).get(name, "")

    def keeps(self, settings: Settings) -> bool:
        """Whether the manifests that kubeadm makes of it have the encryption of the settings."""
        reloads = self.argument(RELOAD_FLAG) == "true" or not settings.automatic_reload
        return self.argument(CONFIG_FLAG) == settings.path and reloads and self.mounts(settings.directory)

    def mounts(self, directory: str) -> bool:
        """Whether the server sees a directory of the node under the same path, by kubeadm's own mounts too."""
        own = (self.certificates, *_MOUNTED_BY_KUBEADM)
        return any(_is_within(directory, each) for each in own) or any(
            _shows(volume, directory) for volume in self.volumes
        )


def read_cluster_configuration(text: str) -> ClusterConfiguration:
    """What the text of the ConfigMap says.

    Raises :class:`HardeningError` on another kind, such as an InitConfiguration, and on versions that are not known.
    """
    _node, document = parsed(text, _WHAT)
    form = _form(document)
    server = document.get("apiServer") or {}
    if not isinstance(server, dict):
        raise HardeningError(f"{_WHAT}: apiServer is not a map.")
    volumes = server.get("extraVolumes") or []
    if not isinstance(volumes, list) or not all(isinstance(volume, dict) for volume in volumes):
        raise HardeningError(f"{_WHAT}: apiServer.extraVolumes is not a list of maps.")
    return ClusterConfiguration(
        form,
        str(document.get("kubernetesVersion", "")),
        _arguments(server.get("extraArgs"), form),
        tuple(volumes),
        str(document.get("certificatesDir") or _CERTIFICATES),
    )


def with_encryption(text: str, settings: Settings) -> str:
    """The text with the flags and the mount that :func:`_manifest.with_encryption` gives the manifest.

    The same text where it is all there. Raises :class:`HardeningError` where the flag points elsewhere, where the
    file itself is mounted, and where the text cannot be edited safely.
    """
    said = read_cluster_configuration(text)
    if said.argument(CONFIG_FLAG) not in ("", settings.path):
        raise HardeningError(
            f"{_WHAT}: apiServer.extraArgs has {CONFIG_FLAG} {said.argument(CONFIG_FLAG)}; let it be "
            f"{settings.path}, as the manifest has it, or take it out first."
        )
    edited = text
    wanted = {CONFIG_FLAG: settings.path} | ({RELOAD_FLAG: "true"} if settings.automatic_reload else {})
    for name, value in wanted.items():
        if said.argument(name) != value:
            edited = _with_argument(_without_argument(edited, name), name, value, said.form)
    return edited if said.mounts(settings.directory) else _mounted(edited, settings)


def without_encryption(text: str, settings: Settings) -> str:
    """The text without the flags and without our mount; what :func:`with_encryption` put in goes to the byte.

    Raises :class:`HardeningError` where the flag points elsewhere.
    """
    said = read_cluster_configuration(text)
    if said.argument(CONFIG_FLAG) not in ("", settings.path):
        raise HardeningError(
            f"{_WHAT}: apiServer.extraArgs has {CONFIG_FLAG} {said.argument(CONFIG_FLAG)} and not {settings.path}; "
            "it is not ours to take out."
        )
    edited = _without_argument(_without_argument(text, RELOAD_FLAG), CONFIG_FLAG)
    ours = _volume(settings)
    if ours not in said.volumes:
        return edited
    return remove(edited, (*_VOLUMES, said.volumes.index(ours)), _WHAT)


def _form(document: Any) -> Form:
    if not isinstance(document, dict):
        raise HardeningError(f"{_WHAT}: this is not a map.")
    version, kind = document.get("apiVersion"), document.get("kind")
    if kind != "ClusterConfiguration":
        raise HardeningError(
            f"{_WHAT}: this is of kind {kind}; it is the key ClusterConfiguration of the ConfigMap "
            "kube-system/kubeadm-config that keeps flags."
        )
    if version not in FORM_OF_ARGUMENTS:
        raise HardeningError(
            f"{_WHAT}: its version {version} is not known, only {' and '.join(FORM_OF_ARGUMENTS)}; "
            "convert it with: kubeadm config migrate"
        )
    return FORM_OF_ARGUMENTS[version]


def _arguments(said: Any, form: Form) -> tuple[tuple[str, str], ...]:
    if not said:
        return ()
    if form == "map" and isinstance(said, dict):
        pairs = list(said.items())
    elif form == "list" and isinstance(said, list) and all(isinstance(each, dict) for each in said):
        pairs = [(each.get("name"), each.get("value", "")) for each in said]
    else:
        raise HardeningError(
            f"{_WHAT}: apiServer.extraArgs is not "
            + ("a map of names and values." if form == "map" else "a list of maps with name and value.")
        )
    if not all(isinstance(word, str) for pair in pairs for word in pair):
        raise HardeningError(f"{_WHAT}: a name or value in apiServer.extraArgs is not text; put it in quotes.")
    return tuple(pairs)


def _with_argument(text: str, name: str, value: str, form: Form) -> str:
    if form == "map":
        return put(text, (*_ARGUMENTS, name), value, _WHAT)
    return append(text, _ARGUMENTS, {"name": name, "value": value}, _WHAT)


def _without_argument(text: str, name: str) -> str:
    said = read_cluster_configuration(text)
    names = [each for each, _value in said.arguments]
    if name not in names:
        return text
    if names.count(name) > 1:
        raise HardeningError(f"{_WHAT}: {name} is in apiServer.extraArgs {names.count(name)} times; leave one of them.")
    return remove(text, (*_ARGUMENTS, name if said.form == "map" else names.index(name)), _WHAT)


def _mounted(text: str, settings: Settings) -> str:
    ours = _volume(settings)
    for volume in read_cluster_configuration(text).volumes:
        if volume.get("name") == ours["name"]:
            raise HardeningError(
                f"{_WHAT}: a volume {ours['name']} is in apiServer.extraVolumes, and does not mount "
                f"{settings.directory}; take it out."
            )
        if PurePosixPath(str(volume.get("mountPath"))) in (
            PurePosixPath(settings.path),
            PurePosixPath(settings.directory),
        ):
            raise HardeningError(
                f"{_WHAT}: the volume {volume.get('name')} mounts something else at {volume.get('mountPath')}; mount "
                f"the directory {settings.directory}, since a mounted file never shows a new one."
            )
    return append(text, _VOLUMES, ours, _WHAT)


def _volume(settings: Settings) -> dict[str, Any]:
    return {
        "name": settings.volume,
        "hostPath": settings.directory,
        "mountPath": settings.directory,
        "readOnly": True,
        "pathType": "Directory",
    }


def _shows(volume: Mapping[str, Any], directory: str) -> bool:
    is_directory = volume.get("pathType", "") in ("", "Directory", "DirectoryOrCreate")
    host, mount = (PurePosixPath(str(volume.get(key))) for key in ("hostPath", "mountPath"))
    return is_directory and host == mount and _is_within(directory, str(mount))


def _is_within(directory: str, mounted: str) -> bool:
    wanted, above = PurePosixPath(directory), PurePosixPath(mounted)
    return above in (wanted, *wanted.parents)
