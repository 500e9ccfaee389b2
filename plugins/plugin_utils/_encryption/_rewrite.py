# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: has the API servers write every object of a resource anew, with the key that writes now.

A patch that changes nothing is enough: ``GuaranteedUpdate`` of the server's etcd store writes all the same where the
value was read by another key or provider than the first, and writes nothing where it was not. The patch carries the
object's uid and resourceVersion alone, and the answer its metadata, so that no secret leaves the server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import METADATA_LIST, Answer, Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import Resource
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._crew import Crew, Limits, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._failover import (
    PATIENCE_SECONDS,
    Servers,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._pages import (
    METADATA,
    Stored,
    pages,
    stored,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import resource_of

MANAGER = "hardening.kubernetes/encryption"
TRIED = 5
MOST_LISTED = 1_000
"""So many objects that could not be rewritten are named; the others are counted."""

_QUERY = (("fieldManager", MANAGER), ("fieldValidation", "Ignore"))
"""A patch without any field of the object has none to validate; a server that is not told so parses it all twice."""
_MERGE = "application/merge-patch+json"
_TRIES = 5
_LONGEST_REASON = 400


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of the objects of a resource.

    ``done`` have the key that writes now, of which ``unchanged`` had it before; ``gone`` were deleted meanwhile, or
    made anew. ``conflicts`` counts how often somebody else wrote at the same time. ``stuck`` are those that the server
    refuses to write, each with the reason, at most ``MOST_LISTED`` of ``stuck_count``. ``left`` were not tried, because
    the server had failed at everything for a minute. ``seconds`` is how long it took.
    """

    done: int = 0
    unchanged: int = 0
    gone: int = 0
    conflicts: int = 0
    stuck: tuple[tuple[str, str], ...] = ()
    stuck_count: int = 0
    left: int = 0
    seconds: float = 0


def rewrite(
    clients: Sequence[Client],
    resource: str,
    limits: Limits | None = None,
    progress: Progress | None = None,
    still_allowed: Callable[[], None] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Rewritten:
    """Rewrite all objects of a resource such as ``secrets``, through whichever of the servers answers.

    ``progress(done, total)`` is called several times a second from this thread. ``still_allowed`` is called at least
    every second, by any thread, and raises once this run may change nothing any more. Raises what it raises, KubeError
    where the objects may not be listed, and Unreachable where no server has answered for ``patience_seconds``.
    """
    started = time.monotonic()
    servers = Servers(clients, still_allowed, patience_seconds)
    found = servers.ask(lambda client: resource_of(client, resource))
    return _Run(servers, found, Crew(limits or Limits(), progress)).all(started)


def refused_rewrites(client: Client, resource: str) -> Iterator[str]:
    """What would refuse to have objects written anew, tried on the first few by dry runs, which admission sees too."""
    found = resource_of(client, resource)
    page = client.checked_list(client.request("GET", found.path(), query=[("limit", str(TRIED))], accept=METADATA_LIST))
    for item in page["items"] or ():
        each = stored(item)
        body = {"metadata": {"uid": each.uid, "resourceVersion": each.version}}
        path, query = found.path(each.namespace, each.name), [*_QUERY, ("dryRun", "All")]
        answer = client.request("PATCH", path, query=query, body=body, content_type=_MERGE, accept=METADATA)
        if not answer.ok and answer.status not in (404, 409):
            yield (
                f"{resource} {each} cannot be rewritten: {reason_of(answer)}. Let what refuses it pass an update that "
                "changes nothing."
            )


class _Run:
    def __init__(self, servers: Servers, resource: Resource, crew: Crew) -> None:
        self._servers = servers
        self._resource = resource
        self._crew = crew
        self._lock = threading.Lock()
        self._done = self._unchanged = self._gone = self._conflicts = self._refused = 0
        self._stuck: list[tuple[str, str]] = []

    def all(self, started: float) -> Rewritten:
        self._crew.go_through(pages(self._servers, self._resource), self._one)
        return Rewritten(
            self._done,
            self._unchanged,
            self._gone,
            self._conflicts,
            tuple(sorted(self._stuck)),
            self._refused,
            self._crew.left,
            time.monotonic() - started,
        )

    def _one(self, each: Stored) -> None:
        """Have it written, in the version in which it is then."""
        current = each
        for _try in range(_TRIES):
            answer = self._patched(current)
            if answer.ok:
                self._note_done(unchanged=_version_in(answer) == current.version)
                return
            if answer.status not in (404, 409):
                self._note_stuck(each, answer)
                return
            found = self._now(each) if answer.status == 409 else None
            if found is None or found.uid != each.uid:
                self._note_gone()
                return
            current = found
        # Whoever writes it all the time does so with the key that writes now.
        self._note_done(unchanged=False)

    def _patched(self, each: Stored) -> Answer:
        body = {"metadata": {"uid": each.uid, "resourceVersion": each.version}}
        more = {"query": _QUERY, "body": body, "content_type": _MERGE}
        return self._asked("PATCH", each, **more)

    def _asked(self, method: str, each: Stored, **more: Any) -> Answer:
        path = self._resource.path(each.namespace, each.name)
        return self._crew.ask(lambda: self._servers.request(method, path, accept=METADATA, insist=False, **more))

    def _now(self, each: Stored) -> Stored | None:
        """It as it is after somebody else wrote it; ``None`` where it was deleted."""
        with self._lock:
            self._conflicts += 1
        answer = self._asked("GET", each)
        return None if answer.status == 404 else stored(self._servers.checked(answer).object)

    def _note_done(self, *, unchanged: bool) -> None:
        with self._lock:
            self._done += 1
            self._unchanged += unchanged

    def _note_gone(self) -> None:
        with self._lock:
            self._gone += 1

    def _note_stuck(self, each: Stored, answer: Answer) -> None:
        with self._lock:
            self._refused += 1
            if len(self._stuck) < MOST_LISTED:
                self._stuck.append((str(each), reason_of(answer)))


def _version_in(answer: Answer) -> str:
    return str((answer.object.get("metadata") or {}).get("resourceVersion", ""))


def reason_of(answer: Answer) -> str:
    """Why a server refused, in one line."""
    told = " ".join(answer.message.split())
    return told if len(told) <= _LONGEST_REASON else f"{told[:_LONGEST_REASON]}…"
