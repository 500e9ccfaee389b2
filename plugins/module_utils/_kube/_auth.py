# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the options by which every plugin reaches a cluster, and the client that they lead to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._connections import Target
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._credentials import (
    Credentials,
    Fixed,
    Identity,
    TokenFile,
    basic,
    bearer,
    read_file,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import BadConnection
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._kubeconfig import (
    Cluster,
    Kubeconfig,
    read_kubeconfig,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain

_IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HOME_KUBECONFIG = "~/.kube/config"


def _option(variable: str, **more: Any) -> dict[str, Any]:
    return {"type": "str", "fallback": (env_fallback, [f"K8S_AUTH_{variable}"]), **more}


AUTH_SPEC: dict[str, Any] = {
    "kubeconfig": _option("KUBECONFIG", type="raw", no_log=True),
    "context": _option("CONTEXT"),
    "host": _option("HOST"),
    "api_key": _option("API_KEY", no_log=True),
    "username": _option("USERNAME"),
    "password": _option("PASSWORD", no_log=True),
    "client_cert": _option("CERT_FILE", type="path", aliases=["cert_file"]),
    "client_key": _option("KEY_FILE", type="path", aliases=["key_file"], no_log=False),
    "ca_cert": _option("SSL_CA_CERT", type="path", aliases=["ssl_ca_cert"]),
    "validate_certs": _option("VERIFY_SSL", type="bool", aliases=["verify_ssl"]),
    "proxy": _option("PROXY"),
    "no_proxy": _option("NO_PROXY"),
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": _option("PROXY_HEADERS_PROXY_BASIC_AUTH", no_log=True),
            "basic_auth": _option("PROXY_HEADERS_BASIC_AUTH", no_log=True),
            "user_agent": _option("PROXY_HEADERS_USER_AGENT"),
        },
    },
    "impersonate_user": _option("IMPERSONATE_USER"),
    "impersonate_groups": _option("IMPERSONATE_GROUPS", type="list", elements="str"),
}
"""Named as kubernetes.core names them, with its environment variables."""


def connect(arguments: Mapping[str, Any], workers: int = 32, outage_seconds: float = 60.0) -> Client:
    """A client for the cluster that these options mean; nothing is sent yet. Raises :class:`BadConnection`.

    Options given one by one win over the kubeconfig. The kubeconfig is the one given, else ``KUBECONFIG``, else
    ``~/.kube/config``; where there is none, a pod's own service account serves.
    """
    given = {
        key: plain(value) for key, value in arguments.items() if key in AUTH_SPEC and value not in (None, "", [], {})
    }
    base = _base(given)
    server = str(given.get("host") or base.cluster.server).rstrip("/")
    if not server.startswith(("https://", "http://")):
        raise BadConnection(f"The host {server!r} is not a URL: write it like https://cluster.example:6443.")
    same = server == base.cluster.server
    target = Target(
        server=server,
        credentials=_credentials(given) or base.credentials,
        ca=read_file(given["ca_cert"], "ca_cert") if "ca_cert" in given else base.cluster.ca,
        verify=given.get("validate_certs", base.cluster.verify),
        tls_server_name=base.cluster.tls_server_name if same else "",
        proxy=given.get("proxy") or base.cluster.proxy or _environment_proxy(server),
        no_proxy=given.get("no_proxy") or os.environ.get("NO_PROXY") or os.environ.get("no_proxy", ""),
        proxy_headers=_proxy_headers(given.get("proxy_headers") or {}),
        impersonation=_impersonation(given) or base.impersonation,
        connections=workers,
    )
    return Client(target, workers, outage_seconds)


def _base(given: Mapping[str, Any]) -> Kubeconfig:
    """What the single options then override."""
    context = given.get("context", "")
    if "kubeconfig" in given:
        return read_kubeconfig(given["kubeconfig"], context)
    if "host" in given and not context and ("client_cert" in given or _credentials(given)):
        return _NOTHING
    if os.environ.get("KUBECONFIG"):
        return read_kubeconfig(os.environ["KUBECONFIG"], context)
    if Path(_HOME_KUBECONFIG).expanduser().exists():
        return read_kubeconfig(_HOME_KUBECONFIG, context)
    if os.environ.get("KUBERNETES_SERVICE_HOST") and not context:
        return _in_cluster()
    if "host" in given and not context:
        return _NOTHING
    raise BadConnection(
        "No cluster is named: give kubeconfig, or host with api_key, or set K8S_AUTH_KUBECONFIG or KUBECONFIG "
        f"({_HOME_KUBECONFIG} does not exist)."
    )


_NOTHING = Kubeconfig(Cluster(""), Fixed(Identity()))


def _in_cluster() -> Kubeconfig:
    """The service account of the pod that we run in."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]" if ":" in host else host
    ca = read_file(str(_IN_CLUSTER / "ca.crt"), "service account's ca.crt")
    return Kubeconfig(Cluster(f"https://{address}:{port}", ca), TokenFile(str(_IN_CLUSTER / "token")))


def _credentials(given: Mapping[str, Any]) -> Credentials | None:
    """The credentials among the single options, if there are any."""
    if ("client_cert" in given) != ("client_key" in given):
        raise BadConnection("client_cert and client_key belong together: give both, or neither.")
    certificate = read_file(given["client_cert"], "client_cert") if "client_cert" in given else ""
    key = read_file(given["client_key"], "client_key") if "client_key" in given else ""
    authorization = ""
    if "api_key" in given:
        authorization = bearer(str(given["api_key"]), "api_key")
    elif "username" in given:
        authorization = basic(given["username"], given.get("password", ""))
    return Fixed(Identity(authorization, certificate, key)) if authorization or certificate else None


def _proxy_headers(given: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    if given.get("proxy_basic_auth"):
        headers["proxy-authorization"] = basic(*_user_and_password(given["proxy_basic_auth"]))
    if given.get("basic_auth"):
        headers["authorization"] = basic(*_user_and_password(given["basic_auth"]))
    if given.get("user_agent"):
        headers["user-agent"] = given["user_agent"]
    return headers


def _user_and_password(joined: str) -> tuple[str, str]:
    user, _colon, password = joined.partition(":")
    return user, password


def _impersonation(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    user, groups = given.get("impersonate_user", ""), given.get("impersonate_groups", ())
    if groups and not user:
        raise BadConnection("impersonate_groups says nothing without impersonate_user: give that too.")
    headers = [("Impersonate-User", user)] if user else []
    return (*headers, *(("Impersonate-Group", group) for group in groups))


def _environment_proxy(server: str) -> str:
    """The proxy that the environment names, as kubectl takes it; never for a server on this machine."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies

    parts = urlsplit(server)
    host = parts.hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return ""
    return getproxies().get(parts.scheme, "")
