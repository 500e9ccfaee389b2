# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: reads all objects of a kind in namespaces, and remembers where it was not allowed to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, NotFound
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import Resource

Object = dict[str, Any]

_ONE_BY_ONE_UP_TO = 8


@dataclass(frozen=True, slots=True)
class Read:
    """The objects by namespace, and of each namespace that could not be read why."""

    objects: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)


def read_in_each(client: Client, resource: Resource, names: Sequence[str]) -> Read:
    """By one request where the namespaces are many and it may be had, else by one for each of them."""
    if len(names) > _ONE_BY_ONE_UP_TO:
        try:
            return Read(_by_namespace(client.list(resource), names))
        except Forbidden:
            pass
    pages = client.parallel(lambda name: _listed(client, resource, name), names)
    found = list(zip(names, pages, strict=True))
    return Read(
        {name: page for name, page in found if not isinstance(page, str)},
        {name: page for name, page in found if isinstance(page, str)},
    )


def _listed(client: Client, resource: Resource, namespace: str) -> list[Object] | str:
    try:
        return client.list(resource, namespace)
    except (Forbidden, NotFound) as error:
        return str(error)


def _by_namespace(objects: Iterable[Object], names: Iterable[str]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {name: [] for name in names}
    for each in objects:
        if each["metadata"]["namespace"] in found:
            found[each["metadata"]["namespace"]].append(each)
    return found


def unseen_sentences(what: str, unseen: Mapping[str, str]) -> list[str]:
    """One sentence for each reason, with the namespaces that it kept ``what`` out of sight of."""
    return [f"{what} {names} could not be read: {why}" for names, why in by_reason(unseen)]


def by_reason(unseen: Mapping[str, str]) -> list[tuple[str, str]]:
    """The namespaces that share a reason, by name, and the reason."""
    found: dict[str, list[str]] = {}
    for name, why in sorted(unseen.items()):
        found.setdefault(why.replace(f'"{name}"', '"…"'), []).append(name)
    return [(", ".join(names), why) for why, names in found.items()]
