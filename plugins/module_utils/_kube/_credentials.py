# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: who we say we are to an API server, and how to say it anew when it has expired."""

from __future__ import annotations

import base64
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import BadConnection

_EXPIRY_MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a request carries: the value of its ``Authorization`` header, or a client certificate and its key (PEM)."""

    authorization: str = ""
    certificate: str = ""
    key: str = ""

    def __repr__(self) -> str:
        """Nothing of the secret, so that no log and no traceback can hold it."""
        return "Identity(…)"


class Credentials(Protocol):
    """A source of identities."""

    def identity(self) -> Identity:
        """The identity to use now; got anew where it is known to have expired."""

    def renew(self) -> bool:
        """The server has refused the identity: whether there is hope that the next one is another."""


def basic(username: str, password: str) -> str:
    """The ``Authorization`` header of a user with a password (RFC 7617)."""
    joined = f"{_one_line(username, 'username')}:{_one_line(password, 'password')}"
    return "Basic " + base64.b64encode(joined.encode()).decode()


def bearer(token: str, what: str) -> str:
    """The ``Authorization`` header of a token (RFC 6750); ``what`` says in an error where the token is from."""
    word = _one_line(token, what).strip()
    if not word.isascii() or " " in word:
        raise BadConnection(f"{what} is no token, it holds spaces or letters that none has: give it anew.")
    return f"Bearer {word}"


def _one_line(text: str, what: str) -> str:
    """The text without the line break that editors and pipes put at an end; never shown where it is wrong."""
    line = text.rstrip("\r\n")
    if any(unicodedata.category(letter) == "Cc" for letter in line):
        raise BadConnection(f"{what} holds a line break or another control character: give it anew, as one line.")
    return line


class Fixed:
    """An identity that never changes."""

    def __init__(self, identity: Identity) -> None:
        """Take the identity."""
        self._identity = identity

    def identity(self) -> Identity:
        """The one there is."""
        return self._identity

    def renew(self) -> bool:
        """There is no other."""
        return False


class TokenFile:
    """A token in a file that somebody else keeps fresh, as the kubelet does in a pod."""

    def __init__(self, path: str) -> None:
        """Take the file's path."""
        self._path = path
        self._identity = self._read()

    def identity(self) -> Identity:
        """The token as it was last read."""
        return self._identity

    def renew(self) -> bool:
        """Read the file again."""
        before, self._identity = self._identity, self._read()
        return self._identity != before

    def _read(self) -> Identity:
        token = read_file(self._path, "token").strip()
        if not token:
            raise BadConnection(f"The token file {self._path} is empty: put a token into it.")
        return Identity(bearer(token, f"The token file {self._path}"))


class ExecPlugin:
    """A command that prints an ``ExecCredential`` (client.authentication.k8s.io), run again when that expires."""

    def __init__(self, command: Mapping[str, Any], cluster: Mapping[str, Any], folder: str) -> None:
        """Take the kubeconfig's ``exec`` and ``cluster`` entries and the folder that they are relative to."""
        self._command, self._cluster, self._folder = command, cluster, folder
        self._lock = threading.Lock()
        self._expires: datetime | None = None
        self._identity = self._run()

    def identity(self) -> Identity:
        """The identity of the last run, or of a new one where that has expired."""
        with self._lock:
            if self._expires and datetime.now(UTC) + _EXPIRY_MARGIN >= self._expires:
                self._identity = self._run()
            return self._identity

    def renew(self) -> bool:
        """Run the command again."""
        with self._lock:
            before, self._identity = self._identity, self._run()
            return self._identity != before

    def _run(self) -> Identity:
        name = self._command.get("command", "")
        status = self._status(name)
        expires = status.get("expirationTimestamp")
        self._expires = datetime.fromisoformat(expires) if expires else None
        if not status.get("token") and not (status.get("clientCertificateData") and status.get("clientKeyData")):
            raise BadConnection(
                f"The kubeconfig's exec plugin {name} printed neither a token nor a client certificate: "
                "log in with it, then try again."
            )
        return Identity(
            authorization=bearer(status["token"], f"What the exec plugin {name} printed")
            if status.get("token")
            else "",
            certificate=status.get("clientCertificateData", ""),
            key=status.get("clientKeyData", ""),
        )

    def _status(self, name: str) -> dict[str, Any]:
        kube_config = kubernetes_client_config("its exec credential plugin")
        command = kube_config.ConfigNode("exec", dict(self._command))
        cluster = kube_config.ConfigNode("cluster", dict(self._cluster))
        try:
            return dict(kube_config.ExecProvider(command, self._folder, cluster).run() or {})
        except FileNotFoundError:
            hint = self._command.get("installHint") or "install it on the controller, or use other credentials"
            raise BadConnection(f"The kubeconfig's exec plugin {name} is not there: {hint.strip()}") from None
        except (kube_config.ConfigException, OSError) as error:
            raise BadConnection(
                f"The kubeconfig's exec plugin {name} failed, run it by hand to see why: {error}"
            ) from None


class AuthProvider:
    """The kubeconfig's old ``auth-provider`` entry (OpenID Connect, gcp), which the kubernetes package knows."""

    def __init__(self, user: Mapping[str, Any]) -> None:
        """Take the kubeconfig's ``user`` entry."""
        kube_config = kubernetes_client_config("its auth-provider")
        self._configuration = kube_config.Configuration()
        config = {
            "current-context": "only",
            "contexts": [{"name": "only", "context": {"cluster": "only", "user": "only"}}],
            "clusters": [{"name": "only", "cluster": {}}],
            "users": [{"name": "only", "user": {"auth-provider": user["auth-provider"]}}],
        }
        loader = kube_config.KubeConfigLoader(config)
        try:
            loader.load_and_set(self._configuration)
        except (kube_config.ConfigException, KeyError) as error:
            raise BadConnection(f"The kubeconfig's auth-provider gave no credentials: {error}") from None
        if not self.identity().authorization:
            raise BadConnection("The kubeconfig's auth-provider gave no token: log in again, or use an exec plugin.")

    def identity(self) -> Identity:
        """The token, which the package gets anew where it has expired."""
        if self._configuration.refresh_api_key_hook:
            self._configuration.refresh_api_key_hook(self._configuration)
        keys = self._configuration.api_key
        # The package's name for its one key differs between its versions.
        return Identity(keys.get("BearerToken") or keys.get("authorization") or "")

    def renew(self) -> bool:
        """The package renews by time alone."""
        return False


def read_file(path: str, what: str) -> str:
    """The text of a file that a setting names; ``what`` says in the error what it should hold."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadConnection(f"The {what} file {path} cannot be read ({reason}): name another one.") from None


def kubernetes_client_config(needed_by: str) -> Any:
    """The PyPI package's kubeconfig module, imported only where needed because that takes a third of a second."""
    try:
        from kubernetes.config import kube_config
    except ImportError:
        import sys

        raise BadConnection(
            f"The kubeconfig needs the Python package kubernetes for {needed_by}: "
            f"install it for the controller's Python, {sys.executable}."
        ) from None
    return kube_config
