# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the verdict on whether the server enforces a level, from what it answered to probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._controls import (
    ENFORCED,
    LIFT_EXEMPTION,
    MAY_CREATE,
    REACH_ALL,
    REPORTED,
    RUNNING_COMPLY,
    SET_LABELS,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    LATEST,
    Standard,
    labelled,
    standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged

IN_A_ROW = 3
"""How often an effect has to be seen, one time after the other, before it counts."""
_WORST_FIRST: tuple[Status, ...] = ("fail", "unknown", "pass")


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
        return Outcome("fail", said, remedy=SET_LABELS, lasting=not labelled)
    if breaks.kind == "not_permitted":
        return _outcome_by_labels(wanted, labels, labelled, breaks)
    if breaks.kind == "other":
        return _answered_by_another(breaks)
    if mended:
        said = f"a webhook changed the pod that breaks {wanted} on its way in, so that Pod Security never saw it"
        return Outcome("unknown", said, remedy="Exempt pods named hardening-probe-… from the mutating webhook.")
    if not labelled:
        said = f"a pod that breaks {wanted} is let in; the namespace is {labels}"
        return Outcome("fail", said, remedy=SET_LABELS, lasting=True)
    return Outcome(
        "fail",
        f"a pod that breaks {wanted} is let in although the namespace is {labels}: the API server's "
        "AdmissionConfiguration most likely exempts this namespace or this user, or has the plugin PodSecurity off",
        remedy=LIFT_EXEMPTION,
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
        return Outcome("unknown", said, "config", MAY_CREATE, lasting=True)
    return Outcome("fail", f"{said}; wanted is {wanted}", "config", SET_LABELS, lasting=True)


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
            return judged(ENFORCED, subject, "unknown", evidence, worst.proof, REACH_ALL)
    return judged(ENFORCED, subject, worst.status, evidence, worst.proof, worst.remedy)


def ignored_finding(namespace: str, why: str) -> Finding:
    """For a namespace whose labels the server says, or shows, that it does not follow."""
    return judged(ENFORCED, f"Namespace/{namespace}", "fail", why, "server", LIFT_EXEMPTION)


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
        return [judged(REPORTED, subject, "fail", "; ".join(wrong), "config", SET_LABELS)]
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
