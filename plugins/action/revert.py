# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts back what a run replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Run, reverted
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import diff_of, result
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._load import Records
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    DEFAULT_FOLDER,
    RunRecorder,
    new_name,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._revert import carry_out, look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import (
    check_keep,
    end,
    mark,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._telling import announced, ended
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._weighing import (
    Batches,
    blamed,
    losses_of,
    refuse_other_cluster,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import read_limit


class ActionModule(HardeningAction):
    """Field by field, the last written first; what was changed since stays."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "run": {"type": "str"},
        "record": {"type": "path"},
        "records": {"type": "path", "default": DEFAULT_FOLDER},
        "only": {"type": "list", "elements": "str"},
        "keep": {"type": "int", "default": 20},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_one_of": [("run", "record")],
        "mutually_exclusive": [("run", "record")],
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Find the record, tell what becomes weaker, put everything back."""
        only = read_limit(arguments["only"])
        check_keep(arguments["keep"])
        client = connect(arguments)
        folder = Path(arguments["records"]).absolute()
        records = Records(client, folder)
        file = Path(arguments["record"]).absolute() if arguments["record"] else None
        run = records.of_file(file) if file else records.run(arguments["run"])
        refuse_other_cluster(client, run)
        batches = blamed(look(client, run, lambda name: is_meant(name, only)), records, run)
        losses = losses_of(batches)
        for line in announced(run, losses, self.check_mode):
            Display().display(line, color=constants.COLOR_WARN if losses else None)
        told = self._carried_out(client, run, batches, folder, arguments["keep"])
        if told["run"] and not told.get("failed") and not only:
            told["warnings"] = [*told.get("warnings", ()), *mark(client, run, file or folder, reverted(told["run"]))]
        return {**told, "reverted": run.name, "weaker": [each.to_dict() for each in losses]}

    def _carried_out(self, client: Client, run: Run, batches: Batches, folder: Path, keep: int) -> dict[str, Any]:
        name = new_name()
        file = folder / f"{name}.jsonl"
        about = {"reverts": run.name, "policy": str(run.about.get("policy", "")), "playbook": "revert_cluster"}
        recorder = RunRecorder(client, file, about)
        client.recorder = recorder
        done = carry_out(client, batches, Progress("revert"), dry_run=self.check_mode)
        kept = end(lambda: client, file, [], keep) if recorder.begun else {}
        told = {**result(done), "run": name if recorder.begun else ""}
        for line in ended(told, self.check_mode):
            Display().display(line, color=constants.COLOR_CHANGED if told["changed"] else constants.COLOR_OK)
        if kept.get("warnings"):
            told["warnings"] = [*told.get("warnings", ()), *kept["warnings"]]
        return {**told, "diff": diff_of(done)} if self.diff_mode else told
