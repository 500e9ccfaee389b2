# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ``apply`` on a real cluster, as a user runs it."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._definitions import read_definitions
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.integration.conftest import CHECKOUT, Ansible, object_of
from tests.testbed import engine as engines

CONFIG_MAP = KNOWN["v1", "ConfigMap"]
SAFE = {
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    "image": "hardening.local/toolbox:1",
}


def config_map(name: str, namespace: str, **data: str) -> dict[str, Any]:
    return object_of("ConfigMap", name, namespace, data=data)


def actions(result: dict[str, Any]) -> list[str]:
    return [each["action"] for each in result["objects"]]


def pod_template(*command: str, **spec: Any) -> dict[str, Any]:
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    container = {"name": "main", "command": list(command), **SAFE}
    content = {"terminationGracePeriodSeconds": 0, "securityContext": security, "containers": [container], **spec}
    return {"metadata": {"labels": {"app": "tests"}}, "spec": content}


def deployment(namespace: str, *command: str, **spec: Any) -> dict[str, Any]:
    content = {"replicas": 1, "selector": {"matchLabels": {"app": "tests"}}, "template": pod_template(*command), **spec}
    return object_of("Deployment", "tests", namespace, "apps/v1", spec=content)


def test_objects_come_change_and_go(ansible: Ansible, client: Client, namespace: str) -> None:
    objects = [config_map("a", namespace, one="1", two="2"), config_map("b", namespace)]
    told = ansible.task("apply", definition=objects)
    assert (told["changed"], actions(told), told["summary"]["created"]) == (True, ["created", "created"], 2)
    told = ansible.task("apply", definition=objects)
    assert (told["changed"], actions(told)) == (False, ["unchanged", "unchanged"])

    objects[0] = config_map("a", namespace, one="0")
    change = {"before": {"data": {"one": "1", "two": "2"}}, "after": {"data": {"one": "0"}}}
    for options in (("--check", "--diff"), ("--diff",)):
        told = ansible.task("apply", *options, definition=objects)
        assert actions(told) == ["updated", "unchanged"] and told["objects"][0]["diff"] == change
        assert [each["before_header"] for each in told["diff"]] == [f"ConfigMap/{namespace}/a"]
    live = client.get(CONFIG_MAP, "a", namespace)
    assert live is not None and live["data"] == {"one": "0"}

    told = ansible.task("apply", "--check", definition=objects, state="absent")
    assert actions(told) == ["deleted", "deleted"] and client.get(CONFIG_MAP, "a", namespace)
    told = ansible.task("apply", definition=objects, state="absent", wait=True)
    assert actions(told) == ["deleted", "deleted"] and not client.get(CONFIG_MAP, "a", namespace)
    told = ansible.task("apply", definition=objects, state="absent")
    assert actions(told) == ["unchanged", "unchanged"] and not told["changed"]


def test_files_folders_and_lists_with_a_default_namespace(ansible: Ansible, namespace: str) -> None:
    folder = ansible.folder / "files" / "a folder"
    folder.mkdir(parents=True)
    documents = [json.dumps(object_of("ConfigMap", name)) for name in "ab"]
    (folder / "two.yml").write_text("\n---\n".join(documents))
    items = {"apiVersion": "v1", "kind": "List", "items": [object_of("ConfigMap", "c")]}
    (ansible.folder / "list.json").write_text(json.dumps(items))
    told = ansible.task("apply", src=["a folder", "list.json"], namespace=namespace)
    assert [(each["name"], each["namespace"], each["action"]) for each in told["objects"]] == [
        (name, namespace, "created") for name in "abc"
    ]


def test_mistakes_of_the_input_are_told_together_before_anything_is_done(
    ansible: Ansible, client: Client, namespace: str
) -> None:
    (ansible.folder / "bad.yml").write_text("kind: ConfigMap\n---\n- 1\n---\na: [\n")
    told = ansible.task("apply", definition=[config_map("a", namespace)] * 2, src=["bad.yml"])
    lines = told["msg"].splitlines()
    assert lines[0] == "4 mistakes in the objects to apply; nothing was done."
    assert f"{ansible.folder / 'bad.yml'}, document 1: apiVersion and metadata.name are missing." in lines
    assert client.get(CONFIG_MAP, "a", namespace) is None
    assert "one of the following is required: definition, src" in ansible.task("apply")["msg"]


def test_a_failed_object_never_hides_the_others(ansible: Ansible, namespace: str) -> None:
    wrong = {
        ".dta: field not declared in schema": object_of("ConfigMap", "wrong", namespace, dta={}),
        "Invalid value": object_of("ConfigMap", "Wrong", namespace),
        "did you mean ConfigMap?": {**config_map("wrong", namespace), "kind": "ConfigMp"},
        "install what defines it": object_of("Gadget", "wrong", namespace, "example.com/v1"),
        "needs a namespace": object_of("ConfigMap", "wrong"),
        "namespace nowhere-at-all does not exist": config_map("wrong", "nowhere-at-all"),
    }
    right = [config_map(f"right-{number}", namespace) for number in range(3)]
    told = ansible.task("apply", definition=[*right[:1], *wrong.values(), *right[1:]])
    assert told["failed"] and told["changed"]
    assert Counter(actions(told)) == {"created": 3, "failed": 6}
    failed = [each for each in told["objects"] if each["action"] == "failed"]
    for words, result in zip(wrong, failed, strict=True):
        assert words in result["error"], result["error"]
        assert result["error"] in told["msg"]
    assert told["msg"].startswith("6 of 9 objects failed:")


def test_check_mode_before_the_namespace_and_the_kind_are_there(
    ansible: Ansible, client: Client, namespace: str
) -> None:
    group = f"{namespace}.example.com"
    objects = [
        object_of("Namespace", f"{namespace}-new"),
        config_map("a", f"{namespace}-new"),
        definition_of("Gadget", group),
        object_of("Gadget", "a", f"{namespace}-new", f"{group}/v1", spec={"size": 1}),
        object_of("Other", "a", f"{namespace}-new", "other.example.com/v1"),
    ]
    told = ansible.task("apply", "--check", "--diff", definition=objects)
    assert actions(told) == ["created"] * 5
    assert [each.get("verified") for each in told["objects"]] == [None, "unknown", None, "unknown", "unknown"]
    assert client.get(KNOWN["v1", "Namespace"], f"{namespace}-new") is None
    told = ansible.task("apply", definition=objects, state="absent")
    assert actions(told) == ["unchanged"] * 5


def definition_of(kind: str, group: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    size = {"type": "object", "properties": {"size": {"type": "integer"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": size}}}
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"kind": kind, "plural": plural},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    name = f"{plural}.{group}"
    return object_of("CustomResourceDefinition", name, api_version="apiextensions.k8s.io/v1", spec=spec)


def test_custom_resources_with_their_definition_in_one_task(ansible: Ansible, namespace: str) -> None:
    group = f"{namespace}.example.com"
    gadgets = [
        object_of("Gadget", f"g{number}", namespace, f"{group}/v1", spec={"size": number}) for number in range(5)
    ]
    objects = [*gadgets, definition_of("Gadget", group)]
    assert actions(ansible.task("apply", definition=objects)) == ["created"] * 6
    assert actions(ansible.task("apply", definition=objects)) == ["unchanged"] * 6
    wrong = object_of("Gadget", "wrong", namespace, f"{group}/v1", spec={"sise": 1})
    assert ".spec.sise: field not declared in schema" in ansible.task("apply", definition=wrong)["msg"]
    assert actions(ansible.task("apply", definition=objects, state="absent", wait=True)) == ["deleted"] * 6
    assert actions(ansible.task("apply", definition=objects, state="absent")) == ["unchanged"] * 6


def test_what_another_manager_owns_is_taken_only_when_told(ansible: Ansible, client: Client, namespace: str) -> None:
    foreign = config_map("a", namespace, one="theirs", two="theirs")
    assert client.apply(foreign, manager="somebody else").ok
    told = ansible.task("apply", definition=config_map("a", namespace, one="ours", three="ours"))
    assert told["objects"][0]["error"] == (
        "The field manager 'somebody else' owns data.one and means another value: "
        "leave these fields to it, or take them over with force_conflicts: true."
    )
    taken = {"definition": config_map("a", namespace, one="ours", three="ours"), "force_conflicts": True}
    told = ansible.task("apply", **taken)
    assert actions(told) == ["updated"] and told["objects"][0]["diff"]["after"]["data"] == {
        "one": "ours",
        "three": "ours",
    }
    live = client.get(CONFIG_MAP, "a", namespace)
    assert live is not None and live["data"] == {"one": "ours", "two": "theirs", "three": "ours"}
    assert actions(ansible.task("apply", **taken)) == ["unchanged"]
    told = ansible.task("apply", definition=config_map("a", namespace, two="theirs"), field_manager="tests")
    assert actions(told) == ["adopted"] and told["changed"]


def test_secrets_never_reach_the_terminal(ansible: Ansible, namespace: str) -> None:
    words = {"kept": "correct-horse", "changed": "battery-staple", "later": "another-secret"}
    first = object_of("Secret", "a", namespace, stringData={"kept": words["kept"], "value": words["changed"]})
    second = object_of("Secret", "a", namespace, stringData={"kept": words["kept"], "value": words["later"]})
    wrong = object_of("Secret", "b", namespace, stringData={"not a key": words["kept"]})
    (ansible.folder / "secrets.json").write_text(json.dumps([first])[1:-1])
    outputs = []
    for definition, action in ((first, "created"), (second, "updated"), (wrong, "failed")):
        (ansible.folder / "secret.json").write_text(json.dumps(definition))
        for options in (("--check", "--diff", "-vvv"), ("--diff", "-vvv")):
            told = ansible.task("apply", *options, src=["secret.json"])
            assert actions(told) == [action]
            outputs.append(told["output"])
    encoded = ("Y29ycmVjdC1ob3JzZQ", "YmF0dGVyeS1zdGFwbGU", "YW5vdGhlci1zZWNyZXQ")
    for word in (*words.values(), *encoded):
        assert word not in "".join(outputs)


def test_warnings_of_the_server_reach_the_user(ansible: Ansible, namespace: str) -> None:
    subsets = [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 1}]}]
    told = ansible.task("apply", definition=object_of("Endpoints", "a", namespace, subsets=subsets))
    (warning,) = told["objects"][0]["warnings"]
    assert "deprecated" in warning
    assert any(f"Endpoints/{namespace}/a: {warning}" in each for each in told["warnings"])


def test_waiting_until_ready(ansible: Ansible, client: Client, namespace: str) -> None:
    told = ansible.task("apply", definition=deployment(namespace, "sleep", "3600"), wait=True)
    assert actions(told) == ["created"]
    live = client.get(KNOWN["apps/v1", "Deployment"], "tests", namespace)
    assert live is not None and live["status"]["availableReplicas"] == 1


def test_waiting_in_vain(ansible: Ansible, namespace: str) -> None:
    job = object_of(
        "Job",
        "tests",
        namespace,
        "batch/v1",
        spec={"backoffLimit": 0, "template": pod_template("false", restartPolicy="Never")},
    )
    stuck = deployment(namespace, "sleep", "3600", template=pod_template("sleep", "1", nodeSelector={"no": "where"}))
    started = time.monotonic()
    told = ansible.task("apply", definition=[job, config_map("a", namespace)], wait=True, wait_timeout=300)
    assert time.monotonic() - started < 120
    assert actions(told) == ["failed", "created"] and "but it failed: Job has reached" in told["objects"][0]["error"]
    told = ansible.task("apply", definition=stuck, wait=True, wait_timeout=2)
    assert told["objects"][0]["error"] == "It was created, but after 2 s 0 of 1 replicas are updated and available."


def test_with_just_enough_permission(ansible: Ansible, namespace: str, user: Callable[..., Path]) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch", "delete"]}
    config = str(user(rule))
    objects = [config_map(f"c{number}", namespace) for number in range(10)]
    assert actions(ansible.task("apply", definition=objects, kubeconfig=config)) == ["created"] * 10
    assert actions(ansible.task("apply", definition=objects, kubeconfig=config)) == ["unchanged"] * 10
    assert actions(ansible.task("apply", definition=objects, kubeconfig=config, state="absent")) == ["deleted"] * 10


def test_with_too_little_permission(ansible: Ansible, namespace: str, user: Callable[..., Path]) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch"]}
    objects = [config_map("a", namespace), object_of("Secret", "a", namespace), config_map("a", "default")]
    told = ansible.task("apply", definition=objects, kubeconfig=str(user(rule)))
    assert actions(told) == ["created", "failed", "failed"]
    for result, place in zip(told["objects"][1:], (namespace, "default"), strict=True):
        assert "refused (403)" in result["error"] and f'namespace "{place}"' in result["error"]
        assert result["error"].endswith("Grant this permission to the user, or use other credentials.")


CHANGES: dict[str, tuple[Any, Any]] = {
    "a number that is text": ([{"name": "V", "value": "1.1"}], [{"name": "V", "value": "1.10"}]),
    "the order of variables": (
        [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}],
        [{"name": "B", "value": "$(A)"}, {"name": "A", "value": "1"}],
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_looks_like_none_is_written(client: Client, namespace: str, before: Any, after: Any) -> None:
    options = ApplyOptions("hardening.kubernetes/apply")
    obj = deployment(namespace, "true", replicas=0)
    container = obj["spec"]["template"]["spec"]["containers"][0]
    for variables, action in ((before, "created"), (before, "unchanged"), (after, "updated"), (after, "unchanged")):
        container["env"] = variables
        settings = config_map("settings", namespace, value=variables[0]["value"])
        told = apply_objects(client, [obj, settings], options)
        assert [each.action for each in told] == [action, action]
        live = client.get(KNOWN["apps/v1", "Deployment"], "tests", namespace)
        assert live is not None
        assert live["spec"]["template"]["spec"]["containers"][0]["env"] == variables


@pytest.fixture
def sent(client: Client, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The client's requests, counted by method."""
    counts: Counter[str] = Counter()
    send = client._transport.send

    def counting(method: str, *arguments: Any, **more: Any) -> Any:
        counts[method] += 1
        return send(method, *arguments, **more)

    monkeypatch.setattr(client._transport, "send", counting)
    return counts


def certificate_request() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(Encoding.PEM)).decode()


def test_every_known_kind_needs_no_second_write(client: Client, namespace: str, sent: Counter[str]) -> None:
    text = (CHECKOUT / "tests/integration/objects/known_kinds.yml").read_text()
    text = text.replace("NAMESPACE", namespace).replace("CERTIFICATE_REQUEST", certificate_request())
    objects = read_definitions(text, [])
    options = ApplyOptions("hardening.kubernetes/apply")
    try:
        first = apply_objects(client, objects, options)
        assert {(each.api_version, each.kind) for each in first} >= set(KNOWN)
        assert [each for each in first if each.action != "created"] == []
        for again in (options, ApplyOptions(options.manager, dry_run=True)):
            sent.clear()
            second = apply_objects(client, objects, again)
            assert [each for each in second if each.action != "unchanged"] == []
            assert set(sent) == {"GET"}, "a second run makes no write at all"
    finally:
        apply_objects(client, objects, ApplyOptions(options.manager, state="absent"))


def kill_api_server(client: Client) -> None:
    """Kill the process at once; the node's kubelet starts another."""
    (node,) = client.list(KNOWN["v1", "Node"])
    engine = engines.find()
    assert engine, "no Docker engine answers, so that the node of the cluster cannot be entered"
    engine.docker("exec", node["metadata"]["name"], "pkill", "-KILL", "-x", "kube-apiserver")


def api_server_started(client: Client) -> str:
    """When the process that answers was started, in its own words."""
    told = client.request("GET", "/metrics", accept="*/*").body
    assert isinstance(told, str)
    return next(line for line in told.splitlines() if line.startswith("process_start_time_seconds "))


@pytest.mark.alone
def test_a_server_killed_in_the_middle_and_back_again(ansible: Ansible, client: Client, namespace: str) -> None:
    names = [f"c{number:04}" for number in range(2000)]
    documents = [json.dumps(config_map(name, namespace, text="x" * 100)) for name in names]
    (ansible.folder / "many.yml").write_text("\n---\n".join(documents))
    process = ansible.start("apply", src=["many.yml"], retry_timeout=240)
    while len(client.list(CONFIG_MAP, namespace, metadata_only=True)) < 200:
        assert process.poll() is None, "the whole work was done before the server could be killed"
    before = api_server_started(client)
    kill_api_server(client)
    output, errors = process.communicate(timeout=400)
    assert api_server_started(client) != before
    told = json.loads(output[output.index("{") :])["plays"][0]["tasks"][0]["hosts"]["localhost"]
    assert told["summary"]["created"] == 2000, (told.get("msg", "") + errors)[:2000]
    assert {each["metadata"]["name"] for each in client.list(CONFIG_MAP, namespace)} >= set(names)
    again = ansible.task("apply", src=["many.yml"])
    assert again["summary"]["unchanged"] == 2000
