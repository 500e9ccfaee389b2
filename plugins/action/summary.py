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
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._junit import junit
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._scope import Scope
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._table import Line, Tone, table
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import (
    CONTROLS_OF,
    Verdict,
    findings_told_by,
    judge,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._waivers import waiver_from_dict
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._report import (
    JUNIT,
    REPORT,
    Form,
    as_json,
    make_room,
    write_report,
)

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
        "junit": {"type": "path"},
        "only": {"type": "list", "elements": "str", "default": []},
        "canary": {"type": "list", "elements": "str", "default": []},
        "stage": {"type": "str", "choices": ["canary", "whole"], "default": "whole"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_if": [("state", "judged", ["findings"]), ("state", "begun", ["report", "junit"], True)]
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Make room for the reports, or judge, show and write them."""
        files = _files(arguments)
        if arguments["state"] == "judged":
            return self._judge(arguments, files)
        for form, file in files.items():
            make_room(file, form)
        return {"changed": False}

    def _judge(self, arguments: dict[str, Any], files: dict[Form, Path]) -> dict[str, Any]:
        """The task fails where the verdict does; in check mode only where a part of the run itself failed."""
        now = datetime.datetime.now(datetime.UTC)
        scope = Scope(tuple(arguments["only"]), tuple(arguments["canary"]), arguments["stage"])
        verdict = judge(
            findings_told_by(arguments["findings"]),
            [waiver_from_dict(each) for each in arguments["waivers"]],
            arguments["accept_unknown"],
            arguments["errors"],
            today=now.date(),
            parts=arguments["parts"],
            check_mode=self.check_mode,
            limited=scope.limited,
        )
        failed = bool(verdict.errors or (verdict.reasons and not self.check_mode))
        if scope.stage == "canary" and not failed:
            _show(Line(scope.success(verdict), "good"))
            return {"changed": False, "verdict": verdict.to_dict(), "report": ""}
        texts = {
            REPORT: lambda: as_json(_report(verdict, arguments["about"], scope, now, self.check_mode)),
            JUNIT: lambda: junit(
                verdict,
                str(arguments["about"].get("policy", "")),
                now.isoformat(timespec="seconds"),
                scope.properties(),
            ),
        }
        unwritten = {form: why for form, file in files.items() if (why := _unwritten(file, form, texts[form]()))}
        report = "" if REPORT in unwritten else arguments["report"] or ""
        for line in table(verdict, report, tuple(scope.notes())):
            _show(line)
        said = [f"The verdict is failure: {', '.join(verdict.reasons)}.", *scope.remedies()] if failed else []
        return {
            "changed": False,
            "verdict": verdict.to_dict(),
            "report": report,
            **({"failed": True, "msg": " ".join([*said, *unwritten.values()])} if failed or unwritten else {}),
        }


def _files(arguments: dict[str, Any]) -> dict[Form, Path]:
    files = {form: Path(arguments[form.option]).absolute() for form in (REPORT, JUNIT) if arguments[form.option]}
    if len(set(files.values())) < len(files):
        raise HardeningError(f"report and junit both name {files[REPORT]}: give each a file of its own.")
    return files


def _unwritten(file: Path, form: Form, text: str) -> str:
    """Write a report; why it could not be written, so that a full disk hides no verdict."""
    try:
        write_report(file, form, text)
    except HardeningError as error:
        return str(error)
    return ""


def _report(
    verdict: Verdict, about: dict[str, Any], scope: Scope, now: datetime.datetime, check_mode: bool
) -> dict[str, Any]:
    return {
        "report_version": REPORT_VERSION,
        "time": now.isoformat(timespec="seconds"),
        "check_mode": check_mode,
        "about": about,
        "scope": scope.to_dict(),
        "verdict": verdict.to_dict(),
        "errors": list(verdict.errors),
        "findings": verdict.findings_told(),
    }


def _show(line: Line) -> None:
    # From a worker of ansible-core 2.19, Display alone reaches the terminal.
    Display().display(line.text, color=_COLOURS[line.tone])
