# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a network as it stands, and what is guessed of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import Caller, callers_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._discover import Found, of_namespaces
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import workloads_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import plan
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import (
    NetworkSettings,
    parse_settings,
)

CLOSED: dict[str, Any] = {"podSelector": {"matchLabels": {"app": "postgres"}}, "policyTypes": ["Ingress"]}
ALL_CLOSED: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def found(shop: Any, *policies: dict[str, Any], **facts: Any) -> Found:
    known = shop.facts(policies={"shop": policies}, **facts)
    return of_namespaces(["shop"], known, "set")["shop"]


def calling(shop: Any, *variables: tuple[str, str], namespace: str = "shop") -> tuple[Any, ...]:
    frontend = shop.deployment("frontend", ("http", 8080, "TCP"), namespace=namespace)
    environment = [{"name": name, "value": value} for name, value in variables]
    frontend["spec"]["template"]["spec"]["containers"][0]["env"] = environment
    return workloads_of([], [frontend])


def services(shop: Any) -> dict[str, Any]:
    made = [
        shop.service("backend", {"port": 80, "targetPort": "http"}),
        shop.service("postgres", {"port": 5432}),
    ]
    return {"shop": {each["metadata"]["name"]: each for each in made}}


def taken_over(block: str) -> dict[str, Any]:
    """The block without its comments, as a policy file would have it."""
    return dict(yaml.safe_load(block)["network"])


def test_policies_are_said_as_they_are_and_leave_nothing_to_do(shop: Any) -> None:
    there = shop.policy("db", {**CLOSED, "ingress": [{"ports": [{"port": 5432, "protocol": "TCP"}]}]})
    said = found(shop, there).settings
    assert said == {"policies": {"db": there["spec"]}}
    settings = {"shop": parse_settings(said, "shop")}
    done = plan(settings, shop.facts(policies={"shop": (there,)}), "set")
    assert not done.refused
    step = done.steps["shop"]
    assert [each["spec"] for each in step.allows] == [there["spec"]]
    assert step.gates == step.stale_allows == step.stale_denies == ()


def test_a_policy_of_this_set_is_said_again_and_one_of_another_is_left_to_it(shop: Any) -> None:
    mine = shop.policy("mine", CLOSED, set_name="set")
    other = shop.policy("other", CLOSED, set_name="other")
    told = found(shop, mine, other)
    assert list(told.settings["policies"]) == ["mine"]
    assert told.comments[0] == (
        "NetworkPolicy other is left out: it is of the set other, and belongs into that policy."
    )


def test_what_settings_of_this_set_made_is_not_forgotten(shop: Any) -> None:
    told = found(shop, shop.policy("hardening-default-deny", ALL_CLOSED, set_name="set"))
    assert told.settings == {}
    assert told.comments[0].endswith("say them here, or it will be removed.")


@pytest.mark.parametrize(
    ("name", "metadata", "why"),
    [
        ("hardening-mine", {}, "names that begin with hardening-"),
        ("made", {"ownerReferences": [{"kind": "Kafka", "name": "k", "controller": True}]}, "Kafka k makes it"),
    ],
)
def test_what_cannot_be_said_is_left_out_with_the_reason(
    shop: Any, name: str, metadata: dict[str, Any], why: str
) -> None:
    policy = shop.policy(name, CLOSED)
    policy["metadata"] |= metadata
    told = found(shop, policy)
    assert told.settings == {}
    assert why in told.comments[0]


def test_a_policy_with_a_field_that_is_not_known_is_left_out(shop: Any) -> None:
    told = found(shop, shop.policy("new", {**CLOSED, "ingress": [{"ports": [{"port": "8"}]}]}))
    assert told.settings == {}


def test_flows_are_guessed_from_what_workloads_name(shop: Any) -> None:
    workloads = (*calling(shop, ("BACKEND_URL", "http://u:secret@backend")), *shop.workloads()[1:])
    *_sentences, block = found(shop, workloads={"shop": workloads}, services=services(shop)).comments
    assert taken_over(block) == {
        "default_deny": ["ingress", "egress"],
        "dns": True,
        "allow": [{"from": {"app": "frontend"}, "to": {"app": "backend"}, "ports": ["8080/TCP"]}],
    }
    assert "# the environment variable BACKEND_URL of Deployment/shop/frontend names Service/shop/backend" in block
    assert "# nobody is seen to call Service/shop/postgres: Deployment/shop/postgres on 5432/TCP" in block
    assert "secret" not in block
    assert parse_settings(taken_over(block), "shop") != NetworkSettings()


def test_a_flow_between_namespaces_is_said_in_both(shop: Any) -> None:
    workloads = {"data": calling(shop, ("DB_HOST", "postgres.shop"), namespace="data"), "shop": shop.workloads()}
    known = shop.facts(workloads=workloads, services=services(shop))
    told = of_namespaces(["shop", "data"], known, "set")
    here, there = (taken_over(told[name].comments[-1])["allow"] for name in ("shop", "data"))
    assert here == [
        {"from": {"pods": {"app": "frontend"}, "namespace": "data"}, "to": {"app": "postgres"}, "ports": ["5432/TCP"]}
    ]
    assert there == [
        {"from": {"app": "frontend"}, "to": {"pods": {"app": "postgres"}, "namespace": "shop"}, "ports": ["5432/TCP"]}
    ]


def test_what_leads_in_is_kept_open(shop: Any) -> None:
    door = shop.service("controller", {"port": 443}, namespace="data", type="LoadBalancer")
    ingress = {
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "shop"},
        "spec": {"defaultBackend": {"service": {"name": "backend", "port": {"number": 80}}}},
    }
    hook = Caller("webhook", "ValidatingWebhookConfiguration/w", "shop", "postgres", 5432)
    known = {**services(shop), "data": {"controller": door}}
    told = found(shop, services=known, callers=(*callers_of([ingress]), hook))
    said = taken_over(told.comments[-1])
    assert said["allow"] == [
        {"from": {"api_server": True}, "to": {"app": "postgres"}, "ports": ["5432/TCP"]},
        {"from": {"namespace": "data"}, "to": {"app": "backend"}, "ports": ["8080/TCP"]},
    ]
    facts = shop.facts(services=known, callers=(*callers_of([ingress]), hook))
    assert not plan({"shop": parse_settings(said, "shop")}, facts, "set").refused


def test_what_is_denied_already_is_not_proposed(shop: Any) -> None:
    assert found(shop, shop.policy("deny", ALL_CLOSED)).comments == ()
    ingress_only = found(shop, shop.policy("deny", {**ALL_CLOSED, "policyTypes": ["Ingress"]}))
    block = ingress_only.comments[-1].replace("network:  # put these keys beside policies, below", "network:")
    assert taken_over(block) == {"default_deny": ["egress"], "dns": True}


def test_a_namespace_without_workloads_gets_no_proposal(shop: Any) -> None:
    assert found(shop, workloads={}) == Found({}, ())


def test_of_several_namespaces_to_come_in_from_none_is_taken_but_all_are_named(shop: Any) -> None:
    doors = {
        name: {"in": shop.service("in", {"port": 443}, namespace=name, type="NodePort")} for name in ("data", "web")
    }
    caller = Caller("gateway", "HTTPRoute/shop/r", "shop", "backend", 80)
    names = {"shop": {}, "data": {}, "web": {}, "ingress-nginx": {}}
    block = found(shop, namespaces=names, services={**services(shop), **doors}, callers=(caller,)).comments[-1]
    assert "# HTTPRoute/shop/r leads to Service/shop/backend, from one of data, web" in block
    assert "namespace: <that of the gateway's pods>" in block
    doors["ingress-nginx"] = {"in": shop.service("in", {"port": 443}, namespace="ingress-nginx", type="LoadBalancer")}
    block = found(shop, namespaces=names, services={**services(shop), **doors}, callers=(caller,)).comments[-1]
    assert taken_over(block)["allow"] == [
        {"from": {"namespace": "ingress-nginx"}, "to": {"app": "backend"}, "ports": ["8080/TCP"]}
    ]
