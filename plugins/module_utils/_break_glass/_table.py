# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the kinds of objects of ours that can stop somebody's work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import set_of

MANAGERS = "hardening.kubernetes/"
"""How the field managers of this collection begin."""

BREAKABLE: tuple[tuple[str, str], ...] = (
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
)
"""API version and kind of what is deleted. Of a policy the binding alone goes: without it the policy does nothing."""

BREAKABLE_GROUPS: tuple[str, ...] = ("constraints.gatekeeper.sh/v1beta1",)
"""Group versions all of whose kinds are: Gatekeeper makes a kind of each ConstraintTemplate."""


def manager_of(obj: Mapping[str, Any]) -> str:
    """The field manager of this collection that wrote an object which a set of ours marks; empty where none did.

    Our label alone does not make an object ours: anybody can write it.
    """
    if not set_of(obj):
        return ""
    managers = (str(entry.get("manager", "")) for entry in (obj.get("metadata") or {}).get("managedFields") or ())
    return next((manager for manager in managers if manager.startswith(MANAGERS)), "")
