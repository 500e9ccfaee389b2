# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The glass against a server that misbehaves: whatever fails, everything else goes."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import break_glass
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._break_glass import _record as _break_glass_record

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Place, Request, fake_api, fields, status

from .conftest import Perform

NETWORK, ADMISSION = "apis/networking.k8s.io/v1", "apis/admissionregistration.k8s.io/v1"
CONSTRAINTS = "apis/constraints.gatekeeper.sh/v1beta1"
POD_SECURITY = "hardening.kubernetes/pod_security"
ENFORCE = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest"}
WARN = {"pod-security.kubernetes.io/warn": "restricted"}


def marked(name: str, namespace: str, set_name: str, manager: str) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    labels = {"hardening.kubernetes/set": set_name}
    return {"name": name, **place, "labels": labels, "managedFields": [{"manager": manager, "operation": "Apply"}]}


def policy(api: FakeApi, namespace: str, name: str, set_name: str = "prod", manager: str = "network_policies") -> None:
    metadata = marked(name, namespace, set_name, f"hardening.kubernetes/{manager}")
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    api.store("networkpolicies", namespace, name, NETWORK, metadata=metadata, spec=spec)


def gate(api: FakeApi, plural: str, name: str, root: str = ADMISSION, set_name: str = "prod") -> None:
    api.store(plural, "", name, root, metadata=marked(name, "", set_name, "hardening.kubernetes/admission"))


def namespace(api: FakeApi, name: str, set_name: str = "") -> None:
    labels = {**ENFORCE, **WARN, "hardening.kubernetes/pod-security-set": set_name} if set_name else {}
    entry = {"manager": POD_SECURITY, "operation": "Apply", "fieldsV1": {"f:metadata": fields({"labels": labels})}}
    metadata = {"name": name, "labels": {**labels, "team": "web"}, "managedFields": [entry] if set_name else []}
    api.store("namespaces", "", name, metadata=metadata)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.chdir(tmp_path)
    with fake_api() as server:

        def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
            if request.path == f"/{CONSTRAINTS}":
                kinds = [{"name": "onlyours", "kind": "OnlyOurs"}, {"name": "onlyours/status", "kind": "OnlyOurs"}]
                return 200, {"kind": "APIResourceList", "resources": kinds}
            if request.path.endswith("/selfsubjectreviews"):
                return 201, {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "jane"}}}
            return None

        server.intercept = intercept
        namespace(server, "shop", "prod")
        namespace(server, "lab", "other")
        namespace(server, "theirs")
        namespace(server, "hardening-kubernetes")
        policy(server, "shop", "deny")
        policy(server, "lab", "deny", "other")
        server.store("networkpolicies", "theirs", "deny", NETWORK, spec={"podSelector": {}})
        gate(server, "validatingadmissionpolicybindings", "binding")
        gate(server, "validatingwebhookconfigurations", "hook")
        gate(server, "mutatingwebhookconfigurations", "mutating", set_name="other")
        gate(server, "onlyours", "constraint", CONSTRAINTS)
        yield server


def act(perform: Perform, api: FakeApi, **more: Any) -> dict[str, Any]:
    return perform(break_glass, host=api.url, api_key="good", **more)


def done(told: dict[str, Any], action: str) -> set[str]:
    return {
        "/".join(filter(None, (each["kind"], each["namespace"], each["name"])))
        for each in told["objects"]
        if each["action"] == action
    }


PROD = {
    "NetworkPolicy/shop/deny",
    "ValidatingAdmissionPolicyBinding/binding",
    "ValidatingWebhookConfiguration/hook",
    "OnlyOurs/constraint",
}
OTHERS = {"NetworkPolicy/lab/deny", "MutatingWebhookConfiguration/mutating"}


def labels(api: FakeApi, name: str) -> dict[str, str]:
    return dict(api.objects[f"/api/v1/namespaces/{name}"]["metadata"].get("labels") or {})


def test_everything_of_ours_goes_and_nothing_of_others(
    perform: Perform, api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = act(perform, api)
    assert told.get("failed", False) is False, told
    assert (done(told, "deleted"), done(told, "updated")) == (PROD | OTHERS, {"Namespace/shop", "Namespace/lab"})
    assert f"/{NETWORK}/namespaces/theirs/networkpolicies/deny" in api.objects
    assert not any("/enforce" in key for name in ("shop", "lab") for key in labels(api, name))
    assert labels(api, "shop")["pod-security.kubernetes.io/warn"] == "restricted"

    out = capsys.readouterr().out
    assert "8 taken away:" in out
    assert "ansible-playbook hardening.kubernetes.harden_cluster -e policy=FILE" in out
    assert f"-e restore={told['record']['file']}" in out


def test_both_records_hold_everything_as_it_was(perform: Perform, api: FakeApi, tmp_path: Path) -> None:
    told = act(perform, api)
    (file,) = tmp_path.iterdir()
    assert told["record"]["file"] == str(file)
    assert file.name.startswith("hardening-break-glass-2") and file.stat().st_mode & 0o077 == 0
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert (kept["user"], kept["server"], kept["sets"], kept["only"]) == ("jane", api.url, [], [])
    assert {each["action"] for each in kept["results"]} == {"deleted", "updated"}
    (deny,) = [each for each in kept["objects"] if each["object"]["metadata"].get("namespace") == "shop"]
    assert deny["manager"] == "hardening.kubernetes/network_policies"
    assert deny["object"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert "managedFields" not in deny["object"]["metadata"]
    (shop,) = [each["object"] for each in kept["objects"] if each["object"]["metadata"]["name"] == "shop"]
    assert shop["metadata"]["labels"] == {**ENFORCE, **WARN, "hardening.kubernetes/pod-security-set": "prod"}

    where, _slash, name = told["record"]["config_map"].partition("/")
    assert where == "hardening-kubernetes"
    stored = api.objects[f"/api/v1/namespaces/{where}/configmaps/{name}"]
    packed = base64.b64decode(stored["binaryData"]["record.json.gz"])
    assert json.loads(gzip.decompress(packed)) == kept


def test_a_second_time_there_is_nothing_left(
    perform: Perform, api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    act(perform, api)
    capsys.readouterr()
    again = act(perform, api)
    assert (again["changed"], again["objects"], again.get("failed", False)) == (False, [], False)
    assert "Nothing taken away." in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == 1
    policy(api, "lab", "anew", "other")
    assert act(perform, api, set="prod").get("failed", False) is False


def test_one_set_alone(perform: Perform, api: FakeApi) -> None:
    told = act(perform, api, set="prod")
    assert (done(told, "deleted"), done(told, "updated")) == (PROD, {"Namespace/shop"})
    assert "pod-security.kubernetes.io/enforce" in labels(api, "lab")


def test_some_namespaces_alone_and_nothing_of_the_cluster(perform: Perform, api: FakeApi) -> None:
    told = act(perform, api, only="s*")
    assert (done(told, "deleted"), done(told, "updated")) == ({"NetworkPolicy/shop/deny"}, {"Namespace/shop"})
    assert not any("admissionregistration" in each.path or "gatekeeper" in each.path for each in api.requests)


def test_check_mode_tells_and_takes_nothing(
    perform: Perform, api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dict(api.objects)
    told = act(perform, api, check_mode=True)
    assert (told["changed"], done(told, "deleted")) == (True, PROD | OTHERS)
    assert api.objects == before
    assert list(tmp_path.iterdir()) == []
    assert "8 would be taken away:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"set": "prdo"}, "set: there is nothing of a set prdo, so nothing was taken away; did you mean prod?"),
        ({"set": "zzz"}, "nothing was taken away; there is something of other, prod."),
        ({"set": ""}, "set: '' cannot be a label"),
        ({"only": "shpo"}, "only: there is no namespace shpo, so nothing was taken away; did you mean shop?"),
        ({"only": ""}, "only: '' is neither the name of a namespace nor a glob"),
        ({"only": []}, "only: '' is neither the name of a namespace nor a glob"),
        ({"restore": "absent.json"}, "The record absent.json cannot be read: No such file or directory."),
        ({"restore": "/proc/self/exe"}, "The record /proc/self/exe cannot be read: it is no text."),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_goes(
    perform: Perform, api: FakeApi, more: dict[str, Any], told: str
) -> None:
    before = dict(api.objects)
    result = act(perform, api, **more)
    assert result["failed"] is True
    assert told in result["msg"]
    assert api.objects == before


def test_what_cannot_be_taken_away_or_seen_hides_nothing_else(perform: Perform, api: FakeApi) -> None:
    def forbidden(method: str, at: Place) -> bool:
        return (method == "DELETE" and (at.namespace, at.name) == ("shop", "deny")) or (
            method == "GET" and at.plural == "validatingwebhookconfigurations"
        )

    api.forbidden = forbidden
    told = act(perform, api)
    assert told["failed"] is True
    assert done(told, "failed") == {"NetworkPolicy/shop/deny"}
    gone = (PROD | OTHERS) - {"NetworkPolicy/shop/deny", "ValidatingWebhookConfiguration/hook"}
    assert done(told, "deleted") == gone
    assert "NetworkPolicy/shop/deny: The server refused (403)" in told["msg"]
    assert "Not everything could be looked for." in told["msg"]
    assert "validatingwebhookconfigurations is forbidden" in told["msg"]
    kept = json.loads(Path(told["record"]["file"]).read_text(encoding="utf-8"))
    assert {each["action"] for each in kept["results"]} == {"deleted", "updated", "failed"}


def test_a_record_that_the_cluster_refuses_stops_nothing(perform: Perform, api: FakeApi) -> None:
    api.forbidden = lambda _method, at: at.plural == "configmaps"
    told = act(perform, api)
    assert told.get("failed", False) is False
    assert done(told, "deleted") == PROD | OTHERS
    (warning,) = told["warnings"]
    assert warning.startswith("The record cannot be kept in the cluster, in the namespace hardening-kubernetes:")
    assert told["record"]["config_map"] == ""


def test_a_folder_that_cannot_be_written_stops_nothing(
    perform: Perform, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_break_glass_record.tempfile, "gettempdir", lambda: str(tmp_path))
    told = act(perform, api, record="/proc/record.json")
    assert told["record"]["file"] == str(tmp_path / "record.json")
    assert any("cannot be written to /proc/record.json" in each for each in told["warnings"])
    assert done(told, "deleted") == PROD | OTHERS


def test_without_any_record_nothing_goes(perform: Perform, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_break_glass_record.tempfile, "gettempdir", lambda: "/proc")
    monkeypatch.chdir("/proc")
    api.forbidden = lambda _method, at: at.plural == "configmaps"
    before = dict(api.objects)
    told = act(perform, api)
    assert told["msg"].startswith("Nothing was taken away, since it could be recorded nowhere.")
    assert api.objects == before
    api.forbidden = lambda _method, _at: False
    assert act(perform, api)["record"]["file"] == ""


def test_a_label_that_somebody_else_set_too_is_told(perform: Perform, api: FakeApi) -> None:
    first = api.intercept

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        if request.method == "PATCH" and request.path == "/api/v1/namespaces/shop":
            return 200, {"kind": "Namespace", "metadata": {"name": "shop", "labels": ENFORCE}}
        return first(request)

    api.intercept = intercept
    told = act(perform, api, only="shop")
    assert done(told, "failed") == {"Namespace/shop"}
    assert "kubectl label namespace shop pod-security.kubernetes.io/enforce-" in told["msg"]


def test_what_went_meanwhile_is_taken_away_too(perform: Perform, api: FakeApi) -> None:
    first = api.intercept

    def intercept(request: Request) -> tuple[int, dict[str, Any] | None] | None:
        if request.method == "DELETE":
            return 404, status(404, "NotFound", "not found")
        return first(request)

    api.intercept = intercept
    assert act(perform, api, only="shop").get("failed", False) is False


def test_a_record_is_put_back_by_its_own_managers(
    perform: Perform, api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    def content() -> dict[str, Any]:
        return {path: (each.get("spec"), each["metadata"].get("labels")) for path, each in api.objects.items()}

    before = {path: each for path, each in content().items() if "/onlyours/" not in path and "/theirs" not in path}
    file = act(perform, api, set=["prod", "other"])["record"]["file"]
    for name in ("shop", "lab"):
        namespace_labels = labels(api, name)
        assert "pod-security.kubernetes.io/enforce" not in namespace_labels
    told = act(perform, api, restore=file)
    restored = content()
    for path, (spec, said) in before.items():
        assert restored[path][0] == spec, path
        assert said.items() - {("team", "web")} <= restored[path][1].items(), path
    (entry,) = api.objects[f"/{NETWORK}/namespaces/shop/networkpolicies/deny"]["metadata"]["managedFields"]
    assert entry["manager"] == "hardening.kubernetes/network_policies"
    assert "OnlyOurs/constraint" in done(told, "failed")  # this server has no discovery of it
    assert "put back:" in capsys.readouterr().out


def test_a_server_that_cannot_be_reached_is_one_sentence(perform: Perform, api: FakeApi, tmp_path: Path) -> None:
    told = perform(break_glass, host="https://127.0.0.1:1", api_key="good")
    assert told["failed"] is True
    assert "The server https://127.0.0.1:1 cannot be reached" in told["msg"]
    assert list(tmp_path.iterdir()) == []
