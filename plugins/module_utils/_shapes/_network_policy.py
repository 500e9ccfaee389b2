# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a NetworkPolicySpec as a policy writes it, in Kubernetes' own words.

The fields are those of the API reference of networking.k8s.io/v1, the rules those of its server, and a field that it
does not know is a mistake.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import PROTOCOLS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._syntax import (
    is_label_key,
    is_label_value,
    is_port_name,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

OWN_PREFIX = "hardening-"
"""How the names of the NetworkPolicies begin that are made from flows and default denies."""

Risk = Literal[
    "dns",
    "webhook",
    "aggregated_api",
    "crd_conversion",
    "ingress",
    "gateway",
    "openshift_route",
    "load_balancer",
    "node_port",
]
RISKS: tuple[Risk, ...] = get_args(Risk)
"""What a default deny may cut off, and users may accept."""

POLICY_TYPES = ("Ingress", "Egress")
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")

Path: TypeAlias = "tuple[str | int, ...]"
Wrong = Iterator[tuple[Path, str]]
Spec = Mapping[str, Any]

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LAST_PORT = 65535
_PEERS_KEY = (("ingress", "from"), ("egress", "to"))


def wrong_name(name: str) -> str:
    """What is wrong with the name of a NetworkPolicy that a policy declares; empty where nothing is."""
    if not _NAME.fullmatch(name):
        return "allowed: the name of a NetworkPolicy, of a-z, 0-9, - and . (DNS-1123 subdomain)"
    if name.startswith(OWN_PREFIX):
        return f"names that begin with {OWN_PREFIX} are those of the policies made from default_deny, dns and allow"
    return ""


def mistakes_in(spec: Any) -> Wrong:
    """What the API server would have against a NetworkPolicySpec, and fields that it does not know."""
    yield from _walk(spec, _SPEC, ())


def completed(spec: Spec) -> dict[str, Any]:
    """A spec as the server keeps it: with its defaults, and without what is empty and says nothing."""
    kept: dict[str, Any] = {
        "podSelector": _selector(spec.get("podSelector") or {}),
        # Without them a policy is always one of ingress, and one of egress only if it has an egress rule.
        "policyTypes": list(spec.get("policyTypes") or (POLICY_TYPES if spec.get("egress") else POLICY_TYPES[:1])),
    }
    for direction, key in _PEERS_KEY:
        if rules := [_rule(rule or {}, key) for rule in spec.get(direction) or ()]:
            kept[direction] = rules
    return kept


def _rule(rule: Spec, key: str) -> dict[str, Any]:
    peers = [_peer(peer) for peer in rule.get(key) or ()]
    ports = [{"protocol": "TCP", **port} for port in rule.get("ports") or ()]
    return {name: each for name, each in ((key, peers), ("ports", ports)) if each}


def _peer(peer: Spec) -> dict[str, Any]:
    return {key: _without_empty(each) if key == "ipBlock" else _selector(each) for key, each in peer.items()}


def _selector(selector: Spec) -> dict[str, Any]:
    kept = _without_empty(selector)
    if "matchExpressions" in kept:
        kept["matchExpressions"] = [_without_empty(each) for each in kept["matchExpressions"]]
    return kept


def _without_empty(said: Spec) -> dict[str, Any]:
    return {key: each for key, each in said.items() if each not in ({}, [], None)}


@dataclass(frozen=True, slots=True)
class _Fields:
    """A mapping with these fields, and the rule between them."""

    fields: Mapping[str, _Form]
    rule: Callable[[Spec], Wrong]


@dataclass(frozen=True, slots=True)
class _ListOf:
    item: _Form


_Scalar: TypeAlias = "Callable[[Any], str]"
_Form: TypeAlias = "_Fields | _ListOf | _Scalar"


def _walk(said: Any, form: _Form, path: Path) -> Wrong:
    match form:
        case _Fields():
            yield from _mapping(said, form, path)
        case _ListOf():
            if isinstance(said, Sequence) and not isinstance(said, str):
                for at, each in enumerate(said):
                    yield from _walk(each, form.item, (*path, at))
            else:
                yield path, "is not a list"
        case _:
            if wrong := form(said):
                yield path, f"found {said!r}; {wrong}"


def _mapping(said: Any, form: _Fields, path: Path) -> Wrong:
    if not isinstance(said, Mapping):
        yield path, f"is not a mapping with {', '.join(form.fields)}"
        return
    wrong = False
    for key, each in said.items():
        if key not in form.fields:
            wrong = True
            meant = did_you_mean(str(key), form.fields)
            hint = f" Did you mean {meant}?" if meant else ""
            yield (*path, str(key)), f"there is no such field; allowed: {', '.join(form.fields)}.{hint}"
            continue
        for mistake in _walk(each, form.fields[key], (*path, key)):
            wrong = True
            yield mistake
    if not wrong:
        yield from (((*path, *inner), text) for inner, text in form.rule(said))


def _one_of(*allowed: str) -> _Scalar:
    return lambda said: "" if said in allowed else f"allowed: {', '.join(allowed)}"


def _label_key(said: Any) -> str:
    return "" if isinstance(said, str) and is_label_key(said) else "allowed: the key of a label"


def _label_value(said: Any) -> str:
    return "" if isinstance(said, str) and is_label_value(said) else "allowed: the value of a label, which is text"


def _labels(said: Any) -> str:
    if not isinstance(said, Mapping):
        return "allowed: a mapping of labels"
    return next(filter(None, (_label_key(key) or _label_value(value) for key, value in said.items())), "")


def _port(said: Any) -> str:
    if isinstance(said, str):
        return "" if is_port_name(said) else "allowed: a number, or the name of a container's port"
    return _number(said)


def _number(said: Any) -> str:
    right = isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= _LAST_PORT
    return "" if right else f"allowed: a number from 1 to {_LAST_PORT}"


def _cidr(said: Any) -> str:
    return "" if _network(said) else "allowed: a CIDR like 10.0.0.0/8 or fd00::/8"


def _network(said: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(said, strict=False) if isinstance(said, str) and "/" in said else None
    except ValueError:
        return None


def _anything(_said: Spec) -> Wrong:
    yield from ()


def _has_selector(spec: Spec) -> Wrong:
    if "podSelector" not in spec:
        yield (), "podSelector is missing; {} selects every pod of the namespace"


def _is_requirement(said: Spec) -> Wrong:
    """``values`` belong to ``In`` and ``NotIn``, and to no other operator."""
    for field in ("key", "operator"):
        if field not in said:
            yield (), f"{field} is missing"
            return
    if said["operator"] in ("In", "NotIn") and not said.get("values"):
        yield ("operator",), f"{said['operator']} needs values"
    elif said["operator"] not in ("In", "NotIn") and said.get("values"):
        yield ("values",), f"{said['operator']} takes no values"


def _is_port(said: Spec) -> Wrong:
    if "endPort" not in said:
        return
    if not isinstance(said.get("port"), int):
        yield ("endPort",), "needs port as a number, where the range begins"
    elif said["endPort"] < said["port"]:
        yield ("endPort",), f"{said['endPort']} is less than port {said['port']}"


def _is_peer(said: Spec) -> Wrong:
    if not said:
        yield (), f"names nobody; allowed: {', '.join(_PEER.fields)}"
    elif "ipBlock" in said and len(said) > 1:
        yield ("ipBlock",), "does not go together with podSelector and namespaceSelector"


def _is_block(said: Spec) -> Wrong:
    whole = _network(said.get("cidr"))
    if whole is None:
        yield (), "cidr is missing"
        return
    for at, each in enumerate(said.get("except") or ()):
        part = _network(each)
        inside = part and part.version == whole.version and part != whole and part.subnet_of(whole)  # type: ignore[arg-type]
        if not inside:
            yield ("except", at), f"{each} is not a part of {said['cidr']}"


_SELECTOR = _Fields(
    {
        "matchLabels": _labels,
        "matchExpressions": _ListOf(
            _Fields(
                {"key": _label_key, "operator": _one_of(*OPERATORS), "values": _ListOf(_label_value)}, _is_requirement
            )
        ),
    },
    _anything,
)
_PEER = _Fields(
    {
        "podSelector": _SELECTOR,
        "namespaceSelector": _SELECTOR,
        "ipBlock": _Fields({"cidr": _cidr, "except": _ListOf(_cidr)}, _is_block),
    },
    _is_peer,
)
_PORT = _Fields({"protocol": _one_of(*PROTOCOLS), "port": _port, "endPort": _number}, _is_port)
_SPEC = _Fields(
    {
        "podSelector": _SELECTOR,
        "policyTypes": _ListOf(_one_of(*POLICY_TYPES)),
        "ingress": _ListOf(_Fields({"from": _ListOf(_PEER), "ports": _ListOf(_PORT)}, _anything)),
        "egress": _ListOf(_Fields({"to": _ListOf(_PEER), "ports": _ListOf(_PORT)}, _anything)),
    },
    _has_selector,
)
