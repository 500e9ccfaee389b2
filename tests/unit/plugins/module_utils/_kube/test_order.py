# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._order import defined_kind, ranked


def obj(api_version: str, kind: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}


FIRST_TO_LAST = [
    [obj("v1", "Namespace"), obj("apiextensions.k8s.io/v1", "CustomResourceDefinition")],
    [obj("v1", "LimitRange")],
    [obj("v1", "ResourceQuota")],
    [obj("v1", "ServiceAccount"), obj("networking.k8s.io/v1", "NetworkPolicy")],
    [obj("rbac.authorization.k8s.io/v1", "RoleBinding")],
    [obj("apps/v1", "Deployment"), obj("v1", "Pod")],
    [obj("constraints.gatekeeper.sh/v1beta1", "K8sRequiredLabels")],
    [obj("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")],
]


def test_each_finds_there_what_it_stands_on() -> None:
    mixed = [each for group in reversed(FIRST_TO_LAST) for each in group]
    assert [[mixed[position] for position in group] for group in ranked(mixed)] == FIRST_TO_LAST


def test_removal_goes_backwards() -> None:
    mixed = [each for group in FIRST_TO_LAST for each in group]
    assert [[mixed[position] for position in group] for group in ranked(mixed, backwards=True)] == FIRST_TO_LAST[::-1]


def test_a_definition_names_what_it_defines() -> None:
    assert defined_kind({"spec": {"group": "example.com", "names": {"kind": "Gadget"}}}) == ("example.com", "Gadget")
    assert defined_kind({}) == ("", "")
