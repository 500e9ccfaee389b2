#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: network_policies_info
short_description: Prove by effect that a default deny holds
version_added: 1.0.0
description:
  - Judges all NetworkPolicies in force in the namespaces that get settings, also foreign ones. One that opens
    everything beside the default deny is a failure that names it.
  - Tells of flows that name no workload or a port that nobody has, of NetworkPolicies that are missing or say something
    else than the settings, and of API servers that have moved.
  - Policies of Cilium, Calico and the network policy API (C(AdminNetworkPolicy) and its successor) that reach such a
    namespace leave the verdict V(unknown) and are named. NetworkPolicies of O(set), unless it is V(default), in
    namespaces without settings are a failure.
  - With O(probe), two short-lived pods try each denied direction. They can connect while policies of their own allow
    it, must not without these while a control port answers in the same rounds, and must again with them.
  - Without O(probe) nothing is written, and C(network.default_deny) is V(unknown) at best, since no API tells whether
    the pod network enforces policies.
  - The pods comply with the restricted level of Pod Security, are named C(hardening-probe-...), end by themselves, and
    are deleted with their policies afterwards. What a run that crashed left is deleted once it has expired.
    Where the policies let all pods of a namespace talk to one another, the other pod of the pair stands in another
    namespace with settings, or in C(default).
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  probe:
    description:
      - Whether to run probe pods. Check mode runs none, and tells what to expect with them.
    type: bool
    default: false
  probe_image:
    description:
      - Image of the probe pods, with a shell and the C(nc), C(httpd) and C(sleep) of busybox.
    type: str
    default: docker.io/library/busybox:1.37.0
  probe_namespaces:
    description:
      - Which of the namespaces to probe, V(all), a number of them, or a list of their names.
      - V(all) tries every namespace with pods of its own, which takes minutes where there are many. All of them share
        the pod network that has to enforce their policies, so that a few of them may be enough for you. The policies
        themselves are judged in every namespace.
      - The findings of the others say that they rest on this sample, and name it. They pass only if all of the sample
        passed and it tried the directions that they deny. A number of namespaces has one more where a direction is
        denied in others alone.
    type: raw
    default: all
  probe_timeout:
    description:
      - The longest to wait, in seconds, for each thing that a probe waits for, a pod that starts or a connection that
        opens or closes.
    type: float
    default: 60.0
extends_documentation_fragment:
  - hardening.kubernetes.network_policies
  - hardening.kubernetes.settings
  - hardening.kubernetes.auth
  - hardening.kubernetes.attributes
  - hardening.kubernetes.attributes.actiongroup
  - hardening.kubernetes.attributes.info
seealso:
  - module: hardening.kubernetes.network_policies
"""

EXAMPLES = r"""
- name: Find out whether the shop's default deny holds
  hardening.kubernetes.network_policies_info:
    set: shop
    namespaces:
      shop:
        default_deny: [ingress, egress]
        dns: true
        allow:
          - {from: {app: frontend}, to: {app: backend}, ports: [8080/TCP]}
    probe: true
  register: seen

- name: Stop where it does not
  ansible.builtin.assert:
    that: seen.findings | rejectattr('status', 'in', ['pass', 'not_applicable']) | length == 0
    quiet: true
"""

RETURN = r"""
findings:
  description: >-
    C(network.default_deny) of each namespace, C(network.flows) and C(network.api_server_addresses) where it declares
    such, and C(policy.namespaces) for what the options name and cannot be found.
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: Id of the control.
      type: str
      returned: always
      sample: network.default_deny
    subject:
      description: What the finding is about.
      type: str
      returned: always
      sample: Namespace/shop
    status:
      description: The verdict, V(pass), V(fail), V(not_applicable) or V(unknown).
      type: str
      returned: always
      sample: pass
    evidence:
      description: What was seen.
      type: str
      returned: always
      sample: >-
        ingress denied for every pod by NetworkPolicy/shop/hardening-default-deny; tried from a pod of the same
        namespace on 20011/TCP: open while the probe's own policies allowed it, closed without that for ingress while
        the control port 21008/TCP answered, then open again
    proof:
      description: How it is known, V(effect), V(server), V(config) or V(none).
      type: str
      returned: always
      sample: effect
    remedy:
      description: What to do about it.
      type: str
      returned: always
      sample: ""
    would:
      description: The status to expect after the NetworkPolicies are written.
      type: str
      returned: in check mode
      sample: pass
summary:
  description: How many findings there are of each status.
  returned: always
  type: dict
  sample: {pass: 2, fail: 0, waived: 0, not_applicable: 0, unknown: 0}
"""
