# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the verdict on a namespace's network, from everything that is in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._addresses import addresses_of, listening
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import WORKLOAD_KINDS
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._declared import selecting_nobody
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    LEFT_OVER,
    OTHER_POLICIES,
    Facts,
    present,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._flows import (
    host_network_note,
    mistakes,
    workloads_named,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gaps import (
    ENFORCE,
    blind_spots,
    closed_by_config,
    deny_gaps,
    denying,
    remedy_of,
    some,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gates import is_gate
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import Desired, Policy
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._names import DENY_NAME
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import (
    Plan,
    after,
    stale,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    InForce,
    in_force,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe import Verdict
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import NetworkSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import completed
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    leftover_findings,
    reaches_everywhere,
)

DENY = "network.default_deny"
FLOWS = "network.flows"
ADDRESSES = "network.api_server_addresses"
_LET_LOOK = "Give the permission that is named, then check again."


def refusals(plan: Plan, preview: bool) -> list[Finding]:
    """A failure for each namespace where something would break: nothing is written there."""
    return [_refusal(namespace, plan, preview) for namespace in sorted(plan.refused)]


def _refusal(namespace: str, plan: Plan, preview: bool) -> Finding:
    denies = plan.desired[namespace].deny is not None
    what = "the default deny is" if denies else "the NetworkPolicies are"
    return judged(
        DENY if denies else FLOWS,
        f"Namespace/{namespace}",
        "fail",
        f"{what} refused, nothing is written: {_sentence(plan.refused[namespace])}",
        "config",
        "Add the allow that is named, or take the risk by accept_risks.",
        "fail" if preview else None,
    )


def failed_writes(results: Sequence[ObjectResult]) -> list[Finding]:
    """A failure for each namespace and control whose NetworkPolicies could not be written or removed."""
    errors: dict[tuple[str, str], list[str]] = {}
    for each in results:
        if each.action == "failed":
            control = DENY if each.name == DENY_NAME or is_gate(each.name) else FLOWS
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
    only: Sequence[str] = (),
    prune: bool = False,
) -> list[Finding]:
    """The findings of every namespace with settings that ``only`` means, by namespace and control.

    With ``prune`` also of what the set, if it has a name, left in other namespaces.
    ``probed`` are the verdicts of the probes. ``will_probe`` is given in check mode alone: whether the run that is
    being previewed would probe.
    """
    found: list[Finding] = []
    for namespace in (name for name in sorted(settings) if is_meant(name, only)):
        if namespace in plan.refused:
            found.append(_refusal(namespace, plan, will_probe is not None))
            continue
        said = settings[namespace]
        view = _View(namespace, said, plan.desired[namespace], facts, set_name, will_probe)
        found.append(view.default_deny(probed.get(namespace)))
        if said.allow or said.dns or said.policies or view.drift():
            found.append(view.flows(settings))
        if plan.desired[namespace].api_server:
            found.append(view.api_server_addresses())
    return [*found, *_left_over(facts, set_name, prune, will_probe is not None, only)]


def _left_over(facts: Facts, set_name: str, prune: bool, preview: bool, only: Sequence[str]) -> list[Finding]:
    """What this set wrote in namespaces that its settings no longer reach."""
    if not reaches_everywhere(set_name, prune):
        return []
    left = {
        f"Namespace/{namespace}": [in_force(policy).told for policy in policies]
        for namespace, policies in facts.left_over.items()
    }
    unseen = facts.unreadable.get(LEFT_OVER, "")
    return leftover_findings(set_name, left, unseen, "NetworkPolicies", preview=preview, only=only)


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
            return judged(DENY, self._subject, "fail", _sentence([*gaps, *notes]), "config", remedy_of(gaps), would)
        doubts = self._doubts(self._in_force())
        if doubts and (probe is None or probe.status != "fail"):
            remedy = next(iter(doubts.values()))
            return judged(DENY, self._subject, "unknown", _sentence([*doubts, *notes]), "config", remedy, would)
        denied = f"{' and '.join(self._said.deny)} denied for every pod by {denying(self._said, self._in_force())}"
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

    def _doubts(self, policies: Sequence[InForce]) -> dict[str, str]:
        """What may be open under these policies and nobody here can judge, each with its remedy.

        Pods that could not be seen, and policies of other kinds, which may open what NetworkPolicy closes.
        """
        there = [told for space, told in self._facts.other_policies if space in ("", self._namespace)]
        unread = self._facts.unreadable.get(OTHER_POLICIES)
        by_hand = "Delete it, or judge it by hand and accept this by accept_unknown."
        return {
            **dict.fromkeys(blind_spots(self._said, policies, self._facts, self._set), _LET_LOOK),
            **(
                {f"{some(there)} in force too, of another policy engine: what they open is not known": by_hand}
                if there
                else {}
            ),
            **({f"could not look for policies of other engines: {unread}": _LET_LOOK} if unread else {}),
        }

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
        on_host = host_network_note(workloads_named(self._namespace, self._said, self._facts))
        notes = [*selecting_nobody(self._namespace, self._said, self._facts), *([on_host] if on_host else [])]
        if nobody and not drift:
            evidence = f"the namespace {self._namespace} holds no workload, so nobody can tell whom its flows mean"
            remedy = "Check again once its workloads are there."
            return judged(FLOWS, self._subject, "unknown", evidence, "none", remedy, would)
        if wrong or drift:
            remedy = "Correct the flow, or deploy what it names." if wrong else ENFORCE
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
        if "NetworkPolicy" in self._facts.unreadable:
            return self._unseen(ADDRESSES, "NetworkPolicy")
        drift = [name for name in sorted(self._desired.api_server) if not self._as_desired(name)]
        would = self._preview("pass")
        if drift:
            named = addresses_of(in_force(self._live[drift[0]])) if drift[0] in self._live else []
            evidence = (
                f"NetworkPolicy/{self._namespace}/{drift[0]} names {', '.join(named) or 'no address yet'}, "
                f"the API servers listen at {listening(self._facts)}"
            )
            return judged(ADDRESSES, self._subject, "fail", evidence, "config", ENFORCE, would)
        evidence = f"the flows name {', '.join(real)}, where the API servers are"
        policies = (self._live[name] for name in self._desired.api_server)
        away = sorted({address for each in policies for address in addresses_of(in_force(each))} - set(real))
        if away:
            evidence += f"; {', '.join(away)} stays in them, as a node has it, though no API server listens there now"
        return judged(ADDRESSES, self._subject, "pass", evidence, "config", "", would)

    def _as_desired(self, name: str) -> bool:
        wanted = next(policy for policy in self._desired.allows if policy["metadata"]["name"] == name)
        return name in self._live and self._says(name, wanted)

    def _says(self, name: str, wanted: Policy) -> bool:
        return completed(self._live[name].get("spec") or {}) == completed(wanted["spec"])

    def drift(self) -> list[str]:
        return list(self._drift())

    def _drift(self) -> Iterator[str]:
        for policy in self._desired.policies:
            name = policy["metadata"]["name"]
            if name not in self._live:
                yield f"NetworkPolicy/{self._namespace}/{name} is missing"
            # Another address of an API server is a control of its own.
            elif name not in self._desired.api_server and not self._says(name, policy):
                yield f"NetworkPolicy/{self._namespace}/{name} says something else than the settings"
        for left in stale(self._namespace, self._desired, self._facts, self._set):
            yield f"NetworkPolicy/{self._namespace}/{left['metadata']['name']} is no longer in the settings"

    def _would_deny(self) -> Status | None:
        then = after(self._namespace, self._desired, self._facts, self._set)
        gaps, _notes = deny_gaps(self._namespace, self._said, then, self._facts, self._set)
        sure = self._will_probe and not self._doubts(then)
        return self._preview("fail" if gaps else "pass" if sure else "unknown")

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
            _LET_LOOK,
            self._preview("unknown"),
        )


def _sentence(parts: Sequence[str]) -> str:
    return "; ".join(parts)
