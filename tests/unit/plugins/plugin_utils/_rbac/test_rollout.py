# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of a rollout when something fails in the middle; a real cluster can't be made to fail at each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, Unreachable
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import parse_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import Resolution
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._api_servers import Servers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac import _rollout
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import Wanted
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._rollout import carry_out

RULES = [{"resources": ["pods"], "verbs": ["get"]}]
SHOP = parse_settings(
    {
        "grant": [{"role": "reader", "rules": RULES, "to": [{"user": "jane"}]}],
        "remove": [{"role_binding": "foreign"}],
    },
    "shop",
)
OLD: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "old", "namespace": "shop"},
}
HELD = (
    'The server refused (403): roles.rbac.authorization.k8s.io "reader" is forbidden: user "bob" (groups=["x"]) is '
    "attempting to grant RBAC permissions not currently held:\n"
    '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}. Grant this permission to the user, or find out what admits.'
)


class Cluster:
    """Says what was done in order; ``errors`` are those of writes and removals by name."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, errors: Mapping[str, str] | None = None, allowed: bool = True
    ) -> None:
        self.done: list[str] = []
        self.away = ""
        self.changes = True
        self.own: dict[str, str] = {}
        self.roles: dict[str, Any] = {"edit": {"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}}
        self._errors = errors or {}
        monkeypatch.setattr(_rollout, "apply_objects", self._apply)
        monkeypatch.setattr(_rollout, "stood_on", lambda _client, _going: self.own)
        monkeypatch.setattr(_rollout, "api_servers", lambda client: Servers([("https://one", client)]))
        monkeypatch.setattr(
            _rollout, "ask_until", lambda _at, questions, *_rest: dict.fromkeys(questions, Reply(allowed=allowed))
        )

    def _apply(self, _client: Any, objects: Sequence[Any], options: Any, _progress: Any) -> list[ObjectResult]:
        if objects and options.state == self.away:
            raise Unreachable("The server went away.")
        return [self._one(each, options) for each in objects]

    def _one(self, obj: Any, options: ApplyOptions) -> ObjectResult:
        name, kind = obj["metadata"]["name"], obj["kind"]
        error = self._errors.get(kind, "")
        written: Any = "created" if self.changes else "unchanged"
        action: Any = "failed" if error else written if options.state == "present" else "deleted"
        self.done.append(f"{action} {kind}/{name.partition('-')[0]}")
        return ObjectResult("v1", kind, obj["metadata"].get("namespace", ""), name, action, {}, error=error)

    def run(self, check_mode: bool = False) -> dict[str, ObjectResult]:
        wanted = Wanted(Resolution({}, {}, [], frozenset()), (SHOP,), ("shop",), ("shop",), "", "set", (), True, False)
        return self.carry_out(wanted, [OLD], check_mode)

    def carry_out(self, wanted: Wanted, left: list[Any], check_mode: bool = False) -> dict[str, ObjectResult]:
        options = ApplyOptions(MANAGER, dry_run=check_mode, set_name="set")
        results = carry_out(self, wanted, left, options, lambda _done, _total: None)  # type: ignore[arg-type]
        return {each.name.partition("-")[0] + each.kind.removeprefix("Role"): each for each in results}

    def parallel(self, act: Any, items: Any) -> list[Any]:
        """As the client's."""
        return [act(each) for each in items]

    def get(self, _resource: Any, name: str, _namespace: str) -> Any:
        """As the client's."""
        if name == "unreadable":
            raise Forbidden("The server refused (403).")
        return self.roles.get(name)


def test_what_is_granted_is_there_before_anything_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.run()
    assert cluster.done == [
        "created Role/reader",
        "created RoleBinding/reader",
        "deleted RoleBinding/old",
        "deleted RoleBinding/foreign",
    ]


def test_nothing_goes_where_something_could_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, {"Role": HELD})
    told = cluster.run()
    assert not any(each.startswith("deleted") for each in cluster.done)
    assert told["oldBinding"].action == told["foreignBinding"].action == "failed"
    assert "could not be written" in told["oldBinding"].error
    assert told["reader"].error == (
        'The user bob may not give what it does not hold itself: {APIGroups:[""], Resources:["pods"], Verbs:["get"]}. '
        "Give the user these permissions, or the verb escalate on roles; the ClusterRole hardening-enforce has it."
    )


def test_nothing_goes_before_what_replaces_it_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, allowed=False)
    told = cluster.run()
    assert not any(each.startswith("deleted") for each in cluster.done)
    assert "User jane may not yet get pods in shop" in told["oldBinding"].error


def moved(cluster: dict[str, Any], shop: dict[str, Any]) -> Wanted:
    places = (parse_settings(cluster, ""), parse_settings(shop, "shop"))
    return Wanted(Resolution({}, {}, [], frozenset()), places, ("shop",), ("shop",), "", "set", (), True, True)


OF_CLUSTER: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "wide"},
}
EDIT = {"grant": [{"cluster_role": "edit", "to": [{"user": "jane"}]}]}


@pytest.mark.parametrize(
    ("failing", "said", "going"),
    [
        ("ClusterRoleBinding", (EDIT, {}), OLD),
        ("RoleBinding", ({}, EDIT), OF_CLUSTER),
    ],
)
@pytest.mark.parametrize("how", ["not written", "not in force"])
def test_what_moves_between_a_namespace_and_the_cluster_leaves_no_gap(
    monkeypatch: pytest.MonkeyPatch, how: str, failing: str, said: tuple[Any, Any], going: dict[str, Any]
) -> None:
    cluster = Cluster(monkeypatch, {failing: "No."} if how == "not written" else {}, allowed=False)
    told = cluster.carry_out(moved(*said), [going])
    assert not any(each.startswith("deleted") for each in cluster.done)
    name = f"{going['metadata']['name']}{going['kind'].removeprefix('Role')}"
    assert ("could not be written" if how == "not written" else "may not yet get pods") in told[name].error


@pytest.mark.parametrize("wrote", [True, False])
@pytest.mark.parametrize("place", ["cluster", "shop"])
def test_nothing_goes_for_a_role_that_is_not_there(monkeypatch: pytest.MonkeyPatch, place: str, wrote: bool) -> None:
    cluster = Cluster(monkeypatch)
    cluster.changes = wrote
    said = {"grant": [{"cluster_role": "edti", "to": [{"user": "jane"}]}]}
    told = cluster.carry_out(moved(*((said, {}) if place == "cluster" else ({}, said))), [OLD])
    assert not any(each.startswith("deleted") for each in cluster.done)
    assert "there is no ClusterRole edti" in told["oldBinding"].error


def test_a_role_that_may_not_be_read_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"grant": [{"cluster_role": "unreadable", "to": [{"user": "jane"}]}]}
    assert Cluster(monkeypatch).carry_out(moved({}, said), [OLD])["oldBinding"].action == "deleted"


def test_what_was_written_is_told_when_the_server_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.away = "absent"
    told = cluster.run()
    assert told["reader"].action == told["readerBinding"].action == "created"
    assert told["oldBinding"].error == "It was not removed: The server went away."


def test_nothing_is_told_when_the_server_is_away_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.away = "present"
    with pytest.raises(Unreachable):
        cluster.run()


def test_what_the_user_of_the_run_stands_on_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch)
    cluster.own = {"RoleBinding/shop/foreign": "it is its own."}
    told = cluster.run()
    assert told["oldBinding"].action == "deleted"
    assert told["foreignBinding"].error == "It was not removed: it is its own."


def test_another_role_of_a_binding_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Cluster(monkeypatch, {"RoleBinding": "The server refused (422): roleRef: cannot change roleRef."}).run()
    assert "give the grant another binding" in told["readerBinding"].error


def test_check_mode_knows_of_the_role_that_is_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = 'The server refused (404): roles.rbac.authorization.k8s.io "reader" not found.'
    told = Cluster(monkeypatch, {"RoleBinding": missing}).run(check_mode=True)
    assert (told["readerBinding"].action, told["readerBinding"].verified) == ("created", False)
