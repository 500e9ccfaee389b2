# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells which runs are recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._load import Listed, Records
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import DEFAULT_FOLDER

_TOLD = ("time", "user", "policy", "playbook", "objects", "reverts", "reverted_by")


class ActionModule(HardeningAction):
    """What is in the cluster and what is in the folder, in one list."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "records": {"type": "path", "default": DEFAULT_FOLDER},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """List them, newest first."""
        records = Records(connect(arguments), Path(arguments["records"]).absolute())
        runs = [_told(each) for each in records.listed()]
        warnings = [f"The records in the cluster could not be read: {records.unseen}"] if records.unseen else []
        return {"changed": False, "runs": runs, **({"warnings": warnings} if warnings else {})}


def _told(run: Listed) -> dict[str, Any]:
    said = {key: run.told.get(key, "") for key in _TOLD}
    return {
        "run": run.name,
        **said,
        "objects": int(said["objects"] or 0),
        "file": run.file,
        "in_cluster": run.in_cluster,
    }
