# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what speaks against enforcing a level, before it is enforced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._judgement import (
    held_back_finding,
    preview_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._preview import without_finished
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import existing_pods
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import Settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_running import running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_templates import template_findings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security_trials import Place, Progress


@dataclass(frozen=True, slots=True)
class Weighed:
    """What would be refused in one namespace, and the finding for the case that it is left as it is for that."""

    against: list[Finding]
    reason: Finding


def weigh(
    client: Client,
    live: Mapping[str, dict[str, Any]],
    settings: Mapping[str, Settings],
    previews: Mapping[str, ObjectResult],
    judges_templates: bool,
    progress: Progress,
) -> dict[str, Weighed]:
    """The namespaces in which pods, or templates where those are judged, would be refused or could not be looked at.

    ``previews`` are the results of a dry run of the labels, in which the server warns of running pods.
    """
    warned = {name: existing_pods(preview.warnings) for name, preview in previews.items()}
    places = {name: Place.of(live[name], settings[name]) for name in previews if name in live}
    tightened = {
        name: place
        for name, place in places.items()
        if place and ((previews[name].changed and place.tightens) or warned[name].violate or warned[name].incomplete)
    }
    running = running_in(client, [name for name in tightened if judges_templates or warned[name].violate])
    templates = template_findings(client, list(tightened.values()), running, progress) if judges_templates else {}
    weighed = {}
    for name, place in tightened.items():
        existing = without_finished(warned[name], running[name].pods)
        pods_told = existing.violate or existing.incomplete
        against = preview_findings(name, place.wanted, existing, {}, (), 1) if pods_told else []
        against += templates.get(name, [])
        if against:
            reason = held_back_finding(name, place.wanted, existing, templates.get(name, []))
            weighed[name] = Weighed(against, reason)
    return weighed
