# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict as CI reads it, runs on some namespaces alone, and the canary that stops a run."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN

from tests.integration.test_harden_cluster import (
    AUDIT,
    CHECKOUT,
    HARDEN,
    NAMESPACE,
    POD,
    REMOVE,
    Run,
    play,
    remove_namespace,
    state,
)

FIRST, SECOND, THIRD = "audit-test-first", "audit-test-second", "audit-test-third"
POLICIES = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
POLICY = f"""\
policy_version: 1
name: audit-test
namespaces:
  {FIRST}:
    pod_security: {{enforce: restricted}}
    network: {{default_deny: [ingress, egress], dns: true}}
  {SECOND}:
    network: {{default_deny: [ingress], accept_risks: [dns]}}
selected:
  - {{selector: audit-test=yes, pod_security: {{enforce: baseline}}}}
accept_unknown: [network.default_deny]
"""
UNPROBED = ("-e", "probe=false")  # what a network lets through is tested elsewhere
BAD = {
    **POD,
    "metadata": {"name": "bad", "namespace": FIRST},
    "spec": {**POD["spec"], "hostPID": True},
}


@pytest.fixture(scope="module")
def admin() -> Path:
    return Path(os.environ.get("HARDENING_KUBECONFIG") or CHECKOUT / "build/clusters/hardening/kubeconfig")


@pytest.fixture(scope="module")
def client(admin: Path) -> Client:
    return connect({"kubeconfig": str(admin)})


@pytest.fixture
def namespaces(client: Client) -> Iterator[tuple[str, str, str]]:
    """One that the policy names, one that it names and selects, one that it selects alone."""
    names = (FIRST, SECOND, THIRD)
    for name in names:
        remove_namespace(client, name)
        labels = {} if name == FIRST else {"audit-test": "yes"}
        assert client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}).ok
    for name in names:
        while not client.get(KNOWN["v1", "ServiceAccount"], "default", name):
            time.sleep(0.05)
    yield names
    for name in names:
        client.delete(NAMESPACE, name)


def levels(client: Client, name: str) -> set[str]:
    live = client.get(NAMESPACE, name)
    assert live is not None
    return {key for key in live["metadata"]["labels"] if key.startswith("pod-security.")}


def policies(client: Client, name: str) -> set[str]:
    return {each["metadata"]["name"] for each in client.list(POLICIES, name)}


def told_of(run: Run) -> set[str]:
    """The namespaces that the findings of a run are about."""
    assert run.report is not None, run.output
    subjects = [each["subject"].split("/") for each in run.report["findings"] if each["subject"].count("/")]
    return {parts[1] for parts in subjects if parts[0] in ("Namespace", "Pod")}


@pytest.mark.usefixtures("namespaces")
def test_a_limited_run_leaves_everything_else_as_it_is(client: Client, admin: Path, tmp_path: Path) -> None:
    before = {name: state(client, name) for name in (SECOND, THIRD)}
    first = play(HARDEN, admin, tmp_path, *UNPROBED, "-e", f"only={FIRST}", policy=POLICY)
    assert first.status == 0, first.output
    assert levels(client, FIRST) and policies(client, FIRST)
    assert {name: state(client, name) for name in (SECOND, THIRD)} == before
    assert told_of(first) == {FIRST}
    assert f"limited to {FIRST}: nothing else was touched or judged" in first.output
    assert first.report is not None
    assert first.report["scope"] == {"only": [FIRST], "canary": [], "stopped_at_canary": False}

    rest = play(HARDEN, admin, tmp_path, *UNPROBED, "-e", "only=audit-test-s*,audit-test-third", policy=POLICY)
    assert rest.status == 0, rest.output
    assert told_of(rest) == {SECOND, THIRD}
    assert levels(client, THIRD) and policies(client, SECOND)

    # The policy no longer says anything of the network: what other namespaces have of it stays.
    less = POLICY.replace("    network: {default_deny: [ingress, egress], dns: true}\n", "").replace(
        "network: {default_deny: [ingress], accept_risks: [dns]}", "pod_security: {enforce: baseline}"
    )
    kept = {name: policies(client, name) for name in (FIRST, SECOND)}
    pruned = play(HARDEN, admin, tmp_path, *UNPROBED, "-e", f"only={FIRST}", policy=less)
    assert pruned.status == 0, pruned.output
    assert policies(client, FIRST) == set()
    assert policies(client, SECOND) == kept[SECOND]

    before = {name: state(client, name) for name in (FIRST, THIRD)}
    removed = play(REMOVE, admin, tmp_path, "-e", f"only={SECOND}", policy=POLICY)
    assert removed.status == 0, removed.output
    assert not levels(client, SECOND) and not policies(client, SECOND)
    assert {name: state(client, name) for name in (FIRST, THIRD)} == before


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize(
    ("playbook", "arguments", "told"),
    [
        (HARDEN, ("-e", "only=audit-test-frist"), f"no namespace audit-test-frist, did you mean {FIRST}?"),
        (REMOVE, ("-e", "only="), "only: '' is neither the name of a namespace nor a glob"),
    ],
)
def test_a_limit_that_means_nobody_stops_everything(
    client: Client, admin: Path, tmp_path: Path, playbook: str, arguments: tuple[str, ...], told: str
) -> None:
    before = state(client, FIRST)
    run = play(playbook, admin, tmp_path, *arguments, policy=POLICY)
    assert run.status == 2
    assert told in " ".join(run.output.split())
    assert run.report is None
    assert state(client, FIRST) == before


@pytest.mark.usefixtures("namespaces")
def test_a_canary_that_fails_stops_the_run_and_one_in_order_lets_it_go_on(
    client: Client, admin: Path, tmp_path: Path
) -> None:
    assert client.create(BAD).ok
    before = {name: state(client, name) for name in (SECOND, THIRD)}
    junit = tmp_path / "report.xml"
    arguments = ("-e", f"canary={FIRST}", "-e", f"junit={junit}")
    stopped = play(HARDEN, admin, tmp_path, *UNPROBED, *arguments, policy=POLICY)
    assert stopped.status == 2, stopped.output
    assert f"the canary {FIRST}: the run stopped there, and no other namespace was touched" in stopped.output
    assert {name: state(client, name) for name in (SECOND, THIRD)} == before
    assert told_of(stopped) == {FIRST}
    assert stopped.report is not None
    assert stopped.report["scope"]["stopped_at_canary"] is True
    assert ElementTree.parse(junit).getroot().get("failures") != "0"

    previewed = play(HARDEN, admin, tmp_path, *UNPROBED, "--check", *arguments, policy=POLICY)
    assert previewed.status == 0, previewed.output
    assert told_of(previewed) == {FIRST, SECOND, THIRD}

    client.delete(KNOWN["v1", "Pod"], "bad", FIRST)
    while client.get(KNOWN["v1", "Pod"], "bad", FIRST):
        time.sleep(0.2)
    whole = play(HARDEN, admin, tmp_path, *UNPROBED, *arguments, policy=POLICY)
    assert whole.status == 0, whole.output
    assert f"canary {FIRST}: " in whole.output
    assert told_of(whole) == {FIRST, SECOND, THIRD}
    assert levels(client, THIRD) and policies(client, SECOND)
    assert ElementTree.parse(junit).getroot().get("failures") == "0"


def case(junit: Path, control: str, subject: str) -> ElementTree.Element:
    (found,) = [
        each
        for each in ElementTree.parse(junit).getroot().iter("testcase")
        if (each.get("classname"), each.get("name")) == (control, subject)
    ]
    (outcome,) = found
    return outcome


@pytest.mark.usefixtures("namespaces")
def test_an_audit_accepts_what_the_policy_names_and_waives_to_the_last_day(
    client: Client, admin: Path, tmp_path: Path
) -> None:
    assert client.create(BAD).ok
    plain = POLICY.replace("accept_unknown: [network.default_deny]\n", "")
    proceeding = plain + "cluster: {pod_security: {on_violation: proceed}}\n"
    hardened = play(HARDEN, admin, tmp_path, *UNPROBED, policy=proceeding)
    assert "fail" in hardened.statuses("pod_security.running_comply"), hardened.output

    def audit(**more: Any) -> tuple[Run, Path]:
        junit = tmp_path / "report.xml"
        added = "".join(f"{key}: {value}\n" for key, value in more.items())
        before = state(client, FIRST)
        run = play(AUDIT, admin, tmp_path, "-e", f"junit={junit}", policy=proceeding + added)
        assert run.changed == 0
        assert state(client, FIRST) == before
        return run, junit

    def waiver(expires: datetime.date) -> str:
        subject = f"Pod/{FIRST}/bad"
        return (
            f"[{{control: pod_security.running_comply, subject: {subject}, reason: r, owner: ops, expires: {expires}}}]"
        )

    today = datetime.datetime.now(datetime.UTC).date()
    strict, junit = audit()
    assert strict.status == 2
    assert case(junit, "network.default_deny", f"Namespace/{FIRST}").tag == "error"
    assert case(junit, "pod_security.running_comply", f"Pod/{FIRST}/bad").tag == "failure"
    assert case(junit, "pod_security.enforced", f"Namespace/{FIRST}").tag == "system-out"

    names = f'["network.default_deny Namespace/{FIRST}", network.default_deny, network.flows]'
    accepted, junit = audit(accept_unknown=names, waivers=waiver(today))
    assert accepted.status == 0, accepted.output
    skipped = case(junit, "network.default_deny", f"Namespace/{FIRST}")
    assert (skipped.tag, "accepted as unknown by the policy" in (skipped.get("message") or "")) == ("skipped", True)
    waived = case(junit, "pod_security.running_comply", f"Pod/{FIRST}/bad")
    assert (waived.tag, f"waived until {today} by ops: r" in (waived.get("message") or "")) == ("skipped", True)

    late, junit = audit(accept_unknown=names, waivers=waiver(today - datetime.timedelta(days=1)))
    assert late.status == 2, late.output
    assert case(junit, "pod_security.running_comply", f"Pod/{FIRST}/bad").tag == "failure"
    assert late.statuses("policy.waivers") == {"pass", "fail"}
