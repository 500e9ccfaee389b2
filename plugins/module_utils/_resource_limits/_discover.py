# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a policy would say of the quotas and limits that there are.

Each is made again from what was written and held against the live object: what comes out otherwise is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._objects import is_scoped, objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._settings import check_settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._keepers import keepers_comments
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import (
    FIELDS,
    LIMITS_NAME,
    QUOTA_NAME,
    TYPES,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import set_of

Object = Mapping[str, Any]
Said = dict[str, Any]

_OURS = {theirs: ours for ours, theirs in TYPES.items()}
_FIELDS = {theirs: ours for ours, theirs in FIELDS.items()}


@dataclass(slots=True)
class Discovered:
    """What a policy would say below ``resources`` of one namespace, and sentences for its owner."""

    settings: Said = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


def of_namespace(namespace: str, quotas: Sequence[Object], limit_ranges: Sequence[Object], set_name: str) -> Discovered:
    """The quotas and LimitRanges of a namespace, in the order of their names."""
    found = Discovered()
    declared = []
    for live in sorted([*quotas, *limit_ranges], key=lambda each: (each["kind"], str(each["metadata"]["name"]))):
        if "deletionTimestamp" in live["metadata"]:
            continue
        said, why = _settings(namespace, live, set_name)
        if why:
            label = f"{live['kind']} {live['metadata']['name']}"
            found.comments.append(f"{label} is left out and stays as it is: {why}.")
            continue
        declared.append(live)
        for key, value in said.items():
            named = key in ("quotas", "limit_ranges")
            found.settings[key] = {**found.settings.get(key, {}), **value} if named else value
    found.settings = {key: found.settings[key] for key in _ORDER if key in found.settings}
    found.comments += keepers_comments(declared)
    return found


_ORDER = ("quota", "quotas", "limits", "limit_ranges")


def _settings(namespace: str, live: Object, set_name: str) -> tuple[Said, str]:
    """The settings that mean this one object, or why there are none."""
    if set_of(live) not in ("", set_name):
        return {}, f"it belongs to the set {set_of(live)}"
    try:
        said = (_quota if live["kind"] == "ResourceQuota" else _limits)(live)
        check_settings({namespace: said}, [], {})
    except HardeningError as error:
        return {}, f"a policy cannot say it ({str(error).splitlines()[-1].rstrip('.')})"
    made = objects(namespace, said)
    if [each["spec"] for each in made] != [_spec(live)]:
        return {}, "a policy cannot say all of it"
    return said, ""


def _quota(live: Object) -> Said:
    spec, name = live.get("spec") or {}, live["metadata"]["name"]
    if name == QUOTA_NAME and not is_scoped(live):
        return {"quota": dict(spec.get("hard") or {})}
    said: Said = {"hard": dict(spec.get("hard") or {})}
    if spec.get("scopes"):
        said["scopes"] = list(spec["scopes"])
    if spec.get("scopeSelector"):
        said["scope_selector"] = [
            {"scope_name": each["scopeName"], "operator": each["operator"], **_values(each)}
            for each in spec["scopeSelector"].get("matchExpressions") or ()
        ]
    return {"quotas": {name: said}}


def _values(requirement: Object) -> Said:
    return {"values": list(requirement["values"])} if requirement.get("values") else {}


def _limits(live: Object) -> Said:
    name = live["metadata"]["name"]
    said: Said = {}
    for limit in (live.get("spec") or {}).get("limits") or ():
        kind = _OURS.get(limit["type"])
        if kind is None:
            raise HardeningError(f"limits of {limit['type']}")
        said[kind] = {ours: dict(limit[theirs]) for theirs, ours in _FIELDS.items() if limit.get(theirs)}
    return {"limits": said} if name == LIMITS_NAME else {"limit_ranges": {name: said}}


def _spec(live: Object) -> Said:
    """The specification with nothing in it that says nothing."""
    spec = {key: value for key, value in (live.get("spec") or {}).items() if value}
    if live["kind"] == "LimitRange":
        spec["limits"] = [{key: value for key, value in each.items() if value} for each in spec.get("limits", ())]
    return spec
