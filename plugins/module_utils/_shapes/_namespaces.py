# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which namespace gets which settings, and which of them cannot be found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._cluster_components import (
    holds_cluster_components,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, judged
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Settings = dict[str, Any]
Labels = Mapping[str, str]

_NAME_LABEL = "kubernetes.io/metadata.name"
_NAME_OR_GLOB = re.compile(r"[a-z0-9*?\[\]!-]+")


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who gets what.

    ``settings`` holds every namespace that gets any, also those in ``creating``: named with ``create: true`` and not
    there yet. ``missing`` are names that do not exist and may not be created, each with the name that was likely
    meant, or ``""``. ``unmatched`` are the selectors that no namespace has the labels for, ``idle`` those that match
    but give no namespace its settings. ``default_is_idle``: there is a default, and it gives none its settings either.
    """

    settings: dict[str, Settings]
    missing: dict[str, str]
    unmatched: list[str]
    creating: frozenset[str]
    idle: list[str] = field(default_factory=list)
    default_is_idle: bool = False


def resolve(
    live: Sequence[Mapping[str, Any]],
    namespaces: Mapping[str, Settings],
    selected: Sequence[Settings],
    default: Settings,
    exempt: Sequence[str],
    only: Sequence[str] = (),
) -> Resolution:
    """Give each namespace the settings that reach it: named before the first matching selector before the default.

    ``live`` are Namespace objects. ``namespaces`` maps names to settings, ``selected`` are settings with a
    ``selector``, ``exempt`` are globs. A namespace that is named without settings says nothing, and is reached by
    what says something. Neither a selector nor the default reaches an exempt namespace, one that is being deleted, or
    one that holds cluster components. Raises :class:`HardeningError` on settings that are none and on a bad selector.

    ``only`` are names and globs to which all of it is limited, as :func:`is_meant` says: no other namespace gets
    settings or is missing, and nothing is told of selectors and a default, which are about others too.
    """
    _refuse_what_is_no_settings(namespaces, selected)
    labels = {_name(each): _labels(each) for each in live}
    ending = {_name(each) for each in live if (each.get("metadata") or {}).get("deletionTimestamp")}
    creating = {name for name, said in namespaces.items() if said.get("create") is True and name not in labels}
    missing = {name: did_you_mean(name, labels) for name in namespaces if name not in labels and name not in creating}
    labels |= {name: {_NAME_LABEL: name} for name in creating}
    selectors = [(each["selector"], label_selector(each["selector"]), _without(each, "selector")) for each in selected]

    settings: dict[str, Settings] = {}
    idle = {text for text, matches, _said in selectors if any(map(matches, labels.values()))}
    by_default = set()
    for name in sorted(labels):
        chosen = _without(namespaces.get(name, {}), "create")
        if not chosen and name not in ending and not _is_any_of(name, exempt) and not holds_cluster_components(name):
            text, chosen = next(((text, said) for text, matches, said in selectors if matches(labels[name])), ("", {}))
            if chosen:
                idle.discard(text)
            if not chosen:
                chosen = default
                by_default.add(name)
        if chosen:
            settings[name] = dict(chosen)

    if only:
        return Resolution(
            settings={name: said for name, said in settings.items() if is_meant(name, only)},
            missing={name: meant for name, meant in missing.items() if is_meant(name, only)},
            unmatched=[],
            creating=frozenset(name for name in creating if is_meant(name, only)),
        )
    return Resolution(
        settings=settings,
        missing=missing,
        unmatched=[text for text, matches, _said in selectors if not any(map(matches, labels.values()))],
        creating=frozenset(creating),
        idle=[text for text, _matches, _said in selectors if text in idle],
        default_is_idle=bool(default) and not by_default,
    )


def is_meant(name: str, only: Sequence[str]) -> bool:
    """Whether a run that is limited to these names and globs may touch and judge a namespace; no limit means all."""
    return not only or _is_any_of(name, only)


def check_limit(only: Sequence[str], option: str = "only") -> None:
    """Refuse a limit that is none: what an empty variable leaves must never come to mean the whole cluster."""
    wrong = next((each for each in only if not _NAME_OR_GLOB.fullmatch(each)), None)
    if wrong is not None:
        raise HardeningError(
            f"{option}: {wrong!r} is neither the name of a namespace nor a glob of such names like team-*: "
            "correct it, or leave it out to mean all."
        )


def _refuse_what_is_no_settings(namespaces: Mapping[str, Any], selected: Sequence[Any]) -> None:
    for name, said in namespaces.items():
        if not isinstance(said, Mapping):
            raise HardeningError(f"namespaces.{name}: {said!r} is not a mapping of settings.")
    for at, said in enumerate(selected):
        if not isinstance(said, Mapping):
            raise HardeningError(f"selected[{at}]: {said!r} is not a mapping of settings with a selector.")
        if not isinstance(said.get("selector"), str):
            raise HardeningError(
                f"selected[{at}].selector: {said.get('selector')!r} is not a label selector like team=payments."
            )


def resolution_findings(resolution: Resolution, part: str) -> list[Finding]:
    """A failure of ``policy.namespaces`` for each missing namespace and for all settings that reach no namespace.

    ``part`` is the part of the policy that the settings belong to: ``pod_security`` or ``network``.
    """
    missing = [
        (
            f"Namespace/{name}",
            f"there is no namespace {name}" + (f"; did you mean {meant}?" if meant else ""),
            "Correct the name, create the namespace, or say create: true in its settings.",
        )
        for name, meant in resolution.missing.items()
    ]
    unmatched = [
        (
            f"Selector/{selector}",
            f"no namespace has the labels {selector}",
            "Correct the selector, label the namespaces that it means, or take it out.",
        )
        for selector in resolution.unmatched
    ]
    idle = [
        (
            f"Selector/{selector}",
            f"{part}: the selector {selector} reaches no namespace: those that it matches {_OUT_OF_REACH}",
            "Name one of them to mean it, take the selector out, or put it before the one that catches them.",
        )
        for selector in resolution.idle
    ]
    default = [
        (
            f"Default/{part}",
            f"{part}: the default reaches no namespace: all {_OUT_OF_REACH}",
            "Narrow what is exempt, or take the default out.",
        )
    ]
    told = [*missing, *unmatched, *idle, *(default if resolution.default_is_idle else ())]
    return [judged("policy.namespaces", subject, "fail", said, "server", remedy) for subject, said, remedy in told]


_OUT_OF_REACH = "are named, matched by a selector before it, exempt, being deleted, or hold components of the cluster"
_KEY = r"(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?"
_REQUIREMENTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Callable[[Labels], bool]]], ...] = (
    (
        re.compile(rf"(?P<key>{_KEY})\s+in\s+\((?P<values>[^()]*)\)"),
        lambda found: lambda labels: labels.get(found["key"]) in _values(found["values"]),
    ),
    (
        re.compile(rf"(?P<key>{_KEY})\s+notin\s+\((?P<values>[^()]*)\)"),
        lambda found: lambda labels: labels.get(found["key"]) not in _values(found["values"]),
    ),
    (
        re.compile(rf"(?P<key>{_KEY})\s*==?\s*(?P<value>{_VALUE})"),
        lambda found: lambda labels: labels.get(found["key"]) == found["value"],
    ),
    (
        re.compile(rf"(?P<key>{_KEY})\s*!=\s*(?P<value>{_VALUE})"),
        lambda found: lambda labels: labels.get(found["key"]) != found["value"],
    ),
    (re.compile(rf"!\s*(?P<key>{_KEY})"), lambda found: lambda labels: found["key"] not in labels),
    (re.compile(rf"(?P<key>{_KEY})"), lambda found: lambda labels: found["key"] in labels),
)
"""The forms of one requirement of a label selector, as the API concept «Labels and Selectors» gives them."""


def label_selector(text: str) -> Callable[[Labels], bool]:
    """Whether labels meet a label selector like ``team=payments,tier in (a, b),!legacy``, as a function of the labels.

    Raises :class:`HardeningError` on anything that the API server would not take either, and on an empty selector,
    which would match everything: that is what a default is for.
    """
    parts = [part.strip() for part in re.split(r",(?![^(]*\))", text)]
    requirements = [_requirement(part, text) for part in parts]
    return lambda labels: all(holds(labels) for holds in requirements)


def _requirement(part: str, selector: str) -> Callable[[Labels], bool]:
    for pattern, meaning in _REQUIREMENTS:
        if found := pattern.fullmatch(part):
            return meaning(found)
    raise HardeningError(
        f"The selector {selector!r} is not a label selector: {part!r} is none of key=value, key!=value, "
        "key in (a, b), key notin (a, b), key, !key."
    )


def _values(text: str) -> frozenset[str]:
    return frozenset(value.strip() for value in text.split(","))


def _is_any_of(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _without(settings: Settings, key: str) -> Settings:
    return {name: value for name, value in settings.items() if name != key}


def _name(namespace: Mapping[str, Any]) -> str:
    return str(namespace["metadata"]["name"])


def _labels(namespace: Mapping[str, Any]) -> Labels:
    return namespace["metadata"].get("labels") or {}
