# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects as a server would return them, and changes to them, in as few words as can be."""

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Change, Run

OURS, GITOPS = "hardening.kubernetes/test", "gitops"

Object = dict[str, Any]


def entry(manager: str, fields: Object, time: str = "2027-01-01T00:00:00Z", **more: str) -> Object:
    base = {"manager": manager, "operation": "Apply", "apiVersion": "v1", "time": time}
    return {**base, **more, "fieldsType": "FieldsV1", "fieldsV1": fields}


def labels(*keys: str) -> Object:
    """The FieldsV1 of whoever owns these labels."""
    return {"f:metadata": {"f:labels": {f"f:{key}": {} for key in keys}}}


def spec(*keys: str) -> Object:
    """The FieldsV1 of whoever owns these fields of the spec."""
    return {"f:spec": {f"f:{key}": {} for key in keys}}


def obj(
    content: Object | None = None,
    *entries: Object,
    kind: str = "NetworkPolicy",
    name: str = "a",
    namespace: str = "shop",
    uid: str = "1",
    version: str = "1",
    **said: Any,
) -> Object:
    metadata: Object = {"name": name, "uid": uid, "resourceVersion": version, "managedFields": list(entries), **said}
    if namespace and kind not in ("Namespace", "ClusterRole", "ClusterRoleBinding"):
        metadata["namespace"] = namespace
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": metadata,
        **({"spec": content} if content is not None else {}),
    }


def change(
    before: Object | None,
    after: Object | None,
    *,
    desired: Object | None = None,
    outcome: str = "done",
    deed: str = "apply",
    at: str = "1",
    batch: str = "1",
    manager: str = OURS,
) -> Change:
    known = desired or after or before
    assert known is not None
    return Change(at, batch, deed, manager, before, known, outcome, after)  # type: ignore[arg-type]


def run(*changes: Change, name: str = "run-1", **about: str) -> Run:
    return Run(name, about, changes)
