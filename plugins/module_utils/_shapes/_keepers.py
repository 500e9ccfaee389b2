# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: who besides a policy keeps an object as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Object = Mapping[str, Any]

_BY_ANNOTATION: Mapping[str, str] = {
    "meta.helm.sh/release-name": "Helm",
    "argocd.argoproj.io/tracking-id": "Argo CD",
}
_BY_LABEL: Mapping[str, str] = {
    "argocd.argoproj.io/instance": "Argo CD",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "olm.owner": "Operator Lifecycle Manager",
}
_BY_MANAGER: Mapping[str, str] = {
    "helm": "Helm",
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "helm-controller": "Flux",
    "kustomize-controller": "Flux",
}
_HELM_LABEL = ("app.kubernetes.io/managed-by", "Helm")


def keeper(obj: Object) -> str:
    """Who puts an object back when somebody changes it; empty where nobody is known to."""
    metadata = obj["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    owner = next(iter(metadata.get("ownerReferences") or ()), None)
    if owner:
        return f"{owner['kind']} {owner['name']}"
    told = [
        *(who for key, who in _BY_ANNOTATION.items() if key in annotations),
        *(who for key, who in _BY_LABEL.items() if key in labels),
        *(["Helm"] if labels.get(_HELM_LABEL[0]) == _HELM_LABEL[1] else []),
        *(_BY_MANAGER.get(str(entry.get("manager")), "") for entry in metadata.get("managedFields") or ()),
    ]
    return next(filter(None, told), "")


def keepers_comments(objects: Iterable[Object]) -> list[str]:
    """A sentence that names the objects which somebody else keeps too; none where nobody does."""
    kept = sorted(f"{each['kind']} {each['metadata']['name']} ({who})" for each in objects if (who := keeper(each)))
    if not kept:
        return []
    return [f"Kept by others as well, who have to change what is to change here: {', '.join(kept)}."]
