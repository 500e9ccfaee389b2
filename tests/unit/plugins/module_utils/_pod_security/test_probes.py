# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._probes import (
    PROBES,
    probe_for,
    probe_pod,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard


def test_each_level_that_forbids_something_has_a_probe() -> None:
    assert set(PROBES) == {"baseline", "restricted"}
    assert probe_for(Standard("baseline", "v1.25")) is PROBES["baseline"]


def test_what_breaks_restricted_is_what_baseline_allows() -> None:
    assert PROBES["restricted"].breaks == PROBES["baseline"].allowed


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_what_breaks_a_level_differs_in_one_property_from_what_all_levels_allow(level: str) -> None:
    allowed = PROBES["restricted"].allowed
    breaks = PROBES[level].breaks
    assert PROBES[level].still_breaks(breaks)
    assert not PROBES[level].still_breaks(allowed)
    assert [key for key in breaks if breaks[key] != allowed.get(key)] == {
        "baseline": ["hostPID"],
        "restricted": ["securityContext"],
    }[level]


def test_a_probe_is_named_so_that_nobody_takes_it_for_an_attack() -> None:
    pod = probe_pod(PROBES["baseline"].breaks, "shop")
    assert pod["metadata"] == {"generateName": "hardening-probe-", "namespace": "shop"}


def test_every_second_attempt_asks_for_resources() -> None:
    allowed = PROBES["restricted"].allowed
    assert "resources" not in probe_pod(allowed, "shop", 0)["spec"]["containers"][0]
    assert set(probe_pod(allowed, "shop", 1)["spec"]["containers"][0]["resources"]) == {"requests", "limits"}
    assert "resources" not in allowed["containers"][0]
