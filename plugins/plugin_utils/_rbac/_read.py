# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what the modules of access share: their options, and what these mean on a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._sets import find_set
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._generate import (
    API_VERSION,
    MANAGER,
    objects,
    to_remove,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._settings import (
    AccessSettings,
    parse_settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import (
    Resolution,
    is_meant,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import (
    SET_LABEL,
    left_over,
    reaches_everywhere,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import (
    NAMESPACES_SPEC,
    live_namespaces,
    resolved,
)

SETTINGS_SPEC: dict[str, Any] = {**NAMESPACES_SPEC, "cluster": {"type": "dict", "default": {}}}
"""The options that both modules take, as the doc fragments ``settings`` and ``rbac`` tell them."""

RBAC = {kind: KNOWN[API_VERSION, kind] for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")}
_IN_NAMESPACES, _IN_CLUSTER = ("Role", "RoleBinding"), ("ClusterRole", "ClusterRoleBinding")

_NOTHING_SAID = AccessSettings("")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a task's options mean on a cluster.

    ``places`` are the settings of each namespace that gets any, and of the cluster. ``reached`` are the namespaces that
    the options give, also those that say nothing any more; ``live`` those that there are. ``cluster`` is what is said
    of the cluster, also where a limit leaves that alone.
    """

    resolution: Resolution
    places: tuple[AccessSettings, ...]
    reached: tuple[str, ...]
    live: tuple[str, ...]
    unlisted: str
    set_name: str
    only: tuple[str, ...]
    prune: bool
    with_cluster: bool
    cluster: AccessSettings = _NOTHING_SAID

    @property
    def objects(self) -> list[Object]:
        """All roles and bindings that are wanted.

        Where a limit leaves the cluster alone, its ClusterRoles that a namespace grants are wanted all the same: they
        give nobody anything by themselves.
        """
        granted = {grant.name for said in self.places for grant in said.grants if grant.kind == "ClusterRole"}
        of_cluster = [] if self.cluster in self.places else objects(self.cluster, self.set_name)
        needed = [each for each in of_cluster if each["kind"] == "ClusterRole" and each["metadata"]["name"] in granted]
        return [*needed, *(each for said in self.places for each in objects(said, self.set_name))]

    @property
    def foreign(self) -> list[Object]:
        """What is to be taken away though it is not ours."""
        return [each for said in self.places for each in to_remove(said, self.set_name)]

    @property
    def everywhere(self) -> bool:
        """Whether what the set has elsewhere is looked for."""
        return reaches_everywhere(self.set_name, self.prune)


@dataclass(frozen=True, slots=True)
class Left:
    """What this set has and the settings do not ask for any more; ``unseen`` says why some may not have been seen."""

    objects: tuple[Object, ...]
    unseen: str = ""


def read(client: Client, said: Mapping[str, Any]) -> Wanted:
    """Who gets which settings; raises HardeningError on a mistake in any of them."""
    live, unlisted = live_namespaces(client, said)
    resolution = resolved(live, said)
    places = [parse_settings(each, name) for name, each in resolution.settings.items()]
    # What is limited to some namespaces leaves the cluster alone.
    cluster = parse_settings(said["cluster"], "")
    if said["cluster"] and not said["only"]:
        places.append(cluster)
    named = {name for name in said["namespaces"] if is_meant(name, said["only"]) and name not in resolution.missing}
    return Wanted(
        resolution,
        tuple(places),
        tuple(sorted({*resolution.settings, *named})),
        tuple(each["metadata"]["name"] for each in live),
        unlisted,
        said["set"],
        tuple(said["only"]),
        said["prune"],
        bool(said["cluster"]),
        cluster,
    )


def left_behind(client: Client, wanted: Wanted, keep: Sequence[Object]) -> Left:
    """What of the set is there and not among ``keep``; raises KubeError where the given namespaces cannot be read."""
    if wanted.everywhere:
        found = find_set(client, list(RBAC.values()), wanted.set_name)
        if not found.unseen:
            return Left(tuple(_of_set([each for each in found.objects if _is_meant(each, wanted)], keep, wanted)))
    pages = client.parallel(
        lambda place: client.list(place[0], place[1], label_selector=_label(wanted), metadata_only=True),
        [(RBAC[kind], name) for name in wanted.reached for kind in _IN_NAMESPACES]
        + [(RBAC[kind], "") for kind in _IN_CLUSTER if wanted.with_cluster and not wanted.only],
    )
    listed = [each for page in pages for each in page]
    return Left(tuple(_of_set(listed, keep, wanted)), found.why_unseen if wanted.everywhere else "")


def _label(wanted: Wanted) -> str:
    return f"{SET_LABEL}={wanted.set_name}"


def _is_meant(obj: Object, wanted: Wanted) -> bool:
    namespace = obj["metadata"].get("namespace", "")
    return is_meant(namespace, wanted.only) if namespace else not wanted.only


def _of_set(listed: Sequence[Object], keep: Sequence[Object], wanted: Wanted) -> list[Object]:
    return left_over(listed, keep, wanted.set_name, MANAGER)
