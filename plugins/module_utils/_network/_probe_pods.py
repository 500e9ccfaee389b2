# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the objects of a probe pair, and why a pod of it does not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import API_VERSION, KIND
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    PROBE_LABEL,
    PROBE_PREFIX,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction

DEFAULT_IMAGE = "docker.io/library/busybox:1.37.0"
EXPIRES = "hardening.kubernetes/probe-expires"
ROLE_LABEL = "hardening.kubernetes/probe-role"

Role = Literal["server", "client"]
SUBJECT: Mapping[Direction, Role] = {"ingress": "server", "egress": "client"}
"""Which pod of the pair a direction is about."""

_NOBODY = 65534
_FOLDER = "/probe"
_TEMPORARY = frozenset({"ContainerCreating", "PodInitializing"})

_CLIENT_SCRIPT = r"""
guard= pause=1
cd /probe
if timeout 1 sleep 0 2>/dev/null; then guard='timeout 4'; fi
if sleep 0.2 2>/dev/null; then pause=0.3; fi
ask() {
  case $(printf 'GET / HTTP/1.0\r\n\r\n' | $guard nc -w 1 "$1" "$2" 2>/dev/null) in
    HTTP/*) echo open ;;
    *) echo closed ;;
  esac
}
i=0
while :; do
  i=$((i+1)); line=$i
  for address in $ADDRESSES; do
    ask "$address" "$PORT" >tried &
    ask "$address" "$CONTROL_PORT" >control &
    wait
    read -r tried <tried; read -r control <control
    line="$line $tried $control"
  done
  echo "$line"
  sleep $pause
done
"""
"""Asks every address of the server again and again. A line is the number of the round, and for each address the answers
of the port that is tried and of the control port, which are asked at the same time.

Uses no more than every busybox has: ``timeout`` only where it knows today's options, since the plainest ``nc`` limits
nothing but the connecting, and parts of seconds only where ``sleep`` knows them.
"""


_SERVER_SCRIPT = 'httpd -f -p "$CONTROL_PORT" -h /probe & exec httpd -f -p "$PORT" -h /probe'


@dataclass(frozen=True, slots=True)
class Trial:
    """One pair: in which namespaces its pods stand, which directions it tries.

    ``port`` is the one that is tried, ``control`` the one that tells a deny from an outage.
    """

    token: str
    directions: tuple[Direction, ...]
    server_namespace: str
    client_namespace: str
    port: int
    control: int

    def namespace(self, role: Role) -> str:
        """Where the pod with this role stands."""
        return self.server_namespace if role == "server" else self.client_namespace

    def pod_name(self, role: Role) -> str:
        """The pod's name."""
        return f"{PROBE_PREFIX}{self.token}-{role}"


def labels_of(token: str, role: Role) -> dict[str, str]:
    """The labels of a probe pod, which no policy but the pair's own asks for."""
    return {PROBE_LABEL: token, ROLE_LABEL: role}


def expiry(now: float, lifetime: int) -> dict[str, str]:
    """The annotation by which other runs know when an object of this one is left over; ``now`` in seconds of 1970."""
    return {EXPIRES: str(int(now) + lifetime)}


def is_left_over(metadata: Mapping[str, Any], now: float) -> bool:
    """Whether an object of a probe has outlived its run; one that does not say how long it lives has."""
    said = (metadata.get("annotations") or {}).get(EXPIRES, "")
    return metadata["name"].startswith(PROBE_PREFIX) and (not said.isdecimal() or int(said) < now)


def pod(
    trial: Trial,
    role: Role,
    image: str,
    lifetime: int,
    addresses: Sequence[str] = (),
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A probe pod that any Pod Security level takes and that ends by itself after ``lifetime`` seconds.

    ``addresses`` are those of the server, for the client to ask.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": trial.pod_name(role),
            "namespace": trial.namespace(role),
            # A mesh's proxy would answer for the server and speak for the client.
            "labels": {**labels_of(trial.token, role), "sidecar.istio.io/inject": "false"},
            "annotations": {"linkerd.io/inject": "disabled", **(annotations or {})},
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": lifetime,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _NOBODY,
                "runAsGroup": _NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(trial, role, image, addresses)],
            "volumes": [{"name": "nothing", "emptyDir": {}}],
        },
    }


def _container(trial: Trial, role: Role, image: str, addresses: Sequence[str]) -> dict[str, Any]:
    command = {
        "server": ["sh", "-c", _SERVER_SCRIPT],
        "client": ["sh", "-c", _CLIENT_SCRIPT],
    }
    environment = {
        "PORT": str(trial.port),
        "CONTROL_PORT": str(trial.control),
        **({"ADDRESSES": " ".join(addresses)} if role == "client" else {}),
    }
    return {
        "name": "probe",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command[role],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "32Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "nothing", "mountPath": _FOLDER}],
    }


def allow(
    trial: Trial, direction: Direction, port: int, annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The policy that opens one end of the pair for the other on a port, and nothing else for anybody."""
    role = SUBJECT[direction]
    other: Role = "client" if role == "server" else "server"
    peer = {
        "namespaceSelector": {"matchLabels": {NAME_LABEL: trial.namespace(other)}},
        "podSelector": {"matchLabels": labels_of(trial.token, other)},
    }
    key = "from" if direction == "ingress" else "to"
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": f"{PROBE_PREFIX}{trial.token}-{direction}-{port}",
            "namespace": trial.namespace(role),
            "labels": {PROBE_LABEL: trial.token},
            "annotations": dict(annotations or {}),
        },
        "spec": {
            "podSelector": {"matchLabels": labels_of(trial.token, role)},
            "policyTypes": [direction.capitalize()],
            direction: [{key: [peer], "ports": [{"port": port, "protocol": "TCP"}]}],
        },
    }


def why_not_running(pod_object: Mapping[str, Any]) -> tuple[str, bool]:
    """Why a pod does not run, in words, and whether waiting is of no use; ``("", False)`` where it does."""
    status = pod_object.get("status") or {}
    if status.get("phase") == "Running" and status.get("podIPs"):
        return "", False
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in _TEMPORARY:
            return _told(waiting), waiting["reason"] in _HOPELESS
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended:
            return f"it ended with exit code {ended.get('exitCode')}: {_told(ended)}", True
    if status.get("phase") in ("Failed", "Succeeded"):
        return f"it ended: {_told(status)}", True
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled") or {}
    if scheduled.get("status") == "False":
        return _told(scheduled), False
    return "its node has not started it", False


_HOPELESS = frozenset({"InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "ImagePullBackOff"})


def _told(said: Mapping[str, Any]) -> str:
    return ": ".join(str(said[key]) for key in ("reason", "message") if said.get(key)) or "no reason given"
