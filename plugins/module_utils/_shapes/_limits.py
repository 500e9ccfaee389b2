# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: quotas and limits as a policy writes them, and what may not stand in them together.

The rules are those of ``ValidateResourceQuota`` and ``ValidateLimitRange`` of the API server, and besides these
what it takes although no pod could live with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._quantity import LARGEST, amounts, quantity
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Path: TypeAlias = "tuple[str | int, ...]"
Wrong = Iterator[tuple[Path, str]]

TYPES: Mapping[str, str] = {"container": "Container", "pod": "Pod", "persistent_volume_claim": "PersistentVolumeClaim"}
"""How a policy and a LimitRange call what a limit is for."""

FIELDS: Mapping[str, str] = {
    "max": "max",
    "min": "min",
    "default": "default",
    "default_request": "defaultRequest",
    "max_limit_request_ratio": "maxLimitRequestRatio",
}
"""How a policy and a LimitRange call the constraints."""

FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    "container": tuple(FIELDS),
    "pod": ("max", "min", "max_limit_request_ratio"),
    "persistent_volume_claim": ("max", "min"),
}
"""The constraints that each type has."""

COMPUTE = ("cpu", "memory", "ephemeral-storage")
"""The resources of containers that every cluster has."""

COUNTED = (
    "pods",
    "services",
    "services.nodeports",
    "services.loadbalancers",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
)
"""Objects that a quota counts by a name of their own; all others are ``count/<plural>.<group>``."""

LIMITS_NAME = "hardening-limits"
QUOTA_NAME = "hardening-quota"
"""The names of what ``limits`` and ``quota`` of a policy say; ``limit_ranges`` and ``quotas`` have others."""

SCOPES = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
)
"""What a quota can be narrowed to (ResourceQuotaScope)."""

OPERATORS: Mapping[str, bool] = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}
"""How a scope is compared (ScopedResourceSelectorRequirement), and whether with values."""

_STANDARD = (*COMPUTE, *(f"{side}.{name}" for side in ("requests", "limits") for name in COMPUTE), "requests.storage")
_KEY_OF = {QUOTA_NAME: "quota", LIMITS_NAME: "limits"}
_HUGE_PAGES = "hugepages-"
_IN_ORDER = ("min", "default_request", "default", "max")
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def wrong_quantity(text: str) -> str:
    """What is wrong with a quantity; empty where nothing is."""
    amount = quantity(text)
    if amount is None:
        return "allowed: a quantity like 500m, 2, 512Mi or 8Gi"
    if amount < 0:
        return "allowed: a quantity that is not below 0"
    return "" if amount <= LARGEST else f"allowed: a quantity up to {LARGEST}, the largest that Kubernetes counts"


def wrong_quota_name(name: str) -> str:
    """What is wrong with the name of something that a quota limits; empty where nothing is."""
    plain = name.removeprefix("requests.")
    if name in (*_STANDARD, *COUNTED) or plain.startswith(_HUGE_PAGES):
        return ""
    if _is_qualified(plain):
        return ""
    meant = did_you_mean(name, (*_STANDARD, *COUNTED))
    return (
        "allowed: requests.cpu, limits.memory, requests.storage, pods, services.loadbalancers, count/deployments.apps, "
        f"requests.nvidia.com/gpu and the like.{f' Did you mean {meant}?' if meant else ''}"
    )


def wrong_object_name(name: str, taken: str) -> str:
    """What is wrong with the name of a ResourceQuota or LimitRange; ``taken`` is that which has a key of its own."""
    if not _DOMAIN.fullmatch(name):
        return "allowed: a name of a-z, 0-9, - and . (DNS-1123 subdomain)"
    return f"this is what {_KEY_OF[taken]} says: say it there" if name == taken else ""


def wrong_container_resource(name: str) -> str:
    """What is wrong with the name of a container's resource; empty where nothing is."""
    if name in COMPUTE or name.startswith(_HUGE_PAGES) or _is_qualified(name):
        return ""
    meant = did_you_mean(name, COMPUTE)
    return f"allowed: {', '.join(COMPUTE)}, or one like nvidia.com/gpu.{f' Did you mean {meant}?' if meant else ''}"


def _is_qualified(name: str) -> bool:
    domain, slash, rest = name.partition("/")
    return bool(slash and _DOMAIN.fullmatch(domain) and _NAME.fullmatch(rest))


def contradictions(resources: Any) -> Wrong:
    """What quota and limits of one namespace have against one another, as ``(path, text)``.

    What has a wrong type or is no quantity is passed over: others tell of it.
    """
    quota, limits = _mapping(resources, "quota"), _mapping(resources, "limits")
    quotas, limit_ranges = _mapping(resources, "quotas"), _mapping(resources, "limit_ranges")
    for path, text in _not_whole(quota):
        yield ("quota", *path), text
    for name in quotas:
        for path, text in _not_whole(_mapping(quotas[name], "hard")):
            yield ("quotas", name, "hard", *path), text
        for path, text in _of_selector(quotas[name]):
            yield ("quotas", name, *path), text
    for path, said in ((("limits",), limits), *((("limit_ranges", name), limit_ranges[name]) for name in limit_ranges)):
        for kind in FIELDS_OF:
            for below, text in _of_type(_mapping(said, kind), FIELDS_OF[kind]):
                yield (*path, kind, *below), text
    for name, text in _requests_without_effect(quota, _mapping(limits, "container")):
        yield ("limits", "container", "default_request", name), text
    for path, text in _between_types(_mapping(limits, "container"), _mapping(limits, "pod")):
        yield ("limits", *path), text


def _not_whole(hard: Mapping[str, Any]) -> Wrong:
    for name, said in hard.items():
        amount = quantity(said)
        if amount is not None and amount % 1 and (name in COUNTED or "/" in str(name)):
            yield (str(name),), f"{said} of them cannot be: what is counted is whole"


def _of_selector(quota: Any) -> Wrong:
    said = quota.get("scope_selector") if isinstance(quota, Mapping) else None
    for at, each in enumerate(said if isinstance(said, list) else ()):
        has_values = OPERATORS.get(str(each.get("operator"))) if isinstance(each, Mapping) else None
        if has_values is True and not each.get("values"):
            yield ("scope_selector", at), f"{each['operator']} needs values, like values: [high]"
        if has_values is False and each.get("values"):
            yield ("scope_selector", at, "values"), f"have no meaning with {each['operator']}"


def _of_type(limit: Mapping[str, Any], fields: tuple[str, ...]) -> Wrong:
    said = {field: amounts(_mapping(limit, field)) if field in fields else {} for field in FIELDS}
    for name in sorted({name for field in FIELDS for name in said[field]}):
        there = [field for field in _IN_ORDER if name in said[field]]
        for lower, upper in pairwise(there):
            if said[lower][name] > said[upper][name]:
                text = f"{limit[upper][name]} is less than {lower} {limit[lower][name]}; {' <= '.join(_IN_ORDER)}"
                yield (upper, name), text
        yield from _of_ratio(name, limit, said)


def _of_ratio(name: str, limit: Mapping[str, Any], said: Mapping[str, Mapping[str, Decimal]]) -> Wrong:
    ratio = said["max_limit_request_ratio"].get(name)
    if ratio is None:
        return
    path, text = ("max_limit_request_ratio", name), limit["max_limit_request_ratio"][name]
    if ratio < 1:
        yield path, f"{text} is below 1, and no limit can be below its request"
    lowest, highest = said["min"].get(name), said["max"].get(name)
    if lowest and highest and ratio > highest / lowest >= 1:
        yield path, f"{text} is more than max by min ({limit['max'][name]} by {limit['min'][name]}) lets come about"
    request, default = said["default_request"].get(name), said["default"].get(name)
    if request is not None and default is not None and default > request * ratio:
        times = f"{limit['default'][name]} is more than {text} times default_request {limit['default_request'][name]}"
        yield ("default", name), f"{times}: max_limit_request_ratio would refuse every pod that says nothing"


def _requests_without_effect(quota: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Default requests of what every container has to limit by itself: its limit is then taken for its request."""
    for name in _mapping(container, "default_request"):
        required = name in ("cpu", "memory") and f"limits.{name}" in quota
        if required and not any(name in _mapping(container, each) for each in ("default", "max")):
            yield (
                name,
                f"never counts: the quota of limits.{name} wants a limit said, and it is the request too; add default",
            )


def _between_types(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Wrong:
    highest = amounts(_mapping(pod, "max"))
    for field in ("min", "default_request", "default"):
        for name, amount in amounts(_mapping(container, field)).items():
            if name in highest and amount > highest[name]:
                text = f"{pod['max'][name]} is less than {field} {container[field][name]} of a single container"
                yield ("pod", "max", name), text


def _mapping(holder: Any, key: str) -> Mapping[str, Any]:
    found = holder.get(key) if isinstance(holder, Mapping) else None
    return found if isinstance(found, Mapping) else {}
