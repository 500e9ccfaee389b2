# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the network of which namespace is to let through."""

    DOCUMENTATION = r"""
options:
  namespaces:
    description:
      - Settings of namespaces by name. They win over O(selected), which wins over O(default).
      - C(default_deny) is a list of V(ingress) and V(egress). Where a direction is denied, nothing gets through that no
        NetworkPolicy allows.
      - >-
        C(dns) set to V(true) lets every pod ask the cluster's DNS, on UDP and on TCP, at the ports on which its pods
        really listen. C({node_local: 169.254.20.10}) also lets them ask a node-local DNS cache at this address. Where
        such a cache is seen to run, it has to be named.
      - >-
        C(allow) is a list of flows C({from: peer, to: peer, ports: [port]}). One end of a flow is in the namespace
        itself. A flow is opened at both ends where both are denied, also in another namespace that gets its settings
        from the same task. No ports are all ports.
      - >-
        A peer is a map of labels like C({app: frontend}) for pods of this namespace, C({}) for all of these, C({pods:
        {labels}, namespace: name}), C({namespaces: {labels}, pods: {labels}}), C({cidr: 10.0.0.0/8, except:
        [10.1.0.0/16]}), C({api_server: true}) or C({any: true}). C(any) opens the end in this namespace alone. A flow
        to C(api_server) is opened at the ports where the API servers listen, whatever ports it names.
      - A port is a number like V(8080), with its protocol like V(8080/TCP) or V(53/UDP), a range like V(8000-8100/TCP),
        or the name of a port of the destination's containers like V(http/TCP). It is the port on which the pods listen,
        which may be another than their Service's.
      - >-
        C(policies) are NetworkPolicies in Kubernetes' own words, name to C(spec), like C({web: {podSelector:
        {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}]}]}}). They are for policies that are there
        already, which are adopted, and for what a flow cannot say. They need no C(default_deny). No name begins with
        C(hardening-).
      - C(accept_risks) is a list of V(dns), V(webhook), V(aggregated_api), V(crd_conversion), V(ingress), V(gateway),
        V(openshift_route), V(load_balancer) and V(node_port). A default deny is refused for a namespace that would lose
        DNS or serves it to others, or that stands behind one of the others without an allow for it, unless the risk is
        accepted here. V(gateway) are routes of the Gateway API, V(openshift_route) those of OpenShift. What C(policies)
        close of what is open now is held against the same risks. Only an allow for the DNS pods by their labels, on UDP
        and on TCP, counts as DNS.
      - A default deny that is new is refused, too, where an end of a flow names nobody and is likely mistyped.
      - With C(create) set to V(true), a namespace that is missing is created. Without it, that is a failure.
    type: dict
    default: {}
  set:
    description:
      - Name of the set that the NetworkPolicies belong to, in their label C(hardening.kubernetes/set).
      - What of the set a namespace has and the settings no longer say is removed. O(prune) says where.
      - A namespace that has a policy of the same name from another set is refused.
      - The set V(default) is that of whoever names none. Whoever shares it shares its NetworkPolicies too, so that the
        last to write a namespace decides there, and nothing is looked for in namespaces that the options do not reach.
    type: str
    default: default
"""
