#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: break_glass
short_description: Take what this collection denies out of the way, at once, and record what it was
version_added: 1.0.0
description:
  - For the hour in which a deny of ours is in somebody's way and nobody has the time to find out which. It needs
    nothing but a connection to the cluster, no policy file.
  - Deletes the NetworkPolicies that sets of this collection made, as far as they close anything. One that only opens
    what a foreign NetworkPolicy closes stays, since it would be missed. So does one that was adopted and is somebody
    else's too, since it was there before.
  - Takes back the Pod Security labels that enforce and that the role C(pod_security) set. What they audit and warn of
    stays.
  - Deletes bindings of ValidatingAdmissionPolicies, webhook configurations and Gatekeeper constraints that carry the
    label of a set and that this collection wrote.
  - Quotas, limits and access stay. C(hardening.kubernetes.remove_hardening) takes those back.
  - Never touches what others made. What cannot be taken away, or not even be looked for, keeps nothing else back, and
    fails the task at the end.
  - Before anything is taken away it is written to a file. When all is done, the record, with what came of it, is also
    kept in ConfigMaps in the namespace C(hardening-kubernetes), which is created if need be. Where that is not allowed,
    the file is enough.
  - While policies go one after the other, a connection that they allowed may be refused for the blink of an eye.
  - To come back, run C(hardening.kubernetes.harden_cluster) again, or put back what the record says by O(restore).
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
extends_documentation_fragment:
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
options:
  set:
    description:
      - The sets whose objects are taken away, by the names of their policies. Without it, those of all sets are.
      - Where there are marks of other sets and none of one of these, that is an error. It may be mistyped.
    type: list
    elements: str
  only:
    description:
      - Names and globs of namespaces. Nothing else is touched, and nothing that acts on the whole cluster.
      - Without it, all namespaces and the cluster are meant.
    type: list
    elements: str
  record:
    description:
      - The file to write the record to. Only its owner may read it.
      - Without it, C(hardening-break-glass-TIME.json) in the current folder. Where that cannot be written, the folder
        for temporary files is taken.
    type: path
  restore:
    description:
      - A file that O(record) named. What it says was taken away is applied again, by the field managers that had
        written it, what opens before what closes, and nothing is taken away.
    type: path
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A second run finds nothing and changes nothing. With O(set), it fails where no mark of the set is left, and
        marks of others are.
seealso:
  - module: hardening.kubernetes.network_policies
  - module: hardening.kubernetes.pod_security
"""

EXAMPLES = r"""
- name: Take every deny of ours out of the way
  hardening.kubernetes.break_glass:
    kubeconfig: ~/.kube/admin.conf

- name: Take those of one policy out of the way, in one namespace
  hardening.kubernetes.break_glass:
    set: production-cluster
    only: shop

- name: Put everything back as it was
  hardening.kubernetes.break_glass:
    restore: hardening-break-glass-20270301t101500z.json
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
      description: Why it failed.
      type: str
      returned: when it failed
findings:
  description: Nothing is judged here, so that this is empty.
  returned: always
  type: list
  elements: dict
record:
  description: Where the record is.
  returned: when anything was taken away
  type: dict
  contains:
    file:
      description: The file on the controller, empty where none could be written.
      type: str
      returned: always
    config_map:
      description: Namespace and name of the ConfigMap, empty where none could be written. A long record has several.
      type: str
      returned: always
summary:
  description: How many objects have which action.
  returned: always
  type: dict
  sample: {created: 0, updated: 1, adopted: 0, deleted: 12, unchanged: 0, failed: 0}
"""
