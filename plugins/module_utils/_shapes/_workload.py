# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: workloads, and where the pods that they make are described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SPEC_TEMPLATE = ("spec", "template")

TEMPLATE_PATHS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps/v1", "Deployment"): _SPEC_TEMPLATE,
    ("apps/v1", "StatefulSet"): _SPEC_TEMPLATE,
    ("apps/v1", "DaemonSet"): _SPEC_TEMPLATE,
    ("apps/v1", "ReplicaSet"): _SPEC_TEMPLATE,
    ("v1", "ReplicationController"): _SPEC_TEMPLATE,
    ("batch/v1", "Job"): _SPEC_TEMPLATE,
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("v1", "PodTemplate"): ("template",),
    ("v1", "Pod"): (),
}
"""Where each built-in kind holds its pod: the path to an object with ``metadata`` and ``spec`` (a PodTemplateSpec)."""


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """The pods of one workload: whose they are, their labels and their PodSpec as plain data.

    ``selector`` are the labels by which the workload selects its pods, as far as it does that by labels.
    """

    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    selector: Mapping[str, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """``Kind/namespace/name`` of the workload."""
        return f"{self.kind}/{self.namespace}/{self.name}"


def pod_template(workload: Mapping[str, Any]) -> PodTemplate | None:
    """The pod template of any built-in workload, ``None`` for an object of a kind that makes no pods."""
    path = TEMPLATE_PATHS.get((workload.get("apiVersion", ""), workload.get("kind", "")))
    if path is None:
        return None
    template: Mapping[str, Any] = workload
    for key in path:
        template = template.get(key) or {}
    metadata = workload.get("metadata") or {}
    return PodTemplate(
        kind=workload["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata.get("name", ""),
        labels=(template.get("metadata") or {}).get("labels") or {},
        spec=template.get("spec") or {},
        selector=((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {},
    )
