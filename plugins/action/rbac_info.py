# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks each API server whether everybody may do what is granted, nobody what is forbidden, and nobody else anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._demands import Demand, demands
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import label
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._judge import (
    Answers,
    judge,
    subject_findings,
    unexpected,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._to_come import ToCome
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._undeclared import undeclared_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._widened import widened_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import leftover_findings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._api_servers import api_servers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._ask import Replies, ask_until
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._facts import read_facts
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import (
    SETTINGS_SPEC,
    Left,
    Wanted,
    left_behind,
    read,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import read_settings


class ActionModule(HardeningAction):
    """The findings about access; writes nothing but reviews, which servers do not keep."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **SETTINGS_SPEC,
        "timeout": {"type": "float", "default": 5},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read, ask, judge."""
        if arguments["timeout"] < 0:
            raise HardeningError(f"timeout: {arguments['timeout']:g} is no time; give seconds, like 5.")
        client = connect(arguments)
        wanted = read(client, read_settings(arguments))
        findings = resolution_findings(wanted.resolution, "access")
        if self.check_mode:
            findings = [replace(finding, would=finding.status) for finding in findings]
        findings += self._judged(client, wanted, arguments["timeout"])
        return self.judged(findings)

    def _judged(self, client: Client, wanted: Wanted, timeout: float) -> list[Finding]:
        if not wanted.places:
            return self._leftovers(wanted, _left(client, wanted))
        facts = read_facts(client, wanted)
        cluster = facts.cluster.once_written(wanted.objects) if self.check_mode else facts.cluster
        asked = [each for said in wanted.places for each in demands(said, wanted.set_name, cluster)]
        # What a preview finds otherwise than wanted will stay so until the run itself.
        answers = _answers(client, asked, 0 if self.check_mode else timeout)
        left = _left(client, wanted)
        going = frozenset(label(each) for each in (*left.objects, *wanted.foreign)) if self.check_mode else None
        to_come = None if going is None else ToCome(wanted.places, cluster, going)
        return [
            *(judge(each, answers, to_come) for each in asked),
            *undeclared_findings(
                # A limit keeps the cluster's bindings as they are; what the policy says of them is true all the same.
                [*wanted.places, wanted.cluster],
                facts.bindings,
                facts.cluster.served,
                wanted.set_name,
                going,
            ),
            *widened_findings(wanted.places, facts.cluster.roles, facts.cluster.unseen, self.check_mode),
            *subject_findings(wanted.places, facts.accounts, facts.accounts_unseen, self.check_mode),
            *self._leftovers(wanted, left),
        ]

    def _leftovers(self, wanted: Wanted, left: Left) -> list[Finding]:
        subjects: dict[str, list[str]] = {}
        for each in left.objects:
            namespace = each["metadata"].get("namespace", "")
            subjects.setdefault(f"Namespace/{namespace}" if namespace else label(each), []).append(label(each))
        if not wanted.everywhere and not subjects and not left.unseen:
            return []
        return leftover_findings(
            wanted.set_name, subjects, left.unseen, "roles and bindings", preview=self.check_mode, only=wanted.only
        )


def _answers(client: Client, asked: Sequence[Demand], timeout: float) -> Answers:
    questions = list(dict.fromkeys(question for demand in asked for question in demand.questions))
    servers = api_servers(client)
    progress = Progress("rbac")

    def pending(replies: Replies) -> list[Access]:
        return list(dict.fromkeys(each for demand in asked for each in unexpected(demand, replies)))

    replies = {address: ask_until(at, questions, pending, timeout, progress) for address, at in servers.reached}
    return Answers(replies, servers.missed, servers.note)


def _left(client: Client, wanted: Wanted) -> Left:
    try:
        return left_behind(client, wanted, wanted.objects)
    except Forbidden as error:
        return Left((), str(error))
