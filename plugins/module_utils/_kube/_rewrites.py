# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how API servers rewrite what they are sent, as tables.

Two things follow. What is sent is put into the form that the server keeps (:func:`as_kept`), and what the server adds
or writes in another way is not taken for a difference (:func:`same`). The tables are for built-in kinds alone: what is
added to a custom resource is written in its schema, where we do not look.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import quantity

Path = tuple[str, ...]


class BadObject(HardeningError):
    """An object that is not even worth sending."""


_SET_BY_SERVER = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)

_RBAC = "rbac.authorization.k8s.io"
_EVERYTHING: dict[str, Any] = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}

ADDED: Mapping[str, Mapping[str, Any]] = {
    "endpoints": {"conditions": {}},
    "excludeResourceRules": {"scope": "*"},
    "fieldRef": {"apiVersion": "v1"},
    "matchConstraints": _EVERYTHING,
    "matchResources": _EVERYTHING,
    "ports": {"protocol": "TCP", "name": ""},
    "resourceFieldRef": {"divisor": "0"},
    "resourceRules": {"scope": "*"},
    "roleRef": {"apiGroup": _RBAC},
    "rules": {"scope": "*"},
    "serviceAccountToken": {"expirationSeconds": 3600},
    "subjects": {"apiGroup": _RBAC},
    "volumeClaimTemplates": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}},
    "volumeClaimTemplates/metadata": {"creationTimestamp": None},
    "volumeClaimTemplates/spec": {"volumeMode": "Filesystem"},
}
"""By the field that holds it, what a server adds inside atomic lists and maps where nothing was said."""

ADDED_TOLERATIONS = frozenset(("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"))
"""What the admission plugin DefaultTolerationSeconds adds to every Pod."""

LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "subjects": {"apiGroup": ""},
    "rules": {"apiGroups": [], "resources": [], "verbs": [], "resourceNames": [], "nonResourceURLs": []},
}
"""By the field that holds it, what a server does not keep inside atomic lists and maps, because it says nothing."""

_ANY = "*"
_POD_QUANTITIES: tuple[Path, ...] = (
    ("emptyDir", "sizeLimit"),
    ("overhead", _ANY),
    ("resourceFieldRef", "divisor"),
    ("resources", "limits", _ANY),
    ("resources", "requests", _ANY),
)
_QUANTITIES: Mapping[str, tuple[Path, ...]] = {
    **dict.fromkeys(
        (
            "CronJob",
            "DaemonSet",
            "Deployment",
            "Job",
            "Pod",
            "PodTemplate",
            "ReplicaSet",
            "ReplicationController",
            "StatefulSet",
        ),
        _POD_QUANTITIES,
    ),
    "HorizontalPodAutoscaler": (
        ("scaleDown", "tolerance"),
        ("scaleUp", "tolerance"),
        ("target", "averageValue"),
        ("target", "value"),
    ),
    "LimitRange": tuple(
        ("spec", "limits", each, _ANY) for each in ("default", "defaultRequest", "max", "maxLimitRequestRatio", "min")
    ),
    "PersistentVolume": (("spec", "capacity", _ANY),),
    "PersistentVolumeClaim": (("resources", "limits", _ANY), ("resources", "requests", _ANY)),
    "ResourceQuota": (("spec", "hard", _ANY),),
    "RuntimeClass": (("overhead", "podFixed", _ANY),),
}
"""By kind, how the paths of its quantities end: a server writes ``0.5`` as ``500m``. Elsewhere a number is its text."""

_BASE64 = frozenset((("ConfigMap", "binaryData"), ("Secret", "data")))
"""By kind, the fields whose values are bytes: a server takes line breaks out of their base64."""


def as_kept(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object in the form that the server keeps: no nulls, nothing that only the server sets, ``data`` for
    ``stringData``, and for a LimitRange the limits that follow from others. Raises :class:`BadObject`.
    """
    kept: dict[str, Any] = without_nulls(obj)
    metadata = kept.get("metadata") or {}
    kept["metadata"] = {key: value for key, value in metadata.items() if key not in _SET_BY_SERVER}
    kind = (str(kept.get("apiVersion")), str(kept.get("kind")))
    if kind in KNOWN:
        kept.pop("status", None)
    if kind in _FORMS:
        _FORMS[kind](kept)
    return kept


def without_nulls(value: Any) -> Any:
    """The value without map entries that are null: to a server they say the same as nothing."""
    if isinstance(value, (dict, Mapping)):
        return {
            key: each if isinstance(each, str) else without_nulls(each)
            for key, each in value.items()
            if each is not None
        }
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def _secret(kept: dict[str, Any]) -> None:
    """``stringData`` is write-only, and wins over ``data`` (API reference, Secret).

    Raises for values that a server would refuse, or lose, because its refusal may print them.
    """
    for field in ("data", "stringData"):
        _texts_only(kept.get(field), field)
    text = kept.pop("stringData", None)
    if text is not None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
        kept["data"] = {**(kept.get("data") or {}), **encoded}


def _texts_only(values: Any, field: str) -> None:
    if values is None:
        return
    if not isinstance(values, dict):
        raise BadObject(f"{field} of a Secret is a map of names and texts: write it as one.")
    for key, value in values.items():
        if not isinstance(value, str):
            raise BadObject(f"{field}.{key} of a Secret is text: put what stands there in quotes.")


def _limit_range(kept: dict[str, Any]) -> None:
    """Kubernetes' SetDefaults_LimitRangeItem: a default follows from max, a request from default or min."""
    spec = kept.get("spec")
    limits = spec.get("limits") if isinstance(spec, dict) else None
    for limit in limits if isinstance(limits, list) else ():
        if _is_of_containers(limit):
            default = {**limit.get("max", {}), **limit.get("default", {})}
            request = {**limit.get("min", {}), **default, **limit.get("defaultRequest", {})}
            limit.update({key: value for key, value in (("default", default), ("defaultRequest", request)) if value})


def _is_of_containers(limit: Any) -> bool:
    """Whether defaults follow from this limit; what is not well formed is the server's to refuse."""
    if not isinstance(limit, dict) or limit.get("type") != "Container":
        return False
    return all(isinstance(limit.get(each, {}), dict) for each in ("max", "min", "default", "defaultRequest"))


_FORMS: Mapping[tuple[str, str], Callable[[dict[str, Any]], None]] = {
    ("v1", "LimitRange"): _limit_range,
    ("v1", "Secret"): _secret,
}


def same(desired: Any, live: Any, path: Path, kind: str) -> bool:
    """Whether a server that was sent ``desired`` keeps it as ``live``; ``path`` is the fields that lead there.

    ``kind`` is that of the object; empty for a custom resource, to which no table applies.
    """
    if desired == live:
        return True
    if isinstance(desired, dict) and isinstance(live, dict):
        return _same_maps(desired, live, path, kind)
    if isinstance(desired, list) and isinstance(live, list):
        if kind == "Pod" and path == ("spec", "tolerations"):
            live = [each for each in live if each in desired or each.get("key") not in ADDED_TOLERATIONS]
        return len(desired) == len(live) and all(
            same(one, other, path, kind) for one, other in zip(desired, live, strict=True)
        )
    return _same_scalars(desired, live, path, kind)


def _same_maps(desired: dict[str, Any], live: dict[str, Any], path: Path, kind: str) -> bool:
    for key, value in desired.items():
        if key in live:
            if not same(value, live[key], (*path, key), kind):
                return False
        elif not (kind and _is_listed(LEFT_OUT, path, key, value)):
            return False
    return all(key in desired or (kind and _is_listed(ADDED, path, key, value)) for key, value in live.items())


def _is_listed(table: Mapping[str, Mapping[str, Any]], path: Path, key: str, value: Any) -> bool:
    return any(
        key in row and row[key] == value for row in (table.get(path[-1], {}), table.get("/".join(path[-2:]), {}))
    )


def _same_scalars(desired: Any, live: Any, path: Path, kind: str) -> bool:
    if any(_ends(path, ending) for ending in _QUANTITIES.get(kind, ())):
        amount = quantity(desired)
        return amount is not None and amount == quantity(live)
    if len(path) == 2 and (kind, path[0]) in _BASE64:
        content = _decoded(desired)
        return content is not None and content == _decoded(live)
    return False


def _ends(path: Path, ending: Path) -> bool:
    tail = path[-len(ending) :]
    return len(tail) == len(ending) and all(wanted in (_ANY, found) for wanted, found in zip(ending, tail, strict=True))


def _decoded(value: Any) -> bytes | None:
    """What base64 stands for, read as a server does, which leaves out line breaks and nothing else."""
    try:
        return base64.b64decode(value.replace("\r", "").replace("\n", ""), validate=True)
    except (AttributeError, ValueError):
        return None
