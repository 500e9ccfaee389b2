# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second API server of the same cluster, which exempts a namespace from Pod Security and knows no quotas and limits.

It runs on the same node, with the same etcd, beside the first, so that nothing but this differs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._labelling import (
    expected,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import labels
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolve
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._look import look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._look import look as look_at_limits
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._resource_limits._read import (
    SETTINGS_SPEC,
    read,
    read_arguments,
)

from tests.integration.plays import run_task
from tests.testbed import engine as engines

PORT = 7443
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver-exempting.yaml"
CONFIGURATION = "/etc/kubernetes/hardening-admission.yaml"
EXEMPT, ENFORCED = "pod-security-exempt", "pod-security-not-exempt"
SETTINGS = {"enforce": "restricted"}
ADMISSION = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AdmissionConfiguration",
    "plugins": [
        {
            "name": "PodSecurity",
            "configuration": {
                "apiVersion": "pod-security.admission.config.k8s.io/v1",
                "kind": "PodSecurityConfiguration",
                "exemptions": {"namespaces": [EXEMPT]},
            },
        }
    ],
}

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def node(client: Client) -> tuple[str, str]:
    """Name and address of a control-plane node; its container has the same name."""
    (found, *_others) = client.list(KNOWN["v1", "Node"], label_selector="node-role.kubernetes.io/control-plane")
    addresses = {each["type"]: each["address"] for each in found["status"]["addresses"]}
    return found["metadata"]["name"], addresses["InternalIP"]


@pytest.fixture(scope="module")
def exempting(client: Client, node: tuple[str, str]) -> Iterator[Client]:
    """A client of the second API server."""
    name, address = node
    engine = engines.find()
    assert engine, "no Docker engine answers, so that the node of the cluster cannot be entered"
    told = engine.docker("exec", name, "cat", "/etc/kubernetes/manifests/kube-apiserver.yaml")

    def write(path: str, document: Any) -> None:
        engine.docker("exec", "--interactive", name, "cp", "/dev/stdin", path, text=json.dumps(document))

    write(CONFIGURATION, ADMISSION)
    # Written elsewhere and then moved, so that the kubelet never reads half of it.
    write("/etc/kubernetes/exempting.partial", second_server(yaml.safe_load(told)))
    engine.docker("exec", name, "mv", "/etc/kubernetes/exempting.partial", MANIFEST)
    second = client.at(f"https://{address}:{PORT}")
    try:
        wait_until_answers(second)
        yield second
    finally:
        engine.docker("exec", name, "rm", "--force", MANIFEST, CONFIGURATION)


def second_server(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    other = (
        "--secure-port=",
        "--endpoint-reconciler-type=",
        "--admission-control-config-file=",
        "--disable-admission-plugins=",
    )
    container["command"] = [
        *(argument for argument in container["command"] if not argument.startswith(other)),
        f"--secure-port={PORT}",
        "--endpoint-reconciler-type=none",
        f"--admission-control-config-file={CONFIGURATION}",
        "--disable-admission-plugins=ResourceQuota,LimitRanger",
    ]
    for key in ("livenessProbe", "readinessProbe", "startupProbe", "ports", "resources"):
        container.pop(key, None)
    container["volumeMounts"].append({"name": "admission", "mountPath": CONFIGURATION, "readOnly": True})
    pod["spec"]["volumes"].append({"name": "admission", "hostPath": {"path": CONFIGURATION, "type": "File"}})
    pod["metadata"] = {"name": "kube-apiserver-exempting", "namespace": pod["metadata"]["namespace"]}
    return pod


def wait_until_answers(client: Client, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if client.request("GET", "/readyz").ok:
                return
        except KubeError:
            pass
        assert time.monotonic() < deadline, f"{client.server} is not ready after {seconds} s"
        time.sleep(0.5)


@pytest.fixture(scope="module", autouse=True)
def namespaces(client: Client) -> Iterator[None]:
    for name in (EXEMPT, ENFORCED):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels(SETTINGS)}}
        assert client.apply(body, manager="test", force=True).ok
    yield
    for name in (EXEMPT, ENFORCED):
        client.delete(KNOWN["v1", "Namespace"], name)


def enforced(client: Client) -> dict[str, Finding]:
    live = [client.get(KNOWN["v1", "Namespace"], name) or {} for name in (EXEMPT, ENFORCED)]
    resolution = resolve(live, dict.fromkeys((EXEMPT, ENFORCED), SETTINGS), [], {}, [])
    by_name = {each["metadata"]["name"]: each for each in live}
    seen = look(client, by_name, resolution, 2, lambda _done, _total: None)
    return {name: findings[0] for name, findings in seen.items()}


def test_an_exempted_namespace_fails_with_the_likely_cause(exempting: Client) -> None:
    seen = enforced(exempting)
    assert seen[ENFORCED].status == "pass"
    failed = seen[EXEMPT]
    assert (failed.status, failed.proof) == ("fail", "effect")
    assert "is let in although the namespace is labelled restricted:latest" in failed.evidence
    assert "AdmissionConfiguration most likely exempts this namespace" in failed.evidence
    assert "--admission-control-config-file" in failed.remedy


def test_what_runs_in_an_exempted_namespace_is_not_called_compliant(client: Client, exempting: Client) -> None:
    template = {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"namespace": EXEMPT, "name": "any"},
        "template": {"spec": {"hostPID": True, "containers": [{"name": "main", "image": "any"}]}},
    }
    assert client.create(template).ok
    live = {EXEMPT: client.get(KNOWN["v1", "Namespace"], EXEMPT) or {}}
    resolution = resolve(list(live.values()), {EXEMPT: SETTINGS}, [], {}, [])
    _enforced, comply = look(exempting, live, resolution, 2, lambda _done, _total: None)[EXEMPT]
    assert (comply.status, comply.subject) == ("unknown", f"Namespace/{EXEMPT}")
    assert "not seen to judge by restricted:latest" in comply.evidence


def test_what_runs_in_an_exempted_namespace_without_labels_is_not_called_compliant(
    client: Client, exempting: Client
) -> None:
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": EXEMPT}}
    assert client.apply(bare, manager="test", force=True).ok
    live = {EXEMPT: client.get(KNOWN["v1", "Namespace"], EXEMPT) or {}}
    resolution = resolve(list(live.values()), {EXEMPT: SETTINGS}, [], {}, [])
    failed, comply = look(exempting, live, resolution, 2, lambda _done, _total: None)[EXEMPT]
    assert (failed.status, comply.status) == ("fail", "unknown")
    assert "is exempt from Pod Security" in failed.evidence
    assert "--admission-control-config-file" in failed.remedy
    assert expected(failed, labels_would_be_set=True).would == "fail"
    labelled = {**bare, "metadata": {"name": EXEMPT, "labels": labels(SETTINGS)}}
    assert client.apply(labelled, manager="test", force=True).ok


def test_each_of_several_api_servers_is_asked_at_its_own_address(
    client: Client, exempting: Client, node: tuple[str, str]
) -> None:
    _name, address = node
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "default",
            "name": "pod-security-second-api-server",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": PORT, "protocol": "TCP"}],
    }
    slices = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
    try:
        assert client.create(endpoints).ok
        seen = enforced(client)
    finally:
        client.delete(slices, "pod-security-second-api-server", "default")
    assert seen[ENFORCED].status == "pass"
    assert seen[ENFORCED].evidence.endswith("3 times in a row at each of 2 API servers")
    assert seen[EXEMPT].status == "fail"
    assert f" at {exempting.server} (asked " in seen[EXEMPT].evidence


def test_an_api_server_that_is_not_ready_is_not_asked(client: Client) -> None:
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "default",
            "name": "pod-security-no-api-server",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.1"], "conditions": {"ready": False}}],
        "ports": [{"name": "https", "port": PORT, "protocol": "TCP"}],
    }
    slices = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
    try:
        assert client.create(endpoints).ok
        seen = enforced(client)
    finally:
        client.delete(slices, "pod-security-no-api-server", "default")
    assert seen[ENFORCED].status == "pass"
    assert "192.0.2.1" not in seen[ENFORCED].evidence


def test_quotas_and_limits_that_an_api_server_does_not_know_fail(
    client: Client, exempting: Client, kubeconfig: Path
) -> None:
    defaults = {"cpu": "100m"}
    limits = {"container": {"max": {"cpu": "1"}, "default": defaults, "default_request": defaults}}
    options = {"namespaces": {ENFORCED: {"quota": {"requests.cpu": "2"}, "limits": limits}}}
    assert not run_task(kubeconfig, "resource_limits", False, options)["failed"]
    wanted = read(
        client, read_arguments({**{name: each["default"] for name, each in SETTINGS_SPEC.items()}, **options})
    )

    def seen(asked: Client) -> dict[str, Finding]:
        found = look_at_limits(asked, wanted.places, 10, lambda _done, _total: None)[ENFORCED]
        return {finding.control: finding for finding in found}

    here = seen(client)
    assert {here[control].status for control in ("resources.quota", "resources.limits")} == {"pass"}
    there = seen(exempting)
    assert {there[control].status for control in ("resources.quota", "resources.limits")} == {"fail"}
    assert "is let in although the ResourceQuota hardening-quota is there" in there["resources.quota"].evidence
    assert "gets past the LimitRange hardening-limits" in there["resources.limits"].evidence
    assert "--disable-admission-plugins" in there["resources.quota"].remedy
