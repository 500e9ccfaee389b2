# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells by what lies in etcd, and by what each API server says, whether a cluster is encrypted at rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._findings import (
    by_benchmark,
    findings_of,
    previewed,
    unseen_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import Demanded
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._platforms import (
    Platform,
    manifest_on,
    why_unseen,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import (
    refuse_unserved,
    wanted_resources,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._escrow import ESCROW_SPEC, escrow_of
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import QUICK_SECONDS, Gatherer
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._inspect import Look, foreseen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._options import NODES_SPEC
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._platform import platform
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import served
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._telling import keys_told, servers_told
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import Nodes


class ActionModule(HardeningAction):
    """A look that changes nothing, neither on nodes nor in etcd."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **NODES_SPEC,
        "nodes": {"type": "list", "elements": "str", "default": []},
        "provider": {"type": "str", "choices": ["secretbox", "aescbc", "aesgcm", "kms"]},
        "resources": {"type": "list", "elements": "str", "default": ["secrets"]},
        "age_days": {"type": "int", "default": 365},
        "plain_text": {"type": "bool", "default": False},
        **ESCROW_SPEC,
    }

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Look at nodes, servers and etcd, and judge."""
        if arguments["age_days"] < 0:
            raise HardeningError(f"age_days: {arguments['age_days']} is no number of days; 0 is any age.")
        demanded = Demanded(
            wanted_resources(arguments["resources"]),
            arguments["provider"] or "",
            arguments["age_days"],
            arguments["plain_text"],
        )
        client = connect(arguments)
        found = platform(client)
        manifest = manifest_on(found, arguments["manifest"])
        if not arguments["nodes"] or not manifest:
            return self._told(found, unseen_findings(demanded.resources, *why_unseen(found)))
        stored = served(client)
        refuse_unserved(demanded.resources, stored)
        nodes = Nodes(self, list(dict.fromkeys(arguments["nodes"])), task_vars)
        try:
            gatherer = Gatherer(connect(arguments, outage_seconds=QUICK_SECONDS), nodes, manifest)
            look = Look(client, nodes, gatherer, stored, escrow_of(arguments["escrow"]))
            seen, gathered = look.inspected(demanded)
        finally:
            nodes.close()
        findings = findings_of(seen, demanded)
        if self.check_mode:
            findings = previewed(findings, *foreseen(seen.facts, demanded))
        scan = seen.facts.histogram
        return self._told(found, findings) | {
            "histogram": {resource: dict(counts) for resource, counts in scan.counts.items()} if scan else {},
            "servers": servers_told(gathered),
            "keys": keys_told(seen.facts),
        }

    def _told(self, found: Platform, findings: Iterable[Finding]) -> dict[str, Any]:
        judged = list(findings)
        nothing: dict[str, Any] = {"histogram": {}, "servers": [], "keys": []}
        return self.judged(judged) | nothing | {"benchmarks": by_benchmark(judged), "platform": found.name}
