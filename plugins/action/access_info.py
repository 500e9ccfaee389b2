# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers who may do what, as ``kubectl auth can-i --as`` does one by one."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import (
    Access,
    Reply,
    parse_questions,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served, completed
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._ask import ask, served

_UNCHECKED = "Whether the server has the resources that are asked about is not known, since they may not be listed."


class ActionModule(HardeningAction):
    """One answer for each question, in their order."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "questions": {"type": "list", "elements": "dict", "required": True},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Complete the questions by what the server has, ask, and fail at the end for those without an answer."""
        said = parse_questions(plain(arguments["questions"]))
        client = connect(arguments)
        warnings: list[str] = []
        known = _known(client, said, warnings)
        questions = []
        for at, question in enumerate(said):
            asked, wrong = completed(question, known) if known else (question, "")
            questions.append(asked)
            if wrong:
                warnings.append(f"questions[{at}]: {wrong}")
        replies = ask(client, questions, Progress("access_info"))
        pairs = list(zip(questions, replies, strict=True))
        return _told(pairs, warnings)


def _known(client: Client, said: list[Access], warnings: list[str]) -> Served | None:
    if all(question.url for question in said):
        return None
    try:
        return served(client)
    except Forbidden:
        warnings.append(_UNCHECKED)
        return None


def _told(pairs: list[tuple[Access, Reply]], warnings: list[str]) -> dict[str, Any]:
    failed = [
        f"questions[{at}] ({question}): {reply.error}" for at, (question, reply) in enumerate(pairs) if reply.error
    ]
    partly = [
        f"questions[{at}] ({question}): the server could not look everywhere: {reply.evaluation_error}"
        for at, (question, reply) in enumerate(pairs)
        if reply.evaluation_error
    ]
    told: dict[str, Any] = {"changed": False, "answers": [_answer(*pair) for pair in pairs]}
    told["summary"] = {
        "allowed": sum(reply.allowed for _question, reply in pairs),
        "not_allowed": sum(not reply.allowed and not reply.error for _question, reply in pairs),
        "unanswered": len(failed),
    }
    if warnings or partly:
        told["warnings"] = [*warnings, *partly]
    if failed:
        count = f"{len(failed)} of {len(pairs)} questions have no answer; the others are in answers."
        told |= {"failed": True, "msg": "\n".join([count, *dict.fromkeys(failed)])}
    return told


def _answer(question: Access, reply: Reply) -> dict[str, Any]:
    """An answer that there is none has no ``allowed``, so that nobody takes it for a denial."""
    told: dict[str, Any] = {**question.to_dict(), "groups": list(question.who.assumed_groups) if question.who else []}
    if reply.error:
        return {**told, "error": reply.error}
    return {
        **told,
        "allowed": reply.allowed,
        "denied": reply.denied,
        "reason": reply.reason,
        "evaluation_error": reply.evaluation_error,
    }
