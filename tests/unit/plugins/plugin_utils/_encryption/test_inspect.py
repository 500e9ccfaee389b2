# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a look at a cluster tells beforehand of the change that is asked for."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import Demanded
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Facts,
    Histogram,
    Key,
    Providers,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._inspect import foreseen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._telling import keys_told

KEY = Key("secretbox", "k1", "1111")
OLD = Key("secretbox", "k0", "0000")
HAND_MADE = Key("aescbc", "key1", "2222")
KMS = Key("kms_v2", "vault")


def facts(providers: Providers, written: Key, **changes: object) -> Facts:
    server = Server("cp1", providers, providers, **changes)  # type: ignore[arg-type]
    return Facts((server,), Histogram({"secrets": {written.prefix: 5}}, {"secrets": 5}))


@pytest.mark.parametrize(
    ("cluster", "provider", "refused", "new_key"),
    [
        (facts({}, IDENTITY), "", False, True),
        (facts({"secrets": (KEY,)}, KEY), "", False, False),
        (facts({"secrets": (KEY, OLD)}, OLD), "", False, False),
        (facts({"secrets": (HAND_MADE,)}, HAND_MADE), "", False, False),
        (facts({"secrets": (HAND_MADE,)}, HAND_MADE), "secretbox", False, True),
        (facts({"secrets": (KMS,)}, KMS), "", False, False),
        (facts({"secrets": (KMS,)}, KMS), "kms", False, False),
        (facts({"secrets": (KEY,)}, KEY, state="unanswered"), "", True, False),
        (facts({"secrets": (KEY,)}, Key("secretbox", "gone", "3333")), "", True, False),
    ],
)
def test_whether_a_change_would_be_refused_or_make_a_key(
    cluster: Facts, provider: str, refused: bool, new_key: bool
) -> None:
    assert foreseen(cluster, Demanded(("secrets",), provider)) == (refused, new_key)


def test_keys_are_told_by_fingerprint_those_that_write_first() -> None:
    told = keys_told(facts({"configmaps": (OLD, IDENTITY), "secrets": (KEY, OLD)}, KEY))
    assert [each["fingerprint"] for each in told] == ["0000", "1111"]
    assert {frozenset(each) for each in told} == {frozenset({"provider", "name", "fingerprint"})}
