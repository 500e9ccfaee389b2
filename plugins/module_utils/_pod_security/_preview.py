# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how to get the server to judge the pods that run, and what its answer says of them.

It judges them when a namespace's labels change, in a dry run too (``ValidateNamespace`` of pod-security-admission).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._judged import judged_fields
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    LATEST,
    Standard,
    server_checks_pods,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    PodGroup,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import is_running

Object = Mapping[str, Any]

NO_LEVEL = "hardening-probe"
"""A level that there is not: the server takes it for a label only where nothing there enforces Pod Security."""

_REFUSES_NO_LEVEL = "must be one of privileged, baseline, restricted"
_EXEMPT = "is exempt from Pod Security"


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of what a namespace enforces now.

    ``refused_for``: what a probe was refused for. ``lets_in``: a pod that breaks what is wanted is let in as it is.
    ``labelled``: what its labels say, if they say level and version; else the server's own defaults count.
    """

    refused_for: Standard | None = None
    lets_in: bool = False
    labelled: Standard | None = None

    def __str__(self) -> str:
        return str(self.refused_for or self.labelled or "not known")


def twin(wanted: Standard, server: tuple[int, int]) -> Standard | None:
    """The same rules under another version's name, if this server has any."""
    newest = f"v1.{server[1]}"
    if wanted.version == LATEST:
        return replace(wanted, version=newest)
    if int(wanted.version.removeprefix("v1.")) >= server[1]:
        return replace(wanted, version=LATEST)
    return None


def standard_to_ask(wanted: Standard, before: Before, server: tuple[int, int]) -> Standard | None:
    """The standard, by rules the one that is wanted, whose labels make the server judge running pods; or none does."""
    if before.lets_in:
        return wanted
    enforced = before.refused_for or before.labelled
    if enforced is None:
        return None
    return next((each for each in (wanted, twin(wanted, server)) if each and server_checks_pods(enforced, each)), None)


def is_exempt(existing: ExistingPods) -> bool:
    """Whether the server warned that it leaves this namespace alone."""
    return any(_EXEMPT in text for text in existing.other)


def refuses_no_level(message: str) -> bool:
    """Whether an answer shows that Pod Security reads the labels of namespaces."""
    return _REFUSES_NO_LEVEL in message


def without_finished(existing: ExistingPods, pods: Sequence[Object]) -> ExistingPods:
    """What is left when groups go of which no pod runs any more: the server judges finished pods like others."""
    running = [pod for pod in pods if is_running(pod)]
    if pods and not running and not existing.incomplete:
        return replace(existing, violate=False, groups=())
    left = tuple(group for group in existing.groups if not _is_finished(group, pods))
    return replace(existing, violate=existing.violate and (bool(left) or not existing.groups), groups=left)


def _is_finished(group: PodGroup, pods: Iterable[Object]) -> bool:
    """Whether all pods of a group are known and none runs: those alike are in it, and its number tells of others."""
    by_name = {str(pod["metadata"]["name"]): pod for pod in pods}
    named = by_name.get(group.pod)
    if named is None or is_running(named):
        return False
    alike = [pod for pod in by_name.values() if judged_fields(pod) == judged_fields(named)]
    return len(alike) > group.others and not any(map(is_running, alike))
