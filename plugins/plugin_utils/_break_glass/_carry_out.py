# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: finds what of ours stands in the way of others, and takes it away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._break_glass._record import Taken
from ansible_collections.hardening.kubernetes.plugins.module_utils._break_glass._table import (
    BREAKABLE,
    BREAKABLE_GROUPS,
    manager_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._changes import meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer, Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    Forbidden,
    KubeError,
    NotFound,
    Unauthorized,
    Unreachable,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._ownership import owned_fields
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._refusals import refusal
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._break_glass import closing
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._break_glass import ENFORCING, relaxed
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER as POD_SECURITY
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MARK
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import Action, ObjectResult
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import set_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

Object = dict[str, Any]
_NETWORK_POLICY, _NAMESPACE = KNOWN["networking.k8s.io/v1", "NetworkPolicy"], KNOWN["v1", "Namespace"]


@dataclass(frozen=True, slots=True)
class InTheWay:
    """What is to go: ranks of live objects, each rank at once, then namespaces with the labels that are to stay.

    ``resources`` are the kinds of the objects, ``unseen`` says in a sentence each what could not be looked for.
    """

    ranks: Sequence[Sequence[Object]]
    namespaces: Mapping[str, Object]
    relaxed: Mapping[str, dict[str, str]]
    resources: Mapping[tuple[str, str], Resource]
    unseen: Sequence[str]

    def taken(self) -> list[Taken]:
        """Everything as it is, for the record."""
        gone = [Taken(manager_of(each), meant(each)) for each in chain(*self.ranks)]
        return gone + [Taken(POD_SECURITY, _labelled(each, _owned_labels(each))) for each in self.namespaces.values()]


@dataclass(slots=True)
class _Seen:
    objects: dict[Resource, list[Object]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)


def look(client: Client, sets: Sequence[str], only: Sequence[str]) -> InTheWay:
    """Everything of these sets (none: of all) that can stop somebody, in these namespaces (none: in the whole cluster).

    What may not be looked for is told, and hides nothing else. Raises :class:`HardeningError` for a set or a namespace
    that nobody knows: a mistyped name would leave all as it is, and nobody would see why.
    """
    seen = _see(client, only)
    if not seen.unseen:
        _refuse_unknown_sets(sets, _sets_in(seen))
    ours = {
        resource: [each for each in objects if manager_of(each) and (not sets or set_of(each) in sets)]
        for resource, objects in seen.objects.items()
    }
    policies, namespaces = ours.pop(_NETWORK_POLICY), _enforcing(seen.objects[_NAMESPACE], sets)
    going = {id(each) for each in policies}
    staying = [each for each in seen.objects[_NETWORK_POLICY] if id(each) not in going]
    gates = [each for resource, objects in ours.items() if resource != _NAMESPACE for each in objects]
    return InTheWay(
        # What other writes have to pass goes first, so that it stands in the way of no deletion.
        ranks=[gates, *closing(policies, staying)],
        namespaces=namespaces,
        relaxed={name: relaxed(_labels(each), _owned_labels(each)) or {} for name, each in namespaces.items()},
        resources={(resource.api_version, resource.kind): resource for resource in seen.objects},
        unseen=seen.unseen,
    )


def _enforcing(namespaces: Iterable[Object], sets: Sequence[str]) -> dict[str, Object]:
    """The namespaces of these sets whose Pod Security we enforce."""
    return {
        str(each["metadata"]["name"]): each
        for each in namespaces
        if (not sets or set_of(each, MARK) in sets) and relaxed(_labels(each), _owned_labels(each)) is not None
    }


def _sets_in(seen: _Seen) -> set[str]:
    """Every set that left its mark on anything that was looked at."""
    objects = [each for found in seen.objects.values() for each in found if manager_of(each)]
    return {set_of(each) for each in objects} | {set_of(each, MARK) for each in seen.objects[_NAMESPACE]} - {""}


def _refuse_unknown_sets(sets: Iterable[str], known: set[str]) -> None:
    """Where there is no mark of any set left, the set may be one that was taken away before."""
    for each in sets:
        if known and each not in known:
            close = did_you_mean(each, known)
            hint = f"did you mean {close}?" if close else f"there is something of {', '.join(sorted(known)[:10])}."
            raise HardeningError(f"set: there is nothing of a set {each}, so nothing was taken away; {hint}")


def _refuse_unknown_namespaces(only: Sequence[str], names: set[str]) -> None:
    for glob in only:
        if not any(is_meant(name, [glob]) for name in names):
            close = did_you_mean(glob, names)
            hint = f"; did you mean {close}?" if close else "."
            raise HardeningError(f"only: there is no namespace {glob}, so nothing was taken away{hint}")


def _see(client: Client, only: Sequence[str]) -> _Seen:
    """With ``only``, nothing that acts on the whole cluster is looked for: it is not to be touched."""
    seen = _Seen()
    kinds = [_NAMESPACE, *(KNOWN[kind] for kind in BREAKABLE)]
    kinds += [] if only else [each for group in BREAKABLE_GROUPS for each in _kinds_of(client, group, seen)]
    wanted = [resource for resource in kinds if not only or resource in (_NAMESPACE, _NETWORK_POLICY)]
    pages = client.parallel(partial(_listed, client, only, seen), wanted)
    if not seen.unseen:
        _refuse_unknown_namespaces(only, {str(each["metadata"]["name"]) for each in pages[0]})
    for resource, objects in zip(wanted, pages, strict=True):
        seen.objects[resource] = [each for each in objects if not only or is_meant(_place(each), only)]
    return seen


def _listed(client: Client, only: Sequence[str], seen: _Seen, resource: Resource) -> list[Object]:
    try:
        return client.list(resource)
    except NotFound:
        return []
    except (Unauthorized, Unreachable):
        raise
    except KubeError as error:
        # Whoever may do all of it in one namespace alone has to be able to break the glass there.
        if isinstance(error, Forbidden) and only and not any(set("*?[") & set(each) for each in only):
            return _listed_in(client, only, seen, resource)
        seen.unseen.append(str(error))
        return []


def _listed_in(client: Client, names: Sequence[str], seen: _Seen, resource: Resource) -> list[Object]:
    def one(name: str) -> list[Object]:
        try:
            if resource.namespaced:
                return client.list(resource, name)
            found = client.get(resource, name)
            return [found] if found else []
        except KubeError as error:
            seen.unseen.append(str(error))
            return []

    return list(chain(*client.parallel(one, names)))


def _kinds_of(client: Client, group_version: str, seen: _Seen) -> list[Resource]:
    """The kinds of a group version, which only the server knows; none where it has no such group."""
    answer = client.request("GET", f"/apis/{group_version}")
    if answer.status == 404:
        return []
    try:
        told = client.checked(answer, "APIResourceList").object.get("resources") or ()
    except KubeError as error:
        seen.unseen.append(str(error))
        return []
    return [
        Resource(group_version, each["kind"], each["name"], bool(each.get("namespaced")))
        for each in told
        if "/" not in each["name"]
    ]


def carry_out(client: Client, found: InTheWay, *, dry_run: bool) -> list[ObjectResult]:
    """Take everything away, each rank in parallel. What fails is told, and keeps nothing else back."""
    delete = partial(_safely, partial(_deleted, client, found.resources, dry_run))
    relax = partial(_safely, partial(_relaxed, client, found.relaxed, dry_run))
    done = [result for rank in found.ranks for result in client.parallel(delete, rank)]
    return done + client.parallel(relax, found.namespaces.values())


def _safely(act: Callable[[Object], ObjectResult], obj: Object) -> ObjectResult:
    try:
        return act(obj)
    except HardeningError as error:
        return _result(obj, "failed", error=str(error))


def _deleted(client: Client, resources: Mapping[tuple[str, str], Resource], dry_run: bool, obj: Object) -> ObjectResult:
    metadata = obj["metadata"]
    resource = resources[obj["apiVersion"], obj["kind"]]
    answer = client.delete(
        resource, metadata["name"], metadata.get("namespace", ""), dry_run=dry_run, uid=metadata.get("uid", "")
    )
    if answer.ok or answer.status == 404:
        return _result(obj, "deleted", answer, {"before": meant(obj), "after": {}})
    return _result(obj, "failed", answer, error=refusal(answer))


def _relaxed(client: Client, wanted: Mapping[str, dict[str, str]], dry_run: bool, obj: Object) -> ObjectResult:
    """Apply what is to stay: the server takes away what we no longer say, unless somebody else says it too."""
    labels = wanted[obj["metadata"]["name"]]
    body = _labelled(obj, labels)
    body["metadata"]["uid"] = obj["metadata"]["uid"]
    answer = client.apply(body, manager=POD_SECURITY, dry_run=dry_run)
    if not answer.ok:
        return _result(obj, "failed", answer, error=refusal(answer))
    left = _labels(answer.object)
    if ENFORCING[0] in left:
        told = (
            f"{ENFORCING[0]}={left[ENFORCING[0]]} stays, since another field manager has set it too: take it away with "
            f"`kubectl label namespace {obj['metadata']['name']} {ENFORCING[0]}-`."
        )
        return _result(obj, "failed", answer, error=told)
    before = {key: value for key, value in _labels(obj).items() if left.get(key) != value}
    return _result(obj, "updated", answer, {"before": {"labels": before}, "after": {"labels": {}}})


def _result(
    obj: Object, action: Action, answer: Answer | None = None, diff: dict[str, Any] | None = None, *, error: str = ""
) -> ObjectResult:
    metadata = obj["metadata"]
    warnings = answer.warnings if answer else ()
    place = metadata.get("namespace", "")
    return ObjectResult(
        obj["apiVersion"], obj["kind"], place, metadata["name"], action, diff or {}, warnings, error=error
    )


def _labelled(namespace: Object, labels: Mapping[str, str] | Iterable[str]) -> Object:
    live = _labels(namespace)
    said = dict(labels) if isinstance(labels, Mapping) else {key: live[key] for key in labels if key in live}
    metadata: Object = {"name": namespace["metadata"]["name"], "labels": said}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _owned_labels(namespace: Object) -> list[str]:
    """The labels that the role ``pod_security`` has set."""
    fields = (owned_fields(namespace, POD_SECURITY) or {}).get("f:metadata", {}).get("f:labels", {})
    return sorted(key.removeprefix("f:") for key in fields if key != ".")


def _labels(obj: Mapping[str, Any]) -> dict[str, str]:
    return (obj.get("metadata") or {}).get("labels") or {}


def _place(obj: Object) -> str:
    metadata = obj["metadata"]
    return str(metadata.get("namespace") or metadata["name"])
