# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: who answered when an object was submitted.

The words are those of kube-apiserver 1.34 to 1.37: the admission plugins of ``plugin/pkg/admission`` and
``apiserver/pkg/admission``.
"""

from __future__ import annotations

import re

_NOT_PERMITTED = re.compile(r'\S+(?: "[^"]*")? is forbidden: User "[^"]*" cannot \S+ resource "[^"]+"')
_ANSWERERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r'admission webhook "([^"]+)"', "the admission webhook {}"),
        (r'failed calling webhook "([^"]+)"', "the admission webhook {}"),
        (r"ValidatingAdmissionPolicy '([^']+)'", "the ValidatingAdmissionPolicy {}"),
        (r"policy ['\"]([^'\"]+)['\"].* denied request", "the MutatingAdmissionPolicy {}"),
        (r"(?:exceeded|failed|status unknown for) quota: ([^,:]+)", "the ResourceQuota {}"),
        (r"insufficient quota to (?:consume|match)", "the ResourceQuota admission plugin"),
        (r"(?:minimum|maximum) \S+ usage per |max limit to request ratio per ", "a LimitRange of the namespace"),
        (r"error looking up service account (\S+?):", "the ServiceAccount admission plugin (no service account {})"),
        (
            r"because service account (\S+) does not reference",
            "the ServiceAccount admission plugin (service account {})",
        ),
        (r"no PriorityClass with name (\S+) was found", "the Priority admission plugin (no PriorityClass {})"),
        (r'pod rejected: RuntimeClass "([^"]+)" not found', "the RuntimeClass admission plugin (no RuntimeClass {})"),
        (r"because it is being terminated", "the NamespaceLifecycle admission plugin (the namespace is being deleted)"),
        (r'namespaces "([^"]+)" not found', "the NamespaceLifecycle admission plugin (no namespace {})"),
        (r"image policy webhook", "the ImagePolicyWebhook admission plugin"),
        (r"pod node label selector", "the PodNodeSelector admission plugin"),
        (r" is invalid: ", "the validation of the Pod API"),
    )
)
"""What an answer's words tell of who gave it: the first pattern that is found names it."""


def is_not_permitted(message: str) -> bool:
    """Whether it was RBAC, or another authorizer, that did not even let us ask."""
    return bool(_NOT_PERMITTED.match(message))


def answerer(message: str) -> str:
    """Who refused an object, by the words of the refusal."""
    for pattern, name in _ANSWERERS:
        if found := pattern.search(message):
            return name.format(*found.groups())
    return "the API server"
