# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: findings about what is granted and what is denied, from the servers' answers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._demands import Demand
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access, Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import AccessSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import Subject
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._to_come import ToCome
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Replies = Mapping[Access, Reply]

_NAMED_AT_MOST = 3
_MASTERS = "certificates of the group system:masters may do everything, and are not seen here"
_BY_BINDING = re.compile(r'allowed by ((?:Cluster)?RoleBinding) "([^"]*)"')


@dataclass(frozen=True, slots=True)
class Answers:
    """What each API server answered, by its address; ``missed`` could not be asked, ``note`` says why others may be."""

    by_server: Mapping[str, Replies]
    missed: str = ""
    note: str = ""

    def of(self, question: Access) -> dict[str, Reply]:
        """The replies to one question, by server."""
        return {server: replies[question] for server, replies in self.by_server.items()}


def unexpected(demand: Demand, replies: Replies) -> list[Access]:
    """The questions whose answer is another than the demand's, and may yet become so."""
    wanted = demand.control == "access.granted"
    return [each for each in demand.questions if not replies[each].error and replies[each].allowed is not wanted]


def judge(demand: Demand, answers: Answers, to_come: ToCome | None = None) -> Finding:
    """The finding of one demand.

    ``to_come`` is for check mode: what the run being previewed would change.
    """
    status, evidence, remedy = _seen(demand, answers)
    proof: Proof = "none" if status == "unknown" else "server"
    would = None
    if to_come is not None:
        would, why = _would(demand, answers, status, to_come)
        evidence += why
    return judged(demand.control, demand.subject, status, evidence, proof, remedy, would)


def _seen(demand: Demand, answers: Answers) -> tuple[Status, str, str]:
    granted = demand.control == "access.granted"
    bad = [
        (server, question, reply)
        for question in demand.questions
        for server, reply in answers.of(question).items()
        if not reply.error and reply.allowed is not granted
    ]
    unanswered = sorted(
        {reply.error for each in demand.questions for reply in answers.of(each).values() if reply.error}
    )
    if granted and demand.wrong:
        return "fail", f"{demand.about}: {'; '.join(demand.wrong)}", "Correct the rules or the name of the role."
    if bad:
        return "fail", f"{demand.about}: {_told(bad, granted, answers)}", _REMEDY[granted]
    unknown = [*demand.unseen, *unanswered, *(() if granted else demand.wrong)]
    if unknown:
        return "unknown", f"{demand.about}: {'; '.join(unknown)}", "Let the check see what it names, then check again."
    if not demand.questions:
        return "unknown", f"{demand.about}: there was nothing to ask", "Name resources that the server has."
    if answers.missed:
        evidence = f"{demand.about}: {_count(demand, granted)}; these API servers could not be asked: {answers.missed}"
        return "unknown", evidence, "Run it from where each API server can be reached at its own address."
    partly = sorted({reply.evaluation_error for each in demand.questions for reply in answers.of(each).values()} - {""})
    notes = [
        demand.note,
        *([] if granted else [_MASTERS]),
        answers.note,
        *(f"not looked everywhere: {p}" for p in partly),
    ]
    evidence = "; ".join([f"{demand.about}: {_count(demand, granted)} by {_servers(answers)}", *filter(None, notes)])
    in_doubt = sorted({str(each.who) for each in demand.questions if each.who and each.who.may_be_in_others})
    if granted:
        return "pass", evidence, ""
    if partly:
        return "unknown", evidence, "Mend what keeps the server's authorizers from looking, then check again."
    if in_doubt:
        return (
            "unknown",
            f"{evidence}; what other groups of {', '.join(in_doubt)} may bring is not known",
            "Name the user's groups, like {user: jane, groups: [developers]}, or groups: [] where there are none.",
        )
    return "pass", evidence, ""


_REMEDY = {
    True: "Run in enforce mode; where that was done, look for what changes the roles and bindings behind its back.",
    False: "Take away the binding that is named, by remove: where it is foreign, or narrow its role.",
}


def _told(bad: Sequence[tuple[str, Access, Reply]], granted: bool, answers: Answers) -> str:
    lines = []
    for server, question, reply in bad[:_NAMED_AT_MOST]:
        at = f" at {server}" if len(answers.by_server) > 1 else ""
        why = f" ({reply.reason})" if reply.reason else ""
        lines.append(f"{question.who} {'may not' if granted else 'may'} {question}{at}{why}")
    more = len(bad) - _NAMED_AT_MOST
    return "; ".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def _count(demand: Demand, granted: bool) -> str:
    many = len(demand.questions)
    return f"{'all' if granted else 'none'} of {many} question{'' if many == 1 else 's'} allowed"


def _servers(answers: Answers) -> str:
    many = len(answers.by_server)
    return f"each of {many} API servers" if many > 1 else f"the API server {next(iter(answers.by_server), '')}"


def _would(demand: Demand, answers: Answers, status: Status, to_come: ToCome) -> tuple[Status, str]:
    """What a run would leave, and why where it is worse: it writes what is granted, and takes away what goes."""
    if demand.control == "access.denied":
        for each in demand.questions:
            if why := to_come.granted(each):
                return "fail", f"; {why} will allow {each.who} to {each}"
    if status != "fail" or (demand.wrong and demand.control == "access.granted"):
        return status, ""
    if demand.control == "access.granted":
        return "pass", ""
    replies = [reply for each in demand.questions for reply in answers.of(each).values() if reply.allowed]
    return ("pass" if all(_binding_of(reply) in to_come.going for reply in replies) else "fail"), ""


def _binding_of(reply: Reply) -> str:
    """``Kind/namespace/name`` of the binding that the server's reason names, ``""`` if none."""
    found = _BY_BINDING.search(reply.reason)
    if not found:
        return ""
    name, _slash, namespace = found[2].partition("/")
    return "/".join(part for part in (found[1], namespace, name) if part)


def subject_findings(
    places: Iterable[AccessSettings],
    accounts: Mapping[str, Collection[str]],
    unseen: str,
    preview: bool,
) -> list[Finding]:
    """``access.subjects`` of every service account that is named; ``accounts`` are those of each namespace."""
    named: dict[Subject, list[str]] = {}
    for said in places:
        subjects = [*(who for grant in said.grants for who in grant.to), *(each.who for each in said.must_not)]
        for who in subjects:
            if who.kind == "ServiceAccount":
                named.setdefault(who, []).append(said.where)
    return [_account(who, where, accounts, unseen, preview) for who, where in sorted(named.items())]


def _account(
    who: Subject, where: Sequence[str], accounts: Mapping[str, Collection[str]], unseen: str, preview: bool
) -> Finding:
    subject, named = f"ServiceAccount/{who.namespace}/{who.name}", f"named {', '.join(dict.fromkeys(where))}"
    status: Status = "pass"
    proof: Proof = "server"
    evidence, remedy = f"it exists; {named}", ""
    if who.namespace not in accounts:
        status, proof = "unknown", "none"
        evidence, remedy = f"{named}, and whether it exists is not seen: {unseen}", "Grant this permission."
    elif who.name not in accounts[who.namespace]:
        near = did_you_mean(who.name, accounts[who.namespace])
        hint = f"; did you mean {near}?" if near else ""
        status = "fail"
        evidence = f"{named}, and there is no service account {who.name} in {who.namespace}{hint}"
        remedy = "Create the service account, or correct its name."
    return judged("access.subjects", subject, status, evidence, proof, remedy, status if preview else None)


def failed_writes(results: Iterable[ObjectResult]) -> list[Finding]:
    """A finding for each role or binding that could not be written or removed."""
    return [
        judged(
            "access.granted",
            each.label,
            "fail",
            f"it could not be put right: {each.error}",
            "server",
            "Do what the error says, then run it again.",
        )
        for each in results
        if each.action == "failed"
    ]
