# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: with which of its keys a KMS encrypts now, by the word of the servers that ask it.

A KMS changes its key without a change of the configuration: values keep the right prefix, and are under a former key
until they are written anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import Scan
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence


def kms_of(told: Iterable[Evidence]) -> dict[str, str]:
    """By prefix of a KMS v2 plugin the ``sha256:…`` of its key's id; without those on which servers do not agree."""
    said: dict[str, set[str]] = {}
    for each in told:
        for plugin, hashed in each.kms_key_ids.items():
            said.setdefault(Key("kms_v2", plugin).prefix, set()).add(hashed)
    return {prefix: next(iter(hashes)) for prefix, hashes in said.items() if len(hashes) == 1}


def refuse_undated(found: Scan, writing: Iterable[tuple[str, Key]]) -> None:
    """Raise HardeningError where a resource is written by a KMS, and values may be under a former key of it."""
    undated = sorted({key.name for name, key in writing if (name, key.prefix) in found.undated})
    if undated:
        raise HardeningError(
            f"The API servers do not say alike with which of its keys the KMS {', '.join(undated)} encrypts now, so it "
            "cannot be told which values are under a former one. They ask it once a minute: run again in some minutes, "
            "and look at each plugin's log if it stays so."
        )
