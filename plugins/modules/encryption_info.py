#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: encryption_info
short_description: Prove by what lies in etcd that it is encrypted, and by whom
version_added: 1.0.0
description:
  - Looks at every value in etcd of what is to be encrypted, and of whatever else a configuration names, and counts by
    which provider and key each was written. Values themselves never leave the node.
  - Compares that with how many objects the API counts at the same revision, asks each API server at its own address
    what it has loaded, and looks at the files of each node.
  - Decides the items 1.2.27 and 1.2.28 of the CIS Kubernetes Benchmark by that, for each group of resources.
  - What could not be looked at is V(unknown) and names what was missing. Without O(nodes) that is everything, with the
    way to give them. On k3s, OpenShift and managed clusters it is everything in any case, with the command of that
    platform; on RKE2 the manifest is looked for where RKE2 has it.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  nodes:
    description:
      - Every control plane node, by its name in the inventory.
    type: list
    elements: str
    default: []
  provider:
    description:
      - Who is to encrypt. Without it V(secretbox), V(aescbc) and V(kms) are all accepted.
      - V(aesgcm) is a failure in any case, since its keys are spent after 200,000 writes, and takes a waiver.
    type: str
    choices: [secretbox, aescbc, aesgcm, kms]
  resources:
    description:
      - What is to be encrypted, like C(secrets), C(deployments.apps), C(*.apps) for a group or C(*.*) for all.
    type: list
    elements: str
    default: [secrets]
  age_days:
    description:
      - How old, in days, the key that writes may become; 0 is any age. The names of keys that this collection makes
        tell their time, the age of others is V(unknown).
    type: int
    default: 365
  plain_text:
    description:
      - Whether the API servers may read plain text as well.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Also tells which status each finding would have when M(hardening.kubernetes.encryption) has run.
  diff_mode:
    support: N/A
    details: Does not change anything.
  idempotent:
    support: full
    details: Does not change anything.
extends_documentation_fragment:
  - hardening.kubernetes.control_plane
  - hardening.kubernetes.control_plane.escrow
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
seealso:
  - module: hardening.kubernetes.encryption
"""

EXAMPLES = r"""
- name: Find out whether all Secrets are encrypted, and their key is young enough
  hardening.kubernetes.encryption_info:
    nodes: "{{ groups['kube_control_plane'] }}"
    age_days: 90
  register: seen

- name: Stop where CIS 1.2.27 or 1.2.28 is not so
  ansible.builtin.assert:
    that: seen.benchmarks['CIS 1.12'].values() | unique | list == ['pass']
    quiet: true
"""

RETURN = r"""
findings:
  description: >-
    Of each resource C(encryption.at_rest), C(encryption.provider), C(encryption.stragglers), C(encryption.prefixes),
    C(encryption.old_keys) and C(encryption.plain_text). Of each API server C(encryption.servers). Of each node
    C(encryption.keys) and C(encryption.files). Of each key C(encryption.key_age) and C(encryption.backups). Of the
    cluster C(encryption.finished) and C(encryption.upgrade).
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: Id of the control.
      type: str
      returned: always
      sample: encryption.at_rest
    subject:
      description: What the finding is about.
      type: str
      returned: always
      sample: Resource/secrets
    status:
      description: The verdict, V(pass), V(fail), V(not_applicable) or V(unknown).
      type: str
      returned: always
      sample: pass
    evidence:
      description: What was seen. Keys are named by fingerprint.
      type: str
      returned: always
      sample: "etcd holds 10000 values: 10000 under «k8s:enc:secretbox:v1:k20261122164500-0a1b2c3d:»"
    proof:
      description: How it is known, V(effect), V(server), V(config) or V(none).
      type: str
      returned: always
      sample: effect
    remedy:
      description: What to do about it.
      type: str
      returned: always
    would:
      description: The status to expect after the change.
      type: str
      returned: in check mode
      sample: pass
benchmarks:
  description: By benchmark and item, what the findings of its controls come to.
  returned: always
  type: dict
  sample: {"CIS 1.12": {"1.2.27": pass, "1.2.28": pass}}
platform:
  description: Who looks after the control plane, as far as it is recognised.
  returned: always
  type: str
  sample: kubeadm
histogram:
  description: By resource, how many values in etcd start with which prefix. The empty one is plain text.
  returned: always
  type: dict
  sample: {secrets: {"k8s:enc:secretbox:v1:k20261122164500-0a1b2c3d:": 10000}}
servers:
  description: Each API server with the hash of what it says itself that it has loaded.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its node, by its name in the inventory.
      type: str
      returned: always
      sample: cp1
    loaded:
      description: The hash of the bytes of its configuration, empty where it has none.
      type: str
      returned: always
      sample: sha256:9f0c…
    started:
      description: When its process started, in seconds since 1970.
      type: float
      returned: always
keys:
  description: The keys that the servers read with, those that write first. Never their bytes.
  returned: always
  type: list
  elements: dict
  sample:
    - {provider: secretbox, name: k20261122164500-0a1b2c3d, fingerprint: 0a1b2c3d4e5f6071}
summary:
  description: How many findings there are of each status.
  returned: always
  type: dict
  sample: {pass: 13, fail: 0, waived: 0, not_applicable: 1, unknown: 0}
"""
