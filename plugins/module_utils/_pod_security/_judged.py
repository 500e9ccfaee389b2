# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the checks of the Pod Security Standards read of a pod, v1.0 to latest.

The list is that of ``pod-security-admission/policy``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]

_OF_POD = ("hostNetwork", "hostPID", "hostIPC", "hostUsers", "os", "securityContext")
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_HANDLERS = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)
_ANNOTATION = re.compile("seccomp|apparmor")
# The server adds one of its own to every pod, and no level forbids it.
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")


def judged_fields(pod: Object) -> dict[str, Any]:
    """Equal for pods that Pod Security cannot judge differently; what is empty counts as not there."""
    spec, annotations = pod.get("spec") or {}, pod["metadata"].get("annotations") or {}
    volumes = [each for each in spec.get("volumes") or () if not _TOKEN_VOLUME.fullmatch(each["name"])]
    return {
        **{key: spec[key] for key in _OF_POD if spec.get(key) not in (None, {})},
        "annotations": {key: value for key, value in annotations.items() if _ANNOTATION.search(key)},
        "volumes": {each["name"]: sorted(each.keys() - {"name"}) for each in volumes},
        "containers": {each["name"]: _of_container(each) for kind in _CONTAINERS for each in spec.get(kind) or ()},
    }


def still_as_sent(sent: Object, kept: Object) -> bool:
    """Whether nothing that Pod Security reads of a pod was changed on its way in; it may have got containers more."""
    before, after = judged_fields(sent), judged_fields(kept)
    containers = {name: after["containers"].get(name) for name in before["containers"]}
    volumes = {name: after["volumes"].get(name) for name in before["volumes"]}
    return before == {**after, "containers": containers, "volumes": volumes}


def _of_container(container: Object) -> dict[str, Any]:
    read = {
        "securityContext": container.get("securityContext"),
        "hostPorts": [port["hostPort"] for port in container.get("ports") or () if port.get("hostPort")],
        "hosts": list(_hosts(container)),
    }
    return {key: value for key, value in read.items() if value}


def _hosts(container: Object) -> Iterator[str]:
    for path in _HANDLERS:
        handler: Object = container
        for key in path:
            handler = handler.get(key) or {}
        for action in ("httpGet", "tcpSocket"):
            if host := (handler.get(action) or {}).get("host"):
                yield host
