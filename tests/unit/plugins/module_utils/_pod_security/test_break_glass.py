# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._break_glass import relaxed

PREFIX = "pod-security.kubernetes.io/"
LABELS = {
    f"{PREFIX}enforce": "restricted",
    f"{PREFIX}enforce-version": "latest",
    f"{PREFIX}warn": "restricted",
    "hardening.kubernetes/pod-security-set": "prod",
    "team": "web",
}
WARN, SET = f"{PREFIX}warn", "hardening.kubernetes/pod-security-set"


@pytest.mark.parametrize(
    ("owned", "left"),
    [
        ([f"{PREFIX}enforce", f"{PREFIX}enforce-version", WARN, SET], {WARN: "restricted", SET: "prod"}),
        ([f"{PREFIX}enforce"], {}),
        ([f"{PREFIX}enforce-version"], {}),
        ([WARN, SET], None),
        ([], None),
        ([f"{PREFIX}enforce", "gone"], {}),
    ],
)
def test_what_enforces_goes_and_what_reports_stays(owned: list[str], left: dict[str, str] | None) -> None:
    assert relaxed(LABELS, owned) == left
