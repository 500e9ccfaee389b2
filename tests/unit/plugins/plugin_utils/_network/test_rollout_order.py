# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is open after every single write of a rollout, whether it goes through, is cut off there, or begins again.

Nothing that is open before and after a run is ever closed in between, and nothing that is closed before and after it
is ever open.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Dns, Facts
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import Step, plan, plan_removal
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    MANAGER,
    NAME_LABEL,
    End,
    in_force,
    isolating,
    opening,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import (
    DIRECTIONS,
    Direction,
    parse_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network import _rollout
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._rollout import carry_out

LABELS = {name: {NAME_LABEL: name} for name in ("shop", "kube-system")}
DNS = Dns("kube-system", {"k8s-app": "kube-dns"}, ((53, "UDP"), (53, "TCP")))
PODS = [
    End("shop", LABELS["shop"], {key: value for key, value in (("app", app), ("tier", tier)) if value})
    for app, tier in (*product(("one", "two"), ("", "db")), ("three", ""))
]
OTHERS = [
    PODS[0],
    PODS[3],
    End("kube-system", LABELS["kube-system"], {"k8s-app": "kube-dns"}),
    End(addresses=("192.0.2.1",)),
]
PORTS = ((8080, "TCP"), (53, "UDP"))
Connection = tuple[int, Direction, int, int]
Live = dict[str, dict[str, Any]]

FLOWS = [{"from": {"app": "one"}, "to": {"app": "two"}, "ports": ["8080/TCP"]}]
MORE = [*FLOWS, {"from": {"app": "two"}, "to": {"cidr": "192.0.2.0/24"}}, {"from": {}, "to": {"app": "three"}}]
SETTINGS: Mapping[str, dict[str, Any] | None] = {
    "nothing": None,
    "both": {"default_deny": ["ingress", "egress"], "dns": True, "allow": FLOWS},
    "more": {"default_deny": ["ingress", "egress"], "dns": True, "allow": MORE},
    "ingress": {"default_deny": ["ingress"], "allow": MORE},
    "egress": {"default_deny": ["egress"], "dns": True, "allow": FLOWS},
}
CHANGES = (("nothing", "more"), ("more", "nothing"), ("both", "more"), ("ingress", "egress"))
ONE, TIER = {"matchLabels": {"app": "one"}}, {"matchLabels": {"app": "two", "tier": "db"}}
FOREIGN: Mapping[str, list[dict[str, Any]]] = {
    "none": [],
    "egress of one pod": [{"podSelector": ONE, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 8080}]}]}],
    "all of one pod": [{"podSelector": ONE, "policyTypes": ["Ingress", "Egress"]}],
    "two labels and another": [
        {"podSelector": TIER, "policyTypes": ["Egress", "Ingress"], "ingress": [{"ports": [{"port": 8080}]}]},
        {"podSelector": ONE, "policyTypes": ["Egress"]},
    ],
    "all but some": [
        {
            "podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["two"]}]},
            "policyTypes": ["Egress"],
            "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}],
        }
    ],
    "egress of every pod": [{"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 8080}]}]}],
}


def connections(live: Live) -> set[Connection]:
    """Everything that is open."""
    acting = [in_force(policy) for policy in live.values()]
    found = set()
    for (at, pod), direction in product(enumerate(PODS), DIRECTIONS):
        alone = not isolating(acting, direction, pod)
        for (other, end), port in product(enumerate(OTHERS), PORTS):
            if alone or opening(acting, direction, pod, end, *port):
                found.add((at, direction, other, port[0]))
    return found


@dataclass
class Cluster:
    """NetworkPolicies that come and go one by one, in any order within what goes out at once."""

    live: Live
    moments: list[set[Connection]] = field(default_factory=list)
    left: int = 10**6
    fails: str = ""
    order: random.Random = field(default_factory=lambda: random.Random(1))

    def apply(self, _client: Any, objects: Sequence[Any], options: Any, _progress: Any) -> list[ObjectResult]:
        if self.left == 0:
            raise Unreachable("The server went away.")
        shuffled = list(objects)
        self.order.shuffle(shuffled)
        return [self._one(each, options.state) for each in shuffled]

    def _one(self, policy: Mapping[str, Any], state: str) -> ObjectResult:
        name = policy["metadata"]["name"]
        told = (policy["apiVersion"], policy["kind"], "shop", name)
        there = self.live.get(name)
        if state == "present" and there is not None and there["spec"] == policy["spec"]:
            return ObjectResult(*told, "unchanged", {})
        if state == "absent" and there is None:
            return ObjectResult(*told, "unchanged", {})
        if self.left == 0:
            return ObjectResult(*told, "failed", {}, error="The server went away.")
        if state == "present" and self.fails and self.fails in name:
            return ObjectResult(*told, "failed", {}, error="a quota")
        self.left -= 1
        if state == "absent":
            del self.live[name]
        else:
            self.live[name] = deepcopy({**policy})
            self.live[name]["metadata"]["managedFields"] = [{"manager": MANAGER}]
        self.moments.append(connections(self.live))
        return ObjectResult(*told, "deleted" if state == "absent" else "updated" if there else "created", {})


def steps(said: dict[str, Any] | None, live: Live) -> Mapping[str, Step]:
    facts = Facts(namespaces=LABELS, policies={"shop": tuple(live.values())}, dns=DNS)
    if said is None:
        return plan_removal(["shop"], facts, "set")
    decided = plan({"shop": parse_settings({**said, "accept_risks": ["node_port"]}, "shop")}, facts, "set")
    assert not decided.refused
    return decided.steps


def run(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, said: dict[str, Any] | None) -> None:
    """Carry a plan out; what is open at each moment is between what is open before and what would be after it."""
    before, goal = connections(cluster.live), connections(settled(cluster.live, said))
    cluster.moments.clear()
    monkeypatch.setattr(_rollout, "apply_objects", cluster.apply)
    client: Any = Answer(200, {}, ())
    carry_out(client, steps(said, cluster.live), ApplyOptions(MANAGER, set_name="set"))
    for moment in cluster.moments:
        assert not before & goal - moment, "closed what stays open"
        assert not moment - before - goal, "opened what stays closed"


def settled(live: Live, said: dict[str, Any] | None) -> Live:
    """The policies once everything has gone well."""
    step = steps(said, live)["shop"]
    gone = {policy["metadata"]["name"] for policy in (*step.stale_denies, *step.stale_allows, *step.stale_gates)}
    wanted = (*step.allows, *([step.deny] if step.deny else []))
    return {name: policy for name, policy in live.items() if name not in gone} | {
        policy["metadata"]["name"]: policy for policy in wanted
    }


def start(monkeypatch: pytest.MonkeyPatch, foreign: str, said: dict[str, Any] | None) -> Live:
    live = {
        f"theirs-{at}": {
            "metadata": {"name": f"theirs-{at}", "namespace": "shop", "managedFields": [{"manager": "kubectl"}]},
            "spec": spec,
        }
        for at, spec in enumerate(FOREIGN[foreign])
    }
    cluster = Cluster(live)
    run(monkeypatch, cluster, said)
    return cluster.live


@pytest.mark.parametrize(("was", "becomes"), CHANGES)
@pytest.mark.parametrize("foreign", FOREIGN)
def test_wherever_a_run_is_cut_off_nothing_breaks_and_the_next_one_finishes(
    monkeypatch: pytest.MonkeyPatch, foreign: str, was: str, becomes: str
) -> None:
    began, after = start(monkeypatch, foreign, SETTINGS[was]), SETTINGS[becomes]
    whole = Cluster(deepcopy(began))
    run(monkeypatch, whole, after)
    assert connections(whole.live) == connections(settled(began, after))
    assert not any("rollout-gate" in name for name in whole.live)
    for writes in range(1, len(whole.moments)):
        cut = Cluster(deepcopy(began), left=writes, order=random.Random(writes))
        run(monkeypatch, cut, after)
        again = Cluster(cut.live)
        run(monkeypatch, again, after)
        assert again.live.keys() == whole.live.keys() and connections(again.live) == connections(whole.live)


@pytest.mark.parametrize("fails", ["rollout-gate", "allow-one", "allow-dns", "default-deny"])
@pytest.mark.parametrize("cut_after", [1, 3, 5])
@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_cannot_be_written_closes_nothing(
    monkeypatch: pytest.MonkeyPatch, foreign: str, cut_after: int, fails: str
) -> None:
    """Also where the run before was cut off, so that a gate is all that keeps its policies from closing."""
    began = start(monkeypatch, foreign, None)
    cut = Cluster(began, left=cut_after)
    run(monkeypatch, cut, SETTINGS["more"])
    run(monkeypatch, Cluster(cut.live, fails=fails), SETTINGS["more"])
