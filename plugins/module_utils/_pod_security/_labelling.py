# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what is to be said of namespaces that are not labelled, or may not be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._controls import (
    ENFORCED,
    LIFT_EXEMPTION,
    REPORTED,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    Standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import ExistingPods
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, judged

_NAMED_AT_MOST = 3


def held_back_finding(
    namespace: str, wanted: Standard, existing: ExistingPods, templates: Sequence[Finding] = ()
) -> Finding:
    """For a namespace that is not labelled because of pods, or of ``templates``, that the level would refuse."""
    said = [f"running pods would be refused under {wanted}: {existing.told}"] if existing.violate else []
    said += [existing.incomplete] if existing.incomplete else []
    said += [f"{finding.subject}: {finding.evidence}" for finding in templates]
    return judged(
        ENFORCED,
        f"Namespace/{namespace}",
        "fail",
        f"{'; '.join(said)}; the namespace was left as it is",
        "server",
        "Mend these workloads, or say on_violation: warn to enforce the level on new pods all the same.",
    )


def unsure_finding(namespace: str, wanted: Standard, templates: Sequence[Finding]) -> Finding:
    """In check mode: for a namespace that is labelled if the server, once it may be asked, lets ``templates`` in."""
    said = "; ".join(finding.evidence for finding in templates)
    return judged(
        ENFORCED,
        f"Namespace/{namespace}",
        "fail",
        f"{wanted} is not enforced; whether it will be depends on pod templates that only the real run, by a label "
        f"warn for a moment, can have the server judge: {said}",
        "server",
        f"Set warn to {wanted} in a run before to know it now.",
        "unknown",
    )


def unsure_warning(namespaces: Collection[str]) -> str:
    """The sentence about all namespaces that have an :func:`unsure_finding`."""
    more = len(namespaces) - _NAMED_AT_MOST
    named = ", ".join(sorted(namespaces)[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    return (
        f"Whether the labels are set is known to the real run alone, as pod templates without pods decide it: {named}."
    )


def not_labelled_finding(namespace: str, error: str) -> Finding:
    """For a namespace whose labels could not be set."""
    return judged(
        ENFORCED,
        f"Namespace/{namespace}",
        "fail",
        f"the labels could not be set: {error}",
        "server",
        "Do what the message says. Labels that another field manager owns are taken over with force_conflicts: true.",
    )


def expected(
    finding: Finding, labels_would_be_set: bool, enforce_is_labelled: bool = False, unsure: bool = False
) -> Finding:
    """In check mode: the finding with the status to expect after the run.

    Labels change no running pod, and a namespace that enforces nothing although its labels say so will go on like that.
    ``unsure``: whether the labels would be set cannot be known before.
    """
    ignored = enforce_is_labelled or finding.remedy == LIFT_EXEMPTION
    mended = (finding.control == ENFORCED and not ignored) or finding.control == REPORTED
    if finding.status == "fail" and mended and labels_would_be_set:
        return replace(finding, would="unknown" if unsure else "pass")
    return replace(finding, would=finding.status)
