# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: reads what a judgement of access needs, and remembers what it was not allowed to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import Forbidden
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._demands import Cluster
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._undeclared import Bindings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._ask import served
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._rbac._read import RBAC, Wanted

_SERVICE_ACCOUNT = KNOWN["v1", "ServiceAccount"]
_ONE_BY_ONE_UP_TO = 8

Object = dict[str, Any]
Pages = dict[str, list[Object]]


@dataclass(frozen=True, slots=True)
class Facts:
    """Roles, bindings and service accounts; ``accounts`` has no entry for a namespace that could not be read."""

    cluster: Cluster
    bindings: Bindings
    accounts: Mapping[str, frozenset[str]]
    accounts_unseen: str


def read_facts(client: Client, wanted: Wanted) -> Facts:
    """Everything at once, since none of it waits for another."""
    spaces = sorted(said.namespace for said in wanted.places if said.namespace)
    forbids_everywhere = any(said.must_not for said in wanted.places if not said.namespace)
    accounts_in = sorted({who.namespace for said in wanted.places for who in _named(said) if who.namespace})
    reader = _Reader(client)
    jobs: dict[str, Callable[[], Any]] = {
        "served": reader.served,
        "roles": partial(reader.in_each, RBAC["Role"], [""] if forbids_everywhere else spaces),
        "role_bindings": partial(reader.in_each, RBAC["RoleBinding"], spaces),
        "cluster_roles": partial(reader.in_each, RBAC["ClusterRole"], [""]),
        "cluster_role_bindings": partial(reader.in_each, RBAC["ClusterRoleBinding"], [""]),
        "accounts": partial(reader.in_each, _SERVICE_ACCOUNT, accounts_in, metadata_only=True),
    }
    names = list(jobs)
    read = dict(zip(names, client.parallel(lambda name: jobs[name](), names), strict=True))
    unseen = reader.unseen
    roles = [each for page in (read["roles"], read["cluster_roles"]) for objects in page.values() for each in objects]
    return Facts(
        Cluster(
            read["served"],
            {(each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each for each in roles},
            wanted.live,
            {
                **{kind: why for (kind, _namespace), why in unseen.items()},
                **({"namespaces": wanted.unlisted} if wanted.unlisted else {}),
            },
        ),
        Bindings(
            read["role_bindings"],
            read["cluster_role_bindings"].get("", []),
            {each["metadata"]["name"]: each for each in read["cluster_roles"].get("", ())},
            _unseen_bindings(unseen),
        ),
        {name: _accounts(name, found, wanted) for name, found in read["accounts"].items()},
        "; ".join(sorted({why for (kind, _name), why in unseen.items() if kind == "ServiceAccount"})),
    )


def _accounts(namespace: str, found: Iterable[Object], wanted: Wanted) -> frozenset[str]:
    """The service accounts of a namespace; the one called default comes with it, a moment later."""
    is_there = namespace in wanted.live or namespace in wanted.resolution.creating
    return frozenset([each["metadata"]["name"] for each in found] + (["default"] if is_there else []))


def _named(said: Any) -> Iterable[Any]:
    yield from (who for grant in said.grants for who in grant.to)
    yield from (each.who for each in said.must_not)


def _unseen_bindings(unseen: Mapping[tuple[str, str], str]) -> dict[str, str]:
    kinds = ("RoleBinding", "ClusterRoleBinding")
    return {namespace: why for (kind, namespace), why in unseen.items() if kind in kinds}


class _Reader:
    def __init__(self, client: Client) -> None:
        self._client = client
        self.unseen: dict[tuple[str, str], str] = {}

    def served(self) -> Served | None:
        try:
            return served(self._client)
        except Forbidden:
            return None

    def in_each(self, resource: Resource, namespaces: Sequence[str], *, metadata_only: bool = False) -> Pages:
        """The objects of each namespace, by one request where these are many; none for one that may not be read."""
        if len(namespaces) > _ONE_BY_ONE_UP_TO:
            try:
                return _by_namespace(self._client.list(resource, metadata_only=metadata_only), namespaces)
            except Forbidden:
                pass
        pages = self._client.parallel(lambda name: self._listed(resource, name, metadata_only), namespaces)
        return {name: page for name, page in zip(namespaces, pages, strict=True) if page is not None}

    def _listed(self, resource: Resource, namespace: str, metadata_only: bool) -> list[Object] | None:
        try:
            return self._client.list(resource, namespace, metadata_only=metadata_only)
        except Forbidden as error:
            self.unseen[resource.kind, namespace] = str(error)
            return None


def _by_namespace(objects: Iterable[Object], namespaces: Iterable[str]) -> Pages:
    found: Pages = {name: [] for name in namespaces}
    for each in objects:
        if each["metadata"]["namespace"] in found:
            found[each["metadata"]["namespace"]].append(each)
    return found
