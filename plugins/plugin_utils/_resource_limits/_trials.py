# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: submits pods by dry run, until the answers tell of quotas and LimitRanges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits import _outcomes as outcomes
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._answers import Reply, reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import (
    asked,
    limits_of,
    usage,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._fit import Template
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._limit_probes import (
    breaking,
    rivals,
    saying_nothing,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import is_scoped
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._quota_probes import (
    Plan,
    plan,
    plan_of_scoped,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import amounts
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import Key, Place

Object = dict[str, Any]

_QUOTA = KNOWN["v1", "ResourceQuota"]


class _Trial:
    """Something that is asked until it is settled, at one API server."""

    def __init__(self, place: Place, key: Key, server: str, client: Client) -> None:
        """Take what to ask about, and where."""
        self.server = server
        self.outcomes: list[outcomes.Outcome] = []
        self._place, self._key, self._client = place, key, client

    @property
    def settled(self) -> bool:
        """Whether it was seen often enough."""
        return outcomes.is_settled(self.outcomes)

    @property
    def promising(self) -> bool:
        """Whether it was seen the last time."""
        return self.outcomes[-1].status == "pass"

    def _submit(self, obj: Object) -> tuple[Reply, Object]:
        answer = self._client.create(obj, dry_run=True)
        return reply(answer.status, answer.message), answer.object


class QuotaTrial(_Trial):
    """Whether a quota refuses the pods that exceed it, and only those."""

    def __init__(self, place: Place, key: Key, server: str, client: Client) -> None:
        """Take which quota, and where to ask."""
        super().__init__(place, key, server, client)
        self.quota: Object = place.own(key) or {}
        self.plan = self._planned()
        self._fits: outcomes.Outcome | None = None

    @property
    def unequal(self) -> list[str]:
        """What the quota says and the server does not count up to it, by the quota's status."""
        hard, status = amounts(self.quota["spec"]["hard"]), self.quota.get("status") or {}
        counted, used = amounts(status.get("hard")), amounts(status.get("used"))
        return sorted(name for name, amount in hard.items() if counted.get(name) != amount or name not in used)

    def ask(self) -> None:
        """Submit the pods that exceed it and, until it was let in once, one that fits."""
        if self.unequal or (self.outcomes and not self.promising):
            self._refresh()
        if self.unequal:
            said = f"nobody has counted for the quota yet: {', '.join(self.unequal)}"
            remedy = "Run again; if it stays so, see whether kube-controller-manager runs."
            self.outcomes.append(outcomes.Outcome("unknown", said, "server", remedy))
            return
        if self.plan.untried:
            self.outcomes.append(outcomes.untried_outcome(self.plan.untried))
            return
        if not self.plan.exceeding:
            self.outcomes.append(outcomes.Outcome("pass", "", "server", lasting=True))
            return
        hard = amounts(self.quota["spec"]["hard"])
        round_: list[outcomes.Outcome] = []
        for probe in self.plan.exceeding:
            sent = probe.pod(self._place.name)
            answer, kept = self._submit(sent)
            less = answer.kind == "admitted" and _asks_for_less(kept, sent)
            round_.append(outcomes.exceeding_outcome(probe, hard, answer, less, self._key[1]))
        if all(each.status == "pass" for each in round_):
            round_ += self._fitting()
        decides = outcomes.worst(round_)
        said = "; ".join(each.evidence for each in round_) if decides.status == "pass" else decides.evidence
        self.outcomes.append(
            outcomes.Outcome(decides.status, said, decides.proof, decides.remedy, decides.lasting, decides.aside)
        )

    def _fitting(self) -> list[outcomes.Outcome]:
        if self.plan.fitting is None:
            return [outcomes.Outcome("pass", self.plan.full)]
        if self._fits is None or self._fits.status != "pass":
            answer, _kept = self._submit(self.plan.fitting.pod(self._place.name))
            self._fits = outcomes.fitting_outcome(answer, self._key[1])
        return [self._fits]

    def _refresh(self) -> None:
        """Read the quota again: what is used changes, and a new quota is counted a moment later."""
        metadata = self.quota["metadata"]
        try:
            self.quota = self._client.get(_QUOTA, metadata["name"], metadata["namespace"]) or self.quota
        except KubeError:
            return
        self.plan = self._planned()

    def _planned(self) -> Plan:
        hard = amounts(self.quota["spec"]["hard"])
        if is_scoped(self.quota):
            return plan_of_scoped(hard)
        return plan(hard, amounts((self.quota.get("status") or {}).get("used")), self._place.limits())


def _asks_for_less(kept: Object, sent: Object) -> bool:
    before, after = usage(asked(sent["spec"])), usage(asked(kept.get("spec") or {}))
    return any(after.get(name, amount - 1) < amount for name, amount in before.items())


class LimitsTrial(_Trial):
    """Whether a LimitRange refuses what breaks it, and gives its defaults."""

    def __init__(self, place: Place, key: Key, server: str, client: Client) -> None:
        """Take which LimitRange, and where to ask."""
        super().__init__(place, key, server, client)
        own = limits_of(place.own(key) or place.wanted[key])
        others = [limit for each in place.others(key) for limit in limits_of(each)]
        hard = {name for each in place.live["ResourceQuota"] for name in each["spec"].get("hard") or ()}
        self._breaking = breaking(place.name, own)
        self._saying = saying_nothing(place.name, own, others, hard)
        self._rivals = rivals(own, others)
        self._has_others = bool(others)
        self._said: outcomes.Outcome | None = None

    def ask(self) -> None:
        """Submit what breaks it and, until it got the defaults once, a pod that says nothing."""
        if self._rivals:
            self.outcomes.append(outcomes.rival_outcome(self._rivals))
            return
        if not self._breaking and not self._saying:
            self.outcomes.append(outcomes.nothing_to_break())
            return
        round_ = [
            outcomes.breaking_outcome(probe, self._submit(probe.obj)[0], self._has_others, self._key[1])
            for probe in self._breaking
        ]
        if self._saying and (self._said is None or self._said.status != "pass"):
            answer, kept = self._submit(self._saying.obj)
            self._said = outcomes.saying_outcome(self._saying, kept, answer)
        if self._said:
            round_.append(self._said)
        decides = outcomes.worst(round_)
        said = "; ".join(each.evidence for each in round_) if decides.status == "pass" else decides.evidence
        self.outcomes.append(
            outcomes.Outcome(decides.status, said, decides.proof, decides.remedy, decides.lasting, decides.aside)
        )


class TemplateTrial:
    """Whether what a workload would start next is let in."""

    promising = False

    def __init__(self, template: Template, client: Client) -> None:
        """Take what to submit."""
        self.template = template
        self.answer = Reply("other", "nobody")
        self._client = client

    @property
    def settled(self) -> bool:
        """Whether quotas and LimitRanges had their say."""
        return self.answer.kind not in ("other", "status_unknown")

    def ask(self) -> None:
        """Submit it."""
        answer = self._client.create(self.template.pod(), dry_run=True)
        self.answer = reply(answer.status, answer.message)


def by_server(trials: Sequence[QuotaTrial | LimitsTrial]) -> dict[str, list[outcomes.Outcome]]:
    """What all rounds showed, by API server."""
    return {trial.server: trial.outcomes for trial in trials}
