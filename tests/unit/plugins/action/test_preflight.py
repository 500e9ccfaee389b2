# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What preflight makes of a server's answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import preflight
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import for_roles

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api

from .conftest import Perform

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        server.store("namespaces", "", "shop")
        yield server


def answer(api: FakeApi, *, allowed: bool, minor: str = "36") -> None:
    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        if request.path == REVIEWS:
            return 201, {"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}
        if request.path == "/version":
            return 200, {"major": "1", "minor": minor}
        return None

    api.intercept = intercept


def test_everything_is_there(perform: Perform, api: FakeApi) -> None:
    answer(api, allowed=True)
    told = perform(preflight, host=api.url, api_key="good")
    assert told == {
        "changed": False,
        "server": api.url,
        "kubernetes_version": "1.36",
        "namespaces": ["shop"],
        "parts": ["pod_security", "network_policies", "probe"],
        "canary": [],
        "left_over": [],
        "created": [],
        "findings": [],
        "weakened": [],
    }
    assert {request.method for request in api.requests if request.path != REVIEWS} == {"GET"}


def test_all_that_is_missing_is_told_at_once(perform: Perform, api: FakeApi) -> None:
    answer(api, allowed=False)
    told = perform(preflight, host=api.url, api_key="good", parts=["namespaces", "network_policies"])
    assert told["failed"] is True
    assert told["msg"].splitlines()[0].endswith("permissions that the run needs:")
    for line in ("create, patch namespaces", "create, delete, patch networkpolicies (networking.k8s.io)"):
        assert f"  {line} [hardening-enforce]" in told["msg"].splitlines()
    assert "services" not in told["msg"]


@pytest.mark.parametrize("minor", ["33", "38"])
def test_a_version_that_is_not_supported(perform: Perform, api: FakeApi, minor: str) -> None:
    answer(api, allowed=True, minor=minor)
    told = perform(preflight, host=api.url, api_key="good")
    assert told["failed"] is True
    assert told["msg"].startswith(f"Kubernetes is 1.{minor} here; supported is 1.34 to 1.37.")
    warned = perform(preflight, host=api.url, api_key="good", unsupported_version="warn")
    assert warned["warnings"] == [f"Kubernetes is 1.{minor} here; supported is 1.34 to 1.37."]


def test_a_permission_that_only_weakens_a_proof_is_a_warning(perform: Perform, api: FakeApi) -> None:
    answer(api, allowed=False)
    told = perform(preflight, host=api.url, api_key="good", mode="audit", parts=["probe"])
    assert told.get("failed", False) is False
    assert told["weakened"] == ["no connection can be tried: network.default_deny is unknown"]
    assert len(told["warnings"]) == 1
    assert len([request for request in api.requests if request.path == REVIEWS]) == 8


@pytest.mark.parametrize(("held_in", "suffices"), [(["shop", "web"], True), (["shop"], False)])
def test_permissions_in_the_namespaces_of_the_run_suffice(
    perform: Perform, api: FakeApi, monkeypatch: pytest.MonkeyPatch, held_in: list[str], suffices: bool
) -> None:
    def allowed(_client: Client, questions: Sequence[Question]) -> list[bool]:
        return [bool({each.namespace, each.name} & set(held_in)) for each in questions]

    monkeypatch.setattr(Client, "allowed", allowed)
    api.forbidden = lambda method, at: method == "GET" and at.plural == "namespaces" and not at.name
    told = perform(preflight, host=api.url, api_key="good", parts=["network_policies"], namespaces=["shop", "web"])
    assert told.get("failed", False) is not suffices
    if suffices:
        assert told["namespaces"] == ["shop"]
        assert any("where DNS and the API servers listen is not known" in each for each in told["weakened"])


def test_a_server_that_cannot_be_reached_is_one_sentence(perform: Perform) -> None:
    told = perform(preflight, host="http://127.0.0.1:1", api_key="none")
    assert told["failed"] is True
    assert told["msg"].startswith("The server http://127.0.0.1:1 cannot be reached")


POLICY = for_roles(
    {"name": "prod", "namespaces": {"shop": {"network": {}}}, "defaults": {"pod_security": {"enforce": "baseline"}}}
)


def scoped(perform: Perform, api: FakeApi, **more: Any) -> dict[str, Any]:
    answer(api, allowed=True)
    api.store("namespaces", "", "web")
    parts = ["pod_security", "network_policies"]
    return perform(preflight, host=api.url, api_key="good", **{"policy": POLICY, "parts": parts, **more})


def test_a_limited_run_tells_which_parts_have_something_to_do(perform: Perform, api: FakeApi) -> None:
    told = scoped(perform, api, only=["web"], canary=["w*"])
    assert (told["parts"], told["canary"]) == (["pod_security"], ["web"])


def test_a_canary_takes_no_part_away(perform: Perform, api: FakeApi) -> None:
    policy = for_roles(
        {
            "name": "prod",
            "namespaces": {"shop": {"pod_security": {"enforce": "baseline"}}},
            "cluster": {"access": {"grant": [{"cluster_role": "view", "to": [{"group": "developers"}]}]}},
        }
    )
    own = {"hardening.kubernetes/set": "prod"}
    binding = api.store("clusterrolebindings", "", "view", "apis/rbac.authorization.k8s.io/v1")
    binding["metadata"] |= {"labels": own, "managedFields": [{"manager": "hardening.kubernetes/rbac"}]}
    told = scoped(perform, api, policy=policy, parts=["rbac", "cluster_access", "pod_security"], canary=["shop"])
    assert told["parts"] == ["rbac", "cluster_access", "pod_security"]
    assert (told["left_over"], told["canary"]) == ([], ["shop"])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"only": ["wbe"]}, "only: the run reaches no namespace wbe, did you mean web?. Name namespaces"),
        ({"canary": ["nobody-*"]}, "canary: the run reaches no namespace nobody-*."),
        ({"only": ["web"], "canary": ["shop"]}, "canary: the run is not about the namespace shop, which is there."),
        ({"canary": ["web"], "mode": "audit"}, "canary: an audit changes nothing"),
        ({"only": ["web"], "policy": {}}, "only and canary need the policy"),
    ],
)
def test_a_limit_that_means_nobody_is_one_sentence(
    perform: Perform, api: FakeApi, more: dict[str, Any], told: str
) -> None:
    result = scoped(perform, api, **more)
    assert result["failed"] is True
    assert result["msg"].startswith(told)


SMALL_POLICY = for_roles({"name": "shop-policy", "namespaces": {"shop": {"create": True}}})


def marked(api: FakeApi, plural: str, namespace: str, name: str, manager: str, **labels: str) -> None:
    """An object with these labels, of which a part of the collection owns something."""
    root = "apis/networking.k8s.io/v1" if plural == "networkpolicies" else "api/v1"
    obj = api.store(plural, namespace, name, root)
    obj["metadata"] |= {"labels": labels, "managedFields": [{"manager": f"hardening.kubernetes/{manager}"}]}


def leave_things(api: FakeApi) -> None:
    own = {"hardening.kubernetes/set": "shop-policy"}
    marked(api, "networkpolicies", "shop", "deny", "network_policies", **own)
    marked(api, "namespaces", "", "left", "pod_security", **{"hardening.kubernetes/pod-security-set": "shop-policy"})
    for name in ("shop", "abandoned"):
        marked(api, "namespaces", "", name, "namespaces", **own)
    marked(api, "namespaces", "", "copied", "nobody", **own)


def test_what_a_policy_left_of_parts_that_it_no_longer_has_is_found(perform: Perform, api: FakeApi) -> None:
    answer(api, allowed=True)
    leave_things(api)
    told = perform(preflight, host=api.url, api_key="good", parts=[], policy=SMALL_POLICY)
    assert sorted(told["left_over"]) == ["network_policies", "pod_security"]
    assert [each["metadata"]["name"] for each in told["created"]] == ["abandoned", "shop"]
    assert all(each["metadata"].keys() == {"name", "uid"} for each in told["created"])
    (finding,) = told["findings"]
    assert (finding["control"], finding["subject"]) == ("policy.leftovers", "Namespace/abandoned")


def test_what_a_role_prunes_by_itself_and_what_the_run_is_not_about_is_not_looked_for(
    perform: Perform, api: FakeApi
) -> None:
    answer(api, allowed=True)
    leave_things(api)
    said = {"host": api.url, "api_key": "good", "policy": SMALL_POLICY}
    api.requests.clear()
    told = perform(preflight, **said, parts=["pod_security", "network_policies"])
    assert told["left_over"] == []
    assert not [each for each in api.requests if each.path.endswith("networkpolicies")]
    told = perform(preflight, **said, parts=[], only=["shop"])
    assert told["left_over"] == ["network_policies"] and len(told["created"]) == 1
    told = perform(preflight, host=api.url, api_key="good", parts=[], policy={**SMALL_POLICY, "name": "default"})
    assert told["left_over"] == told["created"] == []


def test_what_a_policy_left_and_nobody_may_look_for_is_told(perform: Perform, api: FakeApi) -> None:
    answer(api, allowed=True)
    leave_things(api)
    api.forbidden = lambda _method, at: at.plural == "networkpolicies"
    told = perform(preflight, host=api.url, api_key="good", parts=["pod_security"], policy=SMALL_POLICY)
    (weak,) = told["weakened"]
    assert weak.startswith("what the set shop-policy left of network_policies is not known, and stays: The server")
    assert told["warnings"] == [weak[0].upper() + weak[1:]]


def test_taking_away_what_is_left_needs_its_permissions(
    perform: Perform, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(api, allowed=True)
    leave_things(api)
    monkeypatch.setattr(Client, "allowed", lambda _client, asked: [each.verb != "delete" for each in asked])
    told = perform(preflight, host=api.url, api_key="good", parts=["pod_security"], policy=SMALL_POLICY)
    assert told["failed"] is True and "delete networkpolicies (networking.k8s.io) [hardening-enforce]" in told["msg"]
    told = perform(preflight, host=api.url, api_key="good", parts=["pod_security"], policy=SMALL_POLICY, mode="audit")
    assert told["left_over"] == ["network_policies"]
