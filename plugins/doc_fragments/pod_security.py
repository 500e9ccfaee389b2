# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Which namespace is to have which Pod Security level."""

    DOCUMENTATION = r"""
options:
  namespaces:
    description:
      - Settings of namespaces by name. They win over O(selected), which wins over O(default).
      - Settings are C(enforce), C(audit) and C(warn), each V(privileged), V(baseline) or V(restricted), and C(version),
        C(audit_version) and C(warn_version), each V(latest) or a version like V(v1.36). C(version) is that of
        C(enforce), and of the other two where they have none of their own. Without a version it is V(latest).
        A mode that the settings do not name gets no label.
      - With C(create) set to V(true), a namespace that is missing is created. Without it, that is a failure.
    type: dict
    default: {}
  selected:
    description:
      - Settings of namespaces by label. The first selector that matches counts.
      - Each has a C(selector) like V(team=payments), or V(tier in (web, api\),!legacy), besides its settings.
      - A selector that matches no namespace, or none that it may reach, is a failure.
    type: list
    elements: dict
    default: []
  default:
    description:
      - Settings of every other namespace. They never reach namespaces that hold components of the cluster, like
        C(kube-system). A default that reaches no namespace is a failure.
    type: dict
    default: {}
  exempt:
    description:
      - Globs of namespaces that neither O(selected) nor O(default) reaches.
    type: list
    elements: str
    default: []
  only:
    description:
      - Names and globs of the namespaces that this is limited to. No other one is written, cleaned up or judged, and
        nothing is told of selectors and a default that reach no namespace.
      - Without it, all namespaces are meant.
    type: list
    elements: str
    default: []
  set:
    description:
      - Name of the set that the labels belong to. It is the label C(hardening.kubernetes/pod-security-set) of each
        namespace whose Pod Security labels are the set's.
      - A namespace whose Pod Security labels are another set's is refused, and the message names that set.
      - The set V(default) is that of whoever names none. Whoever shares it shares its labels too, so that the last to
        label a namespace decides there, and nothing is looked for on namespaces that the options do not reach.
    type: str
    default: default
  prune:
    description:
      - Whether the set, where it is not V(default), has nothing but what the options say. Its labels on namespaces that
        get no settings any more are then taken back by M(hardening.kubernetes.pod_security), and are a failure of
        C(policy.leftovers) for M(hardening.kubernetes.pod_security_info). No namespace is ever deleted.
      - Set it to V(false) where several tasks share one set and each says a part of it.
      - Without any settings nothing is pruned, so that a mistyped option does not remove a whole set. Removing it is
        what O(hardening.kubernetes.pod_security#module:state) V(absent) is for.
      - This needs the permission to list namespaces. Without it nothing is taken back elsewhere, and a warning says so.
    type: bool
    default: true
"""
