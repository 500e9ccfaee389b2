# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the verdict on what runs, from what the server said of its pods and templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._controls import (
    ENFORCED,
    MAY_CREATE,
    MEND,
    RUNNING_COMPLY,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    Standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import ExistingPods
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import Submission
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, judged


def running_findings(
    namespace: str,
    wanted: Standard,
    answers: Sequence[tuple[Submission, Reply]],
    proven: bool,
    not_seen: str,
    previewed: Sequence[Finding] = (),
) -> list[Finding]:
    """The verdict on ``pod_security.running_comply`` from pods that were submitted under the level itself.

    ``proven``: probes showed that the server judges by the level here, without which being let in means nothing.
    ``not_seen`` says what could not be listed, ``previewed`` what the server's own look at running pods found besides.
    A finding for each workload that fails or is unknown, or one for the namespace.
    """
    subject = f"Namespace/{namespace}"
    refused: dict[str, list[str]] = {}
    unsure: dict[str, list[str]] = {}
    for submission, answer in answers:
        # The namespace may also warn of a level of its own, which is not the one to judge by.
        if answer.kind == "violates" or (answer.kind == "warned" and answer.standard == wanted):
            refused.setdefault(submission.subject, []).append(f"{submission.what} would be refused: {answer.reason}")
        elif answer.kind == "other":
            said = f"{submission.what}: {answer.by} answered in place of Pod Security: {answer.reason}"
            unsure.setdefault(submission.subject, []).append(said)
        elif answer.kind == "mended":
            said = f"{submission.what} is changed by {answer.by} when submitted again, so that its answer says nothing"
            unsure.setdefault(submission.subject, []).append(f"{said}: {answer.reason}")
    findings = [
        judged(RUNNING_COMPLY, who, "fail", f"{wanted}: {'; '.join(said)}", "server", MEND)
        for who, said in refused.items()
    ] + [
        judged(RUNNING_COMPLY, who, "unknown", "; ".join(said), "none", "Let that which answered let the pod pass.")
        for who, said in unsure.items()
    ]
    findings += [finding for finding in previewed if finding.subject not in refused]
    barred = next((answer for _submission, answer in answers if answer.kind == "not_permitted"), None)
    if barred:
        said = f"what runs here could not be submitted by dry run: {barred.reason}"
        findings.append(judged(RUNNING_COMPLY, subject, "unknown", said, "none", MAY_CREATE))
    if not_seen:
        findings.append(_not_seen(subject, not_seen))
    if findings:
        return findings
    if not answers:
        return [judged(RUNNING_COMPLY, subject, "not_applicable", "no pod and no pod template runs here", "server")]
    said = f"let in by dry run under {wanted}: {_counted(answers)}"
    if not proven:
        unproven = f"{said}; but the server was not seen to judge by {wanted} here"
        return [
            judged(RUNNING_COMPLY, subject, "unknown", unproven, "none", f"See {ENFORCED} of this namespace first.")
        ]
    return [judged(RUNNING_COMPLY, subject, "pass", said, "server")]


def preview_findings(
    namespace: str,
    wanted: Standard,
    existing: ExistingPods,
    subjects: Mapping[str, str],
    unasked: Sequence[str],
    running: int,
    not_seen: str = "",
) -> list[Finding]:
    """The verdict on ``pod_security.running_comply`` before the level is in force, from the server's own preview.

    ``existing`` is what the server warned of when the labels were set by dry run, ``subjects`` the workload behind
    each pod that it named, ``unasked`` the workloads of whose template no pod runs, ``running`` how many pods do.
    """
    subject = f"Namespace/{namespace}"
    refused: dict[str, list[str]] = {}
    for group in existing.groups:
        others = f" and {group.others} more" if group.others else ""
        said = f"running pod {group.pod}{others} would be refused: {group.reasons}"
        refused.setdefault(subjects.get(group.pod, f"Pod/{namespace}/{group.pod}"), []).append(said)
    findings = [
        judged(RUNNING_COMPLY, who, "fail", f"{wanted}: {'; '.join(said)}", "server", MEND)
        for who, said in refused.items()
    ]
    if existing.violate and not existing.groups:
        findings.append(judged(RUNNING_COMPLY, subject, "fail", f"{wanted}: {existing.told}", "server", MEND))
    if existing.incomplete:
        said = f"not all running pods were judged: {existing.incomplete}"
        findings.append(
            judged(RUNNING_COMPLY, subject, "unknown", said, "server", "Run again once the labels are set.")
        )
    if unasked:
        findings.append(unasked_finding(namespace, wanted, unasked))
    if not_seen:
        findings.append(_not_seen(subject, not_seen))
    if findings:
        return findings
    if not running:
        return [judged(RUNNING_COMPLY, subject, "not_applicable", "no pod and no pod template runs here", "server")]
    said = f"the server would refuse none of {running} running pods under {wanted}"
    return [judged(RUNNING_COMPLY, subject, "pass", said, "server")]


def unasked_finding(namespace: str, wanted: Standard, unasked: Sequence[str]) -> Finding:
    """For a namespace with workloads, those ``unasked``, of whose template no pod runs and none can be submitted."""
    said = (
        f"no pod runs of the present template of {', '.join(unasked)}, and the server judges templates "
        f"only where {wanted} is enforced or warned of"
    )
    remedy = f"Set warn: {wanted.level} on the namespace and audit again, or enforce."
    return judged(RUNNING_COMPLY, f"Namespace/{namespace}", "unknown", said, "none", remedy)


def no_preview_finding(namespace: str, why: str, remedy: str) -> Finding:
    """For a namespace where the server does not say what it thinks of the running pods."""
    return judged(RUNNING_COMPLY, f"Namespace/{namespace}", "unknown", why, "none", remedy)


def not_judged_finding(namespace: str, why: str) -> Finding:
    """For a namespace with pod templates that the server could not be asked about."""
    said = f"the pod templates could not be judged: {why}"
    remedy = "Do what the message says, or set warn to the level and run again."
    return judged(RUNNING_COMPLY, f"Namespace/{namespace}", "unknown", said, "none", remedy)


def foreign_warn_finding(namespace: str, wanted: Standard, others: Sequence[str]) -> Finding:
    """For a namespace whose label ``warn`` the field managers ``others`` have say something else."""
    said = (
        f"the pod templates could not be judged: the server judges them only where {wanted} is enforced or warned of, "
        f"and the label warn belongs to {', '.join(others)}"
    )
    remedy = f"Set warn to {wanted} there (kubectl label) before this run, or say on_violation: warn."
    return judged(RUNNING_COMPLY, f"Namespace/{namespace}", "unknown", said, "none", remedy)


def _not_seen(subject: str, not_seen: str) -> Finding:
    said = f"not everything that runs here could be seen: {not_seen}"
    return judged(RUNNING_COMPLY, subject, "unknown", said, "none", "Let this user list pods and workloads.")


def _counted(answers: Iterable[tuple[Submission, Any]]) -> str:
    all_of = [submission for submission, _answer in answers]
    templates = sum(1 for each in all_of if each.is_template)
    pods = sum(each.pods for each in all_of)
    return f"{pods} running pods and {templates} pod templates"
