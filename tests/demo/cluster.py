# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's own eyes: what a pod can reach and what the server refuses, by none of the collection's code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

GROUPS_OF_ACCOUNTS = ["system:serviceaccounts", "system:serviceaccounts:neighbours", "system:authenticated"]


class Cluster:
    """A cluster by its kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        """Connect."""
        load: Any = config.load_kube_config
        load(str(kubeconfig))
        self._core: Any = client.CoreV1Api()
        self._reviews: Any = client.AuthorizationV1Api()

    def run(self, namespace: str, pod: str, *command: str) -> str:
        """What a command prints inside a pod, in one line."""
        answer = stream(
            self._core.connect_get_namespaced_pod_exec,
            name=pod,
            namespace=namespace,
            command=[*command],
            stderr=True,
            stdin=False,
            stdout=True,
            tty=False,
        )
        return " ".join(str(answer).split())

    def pod_of(self, namespace: str, app: str) -> str:
        """The name of a running pod with this label."""
        pods = self._core.list_namespaced_pod(namespace=namespace, label_selector=f"app={app}").items
        return next(str(pod.metadata.name) for pod in pods if pod.status.phase == "Running")

    def enforced(self, namespace: str) -> str:
        """The Pod Security level that a namespace enforces, empty for none."""
        try:
            labels = self._core.read_namespace(name=namespace).metadata.labels or {}
        except ApiException as error:
            if error.status == 404:
                return ""
            raise
        return str(labels.get("pod-security.kubernetes.io/enforce", ""))

    def refusal(self, manifest: Path, name: str) -> str:
        """Why the server refuses a new pod like this one; empty if it takes it (by dry run, so that none is left)."""
        pod = {**yaml.safe_load(manifest.read_text(encoding="utf-8"))}
        pod["metadata"] = {**pod["metadata"], "name": name}
        try:
            self._core.create_namespaced_pod(namespace=pod["metadata"]["namespace"], body=pod, dry_run="All")
        except ApiException as error:
            return _message(error)
        return ""

    def may(self, user: str, verb: str, resource: str, namespace: str) -> str:
        """Whether the server lets a user do something: ``yes`` or ``no``."""
        asked = {"verb": verb, "resource": resource, "namespace": namespace}
        review = {"spec": {"user": user, "groups": GROUPS_OF_ACCOUNTS, "resourceAttributes": asked}}
        return "yes" if self._reviews.create_subject_access_review(body=review).status.allowed else "no"

    def has_pod(self, namespace: str, name: str) -> bool:
        """Whether a pod is there."""
        selector = f"metadata.name={name}"
        return bool(self._core.list_namespaced_pod(namespace=namespace, field_selector=selector).items)

    def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once."""
        self._core.delete_namespaced_pod(name=name, namespace=namespace, grace_period_seconds=0)


def _message(error: Any) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
