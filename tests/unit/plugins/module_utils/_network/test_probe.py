# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    End,
    in_force,
    is_probe,
    opening,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe import (
    Attempt,
    Question,
    Trial,
    Verdict,
    allow,
    attempts,
    closed_port,
    holds,
    labels_of,
    pod,
    sample,
    speak_for_others,
    why_not_running,
)

TRIAL = Trial("abcd", ("ingress", "egress"), "shop", "shop", 20011)
NAMES = {"kubernetes.io/metadata.name": "shop"}


def end(role: Any, namespace: str = "shop", token: str = "abcd") -> End:
    return End(namespace, {"kubernetes.io/metadata.name": namespace}, labels_of(token, role))


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_probe_pod_complies_with_restricted_and_ends_by_itself(role: Any) -> None:
    made = pod(TRIAL, role, "busybox", 90, ["10.0.0.1"])
    spec, container = made["spec"], made["spec"]["containers"][0]
    assert made["metadata"]["name"].startswith("hardening-probe-")
    assert spec["activeDeadlineSeconds"] == 90 and spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys() == {"cpu", "memory"}


def test_the_client_is_told_whom_to_ask() -> None:
    container = pod(TRIAL, "client", "busybox", 90, ["10.0.0.1", "fd00::1"])["spec"]["containers"][0]
    assert container["env"] == [{"name": "ADDRESSES", "value": "10.0.0.1 fd00::1"}, {"name": "PORT", "value": "20011"}]


@pytest.mark.parametrize(
    ("direction", "subject", "other"), [("ingress", "server", "client"), ("egress", "client", "server")]
)
def test_the_pairs_policy_opens_its_end_for_the_other_and_nothing_else(
    direction: Any, subject: Any, other: Any
) -> None:
    made = allow(TRIAL, direction)
    policies = [in_force(made)]
    assert is_probe(made)
    assert opening(policies, direction, end(subject), end(other), 20011, "TCP")
    assert not opening(policies, direction, end(subject), end(other), 20012, "TCP")
    assert not opening(policies, direction, end(subject), end(other, "data"), 20011, "TCP")
    assert not opening(policies, direction, end(subject), end(other, token="else"), 20011, "TCP")
    assert not opening(policies, direction, end(other), end(subject), 20011, "TCP")


def test_a_pair_may_stand_in_two_namespaces() -> None:
    trial = Trial("abcd", ("ingress",), "shop", "data", 20011)
    assert [pod(trial, role, "i", 1)["metadata"]["namespace"] for role in ("server", "client")] == ["shop", "data"]
    assert [allow(trial, each)["metadata"]["namespace"] for each in ("ingress", "egress")] == ["shop", "data"]
    assert opening([in_force(allow(trial, "ingress"))], "ingress", end("server"), end("client", "data"), 20011, "TCP")


def port(*rules: dict[str, Any], other: str = "shop") -> int:
    policies = [
        in_force({"metadata": {"name": "p", "namespace": "shop"}, "spec": {"podSelector": {}, "ingress": list(rules)}})
    ]
    return closed_port(policies, [Question("ingress", end("server"), end("client", other))])


def test_a_port_that_nobody_opens_is_chosen() -> None:
    assert port() == 20011
    assert port({"ports": [{"port": 20011}]}) == 21008
    assert port({"ports": [{"port": 20000, "endPort": 30000}]}) > 30000
    assert port({"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}) == 20011


def test_a_port_that_an_address_range_opens_is_chosen_only_if_there_is_no_other() -> None:
    block = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    assert port({**block, "ports": [{"port": 20011}]}) == 21008
    assert port(block) == 20011


def test_no_port_is_closed_where_all_pods_may_talk() -> None:
    assert port({"from": [{"podSelector": {}}]}) == 0
    assert port({"from": [{"podSelector": {}}]}, other="data") == 20011
    assert port({}, other="data") == 0


def test_attempts_are_read_and_a_broken_line_is_not() -> None:
    log = "1 open\n2 closed\n\nsh: nc: not found\n3 open closed\n4 ope\n5\n6 open"
    assert attempts(log) == [Attempt(1, (True,)), Attempt(2, (False,)), Attempt(3, (True, False))]


@pytest.mark.parametrize(
    ("answers", "after", "is_open", "is_closed"),
    [
        ("ooooo", 0, True, False),
        ("ccccc", 0, False, True),
        ("ooccc", 0, False, True),
        ("ooccc", 1, False, True),
        ("ooccc", 2, False, False),
        ("cccoo", 0, False, False),
        ("oo", 0, False, False),
        ("", 0, False, False),
        ("ooo", 3, False, False),
    ],
)
def test_an_effect_holds_after_several_answers_in_a_row(
    answers: str, after: int, is_open: bool, is_closed: bool
) -> None:
    seen = [Attempt(number, (answer == "o",)) for number, answer in enumerate(answers, 1)]
    assert holds(seen, after, wanted_open=True) is is_open
    assert holds(seen, after, wanted_open=False) is is_closed


def test_every_address_counts() -> None:
    seen = [Attempt(number, (True, False)) for number in range(1, 9)]
    assert not holds(seen, 0, wanted_open=True)
    assert not holds(seen, 0, wanted_open=False)


def waiting(reason: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": "because"}}
    return {"status": {"phase": "Pending", "containerStatuses": [{"state": state}]}}


@pytest.mark.parametrize(
    ("there", "why", "hopeless"),
    [
        ({"status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]}}, "", False),
        ({"status": {"phase": "Running"}}, "its node has not started it", False),
        ({}, "its node has not started it", False),
        (waiting("ContainerCreating"), "its node has not started it", False),
        (waiting("ErrImagePull"), "ErrImagePull: because", False),
        (waiting("ImagePullBackOff"), "ImagePullBackOff: because", True),
        (waiting("InvalidImageName"), "InvalidImageName: because", True),
        (
            {"status": {"containerStatuses": [{"state": {"terminated": {"exitCode": 127, "reason": "Error"}}}]}},
            "it ended with exit code 127: Error",
            True,
        ),
        ({"status": {"phase": "Failed", "reason": "Evicted"}}, "it ended: Evicted", True),
        (
            {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}},
            "Unschedulable",
            False,
        ),
    ],
)
def test_a_pod_that_does_not_run_says_why(there: dict[str, Any], why: str, hopeless: bool) -> None:
    assert why_not_running(there) == (why, hopeless)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("all", ["a", "b", "c", "d"]),
        (1, ["a"]),
        (2, ["a", "c"]),
        ("3", ["a", "b", "c"]),
        (9, ["a", "b", "c", "d"]),
        (["d", "b"], ["b", "d"]),
        ([], []),
    ],
)
def test_a_sample_is_all_a_number_spread_or_by_name(wanted: Any, chosen: list[str]) -> None:
    assert sample(["d", "c", "b", "a"], wanted) == chosen


def test_a_sample_speaks_for_the_others_only_if_all_of_it_passed() -> None:
    passed = {"a": Verdict("pass", "tried"), "b": Verdict("pass", "tried")}
    assert speak_for_others(passed, ["a", "b"]) == passed
    told = speak_for_others(passed, ["a", "b", "c"])["c"]
    assert told.status == "pass" and "tried in a, b" in told.evidence and "not probed itself" in told.evidence
    mixed = {**passed, "b": Verdict("fail", "ignores")}
    told = speak_for_others(mixed, ["a", "b", "c"])["c"]
    assert told.status == "unknown" and "b: ignores" in told.evidence
    assert speak_for_others(mixed, ["a", "b", "c"])["a"].status == "pass"
    assert speak_for_others({}, ["a"]) == {}
