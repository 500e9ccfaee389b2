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
      - Amounts must be in the order C(min), C(default_request), C(default), C(max).
      - With C(create) set to V(true), a namespace that is missing is created. Without it, that is a failure.
    type: dict
    default: {}
  selected:
    description:
      - Settings of namespaces by label. The first selector that matches counts.
      - Each has a C(selector) like V(team=payments), or V(tier in (web, api\),!legacy), besides its settings.
      - A selector that matches no namespace, or none that it may reach, is a failure.
    type: list
    elements: dict
    default: []
  default:
    description:
      - Settings of every other namespace. They never reach namespaces that hold components of the cluster, like
        C(kube-system). A default that reaches no namespace is a failure.
    type: dict
    default: {}
  exempt:
    description:
      - Globs of namespaces that neither O(selected) nor O(default) reaches.
    type: list
    elements: str
    default: []
  only:
    description:
      - Names and globs of the namespaces that this is limited to. No other one is written, cleaned up or judged, and
        nothing is told of selectors and a default that reach no namespace.
      - Without it, all namespaces are meant.
    type: list
    elements: str
    default: []
  set:
    description:
      - Name of the set that quotas and limits belong to, in their label C(hardening.kubernetes/set).
      - What of the set a namespace has and the settings no longer say is removed. O(prune) says where.
      - What another set has in a namespace is refused.
      - The set V(default) is that of whoever names none. Whoever shares it shares its quotas and limits too, and
        nothing is looked for in namespaces that the options do not reach.
    type: str
    default: default
  prune:
    description:
      - Whether the set, where it is not V(default), has nothing but what the options say. What it has in namespaces
        that they do not reach is then removed by M(hardening.kubernetes.resource_limits), and is a failure of
        C(policy.leftovers) for M(hardening.kubernetes.resource_limits_info).
      - Set it to V(false) where several tasks share one set and each says a part of it.
      - Without any settings nothing is pruned, so that a mistyped option does not remove a whole set. Removing it is
        what O(hardening.kubernetes.resource_limits#module:state) V(absent) is for.
    type: bool
    default: true
"""
