# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what stands behind the ports of a Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import (
    Facts,
    container_ports,
    on_host_network,
    selected_by,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate


@dataclass(frozen=True, slots=True)
class Backing:
    """A port of a Service as the pods behind it see it; ``port`` is ``None`` where the pods do not tell."""

    pods: tuple[PodTemplate, ...]
    port: int | str | None
    protocol: str


def backings(
    service: Mapping[str, Any], called: int | str | None, facts: Facts, of_pods: bool = False
) -> Iterator[Backing]:
    """The ports of a Service that somebody calls, as the pods behind it see them.

    ``called`` is the Service's port by number or name, ``None`` for all; with ``of_pods`` a number is that of the pods.
    """
    spec, namespace, name = service.get("spec") or {}, service["metadata"]["namespace"], service["metadata"]["name"]
    selector = spec.get("selector") or {}
    behind = selected_by(facts.workloads.get(namespace) or (), selector) if selector else []
    # Without pods yet, or without a selector, a pod with just these labels stands for those behind the Service.
    pods = [pod for pod in behind if not on_host_network(pod)] or (
        [] if behind else [PodTemplate("Pod", namespace, name, selector, {})]
    )
    for port in spec.get("ports") or ():
        if called in (None, port.get("targetPort" if of_pods else "port"), port.get("name")):
            protocol = port.get("protocol", "TCP")
            target = port.get("targetPort", port.get("port"))
            for number in sorted({str(_number(pod, target, protocol)) for pod in pods}):
                known = int(number) if number.isdecimal() else number
                alike = tuple(pod for pod in pods if str(_number(pod, target, protocol)) == number)
                yield Backing(alike, known, protocol)


def _number(pod: PodTemplate, target: int | str, protocol: str) -> int | str:
    if isinstance(target, int):
        return target
    named = {(name, proto): number for name, number, proto in container_ports(pod.spec)}
    return named.get((target, protocol), target)
