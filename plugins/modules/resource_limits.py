#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_limits
short_description: Set quotas and limits in namespaces
version_added: 1.0.0
description:
  - Sets a C(LimitRange) and then a C(ResourceQuota) in any number of namespaces, by server-side apply as the field
    manager C(hardening.kubernetes/resource_limits). A quota refuses pods that do not say what they ask for, and the
    defaults of the LimitRange say it for them, so that on the way back the quota goes first.
  - Before that it is found out what would not fit, by what pods and workloads say. That is what runs already above the
    quota, and the workloads whose next pod would be refused for lack of requests or limits, or for what a bound of the
    LimitRange does not allow. O(on_violation) says what to do. What fitted no better before does not count.
  - Other quotas and LimitRanges of the namespace are taken into account and left alone.
  - In check mode the server's dry run tells the same and writes nothing.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  on_violation:
    description:
      - What to do with a namespace where something would not fit, or that could not be looked at.
      - V(fail) leaves such a namespace as it is, does all others, and fails at the end.
      - V(warn) sets quota and limits there and warns.
      - V(proceed) sets them, and tells of it in RV(findings) alone.
    type: str
    choices: [fail, warn, proceed]
    default: fail
  force_conflicts:
    description:
      - Whether to take over fields of our objects that another field manager set to another value.
    type: bool
    default: false
  state:
    description:
      - V(absent) removes the quotas and LimitRanges of the set, all of them where O(set) has a name of its own, else
        those in the namespaces that the other options name.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - hardening.kubernetes.resource_limits
  - hardening.kubernetes.settings
  - hardening.kubernetes.record
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.changes
seealso:
  - module: hardening.kubernetes.resource_limits_info
"""

EXAMPLES = r"""
- name: Let production have four processors, and give every container a share
  hardening.kubernetes.resource_limits:
    namespaces:
      production:
        quota: {requests.cpu: "4", requests.memory: 8Gi, pods: 20, count/deployments.apps: 10}
        limits:
          container:
            max: {cpu: "2", memory: 2Gi}
            default: {cpu: 500m, memory: 256Mi}
            default_request: {cpu: 100m, memory: 128Mi}

- name: Give defaults in all other namespaces
  hardening.kubernetes.resource_limits:
    default:
      limits: {container: {default_request: {cpu: 50m, memory: 64Mi}}}
    exempt: [sandbox-*]

- name: Take away what a set has
  hardening.kubernetes.resource_limits:
    set: production-cluster
    state: absent
"""

RETURN = r"""
objects:
  description: What became of each LimitRange, ResourceQuota and created namespace, by namespace.
  returned: always
  type: list
  elements: dict
  contains:
    api_version:
      description: API version of the object.
      type: str
      returned: always
      sample: v1
    kind:
      description: Kind of the object.
      type: str
      returned: always
      sample: ResourceQuota
    namespace:
      description: The namespace that it lies in.
      type: str
      returned: always
      sample: production
    name:
      description: Name of the object.
      type: str
      returned: always
      sample: hardening-quota
    action:
      description: What was done, or in check mode would be.
      type: str
      returned: always
      sample: created
    diff:
      description: C(before) and C(after), of what the settings mean alone.
      type: dict
      returned: always
    warnings:
      description: What the server warned of.
      type: list
      elements: str
      returned: always
    error:
      description: Why it failed and what to do.
      type: str
      returned: when it failed
    verified:
      description: V(unknown) where check mode could not ask the server.
      type: str
      returned: in check mode, for a namespace that is not there yet
findings:
  description: >-
    What stands in the way: namespaces that do not exist, settings that reach no namespace, what would not fit, and
    objects that could not be set.
  returned: always
  type: list
  elements: dict
  sample:
    - control: resources.running_fit
      subject: Deployment/production/web
      status: fail
      evidence: 'failed quota: hardening-quota: must specify requests.cpu for: web'
      proof: config
      remedy: >-
        Let the workload say requests and limits that fit, give limits.container a default for what it does not say, or
        allow more.
summary:
  description: How many objects there are of each action.
  returned: always
  type: dict
  sample: {created: 2, updated: 0, adopted: 0, deleted: 0, unchanged: 5, failed: 0}
"""
