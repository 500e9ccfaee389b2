# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a record as ConfigMaps: compressed, in as many as it takes, and told in plain words."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import (
    Damaged,
    Entry,
    Run,
    entries_of,
    lines_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import (
    RECORD_LABEL,
    RECORD_NAMESPACE,
)

RUN_LABEL = "hardening.kubernetes/run"
"""On each ConfigMap of a run: its name.

The record's own label says ``run`` on the one by which a run is found, ``run-part`` on those that hold more of it.
"""

_CONTENT = "record.jsonl.gz"
_MOST_BYTES = 700_000
"""Of one ConfigMap, well below the 1 MiB that the API server takes, also when it is written in base64."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,45}[a-z0-9])?")
_TOLD = ("time", "user", "policy", "playbook", "reverts")


def can_be_named(name: str) -> bool:
    """Whether a run may have this name: it is that of a ConfigMap, and the value of a label."""
    return bool(_NAME.fullmatch(name))


def config_map(name: str, run: str, entries: Sequence[Entry], about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One ConfigMap with these entries; with ``about`` it is the one by which the run is found."""
    labels = {RECORD_LABEL: "run-part" if about is None else "run", RUN_LABEL: run}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": RECORD_NAMESPACE, "labels": labels},
        "data": {key: str(about[key]) for key in about if about[key]} if about else {},
        "binaryData": {_CONTENT: base64.b64encode(_packed(entries)).decode()},
    }


def about_of(run: Run, objects: int) -> dict[str, str]:
    """What a reader of the list looks for: when, by whom, of which policy, how many objects, what became of it."""
    told = {key: str(run.about.get(key) or "") for key in _TOLD}
    return {**told, "objects": str(objects), "reverted_by": run.reverted_by}


def pieces(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries in as few pieces as each fit into a ConfigMap."""
    if len(entries) > 1 and len(_packed(entries)) > _MOST_BYTES:
        half = len(entries) // 2
        yield from pieces(entries[:half])
        yield from pieces(entries[half:])
    else:
        yield entries


def entries_in(config_maps: Sequence[Mapping[str, Any]], run: str) -> list[Entry]:
    """What the ConfigMaps of a run hold, the one by which it is found first. Raises :class:`Damaged`."""
    found = sorted(config_maps, key=lambda each: (each["metadata"]["name"] != run, each["metadata"]["name"]))
    text = "".join(_unpacked(each) for each in found)
    return entries_of(text, f"The record of the run {run} in the namespace {RECORD_NAMESPACE}")


def _packed(entries: Sequence[Entry]) -> bytes:
    return gzip.compress(lines_of(entries).encode(errors="backslashreplace"), mtime=0)


def _unpacked(told: Mapping[str, Any]) -> str:
    name = told["metadata"]["name"]
    try:
        packed = base64.b64decode(told["binaryData"][_CONTENT], validate=True)
        if not packed:
            # It would decompress to nothing, and pass for a part with nothing in it.
            raise EOFError(name)
        return gzip.decompress(packed).decode()
    except (KeyError, TypeError, ValueError, OSError, EOFError, binascii.Error, zlib.error) as error:
        raise Damaged(
            f"The ConfigMap {RECORD_NAMESPACE}/{name} is damaged, so that nothing was put back by it: take the file of "
            "the record, with `-e record=FILE`."
        ) from error
