# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: who calls Services from outside of their namespace, and which of these calls are risks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import Risk

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
OPENSHIFT_ROUTE = "Route"
ENTRANCES = (
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("gateway.networking.k8s.io/v1beta1", "HTTPRoute"),
    ("gateway.networking.k8s.io/v1", "GRPCRoute"),
    ("gateway.networking.k8s.io/v1alpha2", "GRPCRoute"),
    ("gateway.networking.k8s.io/v1", "TLSRoute"),
    ("gateway.networking.k8s.io/v1alpha3", "TLSRoute"),
    ("gateway.networking.k8s.io/v1alpha2", "TLSRoute"),
    ("gateway.networking.k8s.io/v1", "TCPRoute"),
    ("gateway.networking.k8s.io/v1alpha2", "TCPRoute"),
    ("gateway.networking.k8s.io/v1", "UDPRoute"),
    ("gateway.networking.k8s.io/v1alpha2", "UDPRoute"),
    ("route.openshift.io/v1", OPENSHIFT_ROUTE),
)
"""Kinds that not every cluster has and by which traffic comes in; the first version of a kind that is served counts."""

_GATEWAY = "Gateway"
_GATEWAY_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
_HTTPS_PORT = 443
_SERVICE_URL = re.compile(r"https://(?P<name>[^./:]+)\.(?P<namespace>[^./:]+)\.svc(\.[^/:]*)?(:(?P<port>\d+))?(/|$)")


@dataclass(frozen=True, slots=True)
class Caller:
    """Something outside a namespace that calls a Service in it; ``port`` as the caller gives it, ``None`` for all."""

    risk: Risk
    told: str
    namespace: str
    service: str
    port: int | str | None


def callers_of(objects: Iterable[Mapping[str, Any]]) -> Iterator[Caller]:
    """What calls which Service: webhooks, aggregated APIs, conversions, entrances and Services open to the outside."""
    for each in objects:
        reader = _READERS.get(each.get("kind", ""))
        if reader is not None:
            yield from reader(each)


def _webhook_callers(configuration: Mapping[str, Any]) -> Iterator[Caller]:
    told = f"{configuration['kind']}/{configuration['metadata']['name']}"
    for webhook in configuration.get("webhooks") or ():
        yield from _client_config("webhook", told, webhook.get("clientConfig"))


def _conversion_callers(definition: Mapping[str, Any]) -> Iterator[Caller]:
    conversion = (definition.get("spec") or {}).get("conversion") or {}
    told = f"CustomResourceDefinition/{definition['metadata']['name']}"
    yield from _client_config("crd_conversion", told, (conversion.get("webhook") or {}).get("clientConfig"))


def _aggregated_callers(service: Mapping[str, Any]) -> Iterator[Caller]:
    yield from _client_config("aggregated_api", f"APIService/{service['metadata']['name']}", service.get("spec"))


def _client_config(risk: Risk, told: str, config: Mapping[str, Any] | None) -> Iterator[Caller]:
    service = (config or {}).get("service")
    if service:
        yield Caller(risk, told, service["namespace"], service["name"], service.get("port", _HTTPS_PORT))
    elif named := _SERVICE_URL.match((config or {}).get("url") or ""):
        yield Caller(risk, told, named["namespace"], named["name"], int(named["port"] or _HTTPS_PORT))


def _ingress_callers(ingress: Mapping[str, Any]) -> Iterator[Caller]:
    spec, namespace = ingress.get("spec") or {}, ingress["metadata"].get("namespace", "")
    backends = [spec.get("defaultBackend")] + [
        path.get("backend") for rule in spec.get("rules") or () for path in (rule.get("http") or {}).get("paths") or ()
    ]
    for backend in backends:
        service = (backend or {}).get("service")
        if service:
            port = service.get("port") or {}
            told = f"Ingress/{namespace}/{ingress['metadata']['name']}"
            yield Caller("ingress", told, namespace, service["name"], port.get("number") or port.get("name"))


def _gateway_callers(route: Mapping[str, Any]) -> Iterator[Caller]:
    """A route of the Gateway API, also one whose backend lies in another namespace.

    One whose every parent is a Service is a mesh's: it leads traffic between pods, and nobody comes in by it.
    """
    spec, namespace = route.get("spec") or {}, route["metadata"].get("namespace", "")
    parents = {parent.get("kind", _GATEWAY) for parent in spec.get("parentRefs") or ()}
    if parents == {"Service"}:
        return
    told = f"{route['kind']}/{namespace}/{route['metadata']['name']}"
    for rule in spec.get("rules") or ():
        mirrors = ((each.get("requestMirror") or {}).get("backendRef") for each in rule.get("filters") or ())
        for backend in (*(rule.get("backendRefs") or ()), *filter(None, mirrors)):
            if backend.get("kind", "Service") == "Service" and not backend.get("group"):
                yield Caller(
                    "gateway", told, backend.get("namespace") or namespace, backend["name"], backend.get("port")
                )


def _openshift_callers(route: Mapping[str, Any]) -> Iterator[Caller]:
    spec, namespace = route.get("spec") or {}, route["metadata"].get("namespace", "")
    told = f"Route/{namespace}/{route['metadata']['name']}"
    port = (spec.get("port") or {}).get("targetPort")
    for backend in (spec.get("to"), *(spec.get("alternateBackends") or ())):
        if backend and backend.get("kind", "Service") == "Service":
            yield Caller("openshift_route", told, namespace, backend["name"], port)


_OUTWARD: Mapping[str, Risk] = {"LoadBalancer": "load_balancer", "NodePort": "node_port"}


def _outward_callers(service: Mapping[str, Any]) -> Iterator[Caller]:
    spec, metadata = service.get("spec") or {}, service["metadata"]
    kind = spec.get("type", "")
    if kind in _OUTWARD:
        told = f"the world outside, through the type {kind},"
        yield Caller(_OUTWARD[kind], told, metadata.get("namespace", ""), metadata["name"], None)
    if spec.get("externalIPs"):
        told = "the world outside, through externalIPs,"
        yield Caller("load_balancer", told, metadata.get("namespace", ""), metadata["name"], None)


_READERS = {
    "ValidatingWebhookConfiguration": _webhook_callers,
    "MutatingWebhookConfiguration": _webhook_callers,
    "CustomResourceDefinition": _conversion_callers,
    "APIService": _aggregated_callers,
    "Ingress": _ingress_callers,
    **dict.fromkeys(_GATEWAY_ROUTES, _gateway_callers),
    OPENSHIFT_ROUTE: _openshift_callers,
    "Service": _outward_callers,
}

RISK_KINDS: Mapping[Risk, tuple[str, ...]] = {
    "webhook": ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Service"),
    "aggregated_api": ("APIService", "Service"),
    "crd_conversion": ("CustomResourceDefinition", "Service"),
    "ingress": ("Ingress", "Service"),
    "gateway": _GATEWAY_ROUTES,
    "openshift_route": (OPENSHIFT_ROUTE,),
    "load_balancer": ("Service",),
    "node_port": ("Service", "Pod", *WORKLOAD_KINDS),
}
"""What has to be readable before anybody can say that a risk of denied ingress is not there.

That a cluster has routes is the exception: where nobody sees one, nobody needs to see Services because of them.
"""
