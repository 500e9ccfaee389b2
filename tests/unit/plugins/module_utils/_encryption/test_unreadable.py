# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._unreadable import says_unreadable


@pytest.mark.parametrize(
    "message",
    [
        "Internal error occurred: no matching key was found for the provided Secretbox transformer",
        "Internal error occurred: [no matching prefix found, identity transformer tried to read encrypted data]",
        'Internal error occurred: unable to transform key "/registry/secrets/a/b": invalid padding on input',
        "Internal error occurred: cipher: message authentication failed",
    ],
)
def test_no_key_fits(message: str) -> None:
    assert says_unreadable(message)


@pytest.mark.parametrize(
    "message",
    [
        "etcdserver: leader changed",
        "Internal error occurred: failed to decrypt DEK, error: rpc error: code = Unavailable",
        'Internal error occurred: failed calling webhook "freeze.example.org": connection refused',
        "",
    ],
)
def test_the_same_may_be_well_answered_later(message: str) -> None:
    assert not says_unreadable(message)
