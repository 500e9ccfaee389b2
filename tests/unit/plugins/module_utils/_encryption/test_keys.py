# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys are made at random, refused where unsound, and shown nowhere."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import os
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import (
    KEY_LENGTHS,
    KeyMaterial,
    generate_key,
    is_guessable,
    is_mistakable,
    is_unsafe,
    parse_material,
    refuse_taken,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
BYTES = bytes(range(100, 132))
SHOWN: tuple[Callable[[Any], str], ...] = (
    repr,
    str,
    lambda value: f"{value}",
    lambda value: f"{value!r:>60}",
    lambda value: "%s %r" % (value, value),  # noqa: UP031
    "{0:x}".format,
    lambda value: json.dumps(value, default=str),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """Anything that carries key material."""

    material: KeyMaterial


def traces(value: bytes) -> tuple[str, ...]:
    """In what forms a key could be seen."""
    return value.decode("latin-1"), base64.b64encode(value).decode(), value.hex(), repr(value)[2:-1], str(list(value))


@pytest.mark.parametrize("shown", SHOWN)
def test_material_is_never_shown(shown: Callable[[Any], str]) -> None:
    material = KeyMaterial(BYTES)
    for holder in (material, Holder(material), [material], {"key": material}):
        try:
            text = shown(holder)
        except TypeError as error:
            text = str(error)
        assert not [trace for trace in traces(BYTES) if trace in text]


def test_material_is_neither_serialised_nor_copied_out() -> None:
    material = KeyMaterial(BYTES)
    with pytest.raises(TypeError, match="never serialised"):
        pickle.dumps(material)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"key": material})
    assert copy.deepcopy(material) is material and copy.copy(material) is material
    assert dataclasses.asdict(Holder(material)) == {"material": material}
    assert not hasattr(material, "__dict__")


def test_material_is_not_in_a_traceback() -> None:
    with pytest.raises(HardeningError, match="31 bytes") as refused:
        parse_material(base64.b64encode(BYTES[:31]).decode(), "secretbox", "keys[0]")
    told = "".join(traceback.format_exception(refused.value))
    assert not [trace for trace in traces(BYTES[:31]) if trace in told]


def test_material_comes_back_where_it_is_asked_for() -> None:
    material = KeyMaterial(BYTES)
    assert material.reveal() == BYTES
    assert parse_material(material.base64(), "aescbc", "") == material
    assert material != KeyMaterial(BYTES[::-1]) and material != BYTES
    assert len({material, KeyMaterial(BYTES)}) == 1


def test_a_fingerprint_is_the_same_everywhere_and_for_ever() -> None:
    assert KeyMaterial(bytes(32)).fingerprint == KeyMaterial(bytes(32)).fingerprint == "9afd1dd60dd52f33"
    assert len({KeyMaterial(bytes([number] * 16)).fingerprint for number in range(10)}) == 10


@pytest.mark.parametrize("provider", KEY_LENGTHS)
def test_a_generated_key_fits_its_provider(provider: str) -> None:
    key, material = generate_key(provider, NOON)
    assert parse_material(material.base64(), provider, "") == material
    assert (key.provider, key.fingerprint) == (provider, material.fingerprint)
    assert key.name == f"k20261122120000-{material.fingerprint[:8]}"
    assert not is_unsafe(key.name)
    assert generate_key(provider, NOON)[0].name != key.name


def test_a_generated_key_is_named_in_utc() -> None:
    key, _material = generate_key("secretbox", NOON.astimezone(timezone(timedelta(hours=5))))
    assert key.name.startswith("k20261122120000-")
    with pytest.raises(ValueError, match="time zone"):
        generate_key("secretbox", datetime(2026, 11, 22))


def test_a_generated_key_is_refused_where_its_name_is_taken_or_the_source_is_broken() -> None:
    name = generate_key("secretbox", NOON, entropy=lambda _: BYTES)[0].name
    with pytest.raises(HardeningError, match="taken"):
        generate_key("secretbox", NOON, [name], lambda _: BYTES)
    with pytest.raises(HardeningError, match="random numbers"):
        generate_key("secretbox", NOON, entropy=bytes)


@pytest.mark.parametrize("provider", ["kms", "identity", "rot13"])
def test_a_provider_without_keys_gets_none(provider: str) -> None:
    with pytest.raises(HardeningError, match=f"{provider} has no keys of its own"):
        generate_key(provider, NOON)


@pytest.mark.parametrize(("provider", "lengths"), KEY_LENGTHS.items())
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 24, 31, 32, 33, 64])
def test_lengths(provider: str, lengths: tuple[int, ...], length: int) -> None:
    text = base64.b64encode(os.urandom(length)).decode()
    if length in lengths:
        assert len(parse_material(text, provider, "")) == length
        return
    with pytest.raises(HardeningError, match="there is no key|bytes, and") as refused:
        parse_material(text, provider, "resources[0].keys[0].secret")
    assert str(refused.value).startswith("resources[0].keys[0].secret: ")
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["hunter2", "a" * 43, "_" * 44, "a" * 42 + "é=", "=" * 44, " " + "a" * 43 + "="])
def test_what_is_not_base64_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(HardeningError, match="not base64") as refused:
        parse_material(text, "secretbox", "key")
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", [None, 12, b"YQ==", ["YQ=="], "", "\n"])
def test_no_key_is_refused(text: Any) -> None:
    with pytest.raises(HardeningError, match="there is no key"):
        parse_material(text, "secretbox", "key")


def test_line_breaks_in_base64_are_ignored_as_the_server_ignores_them() -> None:
    text = base64.b64encode(BYTES).decode()
    assert parse_material(f"{text[:20]}\r\n{text[20:]}\n", "secretbox", "").reveal() == BYTES


UNSAFE = ["", "a b", "a/b", "../a", "a\n", "a\x00", "\x1b[2K", "é", "a" * 254, "a'b", 'a"b', "{a", "k8s:enc:aescbc:v1"]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names(name: str) -> None:
    assert is_unsafe(name)


@pytest.mark.parametrize("name", ["k1", "key_1", "a", "a" * 253, "2026-11-22", "aescbckey-2026-11-22T10:00:00Z"])
def test_safe_names(name: str) -> None:
    assert not is_unsafe(name)


@pytest.mark.parametrize(
    ("one", "other", "mistakable"),
    [("k", "k", True), ("k", "k:1", True), ("k:1", "k", True), ("k", "k1", False), ("a:b", "a:c", False)],
)
def test_names_that_etcd_cannot_tell_apart(one: str, other: str, mistakable: bool) -> None:
    assert is_mistakable(one, other) is mistakable
    if mistakable:
        with pytest.raises(HardeningError, match="taken by another key"):
            refuse_taken(one, [other])
    else:
        refuse_taken(one, [other])


@pytest.mark.parametrize(
    ("value", "guessable"),
    [(b"this is a passphrase of 32 bytes", True), (bytes(32), True), (b"ab" * 16, True), (BYTES, False)],
)
def test_typed_keys_are_recognised(value: bytes, guessable: bool) -> None:
    assert is_guessable(KeyMaterial(value)) is guessable
