# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: who answered when a pod was submitted, and what the answer says of Pod Security.

The words are those of kube-apiserver 1.34 to 1.37: ``pod-security-admission/admission``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._answerers import answerer, is_not_permitted

_STANDARD = r'violates? PodSecurity "(?P<level>[a-z]+):(?P<version>[a-z0-9.]+)": (?P<reason>.*)'
# Anchored: a webhook that quotes these words has its own before them.
_VIOLATES = re.compile(rf'pods "[^"]*" is forbidden: {_STANDARD}', re.DOTALL)
_WOULD_VIOLATE = re.compile(rf"would {_STANDARD}", re.DOTALL)
Kind = Literal["violates", "warned", "admitted", "not_permitted", "mended", "other"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server made of one pod.

    ``violates``: Pod Security refused it, for ``standard``. ``warned``: it was let in, and Pod Security warned that it
    violates ``standard``. ``admitted``: it was let in. ``not_permitted``: RBAC does not let us ask. ``other``: ``by``
    answered before or after Pod Security; ``reason`` holds its words. ``mended``: it was let in, but ``by`` changed
    what Pod Security judges, and ``reason`` says why the pod that runs could not be judged otherwise.
    """

    kind: Kind
    standard: Standard | None = None
    by: str = ""
    reason: str = ""


def reply(status: int, message: str, warnings: Iterable[str] = ()) -> Reply:
    """Read the server's answer to a pod's creation: HTTP status, the Status object's message, ``Warning`` texts."""
    if 200 <= status < 300:
        found = next(filter(None, map(_WOULD_VIOLATE.fullmatch, warnings)), None)
        return _by_pod_security("warned", found) if found else Reply("admitted")
    if status == 403 and (found := _VIOLATES.fullmatch(message)):
        return _by_pod_security("violates", found)
    if status == 403 and is_not_permitted(message):
        return Reply("not_permitted", by="RBAC", reason=message)
    return Reply("other", by=answerer(message), reason=message)


def _by_pod_security(kind: Kind, found: re.Match[str]) -> Reply:
    return Reply(kind, Standard(found["level"], found["version"]), "Pod Security", found["reason"])
