# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: keys, how they are made, named and told apart without ever being shown.

Runs on nodes too, so it needs the standard library alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

KEY_LENGTHS: dict[str, tuple[int, ...]] = {"secretbox": (32,), "aescbc": (16, 24, 32), "aesgcm": (16, 24, 32)}
"""In bytes, by provider: validation_encryption.go of k8s.io/apiserver, 1.34 to 1.37."""
LENGTH_OF_OURS = 32

_SAFE_NAME = re.compile(r"(?!k8s:enc:)[A-Za-z0-9_.:-]{1,253}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_FINGERPRINT_SALT = b"hardening.kubernetes/key-fingerprint/v1"
_FINGERPRINT_ROUNDS = 100_000
_FINGERPRINT_BYTES = 8
_FEWEST_DIFFERENT_BYTES = 8


class KeyMaterial:
    """The bytes of a key, which only :meth:`reveal` and :meth:`base64` give out.

    Whatever prints, formats, logs, pickles or encodes it as JSON shows a fixed text or fails, so that neither a
    traceback nor a result, a fact cache or ``-vvvv`` can carry a key.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes themselves: only for the file that the API server reads, and for escrow."""
        return self._value

    def base64(self) -> str:
        """The bytes as an EncryptionConfiguration writes them."""
        return base64.b64encode(self._value).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """The name of a key wherever it is spoken of: 16 hexadecimal digits, the same for the same bytes everywhere.

        It is PBKDF2 with HMAC-SHA-256 of the key's SHA-256, with a public salt of our own and 100,000 rounds, cut to
        64 bits. A bare SHA-256 would do for keys that were drawn at random, but keys of clusters that we adopt may have
        been typed, and fingerprints are shown: whoever has one could try a dictionary at billions of guesses a second.
        The rounds make each guess cost as much as 100,000 (about 40 ms), the salt makes tables of hashes useless, and
        the cut leaves at least 2^64 keys of the shortest length, 128 bits, for each fingerprint, so that not even
        unlimited computation finds *the* key. Two random keys share a fingerprint with a chance of 2^-64, which is
        enough to tell them apart, and nobody gains by a collision: fingerprints name keys, they do not authenticate
        them.
        """
        return _fingerprint_of(hashlib.sha256(self._value).digest())

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyMaterial):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash((KeyMaterial, self._value))

    def __repr__(self) -> str:
        return "<key material, never shown>"

    __str__ = __repr__

    def __format__(self, _specification: str) -> str:
        return repr(self)

    def __copy__(self) -> KeyMaterial:
        return self

    def __deepcopy__(self, _memo: Any) -> KeyMaterial:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("key material is never serialised")


@lru_cache(maxsize=1024)
def _fingerprint_of(digest: bytes) -> str:
    """Computed once for each key; from a digest, so that the cache keeps no key in memory."""
    derived = hashlib.pbkdf2_hmac("sha256", digest, _FINGERPRINT_SALT, _FINGERPRINT_ROUNDS)
    return derived[:_FINGERPRINT_BYTES].hex()


def generate_key(
    provider: str, moment: datetime, taken: Iterable[str] = (), entropy: Callable[[int], bytes] = os.urandom
) -> tuple[Key, KeyMaterial]:
    """A new key for a provider and its bytes, named ``k<UTC time>-<start of its fingerprint>``.

    The name is unique, also among names that are ``taken``, and holds nothing that could be mistaken for the ``:``
    that ends it in etcd. ``moment`` must know its time zone.
    """
    if provider not in KEY_LENGTHS:
        raise HardeningError(f"The provider {provider} has no keys of its own; keys are for {_said(KEY_LENGTHS)}.")
    if moment.tzinfo is None:
        raise ValueError("the moment has no time zone")
    material = KeyMaterial(entropy(LENGTH_OF_OURS))
    if is_guessable(material):
        raise HardeningError(
            "The source of random numbers gave a key that can be guessed; do not go on before it is repaired."
        )
    name = f"k{moment.astimezone(UTC):%Y%m%d%H%M%S}-{material.fingerprint[:8]}"
    refuse_taken(name, tuple(taken))
    return Key(provider, name, material.fingerprint), material


def parse_material(text: Any, provider: str, where: str) -> KeyMaterial:
    """Key material from base64 as the API server reads it: standard alphabet, padded, line breaks ignored.

    Raises :class:`HardeningError`, which never holds any of the text, where it is not base64 or of a length that the
    provider does not take.
    """
    plain = text.replace("\r", "").replace("\n", "") if isinstance(text, str) else ""
    if not plain:
        raise HardeningError(f"{where}: there is no key; write {_lengths(provider)} bytes in base64.")
    if not _BASE64.fullmatch(plain):
        raise HardeningError(f"{where}: this is not base64; write {_lengths(provider)} bytes in standard base64.")
    material = KeyMaterial(base64.b64decode(plain))
    if len(material) not in KEY_LENGTHS[provider]:
        raise HardeningError(
            f"{where}: the key has {len(material)} bytes, and {provider} takes {_lengths(provider)}; "
            "make one with: head -c 32 /dev/urandom | base64"
        )
    return material


def is_unsafe(name: str) -> bool:
    """Whether a name is one that commands, messages and etcd could show as something else.

    k3s names keys with the colons of a time, and these are safe as long as no other name ends where one stands
    (:func:`is_mistakable`). A name that begins as prefixes do would count twice in what a server says it has read.
    """
    return not _SAFE_NAME.fullmatch(name)


def refuse_taken(name: str, taken: Collection[str], where: str = "key") -> None:
    """Raise :class:`HardeningError` where a name is taken, or could be mistaken for one that is, in etcd."""
    for other in taken:
        if is_mistakable(name, other):
            raise HardeningError(
                f"{where}: the name {name} is taken by another key, or cannot be told from {other} in etcd; "
                "choose a name of its own for every key, also for the keys that backups need."
            )


def is_mistakable(one: str, other: str) -> bool:
    """Whether values under two names cannot be told apart by what stands in front of them."""
    return f"{one}:".startswith(f"{other}:") or f"{other}:".startswith(f"{one}:")


def is_guessable(material: KeyMaterial) -> bool:
    """Whether a key looks typed and not drawn at random: all of it printable ASCII, or few different bytes.

    Of random keys of 32 bytes one in 10^13 looks so.
    """
    value = material.reveal()
    return len(set(value)) < _FEWEST_DIFFERENT_BYTES or all(0x20 <= byte < 0x7F for byte in value)


def _lengths(provider: str) -> str:
    return " or ".join(map(str, KEY_LENGTHS[provider]))


def _said(words: Iterable[str]) -> str:
    return ", ".join(words)
