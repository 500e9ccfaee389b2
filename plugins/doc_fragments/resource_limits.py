# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Which namespace is to have which quota and which limits."""

    DOCUMENTATION = r"""
options:
  namespaces:
    description:
      - Settings of namespaces by name. They win over O(selected), which wins over O(default).
      - >-
        C(quota) is what the C(ResourceQuota) V(hardening-quota) has in C(spec.hard), as V({requests.cpu: 4, pods: 20}).
      - >-
        C(limits) is what the C(LimitRange) V(hardening-limits) has: C(container) with C(max), C(min), C(default),
        C(default_request) and C(max_limit_request_ratio), C(pod) with C(max), C(min) and C(max_limit_request_ratio),
        C(persistent_volume_claim) with C(max) and C(min). Each is a mapping of resources to quantities.
      - >-
        C(quotas) are ResourceQuotas under names of their own, as V({team: {hard: {pods: 10}, scopes:
        [NotTerminating]}}), with C(scopes) or C(scope_selector) if need be. C(limit_ranges) are LimitRanges under names
        of their own, each with the keys of C(limits). Those that are there already are adopted.
      - Amounts must be in the order C(min), C(default_request), C(default), C(max).
      - With C(create) set to V(true), a namespace that is missing is created. Without it, that is a failure.
    type: dict
    default: {}
  set:
    description:
      - Name of the set that quotas and limits belong to, in their label C(hardening.kubernetes/set).
      - What of the set a namespace has and the settings no longer say is removed. O(prune) says where.
      - What another set has in a namespace is refused.
      - The set V(default) is that of whoever names none. Whoever shares it shares its quotas and limits too, and
        nothing is looked for in namespaces that the options do not reach.
    type: str
    default: default
"""
