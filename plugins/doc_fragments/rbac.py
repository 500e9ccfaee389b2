# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Who is to have which access where."""

    DOCUMENTATION = r"""
options:
  namespaces:
    description:
      - Settings of namespaces by name. They win over O(selected), which wins over O(default).
      - >-
        C(grant) is a list like C({role: pod-reader, rules: [{resources: [pods], verbs: [get, list]}], to: [{user:
        jane}]}). A C(role) with C(rules) is made in the namespace, one without is there already. C(cluster_role) names
        a ClusterRole that is bound in the namespace alone.
      - >-
        C(binding) in a grant names its binding, for one that is there already and is adopted, with its subjects in
        the order in which they are said. Its role cannot be changed. Without it, the binding has a name of its own.
      - >-
        A rule has C(verbs), C(resources) like V(pods) or V(pods/log), C(api_groups) (V(""\) unless said), and C(names)
        of objects. Below O(cluster) a rule may have C(urls) instead.
      - >-
        A subject is C({user: jane, groups: [developers]}), C({group: developers}) or C({service_account: reporter}),
        which is in the namespace itself unless C(namespace) says another. The groups of a user get nothing by that.
        They are what is assumed when the server is asked about the user.
      - >-
        C(must_not) is a list like C({who: {service_account: reporter}, verbs: [get], resources: [secrets]}). It writes
        nothing and is proved. Without C(api_groups) the resource is meant in whichever group has it. V(*) is everything
        that the server has.
      - >-
        C(remove) is a list of foreign objects to take away, C({role_binding: name}) or C({role: name}).
      - >-
        C(keep) is a list of foreign bindings that may stay, C({role_binding: name}), where a name may be a glob.
      - With C(create) set to V(true), a namespace that is missing is created. Without it, that is a failure.
    type: dict
    default: {}
  cluster:
    description:
      - The same settings for the whole cluster, given by ClusterRoles and ClusterRoleBindings. A grant names a
        C(cluster_role), C(remove) and C(keep) a C(cluster_role_binding) or C(cluster_role), and a service account
        needs its C(namespace).
      - What must not be done here must not be possible in any single namespace either.
    type: dict
    default: {}
  set:
    description:
      - Name of the set that the roles and bindings belong to, in their label C(hardening.kubernetes/set).
      - What of the set the settings no longer say is removed. In the set V(default), which many may share, that holds
        for the given namespaces, and for the cluster where O(cluster) says something.
    type: str
    default: default
"""
