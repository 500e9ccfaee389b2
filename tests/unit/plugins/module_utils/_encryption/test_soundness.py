# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configuration made by hand is adopted if it is sound, and what is weak in it is told."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import (
    Configuration,
    parse_configuration,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._soundness import (
    refuse_unsound,
    remarks_on,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

RANDOM = [bytes(range(start, start + 32)) for start in (100, 132, 164)]
TYPED = b"correct horse battery staple 123"
PLAIN = {"identity": {}}


def configuration(*providers: dict[str, Any], **fields: Any) -> Configuration:
    entry = {"resources": ["secrets"], "providers": list(providers), **fields}
    whole = {"kind": "EncryptionConfiguration", "apiVersion": "apiserver.config.k8s.io/v1", "resources": [entry]}
    return parse_configuration(json.dumps(whole))


def keyed(provider: str, *keys: tuple[str, bytes]) -> dict[str, Any]:
    return {provider: {"keys": [{"name": name, "secret": base64.b64encode(value).decode()} for name, value in keys]}}


def kms(version: str) -> dict[str, Any]:
    return {"kms": {"name": "vault", "apiVersion": version, "endpoint": "unix:///run/kms.sock"}}


def test_nothing_is_said_against_a_sound_one() -> None:
    for sound in (
        configuration(keyed("secretbox", ("k1", RANDOM[0]))),
        configuration(keyed("secretbox", ("k1", RANDOM[0]), ("k2", RANDOM[1])), keyed("aescbc", ("k1", RANDOM[2]))),
        configuration(kms("v2")),
        configuration(keyed("aescbc", ("aescbckey-2026-11-22T10:00:00Z", RANDOM[0]))),
    ):
        assert remarks_on(sound) == ()
        refuse_unsound(sound)


@pytest.mark.parametrize(
    ("weak", "told"),
    [
        (configuration(PLAIN), "secrets are written in plain text"),
        (configuration(PLAIN, keyed("secretbox", ("k1", RANDOM[0]))), "secrets are written in plain text"),
        (configuration(keyed("secretbox", ("k1", RANDOM[0])), PLAIN), "secrets are read in plain text too"),
        (configuration(keyed("aesgcm", ("k1", RANDOM[0]))), "spent after 200,000 writes"),
        (configuration(kms("v1")), "only with the feature gate KMSv1"),
        (configuration(kms("v2"), kms("v1") | {"kms": kms("v1")["kms"] | {"name": "old"}}), "feature gate KMSv1"),
        (configuration(keyed("secretbox", ("k1", TYPED))), "looks typed"),
        (configuration(keyed("secretbox", ("k1", RANDOM[0]), ("k2", RANDOM[0]))), "are the same bytes"),
        (configuration(keyed("secretbox", ("k1", RANDOM[0])), keyed("aescbc", ("k1", RANDOM[0]))), "the same bytes"),
        (configuration(keyed("secretbox", ("k1", RANDOM[0])), comment="a"), r"field resources\[0\].comment"),
    ],
)
def test_what_is_weak_is_told_and_adopted(weak: Configuration, told: str) -> None:
    (remark,) = remarks_on(weak)
    assert re.search(told, remark.told)
    assert remark.remedy.endswith(".") and not remark.blocks
    refuse_unsound(weak)


@pytest.mark.parametrize(
    ("unsound", "told"),
    [
        (configuration(keyed("secretbox", ("k1", RANDOM[0]), ("k1", RANDOM[1]))), "Two different keys are named k1"),
        (configuration(keyed("aescbc", ("k", RANDOM[0]), ("k:2", RANDOM[1]))), "k and k:2 under aescbc cannot be told"),
        (configuration(keyed("aescbc", ("k 1", RANDOM[0]))), "The name 'k 1' under aescbc is not a safe one"),
        (configuration(keyed("secretbox", ("a/b", RANDOM[0]))), "The name 'a/b' under secretbox is not a safe one"),
        (configuration(keyed("secretbox", ("\x1b[2Kk", RANDOM[0]))), r"The name '\\x1b\[2Kk' under secretbox is not"),
        (configuration(keyed("secretbox", ("k" * 300, RANDOM[0]))), "is not a safe one"),
        (configuration(keyed("secretbox", ("k8s:enc:aescbc:v1", RANDOM[0]))), "is not a safe one"),
        (configuration({"kms": {**kms("v2")["kms"], "name": "a b"}}), "The name 'a b' under kms_v2 is not a safe one"),
    ],
)
def test_what_cannot_be_proved_later_is_not_adopted(unsound: Configuration, told: str) -> None:
    with pytest.raises(HardeningError, match=f"cannot be adopted. .*{told}"):
        refuse_unsound(unsound)


def test_no_remark_holds_a_key() -> None:
    worst = configuration(
        PLAIN,
        keyed("aesgcm", ("k", TYPED), ("k", RANDOM[0]), ("k:1", RANDOM[0])),
        keyed("secretbox", ("k", TYPED)),
        comment="a",
    )
    told = repr(remarks_on(worst))
    assert not [
        each for each in (TYPED, *RANDOM) if base64.b64encode(each).decode() in told or repr(each)[2:-1] in told
    ]
