#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rbac
short_description: Give users, groups and service accounts the access that is declared
version_added: 1.0.0
description:
  - Writes Roles, RoleBindings, ClusterRoles and ClusterRoleBindings, by server-side apply as the field manager
    C(hardening.kubernetes/rbac), roles before bindings.
  - Nobody loses access in between. A binding's role cannot be changed, so another role gets another binding, and the
    old one goes once each API server lets through what the new one gives. The name of a binding is that of its role
    with a hash of its set and role.
  - What the set no longer declares is removed last, then the foreign objects that C(remove) names. Where something
    could not be written, nothing is removed.
  - A foreign binding that gives the user of the task its own access is left, and told as failed.
  - A user who gives others what it does not hold itself needs the verbs C(escalate) on roles and C(bind) on the roles
    that it binds, which the ClusterRole C(hardening-enforce) has.
  - In check mode the server's dry run tells the same and writes nothing.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  force_conflicts:
    description:
      - Whether to take over fields of roles and bindings that another field manager set to another value.
    type: bool
    default: false
  state:
    description:
      - V(absent) removes the roles and bindings of O(set), bindings first, and no others. Of the set V(default) only
        those in the given namespaces.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - hardening.kubernetes.rbac
  - hardening.kubernetes.settings
  - hardening.kubernetes.record
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.changes
seealso:
  - module: hardening.kubernetes.rbac_info
  - module: hardening.kubernetes.access_info
"""

EXAMPLES = r"""
- name: Let developers read pods, and the deployer deploy
  hardening.kubernetes.rbac:
    set: shop
    namespaces:
      shop:
        grant:
          - role: pod-reader
            rules: [{resources: [pods, pods/log], verbs: [get, list, watch]}]
            to: [{group: developers}, {service_account: reporter}]
          - {cluster_role: edit, to: [{service_account: deployer}]}
        must_not:
          - {who: {service_account: reporter}, verbs: [get, list], resources: [secrets]}
        remove: [{role_binding: temporary-admin}]
    cluster:
      grant:
        - cluster_role: node-reader
          rules: [{resources: [nodes], verbs: [get, list]}]
          to: [{group: operators}]

- name: Remove the shop's roles and bindings
  hardening.kubernetes.rbac:
    set: shop
    state: absent
"""

RETURN = r"""
objects:
  description: What became of each role and binding, and of each namespace that was created.
  returned: always
  type: list
  elements: dict
  contains:
    api_version:
      description: API version of the object.
      type: str
      returned: always
      sample: rbac.authorization.k8s.io/v1
    kind:
      description: Kind of the object.
      type: str
      returned: always
      sample: RoleBinding
    namespace:
      description: Namespace of the object, empty for one of the whole cluster.
      type: str
      returned: always
      sample: shop
    name:
      description: Name of the object.
      type: str
      returned: always
      sample: pod-reader-4be1b2f6
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
      returned: in check mode, for what stands on something that is not there yet
findings:
  description: What could not be written or removed, and what the options name and cannot be found.
  returned: always
  type: list
  elements: dict
summary:
  description: How many objects there are of each action.
  returned: always
  type: dict
  sample: {created: 5, updated: 0, adopted: 0, deleted: 1, unchanged: 0, failed: 0}
"""
