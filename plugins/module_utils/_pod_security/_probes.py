# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: pods that show, by being refused or let in, which level a namespace enforces.

A probe stands on properties that every version of the Pod Security Standards, v1.0 to latest, judges alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._probe_pod import PROBE_POD

PodSpec = Mapping[str, Any]

_SMALL = {"cpu": "10m", "memory": "16Mi"}
_FULL_RESTRICTED: PodSpec = PROBE_POD
# Host namespaces are forbidden from baseline on, by check hostNamespaces since v1.0 and never relaxed.
_BREAKS_BASELINE: PodSpec = {**_FULL_RESTRICTED, "hostPID": True}
# Running as root is forbidden by restricted alone, by check runAsNonRoot since v1.0; v1.35 relaxes it only for pods
# with a user namespace of their own, which this one has not.
_BREAKS_RESTRICTED: PodSpec = {
    **_FULL_RESTRICTED,
    "securityContext": {"runAsNonRoot": False, "seccompProfile": {"type": "RuntimeDefault"}},
}


@dataclass(frozen=True, slots=True)
class Probe:
    """Two pods for a level: one breaks exactly this level and not the one below, the other is all that it allows.

    ``still_breaks`` tells of a PodSpec that the server let in whether it still is one that the level forbids: a
    mutating webhook may have mended it before Pod Security saw it.
    """

    breaks: PodSpec
    allowed: PodSpec
    still_breaks: Callable[[PodSpec], bool]


PROBES: Mapping[str, Probe] = {
    "baseline": Probe(_BREAKS_BASELINE, _BREAKS_RESTRICTED, lambda spec: spec.get("hostPID") is True),
    "restricted": Probe(
        _BREAKS_RESTRICTED,
        _FULL_RESTRICTED,
        lambda spec: (spec.get("securityContext") or {}).get("runAsNonRoot") is not True,
    ),
}


def probe_for(wanted: Standard) -> Probe:
    """The probe of a level; ``privileged`` has none, since it forbids nothing."""
    return PROBES[wanted.level]


def probe_pod(spec: PodSpec, namespace: str, attempt: int = 0) -> dict[str, Any]:
    """A pod to submit by dry run.

    Every second attempt asks for resources, the others leave them to the namespace: there are quotas that want them
    said, and limit ranges that take other ones only.
    """
    resources = {"resources": {"requests": _SMALL, "limits": _SMALL}} if attempt % 2 else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "hardening-probe-", "namespace": namespace},
        "spec": {**spec, "containers": [{**container, **resources} for container in spec["containers"]]},
    }
