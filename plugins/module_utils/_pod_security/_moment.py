# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the label ``warn`` that is set for a moment, so that the server judges pods by a level.

Where our own labels say another ``warn``, they are written over, and what they said is kept in an annotation of the
same write; else the label has a field manager of its own. Either way a run that was killed leaves what the next one
needs to take the label back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    LABEL_PREFIX,
    Standard,
    labels,
)

Object = Mapping[str, Any]

PREVIEW_MANAGER = f"{MANAGER}-preview"
"""The field manager of the label where it is nobody's."""

FORMER_WARN = "hardening.kubernetes/pod-security-former-warn"
"""The annotation that says, as JSON, what our own labels warned of before."""

_WARN = (f"{LABEL_PREFIX}warn", f"{LABEL_PREFIX}warn-version")


@dataclass(frozen=True, slots=True)
class Moment:
    """What to apply, as which field manager: ``during`` sets the label, ``after`` takes it back.

    ``others`` are the field managers that say something else of it, and so have the server refuse it.
    """

    manager: str
    during: dict[str, Any]
    after: dict[str, Any]
    others: tuple[str, ...] = ()


def moment(namespace: Object, wanted: Standard) -> Moment:
    """How to have a live namespace warn of what is wanted."""
    name, asked = namespace["metadata"]["name"], labels({"warn": wanted.level, "version": wanted.version})
    ours = _labels_of(namespace, MANAGER)
    former = {key: value for key, value in ours.items() if key in _WARN}
    if not former:
        during, after = namespace_object(name, asked), namespace_object(name, {})
        return Moment(PREVIEW_MANAGER, during, after, _others(namespace, asked, PREVIEW_MANAGER))
    kept = {FORMER_WARN: json.dumps(former, sort_keys=True)}
    during = namespace_object(name, {**ours, **asked}, kept)
    return Moment(MANAGER, during, namespace_object(name, ours), _others(namespace, asked, MANAGER))


def left_behind(namespace: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    """What takes back the label that a killed run left on a live namespace: field managers, and what each applies."""
    metadata = namespace["metadata"]
    if any(_fields(namespace, PREVIEW_MANAGER).values()):
        yield PREVIEW_MANAGER, namespace_object(metadata["name"], {})
    if FORMER_WARN in _fields(namespace, MANAGER)["annotations"]:
        ours = {key: value for key, value in _labels_of(namespace, MANAGER).items() if key not in _WARN}
        former = _former(metadata["annotations"].get(FORMER_WARN, ""))
        yield MANAGER, namespace_object(metadata["name"], {**ours, **former})


def namespace_object(
    name: str, wanted: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The Namespace with these labels and annotations and nothing else; without any, with none at all."""
    said = {"labels": dict(wanted), "annotations": dict(annotations or {})}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, **{key: value for key, value in said.items() if value}},
    }


def _others(namespace: Object, asked: Mapping[str, str], manager: str) -> tuple[str, ...]:
    """The server refuses to change a field that another manager owns."""
    live = namespace["metadata"].get("labels") or {}
    changed = {key for key, value in asked.items() if key in live and live[key] != value}
    managers = {str(entry.get("manager")) for entry in _entries(namespace)} - {manager}
    return tuple(sorted(each for each in managers if changed & _fields(namespace, each)["labels"]))


def _labels_of(namespace: Object, manager: str) -> dict[str, str]:
    """The labels that a field manager owns, as they are."""
    owned = _fields(namespace, manager)["labels"]
    return {key: value for key, value in (namespace["metadata"].get("labels") or {}).items() if key in owned}


def _fields(namespace: Object, manager: str) -> dict[str, set[str]]:
    """The keys of the labels and of the annotations that a field manager owns, by whichever operation."""
    found: dict[str, set[str]] = {"labels": set(), "annotations": set()}
    for entry in _entries(namespace):
        owned = (entry.get("fieldsV1") or {}).get("f:metadata") or {}
        if entry.get("manager") == manager:
            for part, keys in found.items():
                keys |= {key.removeprefix("f:") for key in owned.get(f"f:{part}") or {} if key != "."}
    return found


def _entries(namespace: Object) -> list[Object]:
    return namespace["metadata"].get("managedFields") or []


def _former(text: str) -> dict[str, str]:
    """What the annotation says; nothing where somebody else wrote in it."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return {key: str(told[key]) for key in _WARN if key in told} if isinstance(told, dict) else {}
