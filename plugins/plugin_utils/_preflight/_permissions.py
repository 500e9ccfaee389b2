# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which permissions of a run its user does not have."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client, Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import Permission, places


def missing(client: Client, wanted: Sequence[Permission], only: Collection[str]) -> list[Permission]:
    """What this user lacks, in the whole cluster and also in the namespaces that the run is about."""
    answers = client.allowed([_question(each, each.verb, each.namespace, each.name) for each in wanted])
    lacking = [each for each, allowed in zip(wanted, answers, strict=True) if not allowed]
    asked = [(each, place) for each in lacking for place in places(each, only)]
    here = client.allowed([_question(each, *place) for each, place in asked])
    refused = {each for (each, _place), allowed in zip(asked, here, strict=True) if not allowed}
    had = {each for each, _place in asked} - refused
    return [each for each in lacking if each not in had]


def _question(permission: Permission, verb: str, namespace: str = "", name: str = "") -> Question:
    resource, _slash, subresource = permission.resource.partition("/")
    return Question(verb, permission.group, resource, namespace, name, subresource)
