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
    CLOSED,
    OPEN,
    TOLD_APART,
    Attempt,
    Question,
    State,
    Verdict,
    attempts,
    closed_ports,
    holds,
    sample,
    speak_for_others,
    stayed_open,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe_pods import (
    Trial,
    allow,
    expiry,
    is_left_over,
    labels_of,
    pod,
    why_not_running,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction

IN: tuple[Direction, ...] = ("ingress",)
EGRESS: tuple[Direction, ...] = ("egress",)
BOTH = (*IN, *EGRESS)
TRIAL = Trial("abcd", ("ingress", "egress"), "shop", "shop", 20011, 21008)
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
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told == {"ADDRESSES": "10.0.0.1 fd00::1", "PORT": "20011", "CONTROL_PORT": "21008"}


@pytest.mark.parametrize(
    ("direction", "subject", "other"), [("ingress", "server", "client"), ("egress", "client", "server")]
)
def test_the_pairs_policy_opens_its_end_for_the_other_and_nothing_else(
    direction: Any, subject: Any, other: Any
) -> None:
    made = allow(TRIAL, direction, 20011)
    policies = [in_force(made)]
    assert is_probe(made)
    assert opening(policies, direction, end(subject), end(other), 20011, "TCP")
    assert not opening(policies, direction, end(subject), end(other), 20012, "TCP")
    assert not opening(policies, direction, end(subject), end(other, "data"), 20011, "TCP")
    assert not opening(policies, direction, end(subject), end(other, token="else"), 20011, "TCP")
    assert not opening(policies, direction, end(other), end(subject), 20011, "TCP")


def test_a_pair_may_stand_in_two_namespaces() -> None:
    trial = Trial("abcd", ("ingress",), "shop", "data", 20011, 21008)
    assert [pod(trial, role, "i", 1)["metadata"]["namespace"] for role in ("server", "client")] == ["shop", "data"]
    assert [allow(trial, each, 1)["metadata"]["namespace"] for each in ("ingress", "egress")] == ["shop", "data"]
    assert opening(
        [in_force(allow(trial, "ingress", 20011))], "ingress", end("server"), end("client", "data"), 20011, "TCP"
    )


def port(*rules: dict[str, Any], other: str = "shop") -> int:
    policies = [
        in_force({"metadata": {"name": "p", "namespace": "shop"}, "spec": {"podSelector": {}, "ingress": list(rules)}})
    ]
    found = closed_ports(policies, [Question("ingress", end("server"), end("client", other))])
    return found[0] if found else 0


def test_the_two_ports_of_a_pair_differ() -> None:
    assert closed_ports([], []) == (20011, 21008)


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
    log = "1 open closed\n2 closed\n\nsh: nc: not found\n3 open closed closed open\n4 open ope\n5\n6 open open"
    assert attempts(log) == [Attempt(1, (True,), (False,)), Attempt(3, (True, False), (False, True))]
    assert str(attempts(log)[0]) == "open, control port closed"


def rounds(answers: str) -> list[Attempt]:
    """A word of two letters for each round: the port that is tried, then the control port, ``o`` or ``c``."""
    return [Attempt(number, (word[0] == "o",), (word[1] == "o",)) for number, word in enumerate(answers.split(), 1)]


@pytest.mark.parametrize(
    ("answers", "after", "state"),
    [
        ("oo oo oo oo oo", 0, OPEN),
        ("cc cc cc cc cc", 0, CLOSED),
        ("oo oo cc cc cc", 0, CLOSED),
        ("oo oo cc cc cc", 1, CLOSED),
        ("oo oo cc cc cc", 2, None),
        ("cc cc cc oo oo", 0, None),
        ("cc cc co co co", 1, TOLD_APART),
        ("cc co cc co co", 0, None),
        ("oo oo", 0, None),
        ("", 0, None),
        ("oo oo oo", 3, None),
    ],
)
def test_an_effect_holds_after_several_answers_in_a_row(answers: str, after: int, state: State | None) -> None:
    seen = rounds(answers)
    assert [each for each in (OPEN, CLOSED, TOLD_APART) if holds(seen, after, each)] == [state] * (state is not None)


def test_an_outage_is_not_taken_for_a_deny() -> None:
    """What is closed counts only in rounds in which the control port answers."""
    assert not holds(rounds("oo oo cc cc cc cc"), 0, TOLD_APART)
    assert holds(rounds("oo oo co co co"), 0, TOLD_APART)
    assert not stayed_open(rounds("oo oo cc cc cc cc"), 0, TOLD_APART)


@pytest.mark.parametrize(
    ("answers", "wanted", "ignored"),
    [
        ("oo oo oo oo", CLOSED, True),
        ("oo oo oo oo", TOLD_APART, True),
        ("oo oo co co co", CLOSED, True),
        ("oo oo oo cc oo", CLOSED, False),
        ("oo oo cc cc cc", TOLD_APART, False),
        ("co co co co co", TOLD_APART, False),
    ],
)
def test_what_stays_open_in_every_round_is_ignored_by_the_network(answers: str, wanted: State, ignored: bool) -> None:
    assert stayed_open(rounds(answers), 0, wanted) is ignored


def test_every_address_counts() -> None:
    seen = [Attempt(number, (True, False), (True, False)) for number in range(1, 9)]
    assert not any(holds(seen, 0, each) for each in (OPEN, CLOSED, TOLD_APART))


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
    assert sample(dict.fromkeys(["d", "c", "b", "a"], BOTH), wanted) == chosen


@pytest.mark.parametrize(
    ("denying", "wanted", "chosen"),
    [
        ({"a": IN, "b": BOTH, "c": EGRESS, "d": BOTH}, 1, ["b"]),
        ({"a": IN, "b": BOTH, "c": EGRESS, "d": BOTH}, 3, ["a", "b", "d"]),
        ({"a": IN, "b": IN, "c": EGRESS}, 1, ["a", "c"]),
        ({"a": IN, "b": IN, "c": EGRESS}, 2, ["a", "b", "c"]),
        ({}, 3, []),
    ],
)
def test_a_sample_tries_each_direction_that_is_denied(
    denying: dict[str, tuple[Direction, ...]], wanted: int, chosen: list[str]
) -> None:
    assert sample(denying, wanted) == chosen


def test_a_sample_speaks_for_the_others_only_if_all_of_it_passed() -> None:
    passed = {"a": Verdict("pass", "tried"), "b": Verdict("pass", "tried")}
    denying = dict.fromkeys("abc", BOTH)
    assert speak_for_others(passed, {"a": BOTH, "b": BOTH}) == passed
    told = speak_for_others(passed, denying)["c"]
    assert told.status == "pass" and "not probed itself" in told.evidence
    assert "tried in a, b (2 of 3 namespaces)" in told.evidence
    mixed = {**passed, "b": Verdict("fail", "ignores")}
    told = speak_for_others(mixed, denying)["c"]
    assert told.status == "unknown" and "b: ignores" in told.evidence
    assert speak_for_others(mixed, denying)["a"].status == "pass"
    assert speak_for_others({}, {"a": BOTH}) == {}


def test_a_sample_does_not_speak_for_a_direction_that_it_did_not_try() -> None:
    told = speak_for_others({"a": Verdict("pass", "tried")}, {"a": IN, "b": IN, "c": EGRESS, "d": BOTH})
    assert {name: each.status for name, each in told.items()} == {
        "a": "pass",
        "b": "pass",
        "c": "unknown",
        "d": "unknown",
    }
    assert "no namespace of the sample denies egress" in told["d"].evidence


def test_only_what_has_outlived_its_run_is_left_over() -> None:
    made = pod(TRIAL, "server", "busybox", 90, (), expiry(1000.5, 90))
    assert made["metadata"]["annotations"]["hardening.kubernetes/probe-expires"] == "1090"
    assert not is_left_over(made["metadata"], 1090)
    assert is_left_over(made["metadata"], 1091)
    policy = allow(TRIAL, "ingress", 1, expiry(1000, 90))
    assert not is_left_over(policy["metadata"], 1080) and is_left_over(policy["metadata"], 1100)
    assert is_left_over({"name": "hardening-probe-x"}, 0)
    assert not is_left_over({"name": "theirs"}, 10**10)
