# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes what this collection denies out of the way, at once, and records what it was."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._break_glass._record import record
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import RECORD_NAMESPACE
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult, diff_of, result
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._set import check_set_name
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._break_glass._carry_out import (
    InTheWay,
    carry_out,
    look,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._break_glass._record import (
    keep_here,
    keep_in_cluster,
    put_back,
    read,
    record_name,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import user_of
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import names_said, read_limit

_OUTAGE_SECONDS = 5.0
_MOST_LINES = 50


class ActionModule(HardeningAction):
    """The glass: a kubeconfig is all that it takes to break it."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "set": {"type": "list", "elements": "str"},
        "only": {"type": "list", "elements": "str"},
        "record": {"type": "path"},
        "restore": {"type": "path"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "mutually_exclusive": [("restore", option) for option in ("set", "only", "record")]
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Take everything away, or with ``restore`` put back what a record says."""
        sets, only = names_said(arguments["set"]), read_limit(arguments["only"])
        for name in sets:
            check_set_name(name)
        taken = read(Path(arguments["restore"])) if arguments["restore"] else []
        client = connect(arguments, outage_seconds=_OUTAGE_SECONDS)
        if arguments["restore"]:
            return self._told(put_back(client, taken, dry_run=self.check_mode), "put back")
        return self._break(client, look(client, sets, only), {"sets": sets, "only": only}, arguments["record"])

    def _break(self, client: Client, found: InTheWay, scope: dict[str, Any], file: str | None) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC)
        taken = found.taken()
        if self.check_mode or not taken:
            return self._told(carry_out(client, found, dry_run=True), "taken away", found.unseen)
        about = {"time": now.isoformat(timespec="seconds"), "server": client.server, "user": user_of(client), **scope}
        told = {**record(taken, **about), "unseen": list(found.unseen)}
        name = record_name(now)
        here, trouble = keep_here(told, Path(file or f"{name}.json").absolute())
        if here is None and (why := keep_in_cluster(client, told, name)):
            raise HardeningError(
                f"Nothing was taken away, since it could be recorded nowhere. {trouble} {why} "
                "Name a file that can be written with `-e record=FILE`."
            )
        done = carry_out(client, found, dry_run=False)
        told["results"] = [{"object": each.label, "action": each.action, "error": each.error} for each in done]
        if here:
            trouble = " ".join(filter(None, (trouble, keep_here(told, here)[1])))
        unkept = keep_in_cluster(client, told, name)
        troubles = [*filter(None, (trouble, unkept))]
        kept = {"file": str(here or ""), "config_map": "" if unkept else f"{RECORD_NAMESPACE}/{name}"}
        return {**self._told(done, "taken away", found.unseen, troubles, kept), "record": kept}

    def _told(
        self,
        done: list[ObjectResult],
        what: str,
        unseen: Iterable[str] = (),
        troubles: Iterable[str] = (),
        kept: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The result; failed by what could not be taken away and by what could not be looked for, at the end."""
        told = result(done)
        blind = [f"Not everything could be looked for. {each}" for each in dict.fromkeys(unseen)]
        for line in _lines(done, f"would be {what}" if self.check_mode else what, kept):
            Display().display(line, color=constants.COLOR_CHANGED if told["changed"] else constants.COLOR_OK)
        if blind:
            told |= {"failed": True, "msg": "\n".join([*filter(None, [told.get("msg", "")]), *blind])}
        if troubles:
            told["warnings"] = [*told.get("warnings", ()), *troubles]
        return {**told, "diff": diff_of(done)} if self.diff_mode else told


def _lines(done: list[ObjectResult], what: str, kept: dict[str, str] | None) -> Iterator[str]:
    changed = [each for each in done if each.changed]
    if not changed:
        yield f"Nothing {what}."
        return
    yield f"{len(changed)} {what}:"
    for each in changed[:_MOST_LINES]:
        note = " (the labels that enforce Pod Security)" if each.kind == "Namespace" else ""
        yield f"  {each.label}{note}"
    if len(changed) > _MOST_LINES:
        yield f"  and {len(changed) - _MOST_LINES} more"
    if kept is None:
        return
    yield f"Recorded in {' and in the ConfigMap '.join(filter(None, (kept['file'], kept['config_map'])))}."
    yield "To come back, run the policy again, which also proves it:"
    yield "  ansible-playbook hardening.kubernetes.harden_cluster -e policy=FILE"
    if kept["file"]:
        yield "or put back exactly what was there:"
        yield f"  ansible-playbook hardening.kubernetes.break_glass -e restore={kept['file']}"
    yield "Until then stop what runs harden_cluster by itself: it would put all of it back."
