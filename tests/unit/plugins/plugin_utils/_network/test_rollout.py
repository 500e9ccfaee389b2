# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a rollout when something fails in the middle; a real cluster can't be made to fail at each place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gates import GATE_NAME
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._judge import failed_writes
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import Step
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network import _rollout
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._rollout import carry_out

Fails = Callable[[str, str], bool]


def policy(name: str, *directions: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"podSelector": {}, "policyTypes": list(directions or ("Ingress",))},
    }


DENY, FIRST, SECOND, GATE = (policy(name) for name in ("deny", "first", "second", GATE_NAME))


class Cluster:
    """Policies by name; writes (``present``) and deletions (``absent``) fail where it is told so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: Fails, away: Fails, *there: str) -> None:
        self.there, self._fails, self._away = set(there), fails, away
        monkeypatch.setattr(_rollout, "apply_objects", self._apply)

    def _apply(self, _client: Any, objects: Sequence[Any], options: Any, _progress: Any) -> list[ObjectResult]:
        return [self._one(each["metadata"]["name"], options.state) for each in objects]

    def _one(self, name: str, state: str) -> ObjectResult:
        if self._away(name, state):
            raise Unreachable("The server went away.")
        failed = self._fails(name, state)
        if not failed:
            (self.there.add if state == "present" else self.there.discard)(name)
        action: Any = "failed" if failed else "created" if state == "present" else "deleted"
        return ObjectResult("v1", "NetworkPolicy", "shop", name, action, {}, error="a quota" if failed else "")


def never(_name: str, _state: str) -> bool:
    return False


def at(*places: tuple[str, str]) -> Fails:
    return lambda name, state: (name, state) in places


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[set[str], dict[str, ObjectResult]]]:
    def carried(
        step: Step, *there: str, fails: Fails = never, away: Fails = never
    ) -> tuple[set[str], dict[str, ObjectResult]]:
        cluster = Cluster(monkeypatch, fails, away, *there)
        client: Any = Answer(200, {}, ())
        results = carry_out(client, {"shop": step}, ApplyOptions(MANAGER, set_name="set"))
        return cluster.there, {each.name: each for each in results}

    return carried


def test_all_goes_well(run: Any) -> None:
    there, results = run(Step((GATE,), (FIRST, SECOND), DENY, (), ()))
    assert there == {"first", "second", "deny"}
    assert {name: each.action for name, each in results.items()} == dict.fromkeys(there, "created")


@pytest.mark.parametrize("gates", [(GATE,), ()])
def test_a_lone_allow_is_taken_back_with_a_gate_or_without(run: Any, gates: Any) -> None:
    there, results = run(Step(gates, (FIRST, SECOND), DENY, (), ()), fails=at(("second", "present")))
    assert there == set()
    assert "taken back" in results["first"].error and "not written" in results["deny"].error


def test_what_was_denied_before_stays_denied_and_keeps_its_new_allow(run: Any) -> None:
    step = Step((), (FIRST, SECOND), DENY, (), (), was_denied=frozenset({"ingress"}))
    there, results = run(step, "deny", fails=at(("second", "present")))
    assert there == {"deny", "first"} and results["first"].action == "created"


def test_what_cannot_be_taken_back_is_told_and_the_gate_stays(run: Any) -> None:
    step = Step((GATE,), (FIRST, SECOND), DENY, (), ())
    there, results = run(step, fails=at(("second", "present"), ("first", "absent")))
    assert there == {"first", GATE_NAME}
    assert "could not be taken back" in results["first"].error and "a quota" in results["first"].error
    assert "still there" in results[GATE_NAME].error and "run again" in results[GATE_NAME].error


def test_the_gate_stays_where_an_allow_cannot_be_removed(run: Any) -> None:
    step = Step((GATE,), (), None, (DENY,), (FIRST, SECOND), was_denied=frozenset({"ingress"}))
    there, results = run(step, "deny", "first", "second", fails=at(("second", "absent")))
    assert there == {"second", GATE_NAME}
    assert results["second"].action == results[GATE_NAME].action == "failed"


def test_a_deny_that_cannot_be_removed_leaves_all_as_it_was(run: Any) -> None:
    step = Step((GATE,), (), None, (DENY,), (FIRST,), was_denied=frozenset({"ingress"}))
    there, results = run(step, "deny", "first", fails=at(("deny", "absent")))
    assert there == {"deny", "first"} and GATE_NAME not in results


def test_the_gate_stays_for_the_direction_alone_that_is_open_afterwards(run: Any) -> None:
    egress = policy(GATE_NAME, "Egress")
    step = Step((egress,), (), DENY, (), (FIRST,), was_denied=frozenset({"ingress", "egress"}))
    assert run(step, "deny", "first", fails=at(("first", "absent")))[0] == {"deny", "first", GATE_NAME}
    step = Step((GATE,), (), DENY, (), (FIRST,))
    assert run(step, "first", fails=at(("first", "absent")))[0] == {"deny", "first"}


def test_a_server_that_leaves_before_the_gate_goes_is_told(run: Any) -> None:
    step = Step((GATE,), (FIRST,), DENY, (), ())
    there, results = run(step, away=at((GATE_NAME, "absent")))
    assert there == {"first", "deny", GATE_NAME}
    assert results["first"].action == results["deny"].action == "created"
    assert "still there" in results[GATE_NAME].error and "went away" in results[GATE_NAME].error
    (finding,) = failed_writes(list(results.values()))
    assert (finding.control, finding.status) == ("network.default_deny", "fail")


def test_a_server_that_is_not_there_at_all_is_the_one_error(run: Any) -> None:
    with pytest.raises(Unreachable, match="went away"):
        run(Step((GATE,), (FIRST,), DENY, (), ()), away=lambda _name, _state: True)


def narrow(name: str) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": name}}, "policyTypes": ["Ingress"], "ingress": [{}]}
    return {**policy(name), "spec": spec}


def test_what_selects_every_pod_is_held_back_as_the_deny_is(run: Any) -> None:
    there, results = run(Step((), (FIRST, narrow("one")), DENY, (), ()), fails=at(("one", "present")))
    assert there == set()
    assert all("not written, since NetworkPolicy/shop/one failed" in results[name].error for name in ("first", "deny"))


def test_a_deny_that_stands_is_not_told_as_unwritten(run: Any) -> None:
    step = Step((), (narrow("one"),), DENY, (), (), was_denied=frozenset({"ingress"}), deny_stands=True)
    there, results = run(step, "deny", fails=at(("one", "present")))
    assert there == {"deny"} and results["deny"].action != "failed"
    assert {finding.control for finding in failed_writes(list(results.values()))} == {"network.flows"}


def test_the_gate_of_another_run_stays_where_a_flow_cannot_be_opened(run: Any) -> None:
    step = Step((GATE,), (FIRST, SECOND), DENY, (), (), stale_gates=(GATE,))
    there, results = run(step, GATE_NAME, "first", fails=at(("second", "present")))
    assert GATE_NAME in there and "deny" not in there
    assert "second failed" in results[GATE_NAME].error and "run again" in results[GATE_NAME].error


def test_the_gate_of_another_run_goes_and_is_told(run: Any) -> None:
    other = policy(f"{GATE_NAME}-other")
    there, results = run(Step((GATE,), (FIRST,), DENY, (), (), stale_gates=(other,)), other["metadata"]["name"])
    assert there == {"first", "deny"}
    assert results[other["metadata"]["name"]].action == "deleted" and GATE_NAME not in results


def test_what_was_opened_stays_once_the_deny_is_written(run: Any) -> None:
    there, results = run(Step((GATE,), (SECOND,), DENY, (), (FIRST,)), "first", fails=at(("first", "absent")))
    assert there == {"first", "second", "deny"} and results["second"].action == "created"
