# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import (
    NetworkSettings,
    parse_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import parse_flow

FLOW = {"from": {"app": "a"}, "to": {"app": "b"}, "ports": [80]}


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ({}, NetworkSettings()),
        ({"default_deny": None, "dns": None, "allow": None, "accept_risks": None}, NetworkSettings()),
        ({"default_deny": ["egress", "ingress"]}, NetworkSettings(deny=("ingress", "egress"))),
        ({"default_deny": "ingress"}, NetworkSettings(deny=("ingress",))),
        ({"dns": True}, NetworkSettings(dns=True)),
        ({"dns": {"node_local": "169.254.20.10"}}, NetworkSettings(dns=True, node_local="169.254.20.10")),
        (
            {"default_deny": ["ingress"], "allow": [FLOW, FLOW], "accept_risks": ["dns"]},
            NetworkSettings(deny=("ingress",), allow=(parse_flow(FLOW, "shop"),), accepted=frozenset({"dns"})),
        ),
    ],
)
def test_settings_are_read(said: dict[str, Any], settings: NetworkSettings) -> None:
    assert parse_settings(said, "shop") == settings


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"deny": ["ingress"]}, "'deny' is unknown"),
        ({"default_denny": ["ingress"]}, "did you mean default_deny"),
        ({"default_deny": ["inbound"]}, "it takes ingress, egress|did you mean ingress"),
        ({"default_deny": True}, "is not a list out of ingress, egress"),
        ({"default_deny": ["ingress"], "allow": FLOW}, "is not a list of flows"),
        ({"default_deny": ["ingress"], "allow": [{"from": {}}]}, r"allow\[0\]: to is missing"),
        ({"allow": [FLOW]}, "opens nothing without a default_deny"),
        ({"dns": "yes"}, "is none of true, false"),
        ({"dns": {"local": "169.254.20.10"}}, "'local' is unknown"),
        ({"dns": {"node_local": "cache"}}, "is not an address like"),
        ({"accept_risks": ["nodeport"]}, "did you mean node_port"),
    ],
)
def test_settings_that_can_mean_nothing_are_refused_by_namespace(said: dict[str, Any], because: str) -> None:
    with pytest.raises(HardeningError, match=because) as caught:
        parse_settings(said, "shop")
    assert "namespace shop" in str(caught.value)


@pytest.mark.parametrize("address", [None, "", 5, 2851995658, True, "169.254.20"])
def test_the_address_of_a_cache_is_text(address: object) -> None:
    with pytest.raises(HardeningError, match="node_local: .* is not an address"):
        parse_settings({"default_deny": ["egress"], "dns": {"node_local": address}}, "shop")
