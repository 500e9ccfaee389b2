# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges all findings of a run, shows them, and writes them to a file."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._table import Line, Tone, table
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import (
    Verdict,
    findings_told_by,
    judge,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import waiver_from_dict
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction

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
        "findings": {"type": "list", "elements": "dict", "required": True},
        "waivers": {"type": "list", "elements": "dict", "default": []},
        "accept_unknown": {"type": "list", "elements": "str", "default": []},
        "errors": {"type": "list", "elements": "str", "default": []},
        "about": {"type": "dict", "default": {}},
        "report": {"type": "path"},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Judge, show, write; the task fails where the verdict does, but in check mode only tells."""
        now = datetime.datetime.now(datetime.UTC)
        verdict = judge(
            findings_told_by(arguments["findings"]),
            [waiver_from_dict(each) for each in arguments["waivers"]],
            arguments["accept_unknown"],
            arguments["errors"],
            today=now.date(),
            check_mode=self.check_mode,
        )
        report = _report(verdict, arguments["about"], now, self.check_mode)
        if arguments["report"]:
            _write(Path(arguments["report"]).absolute(), report)
        for line in table(verdict, arguments["report"] or ""):
            _show(line)
        failed = not verdict.success and not self.check_mode
        return {
            "changed": False,
            "verdict": verdict.to_dict(),
            "report": arguments["report"] or "",
            **({"failed": True, "msg": f"The verdict is failure: {', '.join(verdict.reasons)}."} if failed else {}),
        }


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


def _write(file: Path, report: dict[str, Any]) -> None:
    """Put the report there whole or not at all, so that nobody reads half of one."""
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(report, stream, indent=2, ensure_ascii=False)
            stream.write("\n")
        Path(temporary).replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise HardeningError(
            f"The report cannot be written to {file}: {error.strerror}. Name another file with `-e report=FILE`."
        ) from error


def _show(line: Line) -> None:
    # From a worker of ansible-core 2.19, Display alone reaches the terminal.
    Display().display(line.text, color=_COLOURS[line.tone])
