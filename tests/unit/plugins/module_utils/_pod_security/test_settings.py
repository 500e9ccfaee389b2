# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    Standard,
    check_settings,
    check_timeout,
    labelled,
    labels,
    server_checks_pods,
    standard,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

PREFIX = "pod-security.kubernetes.io/"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {}),
        ({"version": "v1.30"}, {}),
        ({"enforce": "baseline"}, {"enforce": "baseline", "enforce-version": "latest"}),
        (
            {"enforce": "baseline", "version": "unlabelled", "warn": "restricted", "warn_version": "latest"},
            {"enforce": "baseline", "warn": "restricted", "warn-version": "latest"},
        ),
        ({"enforce": "baseline", "version": "v1.30"}, {"enforce": "baseline", "enforce-version": "v1.30"}),
        (
            {
                "enforce": "baseline",
                "version": "v1.30",
                "warn": "restricted",
                "audit": "restricted",
                "audit_version": "latest",
            },
            {
                "enforce": "baseline",
                "enforce-version": "v1.30",
                "audit": "restricted",
                "audit-version": "latest",
                "warn": "restricted",
                "warn-version": "v1.30",
            },
        ),
        ({"warn": "restricted"}, {"warn": "restricted", "warn-version": "latest"}),
        ({"enforce": None, "warn": "baseline"}, {"warn": "baseline", "warn-version": "latest"}),
    ],
)
def test_labels_say_what_the_settings_say(settings: dict[str, str], expected: dict[str, str]) -> None:
    found = labels(settings)
    assert found == {PREFIX + key: value for key, value in expected.items()}
    for mode in ("enforce", "audit", "warn"):
        assert labelled(found, mode) == standard(settings, mode)


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ({}, None),
        ({"enforce": "baseline"}, Standard("baseline", "latest")),
        ({"enforce": "baseline", "enforce-version": "v1.25"}, Standard("baseline", "v1.25")),
        ({"enforce": "strict"}, Standard("restricted", "latest")),
        ({"enforce": "baseline", "enforce-version": "1.25"}, Standard("baseline", "latest")),
    ],
)
def test_what_live_labels_enforce(live: dict[str, str], expected: Standard | None) -> None:
    assert labelled({PREFIX + key: value for key, value in live.items()}) == expected


PRIVILEGED, BASELINE, RESTRICTED = Standard("privileged"), Standard("baseline"), Standard("restricted")


@pytest.mark.parametrize(
    ("before", "after", "checks"),
    [
        (PRIVILEGED, BASELINE, True),
        (PRIVILEGED, RESTRICTED, True),
        (BASELINE, RESTRICTED, True),
        (RESTRICTED, BASELINE, False),
        (RESTRICTED, Standard("baseline", "v1.30"), True),
        (RESTRICTED, Standard("restricted", "v1.30"), True),
        (RESTRICTED, RESTRICTED, False),
        (RESTRICTED, PRIVILEGED, False),
    ],
)
def test_when_the_server_looks_at_running_pods(before: Standard, after: Standard, checks: bool) -> None:
    assert server_checks_pods(before, after) is checks


def test_good_settings_are_taken() -> None:
    check_settings(
        {"a": {"enforce": "restricted", "version": "v1.36", "create": True}, "b": {}},
        [{"selector": "x=y", "warn": "baseline", "warn_version": "latest"}],
        {"enforce": "baseline", "audit": None},
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ({"a": {"enforce": "Restricted"}}, [], {}),
            "namespaces.a.enforce: 'Restricted' is not one of .*mean restricted",
        ),
        (({"a": {"enforce": "strict"}}, [], {}), "namespaces.a.enforce: 'strict' is not one of privileged, baseline"),
        (({"a": {"version": 1.36}}, [], {}), "namespaces.a.version: 1.36 is neither latest nor .*mean v1.36"),
        (({"a": {"version": "v1.36.2"}}, [], {}), "mean v1.36"),
        (({"a": {"version": "v2"}}, [], {}), "namespaces.a.version: 'v2' is neither latest nor a version like v1.36."),
        (({"a": {"enforced": "baseline"}}, [], {}), "namespaces.a: there is no setting 'enforced'.*mean enforce"),
        (({"a": "baseline"}, [], {}), "namespaces.a: settings are a mapping .* not 'baseline'"),
        (({}, [{"selector": "a=b", "create": True}], {}), r"selected\[0\]: there is no setting 'create'"),
        (({}, [{"enforce": "baseline"}], {}), r"selected\[0\]: selector is missing"),
        (({}, [], {"selector": "a=b"}), "default: there is no setting 'selector'"),
        (({"a": {"enforce": "baselin"}}, [], {}), r"did you mean baseline\?$"),
        (({"a": {"create": "no"}}, [], {}), "namespaces.a.create: 'no' is neither true nor false"),
        (({"": {"enforce": "baseline"}}, [], {}), "namespaces: '' cannot be the name of a namespace"),
        (({"Bad/Name": {"enforce": "baseline"}}, [], {}), "namespaces: 'Bad/Name' cannot be the name"),
        (({}, [{"selector": 5, "enforce": "baseline"}], {}), r"selected\[0\].selector: 5 is not a text like"),
        (({}, [{"selector": {"team": "x"}}], {}), r"selected\[0\].selector: {'team': 'x'} is not a text"),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed(options: tuple[Any, ...], told: str) -> None:
    with pytest.raises(HardeningError, match=told):
        check_settings(*options)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0])
def test_a_timeout_that_does_not_end_is_refused(seconds: float) -> None:
    with pytest.raises(HardeningError, match="timeout is a number of seconds"):
        check_timeout(seconds)


@pytest.mark.parametrize("seconds", [0.0, 10.0])
def test_a_timeout_may_be_nothing(seconds: float) -> None:
    check_timeout(seconds)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(HardeningError) as caught:
        check_settings({"a": {"enforce": "x"}, "b": {"warn": "y"}}, [], {"version": "z"})
    assert len(str(caught.value).splitlines()) == 4
