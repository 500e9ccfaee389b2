# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Begins and ends the record of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import begun, judged
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    DEFAULT_FOLDER,
    about_now,
    new_name,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import RecordFile, check_keep, end


class ActionModule(HardeningAction):
    """The first and the last line of a record; a run that changes nothing leaves none."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "state": {"type": "str", "choices": ["begun", "ended"], "required": True},
        "records": {"type": "path", "default": DEFAULT_FOLDER},
        "about": {"type": "dict", "default": {}},
        "record": {"type": "path"},
        "findings": {"type": "list", "elements": "dict"},
        "keep": {"type": "int", "default": 20},
    }
    RULES: ClassVar[dict[str, Any]] = {"required_if": [("state", "ended", ["record"])]}

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Name the record, or complete it."""
        check_keep(arguments["keep"])
        return self._begin(arguments) if arguments["state"] == "begun" else self._end(arguments)

    def _begin(self, arguments: dict[str, Any]) -> dict[str, Any]:
        name = new_name()
        file = Path(arguments["records"]).absolute() / f"{name}.jsonl"
        told = {"changed": False, "run": name, "record": str(file)}
        if self.check_mode:
            return told
        try:
            about = {key: str(value) for key, value in arguments["about"].items()}
            RecordFile(file).append([begun(name, about_now(**about))])
        except OSError as error:
            return {**told, "warnings": [f"The record cannot be written to {file}: {error.strerror}."]}
        return told

    def _end(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Trouble with the record is a warning: the run itself is done, and its verdict is still to come."""
        file = Path(arguments["record"]).absolute()
        told: dict[str, Any] = {"changed": False, "run": file.stem, "record": str(file), "dropped": []}
        if self.check_mode:
            return told
        findings = arguments["findings"]
        more = [judged(findings)] if findings is not None else []
        kept = end(lambda: connect(arguments), file, more, arguments["keep"])
        return {**told, **kept}
