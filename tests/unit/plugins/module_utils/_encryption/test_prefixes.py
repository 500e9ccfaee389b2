# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values in etcd tell who wrote them, and nothing else of them is told."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._prefixes import (
    PLAIN,
    UNRECOGNISED,
    counts_of,
    directories_of,
    directory_of,
    histogram_of,
    kms_key_id,
    prefix_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    PREFIXES,
    Histogram,
    Key,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

OLD, NEW = Key("secretbox", "k1", "f1"), Key("secretbox", "k2", "f2")
KNOWN = (OLD.prefix, NEW.prefix)
NONCE = b"\x00\xff:\x17 ciphertext"


@pytest.mark.parametrize(
    ("value", "prefix"),
    [
        (b"k8s:enc:secretbox:v1:k1:" + NONCE, "k8s:enc:secretbox:v1:k1:"),
        (b"k8s:enc:secretbox:v1:k11:" + NONCE, "k8s:enc:secretbox:v1:k11:"),
        (b"k8s:enc:aescbc:v1:k1:" + NONCE, "k8s:enc:aescbc:v1:k1:"),
        (b"k8s:enc:aesgcm:v1:a key:" + NONCE, "k8s:enc:aesgcm:v1:a key:"),
        (b"k8s:enc:kms:v1:vault:" + NONCE, "k8s:enc:kms:v1:vault:"),
        (b"k8s:enc:kms:v2:vault:" + NONCE, "k8s:enc:kms:v2:vault:"),
        ("k8s:enc:aescbc:v1:schlüssel:".encode(), "k8s:enc:aescbc:v1:schlüssel:"),
        (b"k8s:enc:aescbc:v1:\xff:" + NONCE, "k8s:enc:aescbc:v1:\\xff:"),
        (b"k8s\x00\n\x0c\n\x02v1\x12\x06Secret", PLAIN),
        (b'{"kind":"Secret"}', PLAIN),
        (b"\xd9\xd9\xf7\xa2", PLAIN),
        (b"", UNRECOGNISED),
        (b"k8s", UNRECOGNISED),
        (b"k8s:enc:", UNRECOGNISED),
        (b"k8s:enc:secretbox:v1:k1", UNRECOGNISED),
        (b"k8s:enc:secretbox:v2:k1:", UNRECOGNISED),
        (b"k8s:enc:rot13:v1:k1:", UNRECOGNISED),
        (b"k8s:enc:aescbc:v1::", UNRECOGNISED),
        (b"\x1f\x8b\x08compressed", UNRECOGNISED),
        (b"password=hunter2", UNRECOGNISED),
    ],
)
def test_who_wrote_a_value(value: bytes, prefix: str) -> None:
    assert prefix_of(value, KNOWN) == prefix
    assert prefix_of(value, ()) == prefix


def test_names_with_colons_are_told_apart_where_they_are_known() -> None:
    short, long = (Key("aescbc", name).prefix for name in ("aescbckey", "aescbckey-2026-11-22T10:00:00Z"))
    value = long.encode() + NONCE
    assert prefix_of(value, (short, long)) == prefix_of(value, (long, short)) == long
    assert (
        prefix_of(Key("aescbc", "a:b").prefix.encode() + NONCE, [Key("aescbc", "a").prefix]) == "k8s:enc:aescbc:v1:a:"
    )


@pytest.mark.parametrize("provider", PREFIXES)
def test_each_provider_is_recognised_by_its_own_prefix(provider: str) -> None:
    key = Key(provider, "some-name")
    value = (key.prefix or "k8s\x00").encode() + NONCE
    assert prefix_of(value, ()) == prefix_of(value, [key.prefix]) == key.prefix


@pytest.mark.parametrize(
    "value", [b'{"password":"hunter2"}', b"k8s\x00hunter2", b"hunter2", NEW.prefix.encode() + NONCE]
)
def test_nothing_of_the_value_is_given_out(value: bytes) -> None:
    told = prefix_of(value, KNOWN)
    assert "hunter2" not in told and "ciphertext" not in told


@pytest.mark.parametrize(
    ("resource", "directory"),
    [
        ("secrets", "/registry/secrets/"),
        ("secrets.", "/registry/secrets/"),
        ("services", "/registry/services/specs/"),
        ("endpoints", "/registry/services/endpoints/"),
        ("nodes", "/registry/minions/"),
        ("replicationcontrollers", "/registry/controllers/"),
        ("ingresses.networking.k8s.io", "/registry/ingress/"),
        ("networkpolicies.networking.k8s.io", "/registry/networkpolicies/"),
        ("deployments.apps", "/registry/deployments/"),
        ("roles.rbac.authorization.k8s.io", "/registry/roles/"),
        ("storageversions.internal.apiserver.k8s.io", "/registry/storageversions/"),
        ("customresourcedefinitions.apiextensions.k8s.io", "/registry/apiextensions.k8s.io/customresourcedefinitions/"),
        ("apiservices.apiregistration.k8s.io", "/registry/apiregistration.k8s.io/apiservices/"),
        ("widgets.example.com", "/registry/example.com/widgets/"),
        ("gateways.gateway.networking.k8s.io", "/registry/gateway.networking.k8s.io/gateways/"),
        ("nodes.example.com", "/registry/example.com/nodes/"),
    ],
)
def test_where_a_resource_is_in_etcd(resource: str, directory: str) -> None:
    assert directory_of(resource) == directory
    assert directory_of(resource, "kubernetes.io/a") == directory.replace("/registry", "/kubernetes.io/a", 1)
    assert directory_of(resource, "/") == directory.removeprefix("/registry")


@pytest.mark.parametrize("name", ["*.*", "*.", "*.apps", "", ".apps"])
def test_a_name_for_several_resources_has_no_one_place(name: str) -> None:
    with pytest.raises(HardeningError, match="does not name one resource"):
        directory_of(name)


def test_what_a_configuration_means_is_looked_for() -> None:
    served = ["secrets", "events", "events.events.k8s.io", "componentstatuses", "deployments.apps", "jobs.batch"]
    assert directories_of(served, {"secrets": (NEW,)}) == {"/registry/secrets/": "secrets"}
    providers = {"secrets": (NEW,), "*.apps": (OLD,)}
    assert directories_of(served, providers) == {"/registry/secrets/": "secrets", "/registry/deployments/": "*.apps"}
    assert directories_of(served, {"*.*": (NEW,), "events": (IDENTITY,)}, "x") == {
        "/x/secrets/": "*.*",
        "/x/events/": "events",
        "/x/deployments/": "*.*",
        "/x/jobs/": "*.*",
    }
    assert directories_of(served, {}) == {}


def test_values_are_counted_by_resource_and_prefix() -> None:
    directories = directories_of(
        ["secrets", "services", "endpoints", "widgets.example.com", "configmaps"],
        {"secrets": (NEW,), "services": (NEW,), "widgets.example.com": (NEW,), "configmaps": (NEW,)},
    )
    values = [
        ("/registry/secrets/default/a", NEW.prefix.encode() + NONCE),
        ("/registry/secrets/default/b", OLD.prefix.encode() + NONCE),
        ("/registry/secrets/shop/a", NEW.prefix.encode()),
        ("/registry/services/specs/default/kubernetes", b"k8s\x00"),
        ("/registry/services/endpoints/default/kubernetes", b"k8s\x00"),
        ("/registry/example.com/widgets/cluster-wide", b'{"a":1}'),
        ("/registry/secretsandmore/default/a", b"k8s\x00"),
        ("/registry/ranges/serviceips", b"k8s\x00"),
        ("compact_rev_key", b"12"),
        ("", b""),
    ]
    assert histogram_of(iter(values), directories, iter(KNOWN)) == {
        "secrets": {NEW.prefix: 2, OLD.prefix: 1},
        "services": {PLAIN: 1},
        "widgets.example.com": {PLAIN: 1},
        "configmaps": {},
    }


@pytest.mark.parametrize(
    ("counts", "counted", "proved", "told"),
    [
        ({NEW.prefix: 3}, {"secrets": 3}, True, "3 of 3 values of secrets in etcd are «k8s:enc:secretbox:v1:k2:»"),
        ({NEW.prefix: 3, PLAIN: 0}, {"secrets": 3}, True, "3 of 3"),
        ({}, {"secrets": 0}, True, "0 of 0"),
        ({NEW.prefix: 3, OLD.prefix: 1}, {"secrets": 4}, False, "3 of 4 .*, 1 are «k8s:enc:secretbox:v1:k1:»"),
        ({NEW.prefix: 3, PLAIN: 2}, {"secrets": 5}, False, "2 are plain text"),
        ({UNRECOGNISED: 1}, {"secrets": 1}, False, "0 of 1 .*, 1 are .neither encrypted nor plain text"),
        ({NEW.prefix: 3}, {"secrets": 4}, False, "the API counts 4"),
        ({NEW.prefix: 3}, {"secrets": 2}, False, "the API counts 2"),
        ({NEW.prefix: 3}, {}, False, "how many the API counts is not known"),
        ({}, {"secrets": 1}, False, "the API counts 1"),
    ],
)
def test_the_proof_in_etcd(counts: dict[str, int], counted: dict[str, int], proved: bool, told: str) -> None:
    (count,) = counts_of(Histogram({"secrets": counts}, counted), {"secrets": NEW})
    assert count.is_proved is proved
    assert re.search(told, str(count))


def test_disabled_encryption_is_proved_too() -> None:
    (count,) = counts_of(Histogram({"secrets": {PLAIN: 2}}, {"secrets": 2}), {"secrets": IDENTITY})
    assert count.is_proved and str(count) == "2 of 2 values of secrets in etcd are plain text"


def field(number: int, content: bytes) -> bytes:
    length = bytes([len(content) & 0x7F | 0x80, len(content) >> 7])
    return bytes([number << 3 | 2]) + length + content


@pytest.mark.parametrize(
    ("rest", "key_id"),
    [
        (field(1, b"x" * 300) + field(2, b"key-7") + field(3, b"dek"), "key-7"),
        (field(2, b"key-7") + field(1, b"x"), "key-7"),
        (bytes([5 << 3, 1]) + field(2, b"key-7"), "key-7"),
        (field(1, b"x"), ""),
        (b"", ""),
        (b"\xff\xff\xff", ""),
        (field(1, b"x")[:2], ""),
    ],
)
def test_which_key_of_a_kms_wrote_a_value(rest: bytes, key_id: str) -> None:
    prefix = Key("kms_v2", "vault").prefix
    assert kms_key_id(prefix.encode() + rest, prefix) == key_id
