# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import selects
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._selectors import (
    MOST_SELECTORS,
    selecting_none_of,
    told_selector,
)

PODS = [
    {key: value for key, value in zip(("app", "tier"), values, strict=True) if value}
    for values in product(("", "a", "b", "c"), ("", "x", "y"))
]


def labels(**wanted: str) -> dict[str, Any]:
    return {"matchLabels": wanted}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": [*values]} if values else {})}]}


@pytest.mark.parametrize(
    "selectors",
    [
        [],
        [labels(app="a")],
        [labels(app="a"), labels(app="b")],
        [labels(app="a", tier="x")],
        [labels(app="a", tier="x"), labels(app="b", tier="x"), labels(app="c")],
        [expression("app", "In", "a", "b"), labels(tier="y")],
        [expression("app", "NotIn", "a", "b")],
        [expression("app", "NotIn", "a", "b"), expression("app", "NotIn", "b", "c")],
        [expression("app", "NotIn", "a"), labels(app="a")],
        [expression("app", "Exists"), labels(tier="x")],
        [expression("app", "DoesNotExist"), labels(app="c")],
        [expression("app", "DoesNotExist"), expression("app", "NotIn", "a", "c"), labels(tier="y")],
        [{**labels(tier="x"), **expression("app", "NotIn", "a")}, expression("tier", "Exists")],
    ],
)
def test_together_they_select_just_the_pods_that_none_selects(selectors: list[dict[str, Any]]) -> None:
    found = selecting_none_of(selectors)
    for pod in PODS:
        assert any(selects(each, pod) for each in found) is not any(selects(each, pod) for each in selectors), pod


@pytest.mark.parametrize("every", [{}, {"matchLabels": {}}, {"matchLabels": None, "matchExpressions": []}])
def test_nothing_is_left_of_every_pod(every: dict[str, Any]) -> None:
    assert selecting_none_of([labels(app="a"), every]) == []


def test_many_that_ask_for_one_label_are_one() -> None:
    assert selecting_none_of(labels(app=f"app-{number:03}") for number in range(200)) == [
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [f"app-{n:03}" for n in range(200)]}]}
    ]


def test_there_are_never_more_than_the_most_and_none_selects_what_is_selected() -> None:
    selectors = [labels(**{f"key-{number}": "a", f"other-{number}": "b"}) for number in range(12)]
    found = selecting_none_of(selectors)
    assert len(found) == MOST_SELECTORS
    taken = {key: value for selector in selectors for key, value in selector["matchLabels"].items()}
    for selector in selectors:
        assert not any(selects(each, selector["matchLabels"]) or selects(each, taken) for each in found)


def test_a_selector_is_told_as_kubectl_takes_it() -> None:
    selector = {
        **labels(app="a", tier="x"),
        "matchExpressions": [
            {"key": "zone", "operator": "In", "values": ["a", "b"]},
            {"key": "team", "operator": "NotIn", "values": ["c"]},
            {"key": "new", "operator": "Exists"},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }
    assert told_selector(selector) == "app=a,tier=x,zone in (a,b),team notin (c),new,!old"
