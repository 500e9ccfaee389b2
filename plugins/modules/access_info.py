#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: access_info
short_description: Answer who may do what, for any number of questions at once
version_added: 1.0.0
description:
  - Asks the API server by SubjectAccessReview, several at once, what C(kubectl auth can-i --as) asks one by one.
  - A subject gets the groups that every server adds by itself, like C(system:authenticated). A user's own groups are
    known only as far as O(questions) names them, so an answer is that for a user in just these groups.
  - What a certificate of the group C(system:masters) may do is seen in no answer but that of this group.
  - A question that the server does not answer fails the task at the end, and hides no other answer.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  questions:
    description:
      - The questions. Each has a C(verb), and either a C(resource) or a C(url) like V(/metrics).
      - >-
        C(who) is C({user: jane, groups: [developers]}), C({group: developers}) or C({service_account: reporter,
        namespace: production}). Without it, the user of this task asks for himself.
      - >-
        C(resource) is written as for kubectl: V(pods), V(pods/log), V(deployments.apps), V(deploy). C(api_group) and
        C(subresource) say apart what else stands in it. Without a group, the server's first that has the resource is
        meant. What the server does not have is warned of.
      - C(name) asks about one object. C(namespace) asks about one namespace. Without it, all are meant.
    type: list
    elements: dict
    required: true
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
seealso:
  - module: hardening.kubernetes.rbac_info
"""

EXAMPLES = r"""
- name: Ask what developers and the reporter may do
  hardening.kubernetes.access_info:
    questions:
      - {who: {group: developers}, verb: get, resource: pods/log, namespace: production}
      - {who: {user: jane, groups: [developers]}, verb: delete, resource: deployments.apps, namespace: production}
      - {who: {service_account: reporter, namespace: production}, verb: list, resource: secrets}
      - {who: {group: monitoring}, verb: get, url: /metrics}
  register: access

- name: Stop where the reporter may list secrets
  ansible.builtin.assert:
    that: not access.answers[2].allowed
"""

RETURN = r"""
answers:
  description: One answer for each question, in their order, with the question as it was asked.
  returned: always
  type: list
  elements: dict
  contains:
    who:
      description: The subject; left out where it is the user of the task.
      type: str
      returned: when a subject was named
      sample: User jane
    verb:
      description: The verb.
      type: str
      returned: always
      sample: delete
    resource:
      description: The resource by its plural; left out beside a URL.
      type: str
      returned: when the question is about a resource
      sample: deployments
    groups:
      description: The groups that were assumed, both those named and those that the server adds by itself.
      type: list
      elements: str
      returned: always
      sample: [developers, "system:authenticated"]
    allowed:
      description: Whether it is allowed. Not there where the server gave no answer.
      type: bool
      returned: when the server answered
      sample: true
    denied:
      description: Whether an authorizer denied it outright, instead of having no opinion.
      type: bool
      returned: when the server answered
      sample: false
    reason:
      description: Why, in the server's words.
      type: str
      returned: when the server answered
      sample: 'RBAC: allowed by RoleBinding "deployers/production" of ClusterRole "edit" to Group "developers"'
    evaluation_error:
      description: Where the server could not look.
      type: str
      returned: when the server answered
      sample: ""
    error:
      description: Why there is no answer, and what to do.
      type: str
      returned: when the server gave no answer
summary:
  description: How many answers there are of each sort.
  returned: always
  type: dict
  sample: {allowed: 2, not_allowed: 2, unanswered: 0}
"""
