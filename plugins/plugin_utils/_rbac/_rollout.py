# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: writes roles and bindings, and removes what is left, without a gap in anybody's access."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden, KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._demands import (
    Cluster,
    Demand,
    RoleKey,
    demands,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import label
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._judge import unexpected
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import Access
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import AccessSettings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._api_servers import api_servers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._ask import Replies, ask_until
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import RBAC, Wanted
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._self import stood_on

_ESCALATION = re.compile(
    r'user "(?P<user>[^"]*)".*?is attempting to grant RBAC permissions not currently held:\s*(?P<what>.*)', re.DOTALL
)
_ROLE_REF = re.compile(r"cannot change roleRef")
_NO_SUCH_ROLE = re.compile(r'roles\.rbac\.authorization\.k8s\.io "(?P<name>[^"]*)" not found')
_SETTLING_SECONDS = 15.0
_UNASKED_PAUSE_SECONDS = 2.0

Object = dict[str, Any]
Progress = Callable[[int, int], None]


def carry_out(
    client: Client, wanted: Wanted, left: Sequence[Object], options: ApplyOptions, progress: Progress
) -> list[ObjectResult]:
    """Write all, roles first; then, where nothing failed and the access is in force, remove what is left and foreign.

    What goes from a namespace may be replaced in the whole cluster, and the other way round: it waits for both.
    Raises KubeError only where nothing can be done at all, before anything was written.
    """
    written = [_clear(each) for each in apply_objects(client, wanted.objects, options, progress)]
    if options.dry_run:
        written = _with_roles_to_come(written)
    going = [*left, *wanted.foreign]
    from_places = {_place(each) for each in going}
    failed = dict.fromkeys(
        (each.namespace for each in written if each.action == "failed"), "what replaces it could not be written."
    )
    kept = _spread(failed, from_places)
    if not options.dry_run:
        changed = {each.namespace for each in written if each.changed}
        kept |= _spread(_late(client, wanted, from_places - kept.keys(), changed), from_places)
    stays = [each for each in going if _place(each) in kept]
    removal = replace(options, state="absent")
    ours = [each for each in left if _place(each) not in kept]
    own = _own(client, wanted.foreign)
    foreign = [each for each in wanted.foreign if _place(each) not in kept and label(each) not in own]
    return [
        *written,
        *_removed(client, ours, removal, progress),
        *(_clear(each) for each in _removed(client, foreign, replace(removal, set_name=""), progress)),
        *(_kept(each, kept[_place(each)]) for each in stays),
        *(_kept(each, own[label(each)]) for each in wanted.foreign if label(each) in own and each not in stays),
    ]


def _spread(reasons: Mapping[str, str], places: Collection[str]) -> dict[str, str]:
    """The same reasons by the places that they keep something in."""
    return {place: why for replacing, why in reasons.items() for place in places if _may_replace(replacing, place)}


def _may_replace(one: str, other: str) -> bool:
    return one == other or not one or not other


def _removed(
    client: Client, objects: Sequence[Object], options: ApplyOptions, progress: Progress
) -> list[ObjectResult]:
    """The results of a removal, also where the server has gone since the writes, which must not be lost with it."""
    try:
        return apply_objects(client, objects, options, progress)
    except KubeError as error:
        return [_kept(each, str(error)) for each in objects]


def _own(client: Client, foreign: Sequence[Object]) -> dict[str, str]:
    try:
        return stood_on(client, foreign)
    except KubeError as error:
        return {label(each): f"whether it gives this user its own access is not known. {error}" for each in foreign}


def _late(client: Client, wanted: Wanted, going_from: Collection[str], changed: Collection[str]) -> dict[str, str]:
    """The places that give not yet what they are to, each with the reason, as far as something goes for it."""
    near = [said for said in wanted.places if any(_may_replace(said.namespace, place) for place in going_from)]
    asked = [said for said in near if said.namespace in changed or said.namespace in going_from]
    try:
        cluster = _others_roles(client, near)
        return _without_role(near, wanted.set_name, cluster) | _not_yet(client, asked, wanted.set_name, cluster)
    except KubeError as error:
        return {said.namespace: str(error) for said in near}


def _granted(said: AccessSettings, set_name: str, cluster: Cluster) -> list[Demand]:
    return demands(replace(said, must_not=()), set_name, cluster)


def _without_role(places: Sequence[AccessSettings], set_name: str, cluster: Cluster) -> dict[str, str]:
    """Where a role is granted that gives nothing: whoever may bind any role may bind one that is not there."""
    return {
        said.namespace: f"{demand.about}: {demand.wrong[0]}."
        for said in places
        for demand in _granted(said, set_name, cluster)
        if demand.wrong
    }


def _not_yet(client: Client, places: Sequence[AccessSettings], set_name: str, cluster: Cluster) -> dict[str, str]:
    """The places in which some API server does not let through yet what is granted, each with the reason.

    A server hears of roles and of bindings separately: a binding's removal may reach it before the role that replaces
    another one.
    """
    asked = {said.namespace: _granted(said, set_name, cluster) for said in places}
    everything = list(dict.fromkeys(each for these in asked.values() for demand in these for each in demand.questions))
    if not everything:
        return {}

    def pending(replies: Replies) -> Sequence[Access]:
        return [each for these in asked.values() for demand in these for each in unexpected(demand, replies)]

    late: dict[str, str] = {}
    servers = api_servers(client)
    if servers.missed or servers.note:
        # Who cannot be asked can only be waited for.
        time.sleep(_UNASKED_PAUSE_SECONDS)
    for _address, at in servers.reached:
        replies = ask_until(at, everything, pending, _SETTLING_SECONDS)
        if any(reply.error for reply in replies.values()):
            time.sleep(_UNASKED_PAUSE_SECONDS)
            continue
        for place, these in asked.items():
            refused = [each for demand in these for each in unexpected(demand, replies)]
            if refused:
                late[place] = f"{refused[0].who} may not yet {refused[0]}, which is granted: run it again."
    return late


def _others_roles(client: Client, places: Sequence[AccessSettings]) -> Cluster:
    """What is there of the roles that are granted here and made elsewhere."""
    named = {
        (grant.kind, said.namespace if grant.kind == "Role" else "", grant.name)
        for said in places
        for grant in said.grants
        if grant.rules is None
    }
    unseen: dict[str, str] = {}

    def found(key: RoleKey) -> Object | None:
        kind, namespace, name = key
        try:
            return client.get(RBAC[kind], name, namespace)
        except Forbidden as error:
            unseen[kind] = str(error)
            return None

    keys = sorted(named)
    live = dict(zip(keys, client.parallel(found, keys), strict=True)) if keys else {}
    return Cluster(None, {key: role for key, role in live.items() if role}, unseen=unseen)


def _kept(obj: Object, why: str) -> ObjectResult:
    metadata = obj["metadata"]
    return ObjectResult(
        obj["apiVersion"],
        obj["kind"],
        metadata.get("namespace", ""),
        metadata["name"],
        "failed",
        {},
        error=f"It was not removed: {why}",
    )


def _clear(result: ObjectResult) -> ObjectResult:
    """The result with a refusal of RBAC's own in words that say what the user needs."""
    if result.action != "failed":
        return result
    if found := _ESCALATION.search(result.error):
        what = " ".join(found["what"].split("This permission")[0].split("Grant this permission")[0].split())
        verb = "bind" if result.kind.endswith("Binding") else "escalate"
        on = "roles and clusterroles" if verb == "bind" else f"{result.kind.lower()}s"
        return replace(
            result,
            error=f"The user {found['user']} may not give what it does not hold itself: {what.rstrip('. ')}. "
            f"Give the user these permissions, or the verb {verb} on {on}; the ClusterRole hardening-enforce has it.",
        )
    if _ROLE_REF.search(result.error):
        return replace(
            result,
            error="It is there already with another role, which cannot be changed: give the grant another binding, or "
            "none, and take this one away by remove. Or delete it, which takes the access for a moment, and run this "
            "again.",
        )
    return result


def _with_roles_to_come(written: Sequence[ObjectResult]) -> list[ObjectResult]:
    """In check mode the role of a binding is not there yet, of which the server must not be taken at its word."""
    coming = {(each.namespace, each.name) for each in written if each.action == "created"}

    def seen(each: ObjectResult) -> ObjectResult:
        found = _NO_SUCH_ROLE.search(each.error) if each.action == "failed" else None
        if found and (each.namespace, found["name"]) in coming:
            return replace(each, action="created", error="", verified=False)
        return each

    return [seen(each) for each in written]


def _place(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"].get("namespace", ""))
