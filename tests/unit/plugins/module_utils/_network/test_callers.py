# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._callers import Caller, callers_of


def webhook(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "w"}, "webhooks": [{"name": "a", "clientConfig": config}]}


SERVICE = {"namespace": "shop", "name": "hook"}


@pytest.mark.parametrize(
    ("told", "caller"),
    [
        (
            webhook("ValidatingWebhookConfiguration", {"service": SERVICE}),
            Caller("webhook", "ValidatingWebhookConfiguration/w", "shop", "hook", 443),
        ),
        (
            webhook("MutatingWebhookConfiguration", {"service": {**SERVICE, "port": 8443}}),
            Caller("webhook", "MutatingWebhookConfiguration/w", "shop", "hook", 8443),
        ),
        (webhook("MutatingWebhookConfiguration", {"url": "https://hook.example"}), None),
        (
            webhook("MutatingWebhookConfiguration", {"url": "https://hook.shop.svc/mutate"}),
            Caller("webhook", "MutatingWebhookConfiguration/w", "shop", "hook", 443),
        ),
        (
            webhook("MutatingWebhookConfiguration", {"url": "https://hook.shop.svc.cluster.local:8443"}),
            Caller("webhook", "MutatingWebhookConfiguration/w", "shop", "hook", 8443),
        ),
        (
            {"kind": "APIService", "metadata": {"name": "v1.a"}, "spec": {"service": SERVICE}},
            Caller("aggregated_api", "APIService/v1.a", "shop", "hook", 443),
        ),
        ({"kind": "APIService", "metadata": {"name": "v1."}, "spec": {"service": None}}, None),
        (
            {
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "things.example"},
                "spec": {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"service": SERVICE}}}},
            },
            Caller("crd_conversion", "CustomResourceDefinition/things.example", "shop", "hook", 443),
        ),
        (
            {
                "kind": "CustomResourceDefinition",
                "metadata": {"name": "things.example"},
                "spec": {"conversion": {"strategy": "None"}},
            },
            None,
        ),
        (
            {
                "kind": "Ingress",
                "metadata": {"name": "i", "namespace": "shop"},
                "spec": {"defaultBackend": {"service": {"name": "web", "port": {"name": "http"}}}},
            },
            Caller("ingress", "Ingress/shop/i", "shop", "web", "http"),
        ),
        (
            {
                "kind": "Ingress",
                "metadata": {"name": "i", "namespace": "shop"},
                "spec": {
                    "rules": [
                        {"host": "a"},
                        {"http": {"paths": [{"backend": {"resource": {"kind": "Bucket"}}}]}},
                        {"http": {"paths": [{"backend": {"service": {"name": "web", "port": {"number": 80}}}}]}},
                    ]
                },
            },
            Caller("ingress", "Ingress/shop/i", "shop", "web", 80),
        ),
        (
            {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "NodePort"}},
            Caller("node_port", "the world outside, through the type NodePort,", "shop", "web", None),
        ),
        (
            {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "LoadBalancer"}},
            Caller("load_balancer", "the world outside, through the type LoadBalancer,", "shop", "web", None),
        ),
        ({"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "ClusterIP"}}, None),
        ({"kind": "ConfigMap", "metadata": {"name": "c"}}, None),
    ],
)
def test_what_calls_a_service_is_found(told: dict[str, Any], caller: Caller | None) -> None:
    assert list(callers_of([told])) == ([caller] if caller else [])


def route(kind: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "r", "namespace": "shop"}, "spec": spec}


def gateway(*backends: dict[str, Any], kind: str = "HTTPRoute", parent: str = "Gateway", **rule: Any) -> dict[str, Any]:
    parents = [{"name": "front", "kind": parent}]
    return route(kind, parentRefs=parents, rules=[{"backendRefs": list(backends), **rule}])


MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "port": 81}}}


@pytest.mark.parametrize(
    ("entrance", "called"),
    [
        (gateway({"name": "web", "port": 80}), {("shop", "web", 80)}),
        (gateway({"name": "web", "port": 80}, kind="GRPCRoute"), {("shop", "web", 80)}),
        (gateway({"name": "db", "port": 5432}, kind="TCPRoute"), {("shop", "db", 5432)}),
        (gateway({"name": "web", "namespace": "other", "port": 80}), {("other", "web", 80)}),
        (gateway({"name": "web", "port": 80}, filters=[MIRROR]), {("shop", "web", 80), ("shop", "copy", 81)}),
        (gateway({"name": "web", "kind": "ServiceImport", "group": "multicluster.x-k8s.io"}), set()),
        (gateway({"name": "web", "port": 80}, parent="Service"), set()),
        (gateway(filters=[{"type": "RequestRedirect", "requestRedirect": {}}]), set()),
        (route("HTTPRoute"), set()),
        (route("Route", to={"kind": "Service", "name": "web"}), {("shop", "web", None)}),
        (
            route("Route", to={"name": "a"}, alternateBackends=[{"name": "b"}], port={"targetPort": "http"}),
            {("shop", "a", "http"), ("shop", "b", "http")},
        ),
    ],
)
def test_routes_lead_in_to_services(entrance: dict[str, Any], called: set[tuple[str, str, Any]]) -> None:
    found = list(callers_of([entrance]))
    assert {(each.namespace, each.service, each.port) for each in found} == called
    wanted = "openshift_route" if entrance["kind"] == "Route" else "gateway"
    assert {(each.risk, each.told) for each in found} <= {(wanted, f"{entrance['kind']}/shop/r")}
