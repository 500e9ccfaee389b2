#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: policy
short_description: Read a policy and tell each role its part of it
version_added: 1.0.0
description:
  - Reads one policy file, several, or all in a folder, validates them, and returns what they say to each role.
  - The files are never loaded as Ansible variables, so that a mistyped key is found, every mistake comes with its file
    and line, and nothing in them is templated.
  - All mistakes are told at once, each with its file, line and path in the document, what was found and what is
    allowed.
  - Several files make one policy together. Two that say different things about one thing are a mistake.
  - Files that are encrypted with C(ansible-vault) are decrypted with the passwords that the run was given. Neither
    messages nor C(-v) show what stands in them.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  path:
    description:
      - Files and folders. Of a folder, all files that end in C(.yml) or C(.yaml) are read, in the order of their
        names.
      - A relative path begins in the current folder, or else beside the playbook.
      - Without it, C(cluster-policy.yml) is taken.
    type: list
    elements: path
    default: []
  reserved_variables:
    description:
      - How the names of variables begin that nobody may give as extra variables (C(-e)).
      - Those go before all others, also before what a role is given, so that one with the name of a role's variable
        would replace what the policy says, and nobody would see it.
    type: list
    elements: str
    default: []
  only:
    description:
      - Names and globs of the namespaces that the run is limited to. Without it, all that the policy reaches are meant.
      - An empty one is refused, since it would come to mean all.
    type: list
    elements: str
  canary:
    description:
      - Names and globs of the namespaces that the run works on first.
    type: list
    elements: str
attributes:
  action:
    description: Runs on the controller alone.
    support: full
  check_mode:
    description: Changes nothing, in check mode or outside of it.
    support: full
  diff_mode:
    description: Shows what has changed when in diff mode.
    support: none
seealso:
  - module: hardening.kubernetes.preflight
  - module: hardening.kubernetes.summary
"""

EXAMPLES = r"""
- name: Read the policy
  hardening.kubernetes.policy:
    path: cluster-policy.yml
  register: read

- name: Label the namespaces as the policy says
  hardening.kubernetes.pod_security:
    namespaces: "{{ read.policy.pod_security.namespaces }}"
    selected: "{{ read.policy.pod_security.selected }}"
    default: "{{ read.policy.pod_security.default }}"
    exempt: "{{ read.policy.pod_security.exempt }}"
    on_violation: "{{ read.policy.pod_security.on_violation }}"

- name: Read a policy that several teams write
  hardening.kubernetes.policy:
    path: [policies/platform.yml, policies/teams]
"""

RETURN = r"""
files:
  description: The files that the policy was read from.
  returned: success
  type: list
  elements: str
  sample: [/home/ops/cluster-policy.yml]
named:
  description:
    - The namespaces that the policy reaches, where it names them all. Empty where selectors or defaults reach others.
    - Of a run that is limited, those of them that it is limited to.
  returned: success
  type: list
  elements: str
  sample: [shop]
only:
  description: The names and globs of O(only), empty where the run is not limited.
  returned: success
  type: list
  elements: str
  sample: [shop, team-*]
canary:
  description: The names and globs of O(canary).
  returned: success
  type: list
  elements: str
  sample: [lab]
parts:
  description: What a run of this policy does, as M(hardening.kubernetes.preflight) takes it.
  returned: success
  type: list
  elements: str
  sample: [namespaces, pod_security, network_policies]
namespaces:
  description: The namespaces that are to be created where they are missing, as objects.
  returned: success
  type: list
  elements: dict
policy:
  description: What the policy says to each role.
  returned: success
  type: dict
  contains:
    name:
      description: The name of the policy.
      type: str
      returned: success
      sample: production-cluster
    create:
      description: The namespaces that are to be created where they are missing.
      type: list
      elements: str
      returned: success
      sample: [shop]
    pod_security:
      description: C(namespaces), C(selected), C(default), C(exempt) and C(on_violation) of the role C(pod_security).
      type: dict
      returned: success
    resources:
      description: C(namespaces), C(selected), C(default), C(exempt) and C(on_violation) of the role C(resource_limits).
      type: dict
      returned: success
    network:
      description: C(namespaces), C(selected), C(default), C(exempt) and C(probe) of the role C(network_policies).
      type: dict
      returned: success
    access:
      description: C(namespaces), C(selected), C(default), C(exempt) and C(cluster) of the role C(rbac).
      type: dict
      returned: success
    encryption:
      description: What the policy says of C(cluster.encryption), for the role C(encryption_at_rest).
      type: dict
      returned: success
    waivers:
      description: The failures that somebody answers for until a day.
      type: list
      elements: dict
      returned: success
    accept_unknown:
      description: The controls, or single subjects of one, whose status may be unknown.
      type: list
      elements: str
      returned: success
"""
