# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: kinds, and the paths under which an API server keeps their objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version, as the API server calls it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        group, slash, _version = self.api_version.rpartition("/")
        return group if slash else ""

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of one object, or with no name of the whole collection, in one namespace or in all."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        tail = "".join(f"/{quote(part, safe='')}" for part in (name, subresource) if part)
        return f"{root}{place}/{self.plural}{tail}"


_CLUSTER, _NAMESPACED = False, True

_TABLE: tuple[tuple[str, str, str, bool], ...] = (
    ("v1", "Namespace", "namespaces", _CLUSTER),
    ("v1", "Node", "nodes", _CLUSTER),
    ("v1", "PersistentVolume", "persistentvolumes", _CLUSTER),
    ("v1", "ConfigMap", "configmaps", _NAMESPACED),
    ("v1", "Endpoints", "endpoints", _NAMESPACED),
    ("v1", "Event", "events", _NAMESPACED),
    ("v1", "LimitRange", "limitranges", _NAMESPACED),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", _NAMESPACED),
    ("v1", "Pod", "pods", _NAMESPACED),
    ("v1", "PodTemplate", "podtemplates", _NAMESPACED),
    ("v1", "ReplicationController", "replicationcontrollers", _NAMESPACED),
    ("v1", "ResourceQuota", "resourcequotas", _NAMESPACED),
    ("v1", "Secret", "secrets", _NAMESPACED),
    ("v1", "Service", "services", _NAMESPACED),
    ("v1", "ServiceAccount", "serviceaccounts", _NAMESPACED),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", _CLUSTER),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", _CLUSTER),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        _CLUSTER,
    ),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", _CLUSTER),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", _CLUSTER),
    ("apiregistration.k8s.io/v1", "APIService", "apiservices", _CLUSTER),
    ("apps/v1", "ControllerRevision", "controllerrevisions", _NAMESPACED),
    ("apps/v1", "DaemonSet", "daemonsets", _NAMESPACED),
    ("apps/v1", "Deployment", "deployments", _NAMESPACED),
    ("apps/v1", "ReplicaSet", "replicasets", _NAMESPACED),
    ("apps/v1", "StatefulSet", "statefulsets", _NAMESPACED),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", _NAMESPACED),
    ("batch/v1", "CronJob", "cronjobs", _NAMESPACED),
    ("batch/v1", "Job", "jobs", _NAMESPACED),
    ("certificates.k8s.io/v1", "CertificateSigningRequest", "certificatesigningrequests", _CLUSTER),
    ("coordination.k8s.io/v1", "Lease", "leases", _NAMESPACED),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", _NAMESPACED),
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "flowschemas", _CLUSTER),
    ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", "prioritylevelconfigurations", _CLUSTER),
    ("networking.k8s.io/v1", "Ingress", "ingresses", _NAMESPACED),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", _CLUSTER),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", _NAMESPACED),
    ("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", _CLUSTER),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", _NAMESPACED),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", _CLUSTER),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", _CLUSTER),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", _NAMESPACED),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", _NAMESPACED),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", _CLUSTER),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", _CLUSTER),
)

KNOWN: Mapping[tuple[str, str], Resource] = {(row[0], row[1]): Resource(*row) for row in _TABLE}
"""Kinds that every supported Kubernetes serves under this path, so that nobody has to ask."""


def discovered(answer: Mapping[str, Any]) -> Iterator[Resource]:
    """Every kind in an ``APIGroupDiscoveryList`` (KEP-3352), in every version that the server has."""
    for group in answer.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            api_version = f"{name}/{version['version']}" if name else version["version"]
            for resource in version.get("resources") or ():
                kind = (resource.get("responseKind") or {}).get("kind", "")
                if kind:
                    yield Resource(api_version, kind, resource["resource"], resource.get("scope") == "Namespaced")
