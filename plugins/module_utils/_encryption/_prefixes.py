# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the values in etcd begin with, and where in etcd the values of a resource are.

Runs on nodes too, so it needs the standard library alone, and gives out of a value no more than the prefix that tells
who wrote it: what follows may be a secret in plain text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import (
    canonical,
    lookup_order,
    parsed,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Histogram, Key, Providers
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

PLAIN = ""
UNRECOGNISED = "(neither encrypted nor plain text)"
"""In a histogram, what holds the values that no API server writes."""

_PLAIN_STARTS = (b"k8s\x00", b"{", b"\xd9\xd9\xf7")
"""How objects in plain text start: protobuf, JSON and self-described CBOR (the serializers of k8s.io/apimachinery)."""
_ENCRYPTED = re.compile(rb"k8s:enc:(?:(?:aescbc|aesgcm|secretbox):v1|kms:v[12]):[^:\x00-\x1f]{1,253}:")

_BUILT_IN = frozenset({"", "apps", "autoscaling", "batch", "policy"}) | {
    f"{group}.k8s.io"
    for group in (
        "admissionregistration", "certificates", "coordination", "discovery", "flowcontrol.apiserver",
        "internal.apiserver", "networking", "node", "rbac.authorization", "resource", "scheduling", "storage",
        "storagemigration",
    )
}  # fmt: skip
"""The groups that kube-apiserver itself stores, 1.34 to 1.37, which have no directory of their own in etcd. All others
have one, also apiextensions.k8s.io and apiregistration.k8s.io (``SimpleRestOptionsFactory`` of k8s.io/apiserver)."""
_DIRECTORIES = {
    "replicationcontrollers": "controllers",
    "endpoints": "services/endpoints",
    "nodes": "minions",
    "services": "services/specs",
    "ingresses.networking.k8s.io": "ingress",
}
"""``SpecialDefaultResourcePrefixes`` of ``pkg/kubeapiserver/default_storage_factory_builder.go``."""
_STORED_AS = {"events.events.k8s.io": "events"}
_NOT_STORED = frozenset({"componentstatuses"})


@dataclass(frozen=True, slots=True)
class Count:
    """The values of one resource: how many have the prefix that all should have, how many others there are by prefix.

    ``counted`` is how many objects the API counts at the same revision, ``None`` where that is not known.
    """

    resource: str
    prefix: str
    right: int
    others: tuple[tuple[str, int], ...]
    counted: int | None

    @property
    def total(self) -> int:
        return self.right + sum(number for _prefix, number in self.others)

    @property
    def is_proved(self) -> bool:
        """Whether every object that the API counts is in etcd, and every value there has exactly the right prefix."""
        return not self.others and self.total == self.counted

    def __str__(self) -> str:
        """As evidence tells it."""
        told = f"{self.right} of {self.total} values of {self.resource} in etcd are {_told(self.prefix)}"
        for prefix, number in self.others:
            told += f", {number} are {_told(prefix)}"
        if self.counted is None:
            return f"{told}; how many the API counts is not known"
        return told if self.total == self.counted else f"{told}; the API counts {self.counted}"


def prefix_of(value: bytes, known: Iterable[str]) -> str:
    """Who wrote a value, by the prefix of a key that is known, or else of the shape that keys have.

    ``""`` is plain text, ``UNRECOGNISED`` is neither. Of known prefixes the longest counts: the name of a key may hold
    a colon, so that one prefix can start with another.
    """
    matching = [each for each in known if each and value.startswith(each.encode())]
    if matching:
        return max(matching, key=len)
    if value.startswith(_PLAIN_STARTS):
        return PLAIN
    found = _ENCRYPTED.match(value)
    return found.group().decode("utf-8", "backslashreplace") if found else UNRECOGNISED


def histogram_of(
    values: Iterable[tuple[str, bytes]], directories: Mapping[str, str], known: Iterable[str]
) -> dict[str, dict[str, int]]:
    """By resource, how many values have which prefix, from etcd's keys and values.

    ``directories`` are those of :func:`directories_of`; keys in none of them are not counted. A resource without any
    value is there, with no prefix.
    """
    known = tuple(known)
    counters: dict[str, Counter[str]] = {resource: Counter() for resource in directories.values()}
    for key, value in values:
        resource = _resource_at(key, directories)
        if resource is not None:
            counters[resource][prefix_of(value, known)] += 1
    return {resource: dict(counter) for resource, counter in counters.items()}


def counts_of(histogram: Histogram, write: Mapping[str, Key]) -> tuple[Count, ...]:
    """Of every resource, whether all of its values were written with the key that is said for it."""
    counts = []
    for resource, key in sorted(write.items()):
        by_prefix = {prefix: number for prefix, number in histogram.counts.get(resource, {}).items() if number}
        right = by_prefix.pop(key.prefix, 0)
        others = tuple(sorted(by_prefix.items()))
        counts.append(Count(resource, key.prefix, right, others, histogram.counted.get(resource)))
    return tuple(counts)


def directories_of(served: Iterable[str], providers: Providers, etcd_prefix: str = "/registry") -> dict[str, str]:
    """Where in etcd the values are that a configuration means, and under which of its names.

    ``served`` are all resources that the API server stores itself, such as ``secrets`` and ``deployments.apps``. Those
    that the configuration does not name, in any way, are left out.
    """
    directories = {}
    for resource in map(canonical, served):
        stored = _STORED_AS.get(resource, resource)
        named = next((name for name in lookup_order(stored) if name in providers), None)
        if named is not None and stored not in _NOT_STORED:
            directories[directory_of(stored, etcd_prefix)] = named
    return directories


def directory_of(resource: str, etcd_prefix: str = "/registry") -> str:
    """Where in etcd the values of a resource are, with the slash at the end that parts it from others.

    ``etcd_prefix`` is the server's ``--etcd-prefix``. Raises :class:`HardeningError` on a name for several resources.
    """
    group, name = parsed(canonical(resource))
    if "*" in (group, name) or not name:
        raise HardeningError(f"{resource!r} does not name one resource, so there is no one place for it in etcd.")
    inside = _DIRECTORIES.get(canonical(resource)) or (name if group in _BUILT_IN else f"{group}/{name}")
    # As the server makes it out of its flag: path.Join("/", prefix) of apiserver/pkg/storage/etcd3/store.go.
    return "/".join(("", *filter(None, etcd_prefix.split("/")), inside, ""))


def kms_key_id(value: bytes, prefix: str) -> str:
    """Which key of a KMS v2 plugin a value was encrypted under, ``""`` where the value does not tell.

    Behind the prefix stands an ``EncryptedObject`` in protobuf, whose field 2 is the key's id
    (``apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto``): a rotation inside the KMS shows only there.
    """
    rest = value[len(prefix.encode()) :]
    at = 0
    while at < len(rest):
        tag, at = _varint(rest, at)
        length, at = _varint(rest, at)
        if tag & 7 != 2:
            continue
        if tag >> 3 == 2:
            return rest[at : at + length].decode("utf-8", "backslashreplace")
        at += length
    return ""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(data):
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return number, at


def _resource_at(key: str, directories: Mapping[str, str]) -> str | None:
    """The directory of a key is the nearest above it that is one."""
    directory = key
    while directory:
        directory = directory[: directory.rstrip("/").rfind("/") + 1]
        if directory in directories:
            return directories[directory]
    return None


def _told(prefix: str) -> str:
    if prefix == PLAIN:
        return "plain text"
    return prefix if prefix == UNRECOGNISED else f"«{prefix}»"
