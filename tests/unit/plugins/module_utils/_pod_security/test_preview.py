# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._preview import (
    Before,
    is_exempt,
    refuses_no_level,
    standard_to_ask,
    twin,
    without_finished,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import ExistingPods, PodGroup

SERVER = (1, 36)
LATEST, NAMED, OLD = Standard("baseline"), Standard("baseline", "v1.36"), Standard("baseline", "v1.30")


@pytest.mark.parametrize(
    ("wanted", "other"),
    [(LATEST, NAMED), (NAMED, LATEST), (Standard("baseline", "v1.99"), LATEST), (OLD, None)],
)
def test_the_newest_rules_have_two_names(wanted: Standard, other: Standard | None) -> None:
    assert twin(wanted, SERVER) == other


@pytest.mark.parametrize(
    ("wanted", "before", "asked"),
    [
        (LATEST, Before(lets_in=True), LATEST),
        (LATEST, Before(), None),
        (LATEST, Before(labelled=Standard("privileged")), LATEST),
        (LATEST, Before(labelled=LATEST), NAMED),
        (LATEST, Before(refused_for=Standard("restricted")), NAMED),
        (LATEST, Before(refused_for=Standard("restricted"), labelled=Standard("privileged")), NAMED),
        (OLD, Before(refused_for=OLD), None),
        (OLD, Before(refused_for=Standard("restricted")), OLD),
    ],
)
def test_what_to_ask_so_that_the_server_looks(wanted: Standard, before: Before, asked: Standard | None) -> None:
    assert standard_to_ask(wanted, before, SERVER) == asked


def test_what_is_known_of_a_namespace_is_told() -> None:
    assert [str(Before()), str(Before(labelled=OLD))] == ["not known", "baseline:v1.30"]


@pytest.mark.parametrize(
    ("warning", "exempt"),
    [
        ('namespace "x" is exempt from Pod Security, and the policy (enforce="baseline") will be ignored', True),
        ("y", False),
    ],
)
def test_an_exemption_is_read(warning: str, exempt: bool) -> None:
    assert is_exempt(ExistingPods(False, (), "", (warning,))) is exempt


def test_a_refused_level_is_read() -> None:
    assert refuses_no_level('Invalid value: "x": must be one of privileged, baseline, restricted')
    assert not refuses_no_level('namespaces "x" is forbidden')


def pod(name: str, phase: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [], **spec}, "status": {"phase": phase}}


DONE, DONE_TOO = pod("done", "Succeeded", hostPID=True), pod("done-too", "Failed", hostPID=True)
RUNS, FINE = pod("runs", "Running", hostPID=True), pod("fine", "Running")


@pytest.mark.parametrize(
    ("group", "pods", "left"),
    [
        (PodGroup("done", 0, "hostPID"), [DONE, FINE], False),
        (PodGroup("done", 1, "hostPID"), [DONE, DONE_TOO, FINE], False),
        (PodGroup("done", 1, "hostPID"), [DONE, DONE_TOO], False),
        (PodGroup("done", 1, "hostPID"), [DONE, RUNS], True),
        (PodGroup("done", 2, "hostPID"), [DONE, DONE_TOO, FINE], True),
        (PodGroup("runs", 0, "hostPID"), [RUNS], True),
        (PodGroup("gone", 0, "hostPID"), [FINE], True),
        (PodGroup("done", 0, "hostPID"), [], True),
    ],
)
def test_finished_pods_do_not_count_as_running(group: PodGroup, pods: list[dict[str, Any]], left: bool) -> None:
    found = without_finished(ExistingPods(True, (group,), "", ("other",)), pods)
    assert (found.violate, bool(found.groups), found.other) == (left, left, ("other",))


def test_what_the_server_names_no_pod_of_stays_unless_all_are_finished() -> None:
    unnamed = ExistingPods(True, (), "", ())
    assert without_finished(unnamed, [DONE, RUNS]).violate
    assert not without_finished(unnamed, [DONE]).violate
