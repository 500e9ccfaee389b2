# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the record of a broken glass, and the way back from it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

RECORD_VERSION = 1
KIND = "break_glass"
_MOST_BYTES = 700_000
"""Of one ConfigMap, well below the 1 MiB that the API server takes, also when it is written in base64."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An object as it was, and the field manager of ours that wrote it. Of a Namespace, only the labels that we own."""

    manager: str
    object: dict[str, Any]


def record(taken: Sequence[Taken], **about: Any) -> dict[str, Any]:
    """The record as plain data; ``about`` says when, where, by whom and of what."""
    return {
        "record_version": RECORD_VERSION,
        "kind": KIND,
        **about,
        "objects": [{"manager": each.manager, "object": dict(each.object)} for each in taken],
    }


def read_record(text: str, file: str) -> list[Taken]:
    """What a record says was taken away; raises :class:`HardeningError` for a text that is none."""
    try:
        told = json.loads(text)
        if told["record_version"] != RECORD_VERSION or told["kind"] != KIND:
            raise HardeningError(f"{file} is a record of another kind or version: give one of break_glass.")
        taken = [Taken(str(each["manager"]), dict(each["object"])) for each in told["objects"]]
        for each in taken:
            _check(each.object)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HardeningError(
            f"{file} is no record of break_glass: give a file hardening-break-glass-….json that it wrote."
        ) from error
    return taken


def _check(obj: Mapping[str, Any]) -> None:
    for value in (obj["apiVersion"], obj["kind"], obj["metadata"]["name"]):
        if not isinstance(value, str):
            raise TypeError(value)


def config_maps(told: Mapping[str, Any], name: str, namespace: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The record as ConfigMaps: compressed, in as many as it takes, with what a reader looks for in plain words."""
    packed = gzip.compress(json.dumps(told, ensure_ascii=False, default=str).encode(errors="backslashreplace"), mtime=0)
    parts = list(_parts(packed))
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name if len(parts) == 1 else f"{name}-{at}",
                "namespace": namespace,
                "labels": dict(labels),
            },
            "data": {key: str(told[key]) for key in ("time", "user", "kind") if told.get(key)}
            | {"part": f"{at} of {len(parts)}", "objects": str(len(told["objects"]))},
            "binaryData": {"record.json.gz": base64.b64encode(part).decode()},
        }
        for at, part in enumerate(parts, 1)
    ]


def _parts(packed: bytes) -> Iterator[bytes]:
    for start in range(0, len(packed), _MOST_BYTES):
        yield packed[start : start + _MOST_BYTES]
