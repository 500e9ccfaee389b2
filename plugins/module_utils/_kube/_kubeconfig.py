# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: reads kubeconfigs as kubectl does, and says which server and credentials they mean."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._credentials import (
    AuthProvider,
    Credentials,
    ExecPlugin,
    Fixed,
    Identity,
    TokenFile,
    basic,
    bearer,
    read_file,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import BadConnection
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._yaml import BadYaml, load_yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

_FOLDER = "\0folder"
_LISTS = ("clusters", "contexts", "users")


@dataclass(frozen=True, slots=True)
class Cluster:
    """How to reach a server: its URL, the certificate authority (PEM, empty for the system's), and the ways around."""

    server: str
    ca: str = ""
    verify: bool = True
    tls_server_name: str = ""
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One context of a kubeconfig."""

    cluster: Cluster
    credentials: Credentials
    impersonation: tuple[tuple[str, str], ...] = ()
    """Headers by which the user of the context acts as somebody else."""


def read_kubeconfig(source: str | Mapping[str, Any], context: str = "") -> Kubeconfig:
    """The named, else the current context of a kubeconfig, given as content or as paths joined as in ``PATH``."""
    where = "the given kubeconfig" if isinstance(source, Mapping) else f"the kubeconfig {source}"
    config = dict(source) if isinstance(source, Mapping) else _merged(source)
    name = context or config.get("current-context") or ""
    if not name:
        raise BadConnection(
            f"In {where} no context is current: set one by 'kubectl config use-context', or give context."
        )
    chosen = _named(config, "contexts", name, where)
    cluster = _named(config, "clusters", chosen.get("cluster", ""), where)
    user = _named(config, "users", chosen["user"], where) if chosen.get("user") else {}
    return Kubeconfig(_cluster(cluster, where), _credentials(user, cluster), _impersonation(user))


def _merged(paths: str) -> dict[str, Any]:
    """All files as one, as kubectl merges them: the first that names something wins."""
    merged: dict[str, Any] = {each: [] for each in _LISTS}
    found = [path for path in map(_expanded, filter(None, paths.split(os.pathsep))) if path.exists()]
    if not found:
        raise BadConnection(f"The kubeconfig {paths} does not exist: give the path of one as kubeconfig.")
    for path in found:
        config = _read(path)
        merged.setdefault("current-context", config.get("current-context") or "")
        merged["current-context"] = merged["current-context"] or config.get("current-context") or ""
        for each in _LISTS:
            merged[each] += [{**entry, _FOLDER: str(path.parent)} for entry in config.get(each) or ()]
    return merged


def _expanded(path: str) -> Path:
    return Path(path).expanduser()


def _read(path: Path) -> dict[str, Any]:
    try:
        config = load_yaml(read_file(str(path), "kubeconfig"))
    except BadYaml as error:
        raise BadConnection(f"The kubeconfig {path} is not YAML, line {error.line}: {error}") from None
    if not isinstance(config, dict) or not all(_is_list_of_named(config.get(each)) for each in _LISTS):
        raise BadConnection(
            f"The kubeconfig {path} holds no kubeconfig: it needs the lists clusters, contexts and users."
        )
    return config


def _is_list_of_named(entries: Any) -> bool:
    return entries is None or (
        isinstance(entries, list) and all(isinstance(entry, dict) and "name" in entry for entry in entries)
    )


def _named(config: Mapping[str, Any], each: str, name: str, where: str) -> dict[str, Any]:
    """The first entry of that name in one of the lists, with the folder that its relative paths start from."""
    entries = [entry for entry in config.get(each) or () if isinstance(entry, Mapping)]
    for entry in entries:
        if entry.get("name") == name:
            return {**(entry.get(each.removesuffix("s")) or {}), _FOLDER: entry.get(_FOLDER, "")}
    names = [str(entry.get("name")) for entry in entries]
    near = did_you_mean(name, names)
    hint = f"did you mean {near}?" if near else f"it has {', '.join(names) or 'none'}."
    raise BadConnection(f"There is no {each.removesuffix('s')} {name!r} in {where}: {hint}")


def _cluster(entry: Mapping[str, Any], where: str) -> Cluster:
    if not entry.get("server"):
        raise BadConnection(f"The cluster of the chosen context has no server in {where}: add its URL.")
    return Cluster(
        server=str(entry["server"]).rstrip("/"),
        ca=_pem(entry, "certificate-authority"),
        verify=not entry.get("insecure-skip-tls-verify"),
        tls_server_name=entry.get("tls-server-name") or "",
        proxy=entry.get("proxy-url") or "",
    )


def _credentials(user: Mapping[str, Any], cluster: Mapping[str, Any]) -> Credentials:
    """The user's credentials, in kubectl's order of precedence: token, file of a token, password, then the plugins."""
    certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
    if user.get("exec"):
        return ExecPlugin(user["exec"], {k: v for k, v in cluster.items() if k != _FOLDER}, user[_FOLDER])
    if user.get("auth-provider"):
        return AuthProvider(user)
    if user.get("tokenFile") and not user.get("token"):
        return TokenFile(str(Path(user[_FOLDER], user["tokenFile"])))
    authorization = ""
    if user.get("token"):
        authorization = bearer(str(user["token"]), "The user's token in the kubeconfig")
    elif user.get("username"):
        authorization = basic(str(user["username"]), str(user.get("password") or ""))
    return Fixed(Identity(authorization, certificate, key))


def _impersonation(user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Whoever this user acts as. Left out, the run would have more rights than its kubeconfig gives."""
    whole = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
    groups = [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
    extra = [
        (f"Impersonate-Extra-{quote(key, safe='')}", value)
        for key, values in (user.get("as-user-extra") or {}).items()
        for value in values
    ]
    return tuple((name, str(value)) for name, value in (*whole, *groups, *extra) if value)


def _pem(entry: Mapping[str, Any], key: str) -> str:
    """PEM text from ``KEY-data`` (base64), else from the file that ``KEY`` names, else nothing."""
    if data := entry.get(f"{key}-data"):
        try:
            return base64.b64decode("".join(str(data).split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadConnection(f"{key}-data in the kubeconfig is not base64 of PEM text: write it anew.") from None
    if path := entry.get(key):
        return read_file(str(Path(entry[_FOLDER], path)), key)
    return ""
