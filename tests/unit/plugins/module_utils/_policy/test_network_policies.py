# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetworkPolicies in Kubernetes' own words, from the text of a policy."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import load
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import PolicyError

RIGHT = """\
policy_version: 1
name: shop
namespaces:
  shop:
    network:
      policies:
        web:
          podSelector: {matchLabels: {app: web, version: 1.30}}
          policyTypes: [Ingress]
          ingress:
            - from:
                - {podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [old]}]}}
                - {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}
              ports: [{port: 8080, endPort: 8090}, {port: http, protocol: UDP}]
"""
WRONG = """\
policy_version: 1
name: shop
namespaces:
  shop:
    network:
      policies:
        hardening-mine: {podSelector: {}}
        web:
          podSelector: {}
          ingress:
            - from: [{podSelectr: {}}, {ipBlock: {cidr: 10.0.0.0}}]
            - ports: [{port: "8080"}, {port: 90, endPort: 80}, {protocol: ICMP}]
        lost: {policyTypes: ingress}
        wide: [everything]
"""


def test_a_spec_stays_as_written_with_numbers_as_numbers() -> None:
    policies = load([Source("policy.yml", RIGHT)])["network"]["namespaces"]["shop"]["policies"]
    (rule,) = policies["web"]["ingress"]
    assert rule["ports"] == [{"port": 8080, "endPort": 8090}, {"port": "http", "protocol": "UDP"}]
    assert policies["web"]["podSelector"]["matchLabels"] == {"app": "web", "version": "1.30"}


def test_mistakes_are_told_once_with_file_and_line_those_of_the_servers_rules_too() -> None:
    with pytest.raises(PolicyError) as caught:
        load([Source("policy.yml", WRONG)])
    at = "namespaces.shop.network.policies"
    told = [str(mistake).partition(";")[0] for mistake in caught.value.mistakes]
    assert told == [
        f'policy.yml:7: {at}.hardening-mine: found "hardening-mine"',
        f"policy.yml:11: {at}.web.ingress[0].from[0].podSelectr: there is no such key",
        f"policy.yml:11: {at}.web.ingress[0].from[1].ipBlock.cidr: found '10.0.0.0'",
        f"policy.yml:12: {at}.web.ingress[1].ports[0].port: found '8080'",
        f"policy.yml:12: {at}.web.ingress[1].ports[1].endPort: 80 is less than port 90",
        f'policy.yml:12: {at}.web.ingress[1].ports[2].protocol: found "ICMP"',
        f"policy.yml:13: {at}.lost: podSelector is missing",
        f'policy.yml:13: {at}.lost.policyTypes: found "ingress"',
        f"policy.yml:14: {at}.wide: found a list",
    ]
