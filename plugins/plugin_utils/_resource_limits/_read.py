# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the modules of quotas and limits share: options, and how a cluster is read."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._rewrites import as_kept
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._sets import find_set
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._arithmetic import Limit, limits_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._judgement import (
    COUNTED,
    LIMITS,
    QUOTA,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import (
    MANAGER,
    objects,
    says_the_same,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._settings import (
    as_written,
    check_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    Settings,
    is_meant,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    left_over,
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import (
    NAMESPACES_SPEC,
    has_settings,
    live_namespaces,
    read_settings,
    resolved,
)

Object = dict[str, Any]

Key = tuple[str, str]
"""Kind and name of an object."""

KINDS = (KNOWN["v1", "LimitRange"], KNOWN["v1", "ResourceQuota"])
_ONE_BY_ONE_UP_TO = 8

SETTINGS_SPEC: dict[str, Any] = {
    **NAMESPACES_SPEC,
    "on_violation": {"type": "str", "choices": ["fail", "warn", "proceed"], "default": "fail"},
}
"""The options that both modules take, as the doc fragment ``resource_limits`` tells them."""


@dataclass(slots=True)
class Place:
    """One namespace: the objects that its settings ask for, in the form that the server keeps, and those in force.

    ``live`` are all LimitRanges and ResourceQuotas there, by kind. ``why_unreadable`` says why some are not known.
    ``leaving`` are those that the set has there and that nothing names any more.
    """

    name: str
    wanted: dict[Key, Object]
    creating: bool = False
    live: dict[str, list[Object]] = field(default_factory=lambda: {resource.kind: [] for resource in KINDS})
    why_unreadable: str = ""
    leaving: frozenset[Key] = frozenset()

    @classmethod
    def of(cls, name: str, settings: Settings, creating: bool) -> Place:
        """The place of a namespace that gets settings."""
        wanted = {(each["kind"], each["metadata"]["name"]): as_kept(each) for each in objects(name, settings)}
        return cls(name, wanted, creating)

    @property
    def controls(self) -> list[str]:
        """The controls, beside that of what runs, that the settings ask for."""
        of_kind = {"ResourceQuota": (QUOTA, COUNTED), "LimitRange": (LIMITS,)}
        return [control for kind, controls in of_kind.items() if self.names(kind) for control in controls]

    def names(self, kind: str) -> list[str]:
        """The names of the wanted objects of a kind."""
        return [name for of_kind, name in self.wanted if of_kind == kind]

    def own(self, key: Key) -> Object | None:
        """The live object that is wanted."""
        kind, name = key
        return next((each for each in self.live[kind] if each["metadata"]["name"] == name), None)

    def others(self, key: Key) -> list[Object]:
        """The live objects of the same kind beside one that is wanted."""
        own = self.own(key)
        return [each for each in self.live[key[0]] if each is not own]

    def is_in_force(self, key: Key) -> bool:
        """Whether an object says what the settings say."""
        own = self.own(key)
        return own is not None and says_the_same(own, self.wanted[key])

    @property
    def is_all_in_force(self) -> bool:
        """Whether everything that the settings ask for is there."""
        return all(map(self.is_in_force, self.wanted))

    def limits(self, kept: bool = False) -> list[Limit]:
        """The limits of all LimitRanges, as they will be; with ``kept`` as they are."""
        return [limit for each in self.objects("LimitRange", kept) for limit in limits_of(each)]

    def objects(self, kind: str, kept: bool = False) -> list[Object]:
        """The objects of a kind, as they will be once the settings are in force; with ``kept`` as they are."""
        if kept:
            return self.live[kind]
        own = [each for key, each in self.wanted.items() if key[0] == kind and not self.is_in_force(key)]
        gone = {name for leaving, name in self.leaving if leaving == kind} | {each["metadata"]["name"] for each in own}
        return [*(each for each in self.live[kind] if each["metadata"]["name"] not in gone), *own]


@dataclass(slots=True)
class Wanted:
    """What a task's options mean on a cluster: who gets what, what is in force, and what is to go.

    ``left`` is what of the set is there and nothing names any more, as much of each as a removal needs. ``unseen`` says
    why there may be more of it.
    """

    resolution: Resolution
    places: dict[str, Place]
    left: list[Object]
    unseen: str


def read_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain data; raises HardeningError that names every mistake in the settings."""
    read = read_settings(arguments)
    timeout = read.get("timeout", 0)
    if not math.isfinite(timeout) or timeout < 0:
        raise HardeningError(f"timeout is a number of seconds from 0 on, not {timeout}.")
    check_settings(read["namespaces"], read["selected"], read["default"])
    read["namespaces"] = {name: as_written(said) for name, said in read["namespaces"].items()}
    read["selected"] = [as_written(said) for said in read["selected"]]
    read["default"] = as_written(read["default"])
    return read


def read(client: Client, said: Mapping[str, Any]) -> Wanted:
    """Everything that a decision about these options needs, read once."""
    live, _unlisted = live_namespaces(client, said)
    resolution = resolved(live, said)
    places = {
        name: Place.of(name, settings, name in resolution.creating) for name, settings in resolution.settings.items()
    }
    _fill(client, [place for place in places.values() if not place.creating])
    ending = {each["metadata"]["name"] for each in live if each["metadata"].get("deletionTimestamp")}
    left, unseen = _left(client, said, places, ending)
    for each in left:
        if place := places.get(each["metadata"]["namespace"]):
            place.leaving |= {(each["kind"], each["metadata"]["name"])}
    return Wanted(resolution, places, left, unseen)


def to_clear(client: Client, said: Mapping[str, Any]) -> tuple[list[Object], str]:
    """Everything of the set that a removal is about, and what is to be said if it cannot see all of it.

    A set that has a name is looked for in the whole cluster, so that no settings are needed; without the permission,
    and without a name, the options tell. Raises HardeningError where nobody tells.
    """
    unseen = ""
    if reaches_everywhere(said["set"], said["prune"]):
        found = find_set(client, KINDS, said["set"])
        if not found.unseen:
            return _of_set(found.objects, said, ()), ""
        unseen = f"What the set {said['set']} has in namespaces that are not named stays: {found.why_unseen}"
        if not has_settings(said):
            raise HardeningError(f"Nothing was removed, since no namespace is named. {unseen}")
    reached = read(client, {**said, "prune": False}).places
    named = [Place(name, {}) for name in said["namespaces"] if name not in reached and is_meant(name, said["only"])]
    _fill(client, named)
    places = [*reached.values(), *named]
    wrong = next((place.why_unreadable for place in places if place.why_unreadable), "")
    if wrong:
        raise HardeningError(f"Nothing was removed, since what is in force cannot be read. {wrong}")
    return _of_set([each for place in places for objects in place.live.values() for each in objects], said, ()), unseen


def all_of_set(client: Client, said: Mapping[str, Any]) -> tuple[list[Object], str]:
    """Everything of a set that has a name, for options that say nothing, and why there may be more of it."""
    found = find_set(client, KINDS, said["set"])
    return _of_set(found.objects, said, ()), found.why_unseen


def _of_set(objects: Iterable[Object], said: Mapping[str, Any], wanted: Iterable[Object]) -> list[Object]:
    meant = [each for each in objects if is_meant(each["metadata"]["namespace"], said["only"])]
    return left_over(meant, wanted, said["set"], MANAGER)


def _fill(client: Client, places: Sequence[Place]) -> None:
    """Read what is in force: all of a kind at once where places are many and it may be had, else one by one."""
    by_name = {place.name: place for place in places}
    for resource in KINDS:
        objects: list[Object] | None = None
        if len(places) > _ONE_BY_ONE_UP_TO:
            try:
                objects = client.list(resource)
            except Forbidden:
                objects = None
        if objects is None:
            pages = client.parallel(partial(_listed, client, resource), places)
            objects = [each for page in pages for each in page]
        for each in objects:
            if each["metadata"]["namespace"] in by_name:
                by_name[each["metadata"]["namespace"]].live[resource.kind].append(each)


def _listed(client: Client, resource: Resource, place: Place) -> list[Object]:
    try:
        return client.list(resource, place.name)
    except Forbidden as error:
        place.why_unreadable = str(error)
        return []


def _left(
    client: Client, said: Mapping[str, Any], places: Mapping[str, Place], ending: Collection[str]
) -> tuple[list[Object], str]:
    """What of the set nothing names any more: in the places themselves, and elsewhere where the set is pruned."""
    wanted = [each for place in places.values() for each in place.wanted.values()]
    here = [each for place in places.values() for objects in place.live.values() for each in objects]
    left = _of_set(here, said, wanted)
    if not reaches_everywhere(said["set"], said["prune"] and has_settings(said)):
        return left, ""
    found = find_set(client, KINDS, said["set"])
    elsewhere = [
        each
        for each in found.objects
        if each["metadata"]["namespace"] not in places and each["metadata"]["namespace"] not in ending
    ]
    return [*left, *_of_set(elsewhere, said, ())], found.why_unseen
