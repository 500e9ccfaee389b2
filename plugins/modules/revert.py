#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: revert
short_description: Put back what a run replaced
version_added: 1.0.0
description:
  - Takes back what a recorded run of this collection changed, field by field, the last written first.
  - What the run changed is set back where it still is as the run left it. What others changed elsewhere in the object
    stays. Where somebody else changed the same field since, or set it to the same value too, the object is left as it
    is, the task says who and when, goes on with the others, and fails at the end.
  - What the run created is deleted, unless somebody else wrote to it since. What it deleted is created anew, unless
    something of that name is there.
  - A namespace is never deleted, since what runs in it would go with it. It loses what the run said in it.
  - Fields are given back to the field managers that had them before. In the end this module owns none.
  - A run that was killed is put back as far as it came. Where the object itself does not show whether a write was
    carried out, it is left as it is. The worker of a killed C(ansible-playbook) may go on to the end of its task, so
    wait for that, or end it too, before.
  - Of Secrets no values are recorded. What a run changed in one, or deleted, is told and left.
  - Before anything is written, it is told which controls become weaker.
  - It is itself recorded as a run, so that it can be put back in its turn.
  - Whoever applies the same policy again puts all of it back into force.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
options:
  run:
    description:
      - The name of the run, as M(hardening.kubernetes.runs_info) tells it. It is looked for in the cluster and in
        O(records).
      - V(latest) is the newest run that was not put back and put back none itself.
      - Exactly one of O(run) and O(record) is required.
    type: str
  record:
    description:
      - The file of the record.
    type: path
  records:
    description:
      - The folder with the files of records.
    type: path
    default: hardening-runs
  only:
    description:
      - Names and globs of namespaces. Nothing else is touched, and nothing that acts on the whole cluster. The run then
        does not count as put back.
    type: list
    elements: str
  keep:
    description:
      - How many records are kept in the cluster, the newest. Files are never removed.
    type: int
    default: 20
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: hardening.kubernetes.run
  - module: hardening.kubernetes.runs_info
  - module: hardening.kubernetes.compare_runs
"""

EXAMPLES = r"""
- name: Put back what the last run replaced
  hardening.kubernetes.revert:
    run: latest

- name: Put back what a run replaced, in one namespace
  hardening.kubernetes.revert:
    run: run-20270301t101500z-3fa2
    only: shop

- name: Put back what the record in a file says
  hardening.kubernetes.revert:
    record: hardening-runs/run-20270301t101500z-3fa2.jsonl
"""

RETURN = r"""
objects:
  description: What became of each object.
  returned: always
  type: list
  elements: dict
  contains:
    api_version:
      description: Its API version.
      type: str
      returned: always
      sample: networking.k8s.io/v1
    kind:
      description: Its kind.
      type: str
      returned: always
      sample: NetworkPolicy
    namespace:
      description: Its namespace, empty for one of the whole cluster.
      type: str
      returned: always
      sample: shop
    name:
      description: Its name.
      type: str
      returned: always
      sample: hardening-default-deny
    action:
      description: What was done to it, or in check mode would be.
      type: str
      returned: always
      sample: deleted
    diff:
      description: How it was and how it is.
      type: dict
      returned: always
    warnings:
      description: Warnings of the server.
      type: list
      elements: str
      returned: always
    error:
      description: Why it was left as it is.
      type: str
      returned: when it failed
findings:
  description: Nothing is judged here, so that this is empty.
  returned: always
  type: list
  elements: dict
reverted:
  description: The run that was put back.
  returned: always
  type: str
  sample: run-20270301t101500z-3fa2
run:
  description: The name by which this revert is recorded, empty where it changed nothing.
  returned: always
  type: str
  sample: run-20270301t120000z-91c4
weaker:
  description: What becomes weaker.
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: The id of the control.
      type: str
      returned: always
      sample: pod_security.enforced
    subject:
      description: Of what.
      type: str
      returned: always
      sample: Namespace/shop
    was:
      description: What holds before.
      type: str
      returned: always
      sample: enforce restricted
    becomes:
      description: What holds after.
      type: str
      returned: always
      sample: enforce baseline
summary:
  description: How many objects have which action.
  returned: always
  type: dict
  sample: {created: 1, updated: 2, adopted: 0, deleted: 12, unchanged: 0, failed: 0}
"""
