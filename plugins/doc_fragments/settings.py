# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Which namespaces get settings, and what becomes of what a set has besides."""

    DOCUMENTATION = r"""
options:
  selected:
    description:
      - Settings of namespaces by label. The first selector that matches counts. They never reach namespaces that hold
        components of the cluster, like C(kube-system); only O(namespaces) does.
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
      - Names and globs of the namespaces that this is limited to. Nothing else is written, cleaned up or judged, the
        cluster as a whole neither, and nothing is told of selectors and a default that reach no namespace.
      - Without it, all of it is meant.
    type: list
    elements: str
    default: []
  prune:
    description:
      - Whether the set, where it is not V(default), has nothing but what the options say. What it has where they do not
        reach is then taken away by the module that writes, in an order in which nothing breaks, and is a failure of
        C(policy.leftovers) for the one that looks. No namespace is ever deleted.
      - Set it to V(false) where several tasks share one set and each says a part of it.
      - Without any settings nothing is pruned, so that a mistyped option does not remove a whole set. Removing it is
        what C(state) V(absent) is for.
      - This needs the permission to look for the set in the whole cluster. Without it nothing is taken away elsewhere,
        and a warning says so.
    type: bool
    default: true
"""
