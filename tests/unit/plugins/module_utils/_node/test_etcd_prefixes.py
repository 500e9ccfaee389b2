# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values in etcd tell who wrote them, and nothing else of them is told."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import PREFIXES, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._node._etcd import (
    PLAIN,
    UNRECOGNISED,
    kms_key_id,
    prefix_of,
)

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
