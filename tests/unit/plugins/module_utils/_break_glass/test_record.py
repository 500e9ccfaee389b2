# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import gzip
import json
import random
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._break_glass._record import (
    Taken,
    config_maps,
    read_record,
    record,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._break_glass._table import manager_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

POLICY = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a", "namespace": "shop"}}
TAKEN = [Taken("hardening.kubernetes/network_policies", POLICY)]


def test_a_record_is_read_back() -> None:
    told = record(TAKEN, time="2026-11-22T10:00:00+00:00", user="jane")
    assert read_record(json.dumps(told), "file") == TAKEN
    assert (told["user"], told["kind"]) == ("jane", "break_glass")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no record of break_glass"),
        ("[]", "is no record of break_glass"),
        ("{}", "is no record of break_glass"),
        ('{"report_version": 1}', "is no record of break_glass"),
        (json.dumps({**record(TAKEN), "record_version": 2}), "is a record of another kind or version"),
        (json.dumps({**record(TAKEN), "kind": "run"}), "is a record of another kind or version"),
        (json.dumps({**record(TAKEN), "objects": [{"manager": "x"}]}), "is no record of break_glass"),
        (json.dumps({**record(TAKEN), "objects": [{"manager": "x", "object": {"kind": "Pod"}}]}), "is no record"),
        (json.dumps(record([Taken("x", {**POLICY, "metadata": {"name": 1}})])), "is no record of break_glass"),
    ],
)
def test_what_is_no_record_is_one_sentence(text: str, told: str) -> None:
    with pytest.raises(HardeningError, match=told):
        read_record(text, "file.json")


def test_a_record_fits_into_one_config_map_and_says_what_it_is() -> None:
    told = record(TAKEN, time="2026-11-22T10:00:00+00:00", user="jane")
    (config_map,) = config_maps(told, "hardening-break-glass-x", "hardening-kubernetes", {"a": "b"})
    assert config_map["metadata"] == {
        "name": "hardening-break-glass-x",
        "namespace": "hardening-kubernetes",
        "labels": {"a": "b"},
    }
    assert config_map["data"]["user"] == "jane"
    assert json.loads(gzip.decompress(base64.b64decode(config_map["binaryData"]["record.json.gz"]))) == told


def test_a_long_record_is_split_and_can_be_put_together() -> None:
    noise = random.Random(1)
    words = ["".join(noise.choices("0123456789abcdef", k=1000)) for _at in range(3000)]
    told = record([Taken("x", {**POLICY, "spec": {"words": words}})])
    parts = config_maps(told, "long", "ns", {})
    assert len(parts) > 1
    assert [each["metadata"]["name"] for each in parts] == [f"long-{at}" for at in range(1, len(parts) + 1)]
    assert all(len(json.dumps(each)) < 1_048_576 for each in parts)
    packed = b"".join(base64.b64decode(each["binaryData"]["record.json.gz"]) for each in parts)
    assert json.loads(gzip.decompress(packed)) == told


@pytest.mark.parametrize(
    ("labels", "managers", "ours"),
    [
        ({"hardening.kubernetes/set": "prod"}, ["hardening.kubernetes/network_policies"], True),
        ({"hardening.kubernetes/set": "prod"}, ["kubectl", "hardening.kubernetes/apply"], True),
        ({"hardening.kubernetes/set": "prod"}, ["kubectl"], False),
        ({"hardening.kubernetes/set": "prod"}, [], False),
        ({}, ["hardening.kubernetes/network_policies"], False),
    ],
)
def test_only_what_we_wrote_and_marked_is_ours(labels: dict[str, str], managers: list[str], ours: bool) -> None:
    entries: list[Any] = [{"manager": each} for each in managers]
    assert bool(manager_of({"metadata": {"labels": labels, "managedFields": entries}})) is ours
