# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action that asks nodes as a walk does: from one process, over connections that stay, with what it keeps secret."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused, Nodes


class ActionModule(HardeningAction):
    """Steps, one after another: ``{calls: {node: [[operation, arguments], …]}}``, or ``{wait_for: path}``."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        "nodes": {"type": "list", "elements": "str", "required": True},
        "steps": {"type": "list", "elements": "dict", "required": True},
        "timeout": {"type": "int", "default": 60},
        "secret": {"type": "path"},
    }

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        nodes = Nodes(self, arguments["nodes"], task_vars)
        told = []
        for step in arguments["steps"]:
            if "wait_for" in step:
                _wait_for(Path(step["wait_for"]))
                continue
            calls = {
                node: [(operation, _filled(given, arguments["secret"])) for operation, given in wanted]
                for node, wanted in step["calls"].items()
            }
            answers = nodes.ask_each(calls, "_files", arguments["timeout"])
            told.append({node: _plain(answer) for node, answer in answers.items()})
        nodes.close()
        return {"changed": False, "told": told}


def _filled(arguments: dict[str, Any], secret: str | None) -> dict[str, Any]:
    """The arguments, with the secret where they say ``SECRET``: a test must not tell it to Ansible itself."""
    for file in arguments.get("files", ()):
        if file["content"] == "SECRET" and secret:
            file["content"] = base64.b64encode(Path(secret).read_bytes()).decode("ascii")
    return arguments


def _wait_for(path: Path) -> None:
    path.with_suffix(".reached").touch()
    while not path.exists():
        time.sleep(0.1)


def _plain(answer: list[Any] | NodeError) -> dict[str, Any]:
    if isinstance(answer, NodeError):
        return {"kind": answer.kind if isinstance(answer, NodeRefused) else "", "said": str(answer)}
    # What a node answers may hold the secret, which would then be the task's result.
    return {"results": [_without_content(each) for each in answer]}


def _without_content(result: Any) -> Any:
    if isinstance(result, dict):
        return {key: _without_content(each) for key, each in result.items() if key != "content"}
    return result
