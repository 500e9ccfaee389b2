# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: by which words an API server tells that it cannot decrypt a value, and will not later."""

from __future__ import annotations

_SAID = (
    "no matching key was found",
    "no matching prefix found",
    "does not match any of the supported transformers",
    "identity transformer tried to read encrypted data",
    "cipher: message authentication failed",
    "invalid padding on input",
    "invalid PKCS7 data",
    "the stored data is not a multiple of the block size",
    "the stored data was shorter than the required size",
    "the stored data is missing the required info prefix",
    "output array was not large enough for encryption",
)
"""Of ``apiserver/pkg/storage/value`` and Go's crypto/cipher, 1.34 to 1.37; the last is secretbox with a wrong key. What
a KMS cannot decrypt is not among them: it may only be away."""


def says_unreadable(message: str) -> bool:
    """Whether a server's words for an internal error say that none of its keys fits, so that asking again is no use."""
    return any(words in message for words in _SAID)
