# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies in Kubernetes' own words on a real cluster, their discovery, and routes that lead in."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._network import network_settings

from tests.integration.conftest import object_of
from tests.integration.plays import Result, run_task

NAMESPACE, POLICY = KNOWN["v1", "Namespace"], KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
DEFINITION = KNOWN["apiextensions.k8s.io/v1", "CustomResourceDefinition"]
ROUTE = Resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", True)
SET, ORIGIN = "hardening.kubernetes/set", "hardening.kubernetes/origin"

NOT_OLD: dict[str, Any] = {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["old"]}]}
WEB: dict[str, Any] = {
    "podSelector": {"matchLabels": {"app": "web"}},
    "ingress": [{"from": [{"podSelector": NOT_OLD}, {"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 8080}]}],
}
MORE: dict[str, Any] = {"podSelector": NOT_OLD, "policyTypes": ["Egress"], "egress": [{}]}


class Space:
    """A namespace of one test, and what is done to it."""

    def __init__(self, client: Client, kubeconfig: Path) -> None:
        self.client, self._kubeconfig = client, kubeconfig
        self.name = f"declared-{uuid.uuid4().hex[:8]}"
        self.set = self.name

    def create(self, *objects: dict[str, Any]) -> None:
        for each in objects:
            answer = self.client.create(each)
            assert answer.ok, answer.message

    def policy(self, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        return object_of("NetworkPolicy", name, self.name, POLICY.api_version, spec=spec)

    def deployment(self, name: str, port: int, **environment: str) -> dict[str, Any]:
        """One without pods, which is enough to be seen."""
        labels = {"app": name}
        container = {
            "name": "main",
            "image": "hardening.local/toolbox:1",
            "ports": [{"name": "http", "containerPort": port}],
            "env": [{"name": key, "value": value} for key, value in environment.items()],
        }
        template = {"metadata": {"labels": {**labels, "release": "1"}}, "spec": {"containers": [container]}}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        return object_of("Deployment", name, self.name, "apps/v1", spec=spec)

    def service(self, name: str, port: int) -> dict[str, Any]:
        spec = {"selector": {"app": name}, "ports": [{"port": port, "targetPort": "http"}]}
        return object_of("Service", name, self.name, spec=spec)

    def run(self, settings: dict[str, Any], *, check: bool = False, **more: Any) -> Result:
        said = {"set": self.set, "namespaces": {self.name: settings}, **more}
        return run_task(self._kubeconfig, "network_policies", check, said)

    def judged(self, settings: dict[str, Any]) -> dict[str, Any]:
        said = {"set": self.set, "namespaces": {self.name: settings}}
        told = run_task(self._kubeconfig, "network_policies_info", False, said)
        return {each["control"]: each for each in told["findings"]}

    def policies(self) -> dict[str, dict[str, Any]]:
        return {each["metadata"]["name"]: each for each in self.client.list(POLICY, self.name)}


@pytest.fixture
def space(client: Client, kubeconfig: Path) -> Iterator[Space]:
    made = Space(client, kubeconfig)
    made.create(object_of("Namespace", made.name))
    yield made
    client.delete(NAMESPACE, made.name)


def actions(result: Result) -> dict[str, str]:
    return {each["name"]: each["action"] for each in result["objects"]}


def marks(policy: dict[str, Any]) -> tuple[str | None, str | None]:
    metadata = policy["metadata"]
    return (metadata.get("labels") or {}).get(SET), (metadata.get("annotations") or {}).get(ORIGIN)


def test_policies_are_adopted_added_judged_pruned_and_handed_back(space: Space) -> None:
    space.create(space.policy("web", WEB))
    spec = space.policies()["web"]["spec"]
    said = {"policies": {"web": WEB, "more": MORE}}
    assert actions(space.run(said, check=True)) == {"web": "updated", "more": "created"}
    assert marks(space.policies()["web"]) == (None, None)

    assert actions(space.run(said)) == {"web": "updated", "more": "created"}
    there = space.policies()
    assert {name: marks(each) for name, each in there.items()} == {
        "web": (space.set, "adopted"),
        "more": (space.set, "created"),
    }
    assert there["web"]["spec"] == spec
    again = space.run(said)
    assert (again["changed"], actions(again)) == (False, {"web": "unchanged", "more": "unchanged"})
    assert space.judged(said)["network.flows"]["status"] == "pass"
    refused = space.run(said, set=f"{space.set}-other")
    assert refused["failed"]
    assert f"belongs to the set {space.set}" in refused["msg"]

    gone = space.run({"policies": {}}, set=space.set)
    assert actions(gone)["more"] == "deleted"
    left = space.policies()
    assert list(left) == ["web"]
    assert (marks(left["web"]), left["web"]["spec"]) == ((None, None), spec)


def test_what_the_server_would_not_take_is_refused_before_anything_is_written(space: Space) -> None:
    told = space.run({"policies": {"web": WEB, "wrong": {**MORE, "ingres": []}}})
    assert told["failed"]
    assert "policies.wrong.ingres: there is no such field" in told["msg"]
    assert space.policies() == {}


def test_what_is_discovered_changes_nothing_but_marks_and_its_guess_can_be_taken_over(space: Space) -> None:
    space.create(
        space.policy("web", WEB),
        space.policy("closed", {"podSelector": {"matchLabels": {"app": "backend"}}, "policyTypes": ["Egress"]}),
        space.deployment("frontend", 8080, BACKEND_URL="http://backend"),
        space.deployment("backend", 9090),
        space.service("backend", 80),
    )
    before = {name: each["spec"] for name, each in space.policies().items()}
    namespace = space.client.get(NAMESPACE, space.name)
    assert namespace
    part = network_settings(space.client, [namespace], space.set)
    assert list(part.unseen) == []
    said = dict(part.settings[space.name])
    assert said == {"policies": before}

    done = space.run(said)
    assert actions(done) == {"web": "updated", "closed": "updated"}
    assert {name: each["spec"] for name, each in space.policies().items()} == before
    assert not space.run(said)["changed"]
    assert network_settings(space.client, [namespace], space.set).settings == part.settings

    block = part.comments[space.name][-1]
    assert "the environment variable BACKEND_URL of Deployment" in block
    guessed = yaml.safe_load(block)["network"]
    assert guessed["allow"] == [{"from": {"app": "frontend"}, "to": {"app": "backend"}, "ports": ["9090/TCP"]}]
    preview = space.run({**said, **guessed}, check=True)
    assert not preview["failed"]
    assert "refused" not in str(preview.get("warnings"))
    assert actions(preview)["hardening-default-deny"] == "created"


@pytest.fixture
def routes(client: Client) -> Iterator[Resource]:
    """The kind HTTPRoute, as much of it as a test needs; one that is there already is left as it is."""
    name = f"{ROUTE.plural}.{ROUTE.group}"
    there = client.get(DEFINITION, name)
    if not there:
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        spec = {
            "group": ROUTE.group,
            "names": {"kind": ROUTE.kind, "plural": ROUTE.plural, "singular": "httproute"},
            "scope": "Namespaced",
            "versions": [version],
        }
        # A group of Kubernetes itself needs its word, or the admission that there is none.
        approval = {"annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}}
        answer = client.create(
            object_of("CustomResourceDefinition", name, "", DEFINITION.api_version, spec=spec, metadata=approval)
        )
        assert answer.ok, answer.message
    yield ROUTE
    if not there:
        client.delete(DEFINITION, name)
        client.forget_kinds()


@pytest.mark.alone
def test_a_deny_that_cuts_off_a_route_of_the_gateway_api_is_refused(space: Space, routes: Resource) -> None:
    space.create(space.deployment("web", 8080), space.service("web", 80))
    spec = {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}
    route = object_of(routes.kind, "shop", space.name, routes.api_version, spec=spec)
    deadline = time.monotonic() + 60
    while not _is_served(space.client, route):
        assert time.monotonic() < deadline, "the server never served the kind HTTPRoute"
        time.sleep(0.5)

    refused = space.run({"default_deny": ["ingress"]})
    assert refused["failed"]
    assert f"HTTPRoute/{space.name}/shop reaches Service/{space.name}/web" in refused["msg"]
    assert "ports: [8080/TCP]" in refused["msg"]
    assert "accept_risks: [gateway]" in refused["msg"]
    assert space.policies() == {}
    opened = {"from": {"any": True}, "to": {"app": "web"}, "ports": ["8080/TCP"]}
    assert not space.run({"default_deny": ["ingress"], "allow": [opened]})["failed"]
    assert not space.run({"default_deny": ["ingress"], "accept_risks": ["gateway"]})["failed"]


def _is_served(client: Client, route: dict[str, Any]) -> bool:
    client.forget_kinds()
    return client.resource(ROUTE.api_version, ROUTE.kind) is not None and client.create(route).ok
