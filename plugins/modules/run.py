#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run
short_description: Begin and end the record of a run, by which it can be put back
version_added: 1.0.0
description:
  - With O(state=begun), names a record. The modules of this collection that write take it as their option C(record),
    and add to it what they replace, ahead of each write.
  - With O(state=ended), completes it. What is in the cluster is brought into as few ConfigMaps as hold it, and the
    records of the oldest runs are removed.
  - A record lies in a file on the controller, which only its owner may read, and in ConfigMaps with the label
    C(hardening.kubernetes/record) in the namespace C(hardening-kubernetes), which is created if need be. Where one of
    both is not possible, there is a warning. Where neither is, nothing is written.
  - It holds the objects as they were, what was sent, and what became of it. Of Secrets it holds the keys and no value.
  - A run that changes nothing leaves no record.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
options:
  state:
    description:
      - Whether the run begins or has ended.
      - With V(begun), no server is asked anything.
    type: str
    choices: [begun, ended]
    required: true
  records:
    description:
      - The folder for the file of the record. It is created if need be, for its owner alone.
    type: path
    default: hardening-runs
  about:
    description:
      - What to write into the record about the run, like C(policy), the name of the policy.
    type: dict
    default: {}
  record:
    description:
      - The record to end, as RV(record) of the task that began it.
      - Required with O(state=ended).
    type: path
  findings:
    description:
      - What the run found. Control, subject and status of each are kept, for M(hardening.kubernetes.compare_runs).
    type: list
    elements: dict
  keep:
    description:
      - How many records are kept in the cluster, the newest. Files are never removed.
    type: int
    default: 20
attributes:
  check_mode:
    support: full
    details:
      - Writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: N/A
seealso:
  - module: hardening.kubernetes.revert
  - module: hardening.kubernetes.runs_info
"""

EXAMPLES = r"""
- name: Begin the record of a run
  hardening.kubernetes.run:
    state: begun
    about:
      policy: production-cluster
  register: this_run

- name: Deny what is not allowed
  hardening.kubernetes.network_policies:
    set: production-cluster
    namespaces:
      shop:
        default_deny: [ingress]
        accept_risks: [dns]
    record: "{{ this_run.record }}"

- name: End the record of the run
  hardening.kubernetes.run:
    state: ended
    record: "{{ this_run.record }}"
"""

RETURN = r"""
run:
  description: The name of the run.
  returned: always
  type: str
  sample: run-20270301t101500z-3fa2
record:
  description: The file of its record.
  returned: always
  type: str
  sample: /home/jane/hardening-runs/run-20270301t101500z-3fa2.jsonl
kept:
  description: Whether there is a record. There is none of a run that changed nothing.
  returned: when O(state=ended) and not in check mode
  type: bool
dropped:
  description: The runs whose records were removed from the cluster.
  returned: when O(state=ended)
  type: list
  elements: str
"""
