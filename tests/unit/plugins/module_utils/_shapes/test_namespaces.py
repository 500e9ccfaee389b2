# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    check_limit,
    label_selector,
    resolution_findings,
    resolve,
)

A, B, C = {"enforce": "restricted"}, {"enforce": "baseline"}, {"enforce": "privileged"}


def namespace(name: str, labels: dict[str, str] | None = None, ending: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": {"kubernetes.io/metadata.name": name, **(labels or {})}}
    if ending:
        metadata["deletionTimestamp"] = "2026-11-22T00:00:00Z"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


LIVE = [
    namespace("production", {"team": "payments"}),
    namespace("staging", {"team": "payments"}),
    namespace("tools"),
    namespace("kube-system"),
    namespace("going", {"team": "payments"}, ending=True),
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bare"}},
]


@pytest.mark.parametrize(
    ("namespaces", "selected", "default", "exempt", "settings"),
    [
        ({}, [], {}, [], {}),
        ({"production": A}, [], {}, [], {"production": A}),
        (
            {"production": A},
            [{"selector": "team=payments", **B}],
            C,
            [],
            {"production": A, "staging": B, "tools": C, "bare": C},
        ),
        (
            {},
            [{"selector": "team", **A}, {"selector": "team=payments", **B}],
            {},
            [],
            {"production": A, "staging": A},
        ),
        ({}, [], C, ["tool*", "bare"], {"production": C, "staging": C}),
        (
            {"tools": A},
            [{"selector": "!team", **B}],
            C,
            ["tools", "bare"],
            {"production": C, "staging": C, "tools": A},
        ),
        ({"kube-system": A}, [], {}, [], {"kube-system": A}),
        ({"going": A}, [], {}, [], {"going": A}),
        ({"staging": {}}, [], C, ["bare", "tools", "production"], {"staging": C}),
        ({"production": {"create": True, **A}}, [], {}, [], {"production": A}),
    ],
    ids=[
        "nothing",
        "named",
        "named before selected before default",
        "first selector",
        "default skips the exempt",
        "selector skips the exempt, named does not",
        "named component namespace",
        "named namespace that ends",
        "named without settings",
        "create of what is there",
    ],
)
def test_who_gets_what(
    namespaces: dict[str, Any], selected: list[Any], default: Any, exempt: list[str], settings: dict[str, Any]
) -> None:
    resolution = resolve(LIVE, namespaces, selected, default, exempt)
    assert resolution.settings == settings
    assert not resolution.missing
    assert not resolution.creating


def test_a_selector_never_reaches_components_of_the_cluster() -> None:
    resolution = resolve(LIVE, {}, [{"selector": "kubernetes.io/metadata.name", **A}], {}, [])
    assert set(resolution.settings) == {"production", "staging", "tools"}
    (finding,) = resolution_findings(
        resolve(LIVE, {}, [{"selector": "kubernetes.io/metadata.name=kube-system", **A}], {}, []), "network"
    )
    assert finding.status == "fail" and "hold components of the cluster" in finding.evidence


@pytest.mark.parametrize(
    ("namespaces", "selected", "message"),
    [
        ({"shop": "yes"}, [], "namespaces.shop: 'yes' is not a mapping"),
        ({"shop": ["a"]}, [], "namespaces.shop: \\['a'\\] is not a mapping"),
        ({}, ["team=a"], "selected\\[0\\]: 'team=a' is not a mapping"),
        ({}, [{"selector": "a", **A}, A], "selected\\[1\\].selector: None is not a label selector"),
        ({}, [{"selector": None, **A}], "selected\\[0\\].selector: None is not a label selector"),
        ({}, [{"selector": 5, **A}], "selected\\[0\\].selector: 5 is not a label selector"),
    ],
)
def test_what_is_no_settings_is_refused_with_its_place(namespaces: Any, selected: Any, message: str) -> None:
    with pytest.raises(HardeningError, match=message):
        resolve(LIVE, namespaces, selected, {}, [])


def test_missing_namespaces_are_told_with_what_was_meant() -> None:
    resolution = resolve(LIVE, {"prodution": A, "zebra": A}, [], {}, [])
    assert resolution.missing == {"prodution": "production", "zebra": ""}
    assert resolution.settings == {}
    findings = resolution_findings(resolution, "network")
    assert [finding.subject for finding in findings] == ["Namespace/prodution", "Namespace/zebra"]
    assert {finding.status for finding in findings} == {"fail"}
    assert findings[0].evidence == "there is no namespace prodution; did you mean production?"
    assert findings[1].evidence == "there is no namespace zebra"


def test_a_namespace_to_create_gets_its_settings_or_what_reaches_it() -> None:
    resolution = resolve(
        LIVE,
        {"new": {"create": True, **A}, "empty": {"create": True}, "hidden": {"create": True}},
        [],
        C,
        ["hidden", "production", "staging", "tools", "bare"],
    )
    assert resolution.settings == {"new": A, "empty": C}
    assert resolution.creating == {"new", "empty", "hidden"}
    assert resolution.missing == {}


def test_a_selector_that_matches_nothing_is_told() -> None:
    resolution = resolve(LIVE, {}, [{"selector": "team=paymnets", **A}, {"selector": "team=payments", **A}], {}, [])
    assert resolution.unmatched == ["team=paymnets"]
    (finding,) = resolution_findings(resolution, "network")
    assert (finding.control, finding.subject, finding.status) == ("policy.namespaces", "Selector/team=paymnets", "fail")


@pytest.mark.parametrize(
    ("namespaces", "selectors", "exempt", "idle"),
    [
        ({}, ["team=payments"], [], []),
        ({}, ["team=payments"], ["production", "staging"], ["Selector/team=payments"]),
        ({"production": A, "staging": A}, ["team=payments"], [], ["Selector/team=payments"]),
        ({}, ["team", "team=payments"], [], ["Selector/team=payments"]),
        ({"production": A}, ["team=payments"], [], []),
    ],
    ids=["reaches", "all exempt", "all named", "caught by another", "reaches one"],
)
def test_a_selector_that_matches_but_reaches_nothing_is_told(
    namespaces: dict[str, Any], selectors: list[str], exempt: list[str], idle: list[str]
) -> None:
    resolution = resolve(LIVE, namespaces, [{"selector": each, **B} for each in selectors], {}, exempt)
    findings = resolution_findings(resolution, "network")
    assert [finding.subject for finding in findings] == idle
    assert {finding.status for finding in findings} <= {"fail"}


@pytest.mark.parametrize(
    ("default", "exempt", "told"),
    [
        (A, ["*"], ["Default/network"]),
        (A, ["tools", "bare"], []),
        ({}, ["*"], []),
    ],
)
def test_a_default_that_reaches_nothing_is_told(default: dict[str, str], exempt: list[str], told: list[str]) -> None:
    findings = resolution_findings(resolve(LIVE, {"tools": A}, [], default, exempt), "network")
    assert [(finding.control, finding.subject) for finding in findings] == [
        ("policy.namespaces", each) for each in told
    ]


def test_only_create_true_creates() -> None:
    resolution = resolve(LIVE, {"new": {"create": "no", **A}}, [], {}, [])
    assert (resolution.creating, resolution.missing) == (frozenset(), {"new": ""})


@pytest.mark.parametrize(
    ("selector", "labels", "holds"),
    [
        ("team=payments", {"team": "payments"}, True),
        ("team==payments", {"team": "payments"}, True),
        ("team = payments", {"team": "payments"}, True),
        ("team=payments", {"team": "shop"}, False),
        ("team=payments", {}, False),
        ("team=", {"team": ""}, True),
        ("team!=payments", {"team": "shop"}, True),
        ("team!=payments", {}, True),
        ("team!=payments", {"team": "payments"}, False),
        ("team in (a, b)", {"team": "b"}, True),
        ("team in (a, b)", {"team": "c"}, False),
        ("team in (a, b)", {}, False),
        ("team notin (a,b)", {"team": "c"}, True),
        ("team notin (a,b)", {}, True),
        ("team notin (a,b)", {"team": "a"}, False),
        ("team", {"team": "x"}, True),
        ("team", {}, False),
        ("!team", {}, True),
        ("!team", {"team": "x"}, False),
        ("example.com/team=a,tier in (x,y),!old", {"example.com/team": "a", "tier": "y"}, True),
        ("example.com/team=a,tier in (x,y),!old", {"example.com/team": "a", "tier": "y", "old": ""}, False),
    ],
)
def test_label_selector(selector: str, labels: dict[str, str], holds: bool) -> None:
    assert label_selector(selector)(labels) is holds


@pytest.mark.parametrize("selector", ["", "team=a b", "team in a", "a,,b", "team=payments,", "-x=y", "a/b/c=d"])
def test_a_bad_selector_is_refused_with_the_forms_that_there_are(selector: str) -> None:
    with pytest.raises(HardeningError, match="is not a label selector.*key in"):
        resolve(LIVE, {}, [{"selector": selector, **A}], {}, [])


@pytest.mark.parametrize(
    ("only", "settings", "missing", "creating"),
    [
        (["production"], {"production": A}, {}, frozenset()),
        (["tools", "new"], {"tools": C, "new": A}, {}, frozenset({"new"})),
        (["sta*", "toolz"], {"staging": B}, {"toolz": "tools"}, frozenset()),
        (["kube-system"], {}, {}, frozenset()),
    ],
)
def test_a_limit_leaves_all_else_alone(
    only: list[str], settings: dict[str, Any], missing: dict[str, str], creating: frozenset[str]
) -> None:
    named = {"production": A, "new": {"create": True, **A}, "toolz": A}
    told = resolve(LIVE, named, [{"selector": "team=payments", **B}, {"selector": "team=gone", **A}], C, [], only)
    assert (told.settings, told.missing, told.creating) == (settings, missing, creating)
    assert [finding.subject for finding in resolution_findings(told, "network")] == [f"Namespace/{n}" for n in missing]


@pytest.mark.parametrize("only", [[""], ["shop", ""], ["Shop"], ["shop,tools"], ["{{ x }}"]])
def test_a_limit_that_names_nobody_is_refused_and_never_means_all(only: list[str]) -> None:
    with pytest.raises(HardeningError, match="correct it, or leave it out to mean all"):
        check_limit(only)


def test_a_limit_of_names_and_globs_is_one() -> None:
    check_limit(["shop", "team-*", "t[ab]?"])
