# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to reach the nodes of a control plane."""

    DOCUMENTATION = r"""
options:
  manifest:
    description:
      - Where the manifest of the kube-apiserver lies on the nodes.
    type: path
    default: /etc/kubernetes/manifests/kube-apiserver.yaml
notes:
  - Nodes are reached from the controller by the connections that the inventory has for them, with pipelining, as root
    (C(become)). They need Python 3.8 or newer, and nothing besides it.
  - Keys are in the memory of this one task and in files of the nodes that only root reads. They are in no argument, no
    output, no fact and no temporary file.
"""

    ESCROW = r"""
options:
  escrow:
    description:
      - Where keys are kept apart from the nodes, each of them before anything is written with it.
      - Give either C(command), or C(vault_file) and C(vault_password_file).
    type: dict
    suboptions:
      command:
        description:
          - A program on the controller, with its first arguments. C(list), C(put) or C(get) is added as the last one.
          - With C(list) it prints a JSON list of all keys, each with C(provider), C(name) and C(fingerprint).
          - With C(put) it reads one of these and its C(secret) (base64) as JSON, and ends with status 0 once it is kept
            for good.
          - With C(get) it reads one without the C(secret), and prints it with that.
        type: list
        elements: str
      vault_file:
        description:
          - A file on the controller, encrypted with C(ansible-vault). It is made where it is missing.
        type: path
      vault_password_file:
        description:
          - The file with its password, or a program that prints it.
        type: path
"""
