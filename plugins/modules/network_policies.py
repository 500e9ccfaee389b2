#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: network_policies
short_description: Deny by default in namespaces, and open the flows that are declared
version_added: 1.0.0
description:
  - Writes NetworkPolicies into any number of namespaces, by server-side apply as the field manager
    C(hardening.kubernetes/network_policies).
  - What opens is written before what closes, and removed after it. While a direction goes from open to denied, or back,
    policies C(hardening-rollout-gate) keep the pods as open as they were, and leave out the pods that policies of
    others close. Where a flow could not be opened, nothing is closed.
  - Each NetworkPolicy has the label C(hardening.kubernetes/set) and the annotation C(hardening.kubernetes/origin),
    which is V(created), or V(adopted) where somebody else had made it before.
  - A namespace whose default deny would break something is refused. Nothing is written there, all others are done, and
    the task fails at the end with the line to add.
  - In check mode the server's dry run tells the same and writes nothing, and what would be refused is a warning.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  force_conflicts:
    description:
      - Whether to take over fields of our NetworkPolicies that another field manager set to another value.
    type: bool
    default: false
  state:
    description:
      - V(absent) removes the NetworkPolicies of O(set), first what closes, then what opens. No others are touched.
      - Where O(set) is not V(default), it is removed from the whole cluster and no settings are needed. With O(prune)
        set to V(false), and for V(default), it is removed from the namespaces that the other options reach.
      - What was there before and was adopted is handed back. Our fields and marks go, those of others stay.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - hardening.kubernetes.network_policies
  - hardening.kubernetes.settings
  - hardening.kubernetes.record
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.changes
seealso:
  - module: hardening.kubernetes.network_policies_info
"""

EXAMPLES = r"""
- name: Let nothing through but the shop's own flows
  hardening.kubernetes.network_policies:
    set: shop
    namespaces:
      shop:
        default_deny: [ingress, egress]
        dns: true
        allow:
          - {from: {namespace: ingress-nginx}, to: {app: frontend}, ports: [http/TCP]}
          - {from: {app: frontend}, to: {app: backend}, ports: [8080/TCP]}
          - {from: {app: backend}, to: {app: postgres}, ports: [5432/TCP]}
          - {from: {app: operator}, to: {api_server: true}}

- name: Deny ingress in all namespaces of a team, and take the risk of what stands behind a NodePort
  hardening.kubernetes.network_policies:
    selected:
      - {selector: team=payments, default_deny: [ingress], accept_risks: [node_port]}

- name: Take over a NetworkPolicy that is there already, in Kubernetes' own words
  hardening.kubernetes.network_policies:
    set: shop
    namespaces:
      shop:
        policies:
          frontend-not-from-legacy:
            podSelector: {matchLabels: {app: frontend}}
            policyTypes: [Ingress]
            ingress:
              - from:
                  - podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [legacy]}]}
                ports: [{port: 8080}]

- name: Remove the shop's policies from wherever they are
  hardening.kubernetes.network_policies:
    set: shop
    state: absent
"""

RETURN = r"""
objects:
  description: What became of each NetworkPolicy, and of each namespace that was created.
  returned: always
  type: list
  elements: dict
  contains:
    api_version:
      description: API version of the object.
      type: str
      returned: always
      sample: networking.k8s.io/v1
    kind:
      description: Kind of the object.
      type: str
      returned: always
      sample: NetworkPolicy
    namespace:
      description: Namespace of the object.
      type: str
      returned: always
      sample: shop
    name:
      description: Name of the object.
      type: str
      returned: always
      sample: hardening-default-deny
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
      returned: in check mode, in a namespace that is not there yet
findings:
  description: >-
    What stands in the way: namespaces that do not exist, selectors that match nothing, default denies that are refused,
    NetworkPolicies that could not be written.
  returned: always
  type: list
  elements: dict
  sample:
    - control: network.default_deny
      subject: Namespace/shop
      status: fail
      evidence: >-
        the default deny is refused, nothing is written: egress would be denied and Deployment/shop/frontend would lose
        DNS; add dns: true, or take the risk with accept_risks: [dns]
      proof: config
      remedy: Add the allow that is named, or take the risk by accept_risks.
summary:
  description: How many objects there are of each action.
  returned: always
  type: dict
  sample: {created: 6, updated: 0, adopted: 0, deleted: 0, unchanged: 0, failed: 0}
"""
