# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the rules between several values of a policy, which a schema alone cannot say.

A rule gets a value of the policy, of whatever type it turned out to have, and yields ``(path, text)`` for each
mistake, the path counted from that value. What another rule or the schema already tells is left to it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import Path
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_network import RESERVED_PEER_KEYS

Wrong = Iterator[tuple[Path, str]]

_PEER_FORMS: tuple[frozenset[str], ...] = (
    frozenset({"pods", "namespace"}),
    frozenset({"pods", "namespaces"}),
    frozenset({"cidr", "except"}),
    frozenset({"api_server"}),
    frozenset({"any"}),
)
_PEER_FORMS_SAID = (
    "allowed together: pods with namespace, pods with namespaces, cidr with except; api_server and any stand alone"
)


def _says_something(policy: Any) -> Wrong:
    if isinstance(policy, dict) and not policy.keys() & {"namespaces", "selected", "defaults"}:
        yield (), "says nothing of any namespace: give it namespaces, selected or defaults"


def _one_subject(waiver: Any) -> Wrong:
    if isinstance(waiver, dict) and len(waiver.keys() & {"subject", "subject_glob"}) != 1:
        yield (), "must have either subject or subject_glob"


def _versions_have_levels(pod_security: Any) -> Wrong:
    if not isinstance(pod_security, dict):
        return
    for mode in ("audit", "warn"):
        if f"{mode}_version" in pod_security and mode not in pod_security:
            yield (f"{mode}_version",), f"has no effect without {mode}"
    if "version" in pod_security and not pod_security.keys() & {"enforce", "audit", "warn"}:
        yield ("version",), "has no effect without enforce, audit or warn"


def _peer(peer: Any) -> Wrong:
    if not isinstance(peer, dict):
        return
    said = frozenset(peer.keys() & set(RESERVED_PEER_KEYS))
    if not any(said <= form for form in _PEER_FORMS):
        yield (), f"{', '.join(key for key in peer if key in said)} do not go together; {_PEER_FORMS_SAID}"
    elif "except" in said and "cidr" not in said:
        yield (), "except leaves parts out of a cidr, and there is none"
    elif "except" in said:
        yield from _outside(peer["cidr"], peer["except"])


def _outside(cidr: Any, excepted: Any) -> Wrong:
    whole = _network(cidr)
    for at, text in enumerate(excepted if isinstance(excepted, list) else ()):
        part = _network(text)
        if whole and part and (part.version != whole.version or not part.subnet_of(whole) or part == whole):  # type: ignore[arg-type]
            yield ("except", at), f"{text} is not a part of {cidr}"


def _network(text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def _flows_touch_their_namespace(namespaces: Any) -> Wrong:
    for name, settings in namespaces.items() if isinstance(namespaces, dict) else ():
        for path, text in _untouching_flows(settings, name):
            yield (name, *path), text


def _flows_touch_the_namespace(value: Any) -> Wrong:
    if isinstance(value, list):
        for at, settings in enumerate(value):
            for path, text in _untouching_flows(settings, ""):
                yield (at, *path), text
    else:
        yield from _untouching_flows(value, "")


def _untouching_flows(settings: Any, namespace: str) -> Wrong:
    network = settings.get("network") if isinstance(settings, dict) else None
    flows = network.get("allow") if isinstance(network, dict) else None
    for at, flow in enumerate(flows if isinstance(flows, list) else ()):
        if not isinstance(flow, dict) or not {"from", "to"} <= flow.keys():
            continue
        if not any(_is_in(flow[side], namespace) for side in ("from", "to")):
            whose = namespace or "the namespace that it is written for"
            yield (
                ("network", "allow", at),
                f"neither side of this flow is in {whose}: give one of them plain labels of its pods",
            )


def _is_in(peer: Any, namespace: str) -> bool:
    """Whether a peer is of the namespace itself; anything that is no mapping gets the benefit of the doubt."""
    if not isinstance(peer, dict):
        return True
    if peer.get("namespace") == namespace and namespace:
        return True
    return not peer.keys() & (set(RESERVED_PEER_KEYS) - {"pods"})


CHECKS: Mapping[str, Callable[[Any], Wrong]] = {
    "says_something": _says_something,
    "one_subject": _one_subject,
    "versions_have_levels": _versions_have_levels,
    "peer": _peer,
    "flows_touch_their_namespace": _flows_touch_their_namespace,
    "flows_touch_the_namespace": _flows_touch_the_namespace,
}
"""``x-check`` in the schema → the rule."""
