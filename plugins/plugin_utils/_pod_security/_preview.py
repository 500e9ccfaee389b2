# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: has the server judge the pods that run, by dry runs of a namespace's labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._moment import namespace_object
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._preview import (
    NO_LEVEL,
    is_exempt,
    refuses_no_level,
    standard_to_ask,
    without_finished,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._sets import MANAGER
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import (
    LATEST,
    enforcing_label,
    labels,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    ExistingPods,
    existing_pods,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._running import Running
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._trials import Place

Object = dict[str, Any]
Progress = Callable[[int, int], None]

_MAY_PATCH = "Let this user patch namespaces: the patch of this check is a dry run."


@dataclass(frozen=True, slots=True)
class Preview:
    """What the server says of the running pods: ``existing``, or else ``why`` it says nothing and the ``remedy``.

    ``ignored`` says why the namespace's labels are without effect, empty where they are not known to be.
    """

    existing: ExistingPods | None = None
    why: str = ""
    remedy: str = ""
    ignored: str = ""


def previewed(
    client: Client, places: Sequence[Place], running: Mapping[str, Running], progress: Progress
) -> dict[str, Preview]:
    """A preview of each namespace. One request more shows that the server looks at labels at all."""
    if not places:
        return {}
    off = why_off(client, places[0].name)
    if off:
        return {place.name: off for place in places}
    found = client.parallel(lambda place: _preview(client, place, running[place.name]), places, progress)
    return {place.name: preview for place, preview in zip(places, found, strict=True)}


def why_off(client: Client, name: str) -> Preview | None:
    """Why the server would say nothing of running pods, by a change of this namespace; ``None`` where it would."""
    answer = client.apply(
        namespace_object(name, enforcing_label(NO_LEVEL, LATEST)), manager=MANAGER, dry_run=True, force=True
    )
    if answer.ok:
        why = "the server takes any label for a level, so that its plugin PodSecurity is off"
        return Preview(why=why, remedy="Take PodSecurity out of --disable-admission-plugins.", ignored=why)
    if refuses_no_level(answer.message):
        return None
    return _unsaid(answer.message)


def _preview(client: Client, place: Place, running: Running) -> Preview:
    asked = standard_to_ask(place.wanted, place.before, client.version())
    if asked is None:
        why = (
            f"the server judges running pods by {place.wanted} only where labels change to it from something looser, "
            f"and what this namespace enforces now is {place.before}"
        )
        return Preview(why=why, remedy="Run the role pod_security in enforce mode, which sets the labels.")
    wanted = {**labels(place.settings), **enforcing_label(asked.level, asked.version)}
    answer = client.apply(namespace_object(place.name, wanted), manager=MANAGER, dry_run=True, force=True)
    if not answer.ok:
        return _unsaid(answer.message)
    existing = existing_pods(answer.warnings)
    if is_exempt(existing):
        why = f"the server says so itself: {'; '.join(existing.other)}"
        return Preview(why=why, remedy="See pod_security.enforced of this namespace first.", ignored=why)
    return Preview(without_finished(existing, running.pods))


def _unsaid(message: str) -> Preview:
    return Preview(why=f"the server would not say what becomes of the running pods: {message}", remedy=_MAY_PATCH)
