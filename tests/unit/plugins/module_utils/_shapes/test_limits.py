# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of single values."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import contradictions

CONTAINER = {
    "max": {"cpu": "2", "memory": "1Gi"},
    "min": {"cpu": "10m"},
    "default": {"cpu": "500m", "memory": "1024Mi"},
    "default_request": {"cpu": "0.5"},
    "max_limit_request_ratio": {"cpu": "4"},
}


def test_what_holds_together() -> None:
    resources = {
        "quota": {"requests.cpu": "0.5", "pods": "20", "count/deployments.apps": "1k"},
        "limits": {"container": CONTAINER, "pod": {"max": {"cpu": "2"}}, "persistent_volume_claim": {"max": {}}},
    }
    assert list(contradictions(resources)) == []


@pytest.mark.parametrize(
    ("resources", "path", "text"),
    [
        ({"quota": {"pods": "2500m"}}, "quota pods", "what is counted is whole"),
        ({"quota": {"requests.nvidia.com/gpu": "0.5"}}, "quota requests.nvidia.com/gpu", "what is counted is whole"),
        (
            {"limits": {"container": {"min": {"cpu": "2"}, "max": {"cpu": "1500m"}}}},
            "limits container max cpu",
            "1500m is less than min 2; min <= default_request <= default <= max",
        ),
        (
            {"limits": {"container": {"default_request": {"memory": "1Gi"}, "default": {"memory": "1G"}}}},
            "limits container default memory",
            "1G is less than default_request 1Gi",
        ),
        (
            {"limits": {"persistent_volume_claim": {"min": {"storage": "2Gi"}, "max": {"storage": "1Gi"}}}},
            "limits persistent_volume_claim max storage",
            "1Gi is less than min 2Gi",
        ),
        (
            {"limits": {"pod": {"max_limit_request_ratio": {"cpu": "0.5"}}}},
            "limits pod max_limit_request_ratio cpu",
            "below 1",
        ),
        (
            {
                "limits": {
                    "pod": {
                        "max_limit_request_ratio": {"cpu": "3"},
                        "min": {"cpu": "1"},
                        "max": {"cpu": "2"},
                    }
                }
            },
            "limits pod max_limit_request_ratio cpu",
            "more than max by min (2 by 1)",
        ),
        (
            {
                "limits": {
                    "container": {
                        "max_limit_request_ratio": {"cpu": "2"},
                        "default_request": {"cpu": "100m"},
                        "default": {"cpu": "201m"},
                    }
                }
            },
            "limits container default cpu",
            "would refuse every pod that says nothing",
        ),
        (
            {"quota": {"limits.cpu": "4"}, "limits": {"container": {"default_request": {"cpu": "100m"}}}},
            "limits container default_request cpu",
            "never counts: the quota of limits.cpu wants a limit said",
        ),
        (
            {"limits": {"container": {"default": {"memory": "2Gi"}}, "pod": {"max": {"memory": "1Gi"}}}},
            "limits pod max memory",
            "1Gi is less than default 2Gi of a single container",
        ),
    ],
)
def test_what_contradicts_itself(resources: dict[str, Any], path: str, text: str) -> None:
    ((where, told),) = contradictions(resources)
    assert " ".join(where) == path
    assert text in told


@pytest.mark.parametrize("wrong", [None, "x", [], {"quota": 3, "limits": []}, {"limits": {"container": {"max": "x"}}}])
def test_what_is_no_mapping_is_left_to_others(wrong: Any) -> None:
    assert list(contradictions(wrong)) == []
