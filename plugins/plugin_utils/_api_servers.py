# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: finds each API server of a cluster, since each enforces by a configuration of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

Object = dict[str, Any]

_ENDPOINT_SLICE = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]


@dataclass(frozen=True, slots=True)
class Servers:
    """API servers by address, each with a client of its own.

    ``missed`` are those that could not be asked, ``note`` says why there may be others that nobody knows of.
    """

    reached: list[tuple[str, Client]]
    missed: str = ""
    note: str = ""


def api_servers(client: Client) -> Servers:
    """Each API server at its own address; a lone one as it is configured."""
    configured = [(client.server, client)]
    try:
        slices = client.list(_ENDPOINT_SLICE, "default", label_selector="kubernetes.io/service-name=kubernetes")
    except Forbidden:
        return Servers(
            configured, note="the API servers' own addresses may not be read (list endpointslices in default)"
        )
    addresses = sorted(set(_addresses(slices)))
    if len(addresses) < 2:
        return Servers(configured)
    each = client.parallel(lambda address: _at(client, address), addresses)
    reached = [(address, at) for address, at in zip(addresses, each, strict=True) if at]
    if len(reached) == len(addresses):
        return Servers(reached)
    missed = ", ".join(address for address, at in zip(addresses, each, strict=True) if not at)
    return Servers([*configured, *reached], missed=missed)


def _addresses(slices: Iterable[Object]) -> Iterable[str]:
    for each in slices:
        port = next((port["port"] for port in each.get("ports") or () if port.get("name") in ("https", None, "")), 443)
        for endpoint in each.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                for address in endpoint["addresses"]:
                    yield f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"


def _at(client: Client, address: str) -> Client | None:
    at = client.at(address)
    try:
        at.version()
    except KubeError:
        return None
    return at
