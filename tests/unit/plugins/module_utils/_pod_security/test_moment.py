# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import (
    FORMER_WARN,
    PREVIEW_MANAGER,
    left_behind,
    moment,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER, MARK
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard

PREFIX = "pod-security.kubernetes.io/"
WANTED = Standard("restricted", "v1.36")
ASKED = {f"{PREFIX}warn": "restricted", f"{PREFIX}warn-version": "v1.36"}
OURS = {f"{PREFIX}enforce": "baseline", f"{PREFIX}enforce-version": "latest", MARK: "shop"}
WARN = {f"{PREFIX}warn": "restricted", f"{PREFIX}warn-version": "latest"}
FORMER = '{"pod-security.kubernetes.io/warn": "restricted", "pod-security.kubernetes.io/warn-version": "latest"}'


def namespace(annotations: dict[str, str] | None = None, **labels_by_manager: dict[str, str]) -> dict[str, Any]:
    """A live namespace; annotations are our own."""
    managers = {"ours": MANAGER, "preview": PREVIEW_MANAGER, "kubectl": "kubectl-label"}
    fields = {
        who: {"f:labels": {f"f:{key}": {} for key in said}, **_annotated(annotations if who == "ours" else None)}
        for who, said in labels_by_manager.items()
    }
    return {
        "metadata": {
            "name": "shop",
            "labels": {key: value for said in labels_by_manager.values() for key, value in said.items()},
            "annotations": annotations or {},
            "managedFields": [
                {"manager": managers[who], "fieldsV1": {"f:metadata": owned}} for who, owned in fields.items()
            ],
        }
    }


def _annotated(annotations: dict[str, str] | None) -> dict[str, Any]:
    return {"f:annotations": {".": {}, **{f"f:{key}": {} for key in annotations}}} if annotations else {}


def said(obj: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    return obj["metadata"].get("labels", {}), obj["metadata"].get("annotations", {})


def test_where_nobody_warns_the_label_has_a_manager_of_its_own() -> None:
    found = moment(namespace(ours=OURS), WANTED)
    assert (found.manager, said(found.during), said(found.after)) == (PREVIEW_MANAGER, (ASKED, {}), ({}, {}))
    assert found.others == ()


def test_our_own_warning_is_written_over_kept_and_restored() -> None:
    found = moment(namespace(ours={**OURS, **WARN}), WANTED)
    assert found.manager == MANAGER
    assert said(found.during) == ({**OURS, **ASKED}, {FORMER_WARN: FORMER})
    assert said(found.after) == ({**OURS, **WARN}, {})
    assert found.others == ()


@pytest.mark.parametrize(
    ("theirs", "others"),
    [
        (WARN, ("kubectl-label",)),
        ({f"{PREFIX}warn": "restricted"}, ()),
        ({f"{PREFIX}warn": "baseline"}, ("kubectl-label",)),
        ({f"{PREFIX}enforce": "privileged"}, ()),
    ],
)
def test_who_stands_in_the_way_says_something_else(theirs: dict[str, str], others: tuple[str, ...]) -> None:
    found = moment(namespace(kubectl=theirs), WANTED)
    assert (found.manager, found.others) == (PREVIEW_MANAGER, others)


def test_a_warning_that_is_ours_and_others_too_stays() -> None:
    found = moment(namespace(ours={**OURS, **WARN}, kubectl=WARN), WANTED)
    assert found.others == ("kubectl-label",)


def test_what_a_killed_run_leaves_is_taken_back_as_it_was() -> None:
    before = namespace(ours={**OURS, **WARN})
    during = moment(before, WANTED).during["metadata"]
    ((manager, back),) = left_behind(namespace(ours=during["labels"], annotations=during["annotations"]))
    assert (manager, said(back)) == (MANAGER, ({**OURS, **WARN}, {}))
    ((manager, back),) = left_behind(namespace(ours=OURS, preview=ASKED))
    assert (manager, said(back)) == (PREVIEW_MANAGER, ({}, {}))
    assert list(left_behind(before)) == []


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"other": "x"}'])
def test_an_annotation_that_somebody_wrote_in_restores_nothing(text: str) -> None:
    ((_manager, back),) = left_behind(namespace(ours={**OURS, **ASKED}, annotations={FORMER_WARN: text}))
    assert said(back) == (OURS, {})
