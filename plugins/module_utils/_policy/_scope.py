# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a run on some of the namespaces that a policy reaches.

The roles get the whole policy and the limit: who gets which settings is decided there, by
``_shapes._namespaces.resolve``. Here is what a run has to know before: which namespaces and parts that comes to, and
which of the names that the limit gives are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import SECTIONS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant, resolve
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Live = Sequence[Mapping[str, Any]]


def limited(policy: Mapping[str, Any], only: Sequence[str]) -> dict[str, Any]:
    """A policy, as ``for_roles`` gives it, that creates no other namespace than those that ``only`` means."""
    return {**policy, "create": [name for name in policy["create"] if is_meant(name, only)]}


def reached(policy: Mapping[str, Any], live: Live, only: Sequence[str] = ()) -> dict[str, list[str]]:
    """The namespaces that each part of a run is about, by name; those that are missing are among them.

    ``policy`` is as ``for_roles`` gives it, ``live`` are Namespace objects. A part that is about none is left out.
    """
    told = {"namespaces": [name for name in policy["create"] if is_meant(name, only)]}
    for part, section in SECTIONS.items():
        said = policy[section]
        found = resolve(live, said["namespaces"], said["selected"], said["default"], said["exempt"], only)
        told[part] = sorted({*found.settings, *found.missing})
    return {part: names for part, names in told.items() if names}


def chosen(option: str, globs: Sequence[str], names: Iterable[str], live: Live) -> list[str]:
    """Which of the names, that a run reaches, the globs of an option mean.

    Raises :class:`HardeningError` that tells every one that means nobody, with the name that was likely meant.
    """
    known = sorted(set(names))
    there = {str(each["metadata"]["name"]) for each in live}
    wrong = [_nobody(glob, known, there) for glob in globs if not any(is_meant(name, [glob]) for name in known)]
    if wrong:
        raise HardeningError(f"{option}: {'; '.join(wrong)}. Name namespaces that the policy says something of.")
    return [name for name in known if is_meant(name, globs)] if globs else []


def _nobody(glob: str, known: Sequence[str], there: set[str]) -> str:
    if glob in there:
        return f"the run is not about the namespace {glob}, which is there"
    meant = did_you_mean(glob, known)
    return f"the run reaches no namespace {glob}" + (f", did you mean {meant}?" if meant else "")
