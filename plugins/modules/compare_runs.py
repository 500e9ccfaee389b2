#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compare_runs
short_description: Tell what two recorded runs differ in
version_added: 1.0.0
description:
  - Tells which controls came to another status, which objects one run wrote and the other did not, and which both
    wrote, but not in the same way.
  - The statuses are those that checks found, before waivers.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
options:
  from:
    description:
      - The name of the one run, or V(latest), as for O(hardening.kubernetes.revert#module:run).
    type: str
    required: true
  to:
    description:
      - The name of the other run, or V(latest).
    type: str
    required: true
  records:
    description:
      - The folder with the files of records.
    type: path
    default: hardening-runs
seealso:
  - module: hardening.kubernetes.runs_info
"""

EXAMPLES = r"""
- name: See what changed between two runs
  hardening.kubernetes.compare_runs:
    from: run-20270201t101500z-17d0
    to: latest
"""

RETURN = r"""
from:
  description: The name of the one run.
  returned: always
  type: str
to:
  description: The name of the other run.
  returned: always
  type: str
judged:
  description: Whether each of both came to findings. Where one did not, RV(controls) is empty.
  returned: always
  type: dict
  contains:
    from:
      description: Whether the one run did.
      type: bool
      returned: always
    to:
      description: Whether the other run did.
      type: bool
      returned: always
controls:
  description: The controls whose status is another.
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: The id of the control.
      type: str
      returned: always
      sample: network.default_deny
    subject:
      description: Of what.
      type: str
      returned: always
      sample: Namespace/shop
    from:
      description: Its status in the one run, empty where that did not judge it.
      type: str
      returned: always
      sample: fail
    to:
      description: Its status in the other run, empty where that did not judge it.
      type: str
      returned: always
      sample: pass
objects:
  description: The objects that both did not write in the same way.
  returned: always
  type: list
  elements: dict
  contains:
    object:
      description: Kind, namespace and name.
      type: str
      returned: always
      sample: NetworkPolicy/shop/hardening-default-deny
    from:
      description: What the one run did to it, empty for nothing.
      type: str
      returned: always
    to:
      description: What the other run did to it, empty for nothing.
      type: str
      returned: always
      sample: created
"""
