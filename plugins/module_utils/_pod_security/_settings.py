# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a namespace is to enforce, audit and warn of, and the labels that say so.

The labels and what they mean: KEP-2579 and ``k8s.io/pod-security-admission/api``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

LEVELS_LOOSEST_FIRST = ("privileged", "baseline", "restricted")
MODES = ("enforce", "audit", "warn")
LATEST = "latest"
UNLABELLED_VERSION = "unlabelled"
"""For a version that no label says. The server takes the one in its own configuration, which is latest by default."""

VERSION_KEYS = {"enforce": "version", "audit": "audit_version", "warn": "warn_version"}
"""The setting that says the version of each mode."""

_VERSION = re.compile(r"latest|v1\.(0|[1-9][0-9]*)")
_VERSION_SAID = re.compile(rf"{_VERSION.pattern}|{UNLABELLED_VERSION}")
_KEYS = (*MODES, *VERSION_KEYS.values())
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123 label, as the API takes it
LABEL_PREFIX = "pod-security.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Standard:
    """A level of the Pod Security Standards at a version, written ``level:version`` as the server writes it."""

    level: str
    version: str = LATEST

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"

    @property
    def admits_everything(self) -> bool:
        """Whether there is nothing that the level forbids."""
        return self.level == "privileged"


UNLABELLED = Standard("privileged")
"""What a namespace without labels enforces, unless the server's AdmissionConfiguration has other defaults."""


def standard(settings: Mapping[str, str], mode: str = "enforce") -> Standard | None:
    """What the settings say of one mode; ``None`` where they leave it alone. ``version`` stands in for other modes'."""
    if not settings.get(mode):
        return None
    version = _version_said(settings, mode)
    return Standard(settings[mode], LATEST if version == UNLABELLED_VERSION else version)


def _version_said(settings: Mapping[str, str], mode: str) -> str:
    return settings.get(VERSION_KEYS[mode]) or settings.get("version") or LATEST


def labels(settings: Mapping[str, str]) -> dict[str, str]:
    """The labels that say what the settings say.

    The version is among them unless it is to have none: the server then takes the one in its own configuration.
    """
    found: dict[str, str] = {}
    for mode in MODES:
        if wanted := standard(settings, mode):
            found[f"{LABEL_PREFIX}{mode}"] = wanted.level
            if _version_said(settings, mode) != UNLABELLED_VERSION:
                found[f"{LABEL_PREFIX}{mode}-version"] = wanted.version
    return found


def labelled(namespace_labels: Mapping[str, str], mode: str = "enforce") -> Standard | None:
    """What the labels of a live namespace say of one mode, ``None`` where they say nothing.

    A level or a version that there is not counts as the strictest, as the server counts it.
    """
    level = namespace_labels.get(f"{LABEL_PREFIX}{mode}")
    version = namespace_labels.get(f"{LABEL_PREFIX}{mode}-version", LATEST)
    if not level:
        return None
    return Standard(
        level if level in LEVELS_LOOSEST_FIRST else LEVELS_LOOSEST_FIRST[-1],
        version if is_version(version) else LATEST,
    )


def is_version(label: str) -> bool:
    """Whether the server takes a label's value for a version."""
    return bool(_VERSION.fullmatch(label))


def is_explicit(namespace_labels: Mapping[str, str]) -> bool:
    """Whether labels say level and version of what is enforced, so that the server's own defaults do not count."""
    return all(f"{LABEL_PREFIX}{key}" in namespace_labels for key in ("enforce", "enforce-version"))


def enforcing_label(level: str, version: str) -> dict[str, str]:
    """The labels that have this, and nothing else, enforced."""
    return {f"{LABEL_PREFIX}enforce": level, f"{LABEL_PREFIX}enforce-version": version}


def server_checks_pods(before: Standard, after: Standard) -> bool:
    """Whether the server looks at the pods that run when ``enforce`` changes (``ValidateNamespace`` of the plugin)."""
    looser = LEVELS_LOOSEST_FIRST.index(after.level) <= LEVELS_LOOSEST_FIRST.index(before.level)
    return after != before and not after.admits_everything and not (after.version == before.version and looser)


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
        *(
            mistake
            for name, said in namespaces.items()
            for mistake in _mistakes(f"namespaces.{name}", said, ("create",))
        ),
        *(mistake for i, said in enumerate(selected) for mistake in _mistakes(f"selected[{i}]", said, ("selector",))),
        *_mistakes("default", default, ()),
    ]
    if mistakes:
        raise HardeningError("The Pod Security settings cannot be used.\n" + "\n".join(mistakes))


def check_timeout(seconds: float) -> None:
    """Raise :class:`HardeningError` for seconds that never come to an end, or are below none."""
    if not math.isfinite(seconds) or seconds < 0:
        raise HardeningError(f"timeout is a number of seconds from 0 on, not {seconds}.")


def _mistakes(where: str, said: Any, more_keys: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(said, Mapping):
        yield f"{where}: settings are a mapping like {{enforce: restricted}}, not {said!r}."
        return
    for key, value in said.items():
        if key in MODES and value is not None and value not in LEVELS_LOOSEST_FIRST:
            meant = did_you_mean(str(value), LEVELS_LOOSEST_FIRST)
            yield f"{where}.{key}: {value!r} is not one of {', '.join(LEVELS_LOOSEST_FIRST)}{_meant(meant)}"
        elif key in VERSION_KEYS.values() and value is not None and not _VERSION_SAID.fullmatch(str(value)):
            meant = _version_meant(value) or did_you_mean(str(value), (LATEST, UNLABELLED_VERSION))
            yield f"{where}.{key}: {value!r} is neither latest nor a version like v1.36{_meant(meant)}"
        elif key not in (*_KEYS, *more_keys):
            meant = did_you_mean(str(key), (*_KEYS, *more_keys))
            yield f"{where}: there is no setting {key!r}, only {', '.join((*_KEYS, *more_keys))}{_meant(meant)}"
    if not isinstance(said.get("create", False), bool):
        yield f"{where}.create: {said['create']!r} is neither true nor false."
    if "selector" in more_keys and not said.get("selector"):
        yield f"{where}: selector is missing; settings for every namespace are those of default."
    elif "selector" in more_keys and not isinstance(said["selector"], str):
        yield f"{where}.selector: {said['selector']!r} is not a text like 'team=payments'."


def _meant(meant: str) -> str:
    return f"; did you mean {meant}?" if meant else "."


def _version_meant(value: Any) -> str:
    minor = re.fullmatch(r"v?1\.([0-9]+)(\.[0-9]+)?", str(value))
    return f"v1.{int(minor[1])}" if minor else ""
