#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_limits_info
short_description: Prove by effect that quotas and limits are enforced
version_added: 1.0.0
description:
  - Asks each API server, by dry run, to create a pod that exceeds the quota, and one that fits. Only a refusal that
    names our quota and the resources that were exceeded, three times, counts as proof. The pods keep to the LimitRanges
    and to the strictest Pod Security level, and have several containers where one may not ask for enough.
  - What no single pod can exceed, like counted objects and storage, is proved by the server's own status, which is
    C(resources.quota_counted). As long as the server has not counted, there is no proof of either.
  - Asks each API server to create pods and claims that break every bound of the LimitRange, and a pod that says
    nothing. The first must be refused by the words of the LimitRanger for exactly these bounds, the last must get the
    defaults.
  - Asks, for each workload and each pod, about a pod that asks for the same, so that it is known what would be missing
    after its next restart.
  - Nothing is stored. Probes are named C(hardening-probe-...). RBAC knows no dry run, so this needs the permission to
    create pods, and claims where they are limited. With less, findings are V(unknown) and say what is missing.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  on_violation:
    description:
      - What M(hardening.kubernetes.resource_limits) will be told. Check mode takes it into account to tell what to
        expect.
    type: str
    choices: [fail, warn, proceed]
    default: fail
  timeout:
    description:
      - For how many seconds an effect that does not show, or an answer by something else, is asked about again. All
        namespaces share this time.
    type: float
    default: 10.0
extends_documentation_fragment:
  - hardening.kubernetes.resource_limits
  - hardening.kubernetes.settings
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
seealso:
  - module: hardening.kubernetes.resource_limits
"""

EXAMPLES = r"""
- name: Find out whether production refuses what exceeds its quota
  hardening.kubernetes.resource_limits_info:
    namespaces:
      production: {quota: {requests.cpu: "4"}}
  register: seen

- name: Stop where it does not
  ansible.builtin.assert:
    that: seen.findings | rejectattr('status', 'in', ['pass', 'not_applicable']) | length == 0
    quiet: true
"""

RETURN = r"""
findings:
  description: >-
    C(resources.quota) and C(resources.quota_counted) of each namespace that is to have a quota, C(resources.limits) of
    each that is to have limits, C(resources.running_fit) of each namespace, or of each workload and quota that does not
    fit, C(policy.leftovers) for what the set still has, and C(policy.namespaces) for what the options name and cannot
    be found.
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: Id of the control.
      type: str
      returned: always
      sample: resources.quota
    subject:
      description: What the finding is about, as C(Kind/name) or C(Kind/namespace/name).
      type: str
      returned: always
      sample: Namespace/production
    status:
      description: The verdict, V(pass), V(fail), V(not_applicable) or V(unknown).
      type: str
      returned: always
      sample: pass
    evidence:
      description: What was seen.
      type: str
      returned: always
      sample: >-
        a pod that asks for more of requests.cpu is refused with: exceeded quota: hardening-quota; one that fits is let
        in, 3 times in a row
    proof:
      description: How it is known, V(effect), V(server), V(config) or V(none).
      type: str
      returned: always
      sample: effect
    remedy:
      description: What to do about it.
      type: str
      returned: always
      sample: ""
    would:
      description: The status to expect after quotas and limits are set.
      type: str
      returned: in check mode
      sample: pass
summary:
  description: How many findings there are of each status.
  returned: always
  type: dict
  sample: {pass: 3, fail: 0, waived: 0, not_applicable: 1, unknown: 0}
"""
