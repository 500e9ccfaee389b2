# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the probe pair, two pods that try whether a default deny holds.

One pod serves, the other asks it again and again and writes down what came back. Policies of the pair's own open both
its ends. Taken away one at a time, they leave the namespace's policies alone in force: the connection must close, and
open again when they are back. So neither a dead server nor a slow network passes for a deny, and it does not matter
whether a network drops or rejects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._generate import API_VERSION, KIND
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import (
    NAME_LABEL,
    PROBE_LABEL,
    End,
    InForce,
    covers_port,
    opening,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._settings import Direction

DEFAULT_IMAGE = "docker.io/library/busybox:1.37.0"
PREFIX = "hardening-probe-"
ROLE_LABEL = "hardening.kubernetes/probe-role"
IN_A_ROW = 3

Role = Literal["server", "client"]
SUBJECT: Mapping[Direction, Role] = {"ingress": "server", "egress": "client"}
"""Which pod of the pair a direction is about."""

_PORTS = range(20011, 60000, 997)
_NOBODY = 65534
_FOLDER = "/probe"
_TEMPORARY = frozenset({"ContainerCreating", "PodInitializing"})

_CLIENT_SCRIPT = r"""
guard= pause=1
if timeout 1 sleep 0 2>/dev/null; then guard='timeout 5'; fi
if sleep 0.2 2>/dev/null; then pause=0.3; fi
i=0
while :; do
  i=$((i+1)); line=$i
  for address in $ADDRESSES; do
    case $(printf 'GET / HTTP/1.0\r\n\r\n' | $guard nc -w 2 "$address" "$PORT" 2>/dev/null) in
      HTTP/*) line="$line open" ;;
      *) line="$line closed" ;;
    esac
  done
  echo "$line"
  sleep $pause
done
"""
"""Asks every address of the server again and again. A line is the number of the round and an answer per address.

Uses no more than every busybox has: ``timeout`` only where it knows today's options, since the plainest ``nc`` limits
nothing but the connecting, and parts of seconds only where ``sleep`` knows them.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe found: ``pass``, ``fail`` or ``unknown``, and what was seen."""

    status: Literal["pass", "fail", "unknown"]
    evidence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One pair: in which namespaces its pods stand, on which port they talk, which directions it tries."""

    token: str
    directions: tuple[Direction, ...]
    server_namespace: str
    client_namespace: str
    port: int

    def namespace(self, role: Role) -> str:
        """Where the pod with this role stands."""
        return self.server_namespace if role == "server" else self.client_namespace

    def pod_name(self, role: Role) -> str:
        """The pod's name."""
        return f"{PREFIX}{self.token}-{role}"


def labels_of(token: str, role: Role) -> dict[str, str]:
    """The labels of a probe pod, which no policy but the pair's own asks for."""
    return {PROBE_LABEL: token, ROLE_LABEL: role}


def pod(trial: Trial, role: Role, image: str, lifetime: int, addresses: Sequence[str] = ()) -> dict[str, Any]:
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
            "annotations": {"linkerd.io/inject": "disabled"},
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
        "server": ["httpd", "-f", "-p", str(trial.port), "-h", _FOLDER],
        "client": ["sh", "-c", _CLIENT_SCRIPT],
    }
    environment = {"ADDRESSES": " ".join(addresses), "PORT": str(trial.port)}
    return {
        "name": "probe",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command[role],
        "env": [{"name": name, "value": value} for name, value in environment.items() if role == "client"],
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


def allow(trial: Trial, direction: Direction) -> dict[str, Any]:
    """The policy that opens one end of the pair for the other, and nothing else for anybody."""
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
            "name": f"{PREFIX}{trial.token}-{direction}",
            "namespace": trial.namespace(role),
            "labels": {PROBE_LABEL: trial.token},
        },
        "spec": {
            "podSelector": {"matchLabels": labels_of(trial.token, role)},
            "policyTypes": [direction.capitalize()],
            direction: [{key: [peer], "ports": [{"port": trial.port, "protocol": "TCP"}]}],
        },
    }


@dataclass(frozen=True, slots=True)
class Question:
    """Does any policy let the subject connect, or be connected to, from or to the other end?"""

    direction: Direction
    subject: End
    other: End


def openers(policies: Sequence[InForce], question: Question, port: int) -> list[InForce]:
    """The policies that let the pair connect on a port."""
    return opening(policies, question.direction, question.subject, question.other, port, "TCP")


def closed_port(policies: Sequence[InForce], questions: Sequence[Question]) -> int:
    """A port on which no policy lets the pair connect, whichever question is asked; 0 where there is none.

    One that no address range opens is preferred, since nobody knows the addresses of pods before they run.
    """
    closed = [port for port in _PORTS if not any(openers(policies, question, port) for question in questions)]
    directions = {question.direction for question in questions}
    quiet = (
        port for port in closed if not any(_opened_to_addresses(policies, direction, port) for direction in directions)
    )
    return next(quiet, closed[0] if closed else 0)


def _opened_to_addresses(policies: Iterable[InForce], direction: Direction, port: int) -> bool:
    return any(
        covers_port(rule, port, "TCP", End()) and any("ipBlock" in peer for peer in rule.peers)
        for policy in policies
        for rule in policy.rules.get(direction) or ()
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One round of the client: its number, and whether each of the server's addresses answered."""

    number: int
    answers: tuple[bool, ...]


def attempts(log: str) -> list[Attempt]:
    """The rounds that a client wrote down; a last line that has no end yet is left out."""
    found = []
    for line in log.split("\n")[:-1]:
        number, *answers = line.split() or [""]
        if number.isdecimal() and answers and all(answer in ("open", "closed") for answer in answers):
            found.append(Attempt(int(number), tuple(answer == "open" for answer in answers)))
    return found


def holds(seen: Sequence[Attempt], after: int, wanted_open: bool) -> bool:
    """Whether the last rounds, all begun after a round, say the same of every address: open, or closed."""
    last = [attempt for attempt in seen if attempt.number > after + 1][-IN_A_ROW:]
    return len(last) == IN_A_ROW and all(answer == wanted_open for attempt in last for answer in attempt.answers)


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


def sample(namespaces: Sequence[str], wanted: str | int | Sequence[str]) -> list[str]:
    """Which namespaces to probe: ``all``, a number of them spread over their order, or those named."""
    ordered = sorted(namespaces)
    if isinstance(wanted, str | int):
        count = len(ordered) if wanted == "all" else min(int(wanted), len(ordered))
        return [ordered[index * len(ordered) // count] for index in range(count)]
    return [name for name in ordered if name in wanted]


def speak_for_others(verdicts: Mapping[str, Verdict], denying: Sequence[str]) -> dict[str, Verdict]:
    """The verdicts on all namespaces whose policies deny, from those on the sample that the user set.

    Whether policies act at all is a matter of the pod network, which all namespaces share. So where every namespace
    of the sample has passed, that is the effect behind the policies of the others too, and their evidence says so.
    """
    others = [name for name in denying if name not in verdicts]
    bad = [f"{name}: {each.evidence}" for name, each in sorted(verdicts.items()) if each.status != "pass"]
    if not others or not verdicts:
        return dict(verdicts)
    names = ", ".join(sorted(verdicts))
    shared = (
        Verdict("unknown", f"not probed itself, and the sample did not pass ({bad[0]})", "See the namespace named.")
        if bad
        else Verdict("pass", f"not probed itself; that the pod network enforces policies was tried in {names}")
    )
    return {**dict.fromkeys(others, shared), **verdicts}
