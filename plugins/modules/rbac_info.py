#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rbac_info
short_description: Prove by the servers' own answers who has access, and who has not
version_added: 1.0.0
description:
  - Asks by SubjectAccessReview, of each API server at its own address, whether everybody may do what is granted, and
    nobody what is forbidden. A finding names the binding that gives what is forbidden.
  - Of a role that is made here every permission is asked for, of another one resource of each of its rules.
  - What is forbidden is also asked about each object that a role names, since access may be given to that object alone.
  - A denial for a user whose groups are not named is V(unknown), since a group may bring more. Certificates of the
    group C(system:masters) may do everything and are not visible here.
  - RoleBindings in the namespaces, and ClusterRoleBindings that give anything in namespaces, are a failure that names
    them where they are neither declared nor kept. Those of Kubernetes' own components are told by their subjects and
    pass.
  - Service accounts that are named and do not exist are a failure.
  - What may not be read is V(unknown) and names the permission. It needs C(create) on C(subjectaccessreviews).
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  timeout:
    description:
      - How long, in seconds, an answer that is not as wanted is asked for again, since servers hear of a change a
        moment later.
    type: float
    default: 5.0
extends_documentation_fragment:
  - hardening.kubernetes.rbac
  - hardening.kubernetes.settings
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
seealso:
  - module: hardening.kubernetes.rbac
  - module: hardening.kubernetes.access_info
"""

EXAMPLES = r"""
- name: Find out whether the reporter can read what it must not
  hardening.kubernetes.rbac_info:
    set: shop
    namespaces:
      shop:
        grant:
          - role: pod-reader
            rules: [{resources: [pods], verbs: [get, list]}]
            to: [{service_account: reporter}]
        must_not:
          - {who: {service_account: reporter}, verbs: ['*'], resources: [secrets]}
    cluster:
      keep: [{cluster_role_binding: prometheus-*}]
  register: seen

- name: Stop where it can
  ansible.builtin.assert:
    that: seen.findings | rejectattr('status', 'in', ['pass', 'not_applicable']) | length == 0
    quiet: true
"""

RETURN = r"""
findings:
  description: >-
    C(access.granted) of each binding, C(access.denied) of each subject that must not do something,
    C(access.undeclared) of each place and of each binding that is not declared, C(access.subjects) of each service
    account, C(policy.leftovers) of the set, and C(policy.namespaces) for what the options name and cannot be found.
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: Id of the control.
      type: str
      returned: always
      sample: access.undeclared
    subject:
      description: What the finding is about.
      type: str
      returned: always
      sample: RoleBinding/shop/temporary-admin
    status:
      description: The verdict, V(pass), V(fail), V(not_applicable) or V(unknown).
      type: str
      returned: always
      sample: fail
    evidence:
      description: What was seen.
      type: str
      returned: always
      sample: it gives User bob the ClusterRole admin in shop, which is not declared
    proof:
      description: How it is known, V(server) or V(none).
      type: str
      returned: always
      sample: server
    remedy:
      description: What to do about it.
      type: str
      returned: always
    would:
      description: The status to expect after the roles and bindings are written.
      type: str
      returned: in check mode
      sample: pass
summary:
  description: How many findings there are of each status.
  returned: always
  type: dict
  sample: {pass: 5, fail: 1, waived: 0, not_applicable: 0, unknown: 0}
"""
