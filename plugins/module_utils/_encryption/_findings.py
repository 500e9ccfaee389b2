# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what is to be said of a cluster's encryption at rest, as findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._findings_nodes import (
    age_findings,
    backup_findings,
    configuration_findings,
    file_findings,
    upgrade_finding,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._findings_servers import (
    CLUSTER,
    finished_finding,
    reader_findings,
    server_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._findings_stored import (
    stored_findings,
    subject_of,
    worst,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import Demanded, Inspected
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import CONTROLS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged

_MENDED = frozenset(
    f"encryption.{each}"
    for each in ("at_rest", "provider", "stragglers", "servers", "old_keys", "plain_text", "finished", "upgrade")
)
"""What a walk that comes to its end brings in order."""
_MENDED_BY_A_NEW_KEY = frozenset({"encryption.key_age", "encryption.keys"})


def findings_of(seen: Inspected, demanded: Demanded) -> list[Finding]:
    """Every finding, in a fixed order: of what is demanded, and of whatever else a configuration names."""
    resources = seen.configured.union(demanded.resources)
    return [
        *(each for resource in sorted(resources) for each in stored_findings(seen, demanded, resource)),
        *server_findings(seen),
        *(each for resource in sorted(resources) for each in reader_findings(seen, demanded, resource)),
        finished_finding(seen),
        *age_findings(seen, demanded, resources),
        *configuration_findings(seen),
        *file_findings(seen),
        upgrade_finding(seen),
        *backup_findings(seen),
    ]


def unseen_findings(resources: Sequence[str], why: str, remedy: str) -> list[Finding]:
    """Where no control plane node can be looked at: nothing is known, whatever else the cluster says of itself."""
    of_each = [
        judged(control, subject_of(resource), "unknown", why, "none", remedy)
        for resource in sorted(resources)
        for control in ("encryption.at_rest", "encryption.provider")
    ]
    return [*of_each, judged("encryption.servers", CLUSTER, "unknown", why, "none", remedy)]


def previewed(findings: Iterable[Finding], refused: bool, new_key: bool) -> list[Finding]:
    """The findings with the status to expect after the walk that is being previewed.

    ``refused``: it would not come to its end. ``new_key``: it would write with a key that it makes.
    """
    mended = frozenset() if refused else _MENDED | (_MENDED_BY_A_NEW_KEY if new_key else frozenset())
    return [replace(each, would=_expected(each, mended)) for each in findings]


def _expected(finding: Finding, mended: frozenset[str]) -> Status:
    is_mended = finding.control in mended and finding.status == "fail"
    return "pass" if is_mended else finding.status


def by_benchmark(findings: Iterable[Finding]) -> dict[str, dict[str, Status]]:
    """By benchmark and item, what the findings of its controls come to; an item without findings is left out."""
    statuses: dict[tuple[str, str], list[Status]] = {}
    for finding in findings:
        for item in CONTROLS[finding.control].benchmarks:
            statuses.setdefault(item, []).append(finding.status)
    told: dict[str, dict[str, Status]] = {}
    for (benchmark, number), found in sorted(statuses.items()):
        told.setdefault(benchmark, {})[number] = worst(found)
    return told
