# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: restarts one API server, once load balancers know that the last one is back."""

from __future__ import annotations

import time
from math import inf

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._files import Writing, backup_of
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import BINARY

_LOOK_AGAIN_SECONDS = 2.0
_WAIT_SECONDS = 5.0


def restart(context: Context, seen: Seen, name: str, writing: Writing, *, repairs: bool) -> None:
    """The files of a server that starts anew by them; the node puts the former ones back if it does not come up."""
    node = seen.on_node[name]
    backup = backup_of(node)
    there = context.nodes.ask(name, "_files", [("read", {"paths": [backup["path"]]})])[0][backup["path"]]
    files = [*([] if there else [backup]), *writing.files]
    let_balancers_notice(context, seen, name)
    context.tell(f"the API server {name} starts anew with its new manifest")
    watching = {
        "files": files,
        "binary": BINARY,
        "port": int(node.said.flag("secure-port", "6443")),
        "seconds": context.options.restart_seconds,
        "repairs": repairs,
    }
    context.on_nodes("write_watched", {name: watching})
    _wait_for_restart(context, name)


def let_balancers_notice(context: Context, seen: Seen, name: str) -> None:
    """A load balancer takes a while to send requests to a server that is back: until then it counts as away."""
    options = context.options
    ready = [
        context.memory.ready_for(other, told, options.restart_seconds)
        for other, told in seen.told.items()
        if other != name
    ]
    until = time.monotonic() + options.ready_seconds - min(ready, default=inf)
    while (left := until - time.monotonic()) > 0:
        context.guard.check()
        context.waiting(f"waiting until load balancers know that the last server is back, {left:.0f} s")
        time.sleep(min(left, _WAIT_SECONDS))


def _wait_for_restart(context: Context, name: str) -> None:
    """Until the watcher on the node, which would put the former files back, has seen the server answer."""
    while True:
        context.guard.check_playbook()
        told = context.nodes.ask(name, "_files", [("watched", {})])[0] or {}
        if told.get("state") == "ready":
            return
        if told.get("state") != "waiting":
            raise HardeningError(
                f"The API server {name} did not come up with its new manifest within "
                f"{context.options.restart_seconds} s. {told.get('told', 'Nobody watches it any more.')} Look at the "
                "log of its container on the node, correct what it complains of, and run the same command again."
            )
        context.waiting(f"waiting for the API server {name} to start anew")
        time.sleep(_LOOK_AGAIN_SECONDS)
