# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: reads how objects are now, by whichever requests cost the least and are permitted.

Lists are read page by page and each object is handed on at once, so that never all of them are held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import METADATA_LIST, Client, whole
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    KubeError,
    Unauthorized,
    Unreachable,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource

Key = tuple[str, str]
"""Namespace (empty for an object of the whole cluster) and name."""

_SECRET = KNOWN["v1", "Secret"]
_FEW = 3
"""Up to so many objects are asked for by name."""
_WORTH = 10
"""So many objects of a list cost as much as asking for one by name."""
_SMALLEST_PAGE = 50
_LARGEST_PAGE = 1000


class LiveReader:
    """One reading of many objects; ``found`` is called, from any thread, for each that there is."""

    def __init__(self, client: Client, found: Callable[[Resource, Key, dict[str, Any]], None]) -> None:
        """Take the client, and what to do with each object."""
        self._client = client
        self._found = found
        self.failed: dict[tuple[Resource, Key], KubeError] = {}

    def read(self, wanted: Mapping[Resource, Iterable[Key]], metadata_only: frozenset[Resource] = frozenset()) -> None:
        """Ask for all the wanted objects. What may not be read is in ``failed`` afterwards; raises if nothing works."""
        missing = {resource: set(keys) for resource, keys in wanted.items()}
        clusterwide = [each for each, keys in missing.items() if _many(each, keys) and _spread(each, keys)]
        done = self._client.parallel(
            lambda each: self._list(each, "", missing[each], each in metadata_only), clusterwide
        )
        for resource, complete in zip(clusterwide, done, strict=True):
            if complete:
                missing[resource].clear()
        in_namespaces = [
            (resource, namespace, keys)
            for resource, left in missing.items()
            if resource.namespaced
            for namespace, keys in _by_namespace(left).items()
            if _many(resource, keys)
        ]
        done = self._client.parallel(lambda each: self._list(*each, each[0] in metadata_only), in_namespaces)
        for (resource, namespace, left), complete in zip(in_namespaces, done, strict=True):
            missing[resource] = {key for key in missing[resource] if key[0] != namespace}
            if not complete:
                missing[resource] |= left
        left_over = [(resource, key) for resource, left in missing.items() for key in left]
        self._client.parallel(lambda each: self._get(each, each[0] in metadata_only), left_over)

    def _list(self, resource: Resource, namespace: str, left: set[Key], metadata_only: bool) -> bool:
        """Take from the list what is wanted. ``False``: not permitted, or dearer than asking for the rest by name."""
        limit = max(_SMALLEST_PAGE, min(len(left), _LARGEST_PAGE))
        accept = METADATA_LIST if metadata_only else "application/json"
        token = ""
        while left:
            query = [("limit", str(limit)), *([("continue", token)] if token else [])]
            answer = self._client.request("GET", resource.path(namespace), query=query, accept=accept)
            if answer.status == 403:
                return False
            if answer.status == 404:
                return True
            if answer.status == 410 and token:
                token = ""
                continue
            body = self._client.checked_list(answer)
            self._take(resource, body.get("items") or (), left)
            listed = body.get("metadata") or {}
            first, token = not token, listed.get("continue", "")
            if not token:
                return True
            if first and limit + listed.get("remainingItemCount", 0) > _WORTH * (len(left) + _SMALLEST_PAGE):
                return False
            limit = _LARGEST_PAGE
        return True

    def _take(self, resource: Resource, items: Iterable[dict[str, Any]], left: set[Key]) -> None:
        for item in items:
            metadata = item["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            if key in left:
                left.discard(key)
                self._found(resource, key, whole(item, resource))

    def _get(self, wanted: tuple[Resource, Key], metadata_only: bool) -> None:
        resource, (namespace, name) = wanted
        try:
            live = self._client.get(resource, name, namespace, metadata_only=metadata_only)
        except (Unauthorized, Unreachable):
            raise
        except KubeError as error:
            self.failed[wanted] = error
            return
        if live is not None:
            self._found(resource, (namespace, name), live)


def _many(resource: Resource, keys: set[Key]) -> bool:
    # Secrets are asked for by name alone: nobody needs the right to list them, nor sees others' by accident.
    return len(keys) > _FEW and resource != _SECRET


def _spread(resource: Resource, keys: set[Key]) -> bool:
    """Whether one list of the whole cluster is worth a try: the objects are not all in one namespace."""
    return not resource.namespaced or len({namespace for namespace, _name in keys}) > 1


def _by_namespace(keys: Iterable[Key]) -> dict[str, set[Key]]:
    groups: dict[str, set[Key]] = {}
    for key in keys:
        groups.setdefault(key[0], set()).add(key)
    return groups
