# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what speaks against enforcing a level, before it is enforced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._labelling import (
    held_back_finding,
    unsure_finding,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._preview import without_finished
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._running import (
    preview_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import existing_pods
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import Settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import running_in
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._templates import (
    Templates,
    judge_templates,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._trials import Place, Progress


@dataclass(frozen=True, slots=True)
class Weighed:
    """What speaks against one namespace, and the finding for the case that it is left as it is for that.

    Not ``sure``: nothing but templates that could not be judged, as nothing may be written, speaks against it.
    """

    against: list[Finding]
    reason: Finding
    sure: bool


def weigh(
    client: Client,
    live: Mapping[str, dict[str, Any]],
    settings: Mapping[str, Settings],
    previews: Mapping[str, ObjectResult],
    judges_templates: bool,
    may_write: bool,
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
    asked = [place for name, place in tightened.items() if judges_templates]
    templates = judge_templates(client, asked, live, running, may_write, progress) if asked else Templates({}, {})
    weighed = {}
    for name, place in tightened.items():
        existing = without_finished(warned[name], running[name].pods)
        refused, unasked = templates.against.get(name, []), templates.unasked.get(name, [])
        if existing.violate or existing.incomplete or refused:
            told = existing.violate or existing.incomplete
            against = preview_findings(name, place.wanted, existing, {}, (), 1) if told else []
            reason = held_back_finding(name, place.wanted, existing, [*refused, *unasked])
            weighed[name] = Weighed([*against, *refused, *unasked], reason, sure=True)
        elif unasked:
            weighed[name] = Weighed(unasked, unsure_finding(name, place.wanted, unasked), sure=False)
    return weighed
