# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out, before anything is touched, whether a run can do its work."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from itertools import chain
from typing import Any, ClassVar

from ansible.release import __version__ as ansible_core_version
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    Permission,
    missing_message,
    permissions,
    places,
    weaker_messages,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._scope import chosen, reached
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._supported import unsupported
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._preflight._leftovers import (
    Leftovers,
    created_findings,
    leftovers,
)

_OUTAGE_SECONDS = 5.0
_NAMESPACES = KNOWN["v1", "Namespace"]


class ActionModule(HardeningAction):
    """The server, the versions and the permissions that a run needs."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "mode": {"type": "str", "choices": ["audit", "enforce"], "default": "enforce"},
        "parts": {
            "type": "list",
            "elements": "str",
            "choices": [
                "namespaces",
                "pod_security",
                "resource_limits",
                "network_policies",
                "rbac",
                "cluster_access",
                "probe",
            ],
            "default": ["pod_security", "network_policies", "probe"],
        },
        "namespaces": {"type": "list", "elements": "str", "default": []},
        "policy": {"type": "dict"},
        "only": {"type": "list", "elements": "str", "default": []},
        "canary": {"type": "list", "elements": "str", "default": []},
        "unsupported_version": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Ask the server; fail with one message that lists everything that a must is missing."""
        if arguments["canary"] and arguments["mode"] == "audit":
            raise HardeningError("canary: an audit changes nothing, so that nothing can go first: leave it out.")
        client = connect(arguments, outage_seconds=_OUTAGE_SECONDS)
        kubernetes = client.version()
        wrong_versions = unsupported(
            {"Kubernetes": kubernetes, "ansible-core": _version(ansible_core_version), "Python": sys.version_info[:2]}
        )
        if wrong_versions and arguments["unsupported_version"] == "fail":
            raise HardeningError(
                " ".join(wrong_versions) + " To run all the same, set unsupported_version to warn "
                "(`-e unsupported_version=warn` for the playbooks of this collection)."
            )
        named = arguments["namespaces"]
        missing = _missing(client, permissions(arguments["mode"], arguments["parts"]), named)
        musts = [each for each in missing if not each.otherwise]
        if musts:
            raise HardeningError(missing_message(musts))
        live, unlisted = _namespaces(client, named)
        said = plain(arguments)
        parts, canary = _scope(said, live)
        left = Leftovers([], [], [])
        if said["policy"]:
            left = leftovers(client, said["policy"], parts, said["only"], live, unlisted)
            lacking = [
                each for each in _missing(client, permissions(said["mode"], left.parts), ()) if not each.otherwise
            ]
            if lacking:
                raise HardeningError(missing_message(lacking))
        warnings = [*wrong_versions, *weaker_messages(missing), *map(_upper, left.unseen)]
        return {
            "changed": False,
            "server": client.server,
            "kubernetes_version": ".".join(map(str, kubernetes)),
            "namespaces": [each["metadata"]["name"] for each in live],
            "parts": parts,
            "canary": canary,
            "left_over": left.parts,
            "created": left.created,
            "findings": [each.to_dict() for each in created_findings(left, said["policy"])] if left.created else [],
            "weakened": sorted({*left.unseen, *(each.otherwise for each in missing)}),
            **({"warnings": warnings} if warnings else {}),
        }


def _upper(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _missing(client: Client, wanted: list[Permission], only: Collection[str]) -> list[Permission]:
    """What this user lacks, in the whole cluster and also in the namespaces that the run is about."""
    answers = client.allowed([_question(each, each.verb) for each in wanted])
    lacking = [each for each, allowed in zip(wanted, answers, strict=True) if not allowed]
    asked = [(each, place) for each in lacking for place in places(each, only)]
    here = client.allowed([_question(each, *place) for each, place in asked])
    refused = {each for (each, _place), allowed in zip(asked, here, strict=True) if not allowed}
    had = {each for each, _place in asked} - refused
    return [each for each in lacking if each not in had]


def _question(permission: Permission, verb: str, namespace: str = "", name: str = "") -> Question:
    resource, _slash, subresource = permission.resource.partition("/")
    return Question(verb, permission.group, resource, namespace, name, subresource)


def _namespaces(client: Client, named: list[str]) -> tuple[list[dict[str, Any]], str]:
    """All of them; or those that are named, and why not all."""
    try:
        return client.list(_NAMESPACES, metadata_only=True), ""
    except Forbidden as error:
        found = client.parallel(lambda name: client.get(_NAMESPACES, name), named)
        return [each for each in found if each], str(error)


def _scope(said: dict[str, Any], live: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The parts that have something to do, and the names of the canary; every part where no limit is given."""
    if not said["only"] and not said["canary"]:
        return said["parts"], []
    if not said["policy"]:
        raise HardeningError("only and canary need the policy, to find out whom they mean: give it as policy.")
    whole, part = (reached(said["policy"], live, only) for only in ((), said["only"]))
    chosen("only", said["only"], chain(*whole.values()), live)
    canary = chosen("canary", said["canary"], chain(*part.values()), live)
    return [each for each in said["parts"] if each in part], canary


def _version(text: str) -> tuple[int, int]:
    major, minor = re.findall(r"\d+", text)[:2]
    return int(major), int(minor)
