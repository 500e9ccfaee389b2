# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges all findings of a run, shows them, and writes them to a file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._table import Line, Tone, table
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import (
    CONTROLS_OF,
    Verdict,
    findings_told_by,
    judge,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import waiver_from_dict
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._report import make_room, write_report

REPORT_VERSION = 1
_COLOURS: dict[Tone, str | None] = {
    "plain": None,
    "good": constants.COLOR_OK,
    "bad": constants.COLOR_ERROR,
    "doubt": constants.COLOR_WARN,
}


class ActionModule(HardeningAction):
    """The verdict of a run: on the terminal, in a file, and as the task's own success."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        "state": {"type": "str", "choices": ["begun", "judged"], "default": "judged"},
        "findings": {"type": "list", "elements": "dict"},
        "parts": {"type": "list", "elements": "str", "choices": [*CONTROLS_OF], "default": []},
        "waivers": {"type": "list", "elements": "dict", "default": []},
        "accept_unknown": {"type": "list", "elements": "str", "default": []},
        "errors": {"type": "list", "elements": "str", "default": []},
        "about": {"type": "dict", "default": {}},
        "report": {"type": "path"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_if": [("state", "judged", ["findings"]), ("state", "begun", ["report"])]
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Make room for the report, or judge, show and write it."""
        file = Path(arguments["report"]).absolute() if arguments["report"] else None
        if arguments["state"] == "judged":
            return self._judge(arguments, file)
        if file:
            make_room(file)
        return {"changed": False}

    def _judge(self, arguments: dict[str, Any], file: Path | None) -> dict[str, Any]:
        """The task fails where the verdict does; in check mode only where a part of the run itself failed."""
        now = datetime.datetime.now(datetime.UTC)
        verdict = judge(
            findings_told_by(arguments["findings"]),
            [waiver_from_dict(each) for each in arguments["waivers"]],
            arguments["accept_unknown"],
            arguments["errors"],
            today=now.date(),
            parts=arguments["parts"],
            check_mode=self.check_mode,
        )
        unwritten = _unwritten(file, _report(verdict, arguments["about"], now, self.check_mode)) if file else ""
        for line in table(verdict, "" if unwritten else arguments["report"] or ""):
            _show(line)
        failed = bool(verdict.errors or (verdict.reasons and not self.check_mode))
        said = [f"The verdict is failure: {', '.join(verdict.reasons)}."] if failed else []
        return {
            "changed": False,
            "verdict": verdict.to_dict(),
            "report": "" if unwritten else arguments["report"] or "",
            **({"failed": True, "msg": " ".join([*said, unwritten]).strip()} if failed or unwritten else {}),
        }


def _unwritten(file: Path, report: dict[str, Any]) -> str:
    """Write the report; why it could not be written, so that a full disk hides no verdict."""
    try:
        write_report(file, report)
    except HardeningError as error:
        return str(error)
    return ""


def _report(verdict: Verdict, about: dict[str, Any], now: datetime.datetime, check_mode: bool) -> dict[str, Any]:
    return {
        "report_version": REPORT_VERSION,
        "time": now.isoformat(timespec="seconds"),
        "check_mode": check_mode,
        "about": about,
        "verdict": verdict.to_dict(),
        "errors": list(verdict.errors),
        "findings": verdict.findings_told(),
    }


def _show(line: Line) -> None:
    # From a worker of ansible-core 2.19, Display alone reaches the terminal.
    Display().display(line.text, color=_COLOURS[line.tone])
