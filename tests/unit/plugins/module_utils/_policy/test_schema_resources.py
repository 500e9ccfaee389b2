# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of single values."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import load
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import PolicyError

WRONG = """\
policy_version: 1
name: shop
namespaces:
  shop:
    resources:
      quota: {pods: 2.5, limit.memory: 8Gi, requests.memory: much}
      limits:
        container:
          max: {cpu: 1, mem: 3}
          min: {cpu: 2}
          default_request: {}
        pod: {default: {cpu: 1}}
        persistent_volume_claim: {max: {cpu: 2}}
      quotas:
        hardening-quota: {hard: {pods: 1}}
        team: {hard: {pods: 1.5}, scopes: [Terminates], scope_selector: [{scope_name: PriorityClass, operator: In}]}
      limit_ranges: {team: {container: {max: {cpu: 1}, min: {cpu: 2}}}}
"""


def test_mistakes_are_told_with_file_and_line() -> None:
    with pytest.raises(PolicyError) as caught:
        load([Source("policy.yml", WRONG)])
    at = "namespaces.shop.resources"
    told = [str(mistake).partition(";")[0] for mistake in caught.value.mistakes]
    assert told == [
        f"policy.yml:6: {at}.quota.pods: 2.5 of them cannot be: what is counted is whole",
        f'policy.yml:6: {at}.quota["limit.memory"]: found "limit.memory"',
        f'policy.yml:6: {at}.quota["requests.memory"]: found "much"',
        f"policy.yml:9: {at}.limits.container.max.cpu: 1 is less than min 2",
        f'policy.yml:9: {at}.limits.container.max.mem: found "mem"',
        f"policy.yml:11: {at}.limits.container.default_request: the mapping is empty: fill it or leave its key out",
        f"policy.yml:12: {at}.limits.pod.default: there is no such key",
        f'policy.yml:13: {at}.limits.persistent_volume_claim.max.cpu: found "cpu"',
        f'policy.yml:15: {at}.quotas.hardening-quota: found "hardening-quota"',
        f"policy.yml:16: {at}.quotas.team.hard.pods: 1.5 of them cannot be: what is counted is whole",
        f"policy.yml:16: {at}.quotas.team.scope_selector[0]: In needs values, like values: [high]",
        f'policy.yml:16: {at}.quotas.team.scopes[0]: found "Terminates"',
        f"policy.yml:17: {at}.limit_ranges.team.container.max.cpu: 1 is less than min 2",
    ]


def test_quantities_stay_as_written() -> None:
    text = (
        "policy_version: 1\nname: shop\n"
        "defaults: {resources: {quota: {requests.cpu: 0.50, pods: 20}, limits: {pod: {max: {cpu: 2}}}}}\n"
        "cluster: {resources: {on_violation: warn}}\n"
    )
    said = load([Source("policy.yml", text)])["resources"]
    assert said == {
        "namespaces": {},
        "selected": [],
        "default": {"quota": {"requests.cpu": "0.50", "pods": "20"}, "limits": {"pod": {"max": {"cpu": "2"}}}},
        "exempt": [],
        "on_violation": "warn",
    }
