# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a flow, who may talk to whom on which ports, as a policy writes it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._syntax import (
    NAME_LENGTH,
    PORT_NAME_LENGTH,
    is_label_key,
    is_label_value,
    is_namespace_name,
    is_port_name,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Protocol = Literal["TCP", "UDP", "SCTP"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
Labels = tuple[tuple[str, str], ...]

_LAST_PORT = 65535
_PORT = re.compile(r"(?P<port>[^/\s]+)(?:/(?P<protocol>[A-Za-z]+))?")
_FORMS_OF_A_PORT = "8080, 8080/TCP, 53/UDP, http/TCP or 8000-8100/TCP"
_FORMS_OF_A_PEER = (
    "a label map like {app: frontend}, {pods: {labels}, namespace: name}, {namespaces: {labels}, pods: {labels}}, "
    "{cidr: 10.0.0.0/8, except: [...]}, {api_server: true} or {any: true}"
)


@dataclass(frozen=True, slots=True)
class Port:
    """The ports of a NetworkPolicyPort: one number, a range up to ``end``, or the name of a container's port."""

    protocol: Protocol
    number: int = 0
    end: int = 0
    name: str = ""

    def __str__(self) -> str:
        """As a policy writes it."""
        numbers = f"{self.number}-{self.end}" if self.end else str(self.number)
        return f"{self.name or numbers}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods by their labels; no labels are all pods.

    In the namespace that says so itself where ``namespace`` is empty and ``namespaces`` is ``None``, else in the one
    with that name, or in all that have the labels of ``namespaces``.
    """

    labels: Labels = ()
    namespace: str = ""
    namespaces: Labels | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """An address range, less the ranges inside it that are excepted (an IPBlock)."""

    cidr: str
    excepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiServer:
    """The API servers of the cluster itself, wherever they listen at present."""


@dataclass(frozen=True, slots=True)
class Anyone:
    """Every peer, inside the cluster and outside."""


Peer: TypeAlias = "Pods | Addresses | ApiServer | Anyone"


@dataclass(frozen=True, slots=True)
class Flow:
    """Connections from a source to a target; no ports are all ports."""

    source: Peer
    target: Peer
    ports: tuple[Port, ...] = ()

    def __str__(self) -> str:
        """As a sentence names it: ``{app: frontend} to {app: backend} on 8080/TCP``."""
        ports = ", ".join(map(str, self.ports)) or "all ports"
        return f"{told_peer(self.source)} to {told_peer(self.target)} on {ports}"


def is_local(peer: Peer) -> bool:
    """Whether a peer stands for pods of the very namespace that declares the flow."""
    return isinstance(peer, Pods) and not peer.namespace and peer.namespaces is None


def parse_flow(said: Any, namespace: str, where: str = "flow") -> Flow:
    """A flow from ``{from: peer, to: peer, ports: [port]}``, declared in a namespace.

    Raises :class:`HardeningError` on anything else, and where neither end is in the namespace itself. ``where`` names
    the place in messages.
    """
    if not isinstance(said, Mapping):
        raise HardeningError(f"{where}: {said!r} is not a flow; write {{from: peer, to: peer, ports: [8080/TCP]}}.")
    _refuse_unknown_keys(said, ("from", "to", "ports"), where)
    absent = [key for key in ("from", "to") if key not in said]
    if absent:
        raise HardeningError(f"{where}: {' and '.join(absent)} is missing; a flow says who talks to whom.")
    ports = said.get("ports", [])
    if not isinstance(ports, Sequence) or isinstance(ports, str):
        raise HardeningError(f"{where}.ports: {ports!r} is not a list of ports like [8080/TCP].")
    flow = Flow(
        source=parse_peer(said["from"], namespace, f"{where}.from"),
        target=parse_peer(said["to"], namespace, f"{where}.to"),
        ports=tuple(dict.fromkeys(parse_port(port, f"{where}.ports[{at}]") for at, port in enumerate(ports))),
    )
    if not is_local(flow.source) and not is_local(flow.target):
        raise HardeningError(
            f"{where}: neither end is in namespace {namespace}; declare the flow in the namespace of one of its ends."
        )
    named = [port for port in flow.ports if port.name]
    if named and not isinstance(flow.target, Pods):
        raise HardeningError(
            f"{where}.ports: {named[0]} is a name, and only the containers of pods name their ports; "
            f"give the number for {told_peer(flow.target)}."
        )
    return flow


def parse_port(said: Any, where: str = "port") -> Port:
    """A port from ``8080``, ``8080/TCP``, ``http/TCP`` or ``8000-8100/TCP``; without a protocol it is TCP.

    Raises :class:`HardeningError` on anything else.
    """
    found = _PORT.fullmatch(str(said).strip()) if isinstance(said, str | int) and not isinstance(said, bool) else None
    if found is None:
        raise HardeningError(f"{where}: {said!r} is not a port; write {_FORMS_OF_A_PORT}.")
    protocol = (found["protocol"] or "TCP").upper()
    if protocol not in PROTOCOLS:
        meant = did_you_mean(protocol, PROTOCOLS)
        hint = f"; did you mean {meant}?" if meant else "."
        raise HardeningError(
            f"{where}: {said!r} has the protocol {protocol}, and there are only {', '.join(PROTOCOLS)}{hint}"
        )
    text = found["port"]
    first, dash, last = text.partition("-")
    if first.isdecimal() and (last.isdecimal() if dash else True):
        return _numbered(int(first), int(last or 0), protocol, said, where)
    if not is_port_name(text):
        raise HardeningError(
            f"{where}: {said!r} is not a port; write {_FORMS_OF_A_PORT}. "
            f"A name has at most {PORT_NAME_LENGTH} of a-z, 0-9 and single dashes, and at least one letter."
        )
    return Port(protocol, name=text)


def _numbered(first: int, last: int, protocol: Protocol, said: Any, where: str) -> Port:
    if not 1 <= first <= _LAST_PORT or last > _LAST_PORT:
        raise HardeningError(f"{where}: {said!r} is out of range; ports go from 1 to {_LAST_PORT}.")
    if last and last < first:
        raise HardeningError(f"{where}: {said!r} ends before it begins; write the lower port first.")
    return Port(protocol, first, last if last != first else 0)


def parse_peer(said: Any, namespace: str, where: str = "peer") -> Peer:
    """One end of a flow, declared in a namespace, in any of the forms that a policy may write it in.

    Raises :class:`HardeningError` on anything else.
    """
    if not isinstance(said, Mapping):
        raise HardeningError(f"{where}: {said!r} is not a peer; write {_FORMS_OF_A_PEER}.")
    reserved = [key for key in said if key in _RESERVED]
    if not reserved:
        return Pods(_labels(said, where))
    for key in reserved:
        if said[key] is None or said[key] == "":
            raise HardeningError(f"{where}.{key}: nothing is said; write what is meant, or leave the key out.")
    form = next((form for form in _FORMS if form.key in said), _FORMS[-1])
    _refuse_unknown_keys(said, form.keys, where)
    return form.parse(said, namespace, where)


def _pods(said: Mapping[str, Any], namespace: str, where: str) -> Peer:
    named = said.get("namespace", namespace)
    if not isinstance(named, str) or not is_namespace_name(named):
        raise HardeningError(f"{where}.namespace: {named!r} is not the name of a namespace.")
    return Pods(_labels(said.get("pods", {}), f"{where}.pods"), "" if named == namespace else named)


def _pods_of_namespaces(said: Mapping[str, Any], _namespace: str, where: str) -> Peer:
    return Pods(
        _labels(said.get("pods", {}), f"{where}.pods"),
        namespaces=_labels(said["namespaces"], f"{where}.namespaces"),
    )


def _addresses(said: Mapping[str, Any], _namespace: str, where: str) -> Peer:
    whole = _network(said["cidr"], f"{where}.cidr")
    excepted = said.get("except", [])
    if not isinstance(excepted, Sequence) or isinstance(excepted, str):
        raise HardeningError(f"{where}.except: {excepted!r} is not a list of address ranges.")
    parts = [_network(each, f"{where}.except[{at}]") for at, each in enumerate(excepted)]
    for part in parts:
        if part.version != whole.version or part == whole or not part.subnet_of(whole):  # type: ignore[arg-type]
            raise HardeningError(f"{where}.except: {part} is not a part of {whole}.")
    return Addresses(str(whole), tuple(sorted(map(str, parts))))


def _network(said: Any, where: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        if not isinstance(said, str):
            raise ValueError(said)
        return ipaddress.ip_network(said)
    except ValueError:
        meant = _with_host_bits_cleared(said)
        hint = f"; did you mean {meant}?" if meant else ", like 10.0.0.0/8 or 2001:db8::/32."
        raise HardeningError(f"{where}: {said!r} is not an address range{hint}") from None


def _with_host_bits_cleared(said: Any) -> str:
    try:
        return str(ipaddress.ip_network(str(said), strict=False))
    except ValueError:
        return ""


def _flag(peer: Peer, key: str) -> Callable[[Mapping[str, Any], str, str], Peer]:
    def parse(said: Mapping[str, Any], _namespace: str, where: str) -> Peer:
        if said[key] is not True:
            raise HardeningError(f"{where}.{key}: the only value is true; leave the peer out instead of {said[key]!r}.")
        return peer

    return parse


@dataclass(frozen=True, slots=True)
class _Form:
    key: str
    keys: tuple[str, ...]
    parse: Callable[[Mapping[str, Any], str, str], Peer]


_FORMS: tuple[_Form, ...] = (
    _Form("any", ("any",), _flag(Anyone(), "any")),
    _Form("api_server", ("api_server",), _flag(ApiServer(), "api_server")),
    _Form("cidr", ("cidr", "except"), _addresses),
    _Form("namespaces", ("namespaces", "pods"), _pods_of_namespaces),
    _Form("pods", ("pods", "namespace"), _pods),
)
_RESERVED = frozenset(key for form in _FORMS for key in form.keys)


def _labels(said: Any, where: str) -> Labels:
    if not isinstance(said, Mapping) or not all(isinstance(value, str | int | float) for value in said.values()):
        raise HardeningError(f"{where}: {said!r} is not a map of labels like {{app: frontend}}.")
    wrong = next((key for key, value in said.items() if isinstance(value, bool)), None)
    if wrong is not None:
        raise HardeningError(
            f"{where}.{wrong}: a label's value is text; put {str(said[wrong]).lower()} in quotation marks."
        )
    labels = tuple(sorted((str(key), str(value)) for key, value in said.items()))
    for key, value in labels:
        if not is_label_key(key):
            raise HardeningError(f"{where}: {key!r} is not the key of a label like app or example.com/app.")
        if not is_label_value(value):
            raise HardeningError(
                f"{where}.{key}: {value!r} is not the value of a label; it has at most {NAME_LENGTH} letters, digits, "
                "dots, dashes and underscores, and a letter or a digit at both ends."
            )
    return labels


def _refuse_unknown_keys(said: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in said:
        if key not in known:
            meant = did_you_mean(str(key), known)
            hint = f"; did you mean {meant}?" if meant else f"; it goes together with none but {', '.join(known)}."
            raise HardeningError(f"{where}: {key!r} does not belong here{hint}")


def told_peer(peer: Peer) -> str:
    """A peer as a policy writes it."""
    match peer:
        case Anyone():
            return "{any: true}"
        case ApiServer():
            return "{api_server: true}"
        case Addresses(cidr, excepted):
            return f"{{cidr: {cidr}" + (f", except: [{', '.join(excepted)}]}}" if excepted else "}")
        case Pods(labels, "", None):
            return _told_labels(labels)
        case Pods((), "", namespaces):
            return f"{{namespaces: {_told_labels(namespaces or ())}}}"
        case Pods(labels, "", namespaces):
            return f"{{namespaces: {_told_labels(namespaces or ())}, pods: {_told_labels(labels)}}}"
        case Pods((), namespace, _):
            return f"{{namespace: {namespace}}}"
        case Pods(labels, namespace, _):
            return f"{{pods: {_told_labels(labels)}, namespace: {namespace}}}"


def _told_labels(labels: Labels) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in labels) + "}"
