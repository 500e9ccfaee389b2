# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the resources of an EncryptionConfiguration: ``secrets``, ``ingresses.networking.k8s.io``,
all of a group as ``*.apps`` (of the core group ``*.``), and all there are as ``*.*``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

ALL = "*.*"

_WITHOUT_API = frozenset({"apiserveripinfo", "serviceipallocations", "servicenodeportallocations"})


def parsed(name: str) -> tuple[str, str]:
    """Group and resource of a name: ``schema.ParseGroupResource`` of k8s.io/apimachinery."""
    resource, _dot, group = name.partition(".")
    return group, resource


def canonical(name: str) -> str:
    """The one way to write a name; ``secrets.`` is ``secrets``."""
    group, resource = parsed(name)
    return resource if not group and resource != "*" else name


def breadth(name: str) -> int:
    """0 for one resource, 1 for all of a group, 2 for all there are; what is narrower has to stand in front."""
    return 2 if name == ALL else int(parsed(name)[1] == "*")


def lookup_order(name: str) -> tuple[str, str, str]:
    """The names under which a configuration can mean a resource, that which counts first in front."""
    return name, f"*.{parsed(name)[0]}", ALL


def covers(wide: str, name: str) -> bool:
    """Whether one name means all that another means."""
    return wide in lookup_order(name)


def wanted_resources(asked: Iterable[str]) -> tuple[str, ...]:
    """What a user asks to encrypt, checked, each once, without what another of them covers, in a fixed order.

    Raises :class:`HardeningError` on what an API server would refuse.
    """
    names = sorted({canonical(name) for name in asked}, key=lambda name: (breadth(name), name))
    if not names:
        raise HardeningError("No resource is named to be encrypted; name at least secrets.")
    for name in names:
        if trouble := trouble_with(name):
            raise HardeningError(f"The resource {name!r} cannot be encrypted: {trouble}.")
    return tuple(name for name in names if not any(covers(other, name) for other in names if other != name))


def refuse_unserved(names: Iterable[str], served: Collection[str]) -> None:
    """Raise :class:`HardeningError` where a name means nothing that the API server has.

    ``served`` are all of its resources. A name that is mistyped would be taken without a word, and encrypt nothing.
    """
    for name in names:
        if not any(covers(name, each) for each in served):
            meant = did_you_mean(name, served)
            hint = f"; did you mean {meant}?" if meant else ": correct the name, or install what brings it first."
            raise HardeningError(f"The API server has no resource {name}{hint}")


def trouble_with(name: str) -> str:
    """Why an API server refuses a resource, ``""`` where it does not: ``validateResourceNames``, 1.34 to 1.37."""
    group, resource = parsed(name)
    for is_so, trouble in (
        (not resource, "it is empty"),
        (name != name.lower(), "it has capital letters; the plural name is meant, such as secrets"),
        (name == "*", "write *. for all of the core group, or *.* for all resources"),
        (name in _WITHOUT_API, "it has no API"),
        (group == "events.k8s.io", "events are stored under the core group; write events"),
        (group == "extensions", "the group extensions was removed"),
        (group == "*" and resource != "*", "the same resource of all groups cannot be meant; name its group"),
    ):
        if is_so:
            return trouble
    return ""


def overlap_of(names: Sequence[str]) -> str:
    """Why an API server refuses a list of resources in one entry: ``validateResourceOverlap``, 1.34 to 1.37."""
    for name in names:
        if names.count(name) > 1:
            return f"{name} is there twice"
        if other := next((each for each in names if each != name and covers(name, each)), ""):
            return f"{name} covers {other}, and they may not be in one list"
    return ""


def mask_of(name: str, earlier: Iterable[str]) -> str:
    """The name in an earlier entry that leaves nothing for this one, which an API server refuses as masked."""
    group = f"*.{parsed(name)[0]}"
    return next((each for each in earlier if each in (group, ALL)), "")
