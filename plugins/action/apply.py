# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._definitions import read_definitions
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import (
    diff_of,
    in_short,
    result,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    RECORD_SPEC,
    connect_recorded,
)

_WORDS = {"present": "apply", "absent": "remove"}


class ActionModule(HardeningAction):
    """Apply or remove any number of objects."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **RECORD_SPEC,
        "definition": {"type": "raw"},
        "src": {"type": "list", "elements": "path"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "namespace": {"type": "str"},
        "field_manager": {"type": "str", "default": "hardening.kubernetes/apply"},
        "force_conflicts": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 120},
        "workers": {"type": "int", "default": 32},
        "retry_timeout": {"type": "int", "default": 60},
    }
    RULES: ClassVar[dict[str, Any]] = {"required_one_of": [["definition", "src"]]}

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read everything, apply it, tell what became of it."""
        sources = [self._source(path) for path in arguments["src"] or ()]
        objects = read_definitions(arguments["definition"], sources, arguments["namespace"] or "")
        client = connect_recorded(arguments, arguments["workers"], arguments["retry_timeout"])
        options = ApplyOptions(
            manager=arguments["field_manager"],
            dry_run=self.check_mode,
            force=arguments["force_conflicts"],
            state=arguments["state"],
            wait=arguments["wait"],
            wait_timeout=arguments["wait_timeout"],
        )
        done = apply_objects(client, objects, options, Progress(_WORDS[arguments["state"]]))
        if self.diff_mode:
            return {**result(done), "diff": diff_of(done)}
        return result(in_short(done))

    def _source(self, path: str) -> Path:
        """Where the file or folder is, looked for as other modules look for theirs."""
        found = self._loader.path_dwim_relative_stack(self._task.get_search_path(), "files", path)
        return Path(found or path)
