# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy would say of live Pod Security labels, and which level it could say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._discover import (
    Possible,
    Tried,
    of_namespace,
    possible,
    standard_to_try,
    tightened,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    Standard,
    check_settings,
    labels,
    server_checks_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    PodGroup,
)

PREFIX = "pod-security.kubernetes.io/"
NONE = ExistingPods(False, (), "", ())
WEB = ExistingPods(True, (PodGroup("web-1", 2, "privileged"),), "", ())


def namespace(**said: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "shop", "labels": {PREFIX + key.replace("_", "-"): value for key, value in said.items()}}
    }


@pytest.mark.parametrize(
    ("live", "settings"),
    [
        ({}, {}),
        ({"enforce": "baseline"}, {"enforce": "baseline", "version": "unlabelled"}),
        ({"enforce": "baseline", "enforce_version": "v1.30"}, {"enforce": "baseline", "version": "v1.30"}),
        ({"warn": "restricted", "warn_version": "latest"}, {"warn": "restricted", "warn_version": "latest"}),
        (
            {"enforce": "baseline", "enforce_version": "latest", "audit": "restricted", "warn": "restricted"},
            {
                "enforce": "baseline",
                "version": "latest",
                "audit": "restricted",
                "audit_version": "unlabelled",
                "warn": "restricted",
                "warn_version": "unlabelled",
            },
        ),
        ({"enforce_version": "v1.30"}, {}),
    ],
)
def test_the_labels_that_the_settings_say_are_there_already(live: dict[str, str], settings: dict[str, str]) -> None:
    seen = namespace(**live)
    assert of_namespace(seen, "policy") == (settings, [])
    check_settings({"shop": settings}, [], {})
    assert labels(settings).items() <= seen["metadata"]["labels"].items()


def test_labels_that_say_nothing_that_there_is_and_those_of_others_are_left_out() -> None:
    settings, (told,) = of_namespace(namespace(enforce="strict", warn="baseline"), "policy")
    assert settings == {"warn": "baseline", "warn_version": "unlabelled"}
    assert "the server takes restricted:latest" in told
    theirs = namespace(enforce="baseline")
    theirs["metadata"]["labels"]["hardening.kubernetes/pod-security-set"] = "b"
    assert of_namespace(theirs, "policy") == ({}, ["The Pod Security labels belong to the set b, and are left out."])
    assert of_namespace(theirs, "b")[0]


@pytest.mark.parametrize("level", ["baseline", "restricted"])
@pytest.mark.parametrize("now", [None, "privileged:latest", "restricted:latest", "restricted:v1.36", "baseline:v1.37"])
def test_the_server_judges_by_what_is_tried_whatever_is_enforced(level: str, now: str | None) -> None:
    before = Standard(*now.split(":")) if now else Standard("privileged")
    assert server_checks_pods(before, standard_to_try(level, (1, 36)))


@pytest.mark.parametrize(
    ("tried", "unasked", "enforced", "expected"),
    [
        (
            [Tried("restricted", NONE)],
            [],
            None,
            Possible("restricted", ("could enforce restricted today: no running pod breaks it",), certain=True),
        ),
        ([Tried("restricted", NONE)], [], Standard("restricted"), Possible("restricted", (), certain=False)),
        (
            [Tried("restricted", WEB), Tried("baseline", NONE)],
            ["Deployment/shop/idle"],
            None,
            Possible(
                "baseline",
                (
                    "could enforce baseline today: no running pod breaks it",
                    "restricted would refuse web-1 and 2 like it (privileged)",
                    "not judged, since no pod of it runs: Deployment/shop/idle",
                ),
                certain=False,
            ),
        ),
        (
            [Tried("restricted", why="may not patch")],
            [],
            None,
            Possible("", ("whether it could enforce restricted is unknown: may not patch",), certain=False),
        ),
        (
            [Tried("restricted", ExistingPods(False, (), "cut short", ()))],
            [],
            Standard("baseline"),
            Possible("", ("whether it could enforce restricted is unknown: cut short",), certain=False),
        ),
    ],
)
def test_what_the_answers_come_to(
    tried: list[Tried], unasked: list[str], enforced: Standard | None, expected: Possible
) -> None:
    assert possible(tried, unasked, enforced) == expected


def test_only_a_level_that_is_certain_and_stricter_is_said() -> None:
    said = {
        "enforce": "baseline",
        "version": "v1.30",
        "warn": "restricted",
        "audit": "baseline",
        "audit_version": "latest",
    }
    found = tightened(said, Possible("restricted", (), certain=True), (1, 36))
    assert found == {
        "enforce": "restricted",
        "version": "v1.36",
        "audit": "baseline",
        "audit_version": "latest",
        "warn": "restricted",
        "warn_version": "v1.30",
    }
    assert tightened(said, Possible("restricted", (), certain=False), (1, 36)) == said
    only = {"warn": "baseline", "warn_version": "unlabelled"}
    assert tightened(only, Possible("baseline", (), certain=True), (1, 36)) == {
        "enforce": "baseline",
        "version": "v1.36",
        **only,
    }
