# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: storage version migrations, which write the same objects anew as a walk does."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client

GROUPS = ("storagemigration.k8s.io", "migration.k8s.io")
"""The API of kube-controller-manager (KEP-4192), and that of the project kube-storage-version-migrator before it."""

_PLURAL = "storageversionmigrations"
_ENDS = ("Succeeded", "Failed")


def unended(client: Client, resources: Collection[str]) -> Iterator[tuple[str, str]]:
    """The migrations of these resources, such as ``secrets``, that have not ended: each with what it writes anew.

    They are told as kubectl takes them, ``storageversionmigrations.GROUP/NAME``. One that nobody has begun yet may
    begin at any time. Raises KubeError where they may not be listed.
    """
    for group in GROUPS:
        kind = client.resource_by_plural(group, _PLURAL)
        for each in client.list(kind) if kind else ():
            meant = (each.get("spec") or {}).get("resource") or {}
            name = ".".join(filter(None, (meant.get("resource"), meant.get("group"))))
            conditions = (each.get("status") or {}).get("conditions") or ()
            ended = any(said["type"] in _ENDS and said["status"] == "True" for said in conditions)
            if name in resources and not ended:
                yield f"{_PLURAL}.{group}/{each['metadata']['name']}", name
