# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: asks API servers who may do what."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    KubeError,
    Unauthorized,
    Unreachable,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import (
    API,
    Access,
    Reply,
    reply_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served, served_by

Progress = Callable[[int, int], None]
Replies = dict[Access, Reply]

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


def ask(client: Client, questions: Sequence[Access], progress: Progress | None = None) -> list[Reply]:
    """The server's answers in the order of the questions; a question that it refuses has the reason in its reply.

    Raises Unreachable and Unauthorized, which no other question would fare better with.
    """
    once = list(dict.fromkeys(questions))
    replies = dict(zip(once, client.parallel(lambda each: _reply(client, each), once, progress), strict=True))
    return [replies[each] for each in questions]


def _reply(client: Client, question: Access) -> Reply:
    path = f"/apis/{API}/{question.kind.lower()}s"
    try:
        answer = client.checked(client.request("POST", path, body=question.review), question.kind)
    except (Unreachable, Unauthorized):
        raise
    except KubeError as error:
        return Reply(error=str(error))
    return reply_of(answer.object.get("status") or {})


def served(client: Client) -> Served:
    """The resources that the server has; raises KubeError."""
    return served_by(client.parallel(client.discovery, ("/api", "/apis")))


def ask_until(
    client: Client,
    questions: Sequence[Access],
    pending: Callable[[Replies], Sequence[Access]],
    seconds: float,
    progress: Progress | None = None,
) -> Replies:
    """The answers of one server. Those that are ``pending`` are asked again until none is, or the time is up.

    An authorizer learns of a role or a binding a moment after it was written.
    """
    replies = dict(zip(questions, ask(client, questions, progress), strict=True))
    deadline, pause = time.monotonic() + seconds, _SHORTEST_PAUSE
    while (left := pending(replies)) and time.monotonic() < deadline:
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(2 * pause, _LONGEST_PAUSE)
        replies |= dict(zip(left, ask(client, left, progress), strict=True))
    return replies
