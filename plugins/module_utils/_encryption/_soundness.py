# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what is to be said against a configuration that an API server loads.

A configuration that was made by hand is adopted with its keys as they are, unless values in etcd would not tell which
of them wrote what: then nobody can prove that a key is not needed any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import Configuration
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import (
    KeyMaterial,
    is_guessable,
    is_mistakable,
    is_unsafe,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError


@dataclass(frozen=True, slots=True)
class Remark:
    """Something against a configuration; ``resource`` is empty where it is about a key.

    ``blocks``: it has to be repaired by hand before the configuration can be adopted.
    """

    told: str
    remedy: str
    resource: str = ""
    blocks: bool = False


def remarks_on(configuration: Configuration) -> tuple[Remark, ...]:
    """All that is to be said against it, in a fixed order; none holds key material."""
    return tuple(remark for rule in _RULES for remark in rule(configuration))


def refuse_unsound(configuration: Configuration) -> None:
    """Raise :class:`HardeningError` on a configuration that cannot be adopted."""
    blocking = [f"{remark.told} {remark.remedy}" for remark in remarks_on(configuration) if remark.blocks]
    if blocking:
        raise HardeningError(f"The encryption configuration cannot be adopted. {' '.join(blocking)}")


def _unsafe_names(configuration: Configuration) -> Iterator[Remark]:
    for key in sorted(configuration.ring):
        if is_unsafe(key.name):
            yield Remark(
                f"The name {key.name!r} under {key.provider} is not a safe one, and stands in etcd before every value.",
                "Write all objects anew with a key whose name has at most 253 letters, digits, dots, dashes, "
                "underscores and colons, and does not begin with k8s:enc:, and take this one out.",
                blocks=True,
            )


def _one_name_for_two_keys(configuration: Configuration) -> Iterator[Remark]:
    for one, other in combinations(_with_material(configuration), 2):
        if one.prefix == other.prefix:
            yield Remark(
                f"Two different keys are named {one.name} under {one.provider} (fingerprints {one.fingerprint} and "
                f"{other.fingerprint}), so values in etcd do not tell which one wrote them.",
                "Take out the one that wrote none, or write all objects anew with a third key.",
                blocks=True,
            )


def _names_that_look_alike(configuration: Configuration) -> Iterator[Remark]:
    for one, other in combinations(sorted(configuration.ring), 2):
        if one.provider == other.provider and one.name != other.name and is_mistakable(one.name, other.name):
            yield Remark(
                f"The names {one.name} and {other.name} under {one.provider} cannot be told apart in etcd, since one "
                "goes on with a colon where the other ends.",
                "Write all objects anew with a key of another name, and take these out.",
                blocks=True,
            )


def _plain_text(configuration: Configuration) -> Iterator[Remark]:
    for resource, keys in sorted(configuration.providers.items()):
        if keys[0] == IDENTITY:
            yield Remark(
                f"{resource} are written in plain text, since identity comes first.",
                "Let the role encryption_at_rest put a key in front; by hand it takes two steps and a rewrite.",
                resource,
            )
        elif IDENTITY in keys:
            yield Remark(
                f"{resource} are read in plain text too, so nothing fails where some were never encrypted.",
                "Take identity out once etcd was searched for plain text.",
                resource,
            )


def _few_writes(configuration: Configuration) -> Iterator[Remark]:
    for resource, keys in sorted(configuration.providers.items()):
        if keys[0].provider == "aesgcm":
            yield Remark(
                f"{resource} are written with aesgcm, whose keys are spent after 200,000 writes (CIS 1.2.28).",
                "Change to secretbox or a KMS, or rotate the key before that.",
                resource,
            )
        if "kms_v1" in (key.provider for key in keys):
            yield Remark(
                f"{resource} need a KMS plugin of v1, which API servers from 1.29 on take only with the feature gate "
                "KMSv1.",
                "Change to v2.",
                resource,
            )


def _typed_keys(configuration: Configuration) -> Iterator[Remark]:
    for key, material in sorted(configuration.ring.items(), key=lambda each: each[0]):
        if isinstance(material, KeyMaterial) and is_guessable(material):
            yield Remark(
                f"The {key} (fingerprint {key.fingerprint}) looks typed and not drawn at random.",
                "Rotate it now.",
            )


def _one_key_under_two_names(configuration: Configuration) -> Iterator[Remark]:
    by_fingerprint = sorted(_with_material(configuration), key=lambda key: (key.fingerprint, key))
    for one, other in pairwise(by_fingerprint):
        if one.fingerprint == other.fingerprint:
            yield Remark(
                f"The {one} and the {other} are the same bytes (fingerprint {one.fingerprint}): a rotation from one to "
                "the other changes nothing.",
                "Rotate to a new key.",
            )


def _passed_over(configuration: Configuration) -> Iterator[Remark]:
    for field in configuration.ignored:
        yield Remark(f"No API server knows the field {field}, and all pass over it.", "Take it out.")


_RULES: tuple[Callable[[Configuration], Iterator[Remark]], ...] = (
    _unsafe_names,
    _one_name_for_two_keys,
    _names_that_look_alike,
    _plain_text,
    _few_writes,
    _typed_keys,
    _one_key_under_two_names,
    _passed_over,
)


def _with_material(configuration: Configuration) -> list[Key]:
    return sorted(key for key in configuration.ring if key.has_material)
