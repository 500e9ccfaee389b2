# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what answers and labels prove of the controls ``pod_security.*``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    LATEST,
    Standard,
    labelled,
    standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import ExistingPods
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import Submission
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged

ENFORCED = "pod_security.enforced"
REPORTED = "pod_security.reported"
RUNNING_COMPLY = "pod_security.running_comply"
_NAMED_AT_MOST = 3
IN_A_ROW = 3
"""How often an effect has to be seen, one time after the other, before it counts."""

_WORST_FIRST: tuple[Status, ...] = ("fail", "unknown", "pass")
_SET_LABELS = "Set the labels: run the role pod_security in enforce mode."
_LIFT_EXEMPTION = (
    "Take the namespace and the user out of the exemptions of PodSecurity in the API server's AdmissionConfiguration "
    "(--admission-control-config-file), and PodSecurity out of --disable-admission-plugins."
)
_MEND = "Mend the pod template so that it meets the level, or give its namespace a looser one."
_REACH_ALL = "Run this where every API server can be reached at its own address, or accept this unknown by name."
_MAY_CREATE = (
    "Let this user create pods in the namespace: the pods of this check are dry runs, nothing is stored, "
    "and RBAC has no smaller permission for it."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one round of probes showed of one namespace at one API server.

    ``lasting``: asking again cannot change it.
    """

    status: Status
    evidence: str
    proof: Proof = "effect"
    remedy: str = ""
    lasting: bool = False


def outcome(
    wanted: Standard, found: Standard | None, labelled: bool, breaks: Reply, mended: bool, allowed: Reply | None
) -> Outcome:
    """Judge the answers to a pod that breaks the level and to one that the level allows.

    ``found`` is what the namespace's labels say it enforces, ``labelled`` whether its labels are those wanted.
    ``mended``: the first pod was let in, but changed on the way so that it breaks the level no more. ``allowed`` is
    only asked for once the first pod was refused as it should be.
    """
    labels = f"labelled {found}" if found else "not labelled"
    if breaks.kind == "violates" and breaks.standard == wanted:
        return _outcome_of_allowed(wanted, allowed)
    if breaks.kind == "violates":
        said = f"the server enforces {breaks.standard} here, not {wanted}; the namespace is {labels}"
        return Outcome("fail", said, remedy=_SET_LABELS, lasting=not labelled)
    if breaks.kind == "not_permitted":
        return _outcome_by_labels(wanted, labels, labelled, breaks)
    if breaks.kind == "other":
        return _answered_by_another(breaks)
    if mended:
        said = f"a webhook changed the pod that breaks {wanted} on its way in, so that Pod Security never saw it"
        return Outcome("unknown", said, remedy="Exempt pods named hardening-probe-… from the mutating webhook.")
    if not labelled:
        said = f"a pod that breaks {wanted} is let in; the namespace is {labels}"
        return Outcome("fail", said, remedy=_SET_LABELS, lasting=True)
    return Outcome(
        "fail",
        f"a pod that breaks {wanted} is let in although the namespace is {labels}: the API server's "
        "AdmissionConfiguration most likely exempts this namespace or this user, or has the plugin PodSecurity off",
        remedy=_LIFT_EXEMPTION,
    )


def _outcome_of_allowed(wanted: Standard, allowed: Reply | None) -> Outcome:
    if allowed and allowed.kind == "violates":
        return Outcome(
            "fail",
            f"a pod that {wanted} allows is refused too, as a violation of {allowed.standard}: {allowed.reason}",
            remedy="Look for a mutating webhook that adds what the level forbids, such as a sidecar's init container.",
        )
    if allowed and allowed.kind in {"admitted", "warned"}:
        said = f'a pod that breaks the level is refused with: violates PodSecurity "{wanted}"'
        return Outcome("pass", f"{said}; one that it allows is let in")
    return _answered_by_another(allowed or Reply("other", by="nobody"))


def _outcome_by_labels(wanted: Standard, labels: str, labelled: bool, breaks: Reply) -> Outcome:
    said = f"the namespace is {labels}; what the server does could not be tried: {breaks.reason}"
    if labelled:
        return Outcome("unknown", said, "config", _MAY_CREATE, lasting=True)
    return Outcome("fail", f"{said}; wanted is {wanted}", "config", _SET_LABELS, lasting=True)


def _answered_by_another(answer: Reply) -> Outcome:
    return Outcome(
        "unknown",
        f"{answer.by} answered in place of Pod Security: {answer.reason}",
        "none",
        f"See to it that {answer.by} lets pods named hardening-probe-… pass, or accept this unknown by name.",
    )


def is_settled(outcomes: Sequence[Outcome]) -> bool:
    """Whether there is nothing more to ask: seen often enough in a row, or it cannot change."""
    last = outcomes[-IN_A_ROW:]
    return bool(last) and (last[-1].lasting or (len(last) == IN_A_ROW and all(each.status == "pass" for each in last)))


def enforced_finding(
    namespace: str, by_server: Mapping[str, Sequence[Outcome]], note: str = "", missed: str = ""
) -> Finding:
    """The verdict on ``pod_security.enforced``: the worst that any API server showed in the end.

    ``note`` is added to the evidence, ``missed`` are the API servers that could not be asked: without them nothing
    passes.
    """
    ends = {server: _end(outcomes) for server, outcomes in by_server.items()}
    server, worst = min(ends.items(), key=lambda each: _WORST_FIRST.index(each[1].status))
    where = f" at {server}" if len(ends) > 1 and worst.status != "pass" else ""
    times = len(by_server[server])
    seen = {
        "pass": f", {IN_A_ROW} times in a row" + (f" at each of {len(ends)} API servers" if len(ends) > 1 else ""),
        "fail": f" (asked {times} times)" if times > 1 else "",
        "unknown": f" (asked {times} times)" if times > 1 else "",
    }[worst.status]
    evidence = f"{worst.evidence}{where}{seen}" + (f"; {note}" if note else "")
    subject = f"Namespace/{namespace}"
    if missed:
        evidence += f"; not reachable from here at their own address, and so not asked: {missed}"
        if worst.status == "pass":
            return judged(ENFORCED, subject, "unknown", evidence, worst.proof, _REACH_ALL)
    return judged(ENFORCED, subject, worst.status, evidence, worst.proof, worst.remedy)


def ignored_finding(namespace: str, why: str) -> Finding:
    """For a namespace whose labels the server says, or shows, that it does not follow."""
    return judged(ENFORCED, f"Namespace/{namespace}", "fail", why, "server", _LIFT_EXEMPTION)


def _end(outcomes: Sequence[Outcome]) -> Outcome:
    last = outcomes[-1]
    if last.status == "pass" and not is_settled(outcomes):
        return replace(
            last,
            status="unknown",
            evidence=f"the answers changed while being asked; the last one: {last.evidence}",
            remedy="Run again; if it stays so, see whether the API servers run the same configuration.",
        )
    return last


def not_enforcing_finding(control: str, namespace: str, wanted: Standard | None) -> Finding:
    """Neither control applies where nothing is to be refused."""
    evidence = f"{wanted} admits every pod" if wanted else "the settings ask for audit or warn alone"
    return judged(control, f"Namespace/{namespace}", "not_applicable", evidence, "config")


def reported_findings(namespace: str, settings: Mapping[str, str], live_labels: Mapping[str, str]) -> list[Finding]:
    """The verdict on ``pod_security.reported``, by labels: the audit log is not for us to read."""
    asked = {mode: standard(settings, mode) for mode in ("audit", "warn")}
    wrong = [
        f"{mode} is {labelled(live_labels, mode) or 'missing'}, wanted is {wanted}"
        for mode, wanted in asked.items()
        if wanted and labelled(live_labels, mode) != wanted
    ]
    said = [f"{mode} is {wanted}" for mode, wanted in asked.items() if wanted]
    if not said:
        return []
    subject = f"Namespace/{namespace}"
    if wrong:
        return [judged(REPORTED, subject, "fail", "; ".join(wrong), "config", _SET_LABELS)]
    return [judged(REPORTED, subject, "pass", "; ".join(said), "config")]


def version_note(wanted: Standard, server: tuple[int, int]) -> str:
    """What to say of a version that is newer than the server, which takes its own newest rules for it."""
    major, minor = server
    if wanted.version == LATEST or int(wanted.version.removeprefix("v1.")) <= minor:
        return ""
    return (
        f"the server is {major}.{minor} and judges by its own newest rules, those of {wanted.version} it does not know"
    )


def not_there_yet_findings(namespace: str) -> list[Finding]:
    """For a namespace that the run is to create."""
    return [
        judged(
            ENFORCED,
            f"Namespace/{namespace}",
            "fail",
            "the namespace is not there yet, its settings say create: true",
            "server",
            "Run the role pod_security in enforce mode: it creates the namespace.",
        ),
        judged(RUNNING_COMPLY, f"Namespace/{namespace}", "not_applicable", "the namespace is not there yet", "server"),
    ]


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
        judged(RUNNING_COMPLY, who, "fail", f"{wanted}: {'; '.join(said)}", "server", _MEND)
        for who, said in refused.items()
    ] + [
        judged(RUNNING_COMPLY, who, "unknown", "; ".join(said), "none", "Let that which answered let the pod pass.")
        for who, said in unsure.items()
    ]
    findings += [finding for finding in previewed if finding.subject not in refused]
    barred = next((answer for _submission, answer in answers if answer.kind == "not_permitted"), None)
    if barred:
        said = f"what runs here could not be submitted by dry run: {barred.reason}"
        findings.append(judged(RUNNING_COMPLY, subject, "unknown", said, "none", _MAY_CREATE))
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
        judged(RUNNING_COMPLY, who, "fail", f"{wanted}: {'; '.join(said)}", "server", _MEND)
        for who, said in refused.items()
    ]
    if existing.violate and not existing.groups:
        findings.append(judged(RUNNING_COMPLY, subject, "fail", f"{wanted}: {existing.told}", "server", _MEND))
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
    ignored = enforce_is_labelled or finding.remedy == _LIFT_EXEMPTION
    mended = (finding.control == ENFORCED and not ignored) or finding.control == REPORTED
    if finding.status == "fail" and mended and labels_would_be_set:
        return replace(finding, would="unknown" if unsure else "pass")
    return replace(finding, would=finding.status)


def _not_seen(subject: str, not_seen: str) -> Finding:
    said = f"not everything that runs here could be seen: {not_seen}"
    return judged(RUNNING_COMPLY, subject, "unknown", said, "none", "Let this user list pods and workloads.")


def _counted(answers: Iterable[tuple[Submission, Any]]) -> str:
    all_of = [submission for submission, _answer in answers]
    templates = sum(1 for each in all_of if each.is_template)
    pods = sum(each.pods for each in all_of)
    return f"{pods} running pods and {templates} pod templates"
