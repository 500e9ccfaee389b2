# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: discovers Pod Security labels, and which levels could be enforced; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security import _discover as pod_security
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._discover import (
    STRICTEST_FIRST,
    Possible,
    Tried,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import namespace_object
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._preview import (
    is_exempt,
    without_finished,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    enforcing_label,
    labelled,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import existing_pods
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._workloads import (
    templates_without_pods,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._part import Part
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._reading import by_reason
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._preview import Preview, why_off
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import Running, running_in

_FORBIDDEN = " is forbidden: "
_NEEDED = " A dry run needs the permission to patch namespaces, which the ClusterRole hardening-enforce has."

Object = dict[str, Any]
Levels = Literal["today", "possible"]
Progress = Callable[[int, int], None]


def pod_security_settings(
    client: Client, namespaces: Sequence[Object], set_name: str, levels: Levels, progress: Progress
) -> Part:
    """The section ``pod_security``: the labels as they are, or with ``possible`` the strictest harmless level."""
    running = running_in(client, [_name(each) for each in namespaces])
    tried = _tried(client, namespaces, running, progress)
    settings: dict[str, dict[str, str]] = {}
    comments: dict[str, list[str]] = {}
    for each in namespaces:
        name = _name(each)
        said, told = pod_security.of_namespace(each, set_name)
        found = _possible(each, tried[name], running[name])
        if levels == "possible" and not told:
            said = pod_security.tightened(said, found, client.version())
        if said:
            settings[name] = said
        comments[name] = [*told, *found.sentences]
    return Part(settings, comments=comments, unseen=_unseen(tried))


def _possible(namespace: Object, tried: Sequence[Tried], running: Running) -> Possible:
    unasked = templates_without_pods(running.workloads)
    if running.not_seen:
        unasked = [*unasked, f"whatever this user {running.not_seen}"]
    return pod_security.possible(tried, unasked, labelled(namespace["metadata"].get("labels") or {}))


def _tried(
    client: Client, namespaces: Sequence[Object], running: Mapping[str, Running], progress: Progress
) -> dict[str, list[Tried]]:
    """What the server says of each namespace: the strictest level first, and a looser one where that breaks pods."""
    tried: dict[str, list[Tried]] = {_name(each): [] for each in namespaces}
    # Whoever may patch some namespaces alone is told so of the others.
    off = dict(zip(tried, client.parallel(partial(why_off, client), tried), strict=True))
    for level in STRICTEST_FIRST:
        asked = [name for name, answers in tried.items() if not answers or answers[-1].existing]
        asked = [name for name in asked if not any(each.harmless for each in tried[name])]
        found = client.parallel(partial(_try, client, level, running, off), asked, progress)
        for name, answer in zip(asked, found, strict=True):
            tried[name].append(answer)
    return tried


def _try(
    client: Client, level: str, running: Mapping[str, Running], off: Mapping[str, Preview | None], name: str
) -> Tried:
    if why := off[name]:
        return Tried(level, why=why.why)
    standard = pod_security.standard_to_try(level, client.version())
    wanted = namespace_object(name, enforcing_label(standard.level, standard.version))
    answer = client.apply(wanted, manager=MANAGER, dry_run=True, force=True)
    if not answer.ok:
        return Tried(level, why=answer.message)
    existing = existing_pods(answer.warnings)
    if is_exempt(existing):
        return Tried(level, why="; ".join(existing.other))
    return Tried(level, without_finished(existing, running[name].pods))


def _unseen(tried: Mapping[str, Sequence[Tried]]) -> list[str]:
    """A sentence for each reason why the server would not say which level a namespace could enforce."""
    why = {name: answers[-1].why for name, answers in tried.items() if answers and answers[-1].why}
    return [
        f"Which Pod Security level {names} could enforce is not known: {reason.rstrip('.')}."
        + (_NEEDED if _FORBIDDEN in reason else "")
        for names, reason in by_reason(why)
    ]


def _name(namespace: Object) -> str:
    return str(namespace["metadata"]["name"])
