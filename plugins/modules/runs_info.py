#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: runs_info
short_description: Tell which runs are recorded
version_added: 1.0.0
description:
  - Lists the recorded runs, newest first, those in the cluster and those in files of a folder.
  - In the cluster alone, C(kubectl -n hardening-kubernetes get cm -l hardening.kubernetes/record=run) lists them too.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
options:
  records:
    description:
      - The folder with the files of records.
    type: path
    default: hardening-runs
seealso:
  - module: hardening.kubernetes.revert
"""

EXAMPLES = r"""
- name: See which runs there are
  hardening.kubernetes.runs_info:
  register: recorded
"""

RETURN = r"""
runs:
  description: The runs, newest first.
  returned: always
  type: list
  elements: dict
  contains:
    run:
      description: Its name.
      type: str
      returned: always
      sample: run-20270301t101500z-3fa2
    time:
      description: When it began, in UTC.
      type: str
      returned: always
      sample: "2027-03-01T10:15:00+00:00"
    user:
      description: Who the server took for the one who ran it.
      type: str
      returned: always
      sample: jane
    policy:
      description: The name of the policy.
      type: str
      returned: always
      sample: production-cluster
    playbook:
      description: What ran.
      type: str
      returned: always
      sample: harden_cluster
    objects:
      description: How many objects it wrote.
      type: int
      returned: always
      sample: 12
    reverts:
      description: The run that it put back, if it is a revert.
      type: str
      returned: always
    reverted_by:
      description: The run by which it was put back, if it was.
      type: str
      returned: always
    file:
      description: The file of its record, empty where the folder has none.
      type: str
      returned: always
    in_cluster:
      description: Whether the cluster has a record of it.
      type: bool
      returned: always
"""
