# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the findings of the controls ``resources.*``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._fit import Template
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._outcomes import Outcome
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import LIMITS_NAME, QUOTA_NAME

QUOTA = "resources.quota"
COUNTED = "resources.quota_counted"
LIMITS = "resources.limits"
RUNNING_FIT = "resources.running_fit"

_ENFORCE = "Run the role resource_limits in enforce mode."
_REACH_ALL = "Run this where every API server can be reached at its own address, or accept this unknown by name."
_MAKE_FIT = (
    "Let the workload say requests and limits that fit, give limits.container a default for what it does not say, or "
    "allow more."
)
_USE_LESS = "Let less run here, or allow more."
_MAY_CREATE = "Let this user create pods in the namespace: those of this check are dry runs, nothing is stored."


def not_there_yet_findings(namespace: str, controls: Iterable[str]) -> list[Finding]:
    """For a namespace that the run is to create; ``controls`` are those that its settings ask for."""
    said = "the namespace is not there yet, its settings say create: true"
    remedy = f"{_ENFORCE} It creates the namespace."
    found = [judged(control, _of(namespace), "fail", said, "server", remedy) for control in controls]
    said = "the namespace is not there yet"
    return [*found, judged(RUNNING_FIT, _of(namespace), "not_applicable", said, "server")]


def unreadable_findings(namespace: str, controls: Iterable[str], why: str) -> list[Finding]:
    """For a namespace of which quotas or LimitRanges could not be read."""
    remedy = "Give the permission that is named, then check again."
    return [judged(control, _of(namespace), "unknown", why, "none", remedy) for control in (*controls, RUNNING_FIT)]


def subject_of(namespace: str, kind: str, name: str) -> str:
    """The subject of a finding about one object: the namespace, or for an object of another name that itself."""
    return _of(namespace) if name in (QUOTA_NAME, LIMITS_NAME) else f"{kind}/{namespace}/{name}"


def absent_finding(control: str, subject: str, label: str, there: bool, others: Sequence[str]) -> Finding:
    """For a ResourceQuota or LimitRange (``label``: kind and name) that is missing, or ``there`` with other content."""
    said = f"the {label} says something else than the settings" if there else f"there is no {label}"
    if others:
        said += f"; in force {'are' if len(others) > 1 else 'is'} {', '.join(others)}"
    return judged(control, subject, "fail", said, "config", _ENFORCE)


def effect_finding(control: str, subject: str, outcome: Outcome, notes: Sequence[str], missed: str) -> Finding:
    """The verdict that probes came to; ``missed`` are API servers that could not be asked: nothing passes then."""
    evidence = "; ".join([outcome.evidence, *notes])
    if missed:
        evidence += f"; not reachable from here at their own address, and so not asked: {missed}"
        if outcome.status == "pass":
            return judged(control, subject, "unknown", evidence, outcome.proof, _REACH_ALL)
    return judged(control, subject, outcome.status, evidence, outcome.proof, outcome.remedy)


def nothing_to_exceed_finding(subject: str, counted: Mapping[str, str]) -> Finding:
    """For a quota of which no single pod can exceed anything."""
    said = f"no single pod can exceed this quota ({_reasons(counted)}); {COUNTED} says whether the server counts"
    return judged(QUOTA, subject, "not_applicable", said, "config")


def counted_finding(subject: str, counted: Mapping[str, str], unequal: Sequence[str], proven: Sequence[str]) -> Finding:
    """The verdict on what no single pod can exceed: that the server counts it, up to what the quota says.

    ``counted`` are the names with the reasons, ``unequal`` those of which ``status.hard`` is not ``spec.hard``, or
    ``status.used`` is missing, ``proven`` those that probes were refused for.
    """
    besides = f"; by effect, see {QUOTA}: {', '.join(proven)}" if proven else ""
    if not counted:
        return judged(
            COUNTED, subject, "not_applicable", f"all of the quota is for {QUOTA} to prove{besides}", "config"
        )
    if unequal:
        said = f"the server does not count yet, or up to something else: {', '.join(unequal)}"
        remedy = "Run again; if it stays so, see whether kube-controller-manager runs."
        return judged(COUNTED, subject, "unknown", said, "server", remedy)
    said = f"status.hard is spec.hard, and used is counted: {_reasons(counted)}{besides}"
    return judged(COUNTED, subject, "pass", said, "server")


def fit_findings(
    namespace: str,
    answers: Sequence[tuple[Template, Reply]],
    computed: Mapping[str, Sequence[str]],
    overdrawn: Mapping[str, Sequence[str]],
    not_seen: str,
    quotas: int,
) -> list[Finding]:
    """The verdict on ``resources.running_fit`` where the settings are in force.

    ``answers`` are those to what would be started next, ``computed`` what besides them does not fit, by subject, and
    ``overdrawn`` what is used above each quota, by its subject. ``quotas`` is how many there are.
    """
    refused: dict[str, list[str]] = {who: list(said) for who, said in computed.items()}
    unsure: dict[str, str] = {}
    for template, answer in answers:
        if why := refusal_of(answer):
            refused.setdefault(template.subject, []).append(f"its next pod would be refused: {why}")
        elif answer.kind in ("other", "status_unknown"):
            unsure[template.subject] = f"{answer.by} answered in place of quota and LimitRange: {answer.reason}"
    found = [
        *_failed(refused, overdrawn, "server"),
        *(
            judged(RUNNING_FIT, who, "unknown", said, "none", "Let that which answered let the pod pass.")
            for who, said in unsure.items()
        ),
    ]
    barred = next((answer for _template, answer in answers if answer.kind == "not_permitted"), None)
    if barred:
        said = f"what runs here could not be submitted by dry run: {barred.reason}"
        found.append(judged(RUNNING_FIT, _of(namespace), "unknown", said, "none", _MAY_CREATE))
    if not_seen:
        found.append(_not_seen(namespace, not_seen))
    if found:
        return found
    counted = (
        f"; used is within {quotas} {'quota' if quotas == 1 else 'quotas'}, by the server's count" if quotas else ""
    )
    if not answers:
        said = f"no pod and no pod template runs here{counted}"
        return [judged(RUNNING_FIT, _of(namespace), "not_applicable", said, "server")]
    said = f"let in by dry run: what {len(answers)} workloads and pods would start next{counted}"
    return [judged(RUNNING_FIT, _of(namespace), "pass", said, "server")]


def preview_findings(
    namespace: str,
    refused: Mapping[str, Sequence[str]],
    overdrawn: Mapping[str, Sequence[str]],
    runs: int,
    not_seen: str,
) -> list[Finding]:
    """The verdict on ``resources.running_fit`` before the settings are in force, from what the objects say."""
    found = _failed(refused, overdrawn, "config")
    if not_seen:
        found.append(_not_seen(namespace, not_seen))
    if found:
        return found
    if not runs:
        said = "no pod and no pod template runs here"
        return [judged(RUNNING_FIT, _of(namespace), "not_applicable", said, "server")]
    said = f"by what they say, {runs} workloads and pods would fit"
    return [judged(RUNNING_FIT, _of(namespace), "pass", said, "config", f"{_ENFORCE} Then the server can be asked.")]


def _failed(
    refused: Mapping[str, Sequence[str]], overdrawn: Mapping[str, Sequence[str]], proof: Proof
) -> list[Finding]:
    return [
        *(judged(RUNNING_FIT, who, "fail", "; ".join(said), proof, _MAKE_FIT) for who, said in refused.items() if said),
        *(
            judged(RUNNING_FIT, who, "fail", "; ".join(said), proof, _USE_LESS)
            for who, said in overdrawn.items()
            if said
        ),
    ]


def refusal_of(answer: Reply) -> str:
    """Why what would be started next is refused for itself, whatever else runs; empty where it is not."""
    if answer.kind in ("limited", "failed"):
        return f"failed quota: {answer.quota}: {answer.reason}" if answer.kind == "failed" else answer.reason
    too_much = [name for name, amount in answer.requested.items() if amount > answer.limited.get(name, amount)]
    if answer.kind == "exceeded" and too_much:
        return f"one alone asks for more {', '.join(too_much)} than {answer.by} allows: {answer.reason}"
    return ""


def held_back_finding(control: str, namespace: str, against: Sequence[Finding]) -> Finding:
    """For a namespace that gets no quota and no limits because of what they would refuse."""
    said = "; ".join(f"{finding.subject}: {finding.evidence}" for finding in against)
    remedy = "Mend these workloads, or say on_violation: warn to set quota and limits all the same."
    return judged(control, _of(namespace), "fail", f"{said}; the namespace was left as it is", "config", remedy)


def not_set_finding(control: str, subject: str, error: str) -> Finding:
    """For a quota or a LimitRange that could not be set."""
    remedy = "Do what the message says. What another field manager owns is taken over with force_conflicts: true."
    return judged(control, subject, "fail", f"it could not be set: {error}", "server", remedy)


def expected(finding: Finding, held: bool) -> Finding:
    """In check mode: the finding with the status to expect after the run; ``held``: it would leave all as it is.

    What is refused by effect, although the objects are right, will go on like that, and so will what runs.
    """
    would: Status = finding.status
    previewed = finding.control == RUNNING_FIT and finding.proof == "config" and finding.status == "unknown"
    missing = finding.status == "fail" and finding.remedy.startswith(_ENFORCE)
    if previewed or (missing and not held):
        would = "pass"
    return replace(finding, would=would)


def _not_seen(namespace: str, not_seen: str) -> Finding:
    said = f"not everything that runs here could be seen: {not_seen}"
    return judged(RUNNING_FIT, _of(namespace), "unknown", said, "none", "Let this user list pods and workloads.")


def _reasons(counted: Mapping[str, str]) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, reason in sorted(counted.items()):
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())


def _of(namespace: str) -> str:
    return f"Namespace/{namespace}"
