# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The versions that the collection is made for."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._supported import (
    SUPPORTED,
    Version,
    unsupported,
)


@pytest.mark.parametrize(
    ("what", "version", "told"),
    [
        ("Kubernetes", (1, 34), ""),
        ("Kubernetes", (1, 37), ""),
        ("Kubernetes", (1, 33), "Kubernetes is 1.33 here; supported is 1.34 to 1.37."),
        ("Kubernetes", (1, 38), "Kubernetes is 1.38 here; supported is 1.34 to 1.37."),
        ("Kubernetes", (1, 4), "Kubernetes is 1.4 here; supported is 1.34 to 1.37."),
        ("ansible-core", (2, 19), ""),
        ("ansible-core", (3, 0), ""),
        ("ansible-core", (2, 9), "ansible-core is 2.9 here; supported is 2.19 or newer."),
        ("Python", (3, 10), "Python is 3.10 here; supported is 3.11 or newer."),
    ],
)
def test_versions(what: str, version: Version, told: str) -> None:
    assert unsupported({what: version}) == ([told] if told else [])


def test_every_version_that_is_too_old_is_told() -> None:
    assert len(unsupported(dict.fromkeys(SUPPORTED, (0, 1)))) == len(SUPPORTED)
