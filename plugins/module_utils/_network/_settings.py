# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy says of one namespace's network."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import Flow, parse_flow
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import (
    RISKS,
    Risk,
    completed,
    mistakes_in,
    wrong_name,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Direction = Literal["ingress", "egress"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

_KEYS = ("default_deny", "dns", "allow", "policies", "accept_risks")


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """The settings of one namespace.

    ``deny`` are the directions denied by default. ``node_local`` is the address of a node-local DNS cache, ``""``
    where there is none. ``policies`` are NetworkPolicies in Kubernetes' own words, name to spec as the server keeps it.
    ``accepted`` are the risks that the user takes.
    """

    deny: tuple[Direction, ...] = ()
    dns: bool = False
    node_local: str = ""
    allow: tuple[Flow, ...] = ()
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accepted: frozenset[Risk] = frozenset()


def parse_settings(said: Mapping[str, Any], namespace: str) -> NetworkSettings:
    """Settings of one namespace from plain data; raises :class:`HardeningError` on what they can't mean."""
    where = f"network settings of namespace {namespace}"
    for key in said:
        _one_of(key, _KEYS, where)
    deny = _words(said.get("default_deny"), DIRECTIONS, f"{where}: default_deny")
    dns, node_local = _dns(said.get("dns", False), f"{where}: dns")
    allow = said.get("allow") or []
    if not isinstance(allow, Sequence) or isinstance(allow, str):
        raise HardeningError(f"{where}: allow: {allow!r} is not a list of flows.")
    if allow and not deny:
        raise HardeningError(
            f"{where}: allow opens nothing without a default_deny, it would close all else; "
            f"add default_deny: [ingress, egress] or one of both."
        )
    flows = [parse_flow(flow, namespace, f"{where}: allow[{at}]") for at, flow in enumerate(allow)]
    return NetworkSettings(
        deny=tuple(direction for direction in DIRECTIONS if direction in deny),
        dns=dns,
        node_local=node_local,
        allow=tuple(dict.fromkeys(flows)),
        policies=_policies(said.get("policies") or {}, f"{where}: policies"),
        accepted=frozenset(_words(said.get("accept_risks"), RISKS, f"{where}: accept_risks")),
    )


def _policies(said: Any, where: str) -> dict[str, Mapping[str, Any]]:
    if not isinstance(said, Mapping):
        raise HardeningError(f"{where}: {said!r} is not a mapping of names to the specs of NetworkPolicies.")
    for name, spec in said.items():
        if wrong := wrong_name(str(name)):
            raise HardeningError(f"{where}: {name!r} is not a name that can be given here; {wrong}.")
        for path, text in mistakes_in(spec):
            place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
            raise HardeningError(f"{where}.{name}{place}: {text.rstrip('.')}.")
    return {str(name): completed(spec) for name, spec in said.items()}


def _dns(said: Any, where: str) -> tuple[bool, str]:
    if said is None or isinstance(said, bool):
        return bool(said), ""
    if not isinstance(said, Mapping):
        raise HardeningError(f"{where}: {said!r} is none of true, false and {{node_local: address}}.")
    for key in said:
        _one_of(key, ("node_local",), where)
    address = said.get("node_local")
    try:
        if not isinstance(address, str):
            raise ValueError(address)
        return True, str(ipaddress.ip_address(address))
    except ValueError:
        raise HardeningError(f"{where}.node_local: {address!r} is not an address like 169.254.20.10.") from None


def _words(said: Any, known: Sequence[Any], where: str) -> tuple[Any, ...]:
    if said is None:
        return ()
    words = [said] if isinstance(said, str) else said
    if not isinstance(words, Sequence):
        raise HardeningError(f"{where}: {said!r} is not a list out of {', '.join(known)}.")
    for word in words:
        _one_of(word, known, where)
    return tuple(words)


def _one_of(word: Any, known: Sequence[str], where: str) -> None:
    if word not in known:
        meant = did_you_mean(str(word), known)
        hint = f"; did you mean {meant}?" if meant else f"; it takes {', '.join(known)}."
        raise HardeningError(f"{where}: {word!r} is unknown{hint}")
