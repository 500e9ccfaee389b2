# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a run has to do with, and where."""

from __future__ import annotations

from itertools import chain
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._scope import chosen, reached
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

_NAMESPACES = KNOWN["v1", "Namespace"]


def namespaces(client: Client, named: list[str]) -> tuple[list[dict[str, Any]], str]:
    """All of them; or those that are named, and why not all."""
    try:
        return client.list(_NAMESPACES, metadata_only=True), ""
    except Forbidden as error:
        found = client.parallel(lambda name: client.get(_NAMESPACES, name), named)
        return [each for each in found if each], str(error)


def scope(said: dict[str, Any], live: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The parts that have something to do, and the names of the canary; every part where no limit is given.

    A canary limits nothing but what goes first: what a policy says of the whole cluster is said all the same.
    """
    if not said["only"] and not said["canary"]:
        return said["parts"], []
    if not said["policy"]:
        raise HardeningError("only and canary need the policy, to find out whom they mean: give it as policy.")
    whole, part = (reached(said["policy"], live, only) for only in ((), said["only"]))
    chosen("only", said["only"], chain(*whole.values()), live)
    canary = chosen("canary", said["canary"], chain(*part.values()), live)
    return [each for each in said["parts"] if each in part or not said["only"]], canary
