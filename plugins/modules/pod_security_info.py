#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_security_info
short_description: Prove by effect that Pod Security is enforced
version_added: 1.0.0
description:
  - Asks each API server, by dry run, to create a pod that breaks exactly the level that a namespace is to enforce, and
    one that the level allows. Only a refusal by Pod Security for this very level and version, several times in a row,
    counts as proof, and only together with the other pod being let in.
  - Asks the same, where the level is enforced or warned of, about every pod that runs and every pod template, those of
    CronJobs and of workloads scaled to zero too. Where it is not yet, the server's dry run of the labels tells of the
    running pods, and so it does of a pod that a webhook changes when it is submitted again.
  - Where an API server cannot be reached at its own address, C(pod_security.enforced) is V(unknown) at best.
  - Nothing is stored. Probes are named C(hardening-probe-...). RBAC knows no dry run, so this needs the permission to
    create pods, and to patch namespaces for those that do not enforce yet. With less, findings are V(unknown) and say
    what is missing.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  on_violation:
    description:
      - What M(hardening.kubernetes.pod_security) will be told. Check mode takes it into account to tell what to expect.
    type: str
    choices: [fail, warn, proceed]
    default: fail
  timeout:
    description:
      - For how many seconds an effect that does not show, or an answer by something else than Pod Security, is asked
        about again. All namespaces share this time.
    type: float
    default: 10.0
extends_documentation_fragment:
  - hardening.kubernetes.pod_security
  - hardening.kubernetes.settings
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
seealso:
  - module: hardening.kubernetes.pod_security
"""

EXAMPLES = r"""
- name: Find out whether production refuses what it should
  hardening.kubernetes.pod_security_info:
    namespaces:
      production: {enforce: restricted, version: v1.36}
  register: seen

- name: Stop where it does not
  ansible.builtin.assert:
    that: seen.findings | rejectattr('status', 'in', ['pass', 'not_applicable']) | length == 0
    quiet: true
"""

RETURN = r"""
findings:
  description: >-
    C(pod_security.enforced) of each namespace, C(pod_security.reported) of each that is to audit or warn,
    C(pod_security.running_comply) of each namespace or of each workload that does not comply, and
    C(policy.namespaces) for what the options name and cannot be found.
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: Id of the control.
      type: str
      returned: always
      sample: pod_security.enforced
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
        a pod that breaks the level is refused with: violates PodSecurity "restricted:v1.36"; one that it allows is let
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
      description: >-
        The status to expect after the labels are set. V(unknown) where it depends on pod templates that only the real
        run can have the server judge.
      type: str
      returned: in check mode
      sample: pass
summary:
  description: How many findings there are of each status.
  returned: always
  type: dict
  sample: {pass: 2, fail: 0, waived: 0, not_applicable: 0, unknown: 0}
"""
