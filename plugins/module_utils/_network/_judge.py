# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the verdict on a namespace's network, from everything that is in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._breadth import opens_everything
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    WORKLOAD_KINDS,
    Facts,
    end_of,
    present,
    selected_by,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._flows import (
    host_network_note,
    mistakes,
    workloads_named,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import DENY_NAME, Desired
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import (
    GATE_NAME,
    Plan,
    after,
    stale,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    InForce,
    in_force,
    isolating,
    selects,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe import Verdict
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import NetworkSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import ApiServer
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult

DENY = "network.default_deny"
FLOWS = "network.flows"
ADDRESSES = "network.api_server_addresses"

_NAMED_AT_MOST = 5
_ENFORCE = "Run network_policies with these settings in enforce mode."


def refusals(plan: Plan, preview: bool) -> list[Finding]:
    """A failure for each namespace whose default deny would break something: nothing is written there."""
    return [_refusal(namespace, reasons, preview) for namespace, reasons in sorted(plan.refused.items())]


def _refusal(namespace: str, reasons: Sequence[str], preview: bool) -> Finding:
    return judged(
        DENY,
        f"Namespace/{namespace}",
        "fail",
        f"the default deny is refused, nothing is written: {_sentence(reasons)}",
        "config",
        "Add the allow that is named, or take the risk by accept_risks.",
        "fail" if preview else None,
    )


def failed_writes(results: Sequence[ObjectResult]) -> list[Finding]:
    """A failure for each namespace and control whose NetworkPolicies could not be written or removed."""
    errors: dict[tuple[str, str], list[str]] = {}
    for each in results:
        if each.action == "failed":
            control = DENY if each.name in (DENY_NAME, GATE_NAME) else FLOWS
            errors.setdefault((control, each.namespace), []).append(f"{each.label}: {each.error}")
    return [
        judged(
            control, f"Namespace/{namespace}", "fail", _sentence(told), "server", "Do away with the cause, run again."
        )
        for (control, namespace), told in sorted(errors.items())
    ]


def judge(
    settings: Mapping[str, NetworkSettings],
    plan: Plan,
    facts: Facts,
    set_name: str,
    probed: Mapping[str, Verdict],
    will_probe: bool | None = None,
) -> list[Finding]:
    """The findings of every namespace with settings, by namespace and control.

    ``probed`` are the verdicts of the probes. ``will_probe`` is given in check mode alone: whether the run that is
    being previewed would probe.
    """
    found: list[Finding] = []
    for namespace in sorted(settings):
        if namespace in plan.refused:
            found.append(_refusal(namespace, plan.refused[namespace], will_probe is not None))
            continue
        said = settings[namespace]
        view = _View(namespace, said, plan.desired[namespace], facts, set_name, will_probe)
        found.append(view.default_deny(probed.get(namespace)))
        if said.allow or said.dns or view.drift():
            found.append(view.flows(settings))
        if any(isinstance(end, ApiServer) for flow in said.allow for end in (flow.source, flow.target)):
            found.append(view.api_server_addresses())
    return found


def closed_by_config(namespace: str, said: NetworkSettings, facts: Facts, set_name: str) -> tuple[list[str], list[str]]:
    """What keeps the policies in force from being the default deny that is wanted, and what else there is to say."""
    return _deny_gaps(namespace, said, present(namespace, facts), facts, set_name)


class _View:
    """One namespace, seen now and, in check mode, after the run."""

    def __init__(
        self,
        namespace: str,
        said: NetworkSettings,
        desired: Desired,
        facts: Facts,
        set_name: str,
        will_probe: bool | None,
    ) -> None:
        self._namespace, self._said, self._desired = namespace, said, desired
        self._facts, self._set, self._will_probe = facts, set_name, will_probe
        self._subject = f"Namespace/{namespace}"
        self._live = {policy["metadata"]["name"]: policy for policy in facts.policies.get(namespace) or ()}

    def default_deny(self, probe: Verdict | None) -> Finding:
        if not self._said.deny:
            return judged(DENY, self._subject, "not_applicable", "the settings deny no direction", "config")
        if "NetworkPolicy" in self._facts.unreadable:
            return self._unseen(DENY, "NetworkPolicy")
        gaps, notes = closed_by_config(self._namespace, self._said, self._facts, self._set)
        would = self._would_deny()
        if gaps:
            return judged(DENY, self._subject, "fail", _sentence([*gaps, *notes]), "config", _remedy(gaps), would)
        denied = f"{' and '.join(self._said.deny)} denied for every pod by {_denying(self._said, self._in_force())}"
        if probe is None:
            return judged(
                DENY,
                self._subject,
                "pass",
                _sentence([denied, *notes]),
                "config",
                "Let the check probe (probe: true): only a connection that is tried proves it.",
                would,
            )
        evidence = _sentence([denied, probe.evidence, *notes])
        proof: Proof = "config" if probe.status == "unknown" else "effect"
        return judged(DENY, self._subject, probe.status, evidence, proof, probe.remedy, would)

    def _in_force(self) -> list[InForce]:
        return present(self._namespace, self._facts)

    def flows(self, settings: Mapping[str, NetworkSettings]) -> Finding:
        wrong = mistakes(self._namespace, settings, self._facts)
        needed = ("NetworkPolicy", "Pod", *(WORKLOAD_KINDS if wrong else ()))
        unread = [kind for kind in needed if kind in self._facts.unreadable]
        if unread:
            return self._unseen(FLOWS, unread[0])
        drift = self.drift()
        nobody = self._said.allow and not self._facts.workloads.get(self._namespace)
        would = self._preview("unknown" if nobody else "fail" if wrong else "pass")
        notes = [
            note for note in (host_network_note(workloads_named(self._namespace, self._said, self._facts)),) if note
        ]
        if nobody and not drift:
            evidence = f"the namespace {self._namespace} holds no workload, so nobody can tell whom its flows mean"
            remedy = "Check again once its workloads are there."
            return judged(FLOWS, self._subject, "unknown", evidence, "none", remedy, would)
        if wrong or drift:
            remedy = "Correct the flow, or deploy what it names." if wrong else _ENFORCE
            return judged(FLOWS, self._subject, "fail", _sentence([*wrong, *drift, *notes]), "config", remedy, would)
        count = len(self._said.allow)
        declared = "the one flow that is declared names" if count == 1 else f"all {count} declared flows name"
        told = f"{declared} what exists; " if count else ""
        told += "the NetworkPolicies of the settings are in place"
        return judged(FLOWS, self._subject, "pass", _sentence([told, *notes]), "config", "", would)

    def api_server_addresses(self) -> Finding:
        real = sorted({address for server in self._facts.api_servers for address in server.addresses})
        if not real:
            return self._unseen(ADDRESSES, "api_server")
        drift = [name for name in sorted(self._desired.api_server) if not self._as_desired(name)]
        would = self._preview("pass")
        if drift:
            named = _addresses(in_force(self._live[drift[0]])) if drift[0] in self._live else []
            evidence = (
                f"NetworkPolicy/{self._namespace}/{drift[0]} names {', '.join(named) or 'no address yet'}, "
                f"the API servers listen at {_listening(self._facts)}"
            )
            return judged(ADDRESSES, self._subject, "fail", evidence, "config", _ENFORCE, would)
        evidence = f"the flows name {', '.join(real)}, where the API servers are"
        return judged(ADDRESSES, self._subject, "pass", evidence, "config", "", would)

    def _as_desired(self, name: str) -> bool:
        wanted = next(policy for policy in self._desired.allows if policy["metadata"]["name"] == name)
        return bool((self._live.get(name) or {}).get("spec") == wanted["spec"])

    def drift(self) -> list[str]:
        return list(self._drift())

    def _drift(self) -> Iterator[str]:
        for policy in self._desired.policies:
            name = policy["metadata"]["name"]
            if name not in self._live:
                yield f"NetworkPolicy/{self._namespace}/{name} is missing"
            # Another address of an API server is a control of its own.
            elif name not in self._desired.api_server and self._live[name].get("spec") != policy["spec"]:
                yield f"NetworkPolicy/{self._namespace}/{name} says something else than the settings"
        for left in stale(self._namespace, self._desired, self._facts, self._set):
            yield f"NetworkPolicy/{self._namespace}/{left['metadata']['name']} is no longer in the settings"

    def _would_deny(self) -> Status | None:
        then = after(self._namespace, self._desired, self._facts, self._set)
        gaps, _notes = _deny_gaps(self._namespace, self._said, then, self._facts, self._set)
        return self._preview("fail" if gaps else "pass" if self._will_probe else "unknown")

    def _preview(self, expected: Status) -> Status | None:
        return None if self._will_probe is None else expected

    def _unseen(self, control: str, kind: str) -> Finding:
        why = self._facts.unreadable.get(kind) or f"no {kind} was found"
        return judged(
            control,
            self._subject,
            "unknown",
            f"could not look: {why}",
            "none",
            "Give the permission that is named, then check again.",
            self._preview("unknown"),
        )


def _deny_gaps(
    namespace: str, said: NetworkSettings, policies: Sequence[InForce], facts: Facts, set_name: str
) -> tuple[list[str], list[str]]:
    gaps: list[str] = []
    notes: list[str] = []
    workloads = facts.workloads.get(namespace) or ()
    for direction in said.deny:
        if not any(policy.selects_all and direction in policy.rules for policy in policies):
            bare = [each.subject for each in workloads if not isolating(policies, direction, end_of(each, facts))]
            who = f"{_some(bare)} {'is' if len(bare) == 1 else 'are'} open" if bare else "pods to come are open"
            gaps.append(f"no NetworkPolicy denies {direction} for every pod: {who}")
        for policy in policies:
            rules = policy.rules.get(direction) or ()
            if not rules:
                continue
            mine = policy.ours and policy.set_name == set_name
            reached = _reached(policy, facts)
            if opens_everything(rules, facts.namespaces) and (policy.selects_all or (reached and not mine)):
                gaps.append(
                    f"{policy.told} opens all {direction} of {'every pod' if policy.selects_all else _some(reached)}"
                )
            elif not mine:
                notes.append(f"{policy.told}, not of this set, opens some {direction}")
    note = host_network_note(workloads)
    return gaps, [*notes[:_NAMED_AT_MOST], *([note] if note else [])]


def _denying(said: NetworkSettings, policies: Sequence[InForce]) -> str:
    """The policies that close every pod; only those that open nothing themselves, where there are such."""
    closing = [policy for policy in policies if policy.selects_all and not set(policy.rules).isdisjoint(said.deny)]
    silent = [policy for policy in closing if not any(policy.rules[direction] for direction in policy.rules)]
    return _some([policy.told for policy in silent or closing])


def _reached(policy: InForce, facts: Facts) -> list[str]:
    there = selected_by(facts.workloads.get(policy.namespace) or (), {})
    return [each.subject for each in there if selects(policy.selector, each.labels)]


def _remedy(gaps: Sequence[str]) -> str:
    foreign = [gap.split(" opens ")[0] for gap in gaps if " opens " in gap]
    if foreign:
        return f"Delete or narrow {_some(foreign)}, or waive this with a reason."
    return _ENFORCE


def _addresses(policy: InForce) -> list[str]:
    return sorted(
        {
            peer["ipBlock"]["cidr"].partition("/")[0]
            for rules in policy.rules.values()
            for rule in rules
            for peer in rule.peers
            if "ipBlock" in peer
        }
    )


def _listening(facts: Facts) -> str:
    return ", ".join(
        f"{address} on {'/'.join(str(number) for number, _protocol in server.ports)}"
        for server in facts.api_servers
        for address in server.addresses
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED_AT_MOST])
    return shown + (f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else "")


def _sentence(parts: Sequence[str]) -> str:
    return "; ".join(parts)
