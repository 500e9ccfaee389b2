#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: discover
short_description: Write a starter policy from a live cluster
version_added: 1.0.0
description:
  - Reads what is in force in a cluster and writes it as a policy file, which M(hardening.kubernetes.policy) reads.
  - Applying this policy changes nothing but adds marks. Pod Security labels stay as they are, NetworkPolicies, roles,
    bindings, quotas and limits are named as they exist, and are adopted.
  - Foreign ClusterRoleBindings are kept, each by its name, so that a new one is a failure from then on.
  - Comments in the file say what could be tightened. Of each namespace they say which Pod Security level it could
    enforce today without refusing what runs, by the server's own dry run, and which pods are in the way.
  - What a policy cannot say, what belongs to another set, and what could not be read is said in a comment. Namespaces
    that hold components of the cluster itself are left out, unless O(only) names them.
  - Nothing is written to the cluster. The ClusterRole C(hardening-audit) is enough to read it. Which levels could be
    enforced is not known without the permission to patch namespaces, since a dry run needs it.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
options:
  path:
    description:
      - The file to write. One that is there already, and says anything else, is an error.
    type: path
    default: cluster-policy.yml
  name:
    description:
      - The name of the policy, which marks every object that it adopts once it is applied.
    type: str
    default: discovered
  only:
    description:
      - Names and globs of namespaces. No other is looked at.
      - Without it, all namespaces are meant.
    type: list
    elements: str
  levels:
    description:
      - With V(today), the policy says the Pod Security levels that namespaces have.
      - With V(possible), it says the strictest level that is harmless, where that is certain and stricter than today's.
        A pod template of which no pod runs is judged by nobody, so that it is not certain then.
    type: str
    choices: [today, possible]
    default: today
  force:
    description:
      - Whether a file that is there already is replaced.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A second run fails, since the file is there. With O(force) it changes the file where the cluster has changed.
seealso:
  - module: hardening.kubernetes.policy
"""

EXAMPLES = r"""
- name: Write what is in force into cluster-policy.yml
  hardening.kubernetes.discover:
    kubeconfig: ~/.kube/admin.conf
    name: production-cluster

- name: Write a policy for some namespaces, with the strictest levels that break nothing
  hardening.kubernetes.discover:
    path: teams/payments.yml
    name: payments
    only: [payments, payments-*]
    levels: possible
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
  sample: cluster-policy.yml
namespaces:
  description: The namespaces that the policy speaks of.
  returned: always
  type: list
  elements: str
  sample: [shop, payments]
left_out:
  description: The namespaces that hold components of the cluster itself.
  returned: always
  type: list
  elements: str
  sample: [kube-node-lease, kube-public, kube-system]
unseen:
  description: What could not be read, in sentences. They stand at the head of the file too.
  returned: always
  type: list
  elements: str
text:
  description: What would be written.
  returned: in check mode
  type: str
"""
