# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: proves that one API server can read every object of a resource out of etcd.

A LIST proves nothing: the watch cache answers it, page by page too, with what was decrypted when it was written. A GET
that names no resourceVersion is always answered out of etcd (``CacheDelegator.Get`` of k8s.io/apiserver), and what the
server counts of its own decryptions shows that it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer, Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._crew import Crew, Limits, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._failover import (
    PATIENCE_SECONDS,
    Servers,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._pages import METADATA, Stored, pages
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import MOST_LISTED, reason_of
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._servers import resource_of


@dataclass(frozen=True, slots=True)
class Read:
    """What became of the objects of a resource at one server.

    ``read`` could be read, ``gone`` were deleted meanwhile; ``unreadable`` are the others, each with the reason, at
    most ``MOST_LISTED`` of ``unreadable_count``. ``left`` were not tried, because the server had failed at all
    for a minute. ``decrypted`` is how many values of the resource the server says it has read out of etcd meanwhile:
    none of a resource that its configuration does not name. ``errors`` is how many values, of whatever resource, it
    says it could not decrypt meanwhile.
    """

    read: int = 0
    gone: int = 0
    unreadable: tuple[tuple[str, str], ...] = ()
    unreadable_count: int = 0
    left: int = 0
    decrypted: int = 0
    errors: int = 0
    seconds: float = 0

    @property
    def is_proved(self) -> bool:
        """Whether it read every object, and out of etcd, and nothing that it asked etcd for was a riddle to it."""
        return not (self.unreadable_count or self.left or self.errors) and self.decrypted >= self.read


def read_all(
    client_at: Client,
    resource: str,
    limits: Limits | None = None,
    progress: Progress | None = None,
    still_allowed: Callable[[], None] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Read:
    """Read all objects of a resource such as ``secrets`` at the server of this client; nothing of them is kept.

    Raises KubeError where they may not be listed, and Unreachable where the server has not answered for
    ``patience_seconds``.
    """
    return _Run(
        Servers([client_at], still_allowed, patience_seconds), resource, Crew(limits or Limits(), progress)
    ).all()


class _Run:
    def __init__(self, servers: Servers, resource: str, crew: Crew) -> None:
        self._servers = servers
        self._name = resource
        self._resource = self._servers.ask(lambda client: resource_of(client, resource))
        self._crew = crew
        self._lock = threading.Lock()
        self._read = self._gone = self._unreadable_count = 0
        self._unreadable: list[tuple[str, str]] = []

    def all(self) -> Read:
        started, before = time.monotonic(), self._servers.ask(evidence)
        self._crew.go_through(pages(self._servers, self._resource), self._one)
        after = self._servers.ask(evidence)
        return Read(
            self._read,
            self._gone,
            tuple(sorted(self._unreadable)),
            self._unreadable_count,
            self._crew.left,
            int(after.from_storage.get(self._name, 0) - before.from_storage.get(self._name, 0)),
            int(after.from_storage_errors - before.from_storage_errors),
            time.monotonic() - started,
        )

    def _one(self, each: Stored) -> None:
        path = self._resource.path(each.namespace, each.name)
        answer = self._crew.ask(lambda: self._servers.request("GET", path, accept=METADATA, insist=False))
        with self._lock:
            if answer.ok:
                self._read += 1
            elif answer.status == 404:
                self._gone += 1
            else:
                self._note_unreadable(each, answer)

    def _note_unreadable(self, each: Stored, answer: Answer) -> None:
        self._unreadable_count += 1
        if len(self._unreadable) < MOST_LISTED:
            self._unreadable.append((str(each), reason_of(answer)))
