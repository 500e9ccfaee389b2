# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: whose the Pod Security labels of a namespace are.

A namespace that carries our labels is not ours, and may have been created by another set. So the labels have a mark of
their own, and what a set no longer names is taken back from the namespace, which stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import LABEL_PREFIX, labels
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    is_of_set,
    of_another_set,
    set_of,
)

MANAGER = "hardening.kubernetes/pod_security"
"""The field manager of the labels and of their mark."""

MARK = "hardening.kubernetes/pod-security-set"
"""The label on a namespace that says whose its Pod Security labels are."""

Namespaces = Mapping[str, Mapping[str, Any]]


def marked_labels(settings: Mapping[str, str], set_name: str) -> dict[str, str]:
    """The labels that say what the settings say, and the mark."""
    return {**labels(settings), MARK: set_name}


def refused(live: Namespaces, names: Collection[str], set_name: str) -> dict[str, str]:
    """Those of the named namespaces whose labels are another set's, each with a sentence that says what to do."""
    told = {
        name: of_another_set(live[name], set_name, MARK, "Its Pod Security labels belong")
        for name in names
        if name in live
    }
    return {name: sentence for name, sentence in told.items() if sentence}


def left_over(live: Namespaces, settings: Collection[str], set_name: str, only: Sequence[str]) -> list[str]:
    """The namespaces, of those that ``only`` means, that have labels of this set and get no settings any more."""
    return [name for name in _of_set(live, set_name, only) if name not in settings]


def to_clear(
    live: Namespaces, reached: Collection[str], set_name: str, only: Sequence[str], *, everywhere: bool
) -> list[str]:
    """The namespaces from which a removal takes labels, of those that are reached, or with ``everywhere`` of all.

    Labels without a mark, as a former version set them, are anybody's who reaches them.
    """
    ours = [name for name in _of_set(live, set_name, only) if everywhere or name in reached]
    unmarked = [
        name for name in reached if name in live and is_meant(name, only) and is_of_set(live[name], "", MANAGER, MARK)
    ]
    return sorted({*ours, *unmarked})


def labels_told(namespace: Mapping[str, Any]) -> list[str]:
    """The Pod Security labels of a live namespace as ``key=value``; the mark where nothing else is left."""
    found = (namespace["metadata"].get("labels") or {}).items()
    told = [f"{key}={value}" for key, value in sorted(found) if key.startswith(LABEL_PREFIX)]
    return told or [f"{MARK}={set_of(namespace, MARK)}"]


def _of_set(live: Namespaces, set_name: str, only: Sequence[str]) -> list[str]:
    return [
        name
        for name, namespace in sorted(live.items())
        if is_of_set(namespace, set_name, MANAGER, MARK)
        and is_meant(name, only)
        and "deletionTimestamp" not in namespace["metadata"]
    ]
