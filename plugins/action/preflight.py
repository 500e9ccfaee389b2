# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out, before anything is touched, whether a run can do its work."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, ClassVar, get_args

from ansible.release import __version__ as ansible_core_version
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    Part,
    Permission,
    missing_message,
    permissions,
    weaker_messages,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._supported import unsupported
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._preflight._leftovers import (
    Leftovers,
    created_findings,
    leftovers,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._preflight._permissions import missing
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._preflight._scope import namespaces, scope

_OUTAGE_SECONDS = 5.0


class ActionModule(HardeningAction):
    """The server, the versions and the permissions that a run needs."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "mode": {"type": "str", "choices": ["audit", "enforce"], "default": "enforce"},
        "parts": {
            "type": "list",
            "elements": "str",
            "choices": list(get_args(Part)),
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
        said = plain(arguments)
        lacking = missing(client, permissions(said["mode"], said["parts"]), said["namespaces"])
        _stop_without(lacking)
        live, unlisted = namespaces(client, said["namespaces"])
        parts, canary = scope(said, live)
        left = Leftovers([], [], [])
        if said["policy"]:
            left = leftovers(client, said["policy"], parts, said["only"], live, unlisted)
            _stop_without(missing(client, permissions(said["mode"], left.parts), ()))
        warnings = [*wrong_versions, *weaker_messages(lacking), *map(_upper, left.unseen)]
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
            "weakened": sorted({*left.unseen, *(each.otherwise for each in lacking)}),
            **({"warnings": warnings} if warnings else {}),
        }


def _stop_without(lacking: Sequence[Permission]) -> None:
    """Raise HardeningError for what nothing else stands in for."""
    musts = [each for each in lacking if not each.otherwise]
    if musts:
        raise HardeningError(missing_message(musts))


def _upper(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _version(text: str) -> tuple[int, int]:
    major, minor = re.findall(r"\d+", text)[:2]
    return int(major), int(minor)
