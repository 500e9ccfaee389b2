#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Find out whether a run can do its work, before anything is touched
version_added: 1.0.0
description:
  - Asks whether the API server can be reached, whether the versions of Kubernetes, ansible-core and Python are
    supported, and whether the user has the permissions that a run needs.
  - Everything that is missing is told in one message, with the ClusterRole that brings it. The playbook
    C(hardening.kubernetes.cluster_roles) installs the ClusterRoles, C(hardening-audit), C(hardening-enforce) and, for
    encryption at rest, C(hardening-encryption).
  - A permission without which a run works, but proves less, is a warning.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
options:
  mode:
    description:
      - Whether the run only looks (V(audit)) or also changes the cluster (V(enforce)).
    type: str
    choices: [audit, enforce]
    default: enforce
  parts:
    description:
      - What the run does. V(namespaces) is to create namespaces, V(probe) to try connections with short-lived pods,
        V(record) to keep a record in the cluster by which the run can be put back. The others are the roles.
    type: list
    elements: str
    choices:
      - namespaces
      - pod_security
      - resource_limits
      - network_policies
      - rbac
      - cluster_access
      - probe
      - record
      - encryption_at_rest
    default: [pod_security, network_policies, probe]
  namespaces:
    description:
      - The namespaces that the run is about, where it is about no others. A permission that the user does not have in
        the whole cluster then suffices in each of these.
    type: list
    elements: str
    default: []
  policy:
    description:
      - What M(hardening.kubernetes.policy) returns as RV(hardening.kubernetes.policy#module:policy). Required with
        O(only) and O(canary), to find out what these mean, and for RV(left_over) and RV(created).
    type: dict
  only:
    description:
      - Names and globs of the namespaces that the run is limited to. One that the policy does not reach is an error.
    type: list
    elements: str
    default: []
  canary:
    description:
      - Names and globs of the namespaces that the run works on first. One that the run does not reach is an error.
    type: list
    elements: str
    default: []
  unsupported_version:
    description:
      - What to do where a version is not supported.
    type: str
    choices: [fail, warn]
    default: fail
seealso:
  - module: hardening.kubernetes.policy
"""

EXAMPLES = r"""
- name: Find out whether this user may audit
  hardening.kubernetes.preflight:
    kubeconfig: ~/.kube/config
    mode: audit
    parts: [pod_security]
"""

RETURN = r"""
server:
  description: The URL of the API server.
  returned: success
  type: str
  sample: https://127.0.0.1:6443
kubernetes_version:
  description: Its minor version.
  returned: success
  type: str
  sample: "1.36"
namespaces:
  description: The namespaces that there are, or where they may not be listed those of O(namespaces) that there are.
  returned: success
  type: list
  elements: str
  sample: [default, kube-system, shop]
parts:
  description: Those of O(parts) that have something to do in the namespaces that the run is about.
  returned: success
  type: list
  elements: str
  sample: [pod_security]
canary:
  description: The namespaces that O(canary) means.
  returned: success
  type: list
  elements: str
  sample: [lab]
left_over:
  description: >-
    The parts that the run does not do, and of which the set of O(policy) still has something in the namespaces that the
    run is about. Empty without O(policy), and for a policy of the name V(default).
  returned: success
  type: list
  elements: str
  sample: [network_policies]
created:
  description: >-
    The namespaces that are marked as created by O(policy), each with as much of its metadata as handing it back takes.
  returned: success
  type: list
  elements: dict
  sample:
    - {apiVersion: v1, kind: Namespace, metadata: {name: lab, uid: 4d1f7a9e-0a47-4d7f-a2f9-6b0f0d7e2f5c}}
findings:
  description: A failure of C(policy.leftovers) for each of RV(created) that O(policy) does not create any more.
  returned: success
  type: list
  elements: dict
  sample: []
weakened:
  description: What cannot be proved, for want of permissions.
  returned: success
  type: list
  elements: str
  sample: ["pod_security.enforced is unknown: no forbidden pod can be tried"]
"""
