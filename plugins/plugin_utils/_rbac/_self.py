# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: keeps a run from taking away what its own user stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import label
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import (
    AUTHENTICATED,
    SERVICE_ACCOUNT_USER,
    SERVICE_ACCOUNTS,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import RBAC

Object = dict[str, Any]

_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
_PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_MASTERS = "system:masters"


def stood_on(client: Client, going: Sequence[Object]) -> dict[str, str]:
    """The bindings, by label, that give this user its own access, each with the reason to leave it.

    ``going`` are objects by name. Who is in ``system:masters`` stands on no binding; everybody's group is nobody's own.
    Raises KubeError where the server does not say who this is.
    """
    bindings = [each for each in going if each["kind"].endswith("Binding")]
    if not bindings:
        return {}
    answer = client.checked(client.request("POST", _PATH, body=_REVIEW, repeatable=True), "SelfSubjectReview")
    user = (answer.object.get("status") or {}).get("userInfo") or {}
    name = str(user.get("username", ""))
    groups = {
        each for each in user.get("groups") or () if each != AUTHENTICATED and not each.startswith(SERVICE_ACCOUNTS)
    }
    if not name or _MASTERS in groups:
        return {}
    live = client.parallel(
        lambda each: client.get(RBAC[each["kind"]], each["metadata"]["name"], each["metadata"].get("namespace", "")),
        bindings,
    )
    return {
        label(each): f"it gives {name}, who runs this, its own access. Take it away as another user, or by hand."
        for each in live
        if each and any(_means(subject, each, name, groups) for subject in each.get("subjects") or ())
    }


def _means(subject: Mapping[str, Any], binding: Object, name: str, groups: set[str]) -> bool:
    if subject["kind"] == "Group":
        return subject["name"] in groups
    if subject["kind"] == "User":
        return bool(subject["name"] == name)
    home = subject.get("namespace") or binding["metadata"].get("namespace", "")
    return name == f"{SERVICE_ACCOUNT_USER}{home}:{subject['name']}"
