#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: encryption
short_description: Encrypt what etcd holds, and change its keys, while the cluster works
version_added: 1.0.0
description:
  - Enables encryption at rest, changes key or provider, ends encryption, or takes back a change that has not finished,
    on one or many control plane nodes that kubeadm has set up.
  - Each is a walk through the same states, and nothing is done before what it stands on is proved. Every API server
    reads a new key before one writes with it. Every value in etcd is rewritten by the API servers themselves. An old
    key is dropped when no value in etcd starts with its prefix any more, and every server has shown that it reads all.
  - What a server has loaded is proved by its own metric at its own address, what etcd holds by etcd's own answer.
  - The state is always found out anew. A run that was killed anywhere is finished by the same command, and two runs at
    once exclude each other.
  - A configuration that was made by hand is adopted with its keys, if it is sound.
  - It shows each step as it begins it, and how far it has come.
  - On k3s, RKE2, OpenShift and managed clusters it touches nothing, and tells the command of that platform.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  nodes:
    description:
      - Every control plane node, by its name in the inventory. A server of the cluster that is not among them stops the
        walk before it begins.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) encrypts O(resources) with O(provider), and changes nothing where that is so already.
      - V(rotated) makes a new key and rewrites everything with it, once for each time that it is asked for. A change
        that was begun is finished first, and counts.
      - V(absent) decrypts everything and takes the configuration out of the API servers.
      - V(rolled_back) goes back to the keys that were there before a change that has not finished. A finished one is
        undone by another rotation, or by V(absent).
    type: str
    choices: [present, rotated, absent, rolled_back]
    default: present
  provider:
    description:
      - Who encrypts. Without it the one that writes now, and V(secretbox) where everything is in plain text. Where
        it is not clear what writes now, or it is V(aesgcm), it has to be said.
      - Under FIPS 140 choose V(kms) or V(aescbc).
      - A key of V(aesgcm) is spent after 200,000 writes, to which rewriting adds one for each object.
    type: str
    choices: [secretbox, aescbc, aesgcm, kms]
  kms:
    description:
      - The KMS plugin, of version 2, that runs on every control plane node already. Required with O(provider=kms).
    type: dict
    suboptions:
      name:
        description:
          - Its name, which stands in etcd before every value. Never use a name again for another plugin.
        type: str
        required: true
      endpoint:
        description:
          - Its socket as the API servers see it, like C(unix:///var/run/kmsplugin/socket.sock).
        type: str
        required: true
      timeout:
        description:
          - How long an API server waits for it, like C(3s), which is also the server's own default.
        type: str
  resources:
    description:
      - What to encrypt, like C(secrets), C(deployments.apps), C(*.apps) for a group or C(*.*) for all. What else is
        encrypted already stays so.
      - Without it C(secrets) with O(state=present), and all that is encrypted now with O(state=rotated).
    type: list
    elements: str
  plain_text:
    description:
      - Whether the API servers go on reading plain text when everything is encrypted.
    type: bool
    default: false
  scrub:
    description:
      - Whether etcd is compacted and defragmented when everything is rewritten, member after member and the leader
        last, so that what values were before is gone from its file. Its write-ahead log, and backups, still have it.
      - While a member does that, neither it nor the API server beside it answers; with one control plane node the API
        is away for that long.
    type: bool
    default: true
  snapshot:
    description:
      - A folder on the first node. A snapshot of etcd is written there before anything is changed, and with O(scrub)
        another one at the end, which holds nothing that a former key has written. The result says without which keys
        each cannot be read. Without this option none is taken, and none is ever deleted.
    type: path
  restart_seconds:
    description:
      - How many seconds an API server may take to restart. After that its node puts the old files back by itself, also
        where the controller is gone.
    type: int
    default: 180
  ready_seconds:
    description:
      - How many seconds an API server that was started anew has to be ready before the next one is. Load balancers take
        a while to notice that a server is back; give what yours takes.
    type: int
    default: 30
  workers:
    description:
      - How many objects are rewritten at once, at most. It takes fewer where the servers ask for that or become slow.
    type: int
    default: 16
  most_per_second:
    description:
      - How many objects are rewritten in a second, at most; 0 is any number. Every rewritten object wakes those that
        watch it.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    details: Looks at everything, tells the states that it would walk through and how many objects it would rewrite.
  diff_mode:
    support: none
    details: What is in the files must not be shown.
  idempotent:
    support: partial
    details: With O(state=rotated) each run makes a new key. All others change nothing when all is as asked for.
extends_documentation_fragment:
  - hardening.kubernetes.control_plane
  - hardening.kubernetes.control_plane.escrow
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
seealso:
  - module: hardening.kubernetes.encryption_info
  - module: hardening.kubernetes.prepare_control_plane
  - name: Encrypting Confidential Data at Rest
    description: What Kubernetes says of providers, and of the order in which keys are changed.
    link: https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
"""

EXAMPLES = r"""
- name: Encrypt Secrets, and keep the key in a vault file
  hardening.kubernetes.encryption:
    nodes: "{{ groups['kube_control_plane'] }}"
    escrow:
      vault_file: "{{ playbook_dir }}/encryption-keys.vault"
      vault_password_file: ~/.vault-password

- name: Change the key of everything that is encrypted, and rewrite it, gently
  hardening.kubernetes.encryption:
    nodes: "{{ groups['kube_control_plane'] }}"
    state: rotated
    most_per_second: 100

- name: Hand Secrets and ConfigMaps over to a KMS
  hardening.kubernetes.encryption:
    nodes: "{{ groups['kube_control_plane'] }}"
    provider: kms
    kms:
      name: vault
      endpoint: unix:///var/run/kmsplugin/socket.sock
    resources: [secrets, configmaps]

- name: Take back a change that has not finished
  hardening.kubernetes.encryption:
    nodes: "{{ groups['kube_control_plane'] }}"
    state: rolled_back
"""

RETURN = r"""
states:
  description: The states in which something was done, or in check mode would be, in their order.
  returned: always
  type: list
  elements: str
  sample: [plan, read_new, write_new, reencrypt, verify, drop_old, scrub, done]
summary:
  description: Each step as it was shown.
  returned: always
  type: list
  elements: str
  sample: ["state 4 of 8, reencrypt: Values in etcd that another key than the new one wrote: 10000."]
objects:
  description: >-
    How many objects were rewritten, or in check mode would be. Those of a resource of which not all were gone through
    are not counted.
  returned: always
  type: int
  sample: 10000
before:
  description: What etcd held at the beginning.
  returned: always
  type: dict
  contains:
    revision:
      description: The revision of etcd at which all this was counted, V(0) where it was not.
      type: int
      returned: always
      sample: 4711
    histogram:
      description: By resource, how many values start with which prefix. The empty one is plain text.
      type: dict
      returned: always
      sample: {secrets: {"k8s:enc:secretbox:v1:k20250101000000-11112222:": 10000}}
    outdated:
      description: By resource, how many of them were written under a former key of the KMS plugin that encrypts them.
      type: dict
      returned: always
      sample: {}
    counted:
      description: By resource, how many objects the API counts at that revision.
      type: dict
      returned: always
      sample: {secrets: 10000}
after:
  description: >-
    The same as RV(before) when it was looked at last, which is after everything was rewritten. Not known in check mode.
  returned: always
  type: dict
  sample:
    revision: 24711
    histogram: {secrets: {"k8s:enc:secretbox:v1:k20261122164500-0a1b2c3d:": 10000}}
    outdated: {}
    counted: {secrets: 10000}
seconds:
  description: How many seconds were spent in each state, with looking at what came of it. Empty in check mode.
  returned: always
  type: dict
  sample: {preflight: 2.1, plan: 1.4, read_new: 63.0, write_new: 121.8, reencrypt: 9.7, verify: 4.2, drop_old: 65.3}
snapshots:
  description: The snapshots of etcd that this run has taken; one that goes on with a change takes the last one alone.
  returned: always
  type: list
  elements: dict
  contains:
    node:
      description: On which node it lies, by its name in the inventory.
      type: str
      returned: always
      sample: cp1
    path:
      description: Where it lies there.
      type: str
      returned: always
      sample: /var/backups/etcd/etcd-20261122T164459Z-55bd8ea3.db
    revision:
      description: The revision of etcd that it holds.
      type: int
      returned: always
      sample: 4711
    keys:
      description: The keys without which it cannot be read, as in RV(keys).
      type: list
      elements: dict
      returned: always
      sample:
        - {provider: secretbox, name: k20250101000000-11112222, fingerprint: 1111222233334444}
refused:
  description: Why the walk ended before its goal, and what to do. Empty where it came to its end.
  returned: always
  type: str
  sample: ""
servers:
  description: Each API server, with the hash of what it says itself that it has loaded.
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
  contains:
    provider:
      description: Who encrypts with it.
      type: str
      returned: always
      sample: secretbox
    name:
      description: Its name, which stands in etcd before every value.
      type: str
      returned: always
      sample: k20261122164500-0a1b2c3d
    fingerprint:
      description: By which it is told from others, wherever it is kept.
      type: str
      returned: always
      sample: 0a1b2c3d4e5f6071
"""
