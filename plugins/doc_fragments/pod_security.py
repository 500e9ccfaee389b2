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
        V(unlabelled) is V(latest) too, but no label says so.
        A mode that the settings do not name gets no label.
      - With C(create) set to V(true), a namespace that is missing is created. Without it, that is a failure.
    type: dict
    default: {}
  set:
    description:
      - Name of the set that the labels belong to. It is the label C(hardening.kubernetes/pod-security-set) of each
        namespace whose Pod Security labels are the set's.
      - A namespace whose Pod Security labels are another set's is refused, and the message names that set.
      - The set V(default) is that of whoever names none. Whoever shares it shares its labels too, so that the last to
        label a namespace decides there, and nothing is looked for on namespaces that the options do not reach.
    type: str
    default: default
"""
