#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_security
short_description: Label namespaces with Pod Security levels
version_added: 1.0.0
description:
  - Sets the labels C(pod-security.kubernetes.io/enforce), C(audit) and C(warn) with their versions on any number of
    namespaces, by server-side apply as the field manager C(hardening.kubernetes/pod_security).
  - Before a namespace is labelled, the API server is asked by dry run which of its running pods the level would refuse.
    Everything that it warns of is shown, and O(on_violation) says what to do. Finished pods do not count.
  - Where O(on_violation) is V(fail) and no pod runs of a pod template, as of a CronJob or of a workload scaled to zero,
    the level is first only warned of and the template submitted by dry run. The label C(warn) is set for that moment
    as a field manager of its own, C(hardening.kubernetes/pod_security-preview), and taken back. Where this module set
    another C(warn) before, it is written over, kept in the annotation C(hardening.kubernetes/pod-security-former-warn),
    and restored. This needs the permissions to list workloads and to create pods.
  - What somebody else set C(warn) to stays. If it is not the level, the templates cannot be judged, and the namespace
    is left as it is.
  - The next run takes back the label of the moment that a killed run left, and so does O(state=absent).
  - What the settings no longer name is taken out of the labels, as far as this module put it there.
  - A namespace that C(create) made has the label C(hardening.kubernetes/set) and the annotation
    C(hardening.kubernetes/origin) of V(created). No namespace is ever deleted.
  - In check mode the server's dry run tells the same and writes nothing, except about templates of which no pod runs.
    It judges them only where the level is enforced or warned of already. Elsewhere it is unknown whether the real run
    labels the namespace.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  on_violation:
    description:
      - What to do with a namespace where running pods or pod templates would be refused, or where the server could not
        look at all.
        Running pods are not stopped by labels. They would be missing after their next restart.
      - V(fail) leaves such a namespace as it is, does all others, and fails at the end.
      - V(warn) labels it and warns of the pods.
      - V(proceed) labels it, and tells of the pods in RV(findings) and RV(objects) alone.
    type: str
    choices: [fail, warn, proceed]
    default: fail
  force_conflicts:
    description:
      - Whether to take over labels that another field manager set to another value, like C(kubectl label) does.
    type: bool
    default: false
  state:
    description:
      - V(absent) takes back the labels of O(set), and no others. No namespace is deleted.
      - Where O(set) is not V(default), they are taken back in the whole cluster and no settings are needed. With
        O(prune) set to V(false), and for V(default), from the namespaces that the other options reach.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - hardening.kubernetes.pod_security
  - hardening.kubernetes.settings
  - hardening.kubernetes.record
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.changes
seealso:
  - module: hardening.kubernetes.pod_security_info
"""

EXAMPLES = r"""
- name: Enforce the restricted level in one namespace, and baseline in all others
  hardening.kubernetes.pod_security:
    namespaces:
      production: {enforce: restricted, version: v1.36}
    default: {enforce: baseline, warn: restricted}
    exempt: [sandbox-*]

- name: Warn of what restricted would refuse before enforcing it
  hardening.kubernetes.pod_security:
    selected:
      - {selector: team=payments, warn: restricted, audit: restricted}

- name: Take the labels back
  hardening.kubernetes.pod_security:
    namespaces:
      production: {}
    state: absent

- name: Take back all labels of a set, wherever they are
  hardening.kubernetes.pod_security:
    set: production-cluster
    state: absent
"""

RETURN = r"""
objects:
  description: What became of each namespace, in the order of their names.
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
      sample: Namespace
    namespace:
      description: Empty, a namespace lies in none.
      type: str
      returned: always
      sample: ""
    name:
      description: Name of the namespace.
      type: str
      returned: always
      sample: production
    action:
      description: What was done, or in check mode would be.
      type: str
      returned: always
      sample: updated
    diff:
      description: C(before) and C(after), of what the settings mean alone.
      type: dict
      returned: always
    warnings:
      description: What the server warned of, the running pods that the level would refuse among it.
      type: list
      elements: str
      returned: always
      sample: ['web-0: runAsNonRoot != true, seccompProfile']
    error:
      description: Why it failed and what to do.
      type: str
      returned: when it failed
    verified:
      description: V(unknown) where check mode could not ask the server.
      type: str
      returned: in check mode, for a namespace that is not there yet, or whose templates the real run alone has judged
findings:
  description: >-
    What stands in the way: namespaces that do not exist, settings that reach no namespace, running pods and pod
    templates that would be refused, namespaces that could not be labelled.
  returned: always
  type: list
  elements: dict
  sample:
    - control: policy.namespaces
      subject: Namespace/prodution
      status: fail
      evidence: there is no namespace prodution; did you mean production?
      proof: server
      remedy: 'Correct the name, create the namespace, or say create: true in its settings.'
summary:
  description: How many namespaces there are of each action.
  returned: always
  type: dict
  sample: {created: 0, updated: 2, adopted: 0, deleted: 0, unchanged: 5, failed: 0}
"""
