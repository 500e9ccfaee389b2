# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a task says of quotas and limits, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import (
    FIELDS_OF,
    LIMITS_NAME,
    OPERATORS,
    QUOTA_NAME,
    SCOPES,
    contradictions,
    wrong_container_resource,
    wrong_object_name,
    wrong_quantity,
    wrong_quota_name,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

_KEYS = ("quota", "limits", "quotas", "limit_ranges")
_QUOTA_KEYS = ("hard", "scopes", "scope_selector")
_SELECTOR_KEYS = ("scope_name", "operator", "values")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123 label, as the API takes it


def as_written(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with every quantity as the text that it is in Kubernetes."""

    def text(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: text(each) for key, each in value.items()}
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    return {key: text(value) if key in _KEYS else value for key, value in settings.items()}


def check_settings(
    namespaces: Mapping[str, Any], selected: Sequence[Mapping[str, Any]], default: Mapping[str, Any]
) -> None:
    """Raise one :class:`HardeningError` that names every mistake in the settings of a task."""
    mistakes = [
        *(
            f"namespaces: {name!r} cannot be the name of a namespace: up to 63 of a-z, 0-9 and - inside."
            for name in namespaces
            if not _NAMESPACE.fullmatch(str(name))
        ),
        *(each for name, said in namespaces.items() for each in _mistakes(f"namespaces.{name}", said, ("create",))),
        *(each for at, said in enumerate(selected) for each in _mistakes(f"selected[{at}]", said, ("selector",))),
        *_mistakes("default", default, ()),
    ]
    if mistakes:
        raise HardeningError("The settings of quotas and limits cannot be used.\n" + "\n".join(mistakes))


def _mistakes(where: str, said: Any, more_keys: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(said, Mapping):
        yield f"{where}: settings are a mapping like {{quota: {{requests.cpu: 4}}}}, not {said!r}."
        return
    yield from _unknown_keys(where, said, (*_KEYS, *more_keys))
    if not isinstance(said.get("create", False), bool):
        yield f"{where}.create: {said['create']!r} is neither true nor false."
    if "selector" in more_keys and not isinstance(said.get("selector"), str):
        yield f"{where}: selector is missing, a text like 'team=payments'; settings for all are those of default."
    wrong = [
        *_wrong_amounts(f"{where}.quota", said.get("quota"), wrong_quota_name),
        *_wrong_limits(f"{where}.limits", said.get("limits")),
        *_wrong_named(f"{where}.quotas", said.get("quotas"), QUOTA_NAME, _wrong_quota),
        *_wrong_named(f"{where}.limit_ranges", said.get("limit_ranges"), LIMITS_NAME, _wrong_limits),
    ]
    yield from wrong
    if not wrong:
        yield from (f"{where}.{'.'.join(map(str, path))}: {text}." for path, text in contradictions(said))


def _wrong_named(where: str, said: Any, taken: str, wrong: Callable[[str, Any], Iterator[str]]) -> Iterator[str]:
    if said is None:
        return
    if not isinstance(said, Mapping):
        yield f"{where}: {said!r} is not a mapping of names to what each says."
        return
    for name, each in said.items():
        if told := wrong_object_name(str(name), taken):
            yield f"{where}: {name!r}; {told}."
        yield from wrong(f"{where}.{name}", each)


def _wrong_quota(where: str, said: Any) -> Iterator[str]:
    if not isinstance(said, Mapping) or not said.get("hard"):
        yield f"{where}: {said!r} is not a mapping like {{hard: {{pods: 20}}, scopes: [NotTerminating]}}."
        return
    yield from _unknown_keys(where, said, _QUOTA_KEYS)
    yield from _wrong_amounts(f"{where}.hard", said["hard"], wrong_quota_name)
    yield from _wrong_words(f"{where}.scopes", said.get("scopes"), SCOPES)
    selector = said.get("scope_selector")
    if selector is not None and not isinstance(selector, list):
        yield f"{where}.scope_selector: {selector!r} is not a list like [{{scope_name: BestEffort, operator: Exists}}]."
    for at, each in enumerate(selector if isinstance(selector, list) else ()):
        path = f"{where}.scope_selector[{at}]"
        if not isinstance(each, Mapping):
            yield f"{path}: {each!r} is not a mapping like {{scope_name: BestEffort, operator: Exists}}."
            continue
        yield from _unknown_keys(path, each, _SELECTOR_KEYS)
        yield from _wrong_words(f"{path}.scope_name", [each.get("scope_name")], SCOPES)
        yield from _wrong_words(f"{path}.operator", [each.get("operator")], tuple(OPERATORS))


def _wrong_words(where: str, said: Any, allowed: Sequence[str]) -> Iterator[str]:
    if said is not None and not isinstance(said, list):
        yield f"{where}: {said!r} is not a list."
        return
    for each in said or ():
        if each not in allowed:
            meant = did_you_mean(str(each), allowed)
            yield f"{where}: {each!r} is not one of {', '.join(allowed)}{f'; did you mean {meant}?' if meant else '.'}"


def _wrong_limits(where: str, limits: Any) -> Iterator[str]:
    if limits is None:
        return
    if not isinstance(limits, Mapping):
        yield f"{where}: {limits!r} is not a mapping like {{container: {{default: {{cpu: 500m}}}}}}."
        return
    yield from _unknown_keys(where, limits, tuple(FIELDS_OF))
    for kind, fields in FIELDS_OF.items():
        limit = limits.get(kind)
        if limit is None:
            continue
        if not isinstance(limit, Mapping):
            yield f"{where}.{kind}: {limit!r} is not a mapping like {{max: {{cpu: 2}}}}."
            continue
        yield from _unknown_keys(f"{where}.{kind}", limit, fields)
        name_wrong = _only_storage if kind == "persistent_volume_claim" else wrong_container_resource
        for field in fields:
            yield from _wrong_amounts(f"{where}.{kind}.{field}", limit.get(field), name_wrong)


def _wrong_amounts(where: str, said: Any, name_wrong: Callable[[str], str]) -> Iterator[str]:
    if said is None:
        return
    if not isinstance(said, Mapping):
        yield f"{where}: {said!r} is not a mapping of resources to quantities."
        return
    for name, value in said.items():
        if wrong := name_wrong(str(name)):
            yield f"{where}: {name!r}; {wrong}."
        elif wrong := wrong_quantity(str(value)):
            yield f"{where}.{name}: {value!r}; {wrong}."


def _unknown_keys(where: str, said: Mapping[str, Any], allowed: Sequence[str]) -> Iterator[str]:
    for key in said:
        if key not in allowed:
            meant = did_you_mean(str(key), allowed)
            hint = f"; did you mean {meant}?" if meant else "."
            yield f"{where}: there is no {key!r}, only {', '.join(allowed)}{hint}"


def _only_storage(name: str) -> str:
    return "" if name == "storage" else "allowed: storage"
