# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy would say of a namespace's Pod Security labels, and what it could say.

``ValidateNamespace`` of pod-security-admission judges running pods wherever level or version change to something that
is not looser. A version later than the server's own has its newest rules, and is none that a namespace has already: so
the server judges by these rules whatever the namespace enforces now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MARK, refused
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    LABEL_PREFIX,
    LEVELS_LOOSEST_FIRST,
    MODES,
    UNLABELLED_VERSION,
    VERSION_KEYS,
    Standard,
    is_version,
    labelled,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import ExistingPods

Object = Mapping[str, Any]

STRICTEST_FIRST = LEVELS_LOOSEST_FIRST[:0:-1]
"""The levels that refuse anything."""

_PODS_NAMED = 3
_ABOVE_ANY = 100


def standard_to_try(level: str, server: tuple[int, int]) -> Standard:
    """The newest rules of a level, by a version that no namespace has."""
    return Standard(level, f"v1.{server[1] + _ABOVE_ANY}")


@dataclass(frozen=True, slots=True)
class Tried:
    """What the server said of a namespace that would enforce a level: the ``existing`` pods, or ``why`` it did not."""

    level: str
    existing: ExistingPods | None = None
    why: str = ""

    @property
    def harmless(self) -> bool:
        """Whether it was seen that no running pod breaks the level."""
        return self.existing is not None and not self.existing.violate and not self.existing.incomplete


@dataclass(frozen=True, slots=True)
class Possible:
    """The strictest level that a namespace could enforce as far as anybody saw, ``""`` for none, and what was seen."""

    level: str
    sentences: tuple[str, ...]
    certain: bool


def of_namespace(namespace: Object, set_name: str) -> tuple[dict[str, str], list[str]]:
    """The settings whose labels a namespace has already, and sentences about labels that no setting says."""
    name = str(namespace["metadata"]["name"])
    live = namespace["metadata"].get("labels") or {}
    if refused({name: namespace}, [name], set_name):
        return {}, [f"The Pod Security labels belong to the set {live[MARK]}, and are left out."]
    settings: dict[str, str] = {}
    told = []
    for mode in MODES:
        level = live.get(f"{LABEL_PREFIX}{mode}")
        version = live.get(f"{LABEL_PREFIX}{mode}-version", UNLABELLED_VERSION)
        if level is None:
            continue
        if level in LEVELS_LOOSEST_FIRST and (version == UNLABELLED_VERSION or is_version(version)):
            settings |= {mode: level, **_version(settings, mode, version)}
        else:
            counts = labelled(live, mode)
            told.append(f"The label {mode} says {level} of {version}, which there is not; the server takes {counts}.")
    return settings, told


def _version(settings: Mapping[str, str], mode: str, version: str) -> dict[str, str]:
    """The key that says a mode's version, where ``version`` does not say it already."""
    return {} if settings.get("version") == version else {VERSION_KEYS[mode]: version}


def possible(tried: Sequence[Tried], unasked: Sequence[str], enforced: Standard | None) -> Possible:
    """What the answers to the levels, strictest first, come to; ``unasked`` are templates that nobody judged."""
    level = next((each.level for each in tried if each.harmless), "")
    stricter = bool(level) and _rank(level) > _rank(enforced.level if enforced else LEVELS_LOOSEST_FIRST[0])
    told = [f"could enforce {level} today: no running pod breaks it"] if stricter else []
    told += [_in_the_way(each) for each in tried if not each.harmless]
    if unasked and stricter:
        more = len(unasked) - _PODS_NAMED
        named = ", ".join(unasked[:_PODS_NAMED]) + (f" and {more} more" if more > 0 else "")
        told.append(f"not judged, since no pod of it runs: {named}")
    return Possible(level, tuple(told), certain=stricter and not unasked)


def tightened(settings: Mapping[str, str], found: Possible, server: tuple[int, int]) -> dict[str, str]:
    """The settings with the level that is possible, where that is certain and stricter than what they say."""
    if not found.certain:
        return dict(settings)
    said = {"enforce": found.level, "version": f"v{server[0]}.{server[1]}"}
    for mode in MODES[1:]:
        if mode in settings:
            version = settings.get(VERSION_KEYS[mode]) or settings["version"]
            said |= {mode: settings[mode], **_version(said, mode, version)}
    return said


def _in_the_way(tried: Tried) -> str:
    if tried.existing is None or not tried.existing.violate:
        why = tried.existing.incomplete if tried.existing else tried.why
        return f"whether it could enforce {tried.level} is unknown: {why}"
    groups = tried.existing.groups
    named = "; ".join(f"{each.pod}{_and(each.others)} ({each.reasons})" for each in groups[:_PODS_NAMED])
    more = len(groups) - _PODS_NAMED
    return f"{tried.level} would refuse {named or 'pods that run'}" + (f"; and {more} more" if more > 0 else "")


def _and(others: int) -> str:
    return f" and {others} like it" if others else ""


def _rank(level: str) -> int:
    return LEVELS_LOOSEST_FIRST.index(level)
