# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the metadata of all objects of a resource, page by page, as little of it as is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import METADATA_LIST
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import Resource
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._failover import Servers

PAGE = 500
_FIRST_PAGE = 50
"""Of objects of which nothing is known yet: what people keep in annotations may be 256 KiB each."""
_PAGE_SIZE = 4 * 2**20
"""Characters of annotations that a page should not have more of."""
METADATA = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata"


@dataclass(frozen=True, slots=True)
class Stored:
    """An object by what tells it from one of the same name, and one version of it from another."""

    namespace: str
    name: str
    uid: str
    version: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects, and how many come after them as far as the server knows."""

    objects: tuple[Stored, ...]
    remaining: int


def stored(obj: dict[str, Any]) -> Stored:
    """What is kept of an object's metadata."""
    metadata = obj["metadata"]
    return Stored(metadata.get("namespace", ""), metadata["name"], metadata["uid"], metadata["resourceVersion"])


def pages(servers: Servers, resource: Resource) -> Iterator[Page]:
    """All objects that are there from the first page to the last, each once.

    Raises KubeError where the server refuses. An object that is made meanwhile may be missing.
    """
    path, token, limit = resource.path(), "", _FIRST_PAGE
    while True:
        query = [("limit", str(limit)), *([("continue", token)] if token else [])]
        answer = servers.request("GET", path, query=query, accept=METADATA_LIST)
        if answer.status == 410 and token:
            # The snapshot that the pages are cut from was compacted away: the server offers to go on behind the last
            # object with what is there now. What stood in front of it was seen, and all behind it is still to come.
            token = (answer.object.get("metadata") or {}).get("continue", "")
            continue
        body = servers.checked_list(answer)
        metadata = body.get("metadata") or {}
        items = body["items"] or ()
        yield Page(tuple(stored(item) for item in items), int(metadata.get("remainingItemCount") or 0))
        token, limit = metadata.get("continue", ""), _limit_after(items)
        if not token:
            return


def _limit_after(items: Sequence[dict[str, Any]]) -> int:
    """How many objects the next page may have, if they are like these."""
    size = sum(len(text) for item in items for text in (item["metadata"].get("annotations") or {}).values())
    return PAGE if not size else max(1, min(PAGE, _PAGE_SIZE * len(items) // size))
