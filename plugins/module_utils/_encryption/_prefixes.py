# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: where in etcd the values of a resource are.

How they begin is looked at on the node, by the program that asks etcd.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import (
    breadth,
    canonical,
    lookup_order,
    parsed,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

_BUILT_IN = frozenset({"", "apps", "autoscaling", "batch", "policy"}) | {
    f"{group}.k8s.io"
    for group in (
        "admissionregistration", "certificates", "coordination", "discovery", "flowcontrol.apiserver",
        "internal.apiserver", "networking", "node", "rbac.authorization", "resource", "scheduling", "storage",
        "storagemigration",
    )
}  # fmt: skip
"""The groups that kube-apiserver itself stores, 1.34 to 1.37, which have no directory of their own in etcd. All others
have one, also apiextensions.k8s.io and apiregistration.k8s.io (``SimpleRestOptionsFactory`` of k8s.io/apiserver)."""
_DIRECTORIES = {
    "replicationcontrollers": "controllers",
    "endpoints": "services/endpoints",
    "nodes": "minions",
    "services": "services/specs",
    "ingresses.networking.k8s.io": "ingress",
}
"""``SpecialDefaultResourcePrefixes`` of ``pkg/kubeapiserver/default_storage_factory_builder.go``."""
_STORED_AS = {"events.events.k8s.io": "events"}
_NOT_STORED = frozenset({"componentstatuses"})


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A directory of etcd, the resource whose values are there, and the name by which a configuration means it.

    ``is_served``: whether any API server gives access to it, as none does where its API was switched off.
    """

    directory: str
    resource: str
    name: str
    is_served: bool = True


def places_of(served: Iterable[str], names: Collection[str], etcd_prefix: str = "/registry") -> tuple[Place, ...]:
    """Where in etcd the values are that a configuration means, in a fixed order.

    ``served`` are all resources that the API server stores itself, such as ``secrets`` and ``deployments.apps``, and
    ``names`` those of the configuration. Resources that it does not name, in any way, are left out; those that it names
    by themselves are there although no server serves them.
    """
    places = set()
    for resource in map(canonical, served):
        stored = _STORED_AS.get(resource, resource)
        name = next((name for name in lookup_order(stored) if name in names), None)
        if name is not None and stored not in _NOT_STORED:
            places.add(Place(directory_of(stored, etcd_prefix), stored, name))
    known = {place.resource for place in places} | _NOT_STORED
    unserved = {canonical(name) for name in names if not breadth(name)} - known
    places |= {Place(directory_of(each, etcd_prefix), each, each, is_served=False) for each in unserved}
    return tuple(sorted(places))


def directory_of(resource: str, etcd_prefix: str = "/registry") -> str:
    """Where in etcd the values of a resource are, with the slash at the end that parts it from others.

    ``etcd_prefix`` is the server's ``--etcd-prefix``. Raises :class:`HardeningError` on a name for several resources.
    """
    group, name = parsed(canonical(resource))
    if "*" in (group, name) or not name:
        raise HardeningError(f"{resource!r} does not name one resource, so there is no one place for it in etcd.")
    inside = _DIRECTORIES.get(canonical(resource)) or (name if group in _BUILT_IN else f"{group}/{name}")
    # As the server makes it out of its flag: path.Join("/", prefix) of apiserver/pkg/storage/etcd3/store.go.
    return "/".join(("", *filter(None, etcd_prefix.split("/")), inside, ""))
