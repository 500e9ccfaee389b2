# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean


@pytest.mark.parametrize(
    ("word", "candidates", "meant"),
    [
        ("prodution", ["production", "staging"], "production"),
        ("Production", ["production", "staging"], "production"),
        ("podsecurity", ["pod_security", "network"], "pod_security"),
        ("frontend", ["Frontend"], "Frontend"),
        ("zebra", ["production", "staging"], ""),
        ("anything", [], ""),
    ],
)
def test_did_you_mean(word: str, candidates: list[str], meant: str) -> None:
    assert did_you_mean(word, candidates) == meant
