#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: prepare_control_plane
short_description: Give a control plane node its encryption configuration before it joins
version_added: 1.0.0
description:
  - kubeadm tells the API server of a node that joins where its encryption configuration lies, and does not bring it.
    Without the file that server does not start. This puts it there, in the same bytes that all other servers have
    loaded, with the keys that backups need. What a node that was there before keeps stays, but for the journal of a
    change of keys that the others have finished without it.
  - Refused while a change of keys is going on or lies open, where the servers have not all loaded the same, where
    kubeadm would not give the node the flag, and where an API server runs on the node already.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  nodes:
    description:
      - The control plane nodes that are there, all of them, by their names in the inventory.
    type: list
    elements: str
    required: true
  joining:
    description:
      - The nodes that are about to join, or to join again, by their names in the inventory.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
    details: Looks at all nodes, and tells whether files would be written.
  diff_mode:
    support: none
    details: What is in the files must not be shown.
  idempotent:
    support: full
    details: Writes nothing where the same files are there.
extends_documentation_fragment:
  - hardening.kubernetes.control_plane
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
seealso:
  - module: hardening.kubernetes.encryption
"""

EXAMPLES = r"""
- name: Prepare a node, then let it join
  hardening.kubernetes.prepare_control_plane:
    nodes: "{{ groups['kube_control_plane'] | difference(['cp4']) }}"
    joining: [cp4]
"""

RETURN = r"""
prepared:
  description: By node, the files that were written or removed, or in check mode would be. Empty where all were so.
  returned: success
  type: dict
  sample: {cp4: [/etc/kubernetes/encryption/configuration.json]}
configuration:
  description: The hash of the configuration that each of them has, empty where nothing is encrypted.
  returned: success
  type: str
  sample: sha256:9f0c…
"""
