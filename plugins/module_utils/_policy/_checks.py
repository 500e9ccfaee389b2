# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the rules between several values of a policy, which a schema alone cannot say.

A rule gets a value of the policy, of whatever type it turned out to have, and yields ``(path, text)`` for each
mistake, the path counted from that value. A value of the wrong type is left to the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import Path
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_access import ACCESS_CHECKS
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_encryption import ENCRYPTION_CHECKS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import parse_flow, parse_peer
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import contradictions
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import mistakes_in

Wrong = Iterator[tuple[Path, str]]

_SECTIONS = ("pod_security", "network", "resources", "access")


def _says_something(policy: Any) -> Wrong:
    cluster = policy.get("cluster") if isinstance(policy, dict) else None
    if isinstance(cluster, dict) and cluster.keys() & {"access", "encryption"}:
        return
    if isinstance(policy, dict) and not policy.keys() & {"namespaces", "selected", "defaults"}:
        yield (), "says nothing of any namespace: give it namespaces, selected or defaults"


def _says_settings(selected: Any) -> Wrong:
    if isinstance(selected, dict) and not selected.keys() & set(_SECTIONS):
        yield (), f"says nothing of the namespaces that it selects: give it {' or '.join(_SECTIONS)}"


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


def _allow_needs_deny(network: Any) -> Wrong:
    if isinstance(network, dict) and network.get("allow") and not network.get("default_deny"):
        yield ("allow",), "opens nothing without default_deny, and would close all else: add default_deny"


def _flows_of_namespaces(namespaces: Any) -> Wrong:
    for name, settings in namespaces.items() if isinstance(namespaces, dict) else ():
        for path, text in _flows(settings, name):
            yield (name, *path), text


def _flows_of_many(selected: Any) -> Wrong:
    for at, settings in enumerate(selected if isinstance(selected, list) else ()):
        for path, text in _flows(settings, "that gets these settings"):
            yield (at, *path), text


def _flows_of_defaults(defaults: Any) -> Wrong:
    yield from _flows(defaults, "that gets these settings")


def _flows(settings: Any, namespace: str) -> Wrong:
    network = settings.get("network") if isinstance(settings, dict) else None
    flows = network.get("allow") if isinstance(network, dict) else None
    for at, flow in enumerate(flows if isinstance(flows, list) else ()):
        sides = [side for side in ("from", "to") if isinstance(flow, dict) and side in flow]
        wrong = {side: told for side in sides if (told := _refused(parse_peer, flow[side], namespace, side))}
        for side, told in wrong.items():
            yield ("network", "allow", at, side), told
        if not wrong and (told := _refused(parse_flow, flow, namespace, "flow")):
            yield ("network", "allow", at), told


def _refused(parse: Callable[[Any, str, str], object], said: Any, namespace: str, where: str) -> str:
    try:
        parse(said, namespace, where)
    except HardeningError as error:
        return str(error).removeprefix(f"{where}: ").removeprefix(f"{where}.").rstrip(".")
    return ""


def _network_policy(spec: Any) -> Wrong:
    if isinstance(spec, dict):
        yield from mistakes_in(spec)


def _limits_in_order(resources: Any) -> Wrong:
    yield from contradictions(resources)


CHECKS: Mapping[str, Callable[[Any], Wrong]] = {
    "says_something": _says_something,
    "says_settings": _says_settings,
    "one_subject": _one_subject,
    "versions_have_levels": _versions_have_levels,
    "allow_needs_deny": _allow_needs_deny,
    "flows_of_namespaces": _flows_of_namespaces,
    "flows_of_many": _flows_of_many,
    "flows_of_defaults": _flows_of_defaults,
    "network_policy": _network_policy,
    "limits_in_order": _limits_in_order,
    **ACCESS_CHECKS,
    **ENCRYPTION_CHECKS,
}
"""``x-check`` in the schema → the rule."""

OF_RIGHT_VALUES = frozenset({"flows_of_namespaces", "flows_of_many", "flows_of_defaults", "network_policy"})
"""Rules that are asked only of values with no other mistake in them: they would tell that a second time."""
